//! What is left to do so that the network is as it is asked for.

use netwright_network::setting::same_value;

use super::qdisc::over;
use super::routes::same_route;
use super::{Change, LinkId, LinkState, Nature, Network, Site, setting};
use crate::Prefix;
use crate::link::kind::attribute;
use crate::wit::addresses::Address;
use crate::wit::links::{Kind, Macvlan, MacvlanChange, MacvlanMode, Other, Setting, Spec, Veth};
use crate::wit::neighbours::Neighbour;
use crate::wit::qdisc::Qdisc;
use crate::wit::routes::Route;
use crate::wit::rules::Rule;
use crate::wit::types::{Attribute, Write};
use crate::wit::vlans::Vlan;

/// A link as it is against what is asked of it.
enum Difference {
    /// These settings make it so; none are needed where it is.
    InPlace(Vec<Setting>),
    /// Another kind, parent, or property that the kernel decides once.
    Anew,
}

impl Network {
    /// The changes, in their order, after which this one would find nothing to do. What can't be
    /// compared because something is missing is asked for as it is, for the error that it meets.
    pub(crate) fn lacking(&self, wanted: &Change) -> Vec<Change> {
        match wanted {
            Change::CreateNamespace { name } if self.namespace(name).is_ok() => Vec::new(),
            Change::CreateLink { namespace, spec } => self.lacking_link(namespace, spec),
            Change::ChangeLink { link, settings } => self.lacking_settings(link, settings),
            Change::PutAddress { link, address, .. } => self.lacking_address(link, address),
            Change::PutRoute { namespace, route, .. } => self.lacking_route(namespace, route),
            Change::AddRule { namespace, rule } if self.has_rule(namespace, rule) => Vec::new(),
            Change::PutNeighbour { link, neighbour, .. } => self.lacking_neighbour(link, neighbour),
            Change::SetSysctl { namespace, key, value } if self.is_set(namespace, key, value) => {
                Vec::new()
            }
            Change::PutQdisc { link, qdisc, .. } => self.lacking_qdisc(link, qdisc),
            Change::RemoveQdisc { link } if self.at(link).is_some_and(|it| it.qdisc.is_none()) => {
                Vec::new()
            }
            Change::SetVlans { link, vlans } if self.carries(link, vlans) => Vec::new(),
            other => vec![other.clone()],
        }
    }

    fn at(&self, site: &Site) -> Option<&LinkState> {
        self.link_at(site).and_then(|id| self.link(id)).ok()
    }

    fn lacking_link(&self, namespace: &str, spec: &Spec) -> Vec<Change> {
        let create = Change::CreateLink { namespace: namespace.to_owned(), spec: spec.clone() };
        let link = Site { namespace: namespace.to_owned(), name: spec.name.clone() };
        let Ok(id) = self.link_at(&link) else { return vec![create] };
        match self.difference(id, spec) {
            Some(Difference::InPlace(settings)) => {
                let mut changes = self.lacking_settings(&link, &settings);
                if let Kind::Veth(veth) = &spec.kind {
                    let peer = peer_site(namespace, veth);
                    changes.extend(self.lacking_settings(&peer, &veth.peer_settings));
                }
                changes
            }
            Some(Difference::Anew) | None => vec![Change::DeleteLink { link }, create],
        }
    }

    fn difference(&self, id: LinkId, spec: &Spec) -> Option<Difference> {
        let link = self.link(id).ok()?;
        let Nature::Made(kind) = &link.kind else { return Some(Difference::Anew) };
        let parent = self.parent_of(link.namespace, spec).ok()?;
        if kind.word() != spec.kind.word() || (spec.parent.is_some() && link.parent != parent) {
            return Some(Difference::Anew);
        }
        let mut settings = match (&spec.kind, kind) {
            (
                Kind::Macvlan(wanted) | Kind::Macvtap(wanted),
                Kind::Macvlan(known) | Kind::Macvtap(known),
            ) => macvlan_changes(wanted, known)?,
            (Kind::Veth(veth), _) => {
                let peer = peer_site(self.namespace_name(link.namespace), veth);
                if self.link_at(&peer).ok() != link.peer {
                    return Some(Difference::Anew);
                }
                Vec::new()
            }
            (wanted, _) => option_changes(wanted, link)?,
        };
        settings.extend(spec.settings.iter().cloned());
        Some(Difference::InPlace(settings))
    }

    /// Those settings that would alter something.
    fn lacking_settings(&self, link: &Site, settings: &[Setting]) -> Vec<Change> {
        let lacking = match self.link_at(link) {
            Ok(id) => settings.iter().filter(|setting| !self.holds(id, setting)).cloned().collect(),
            Err(_) => settings.to_vec(),
        };
        if lacking.is_empty() && self.link_at(link).is_ok() {
            return Vec::new();
        }
        vec![Change::ChangeLink { link: link.clone(), settings: lacking }]
    }

