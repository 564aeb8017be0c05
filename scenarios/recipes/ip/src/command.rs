//! One line of a script: whose namespace it is for, and what it asks.

use netwright_sdk::wit::types::Family;

use crate::address::AddressCommand;
use crate::bridge::{self, BridgeCommand};
use crate::cursor::Cursor;
use crate::fault::{Fault, shown};
use crate::foreign;
use crate::front;
use crate::grep::Filter;
use crate::lex::{self, Line, Word};
use crate::link::LinkCommand;
use crate::link_show::Style;
use crate::neighbour::NeighbourCommand;
use crate::netns::NetnsCommand;
use crate::object::{ip, is_object};
use crate::ping::{self, Ping};
use crate::program_flags::unheeded;
use crate::route::RouteCommand;
use crate::rule::RuleCommand;
use crate::shell::{self, Failure, Joined, Simple, name, without_prompt, without_tee};
use crate::shell_command::{self, ShellCommand};
use crate::sysctl::{self, SysctlCommand};
use crate::tc::{self, TcCommand};
use crate::tunnel::TunnelFilter;
use crate::tuntap::TuntapCommand;
use crate::vrf::VrfCommand;

/// A line that is understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    pub line: u32,
    /// as it was written, less comment, prompt and redirections
    pub text: String,
    pub joined: Joined,
    pub failure: Failure,
    /// what it prints is thrown away
    pub silent: bool,
    /// what is left of what it prints
    pub filters: Vec<Filter>,
    /// `-s` or `-d` in front of what shows
    pub unheeded: Option<String>,
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
    Shell(ShellCommand),
    Tunnel(TunnelFilter),
    Vrf(VrfCommand),
}

impl Command {
    /// Whether it prints what it finds.
    fn prints(&self) -> bool {
        match self {
            Self::Route(command) => {
                matches!(command, RouteCommand::Show(_) | RouteCommand::Get { .. })
            }
            Self::Rule(command) => matches!(command, RuleCommand::Show(_)),
            Self::Neighbour(command) => {
                matches!(command, NeighbourCommand::Show(_) | NeighbourCommand::Get { .. })
            }
            Self::Netns(command) => matches!(command, NetnsCommand::List | NetnsCommand::Identify),
            Self::Tuntap(command) => matches!(command, TuntapCommand::Show),
            Self::Bridge(BridgeCommand::ShowVlans { .. }) => true,
            Self::Shell(command) => matches!(command, ShellCommand::Echo(_)),
            Self::Sysctl(_) | Self::Tunnel(_) | Self::Vrf(_) => true,
            Self::Ping(_) => false,
            Self::Link(_) | Self::Address(_) | Self::Tc(_) | Self::Bridge(_) => self.shows(),
        }
    }

    /// Whether it shows what more could be told of.
    fn shows(&self) -> bool {
        match self {
            Self::Link(command) => matches!(command, LinkCommand::Show(_)),
            Self::Address(command) => matches!(command, AddressCommand::Show(_)),
            Self::Tc(command) => matches!(command, TcCommand::Show { .. }),
            Self::Bridge(command) => {
                matches!(command, BridgeCommand::ShowPorts { .. } | BridgeCommand::ShowEntries(_))
            }
            Self::Route(_)
            | Self::Rule(_)
            | Self::Neighbour(_)
            | Self::Netns(_)
            | Self::Tuntap(_)
            | Self::Ping(_)
            | Self::Sysctl(_)
            | Self::Shell(_)
            | Self::Tunnel(_)
            | Self::Vrf(_) => false,
        }
    }
}

/// What stands before the object and holds for all of the command.
#[derive(Debug, Clone)]
pub(crate) struct Context {
    pub(crate) places: Places,
    pub(crate) family: Option<Family>,
    /// `-all`
    pub(crate) all: bool,
    /// `-brief`, `-oneline`
    pub(crate) style: Style,
}

impl Context {
    fn root() -> Self {
        let places = Places::One(Place::Root);
        Self { places, family: None, all: false, style: Style::Full }
    }

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
    let lines = lex::lines(script, &mut faults);
    let context = Context::root();
    let statements = statements(&lines, &context, &mut Before::default(), &mut faults);
    if faults.is_empty() {
        return Ok(statements);
    }
    faults.sort_by_key(|fault| (fault.line, fault.column));
    Err(faults)
}

