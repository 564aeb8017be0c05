//! One line of a script: whose namespace it is for, and what it asks.

use netwright_sdk::wit::types::Family;

use crate::address::{self, AddressCommand};
use crate::bridge::{self, BridgeCommand};
use crate::cursor::Cursor;
use crate::fault::{Fault, shown};
use crate::keyword::{Keyword, begins, exact, find, names, short};
use crate::lex::{self, Word};
use crate::link::{self, LinkCommand};
use crate::neighbour::{self, NeighbourCommand};
use crate::netns::{self, NetnsCommand};
use crate::ping::{self, Ping};
use crate::route::{self, RouteCommand};
use crate::rule::{self, RuleCommand};
use crate::sysctl::{self, SysctlCommand};
use crate::tc::{self, TcCommand};
use crate::tuntap::{self, TuntapCommand};
use crate::value;

/// A line that is understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    pub line: u32,
    /// as it was written, less comment and prompt
    pub text: String,
    pub places: Places,
    pub command: Command,
}

/// A namespace of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    Root,
    Named(String),
}

/// Where a command is carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Places {
    One(Place),
    /// in every namespace that has a name: `ip -all netns exec`
    Every,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    Link(LinkCommand),
    Address(AddressCommand),
    Route(RouteCommand),
    Rule(RuleCommand),
    Neighbour(NeighbourCommand),
    Netns(NetnsCommand),
    Tuntap(TuntapCommand),
    Ping(Ping),
    Tc(TcCommand),
    Bridge(BridgeCommand),
    Sysctl(Vec<SysctlCommand>),
}

/// What stands before the object and holds for all of the command.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) places: Places,
    pub(crate) family: Option<Family>,
    /// `-all`
    pub(crate) all: bool,
}

impl Context {
    /// The contract's name of the namespace that the command is given in.
    pub(crate) fn namespace(&self) -> String {
        match &self.places {
            Places::One(Place::Named(name)) => name.clone(),
            Places::One(Place::Root) | Places::Every => String::new(),
        }
    }
}

/// Understands all of a script, or says all that is wrong with it.
pub fn parse(script: &str) -> Result<Vec<Statement>, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut statements = Vec::new();
    let mut made = Vec::new();
    for line in lex::lines(script, &mut faults) {
        // An open quote has swallowed words: nothing else that is wrong here can be told.
        if faults.iter().any(|fault| line.covers(fault.line)) {
            continue;
        }
        let before = faults.len();
        let parsed = statement(&mut Cursor::new(&line.words, &mut faults, &made));
        if let Some((_, Command::Netns(NetnsCommand::Add(name)))) = &parsed {
            made.push(name.clone());
        }
        if let (Some((places, command)), true) = (parsed, faults.len() == before) {
            statements.push(Statement { line: line.number(), text: line.text(), places, command });
        }
    }
    if faults.is_empty() {
        return Ok(statements);
    }
    faults.sort_by_key(|fault| (fault.line, fault.column));
    Err(faults)
}

/// The first comment that would be a command, and its line.
pub(crate) fn commented(script: &str) -> Option<(usize, String)> {
    let comments = script.lines().enumerate().filter_map(|(place, line)| {
        let text = line.trim_start().strip_prefix('#')?.trim_matches(['#', ' ', '\t', '\r']);
        Some((place + 1, text))
    });
    let is_command = |text: &str| {
        let known = text.split_whitespace().next().is_some_and(|first| program(first).is_some());
        known || parse(text).is_ok_and(|statements| !statements.is_empty())
    };
    comments.filter(|(_, text)| is_command(text)).map(|(line, text)| (line, text.to_owned())).next()
}

fn statement(cursor: &mut Cursor<'_>) -> Option<(Places, Command)> {
    let context = Context { places: Places::One(Place::Root), family: None, all: false };
    let first = cursor.peek()?;
    match program(&first.text) {
        Some(program) => {
            cursor.next();
            program.parse(cursor, first, context)
        }
        None => Program::Ip.parse(cursor, first, context),
    }
}

/// The programs that are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Ip,
    Tc,
    Bridge,
    Ping,
    Sysctl,
}

/// By its name, with or without its folder.
pub(crate) fn program(word: &str) -> Option<Program> {
    let name = word.rsplit('/').next().unwrap_or(word);
    if name != word && !word.starts_with('/') {
        return None;
    }
    match name {
        "ip" => Some(Program::Ip),
        "tc" => Some(Program::Tc),
        "bridge" => Some(Program::Bridge),
        "ping" | "ping6" => Some(Program::Ping),
        "sysctl" => Some(Program::Sysctl),
        _ => None,
    }
}

