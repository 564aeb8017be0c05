//! In which order the changes of one stage come: those of one noun may need each other, too.

use std::cmp::Reverse;

use super::State;
use crate::change::{
    Attribute, Change, LinkInfo, LinkRef, MacAddress, NamespaceRef, Prefix, Route, Setting, Write,
};

/// Links that are deleted: before those that they stand on, for these take them along; of a veth one
/// end alone.
pub(super) fn of_deletions(deletions: Vec<Change>, is: &State) -> Vec<Change> {
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

/// Addresses that are removed: later ones first, for the kernel takes those of a subnet along with the
/// first one (net/ipv4/devinet.c, __inet_del_ifa).
pub(super) fn of_old_addresses(mut removals: Vec<Change>, is: &State) -> Vec<Change> {
    let position = |change: &Change| {
        let Change::RemoveAddress { link, prefix, .. } = change else { return None };
        let mut all = is.of(&link.namespace)?.addresses.iter();
        all.position(|one| one.link == link.name && one.address.prefix == *prefix)
    };
    removals.sort_by_cached_key(|change| Reverse(position(change)));
    removals
}

/// Links that are altered: those that go down, and then each after those that it stands on, none of
/// which may be narrower, and without which some kinds don't go up. And none gets or uses an Ethernet
/// address before the one that has it lets it go (drivers/net/macvlan.c, macvlan_addr_busy).
pub(super) fn of_links(changes: Vec<Change>, is: &State, wanted: &State) -> Vec<Change> {
    let mut changes: Vec<Change> = changes.into_iter().flat_map(down_first).collect();
    changes.sort_by_cached_key(|change| {
        let height = change.link().map_or(0, |link| wanted.height(link));
        (up(change) != Some(false), height)
    });
    let mut holders = Holders { is, wanted, gone: Vec::new() };
    let mut ordered = Vec::new();
    while !changes.is_empty() {
        let free = changes.iter().position(|change| holders.of_wanted(change).is_none());
        let Some(free) = free else {
            // Each waits for another one's.
            let link = changes.first().and_then(|change| holders.of_wanted(change));
            let Some((link, spare)) = link.zip(holders.spare()) else { break };
            let settings = vec![Setting::Mac(spare)];
            let change = Change::ChangeLink { link, settings };
            holders.note(&change);
            ordered.push(change);
            continue;
        };
        let change = changes.remove(free);
        holders.note(&change);
        ordered.push(change);
    }
    ordered.extend(changes);
    ordered
}

/// The kernel sets a link up or down after everything else of one request.
fn down_first(change: Change) -> Vec<Change> {
    match change {
        Change::ChangeLink { link, mut settings }
            if settings.len() > 1 && settings.contains(&Setting::Up(false)) =>
        {
            settings.retain(|setting| *setting != Setting::Up(false));
            let down = vec![Setting::Up(false)];
            let both = [down, settings].map(|settings| (link.clone(), settings));
            both.map(|(link, settings)| Change::ChangeLink { link, settings }).into()
        }
        change => vec![change],
    }
}

/// Which links still have the Ethernet address that they had.
struct Holders<'a> {
    is: &'a State,
    wanted: &'a State,
    gone: Vec<LinkRef>,
}

impl Holders<'_> {
    /// The link that has the address which another one beside it gets, or goes up with, by this change.
    fn of_wanted(&self, change: &Change) -> Option<LinkRef> {
        let Change::ChangeLink { link, .. } = change else { return None };
        let info = self.is.link(link)?;
        let wanted = given(change).or(info.mac.filter(|_| up(change) == Some(true)))?;
        let parent = shared_parent(link, info).filter(|_| up(change).unwrap_or(info.up))?;
        let mut all = self.is.links();
        let holds = all.find(|(holder, info)| {
            let is_beside = *holder == parent
                || (self.is_used(holder, info)
                    && shared_parent(holder, info) == Some(parent.clone()));
            let has_it = info.mac == Some(wanted) && !self.gone.contains(holder);
            is_beside && has_it && holder != link
        });
        holds.map(|(holder, _)| holder)
    }

    fn note(&mut self, change: &Change) {
        if given(change).is_some() || up(change) == Some(false) {
            self.gone.extend(change.link().cloned());
        }
    }

    /// Only what is up uses its address.
    fn is_used(&self, link: &LinkRef, info: &LinkInfo) -> bool {
        info.up || self.wanted.link(link).is_some_and(|wanted| wanted.up)
    }

    /// An address that no link has or shall have, as is made up for those that somebody makes up
    /// (RFC 7042, section 2.1: local ones).
    fn spare(&self) -> Option<MacAddress> {
        let taken = |mac| self.is.links().chain(self.wanted.links()).any(|(_, one)| one.mac == mac);
        let mut all = (0..=u8::MAX).map(|last| MacAddress([0x02, 0, 0x5e, 0, 0, last]));
        all.find(|mac| !taken(Some(*mac)))
    }
}

