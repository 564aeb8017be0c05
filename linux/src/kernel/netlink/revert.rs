//! Taking changes back.

use super::Netlink;
use super::address;
use super::anchor::is_anchor;
use super::host::is_marked;
use super::neighbour::{self, is_lasting};
use super::put::is_put_rule;
use crate::change::{
    Applied, Change, Family, LinkRef, NamespaceRef, Neighbour, Prefix, Rule, Setting, Undo,
};
use crate::kernel::Error;

impl Netlink {
    /// All steps, in order, even when one fails; the first failure is the answer.
    pub(super) fn take_back(&mut self, undo: &Undo) -> Result<(), Error> {
        let mut first = Ok(());
        if self.remade(undo).is_some_and(|there| there.is_ok()) {
            return first;
        }
        for step in &undo.steps {
            let Some(step) = self.of_now(undo, step) else { continue };
            let step = self.without_what_is_so(&step);
            let done = self.check_theirs(undo, &step).and_then(|()| self.take_step_back(&step));
            if first.is_ok() {
                first = done;
            }
        }
        first
    }

    pub(super) fn take_step_back(&mut self, step: &Change) -> Result<(), Error> {
        if is_anchor(step) {
            return Ok(());
        }
        if let Change::MoveLink { link, to } = step
            && let Some(place) = self.lent_by(link)
        {
            return self.move_lent_back(step, place, to);
        }
        if let Some(link) = step.link()
            && self.is_another(link)?
        {
            return Ok(());
        }
        if let Change::DeleteLink { link } = step
            && self.is_not_ours(link)
        {
            return Ok(());
        }
        if let Change::MoveLink { link, .. } = step
            && self.never_arrived(link)
        {
            return Ok(());
        }
        if let Change::PutQdisc { link, .. } | Change::RemoveQdisc { link } = step
            && self.was_replaced(link)
        {
            return Ok(());
        }
        if let Change::RemoveNeighbour { link, put: Some(put), .. } = step
            && !self.is_neighbour_as_put(link, put)
        {
            return Ok(());
        }
        if let Change::RemoveAddress { link, prefix, peer } = step
            && self.is_anothers_address(link, *prefix, *peer)
        {
            return Ok(());
        }
        let done = match step {
            Change::RemoveRule { namespace, rule } => self.take_rule_away(step, namespace, rule),
            Change::PutRoute { namespace, route, .. } => {
                let done = self.perform(step, true).map(drop);
                done.or_else(|error| self.complete(error, namespace, route))
            }
            Change::ChangeLink { settings, .. } => {
                self.perform(step, true).and_then(|applied| self.give_back(settings, &applied))
            }
            _ => self.perform(step, true).map(drop),
        };
        match done {
            Ok(()) => Ok(()),
            Err(error) if is_gone(step, &error) => Ok(()),
            Err(_) if self.went_with_its_link(step) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What somebody has put on a link since then is not lost with a MAC address or a master that is
    /// taken back, nor with a link that goes down again, as far as such a one can have it.
    fn give_back(&mut self, settings: &[Setting], applied: &Applied) -> Result<(), Error> {
        let down = settings.contains(&Setting::Up(false));
        let theirs = |step: &Change| match step {
            Change::PutNeighbour { .. } => true,
            Change::PutAddress { link, address, .. } => down && self.is_theirs(link, address),
            _ => false,
        };
        let lost: Vec<&Change> = applied.undo.steps.iter().filter(|step| theirs(step)).collect();
        lost.into_iter().try_for_each(|step| self.perform(step, true).map(drop))
    }

    /// The kernel takes the first rule that fits, and what a rule leaves open fits anything: so that it
    /// may be another run's, which is put back then, behind the one that is meant.
    fn take_rule_away(
        &mut self,
        step: &Change,
        namespace: &NamespaceRef,
        rule: &Rule,
    ) -> Result<(), Error> {
        let space = self.spaces.find(namespace)?;
        for _ in self.rules(&space, rule.family)? {
            let all = self.rules(&space, rule.family)?;
            let Some(meant) = all.into_iter().find(|there| is_put_rule(rule, there)) else { break };
            let taken = self.remove_rule(step, namespace, &meant)?;
            match taken.undo.steps.first() {
                Some(Change::AddRule { rule: lost, .. }) if *lost != meant => {
                    let (namespace, rule) = (namespace.clone(), lost.clone());
                    self.perform(&Change::AddRule { namespace, rule }, true)?;
                }
                Some(_) | None => break,
            }
        }
        Ok(())
    }

    /// Whether what has a link's index now is another link, or nothing at all.
    pub(super) fn is_another(&self, link: &LinkRef) -> Result<bool, Error> {
        let space = match self.spaces.find(&link.namespace) {
            Ok(space) => space,
            Err(Error::Gone(_)) => return Ok(true),
            Err(error) => return Err(error),
        };
        let Some(index) = link.index else { return Ok(false) };
        match self.link_at(&space, link, index) {
            // Indexes are chosen by runs, so that they may be used again. In others' namespaces a
            // link that somebody renamed is still the same one, and what carries another run's
            // mark never was.
            Ok(now) if space.own => Ok(now.name != link.name && !self.is_lent(&space, now.index)),
            Ok(now) => Ok(self.lost_its_mark(&space, &now)
                || self.is_of_another_run(&now)
                || self.is_lookalike(&space, &now)),
            Err(Error::Gone(_)) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Whether a link that the run has made is gone from a namespace of others', where its index may
    /// be another link's by now: a run that was killed after it had deleted one, and before it had
    /// noted that, deletes it twice.
    fn is_not_ours(&self, link: &LinkRef) -> bool {
        let found = self.resolve(link).ok();
        found.is_some_and(|(space, now)| !self.may_delete(&space, &now))
    }

    /// Whether a link that was about to be moved did not get there: before it does, nobody knows
    /// which index it will have.
    fn never_arrived(&self, link: &LinkRef) -> bool {
        let Ok(space) = self.spaces.find(&link.namespace) else { return true };
        let moved = |index| {
            self.moves.iter().any(|moved| moved.at == (space.cookie, index))
                || self.is_lent(&space, index)
        };
        link.index.is_none()
            && !space.link(&link.name).ok().flatten().is_some_and(|now| moved(now.index))
    }

    /// Whether a step is about a route of the run's own whose link is gone, and the route with it.
    pub(super) fn went_with_its_link(&self, step: &Change) -> bool {
        let (Change::PutRoute { namespace, route, .. } | Change::RemoveRoute { namespace, route }) =
            step
        else {
            return false;
        };
        let Ok(space) = self.spaces.find(namespace) else { return true };
        let mut links = route.next_hops.iter().filter_map(|hop| hop.link.as_deref());
        (space.own || is_marked(route.protocol))
            && links.any(|name| matches!(space.link(name), Ok(None)))
    }

    /// Whether a neighbour is still what the run has put there. The kernel keeps the protocol of one
    /// that is replaced without any.
    fn is_neighbour_as_put(&self, link: &LinkRef, put: &Neighbour) -> bool {
        let Ok((space, index)) = self.index_of(link) else { return true };
        let there = neighbour::held(&space, index, put.address, put.proxy);
        there.is_some_and(|there| {
            there.mac == put.mac && (there.proxy || is_lasting(&there) == is_lasting(put))
        })
    }

    /// Whether somebody else put the address there since, after this run's was removed.
    fn is_anothers_address(&self, link: &LinkRef, prefix: Prefix, peer: Option<Prefix>) -> bool {
        let Ok((space, index)) = self.index_of(link) else { return false };
        if space.own {
            return false;
        }
        let there = address::held(&space, index, prefix, peer);
        there.is_some_and(|there| !is_marked(there.protocol)) && address::tells_protocols(&space)
    }
}

/// Whether a step puts back an address, a route or a neighbour of IPv6, or an order of addresses.
pub(super) fn restores_ipv6(step: &Change) -> bool {
    matches!(step, Change::PutAddress { address, .. } if address.prefix.address.is_ipv6())
        || matches!(step, Change::OrderAddresses { addresses, .. }
            if addresses.iter().any(|one| one.prefix.address.is_ipv6()))
        || matches!(step, Change::PutRoute { route, .. } | Change::RemoveRoute { route, .. }
            if route.family == Family::Ipv6)
        || matches!(step, Change::PutNeighbour { neighbour, .. } if neighbour.address.is_ipv6())
}

/// Whether a step failed because the state that it should bring about is there already.
fn is_gone(step: &Change, error: &Error) -> bool {
    let refused = match error {
        Error::Gone(_) => return true,
        Error::Kernel(error) => error,
        Error::Denied(_)
        | Error::Invalid(_)
        | Error::Missing(_)
        | Error::Timeout(_)
        | Error::Limit(_)
        | Error::Unsupported(_)
        | Error::Halted(_) => return false,
    };
    let puts = matches!(
        step,
        Change::PutAddress { .. }
            | Change::PutRoute { .. }
            | Change::AddRule { .. }
            | Change::PutNeighbour { .. }
            | Change::PutEntry { .. }
    );
    match puts {
        true => refused.errno == libc::EEXIST,
        false => refused.means_gone(),
    }
}
