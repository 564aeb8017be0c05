//! What keeps the network from being as a change asks for: asked before a change that is only to
//! be ensured, and after one that was made on the host.

use netwright_network::setting::same_value;

use super::address;
use super::entry::same_entry;
use super::neighbour;
use super::put::is_put_rule;
use super::qdisc;
use super::route::same_place;
use super::settings::renamed;
use super::{Netlink, port_vlan};
use crate::change::{
    Address, AddressFlags, Change, Entry, LinkRef, NamespaceRef, Neighbour, NeighbourState,
    NextHop, Prefix, Qdisc, Route, RouteKind, Rule, Write,
};
use crate::kernel::{Error, Lacking};

type Answer = Result<Lacking, Error>;

impl Netlink {
    pub(super) fn lacking_of(&self, change: &Change) -> Answer {
        match change {
            Change::CreateNamespace { name } => {
                let named = NamespaceRef::named(Some(name.clone()));
                Ok(Lacking::unless(self.spaces.find(&named).is_ok()))
            }
            Change::DeleteNamespace { namespace } => {
                Ok(Lacking::unless(self.spaces.find(namespace).is_err()))
            }
            Change::CreateLink { namespace, spec } => self.link_lacking(change, namespace, spec),
            Change::ChangeLink { link, settings } => {
                self.settings_lacking(&renamed(link, settings), settings)
            }
            Change::MoveLink { link, to } => {
                let there = self.spaces.find(to)?.link(&link.name);
                Ok(Lacking::unless(matches!(there, Ok(Some(_)))))
            }
            Change::DeleteLink { link } => Ok(Lacking::unless(self.resolve(link).is_err())),
            Change::PutAddress { link, address, .. } => self.address_lacking(link, address),
            Change::RemoveAddress { link, prefix, peer } => {
                let found = self.resolve(link).ok();
                let there =
                    found.and_then(|(space, raw)| address::held(&space, raw.index, *prefix, *peer));
                Ok(Lacking::unless(there.is_none()))
            }
            Change::PutRoute { namespace, route, .. } => self.route_lacking(namespace, route),
            Change::RemoveRoute { namespace, route } => {
                let all = self.routes(&*self.spaces.find(namespace)?, route.family)?;
                Ok(Lacking::unless(!all.iter().any(|now| is_as_asked(now, route))))
            }
            Change::AddRule { namespace, rule } => self.rule_lacking(namespace, rule),
            Change::RemoveRule { namespace, rule } => {
                Ok(Lacking::unless(!self.has_rule(namespace, rule)?))
            }
            Change::PutNeighbour { link, neighbour, .. } => self.neighbour_lacking(link, neighbour),
            Change::RemoveNeighbour { link, address, proxy, put: _ } => {
                let found = self.resolve(link).ok();
                let there = found
                    .and_then(|(space, raw)| neighbour::held(&space, raw.index, *address, *proxy));
                Ok(Lacking::unless(there.is_none()))
            }
            Change::PutEntry { link, entry, .. } => self.entry_lacking(link, entry),
            Change::RemoveEntry { link, entry } => {
                let all = self.entries(link)?;
                Ok(Lacking::unless(!all.iter().any(|now| same_entry(now, entry))))
            }
            Change::SetSysctl { namespace, key, value } => {
                // A key that can't be read is left to the change, which says why.
                let now = self.sysctl(namespace, key).ok();
                Ok(Lacking::unless(now.is_some_and(|now| same_value(&now, value))))
            }
            Change::RestoreSysctls { namespace, settings } => {
                Ok(Lacking::unless(self.not_restored(namespace, settings)?.is_empty()))
            }
            Change::OrderAddresses { link, addresses } => {
                Ok(Lacking::unless(self.sequence_differs(link, addresses)?.is_none()))
            }
            Change::PutQdisc { link, qdisc, .. } => self.qdisc_lacking(link, qdisc),
            Change::RemoveQdisc { link } => {
                let there = self.qdisc(link)?.filter(|now| now.handle.is_some());
                Ok(Lacking::unless(there.is_none()))
            }
            Change::SetVlans { link, vlans } => {
                let now = self.vlans(link).ok();
                Ok(Lacking::unless(now.is_some_and(|now| port_vlan::same(&now, vlans))))
            }
            Change::PutVlan { link, vlan } => {
                let now = self.vlans(link)?;
                Ok(Lacking::unless(port_vlan::holds(&now, *vlan)))
            }
            Change::RemoveVlan { link, first, last } => {
                let now = self.vlans(link)?;
                let apart =
                    |vlan: &crate::change::PortVlan| vlan.last < *first || vlan.first > *last;
                Ok(Lacking::unless(now.iter().all(apart)))
            }
            // Nobody but the kernel reads it.
            Change::SetNamespaceId { .. } => Ok(Lacking::Nothing),
        }
    }

