//! macvlan and macvtap: IFLA_MACVLAN_, drivers/net/macvlan.c.

use crate::change::{Attribute, MacAddress, Macvlan, MacvlanChange, MacvlanMode};
use crate::kernel::netlink::attributes::{self, Nest, u16_of, u32_of};

const MODE: u16 = 1;
const FLAGS: u16 = 2;
const ADDRESS_MODE: u16 = 3;
const ADDRESS: u16 = 4;
const ADDRESS_DATA: u16 = 5;
const ADDRESS_COUNT: u16 = 6;
const QUEUE_LENGTH: u16 = 7;
const QUEUE_LENGTH_USED: u16 = 8;

const FLAG_NOPROMISC: u16 = 1;
const FLAG_NODST: u16 = 2;

/// MACVLAN_MACADDR_, what to do with the list of sources
const ADD: u32 = 0;
const REMOVE: u32 = 1;
const FLUSH: u32 = 2;
const SET: u32 = 3;

/// Of kind and flags as the kernel has them now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) mode: Option<MacvlanMode>,
    pub(crate) nopromisc: bool,
    pub(crate) nodst: bool,
    pub(crate) sources: Vec<MacAddress>,
    pub(crate) queue_length: Option<u32>,
}

fn mode_code(mode: MacvlanMode) -> u32 {
    match mode {
        MacvlanMode::Private => 1,
        MacvlanMode::Vepa => 2,
        MacvlanMode::Bridge => 4,
        MacvlanMode::Passthru => 8,
        MacvlanMode::Source => 16,
    }
}

fn mode_of(code: u32) -> Option<MacvlanMode> {
    use MacvlanMode::{Bridge, Passthru, Private, Source, Vepa};
    [Private, Vepa, Bridge, Passthru, Source].into_iter().find(|mode| mode_code(*mode) == code)
}

fn flags(nopromisc: bool, nodst: bool) -> u16 {
    (u16::from(nopromisc) * FLAG_NOPROMISC) | (u16::from(nodst) * FLAG_NODST)
}

fn sources(nest: &mut Nest, all: &[MacAddress]) {
    let mut list = Nest::new();
    for mac in all {
        list.put(ADDRESS, mac.0);
    }
    nest.put_u32(ADDRESS_MODE, SET);
    nest.put_nest(ADDRESS_DATA, &list);
}

/// IFLA_INFO_DATA of a new one.
pub(crate) fn encode(macvlan: &Macvlan) -> Nest {
    let mut nest = Nest::new();
    if let Some(mode) = macvlan.mode {
        nest.put_u32(MODE, mode_code(mode));
    }
    if macvlan.nopromisc || macvlan.nodst {
        nest.put(FLAGS, flags(macvlan.nopromisc, macvlan.nodst).to_ne_bytes());
    }
    if !macvlan.sources.is_empty() {
        sources(&mut nest, &macvlan.sources);
    }
    if let Some(length) = macvlan.broadcast_queue_length {
        nest.put_u32(QUEUE_LENGTH, length);
    }
    nest
}

/// IFLA_INFO_DATA of a change; the flags go together, so that it needs the present state.
pub(crate) fn encode_change(change: &MacvlanChange, now: &State) -> Nest {
    let mut nest = Nest::new();
    match change {
        MacvlanChange::Mode(mode) => nest.put_u32(MODE, mode_code(*mode)),
        MacvlanChange::Nopromisc(on) => nest.put(FLAGS, flags(*on, now.nodst).to_ne_bytes()),
        MacvlanChange::Nodst(on) => nest.put(FLAGS, flags(now.nopromisc, *on).to_ne_bytes()),
        MacvlanChange::BroadcastQueueLength(length) => nest.put_u32(QUEUE_LENGTH, *length),
        MacvlanChange::AddSource(mac) => {
            nest.put_u32(ADDRESS_MODE, ADD);
            nest.put(ADDRESS, mac.0);
        }
        MacvlanChange::RemoveSource(mac) => {
            nest.put_u32(ADDRESS_MODE, REMOVE);
            nest.put(ADDRESS, mac.0);
        }
        MacvlanChange::SetSources(all) if !all.is_empty() => sources(&mut nest, all),
        MacvlanChange::SetSources(_) | MacvlanChange::FlushSources => {
            nest.put_u32(ADDRESS_MODE, FLUSH);
        }
    }
    nest
}

