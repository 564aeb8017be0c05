//! `bridge` (bridge/link.c, vlan.c, fdb.c): ports, their VLANs, forwarding databases.

use netwright_sdk::wit::fdb::Entry;
use netwright_sdk::wit::links::{Other, Setting};
use netwright_sdk::wit::types::Write;
use netwright_sdk::wit::vlans::Vlan;

use crate::command::{Command, Context, Places};
use crate::cursor::{Cursor, Named};
use crate::fault::shown;
use crate::fdb::{EntryFilter, fdb};
use crate::keyword::{Keyword, find, names, short};
use crate::kind_tables::BRIDGE_SLAVE;
use crate::lex::Word;
use crate::options::read_value;
use crate::program_flags::program_option;
use crate::value::{link, read_number};

#[derive(Debug, Clone, PartialEq)]
pub enum BridgeCommand {
    Set {
        link: String,
        setting: Setting,
    },
    /// `itself`: of the bridge's own, and not of its port
    PutVlan {
        link: String,
        itself: bool,
        vlan: Vlan,
    },
    RemoveVlan {
        link: String,
        itself: bool,
        first: u16,
        last: u16,
    },
    ShowVlans {
        link: Option<String>,
    },
    PutEntry {
        link: String,
        entry: Entry,
        how: Write,
    },
    RemoveEntry {
        link: String,
        entry: Entry,
    },
    ShowEntries(EntryFilter),
    /// its ports
    ShowPorts {
        link: Option<String>,
    },
}