    fn address_lacking(&self, link: &LinkRef, wanted: &Address) -> Answer {
        let Ok((space, raw)) = self.resolve(link) else { return Ok(Lacking::Everything) };
        let Some(now) = address::held(&space, raw.index, wanted.prefix, wanted.peer) else {
            return Ok(match address::in_the_way(&space, raw.index, wanted) {
                None => Lacking::Everything,
                Some(now) => {
                    let words = vec![format!("there is address `{now}`, not `{wanted}`")];
                    let (prefix, peer) = (now.prefix, now.peer);
                    let removal = Change::RemoveAddress { link: link.clone(), prefix, peer };
                    let (link, address) = (link.clone(), wanted.clone());
                    let put = Change::PutAddress { link, address, how: Write::Add };
                    Lacking::Mendable { mends: vec![removal, put], words }
                }
            });
        };
        let (fixed, free) = address_words(&now, wanted);
        if fixed.is_empty() && free.is_empty() {
            return Ok(Lacking::Nothing);
        }
        let put = |how| Change::PutAddress { link: link.clone(), address: wanted.clone(), how };
        let (prefix, peer) = (now.prefix, now.peer);
        let mends = if fixed.is_empty() {
            vec![put(Write::Replace)]
        } else {
            // The kernel alters lifetimes, flags and metric only (inet_insert_ifa in
            // net/ipv4/devinet.c, inet6_addr_modify in net/ipv6/addrconf.c).
            vec![Change::RemoveAddress { link: link.clone(), prefix, peer }, put(Write::Add)]
        };
        Ok(Lacking::Mendable { mends, words: [fixed, free].concat() })
    }

    fn route_lacking(&self, namespace: &NamespaceRef, wanted: &Route) -> Answer {
        // It may be made by what comes before.
        let Ok(space) = self.spaces.find(namespace) else { return Ok(Lacking::Everything) };
        let all = self.routes(&space, wanted.family)?;
        if all.iter().any(|now| is_as_asked(now, wanted)) {
            return Ok(Lacking::Nothing);
        }
        let Some(now) = all.iter().find(|now| same_place(now, wanted)) else {
            return Ok(Lacking::Everything);
        };
        let words = vec![format!("there is route `{now}`, not `{wanted}`")];
        let (namespace, route) = (namespace.clone(), wanted.clone());
        let mends = vec![Change::PutRoute { namespace, route, how: Write::Replace }];
        Ok(Lacking::Mendable { mends, words })
    }

    fn rule_lacking(&self, namespace: &NamespaceRef, wanted: &Rule) -> Answer {
        if self.has_rule(namespace, wanted)? {
            return Ok(Lacking::Nothing);
        }
        let Ok(space) = self.spaces.find(namespace) else { return Ok(Lacking::Everything) };
        // Only among those of one priority does the kernel look for one that stands in the way; but
        // it takes a rule and its `not` for the same, and asks nothing of who made it (rule_exists
        // in net/core/fib_rules.c).
        let all = self.rules(&space, wanted.family)?;
        let twin = all.into_iter().filter(|_| wanted.priority.is_some()).find(|now| {
            let (inverted, protocol) = (now.inverted, now.protocol);
            is_put_rule(&Rule { inverted, protocol, ..wanted.clone() }, now)
        });
        let Some(twin) = twin else { return Ok(Lacking::Everything) };
        let words = vec![format!("there is rule `{twin}`, not `{wanted}`")];
        let mends = vec![
            Change::RemoveRule { namespace: namespace.clone(), rule: twin },
            Change::AddRule { namespace: namespace.clone(), rule: wanted.clone() },
        ];
        Ok(Lacking::Mendable { mends, words })
    }

    fn has_rule(&self, namespace: &NamespaceRef, wanted: &Rule) -> Result<bool, Error> {
        let Ok(space) = self.spaces.find(namespace) else { return Ok(false) };
        let all = self.rules(&space, wanted.family)?;
        Ok(all.iter().any(|now| {
            let protocol = wanted.protocol.or(now.protocol);
            is_put_rule(&Rule { protocol, ..wanted.clone() }, now)
        }))
    }

    fn neighbour_lacking(&self, link: &LinkRef, wanted: &Neighbour) -> Answer {
        let Ok((space, raw)) = self.resolve(link) else { return Ok(Lacking::Everything) };
        let now = neighbour::held(&space, raw.index, wanted.address, wanted.proxy);
        let Some(now) = now else { return Ok(Lacking::Everything) };
        let same_mac = wanted.mac.is_none() || now.mac == wanted.mac;
        let same_state = wanted.proxy || is_still(now.state, wanted.state);
        let same_flags =
            (now.router || !wanted.router) && (now.extern_learn || !wanted.extern_learn);
        if same_mac && same_state && same_flags {
            return Ok(Lacking::Nothing);
        }
        let words = vec![format!("neighbour `{}` of `{}` differs", wanted.address, link.name)];
        let (link, neighbour) = (link.clone(), wanted.clone());
        let mends = vec![Change::PutNeighbour { link, neighbour, how: Write::Replace }];
        Ok(Lacking::Mendable { mends, words })
    }

    fn entry_lacking(&self, link: &LinkRef, wanted: &Entry) -> Answer {
        let Ok(all) = self.entries(link) else { return Ok(Lacking::Everything) };
        let found = all.iter().find(|now| same_entry(now, wanted));
        Ok(Lacking::unless(found.is_some_and(|now| now.aged == wanted.aged)))
    }