    /// Whether setting it would leave the link as it is.
    fn holds(&self, id: LinkId, setting: &Setting) -> bool {
        let Ok(link) = self.link(id) else { return false };
        // The link's own name is taken, and a list of stations grows by whoever is in it already.
        if let Setting::Name(name) = setting {
            return link.name == *name;
        }
        if let (Setting::Macvlan(MacvlanChange::AddSource(mac)), Some(known)) =
            (setting, link.macvlan())
        {
            return known.sources.contains(mac);
        }
        if let (Setting::Macvlan(MacvlanChange::RemoveSource(mac)), Some(known)) =
            (setting, link.macvlan())
        {
            return !known.sources.contains(mac);
        }
        let mut after = self.clone();
        after.set(id, setting).is_ok() && after.link(id).is_ok_and(|after| after == link)
    }

    fn lacking_address(&self, link: &Site, wanted: &Address) -> Vec<Change> {
        let put = |address, how| vec![Change::PutAddress { link: link.clone(), address, how }];
        let same = |known: &&Address| known.prefix == wanted.prefix;
        match self.at(link).and_then(|link| link.addresses.iter().find(same)) {
            None => put(wanted.clone(), Write::Add),
            Some(known) => {
                let merged = address_over(wanted, known);
                if merged == *known { Vec::new() } else { put(merged, Write::Replace) }
            }
        }
    }

    fn lacking_route(&self, namespace: &str, wanted: &Route) -> Vec<Change> {
        let network = wanted.network().map(|network| Prefix::trunc(&network).into());
        let wanted = Route { destination: network, ..wanted.clone() };
        let put =
            |route, how| vec![Change::PutRoute { namespace: namespace.to_owned(), route, how }];
        let stack = self.namespace(namespace).and_then(|id| self.stack(id));
        let routes = stack.map(|stack| stack.routes.as_slice()).unwrap_or_default();
        match routes.iter().find(|known| same_route(known, &wanted)) {
            None => put(wanted, Write::Add),
            Some(known) => {
                let merged = route_over(&wanted, known);
                if merged == *known { Vec::new() } else { put(merged, Write::Replace) }
            }
        }
    }

    fn has_rule(&self, namespace: &str, wanted: &Rule) -> bool {
        let stack = self.namespace(namespace).and_then(|id| self.stack(id));
        let rules = stack.map(|stack| stack.rules.as_slice()).unwrap_or_default();
        rules.iter().any(|known| {
            *known == Rule { priority: wanted.priority.or(known.priority), ..wanted.clone() }
        })
    }

    fn lacking_neighbour(&self, link: &Site, wanted: &Neighbour) -> Vec<Change> {
        let put =
            |neighbour, how| vec![Change::PutNeighbour { link: link.clone(), neighbour, how }];
        let same =
            |known: &&Neighbour| known.address == wanted.address && known.proxy == wanted.proxy;
        match self.at(link).and_then(|link| link.neighbours.iter().find(same)) {
            None => put(*wanted, Write::Add),
            Some(known) => {
                let merged = Neighbour { mac: wanted.mac.or(known.mac), ..*wanted };
                if merged == *known { Vec::new() } else { put(merged, Write::Replace) }
            }
        }
    }

    fn is_set(&self, namespace: &str, key: &str, value: &str) -> bool {
        let stack = self.namespace(namespace).and_then(|id| self.stack(id));
        let key = setting(key);
        stack.is_ok_and(|stack| key.is_ok_and(|key| same_value(stack.sysctl(&key), value)))
    }

    fn lacking_qdisc(&self, link: &Site, wanted: &Qdisc) -> Vec<Change> {
        let put = |qdisc, how| vec![Change::PutQdisc { link: link.clone(), qdisc, how }];
        let Some(known) = self.at(link).and_then(|link| link.qdisc.as_ref()) else {
            return put(wanted.clone(), Write::Add);
        };
        let handle = wanted.handle.or(known.handle);
        let merged = over(wanted.kind.clone(), &known.kind);
        let merged = merged.map(|discipline| Qdisc { handle, kind: discipline });
        match merged {
            Some(merged) if merged == *known => Vec::new(),
            Some(merged) => put(merged, Write::Replace),
            None => put(wanted.clone(), Write::Replace),
        }
    }

    fn carries(&self, link: &Site, wanted: &[Vlan]) -> bool {
        self.link_at(link).is_ok_and(|id| single(&self.vlans(id)) == single(wanted))
    }
}

/// Each id of the ranges, with its flags, in order.
fn single(vlans: &[Vlan]) -> Vec<(u16, bool, bool)> {
    let ids = |vlan: &Vlan| {
        let flags = (vlan.pvid, vlan.untagged);
        (vlan.first..=vlan.last).map(move |id| (id, flags.0, flags.1))
    };
    let mut all: Vec<_> = vlans.iter().flat_map(ids).collect();
    all.sort_unstable();
    all
}