#[derive(Clone, Copy)]
enum Object {
    Link,
    Fdb,
    Vlan,
    Foreign(&'static str),
}

/// In iproute2's order.
const OBJECTS: &[Keyword<Object>] = &[
    short("link", Object::Link),
    short("fdb", Object::Fdb),
    short(
        "mdb",
        Object::Foreign(
            "`ip link set BRIDGE type bridge mcast_snooping 0` floods groups to all ports",
        ),
    ),
    short("vlan", Object::Vlan),
    short("vni", Object::Foreign("one vxlan for each: `ip link add NAME type vxlan id VNI …`")),
    short("monitor", Object::Foreign("captures and checks of a scenario see what happens")),
];

/// What follows the program's own name.
pub(crate) fn bridge(cursor: &mut Cursor<'_>, mut context: Context) -> Option<(Places, Command)> {
    while let Some(word) = cursor.peek().filter(|word| word.text.starts_with('-')) {
        cursor.next();
        program_option(cursor, word, &mut context, "bridge(8)")?;
    }
    let Some(word) = cursor.next() else {
        if let Some(last) = cursor.last() {
            cursor.refuse_with(
                last,
                "no object follows here".to_owned(),
                "`link`, `vlan` or `fdb`",
            );
        }
        return None;
    };
    let command = match find(OBJECTS, &word.text) {
        Some((_, Object::Link)) => ports(cursor, word)?,
        Some((_, Object::Vlan)) => vlan(cursor)?,
        Some((_, Object::Fdb)) => fdb(cursor)?,
        Some((name, Object::Foreign(instead))) => {
            cursor.refuse_with(word, format!("`bridge {name}` is not offered here"), instead);
            return None;
        }
        None => {
            cursor.unknown(word, "bridge(8)", ["link", "fdb", "vlan"].into_iter());
            return None;
        }
    };
    Some((context.places, Command::Bridge(command)))
}

pub(crate) const STATES: [&str; 5] =
    ["disabled", "listening", "learning", "forwarding", "blocking"];

const PORT_VERBS: &[Keyword<Verb>] = &[
    short("set", Verb::Put(Write::Change)),
    short("show", Verb::Show),
    short("lst", Verb::Show),
    short("list", Verb::Show),
];

fn ports(cursor: &mut Cursor<'_>, object: &Word) -> Option<BridgeCommand> {
    let Some(word) = cursor.next() else { return Some(BridgeCommand::ShowPorts { link: None }) };
    match find(PORT_VERBS, &word.text) {
        Some((_, Verb::Show)) => {
            let word = cursor.next();
            let device = match word {
                Some(word) if word.text == "dev" => {
                    Some(link(cursor, Named { word, name: "dev" })?)
                }
                Some(word) => {
                    cursor.unknown(word, "`bridge link show`", std::iter::once("dev"));
                    return None;
                }
                None => None,
            };
            cursor.end("`bridge link show`");
            Some(BridgeCommand::ShowPorts { link: device })
        }
        Some(_) => set_link(cursor, object),
        None => {
            cursor.unknown(word, "`bridge link`", names(PORT_VERBS));
            None
        }
    }
}

fn set_link(cursor: &mut Cursor<'_>, object: &Word) -> Option<BridgeCommand> {
    let mut device = None;
    let mut options = Vec::new();
    while let Some(word) = cursor.next() {
        let text = word.text.as_str();
        if text == "dev" {
            device = Some(link(cursor, Named { word, name: "dev" })?);
            continue;
        }
        if text == "master" {
            continue;
        }
        if text == "self" {
            let message = "`self` is for a device that bridges by itself".to_owned();
            cursor.refuse_with(word, message, "leave it out: what is set here is the master's");
            continue;
        }
        let Some((name, value)) = find(BRIDGE_SLAVE, text).filter(|(name, _)| *name == text) else {
            let known = ["dev", "master"].into_iter().chain(names(BRIDGE_SLAVE));
            cursor.unknown(word, "`bridge link set`", known);
            return None;
        };
        let by_word = cursor.peek().filter(|_| name == "state");
        let state = by_word.and_then(|word| STATES.iter().position(|state| *state == word.text));
        let value = match state {
            Some(state) => {
                cursor.next();
                state.to_string()
            }
            None => read_value(cursor, Named { word, name }, value)?,
        };
        options.push(crate::value::attribute(name, value));
    }
    let link = need_device(cursor, object, device)?;
    if options.is_empty() {
        cursor.refuse(object, "nothing is set here".to_owned());
    }
    let setting = Setting::Options(Other { kind: "bridge_slave".to_owned(), options });
    Some(BridgeCommand::Set { link, setting })
}

pub(crate) fn need_device(
    cursor: &mut Cursor<'_>,
    word: &Word,
    device: Option<String>,
) -> Option<String> {
    if device.is_none() {
        cursor.refuse(word, "`dev` is missing".to_owned());
    }
    device
}

#[derive(Clone, Copy)]
pub(crate) enum Verb {
    Put(Write),
    Remove,
    Show,
    Refused,
}

const VLAN_VERBS: &[Keyword<Verb>] = &[
    short("add", Verb::Put(Write::Add)),
    short("delete", Verb::Remove),
    short("show", Verb::Show),
    short("lst", Verb::Show),
    short("list", Verb::Show),
    short("tunnelshow", Verb::Refused),
    short("set", Verb::Refused),
    short("global", Verb::Refused),
];

fn vlan(cursor: &mut Cursor<'_>) -> Option<BridgeCommand> {
    let Some(word) = cursor.next() else { return Some(BridgeCommand::ShowVlans { link: None }) };
    let Some((name, verb)) = find(VLAN_VERBS, &word.text) else {
        cursor.unknown(word, "`bridge vlan`", names(VLAN_VERBS));
        return None;
    };
    if matches!(verb, Verb::Refused) {
        let message = format!("`bridge vlan {name}` is not offered here");
        cursor.refuse_with(word, message, "`add`, `delete` and `show` are");
        return None;
    }
    let (mut device, mut ids, mut pvid, mut untagged) = (None, None, false, false);
    let mut itself = false;
    while let Some(word) = cursor.next() {
        match word.text.as_str() {
            "dev" => device = Some(link(cursor, Named { word, name: "dev" })?),
            "vid" => ids = Some(vlan_ids(cursor, Named { word, name: "vid" })?),
            "pvid" => pvid = true,
            "untagged" => untagged = true,
            "tagged" => untagged = false,
            "tunnel_info" => {
                let message = "`tunnel_info` is not offered here".to_owned();
                let help =
                    "one vxlan for each VLAN: `ip link add NAME type vxlan id VNI …`, each a port";
                cursor.refuse_with(word, message, help);
                return None;
            }
            "self" => itself = true,
            "master" => {}
            _ => {
                let known = ["dev", "vid", "pvid", "untagged", "tagged", "self", "master"];
                cursor.unknown(word, "`bridge vlan`", known.into_iter());
                return None;
            }
        }
    }
    if matches!(verb, Verb::Show) {
        return Some(BridgeCommand::ShowVlans { link: device });
    }
    let link = need_device(cursor, word, device);
    if ids.is_none() {
        cursor.refuse(word, "`vid` is missing".to_owned());
    }
    let (link, (first, last)) = (link?, ids?);
    if pvid && first != last {
        cursor.refuse(word, "only one vlan can be the `pvid`".to_owned());
    }
    Some(match verb {
        Verb::Put(_) => {
            BridgeCommand::PutVlan { link, itself, vlan: Vlan { first, last, pvid, untagged } }
        }
        Verb::Remove | Verb::Show | Verb::Refused => {
            BridgeCommand::RemoveVlan { link, itself, first, last }
        }
    })
}

/// One id, or a range of them: 1 to 4094, IEEE 802.1Q.
fn vlan_ids(cursor: &mut Cursor<'_>, named: Named<'_>) -> Option<(u16, u16)> {
    let word = cursor.value(named)?;
    let id = |text: &str| {
        let number = read_number(text).and_then(|number| u16::try_from(number).ok());
        number.filter(|number| (1..=4094).contains(number))
    };
    let found = match word.text.split_once('-') {
        None => id(&word.text).map(|one| (one, one)),
        Some((first, last)) => id(first).zip(id(last)).filter(|(first, last)| first <= last),
    };
    if found.is_none() {
        let message = format!("`{}` is neither a vlan id nor a range", shown(&word.text));
        cursor.refuse_with(word, message, "1 to 4094, as in `100` and `100-200`");
    }
    found
}