    fn qdisc_lacking(&self, link: &LinkRef, wanted: &Qdisc) -> Answer {
        let Ok((space, raw)) = self.resolve(link) else { return Ok(Lacking::Everything) };
        let Some(now) = self.explicit(&space, raw.index)? else { return Ok(Lacking::Everything) };
        let handled = wanted.handle.is_none() || wanted.handle == now.handle;
        if handled && qdisc::is_as_asked(&now, wanted) {
            return Ok(Lacking::Nothing);
        }
        let words = vec![format!("`{}` has `{now}`, not `{wanted}`", link.name)];
        let mends = vec![Change::PutQdisc {
            link: link.clone(),
            qdisc: wanted.clone(),
            how: Write::Replace,
        }];
        Ok(Lacking::Mendable { mends, words })
    }
}

/// Whether a neighbour is in the state that was asked for, or in one that follows from it by itself
/// within moments (net/core/neighbour.c, neigh_timer_handler).
fn is_still(now: NeighbourState, wanted: NeighbourState) -> bool {
    use NeighbourState::{
        Delay, Failed, Incomplete, Noarp, None, Permanent, Probe, Reachable, Stale,
    };
    match wanted {
        Permanent | Noarp | Reachable => now == wanted,
        Stale => matches!(now, Stale | Delay | Probe),
        None | Incomplete | Delay | Probe | Failed => !matches!(now, Permanent | Noarp),
    }
}

/// Which of what was asked for is another: what the kernel can't alter, and what it can.
fn address_words(now: &Address, wanted: &Address) -> (Vec<String>, Vec<String>) {
    let prefix = wanted.prefix;
    let differs = |what: &str| format!("{what} of {prefix} differs");
    let mut fixed = Vec::new();
    let named = |asked: bool, same: bool| asked && !same;
    for (what, other) in [
        ("broadcast", named(wanted.broadcast.is_some(), now.broadcast == wanted.broadcast)),
        ("anycast", named(wanted.anycast.is_some(), now.anycast == wanted.anycast)),
        ("label", named(wanted.label.is_some(), now.label == wanted.label)),
        ("scope", named(wanted.scope.is_some(), now.scope == wanted.scope)),
    ] {
        fixed.extend(other.then(|| differs(what)));
    }
    let mut free = Vec::new();
    for (what, other) in [
        ("metric", named(wanted.metric.is_some(), now.metric == wanted.metric)),
        ("valid lifetime", runs_longer(wanted.valid_lifetime, now.valid_lifetime)),
        ("preferred lifetime", runs_longer(wanted.preferred_lifetime, now.preferred_lifetime)),
        ("flags", !has_flags(now.flags, wanted.flags)),
    ] {
        free.extend(other.then(|| differs(what)));
    }
    (fixed, free)
}

/// Whether an address stays for longer than it shall. One that was given so long has less left.
fn runs_longer(wanted: Option<u32>, now: Option<u32>) -> bool {
    wanted.is_some_and(|wanted| now.is_none_or(|now| now > wanted))
}

/// Whether those flags that last are there; duplicate address detection takes its own away.
fn has_flags(now: AddressFlags, wanted: AddressFlags) -> bool {
    let AddressFlags { home, mngtmpaddr, noprefixroute, autojoin, nodad: _, optimistic: _ } =
        wanted;
    (now.home || !home)
        && (now.mngtmpaddr || !mngtmpaddr)
        && (now.noprefixroute || !noprefixroute)
        && (now.autojoin || !autojoin)
}

/// Whether a route is as another one asks for, in all that it names.
fn is_as_asked(now: &Route, wanted: &Route) -> bool {
    let from = |prefix: Option<Prefix>| prefix.filter(|prefix| prefix.length > 0);
    same_place(now, wanted)
        && now.kind == wanted.kind
        && (wanted.source.is_none() || now.source == wanted.source)
        && (wanted.scope.is_none() || now.scope == wanted.scope)
        && (wanted.protocol.is_none() || now.protocol == wanted.protocol)
        && from(now.from) == from(wanted.from)
        && wanted.metrics.iter().all(|metric| {
            matches!(metric.name.as_str(), "expires" | "pref") || now.metrics.contains(metric)
        })
        && same_hops(now, wanted)
}

fn same_hops(now: &Route, wanted: &Route) -> bool {
    let leads_somewhere = matches!(wanted.kind, RouteKind::Unicast | RouteKind::Local);
    if !leads_somewhere && wanted.next_hops.is_empty() {
        return true;
    }
    let alike = |now: &NextHop, wanted: &NextHop| {
        now.gateway == wanted.gateway
            && (wanted.link.is_none() || now.link == wanted.link)
            && now.weight == wanted.weight
            && (now.onlink || !wanted.onlink)
    };
    now.next_hops.len() == wanted.next_hops.len()
        && wanted.next_hops.iter().all(|hop| now.next_hops.iter().any(|there| alike(there, hop)))
}
