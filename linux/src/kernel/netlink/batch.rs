//! Many changes at once: ordered by what they need, requests sent in rows, all or nothing.
//!
//! Namespaces come first, on several threads; then links and their settings, each after what it
//! stands on; then, namespace by namespace and in the order given, addresses, routes, rules and
//! neighbours. What removes or moves something keeps its place in the list: all before it is done
//! before, all after it after.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Netlink;
use super::create::Plan;
use super::explain::refused;
use super::order::{Needs, stage};
use super::socket::{Failure, Request};
use super::space::Space;
use super::{address, born, namespace, neighbour, port_vlan, qdisc, route, settings};
use crate::change::{Applied, Change, Kind, LinkRef, Made, Name, NamespaceRef, Spec, Undo, Write};
use crate::kernel::{BatchError, Error, kind};

/// A batch under way.
struct Batch<'a> {
    kernel: &'a mut Netlink,
    changes: &'a [&'a Change],
    answers: Vec<Option<Applied>>,
    /// places of the changes that were made, in the order of their making
    made: Vec<usize>,
    /// cookies of namespaces that the batch made
    spaces: HashSet<u64>,
    /// links that the batch made, by namespace and name
    links: HashMap<(Option<Name>, String), LinkRef>,
}

/// A change that failed, by its place.
type Failed = (usize, Error);

/// Links that are born before they get what they could not be born with: a piece of work between two
/// questions whether it may go on.
const LITTER: usize = 32;

/// A request whose answer a change waits for.
struct Pending {
    place: usize,
    request: Request,
    applied: Applied,
}

impl Netlink {
    pub(super) fn perform_all(&mut self, changes: &[&Change]) -> Result<Vec<Applied>, BatchError> {
        let mut batch = Batch {
            answers: vec![None; changes.len()],
            kernel: self,
            changes,
            made: Vec::new(),
            spaces: HashSet::new(),
            links: HashMap::new(),
        };
        match batch.run() {
            Ok(()) => {
                let nothing = || Applied { made: Made::Nothing, undo: Undo::default() };
                Ok(batch.answers.into_iter().map(|one| one.unwrap_or_else(nothing)).collect())
            }
            Err((index, error @ Error::Halted(_))) => {
                let standing = batch.standing();
                Err(BatchError { standing, ..BatchError::new(index, error) })
            }
            Err((index, error)) => {
                let left = batch.undo();
                let standing = batch.standing();
                Err(BatchError { left, standing, ..BatchError::new(index, error) })
            }
        }
    }
}