fn peer_site(home: &str, veth: &Veth) -> Site {
    let namespace = veth.peer.namespace.clone().unwrap_or_else(|| home.to_owned());
    Site { namespace, name: veth.peer.name.clone() }
}

/// None where it has to be made anew, for no child enters or leaves passthru.
fn macvlan_changes(wanted: &Macvlan, known: &Macvlan) -> Option<Vec<Setting>> {
    let mode = known.mode.unwrap_or(MacvlanMode::Vepa);
    let mut changes = Vec::new();
    if let Some(new) = wanted.mode.filter(|new| *new != mode) {
        if [new, mode].contains(&MacvlanMode::Passthru) {
            return None;
        }
        changes.push(MacvlanChange::Mode(new));
    }
    let nopromisc = wanted.nopromisc && !known.nopromisc;
    changes.extend(nopromisc.then_some(MacvlanChange::Nopromisc(true)));
    changes.extend((wanted.nodst && !known.nodst).then_some(MacvlanChange::Nodst(true)));
    let length = wanted.broadcast_queue_length;
    let length = length.filter(|_| length != known.broadcast_queue_length);
    changes.extend(length.map(MacvlanChange::BroadcastQueueLength));
    let sorted = |macs: &[_]| {
        let mut macs = macs.to_vec();
        macs.sort_unstable();
        macs
    };
    if !wanted.sources.is_empty() && sorted(&wanted.sources) != sorted(&known.sources) {
        changes.push(MacvlanChange::SetSources(wanted.sources.clone()));
    }
    Some(changes.into_iter().map(Setting::Macvlan).collect())
}

/// None where the kind's options differ and can't be altered in place.
fn option_changes(wanted: &Kind, link: &LinkState) -> Option<Vec<Setting>> {
    let wanted_link = LinkState { kind: Nature::Made(wanted.clone()), ..link.clone() };
    let known = link.details();
    let now = |name: &str| {
        let all = link.extra.iter().chain(&known);
        all.into_iter().find(|one| one.name == name).map(|one| one.value.as_str())
    };
    let differs = |option: &Attribute| now(&option.name) != Some(option.value.as_str());
    let options: Vec<_> = wanted_link.details().into_iter().filter(differs).collect();
    if options.is_empty() {
        return Some(Vec::new());
    }
    let kind = wanted.word().to_owned();
    let alterable = matches!(wanted, Kind::Bridge(_) | Kind::Ipvlan(_) | Kind::Ipvtap(_));
    alterable.then(|| vec![Setting::Options(Other { kind, options })])
}

/// What is said, with the rest as it was.
fn address_over(wanted: &Address, known: &Address) -> Address {
    Address {
        prefix: wanted.prefix,
        peer: wanted.peer.or(known.peer),
        broadcast: wanted.broadcast.or(known.broadcast),
        anycast: wanted.anycast.or(known.anycast),
        label: wanted.label.clone().or_else(|| known.label.clone()),
        scope: wanted.scope.or(known.scope),
        flags: wanted.flags | known.flags,
        valid_lifetime: wanted.valid_lifetime.or(known.valid_lifetime),
        preferred_lifetime: wanted.preferred_lifetime.or(known.preferred_lifetime),
        metric: wanted.metric.or(known.metric),
        protocol: wanted.protocol.or(known.protocol),
    }
}

fn route_over(wanted: &Route, known: &Route) -> Route {
    let mut metrics = known.metrics.clone();
    for new in &wanted.metrics {
        match metrics.iter_mut().find(|one| one.name == new.name) {
            Some(one) => *one = attribute(&new.name, &new.value),
            None => metrics.push(new.clone()),
        }
    }
    let mut next_hops = wanted.next_hops.clone();
    if next_hops.len() == known.next_hops.len() {
        for (hop, known) in next_hops.iter_mut().zip(&known.next_hops) {
            let same_way = hop.gateway.is_none() || hop.gateway == known.gateway;
            if hop.link.is_none() && same_way {
                hop.link.clone_from(&known.link);
            }
        }
    }
    Route {
        family: wanted.family,
        kind: wanted.kind,
        destination: wanted.destination,
        next_hops: if next_hops.is_empty() { known.next_hops.clone() } else { next_hops },
        table: wanted.table.or(known.table),
        metric: wanted.metric.or(known.metric),
        protocol: wanted.protocol.or(known.protocol),
        scope: wanted.scope.or(known.scope),
        source: wanted.source.or(known.source),
        from: wanted.from.or(known.from),
        type_of_service: wanted.type_of_service.or(known.type_of_service),
        metrics,
    }
}
