//! Links.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Facts, Found, Noun, Object, Reader, holder_of, inside, link_reference, place};
use crate::change::{
    Answer, Attribute, Change, Kind, LinkInfo, LinkName, LinkRef, MacAddress, MacvlanChange,
    MacvlanMode, Name, NamespaceRef, Options, Query, Setting, Spec, Word,
};
use crate::kernel::Error;
use crate::kernel::mark::Mark;
use crate::state::repair::{Mend, Mending, Stage};
use crate::state::{Asked, Difference, Mentions, NamespaceState, State};

/// Every namespace has its own, which can't be deleted.
const LOOPBACK: &str = "lo";

/// Options of bridges, bonds and their ports that run, count, follow from addresses, or that the
/// kernel alters by itself: which port of a bond is in use is the bond's state.
const PASSING: [&str; 4] = ["timer", "designated", "topology_change", "root_"];
const PASSING_WHOLE: [&str; 5] =
    ["bridge_id", "bridge_slave state", "bridge_slave no", "config_pending", "active_slave"];

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Link {
    pub namespace: String,
    pub name: String,
}

pub(in crate::state) fn created(mentions: &mut Mentions, namespace: &NamespaceRef, spec: &Spec) {
    mentions.links.insert(spec.name.to_string());
    note(mentions, namespace, spec.name.as_str(), &spec.settings);
    if let Kind::Veth(veth) = &spec.kind {
        let there = match &veth.peer.namespace {
            Some(name) => NamespaceRef::named(name.clone()),
            None => namespace.clone(),
        };
        mentions.links.insert(veth.peer.name.clone());
        note(mentions, &there, &veth.peer.name, &veth.peer_settings);
    }
}

pub(in crate::state) fn altered(mentions: &mut Mentions, link: &LinkRef, settings: &[Setting]) {
    note(mentions, &link.namespace, &link.name, settings);
}

/// Its settings below /proc/sys are those of a new link where it arrives.
pub(in crate::state) fn moved(mentions: &mut Mentions, link: &LinkRef, to: &NamespaceRef) {
    let from = (place(link.namespace.name.as_ref()), link.name.clone());
    if mentions.macs.remove(&from) {
        mentions.macs.insert((place(to.name.as_ref()), link.name.clone()));
    }
}

pub(in crate::state) fn deleted(mentions: &mut Mentions, link: &LinkRef) {
    mentions.links.insert(link.name.clone());
}

fn note(mentions: &mut Mentions, namespace: &NamespaceRef, name: &str, settings: &[Setting]) {
    let place = place(namespace.name.as_ref());
    let mut known = (place.clone(), name.to_owned());
    if settings.iter().any(|setting| matches!(setting, Setting::Mac(_))) {
        mentions.macs.insert(known.clone());
    }
    for new in settings.iter().filter_map(Setting::name) {
        mentions.links.insert(new.to_owned());
        mentions.settings.follow(&place, &known.1, new);
        let had = mentions.macs.remove(&known);
        known = (place.clone(), new.to_owned());
        if had {
            mentions.macs.insert(known.clone());
        }
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "link {}", Word(&self.name))?;
        inside(f, &self.namespace)
    }
}

impl Noun for Link {
    fn read(from: &Reader<'_>, into: &mut NamespaceState) -> Result<(), Error> {
        if let Answer::Links(links) =
            from.ask(Query::Links { namespace: from.namespace.clone() })?
        {
            into.links = links;
        }
        Ok(())
    }

    fn find(of: &NamespaceState, asked: &Asked, _: &State, found: &mut Found) {
        let namespace = place(of.name.as_ref());
        for link in of.links.iter().filter(|link| link.kind != "loopback" || link.up) {
            let known = (namespace.clone(), link.name.clone());
            // One that the deployment alone asked for is any other one by now.
            let facts = facts(link, of.name.as_ref(), asked.scenario.macs.contains(&known));
            let (namespace, name) = known;
            found.insert(Object::Link(Self { namespace, name }), facts);
        }
    }

    fn holders(&self) -> Vec<Object> {
        vec![holder_of(&self.namespace)]
    }

    fn untold(&self) -> Option<Facts> {
        None
    }

    fn mend(&self, mending: &Mending<'_>) -> Option<Mend> {
        let link = link_reference(&self.namespace, &self.name);
        let (extra, missing) = (mending.is_extra(), mending.is_missing());
        if self.name == LOOPBACK && (extra || missing) {
            // It is always there; what differs is whether it is up.
            let settings = vec![Setting::Up(missing)];
            return Some((Stage::Links, vec![Change::ChangeLink { link, settings }]));
        }
        if extra {
            return Some((Stage::OldLinks, vec![Change::DeleteLink { link }]));
        }
        if missing {
            return None;
        }
        let now = mending.wanted.link(&link)?;
        let settings = settings(mending.difference, now)?;
        Some((Stage::Links, vec![Change::ChangeLink { link, settings }]))
    }

