//! What a lab needs where it reaches a link of the host: the same whether the runner decides, with
//! the grants of the step that asks, or the process outside, with the operator's.

use super::HostPolicy;
use super::decide::Decided;
use super::stations::becomes_no_port;
use crate::change::{
    Change, Kind, LinkName, LinkRef, MacAddress, Name, NamespaceRef, Setting, Spec, Veth,
};
use crate::grant::{Capability, Facts, Request};
use crate::kernel::mark::Mark;
use crate::kernel::{Claimed, Error, Kernel, LinkSight, kind};
use crate::text::help;

/// The rights that a change takes which makes, or alters, a child of this link of the host.
pub(crate) fn uplink_needs(link: &str, change: &Change) -> Vec<Request> {
    let of = |capability, mode: Option<&str>| {
        let mode = mode.map(str::to_owned);
        let facts = Facts { link: Some(link.to_owned()), mode, ..Facts::default() };
        Request::new(capability, facts)
    };
    let mut needs = Vec::new();
    let takes = if let Change::CreateLink { spec, .. } = change {
        needs.push(of(Capability::Uplink, Some(way_in(&spec.kind))));
        kind::takes_over(spec)
    } else if let Change::ChangeLink { settings, .. } = change {
        settings.iter().any(kind::makes_take_over)
    } else {
        false
    };
    needs.extend(takes.then(|| of(Capability::UplinkPassthru, None)));
    needs
}

/// What a change has a child of the host's be known by, where the child's kind is one that gets
/// frames by that. One that the same batch makes has a kind that isn't looked at.
pub(crate) fn uplink_claims(change: &Change, kernel: &dyn Kernel) -> Claimed {
    let kind = |link: &LinkRef| kernel.see_link(link).ok().map(|seen| seen.kind);
    if let Change::CreateLink { spec, .. } = change {
        Claimed::by_settings(Some(spec.kind.word()), &spec.settings)
    } else if let Change::ChangeLink { link, settings } = change {
        Claimed::by_settings(kind(link).as_deref(), settings)
    } else if let Change::PutAddress { link, address, .. } = change {
        Claimed::by_address(kind(link).as_deref(), address)
    } else {
        Claimed::default()
    }
}

/// Refuses that a child of the host's link becomes a port of a bond or team, which this batch may
/// make.
pub(crate) fn joins_no_bundle(
    change: &Change,
    together: &[Change],
    kernel: &dyn Kernel,
) -> Result<(), Error> {
    let (namespace, settings) = if let Change::CreateLink { namespace, spec } = change {
        (namespace, Some(&spec.settings).filter(|_| kind::takes_by_mac(spec.kind.word())))
    } else if let Change::ChangeLink { link, settings } = change {
        let known = kernel.see_link(link);
        let takes = known.map_or(true, |seen| kind::takes_by_mac(&seen.kind));
        (&link.namespace, Some(settings).filter(|_| takes))
    } else {
        return Ok(());
    };
    let makes = |master: &str| {
        together.iter().any(|other| {
            matches!(other, Change::CreateLink { namespace: there, spec }
                if there.name == namespace.name
                    && spec.name.as_str() == master
                    && kind::is_bundle(spec.kind.word()))
        })
    };
    becomes_no_port(namespace, settings.into_iter().flatten(), makes, kernel)
}

/// The link of the host that each of these changes reaches, which will be made together: one may
/// alter what another has yet to make.
pub(crate) fn reached_uplinks(changes: &[Change], kernel: &dyn Kernel) -> Vec<Option<String>> {
    let mut reached: Vec<_> = changes.iter().map(|change| kernel.uplink_of(change)).collect();
    if reached.iter().all(Option::is_none) {
        return reached;
    }
    loop {
        let known: Vec<(Key, String)> = changes
            .iter()
            .zip(&reached)
            .filter_map(|(change, link)| Some((gives(change)?, link.clone()?)))
            .collect();
        let mut more = false;
        for (change, link) in changes.iter().zip(&mut reached).filter(|(_, link)| link.is_none()) {
            let from = takes(change);
            *link =
                known.iter().find(|(key, _)| Some(key) == from.as_ref()).map(|(_, of)| of.clone());
            more |= link.is_some();
        }
        if !more {
            return reached;
        }
    }
}

/// A link by the names that a batch uses.
type Key = (Option<Name>, String);

/// The link that is there, or is called so, or is elsewhere, after a change.
fn gives(change: &Change) -> Option<Key> {
    if let Change::CreateLink { namespace, spec } = change {
        Some((namespace.name.clone(), spec.name.as_str().to_owned()))
    } else if let Change::ChangeLink { link, settings } = change {
        let name = settings.iter().rev().find_map(Setting::name)?;
        Some((link.namespace.name.clone(), name.to_owned()))
    } else if let Change::MoveLink { link, to } = change {
        Some((to.name.clone(), link.name.clone()))
    } else {
        None
    }
}

