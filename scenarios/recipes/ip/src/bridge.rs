//! `bridge` (bridge/link.c, vlan.c, fdb.c): ports, their VLANs, forwarding databases.

use netwright_sdk::wit::fdb::Entry;
use netwright_sdk::wit::links::{Other, Setting};
use netwright_sdk::wit::types::{MacAddress, Write};
use netwright_sdk::wit::vlans::Vlan;

use crate::command::{Command, Context, Places};
use crate::cursor::{Cursor, Named};
use crate::fault::shown;
use crate::inet::{Families, address};
use crate::keyword::{Keyword, exact, find, names, short};
use crate::kind_tables::BRIDGE_SLAVE;
use crate::options::read_value;
use crate::program_flags::program_option;
use crate::value::{link, mac_word, number_within, read_number};

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
    ShowEntries {
        link: String,
    },
}

#[derive(Clone, Copy)]
enum Object {
    Link,
    Fdb,
    Vlan,
    Foreign,
}

/// In iproute2's order.
const OBJECTS: &[Keyword<Object>] = &[
    short("link", Object::Link),
    short("fdb", Object::Fdb),
    short("mdb", Object::Foreign),
    short("vlan", Object::Vlan),
    short("vni", Object::Foreign),
    short("monitor", Object::Foreign),
];

/// What follows the program's own name.
pub(crate) fn bridge(cursor: &mut Cursor<'_>, mut context: Context) -> Option<(Places, Command)> {
    while let Some(word) = cursor.peek().filter(|word| word.text.starts_with('-')) {
        cursor.next();
        program_option(cursor, word, &mut context, "bridge(8)")?;
    }
    const OFFERED: &str = "`link`, `vlan` and `fdb` are";
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
        Some((_, Object::Link)) => set_link(cursor, word)?,
        Some((_, Object::Vlan)) => vlan(cursor)?,
        Some((_, Object::Fdb)) => fdb(cursor, word)?,
        Some((name, Object::Foreign)) => {
            cursor.refuse_with(word, format!("`bridge {name}` is not offered here"), OFFERED);
            return None;
        }
        None => {
            cursor.unknown(word, "bridge(8)", ["link", "fdb", "vlan"].into_iter());
            return None;
        }
    };
    Some((context.places, Command::Bridge(command)))
}

const STATES: [&str; 5] = ["disabled", "listening", "learning", "fdb", "blocking"];

fn set_link(cursor: &mut Cursor<'_>, object: &crate::lex::Word) -> Option<BridgeCommand> {
    if !cursor.take("set") {
        let word = cursor.peek().unwrap_or(object);
        let help = "`bridge link set` is; `ip -d link show master BRIDGE` shows ports";
        cursor.refuse_with(word, "only ports are set here".to_owned(), help);
        return None;
    }
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

fn need_device(
    cursor: &mut Cursor<'_>,
    word: &crate::lex::Word,
    device: Option<String>,
) -> Option<String> {
    if device.is_none() {
        cursor.refuse(word, "`dev` is missing".to_owned());
    }
    device
}

#[derive(Clone, Copy)]
enum Verb {
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
        cursor.refuse(word, format!("`bridge vlan {name}` is not offered here"));
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
            "self" => itself = true,
            "master" => {}
            _ => {
                let known = ["dev", "vid", "pvid", "untagged", "self", "master"];
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

const FDB_VERBS: &[Keyword<Verb>] = &[
    short("add", Verb::Put(Write::Add)),
    short("append", Verb::Put(Write::Append)),
    short("replace", Verb::Put(Write::Replace)),
    short("delete", Verb::Remove),
    short("get", Verb::Refused),
    short("show", Verb::Show),
    short("lst", Verb::Show),
    short("list", Verb::Show),
    short("flush", Verb::Refused),
];

#[derive(Clone, Copy)]
enum FdbOption {
    Device,
    Vlan,
    Destination,
    Itself,
    Master,
    Static,
    Permanent,
    Refused,
}

const FDB_OPTIONS: &[Keyword<FdbOption>] = &[
    exact("dev", FdbOption::Device),
    exact("dst", FdbOption::Destination),
    exact("self", FdbOption::Itself),
    short("master", FdbOption::Master),
    short("vlan", FdbOption::Vlan),
    exact("local", FdbOption::Permanent),
    exact("permanent", FdbOption::Permanent),
    exact("static", FdbOption::Static),
    exact("temp", FdbOption::Static),
    exact("dynamic", FdbOption::Refused),
    short("router", FdbOption::Refused),
    exact("use", FdbOption::Refused),
    exact("extern_learn", FdbOption::Refused),
    exact("sticky", FdbOption::Refused),
    exact("port", FdbOption::Refused),
    exact("vni", FdbOption::Refused),
    exact("src_vni", FdbOption::Refused),
    exact("via", FdbOption::Refused),
    exact("nhid", FdbOption::Refused),
];

fn fdb(cursor: &mut Cursor<'_>, object: &crate::lex::Word) -> Option<BridgeCommand> {
    let word = cursor.next().unwrap_or(object);
    let Some((name, verb)) = find(FDB_VERBS, &word.text) else {
        cursor.unknown(word, "`bridge fdb`", names(FDB_VERBS));
        return None;
    };
    if matches!(verb, Verb::Refused) {
        cursor.refuse(word, format!("`bridge fdb {name}` is not offered here"));
        return None;
    }
    let (mut station, mut device) = (None, None);
    let mut entry = Entry {
        mac: MacAddress::default(),
        vlan: None,
        aged: false,
        master: false,
        destination: None,
    };
    while let Some(word) = cursor.next() {
        let Some((name, option)) = find(FDB_OPTIONS, &word.text) else {
            if station.is_some() || !word.text.contains(':') {
                cursor.unknown(word, "`bridge fdb`", names(FDB_OPTIONS));
                return None;
            }
            station = Some(mac_word(cursor, word)?);
            continue;
        };
        let named = Named { word, name };
        match option {
            FdbOption::Device => device = Some(link(cursor, named)?),
            FdbOption::Vlan => entry.vlan = Some(number_within(cursor, named, 1..=4094)?),
            FdbOption::Destination => {
                entry.destination = Some(address(cursor, named, &mut Families { chosen: None })?);
            }
            FdbOption::Itself => entry.master = false,
            FdbOption::Master => entry.master = true,
            FdbOption::Static => entry.aged = true,
            FdbOption::Permanent => entry.aged = false,
            FdbOption::Refused => {
                cursor.refuse(word, format!("`{name}` of `bridge fdb` is not offered here"));
                return None;
            }
        }
    }
    let link = need_device(cursor, word, device)?;
    if matches!(verb, Verb::Show) {
        return Some(BridgeCommand::ShowEntries { link });
    }
    let Some(mac) = station else {
        cursor.refuse(word, format!("`{name}` needs a station's address"));
        return None;
    };
    let entry = Entry { mac, ..entry };
    Some(match verb {
        Verb::Put(how) => BridgeCommand::PutEntry { link, entry, how },
        Verb::Remove | Verb::Show | Verb::Refused => BridgeCommand::RemoveEntry { link, entry },
    })
}
