//! The objects of ip(8), in iproute2's order.

use crate::command::{Command, Context, Places};
use crate::cursor::Cursor;
use crate::foreign;
use crate::keyword::{Keyword, find, short};
use crate::lex::Word;
use crate::program_flags::option;
use crate::{address, link, neighbour, netns, route, rule, tunnel, tuntap, vrf};

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
    Tunnel,
    Vrf,
    /// iproute2 has it, netwright doesn't; what to do instead
    Foreign(&'static str),
}

/// In iproute2's order (ip/ip.c), which decides what an abbreviation means.
const OBJECTS: &[Keyword<Object>] = &[
    short("address", Object::Address),
    short("addrlabel", Object::Foreign(foreign::ADDRESSES)),
    short("maddress", Object::Foreign(foreign::GROUPS)),
    short("route", Object::Route),
    short("rule", Object::Rule),
    short("neighbor", Object::Neighbour),
    short("neighbour", Object::Neighbour),
    short("ntable", Object::Foreign(foreign::TABLES)),
    short("ntbl", Object::Foreign(foreign::TABLES)),
    short("link", Object::Link),
    short("l2tp", Object::Foreign(foreign::L2TP)),
    short("fou", Object::Foreign(foreign::FOU)),
    short("ila", Object::Foreign(foreign::ROUTING)),
    short("macsec", Object::Foreign(foreign::MACSEC)),
    short("tunnel", Object::Tunnel),
    short("tunl", Object::Tunnel),
    short("tuntap", Object::Tuntap),
    short("tap", Object::Tuntap),
    short("token", Object::Foreign(foreign::ADDRESSES)),
    short("tcpmetrics", Object::Foreign(foreign::METRICS)),
    short("tcp_metrics", Object::Foreign(foreign::METRICS)),
    short("monitor", Object::Foreign(foreign::MONITOR)),
    short("xfrm", Object::Foreign(foreign::XFRM)),
    short("mroute", Object::Foreign(foreign::GROUPS)),
    short("mrule", Object::Foreign(foreign::GROUPS)),
    short("netns", Object::Netns),
    short("netconf", Object::Foreign(foreign::NETCONF)),
    short("vrf", Object::Vrf),
    short("sr", Object::Foreign(foreign::ROUTING)),
    short("nexthop", Object::Foreign(foreign::NEXTHOP)),
    short("mptcp", Object::Foreign(foreign::MPTCP)),
    short("ioam", Object::Foreign(foreign::ROUTING)),
    short("stats", Object::Foreign(foreign::STATS)),
];

/// Whether it begins a command of ip(8) whose name is left out.
pub(crate) fn is_object(text: &str) -> bool {
    text.len() > 1 && find(OBJECTS, text).is_some()
}

const OFFERED: [&str; 10] = [
    "link",
    "address",
    "route",
    "rule",
    "neighbour",
    "neighbor",
    "netns",
    "tunnel",
    "tuntap",
    "vrf",
];

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
        Object::Tunnel => tunnel::parse(cursor, &context)?,
        Object::Vrf => return vrf::parse(cursor, context),
        Object::Foreign(help) => {
            let message = format!("`ip {name}` is not offered here");
            cursor.refuse_with(word, message, help);
            return None;
        }
    };
    Some((context.places, command))
}