/// The link that a change reaches the host's by, where that is a child of it.
fn takes(change: &Change) -> Option<Key> {
    let key = |link: &LinkRef| (link.namespace.name.clone(), link.name.clone());
    if let Change::CreateLink { namespace, spec } = change {
        let parent = spec.parent.as_ref().filter(|_| kind::shares_parent(spec.kind.word()))?;
        Some(key(&parent.reference(namespace)))
    } else if let Change::ChangeLink { link, .. }
    | Change::MoveLink { link, .. }
    | Change::PutAddress { link, .. } = change
    {
        Some(key(link))
    } else {
        None
    }
}

/// How a new link joins a lab to the network of its parent: the `mode` of an `uplink`.
fn way_in(kind: &Kind) -> &str {
    match kind {
        Kind::Veth(_) => "port",
        child => child.word(),
    }
}

impl HostPolicy {
    /// What an uplink needs: the link by its exact name, and the way in which the lab is joined.
    pub(super) fn decide_uplink(
        &self,
        namespace: NamespaceRef,
        spec: Spec,
        kernel: &dyn Kernel,
    ) -> Result<Decided, Error> {
        let name = spec.parent.as_ref().map(|parent| parent.name.clone()).unwrap_or_default();
        let shown = format!("an uplink on {}", name.escape_debug());
        let change = Change::CreateLink { namespace: namespace.clone(), spec: spec.clone() };
        for Request { capability, facts } in uplink_needs(&name, &change) {
            self.need(capability, facts, &shown)?;
        }
        let there = LinkRef { namespace: NamespaceRef::named(None), name, index: None };
        let seen = kernel.see_link(&there)?;
        self.floor_of_a_parent(&seen, kernel)?;
        let takes_over = kind::takes_over(&spec);
        if self.takes_over(&spec, &seen, kernel)? {
            let facts = Facts { link: Some(seen.reference.name.clone()), ..Facts::default() };
            self.need(Capability::UplinkPassthru, facts, &shown)?;
            self.floor(&seen, kernel)?;
        }
        let claimed = Claimed::by_settings(Some(spec.kind.word()), &spec.settings);
        self.floor_of_an_uplink(&seen, takes_over, &claimed, kernel)?;
        let parent = LinkName { namespace: Some(None), name: seen.reference.name.clone() };
        let spec = match spec.kind {
            Kind::Veth(_) => port_of(&seen, spec)?,
            _ => Spec { parent: Some(parent), ..spec },
        };
        Ok((Change::CreateLink { namespace, spec }, vec![seen.reference]))
    }

    /// Whether a new link gets frames that are its parent's, or that this hands on: a VLAN takes its
    /// frames before any master or macvlan of the parent's sees them (__netif_receive_skb_core).
    pub(super) fn takes_over(
        &self,
        spec: &Spec,
        parent: &LinkSight,
        kernel: &dyn Kernel,
    ) -> Result<bool, Error> {
        let is_vlan = spec.kind.word() == "vlan";
        Ok(kind::takes_over(spec) || is_vlan && kernel.hands_on(&parent.reference)?)
    }

    /// Refuses what a lab's child of a link would be known by, where others have it: the lab itself
    /// can't see them.
    pub(super) fn decide_claim(
        &self,
        link: &str,
        claimed: &Claimed,
        kernel: &dyn Kernel,
    ) -> Result<(), Error> {
        if !self.has_uplink(link) {
            let why = format!("no lab is joined to `{}`", link.escape_debug());
            return Err(Error::Invalid(why));
        }
        let there = NamespaceRef::named(None);
        let there = LinkRef { namespace: there, name: link.to_owned(), index: None };
        self.floor_of_an_uplink(&kernel.see_link(&there)?, false, claimed, kernel)
    }

    fn floor_of_an_uplink(
        &self,
        parent: &LinkSight,
        takes_over: bool,
        claimed: &Claimed,
        kernel: &dyn Kernel,
    ) -> Result<(), Error> {
        if claimed.is_nothing() {
            return Ok(());
        }
        let stations = kernel.stations(&parent.reference)?;
        let itself = takes_over.then_some(&parent.reference);
        self.floor_of_a_claim(parent, itself, claimed, &stations, kernel)
    }
}

/// A veth whose other end is a port of a bridge, under a name that nobody chooses.
fn port_of(bridge: &LinkSight, spec: Spec) -> Result<Spec, Error> {
    let name = &bridge.reference.name;
    if bridge.kind != "bridge" {
        let name = name.escape_debug();
        return Err(Error::Invalid(format!(
            "`{name}` is no bridge: an uplink with mode=port is a port of one{}",
            help("`mode=macvlan` joins a lab to the network of any Ethernet link")
        )));
    }
    let number = Mark::new().map_err(|error| Error::Unsupported(error.to_string()))?.group();
    let peer = LinkName { namespace: Some(None), name: format!("nw{number:08x}") };
    // A bridge takes the lowest address of its ports for its own (br_stp_recalculate_bridge_id):
    // none is higher than this one.
    let [a, b, c, d] = number.to_be_bytes();
    let mac = Setting::Mac(MacAddress([0xfe, 0xff, a, b, c, d]));
    let peer_settings = vec![mac, Setting::Master(Some(name.clone())), Setting::Up(true)];
    let kind = Kind::Veth(Veth { peer, peer_settings });
    Ok(Spec { kind, parent: None, ..spec })
}