impl Program {
    /// What follows its name, which was the word `name`.
    pub(crate) fn parse(
        self,
        cursor: &mut Cursor<'_>,
        name: &Word,
        context: Context,
    ) -> Option<(Places, Command)> {
        match self {
            Self::Ip => ip(cursor, context),
            Self::Tc => tc::tc(cursor, context),
            Self::Bridge => bridge::bridge(cursor, context),
            Self::Ping => Some((context.places, Command::Ping(ping::parse(cursor, name)?))),
            Self::Sysctl => Some((context.places, Command::Sysctl(sysctl::parse(cursor, name)?))),
        }
    }
}

/// An option before the object of tc(8) or bridge(8): of those only `-netns` matters here.
pub(crate) fn program_option(
    cursor: &mut Cursor<'_>,
    word: &Word,
    context: &mut Context,
    place: &str,
) -> Option<()> {
    let typed = word.text.trim_start_matches('-');
    let Some((name, flag)) = find(PROGRAM_FLAGS, typed) else {
        cursor.unknown(word, place, names(PROGRAM_FLAGS));
        return None;
    };
    if flag {
        let option = crate::cursor::Named { word, name };
        context.places = Places::One(Place::Named(value::namespace(cursor, option)?));
    }
    Some(())
}

/// Whether it is the option with a namespace; the others alter only what is printed.
const PROGRAM_FLAGS: &[Keyword<bool>] = &[
    short("statistics", false),
    short("details", false),
    short("raw", false),
    short("pretty", false),
    short("json", false),
    short("iec", false),
    short("Numeric", false),
    short("netns", true),
    short("oneline", false),
    short("compressvlans", false),
    short("color", false),
];

/// What follows the program's own name.
pub(crate) fn ip(cursor: &mut Cursor<'_>, mut context: Context) -> Option<(Places, Command)> {
    while let Some(word) = cursor.peek() {
        if !word.text.starts_with('-') {
            break;
        }
        cursor.next();
        if word.text == "--" {
            break;
        }
        option(cursor, word, &mut context)?;
    }
    let Some(word) = cursor.next() else {
        if let Some(last) = cursor.last() {
            let help = "`link`, `address`, `route`, `rule`, `neighbour`, `netns` or `tuntap`";
            cursor.refuse_with(last, "no object follows here".to_owned(), help);
        }
        return None;
    };
    object(cursor, word, context)
}

#[derive(Clone, Copy)]
enum Object {
    Address,
    Route,
    Rule,
    Neighbour,
    Link,
    Tuntap,
    Netns,
    /// iproute2 has it, netwright doesn't
    Foreign,
}

/// In iproute2's order (ip/ip.c), which decides what an abbreviation means.
const OBJECTS: &[Keyword<Object>] = &[
    short("address", Object::Address),
    short("addrlabel", Object::Foreign),
    short("maddress", Object::Foreign),
    short("route", Object::Route),
    short("rule", Object::Rule),
    short("neighbor", Object::Neighbour),
    short("neighbour", Object::Neighbour),
    short("ntable", Object::Foreign),
    short("ntbl", Object::Foreign),
    short("link", Object::Link),
    short("l2tp", Object::Foreign),
    short("fou", Object::Foreign),
    short("ila", Object::Foreign),
    short("macsec", Object::Foreign),
    short("tunnel", Object::Foreign),
    short("tunl", Object::Foreign),
    short("tuntap", Object::Tuntap),
    short("tap", Object::Tuntap),
    short("token", Object::Foreign),
    short("tcpmetrics", Object::Foreign),
    short("tcp_metrics", Object::Foreign),
    short("monitor", Object::Foreign),
    short("xfrm", Object::Foreign),
    short("mroute", Object::Foreign),
    short("mrule", Object::Foreign),
    short("netns", Object::Netns),
    short("netconf", Object::Foreign),
    short("vrf", Object::Foreign),
    short("sr", Object::Foreign),
    short("nexthop", Object::Foreign),
    short("mptcp", Object::Foreign),
    short("ioam", Object::Foreign),
    short("stats", Object::Foreign),
];

const OFFERED: [&str; 8] =
    ["link", "address", "route", "rule", "neighbour", "neighbor", "netns", "tuntap"];

