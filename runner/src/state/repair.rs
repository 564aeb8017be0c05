//! The changes that make one state of another, where links need not be made anew.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::facts::{Facts, Object};
use super::{Difference, NamespaceState, State};
use crate::change::{
    Attribute, Change, LinkInfo, LinkRef, MacvlanChange, MacvlanMode, Name, NamespaceRef, Options,
    Rule, Setting, Write,
};

/// Every namespace has its own, which can't be deleted.
const LOOPBACK: &str = "lo";

/// All changes, in an order that their needs allow; or the difference that no change can mend,
/// for a link or namespace has to be made.
pub fn repair<'a>(
    differences: &'a [Difference],
    is: &State,
    wanted: &State,
) -> Result<Vec<Change>, &'a Difference> {
    let mut stages: BTreeMap<Stage, Vec<Change>> = BTreeMap::new();
    for difference in differences {
        let (stage, changes) = Repair { is, wanted }.of(difference).ok_or(difference)?;
        stages.entry(stage).or_default().extend(changes);
    }
    if let Some(deletions) = stages.get_mut(&Stage::OldLinks) {
        *deletions = in_order(std::mem::take(deletions), is);
    }
    Ok(stages.into_values().flatten().collect())
}

/// What depends on what: routes on addresses, addresses on links that are up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// in the place of which another one comes, which the kernel may take for the same (fib_rules.c,
    /// rule_exists: neither `not` nor where `goto` leads to counts)
    ReplacedRules,
    Rules,
    OldRules,
    OldRoutes,
    OldAddresses,
    OldLinks,
    Links,
    Addresses,
    Routes,
    Neighbours,
}

/// Links before those that they stand on, for these take them along; of a veth one end alone.
fn in_order(deletions: Vec<Change>, is: &State) -> Vec<Change> {
    let mut going: Vec<(usize, LinkRef)> = Vec::new();
    for link in deletions.iter().filter_map(Change::link) {
        let peer = is.link(link).and_then(|info| info.peer.as_ref());
        let other = peer.map(|peer| peer.reference(&link.namespace));
        if !going.iter().any(|(_, gone)| Some(gone) == other.as_ref()) {
            going.push((is.height(link), link.clone()));
        }
    }
    going.sort_by_key(|(height, _)| Reverse(*height));
    going.into_iter().map(|(_, link)| Change::DeleteLink { link }).collect()
}

struct Repair<'a> {
    is: &'a State,
    wanted: &'a State,
}

impl Repair<'_> {
    fn of(&self, difference: &Difference) -> Option<(Stage, Vec<Change>)> {
        let missing = difference.is.is_none();
        let extra = difference.wanted.is_none();
        match &difference.object {
            Object::Namespace { .. } => None,
            Object::Link { namespace, name } => {
                let link = link(namespace, name);
                if name == LOOPBACK && (extra || missing) {
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
                let now = find(self.wanted, namespace)?.links.iter().find(|l| l.name == *name)?;
                let settings = settings(difference, now)?;
                Some((Stage::Links, vec![Change::ChangeLink { link, settings }]))
            }
            Object::Address { namespace, .. } => {
                let (stage, state) = if extra {
                    (Stage::OldAddresses, self.is)
                } else {
                    (Stage::Addresses, self.wanted)
                };
                let there = find(state, namespace)?;
                let found = |info: &&_| there.address_object(info) == difference.object;
                let info = there.addresses.iter().find(found)?;
                let link = link(namespace, &info.link);
                let address = info.address.clone();
                let (prefix, peer) = (address.prefix, address.peer);
                let remove = |link, peer| Change::RemoveAddress { link, prefix, peer };
                let put = |link, how| Change::PutAddress { link, address, how };
                let changes = if extra {
                    vec![remove(link, peer)]
                } else if missing || only_metric(difference) {
                    vec![put(link, Write::Replace)]
                } else {
                    // Of one that is there the kernel alters the metric and how long it lasts,
                    // and nothing else (net/ipv4/devinet.c, inet_rtm_newaddr).
                    let old = find(self.is, namespace)?;
                    let same = |info: &&_| old.address_object(info) == difference.object;
                    let peer = old.addresses.iter().find(same)?.address.peer;
                    vec![remove(link.clone(), peer), put(link, Write::Add)]
                };
                Some((stage, changes))
            }
            Object::Route { namespace, .. } => {
                let state = if extra { self.is } else { self.wanted };
                let there = find(state, namespace)?;
                let found = |route: &&_| there.route_object(route) == difference.object;
                let route = there.routes.iter().find(found)?.clone();
                let namespace = reference(namespace);
                Some(if extra {
                    (Stage::OldRoutes, vec![Change::RemoveRoute { namespace, route }])
                } else {
                    let how = Write::Add;
                    (Stage::Routes, vec![Change::PutRoute { namespace, route, how }])
                })
            }
            Object::Rule { namespace: place, .. } => {
                let state = if extra { self.is } else { self.wanted };
                let there = find(state, place)?;
                let found = |rule: &&_| there.rule_object(rule) == difference.object;
                let rule = there.rules.iter().find(found)?.clone();
                let namespace = reference(place);
                if !extra {
                    return Some((Stage::Rules, vec![Change::AddRule { namespace, rule }]));
                }
                let wanted = |other: &Rule| other.priority == rule.priority;
                let mut wanted_ones = find(self.wanted, place).into_iter().flat_map(|s| &s.rules);
                let replaced = wanted_ones.any(wanted);
                let stage = if replaced { Stage::ReplacedRules } else { Stage::OldRules };
                Some((stage, vec![Change::RemoveRule { namespace, rule }]))
            }
            Object::Neighbour { namespace, .. } => {
                let state = if extra { self.is } else { self.wanted };
                let there = find(state, namespace)?;
                let (on, neighbour) = there
                    .neighbours
                    .iter()
                    .find(|(on, each)| there.neighbour_object(on, each) == difference.object)?;
                let link = link(namespace, on);
                let (address, proxy) = (neighbour.address, neighbour.proxy);
                let change = if extra {
                    Change::RemoveNeighbour { link, address, proxy }
                } else {
                    let (neighbour, how) = (neighbour.clone(), Write::Replace);
                    Change::PutNeighbour { link, neighbour, how }
                };
                Some((Stage::Neighbours, vec![change]))
            }
        }
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

fn only_metric(difference: &Difference) -> bool {
    difference.facts().iter().all(|(name, _, _)| *name == "metric")
}

fn mode(word: &str) -> Option<MacvlanMode> {
    use MacvlanMode::{Bridge, Passthru, Private, Source, Vepa};
    [Private, Vepa, Bridge, Passthru, Source].into_iter().find(|mode| mode.word() == word)
}

fn find<'a>(state: &'a State, namespace: &str) -> Option<&'a NamespaceState> {
    state.namespaces.iter().find(|each| super::facts::place(each.name.as_ref()) == namespace)
}

fn reference(namespace: &str) -> NamespaceRef {
    // The root has the empty name, which is none.
    NamespaceRef::named(Name::of_namespace(namespace).ok())
}

fn link(namespace: &str, name: &str) -> LinkRef {
    LinkRef { namespace: reference(namespace), name: name.to_owned(), index: None }
}
