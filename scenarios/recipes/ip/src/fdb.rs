//! `bridge fdb` (bridge/fdb.c): the stations that bridges and vxlans know.

use netwright_sdk::wit::fdb::Entry;
use netwright_sdk::wit::types::{MacAddress, Write};

use crate::bridge::{BridgeCommand, Verb, need_device};
use crate::cursor::{Cursor, Named};
use crate::inet::{Families, address};
use crate::keyword::{Keyword, exact, find, names, short};
use crate::value::{link, mac_word, number_within};

/// Of which links the entries are shown: all that are said, of every link where nothing is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntryFilter {
    pub link: Option<String>,
    /// of this bridge and its ports
    pub bridge: Option<String>,
    pub vlan: Option<u16>,
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
    To,
    Refused(&'static str),
}

const AGES: &str = "`static` entries are, which stay; what a bridge hears ages by itself";
const REMOTE: &str = "`dst ADDRESS` alone: what else it is sent by is the vxlan's own";
const OTHERS: &str = "leave it out: programs that learn stations mark theirs so";

const FDB_OPTIONS: &[Keyword<FdbOption>] = &[
    exact("dev", FdbOption::Device),
    exact("to", FdbOption::To),
    exact("dst", FdbOption::Destination),
    exact("self", FdbOption::Itself),
    short("master", FdbOption::Master),
    short("vlan", FdbOption::Vlan),
    exact("local", FdbOption::Permanent),
    exact("permanent", FdbOption::Permanent),
    exact("static", FdbOption::Static),
    exact("temp", FdbOption::Static),
    exact("dynamic", FdbOption::Refused(AGES)),
    short("router", FdbOption::Refused(OTHERS)),
    exact("use", FdbOption::Refused(AGES)),
    exact("extern_learn", FdbOption::Refused(OTHERS)),
    exact("sticky", FdbOption::Refused(AGES)),
    exact("port", FdbOption::Refused(REMOTE)),
    exact("vni", FdbOption::Refused(REMOTE)),
    exact("src_vni", FdbOption::Refused(REMOTE)),
    exact("via", FdbOption::Refused(REMOTE)),
    exact("nhid", FdbOption::Refused(REMOTE)),
];

pub(crate) fn fdb(cursor: &mut Cursor<'_>) -> Option<BridgeCommand> {
    let Some(word) = cursor.next() else {
        return Some(BridgeCommand::ShowEntries(EntryFilter::default()));
    };
    let Some((name, verb)) = find(FDB_VERBS, &word.text) else {
        cursor.unknown(word, "`bridge fdb`", names(FDB_VERBS));
        return None;
    };
    if matches!(verb, Verb::Refused) {
        let message = format!("`bridge fdb {name}` is not offered here");
        cursor.refuse_with(word, message, "`add`, `append`, `replace`, `delete` and `show` are");
        return None;
    }
    if matches!(verb, Verb::Show) {
        return show(cursor);
    }
    let (device, station, entry) = read(cursor)?;
    let link = need_device(cursor, word, device)?;
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

/// The device, the station and what else is said of an entry.
fn read(cursor: &mut Cursor<'_>) -> Option<(Option<String>, Option<MacAddress>, Entry)> {
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
            FdbOption::To => {
                let word = cursor.value(named)?;
                station = Some(mac_word(cursor, word)?);
            }
            FdbOption::Refused(why) => {
                let message = format!("`{name}` of `bridge fdb` is not offered here");
                cursor.refuse_with(word, message, why);
                return None;
            }
        }
    }
    Some((device, station, entry))
}

fn show(cursor: &mut Cursor<'_>) -> Option<BridgeCommand> {
    let mut filter = EntryFilter::default();
    while let Some(word) = cursor.next() {
        match word.text.as_str() {
            "dev" => filter.link = Some(link(cursor, Named { word, name: "dev" })?),
            "brport" => filter.link = Some(link(cursor, Named { word, name: "brport" })?),
            "br" => filter.bridge = Some(link(cursor, Named { word, name: "br" })?),
            "vlan" => {
                filter.vlan = Some(number_within(cursor, Named { word, name: "vlan" }, 1..=4094)?);
            }
            "state" | "dynamic" => {
                let message = format!("entries can't be chosen by `{}` here", word.text);
                cursor.refuse_with(word, message, "`dev`, `brport`, `br` and `vlan` choose");
                return None;
            }
            _ => {
                let known = ["dev", "br", "brport", "vlan"];
                cursor.unknown(word, "`bridge fdb show`", known.into_iter());
                return None;
            }
        }
    }
    Some(BridgeCommand::ShowEntries(filter))
}