/// What takes a change back.
pub(crate) fn inverse(change: &MacvlanChange, before: &State) -> Option<MacvlanChange> {
    match change {
        MacvlanChange::Mode(_) => before.mode.map(MacvlanChange::Mode),
        MacvlanChange::Nopromisc(_) => Some(MacvlanChange::Nopromisc(before.nopromisc)),
        MacvlanChange::Nodst(_) => Some(MacvlanChange::Nodst(before.nodst)),
        MacvlanChange::BroadcastQueueLength(_) => {
            before.queue_length.map(MacvlanChange::BroadcastQueueLength)
        }
        MacvlanChange::AddSource(mac) if before.sources.contains(mac) => None,
        MacvlanChange::AddSource(mac) => Some(MacvlanChange::RemoveSource(*mac)),
        MacvlanChange::RemoveSource(mac) if before.sources.contains(mac) => {
            Some(MacvlanChange::AddSource(*mac))
        }
        MacvlanChange::RemoveSource(_) => None,
        MacvlanChange::SetSources(_) | MacvlanChange::FlushSources => {
            Some(MacvlanChange::SetSources(before.sources.clone()))
        }
    }
}

/// What is to be put back after the change itself is taken back: a macvlan that leaves mode source
/// forgets its stations.
pub(crate) fn forgotten(change: &MacvlanChange, before: &State) -> Option<MacvlanChange> {
    let leaves = matches!(change, MacvlanChange::Mode(mode) if *mode != MacvlanMode::Source);
    let had = before.mode == Some(MacvlanMode::Source) && !before.sources.is_empty();
    (leaves && had).then(|| MacvlanChange::SetSources(before.sources.clone()))
}

pub(crate) fn state(data: &[u8]) -> State {
    let flags = attributes::find(data, FLAGS).and_then(u16_of).unwrap_or(0);
    let list = attributes::find(data, ADDRESS_DATA).unwrap_or_default();
    State {
        mode: attributes::find(data, MODE).and_then(u32_of).and_then(mode_of),
        nopromisc: flags & FLAG_NOPROMISC != 0,
        nodst: flags & FLAG_NODST != 0,
        sources: attributes::read(list)
            .filter_map(|(_, mac)| mac.try_into().ok().map(MacAddress))
            .collect(),
        queue_length: attributes::find(data, QUEUE_LENGTH).and_then(u32_of),
    }
}

/// In ip(8)'s words: `mode`, `flags`, `bcqueuelen`, `usedbcqueuelen`, `macaddr_count`, `macaddr`.
pub(crate) fn read(data: &[u8]) -> Vec<Attribute> {
    let state = state(data);
    let mut found = Vec::new();
    let mut put = |name: &str, value: String| {
        found.push(Attribute { name: name.to_owned(), value });
    };
    if let Some(mode) = state.mode {
        put("mode", mode.word().to_owned());
    }
    let flags: Vec<_> = [(state.nopromisc, "nopromisc"), (state.nodst, "nodst")]
        .into_iter()
        .filter_map(|(on, word)| on.then_some(word))
        .collect();
    if !flags.is_empty() {
        put("flags", flags.join(" "));
    }
    if let Some(length) = state.queue_length {
        put("bcqueuelen", length.to_string());
    }
    if let Some(used) = attributes::find(data, QUEUE_LENGTH_USED).and_then(u32_of) {
        put("usedbcqueuelen", used.to_string());
    }
    if let Some(count) = attributes::find(data, ADDRESS_COUNT).and_then(u32_of)
        && count > 0
    {
        put("macaddr_count", count.to_string());
        let all: Vec<_> = state.sources.iter().map(ToString::to_string).collect();
        put("macaddr", all.join(" "));
    }
    found
}