fn object(cursor: &mut Cursor<'_>, word: &Word, context: Context) -> Option<(Places, Command)> {
    let Some((name, object)) = find(OBJECTS, &word.text) else {
        cursor.unknown(word, "ip(8)", OFFERED.into_iter());
        return None;
    };
    if context.all && !matches!(object, Object::Netns) {
        cursor.refuse(word, format!("`-all` is for `netns exec` and `netns delete`, not `{name}`"));
    }
    let command = match object {
        Object::Link => Command::Link(link::parse(cursor, &context)?),
        Object::Address => Command::Address(address::parse(cursor, &context)?),
        Object::Route => Command::Route(route::parse(cursor, &context)?),
        Object::Rule => Command::Rule(rule::parse(cursor, &context)?),
        Object::Neighbour => Command::Neighbour(neighbour::parse(cursor, &context)?),
        Object::Tuntap => Command::Tuntap(tuntap::parse(cursor)?),
        Object::Netns => return netns::parse(cursor, context),
        Object::Foreign => {
            let message = format!("`ip {name}` is not offered here");
            let help = "`link`, `address`, `route`, `rule`, `neighbour`, `netns` and `tuntap` are";
            cursor.refuse_with(word, message, help);
            return None;
        }
    };
    Some((context.places, command))
}

#[derive(Clone, Copy)]
enum Flag {
    /// alters only what is printed
    Output,
    /// as [`Flag::Output`], with a value
    OutputValue,
    Family,
    Only(Family),
    Netns,
    Batch,
    All,
    Refused,
}

/// In iproute2's order (ip/ip.c); each with one or two hyphens.
const FLAGS: &[Keyword<Flag>] = &[
    short("loops", Flag::OutputValue),
    short("family", Flag::Family),
    exact("4", Flag::Only(Family::Ipv4)),
    exact("6", Flag::Only(Family::Ipv6)),
    exact("0", Flag::Refused),
    exact("M", Flag::Refused),
    exact("B", Flag::Refused),
    short("human-readable", Flag::Output),
    short("iec", Flag::Output),
    short("stats", Flag::Output),
    short("statistics", Flag::Output),
    short("details", Flag::Output),
    short("resolve", Flag::Output),
    short("oneline", Flag::Output),
    short("timestamp", Flag::Output),
    short("tshort", Flag::Output),
    short("Version", Flag::Refused),
    short("force", Flag::Output),
    short("batch", Flag::Batch),
    short("brief", Flag::Output),
    short("json", Flag::Output),
    short("pretty", Flag::Output),
    short("rcvbuf", Flag::OutputValue),
    short("color", Flag::Output),
    short("help", Flag::Refused),
    short("netns", Flag::Netns),
    short("Numeric", Flag::Output),
    short("all", Flag::All),
    exact("echo", Flag::Output),
];

fn option(cursor: &mut Cursor<'_>, word: &Word, context: &mut Context) -> Option<()> {
    let typed = word.text.strip_prefix("--").or_else(|| word.text.strip_prefix('-'))?;
    let coloured = typed.split_once('=').filter(|(name, _)| begins("color", name));
    let typed = coloured.map_or(typed, |(name, _)| name);
    let Some((name, flag)) = find(FLAGS, typed) else {
        cursor.unknown(word, "the options of ip(8)", names(FLAGS));
        return None;
    };
    let option = crate::cursor::Named { word, name };
    match flag {
        Flag::Output => {}
        Flag::OutputValue => {
            value::number32(cursor, option)?;
        }
        Flag::Only(family) => context.family = Some(family),
        Flag::Family => context.family = Some(family(cursor, option)?),
        Flag::Netns => {
            let word = cursor.value(option)?;
            let name = value::existing_namespace(cursor, word)?;
            context.places = Places::One(Place::Named(name));
        }
        Flag::All => context.all = true,
        Flag::Batch => {
            let message =
                format!("`{}` can't be used here: a recipe reads no files", shown(&word.text));
            cursor.refuse_with(word, message, "put the file's lines into the script");
            return None;
        }
        Flag::Refused => {
            cursor.refuse(word, format!("`{}` is not offered here", shown(&word.text)));
            return None;
        }
    }
    Some(())
}

fn family(cursor: &mut Cursor<'_>, option: crate::cursor::Named<'_>) -> Option<Family> {
    value::choice(cursor, option, &[("inet", Family::Ipv4), ("inet6", Family::Ipv6)])
}