    fn is_touched(&self, asked: &Asked, _: &State) -> bool {
        asked.names(|mentions| mentions.links.contains(&self.name))
    }

    fn is_theirs(&self) -> bool {
        false
    }
}

fn facts(link: &LinkInfo, namespace: Option<&Name>, mac_is_asked: bool) -> Facts {
    let mut facts = Facts::new();
    let mut add = |name: &str, value: String| facts.insert(name.to_owned(), value);
    add("kind", link.kind.clone());
    add("state", if link.up { "up" } else { "down" }.to_owned());
    add("mtu", link.mtu.to_string());
    add("txqueuelen", link.transmit_queue_length.to_string());
    if mac_is_asked {
        add("address", link.mac.as_ref().map(MacAddress::to_string).unwrap_or_default());
    }
    // A run has a mark of its own.
    if link.group != 0 && !Mark::is_of_any_run(link.group) {
        add("group", link.group.to_string());
    }
    for (name, other) in [("parent", &link.parent), ("peer", &link.peer)] {
        if let Some(other) = other {
            add(name, full_name(other, namespace));
        }
    }
    for (name, value) in [("master", &link.master), ("alias", &link.alias)] {
        if let Some(value) = value {
            add(name, value.clone());
        }
    }
    for (flag, word) in [("PROMISC", "promisc"), ("ALLMULTI", "allmulticast"), ("NOARP", "noarp")] {
        if link.flags.iter().any(|each| each == flag) {
            add(word, "on".to_owned());
        }
    }
    for option in link.data.iter().filter(|option| lasts(&option.name)) {
        add(&option.name, option.value.clone());
    }
    facts
}

fn lasts(option: &str) -> bool {
    !PASSING.iter().any(|part| option.contains(part)) && !PASSING_WHOLE.contains(&option)
}

/// `LINK`, or `NAMESPACE/LINK` where it is in another namespace.
fn full_name(link: &LinkName, from: Option<&Name>) -> String {
    match &link.namespace {
        Some(other) if other.as_ref() != from => {
            format!("{}/{}", place(other.as_ref()), link.name)
        }
        Some(_) | None => link.name.clone(),
    }
}

/// What of a link is another and can be set; none where one of its facts can't be.
fn settings(difference: &Difference, wanted: &LinkInfo) -> Option<Vec<Setting>> {
    let mut settings = Vec::new();
    let mut options = Facts::new();
    let mut port = Facts::new();
    for (name, is, value) in difference.facts() {
        match name {
            "kind" | "parent" | "peer" => return None,
            "mtu" => settings.push(Setting::Mtu(wanted.mtu)),
            "txqueuelen" => {
                settings.push(Setting::TransmitQueueLength(wanted.transmit_queue_length));
            }
            "address" => settings.push(Setting::Mac(wanted.mac?)),
            "group" => settings.push(Setting::Group(wanted.group)),
            "alias" => settings.push(Setting::Alias(wanted.alias.clone().unwrap_or_default())),
            "master" => settings.push(Setting::Master(wanted.master.clone())),
            "promisc" => settings.push(Setting::Promiscuous(value.is_some())),
            "allmulticast" => settings.push(Setting::AllMulticast(value.is_some())),
            "noarp" => settings.push(Setting::Arp(value.is_none())),
            "mode" if matches!(wanted.kind.as_str(), "macvlan" | "macvtap") => {
                let (from, to) = (mode(is?)?, mode(value?)?);
                // drivers/net/macvlan.c, macvlan_changelink: never into passthru nor out of it.
                if from == MacvlanMode::Passthru || to == MacvlanMode::Passthru {
                    return None;
                }
                settings.push(Setting::Macvlan(MacvlanChange::Mode(to)));
            }
            // After everything else, for a link that is up takes less.
            "state" => {}
            _ => match (name.split_once("_slave "), value) {
                (Some((_, option)), Some(value)) => {
                    port.insert(option.to_owned(), value.to_owned());
                }
                // It goes with the master that it belongs to.
                (Some(_), None) => {}
                (None, Some(value)) if wanted.kind == "bridge" => {
                    options.insert(name.to_owned(), value.to_owned());
                }
                (None, _) => return None,
            },
        }
    }
    let master = wanted.extra.iter().find(|each| each.name == "slave_kind");
    let slave_kind = master.map(|kind| format!("{}_slave", kind.value)).unwrap_or_default();
    for (kind, options) in [(wanted.kind.clone(), options), (slave_kind, port)] {
        if !options.is_empty() {
            let named = |(name, value)| Attribute { name, value };
            let options = options.into_iter().map(named).collect();
            settings.push(Setting::Options(Options { kind, options }));
        }
    }
    if difference.facts().iter().any(|(name, _, _)| *name == "state") {
        settings.push(Setting::Up(wanted.up));
    }
    Some(settings)
}

fn mode(word: &str) -> Option<MacvlanMode> {
    use MacvlanMode::{Bridge, Passthru, Private, Source, Vepa};
    [Private, Vepa, Bridge, Passthru, Source].into_iter().find(|mode| mode.word() == word)
}