impl Batch<'_> {
    fn run(&mut self) -> Result<(), Failed> {
        for (place, change) in self.changes.iter().enumerate() {
            check(change).map_err(|error| (place, error))?;
            self.kernel.check_offered(change).map_err(|error| (place, error))?;
        }
        let mut start = 0;
        while start < self.changes.len() {
            let run = self.changes[start..].iter().take_while(|change| stage(change).is_some());
            let end = start + run.count();
            self.segment((start..end).collect())?;
            if let Some(change) = self.changes.get(end) {
                let answer = self.kernel.perform(change, false);
                let applied = answer.map_err(|error| (end, error))?;
                self.done(end, applied);
            }
            start = end + 1;
        }
        Ok(())
    }

    fn done(&mut self, place: usize, applied: Applied) {
        match &applied.made {
            Made::Link(link) => self.remember(link.clone()),
            Made::Namespace(NamespaceRef { cookie: Some(cookie), .. }) => {
                self.spaces.insert(*cookie);
            }
            Made::Namespace(_) | Made::Nothing => {}
        }
        self.answers[place] = Some(applied);
        self.made.push(place);
    }

    /// Changes that may be ordered among themselves.
    fn segment(&mut self, places: Vec<usize>) -> Result<(), Failed> {
        self.namespaces(&places)?;
        self.links(&places)?;
        let mut rest: Vec<usize> =
            places.into_iter().filter(|place| stage(self.changes[*place]) > Some(0)).collect();
        rest.sort_by_key(|place| stage(self.changes[*place]));
        let mut at: HashMap<u64, usize> = HashMap::new();
        let mut by_space: Vec<(Arc<Space>, Vec<usize>)> = Vec::new();
        for place in rest {
            let space = self.space_of(place).map_err(|error| (place, error))?;
            let at = *at.entry(space.cookie).or_insert(by_space.len());
            match by_space.get_mut(at) {
                Some((_, places)) => places.push(place),
                None => by_space.push((space, vec![place])),
            }
        }
        by_space.iter().try_for_each(|(space, places)| self.contents(space, places))
    }

    fn namespaces(&mut self, places: &[usize]) -> Result<(), Failed> {
        let mut wanted: Vec<(usize, &Name)> = Vec::new();
        let mut names = HashSet::new();
        for place in places {
            let Change::CreateNamespace { name } = self.changes[*place] else { continue };
            let change = self.changes[*place];
            self.kernel.check_free(change, name).map_err(|error| (*place, error))?;
            if !names.insert(name) {
                let sentence = format!("namespace `{name}` is made twice in this batch");
                return Err((*place, Error::Invalid(sentence)));
            }
            wanted.push((*place, name));
        }
        if wanted.is_empty() {
            return Ok(());
        }
        let mut failed = None;
        let halt = self.kernel.halt.clone();
        let mut opened = namespace::create_many(wanted.len(), &halt).into_iter();
        for (place, name) in &wanted {
            halt.may_go_on().map_err(|halted| (*place, halted.into()))?;
            let Some(opened) = opened.next() else { continue };
            let change = self.changes[*place];
            let made = opened.map_err(|error| namespace::namespace_error(&error, change)).and_then(
                |opened| {
                    self.kernel.failpoint.pass(change)?;
                    self.kernel.take_namespace(change, name, opened)
                },
            );
            match made {
                Ok(applied) => self.done(*place, applied),
                Err(error) if failed.is_none() => failed = Some((*place, error)),
                Err(_) => {}
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Links and their settings, as soon as what they need is there.
    fn links(&mut self, places: &[usize]) -> Result<(), Failed> {
        let mut needs = Needs::of(self.changes, places);
        while let Some(ready) = needs.next_round() {
            let first = places.first().copied().unwrap_or_default();
            self.may_go_on(first)?;
            let ready = ready.map_err(|(place, sentence)| (place, Error::Invalid(sentence)))?;
            self.kernel.remember_links(true);
            let answer = self.births(&ready);
            self.kernel.remember_links(false);
            answer?;
            for place in ready {
                if let Change::ChangeLink { .. } = self.changes[place] {
                    self.may_go_on(place)?;
                    self.change_link(place)?;
                }
            }
        }
        Ok(())
    }

    /// Makes the links of one round, request behind request.
    fn births(&mut self, ready: &[usize]) -> Result<(), Failed> {
        let mut plans = Vec::new();
        for place in ready {
            let Change::CreateLink { namespace, spec } = self.changes[*place] else { continue };
            let failed = |error| (*place, error);
            let alone = matches!(spec.kind, Kind::Tun(_) | Kind::Tap(_));
            if alone || self.kernel.asked_uplink(self.changes[*place]).is_some() {
                let answer = self.kernel.perform(self.changes[*place], false);
                self.done(*place, answer.map_err(failed)?);
                continue;
            }
            let target = self.kernel.spaces.find(namespace).map_err(failed)?;
            let plan = self.kernel.plan_link(&target, spec).map_err(failed)?;
            plans.push((*place, spec, plan));
        }
        let mut vias: Vec<Arc<Space>> = Vec::new();
        for (_, _, plan) in &plans {
            if !vias.iter().any(|via| via.cookie == plan.via.cookie) {
                vias.push(Arc::clone(&plan.via));
            }
        }
        let mut failed = None;
        for via in vias {
            let (mine, others): (Vec<_>, Vec<_>) =
                plans.into_iter().partition(|(_, _, plan)| plan.via.cookie == via.cookie);
            plans = others;
            let mut mine = mine.into_iter();
            while failed.is_none() && mine.len() > 0 {
                failed = self.litter(&via, mine.by_ref().take(LITTER).collect());
            }
            if failed.is_some() {
                break;
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Links of one parent's namespace; the first that failed.
    fn litter(&mut self, via: &Space, plans: Vec<(usize, &Spec, Plan)>) -> Option<Failed> {
        let requests = plans.iter().map(|(_, _, plan)| self.kernel.spoiled(plan.request()));
        let requests: Vec<_> = requests.collect();
        let answers = via.execute_all(&requests, &self.kernel.halt);
        let mut failed = None;
        for ((place, spec, plan), answer) in plans.into_iter().zip(answers) {
            let grown = self.grown(place, spec, plan, answer);
            failed = failed.or(grown.err());
        }
        failed
    }

    fn grown(
        &mut self,
        place: usize,
        spec: &Spec,
        plan: Plan,
        answer: Result<(), Failure>,
    ) -> Result<(), Failed> {
        let change = self.changes[place];
        let failed = |error| (place, error);
        let plan = self.kernel.born(change, spec, plan, answer).map_err(failed)?;
        self.kernel.grow_up(change, &plan).map_err(failed)?;
        if let Some((_, peer)) = &plan.peer {
            self.remember(peer.clone());
        }
        self.done(place, born::applied(&plan.link, plan.back));
        Ok(())
    }

    fn remember(&mut self, link: LinkRef) {
        self.links.insert((link.namespace.name.clone(), link.name.clone()), link);
    }

    /// A link by the reference that the batch's own making of it gave, where it made it.
    fn known(&self, link: &LinkRef) -> Option<&LinkRef> {
        if link.index.is_some() {
            return None;
        }
        self.links.get(&(link.namespace.name.clone(), link.name.clone()))
    }

    fn change_link(&mut self, place: usize) -> Result<(), Failed> {
        let change = self.changes[place];
        let Change::ChangeLink { link, settings } = change else { return Ok(()) };
        let failed = |error| (place, error);
        let Some(link) = self.known(link).cloned() else {
            let applied = self.kernel.perform(change, false).map_err(failed)?;
            self.done(place, applied);
            return Ok(());
        };
        self.kernel.failpoint.pass(change).map_err(failed)?;
        // A link that this batch made goes with it: its old settings need not be read.
        let applied = self.kernel.change_new(change, &link, settings).map_err(failed)?;
        self.done(place, applied);
        let renamed = settings::renamed(&link, settings);
        if renamed.name != link.name {
            self.remember(renamed);
        }
        Ok(())
    }

    fn space_of(&self, place: usize) -> Result<Arc<Space>, Error> {
        let change = self.changes[place];
        match change.namespace() {
            Some(namespace) => self.kernel.spaces.find(namespace),
            None => Err(Error::Invalid(format!("`{change}` is in no namespace"))),
        }
    }

    /// Addresses, routes and the like of one namespace, in rows where nothing has to be read.
    fn contents(&mut self, space: &Arc<Space>, places: &[usize]) -> Result<(), Failed> {
        let mut row: Vec<Pending> = Vec::new();
        for place in places {
            self.may_go_on(*place)?;
            let quick = self.quick(space, *place).map_err(|error| (*place, error))?;
            if let Some((request, applied)) = quick {
                row.push(Pending { place: *place, request, applied });
                continue;
            }
            self.flush(space, &mut row)?;
            let answer = self.kernel.perform(self.changes[*place], false);
            let applied = answer.map_err(|error| (*place, error))?;
            self.done(*place, applied);
        }
        self.flush(space, &mut row)
    }

    /// The request of a change whose undo is known beforehand.
    fn quick(&self, space: &Arc<Space>, place: usize) -> Result<Option<(Request, Applied)>, Error> {
        let change = self.changes[place];
        if let Change::PutAddress { link, address, how: Write::Add } = change {
            let full = self.full(space, link)?;
            let index = full.index.unwrap_or(0);
            let request = address::put_request(index, address, Write::Add)?;
            let mut applied = address::put_applied(full, address, None);
            applied.undo.steps.extend(self.kernel.shared_routes(space, index, address));
            return Ok(Some((request, applied)));
        }
        if let Change::PutRoute { route, how: how @ (Write::Add | Write::Append), .. } = change {
            let request = self.kernel.put_route_request(space, route, *how)?;
            return Ok(Some((request, route::route_applied(space, route))));
        }
        if let Change::PutNeighbour { link, neighbour, how: Write::Add } = change {
            let full = self.full(space, link)?;
            let index = full.index.unwrap_or(0);
            let request = neighbour::put_request(index, neighbour, Write::Add)?;
            return Ok(Some((request, neighbour::put_applied(full, neighbour, None))));
        }
        if let Change::PutQdisc { link, qdisc, how: Write::Add } = change
            && self.kernel.host.is_none()
            && let Some(applied) = qdisc::add_applied(&self.full(space, link)?, qdisc)
        {
            let index = self.full(space, link)?.index.unwrap_or(0);
            return Ok(Some((qdisc::add_request(index, qdisc), applied)));
        }
        Ok(None)
    }

    /// A reference that has the link's index.
    fn full(&self, space: &Arc<Space>, link: &LinkRef) -> Result<LinkRef, Error> {
        if let Some(known) = self.known(link) {
            return Ok(known.clone());
        }
        let (_, index) = self.kernel.index_of(link)?;
        Ok(LinkRef { namespace: space.reference(), index: Some(index), ..link.clone() })
    }

    fn flush(&mut self, space: &Arc<Space>, row: &mut Vec<Pending>) -> Result<(), Failed> {
        let requests = row.iter().map(|pending| self.kernel.spoiled(pending.request.clone()));
        let requests: Vec<_> = requests.collect();
        let mut failed = None;
        for (pending, answer) in row.drain(..).zip(space.execute_all(&requests, &self.kernel.halt))
        {
            match answer {
                Ok(()) => self.done(pending.place, pending.applied),
                Err(failure) if failed.is_none() => {
                    let error = self.row_error(space, pending.place, failure);
                    failed = Some((pending.place, error));
                }
                Err(_) => {}
            }
        }
        failed.map_or(Ok(()), Err)
    }

    fn row_error(&self, space: &Arc<Space>, place: usize, failure: Failure) -> Error {
        let change = self.changes[place];
        match change {
            Change::PutAddress { link, address, .. } => {
                let known = self.known(link).cloned().unwrap_or_else(|| link.clone());
                let index = known.index.unwrap_or(0);
                address::address_error(failure, change, space, &known, index, address)
            }
            Change::PutRoute { route, .. } => {
                self.kernel.route_error(failure, change, space, route)
            }
            Change::PutNeighbour { link, neighbour, .. } => {
                neighbour::neighbour_error(failure, change, space, link, neighbour)
            }
            Change::PutQdisc { link, qdisc, how } => {
                let known = self.known(link).cloned().unwrap_or_else(|| link.clone());
                self.kernel.qdisc_error(failure, change, space, &known, (qdisc, *how))
            }
            other => super::explain::explain(failure, other),
        }
    }

    fn may_go_on(&self, place: usize) -> Result<(), Failed> {
        self.kernel.halt.may_go_on().map_err(|halted| (place, halted.into()))
    }

    /// What was made and is not taken back, by its place.
    fn standing(&mut self) -> Vec<(usize, Applied)> {
        let made = std::mem::take(&mut self.made).into_iter();
        made.filter_map(|place| Some((place, self.answers[place].take()?))).collect()
    }

    /// Takes everything back, newest first; what could not be. Where that takes longer than there is
    /// time, the rest stands.
    fn undo(&mut self) -> Vec<Error> {
        let mut left = Vec::new();
        for place in self.made.clone().into_iter().rev() {
            if self.goes_with_its_namespace(self.changes[place]) {
                continue;
            }
            if self.kernel.halt.may_go_on().is_err() {
                return left;
            }
            let Some(applied) = self.answers[place].take() else { continue };
            left.extend(self.kernel.take_back(&applied.undo).err());
        }
        self.made.clear();
        left
    }

    /// What a namespace of this batch holds goes with it, many times faster than one by one. A
    /// veth whose peer stays does not: the peer's name must be free again when this is over.
    fn goes_with_its_namespace(&self, change: &Change) -> bool {
        let ours = |namespace: &NamespaceRef| {
            let found = self.kernel.spaces.find(namespace);
            found.is_ok_and(|space| self.spaces.contains(&space.cookie))
        };
        if matches!(change, Change::CreateNamespace { .. } | Change::MoveLink { .. }) {
            return false;
        }
        if let Change::CreateLink { spec, .. } = change
            && let Kind::Veth(veth) = &spec.kind
            && let Some(name) = &veth.peer.namespace
            && !ours(&NamespaceRef::named(name.clone()))
        {
            return false;
        }
        change.namespace().is_some_and(ours)
    }
}

/// What can be told before anything is done.
fn check(change: &Change) -> Result<(), Error> {
    match change {
        Change::CreateLink { spec, .. } => refused(kind::validate(spec)),
        Change::ChangeLink { settings, .. } => refused(kind::validate_settings(settings)),
        Change::PutAddress { address, .. } => address::check(address),
        Change::PutRoute { route, .. } | Change::RemoveRoute { route, .. } => route::check(route),
        Change::PutQdisc { qdisc, how, .. } => qdisc::check(qdisc, *how),
        Change::PutVlan { vlan, .. } => port_vlan::check(std::slice::from_ref(vlan)),
        Change::RemoveVlan { first, last, .. } => port_vlan::check_range(*first, *last),
        Change::SetVlans { vlans, .. } => port_vlan::check(vlans),
        Change::CreateNamespace { .. }
        | Change::DeleteNamespace { .. }
        | Change::SetNamespaceId { .. }
        | Change::MoveLink { .. }
        | Change::DeleteLink { .. }
        | Change::RemoveAddress { .. }
        | Change::AddRule { .. }
        | Change::RemoveRule { .. }
        | Change::PutNeighbour { .. }
        | Change::RemoveNeighbour { .. }
        | Change::PutEntry { .. }
        | Change::RemoveEntry { .. }
        | Change::SetSysctl { .. }
        | Change::RestoreSysctls { .. }
        | Change::OrderAddresses { .. }
        | Change::RemoveQdisc { .. } => Ok(()),
    }
}