/// The Ethernet address that a change gives.
fn given(change: &Change) -> Option<MacAddress> {
    let mac = |setting: &Setting| if let Setting::Mac(mac) = setting { Some(*mac) } else { None };
    settings(change).iter().find_map(mac)
}

/// Whether it sets the link up or down.
fn up(change: &Change) -> Option<bool> {
    let up = |setting: &Setting| if let Setting::Up(up) = setting { Some(*up) } else { None };
    settings(change).iter().find_map(up)
}

fn settings(change: &Change) -> &[Setting] {
    if let Change::ChangeLink { settings, .. } = change { settings } else { &[] }
}

/// The parent, where it tells the links that stand on it, and itself, by their addresses.
fn shared_parent(link: &LinkRef, info: &LinkInfo) -> Option<LinkRef> {
    let is_told_otherwise =
        |option: &Attribute| option.name == "mode" && option.value == "passthru";
    let by_address = matches!(info.kind.as_str(), "macvlan" | "macvtap")
        && !info.data.iter().any(is_told_otherwise);
    let parent = info.parent.as_ref().filter(|_| by_address)?;
    Some(parent.reference(&link.namespace))
}

/// Routes that are removed: those by gateways first, for whoever takes that back puts them last.
pub(super) fn of_old_routes(mut removals: Vec<Change>, is: &State) -> Vec<Change> {
    removals.sort_by_key(|change| Reverse(Need::of(change, is)));
    removals
}

/// Routes that are put: those first by which the gateways of others are reached, and of several at one
/// place each behind those that it comes after.
pub(super) fn of_routes(mut puts: Vec<Change>, is: &State, wanted: &State) -> Vec<Change> {
    puts.sort_by_key(|change| Need::of(change, wanted));
    let new = puts.clone();
    let mut ordered = Vec::new();
    for put in puts {
        let Change::PutRoute { namespace, route, .. } = &put else { continue };
        let [there, all] = [is, wanted].map(|state| at_place_of(namespace, route, state));
        if there.is_empty() && all.len() < 2 {
            ordered.push(put);
        } else if all.iter().find(|one| is_put(&new, namespace, one)) == Some(&route) {
            ordered.extend(stacked(&new, namespace, &all));
        }
    }
    ordered
}

/// From the first new one at a place on: what is there already goes to its place behind it.
fn stacked(new: &[Change], namespace: &NamespaceRef, all: &[&Route]) -> Vec<Change> {
    let is_new = |route: &&&Route| is_put(new, namespace, route);
    let behind = || all.iter().skip_while(|route| !is_new(route));
    let remove = |route: &&Route| Change::RemoveRoute {
        namespace: namespace.clone(),
        route: (*route).clone(),
    };
    let put = |route: &&Route| {
        let (namespace, route) = (namespace.clone(), (*route).clone());
        Change::PutRoute { namespace, route, how: Write::Append }
    };
    behind().filter(|route| !is_new(route)).map(remove).chain(behind().map(put)).collect()
}

fn is_put(new: &[Change], namespace: &NamespaceRef, route: &Route) -> bool {
    let is_it = |change: &Change| matches!(change, Change::PutRoute { namespace: there, route: one, .. } if there == namespace && one == route);
    new.iter().any(is_it)
}

/// What else of the same hand has a route's place, and it itself, in the order in which the kernel
/// goes by them.
fn at_place_of<'a>(namespace: &NamespaceRef, route: &Route, state: &'a State) -> Vec<&'a Route> {
    let place = |route: &Route| {
        let to: Option<Prefix> = route.destination.filter(|to| to.length > 0);
        let told = (route.type_of_service.unwrap_or(0), route.metric.unwrap_or(0));
        (route.family, route.table(), to, route.from, told, route.protocol)
    };
    let all = state.of(namespace).map(|there| &there.routes);
    all.into_iter().flatten().filter(|one| place(one) == place(route)).collect()
}

/// What comes before what, of routes: those without a gateway, then those of the narrower scope (a
/// gateway is reached by a route of a narrower one, net/ipv4/fib_semantics.c, fib_check_nh), else as
/// the state has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Need {
    by_gateway: bool,
    scope: Reverse<u8>,
    position: usize,
}

impl Need {
    fn of(change: &Change, state: &State) -> Option<Self> {
        let (Change::PutRoute { namespace, route, .. } | Change::RemoveRoute { namespace, route }) =
            change
        else {
            return None;
        };
        let routes = state.of(namespace).map(|there| there.routes.iter());
        let position = routes.and_then(|mut all| all.position(|one| one == route));
        Some(Self {
            by_gateway: route.next_hops.iter().any(|hop| hop.gateway.is_some() && !hop.onlink),
            scope: Reverse(route.scope.unwrap_or(0)),
            position: position.unwrap_or(0),
        })
    }
}
