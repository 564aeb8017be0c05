//! Queueing disciplines of links, and VLANs of a bridge's ports.

use super::{Answer, EXISTS, INVALID, LinkId, NO_ENTRY, Nature, Network, Refusal, Site};
use crate::wit::links::Kind;
use crate::wit::qdisc::{Kind as Discipline, Netem, Qdisc, Tbf};
use crate::wit::types::Write;
use crate::wit::vlans::Vlan;

const NO_PORT: Refusal = Refusal::new(95, "EOPNOTSUPP", "the link is no port of a bridge");
const BAD_ID: Refusal = Refusal::new(34, "ERANGE", "a vlan id is 1 to 4094");
const OTHER_KIND: Refusal = Refusal::new(22, "EINVAL", "the link has a discipline of another kind");

impl Network {
    pub(super) fn put_qdisc(&mut self, site: &Site, new: &Qdisc, how: Write) -> Answer<()> {
        let id = self.link_at(site)?;
        let link = self.link_mut(id)?;
        let mut new = new.clone();
        match (how, &link.qdisc) {
            (Write::Add, Some(_)) => return Err(EXISTS),
            (Write::Change, None) => return Err(NO_ENTRY),
            (Write::Change, Some(before)) => {
                new.handle = new.handle.or(before.handle);
                new.kind = over(new.kind, &before.kind).ok_or(OTHER_KIND)?;
            }
            (Write::Append | Write::Prepend, _) => return Err(INVALID),
            (Write::Add, None) | (Write::Replace, _) => {}
        }
        // Where the kernel begins to count.
        new.handle = new.handle.or(Some(0x8001));
        link.qdisc = Some(new);
        Ok(())
    }

    pub(super) fn remove_qdisc(&mut self, site: &Site) -> Answer<()> {
        let id = self.link_at(site)?;
        self.link_mut(id)?.qdisc.take().map(drop).ok_or(NO_ENTRY)
    }

    /// Those of a port, by id; a bridge puts every port into vlan 1.
    pub(crate) fn vlans(&self, id: LinkId) -> Vec<Vlan> {
        let Ok(link) = self.link(id) else { return Vec::new() };
        match &link.vlans {
            Some(vlans) => vlans.clone(),
            None if self.has_vlans(id) => {
                vec![Vlan { first: 1, last: 1, pvid: true, untagged: true }]
            }
            None => Vec::new(),
        }
    }

    /// A bridge, or its port.
    fn has_vlans(&self, id: LinkId) -> bool {
        let is_bridge = |id: LinkId| {
            self.link(id).is_ok_and(|link| matches!(link.kind, Nature::Made(Kind::Bridge(_))))
        };
        is_bridge(id) || self.link(id).is_ok_and(|link| link.master.is_some_and(is_bridge))
    }

    fn keep_vlans(&mut self, id: LinkId, mut vlans: Vec<Vlan>) -> Answer<()> {
        vlans.sort_by_key(|vlan| vlan.first);
        self.link_mut(id)?.vlans = Some(vlans);
        Ok(())
    }

    pub(super) fn put_vlan(&mut self, site: &Site, new: Vlan) -> Answer<()> {
        let id = self.vlans_at(site, &[new])?;
        let mut all = without(&self.vlans(id), new.first, new.last);
        all.iter_mut().for_each(|vlan| vlan.pvid &= !new.pvid);
        all.push(new);
        self.keep_vlans(id, all)
    }

    pub(super) fn remove_vlan(&mut self, site: &Site, first: u16, last: u16) -> Answer<()> {
        let gone = Vlan { first, last, pvid: false, untagged: false };
        let id = self.vlans_at(site, &[gone])?;
        let before = self.vlans(id);
        if !before.iter().any(|vlan| vlan.first <= last && first <= vlan.last) {
            return Err(NO_ENTRY);
        }
        self.keep_vlans(id, without(&before, first, last))
    }

    pub(super) fn set_vlans(&mut self, site: &Site, vlans: &[Vlan]) -> Answer<()> {
        let id = self.vlans_at(site, vlans)?;
        self.keep_vlans(id, vlans.to_vec())
    }

    fn vlans_at(&self, site: &Site, vlans: &[Vlan]) -> Answer<LinkId> {
        let id = self.link_at(site)?;
        let ids = |vlan: &Vlan| vlan.first >= 1 && vlan.first <= vlan.last && vlan.last <= 4094;
        match (self.has_vlans(id), vlans.iter().all(ids)) {
            (false, _) => Err(NO_PORT),
            (true, false) => Err(BAD_ID),
            (true, true) => Ok(id),
        }
    }
}

/// The VLANs outside of a range.
fn without(vlans: &[Vlan], first: u16, last: u16) -> Vec<Vlan> {
    let mut left = Vec::new();
    for vlan in vlans {
        if vlan.first < first {
            left.push(Vlan { last: vlan.last.min(first - 1), ..*vlan });
        }
        if vlan.last > last {
            left.push(Vlan { first: vlan.first.max(last + 1), ..*vlan });
        }
    }
    left
}

/// What is asked for, with what it does not say as it was; none where the kinds differ.
pub(super) fn over(new: Discipline, before: &Discipline) -> Option<Discipline> {
    match (new, before) {
        (Discipline::Netem(new), Discipline::Netem(before)) => Some(Discipline::Netem(Netem {
            delay: new.delay.or(before.delay),
            jitter: new.jitter.or(before.jitter),
            delay_correlation: new.delay_correlation.or(before.delay_correlation),
            distribution: new.distribution.or(before.distribution),
            loss: new.loss.or(before.loss),
            duplicate: new.duplicate.or(before.duplicate),
            corrupt: new.corrupt.or(before.corrupt),
            reorder: new.reorder.or(before.reorder),
            rate: new.rate.or(before.rate),
            limit: new.limit.or(before.limit),
        })),
        (Discipline::Tbf(new), Discipline::Tbf(before)) => Some(Discipline::Tbf(Tbf {
            rate: new.rate.or(before.rate),
            burst: new.burst.or(before.burst),
            backlog: new.backlog.or(before.backlog),
            peak: new.peak.or(before.peak),
        })),
        (Discipline::Other(new), Discipline::Other(before)) if new.kind == before.kind => {
            Some(Discipline::Other(new))
        }
        (Discipline::Netem(_) | Discipline::Tbf(_) | Discipline::Other(_), _) => None,
    }
}