/// What a script has said before a line.
#[derive(Debug, Clone, Default)]
pub(crate) struct Before {
    /// namespaces that it has made
    pub(crate) made: Vec<String>,
    /// `set -e`
    pub(crate) strict: bool,
}

/// The commands of these lines, given where the context is.
pub(crate) fn statements(
    lines: &[Line],
    context: &Context,
    before: &mut Before,
    faults: &mut Vec<Fault>,
) -> Vec<Statement> {
    let mut statements = Vec::new();
    for line in lines {
        // An open quote has swallowed words: nothing else that is wrong here can be told.
        if faults.iter().any(|fault| line.covers(fault.line)) {
            continue;
        }
        let words = without_tee(without_prompt(&line.words));
        for simple in shell::cut(&words, before.strict, faults) {
            let known = faults.len();
            let mut cursor = Cursor::new(&simple.words, faults, before);
            let parsed = statement(&mut cursor, &simple, context.clone());
            let (Some((places, command)), true) = (parsed, faults.len() == known) else { continue };
            match &command {
                Command::Netns(NetnsCommand::Add(name)) => before.made.push(name.clone()),
                Command::Shell(ShellCommand::Strict(strict)) => before.strict = *strict,
                _other => {}
            }
            statements.push(Statement {
                line: simple.words.first().map_or(0, |word| word.line),
                text: lex::text(&simple.words),
                joined: simple.joined,
                failure: simple.failure,
                silent: simple.silent,
                filters: simple.filters.clone(),
                unheeded: command.shows().then(|| unheeded(&simple.words)).flatten(),
                places,
                command,
            });
        }
    }
    statements
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

fn statement(
    cursor: &mut Cursor<'_>,
    simple: &Simple<'_>,
    context: Context,
) -> Option<(Places, Command)> {
    let (places, command) = command(cursor, context, true)?;
    if !simple.filters.is_empty() && !command.prints() {
        if let Some(word) = simple.words.first() {
            let message = "`grep` has nothing to read of this".to_owned();
            cursor.refuse_with(
                word,
                message,
                "commands that show are: `show`, `get`, `sysctl`, `echo`",
            );
        }
        return None;
    }
    let Some(file) = simple.file else { return Some((places, command)) };
    let Command::Shell(shell) = &command else {
        let message = format!("a recipe writes no file, so not `{}` either", shown(&file.text));
        cursor.refuse_with(file, message, "`echo VALUE > /proc/sys/net/…` is read as `sysctl`");
        return None;
    };
    Some((places, Command::Sysctl(shell_command::written(cursor, shell, file)?)))
}

/// A program with its words. `bare`: those of ip(8) may stand without its name.
pub(crate) fn command(
    cursor: &mut Cursor<'_>,
    context: Context,
    bare: bool,
) -> Option<(Places, Command)> {
    front::skip_sudo(cursor)?;
    let first = cursor.peek()?;
    if !cursor.enter() {
        let message = format!("`{}` stands behind too many others", shown(&first.text));
        cursor.refuse_with(first, message, "the last `ip netns exec` alone says where it runs");
        return None;
    }
    if bare && program(&first.text).is_none() && is_object(&first.text) {
        return match foreign::refuse_behind(cursor, first) {
            true => None,
            false => Program::Ip.parse(cursor, first, context),
        };
    }
    cursor.next();
    if let Some(shell) = shell_command::parse(cursor, first, &context)? {
        cursor.end(&format!("`{}`", shown(&first.text)));
        return Some((context.places, Command::Shell(shell)));
    }
    if name(&first.text) == "nsenter" {
        return front::nsenter(cursor, first, context);
    }
    match program(&first.text) {
        Some(program) => program.parse(cursor, first, context),
        None if foreign::refuse(cursor, first) => None,
        None if bare => {
            cursor.back();
            Program::Ip.parse(cursor, first, context)
        }
        None => {
            foreign::refuse_unknown(cursor, first);
            None
        }
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
    match name(word) {
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
