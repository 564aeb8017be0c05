//! What all steps of a run share, and the only place where a change is made: permit, remember the
//! intent, apply, remember what undoes it.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use tokio::time::Instant;

use super::budget::Objects;
use crate::capture::Captures;
use crate::change::{Answer, Applied, Change, LinkRef, Made, NamespaceRef, Query, Undo};
use crate::exit::{Exit, Failure};
use crate::grant::Grants;
use crate::halt::Halt;
use crate::journal::{Intent, Journal, Standing, unwritable};
use crate::kernel::Permitted;
use crate::kernel::again::{self, Late, Unfinished};
use crate::kernel::{BatchError, Denial, Error, Kernel};
use crate::policy::Reach;
use crate::policy::{Policy, joins_no_bundle, reached_uplinks, uplink_claims, uplink_needs};
use crate::probe::Monitor;
use crate::report::Report;
use crate::scenario::Limits;
use crate::tap::Opener;
use crate::text::shortage;

pub struct Session {
    pub policy: Policy,
    /// what the step that runs may do beyond the lab
    pub grants: Grants,
    pub kernel: Box<dyn Kernel + Send>,
    pub journal: Journal,
    pub report: Report,
    pub(super) objects: Objects,
    /// Opens the character devices of macvtaps, where the operator may.
    pub opener: Option<Opener>,
    /// Tells of links as the kernel changes them, where somebody wants to read it.
    monitor: Option<Monitor>,
    /// A plan is made: recipes are told, and their changes are for show.
    pub rehearsal: bool,
    /// The network was made earlier: what passed its links since then was not captured.
    pub made_earlier: bool,
    pub captures: Captures,
    /// What the scenario's checks do in the machine's own namespace was granted.
    checks_permitted: bool,
    /// Whether the run may go on; asked by whatever takes long.
    pub halt: Halt,
    /// Where a batch was when it might not go on any more, for whoever tells of it.
    halted_in: Option<String>,
}

impl Session {
    pub fn new(
        policy: Policy,
        kernel: Box<dyn Kernel + Send>,
        report: Report,
        limits: &Limits,
        halt: Halt,
    ) -> Self {
        let mut kernel = kernel;
        kernel.heed(halt.clone());
        crate::halt::write_within(&halt);
        Self {
            policy,
            grants: Grants::default(),
            kernel,
            journal: Journal::default(),
            report,
            objects: Objects::new(limits),
            opener: None,
            monitor: None,
            rehearsal: false,
            made_earlier: false,
            captures: Captures::new(limits.captured_bytes),
            checks_permitted: false,
            halt,
            halted_in: None,
        }
    }

    /// Until when the run may wait for anything.
    pub fn deadline(&self) -> Instant {
        self.halt.deadline().into()
    }

    /// Where the run was when it might not go on any more, once.
    pub fn halted_in(&mut self) -> Option<String> {
        self.halted_in.take()
    }

    /// Permits, remembers, applies and remembers again.
    pub fn perform(&mut self, change: Change) -> Result<Made, Error> {
        self.perform_but(change, |_, _| false)
    }

    /// The same where some refusals of the kernel's are no news.
    pub fn perform_but(
        &mut self,
        change: Change,
        is_expected: fn(&Change, &Error) -> bool,
    ) -> Result<Made, Error> {
        let permitted = self.permit_all(vec![change]).map_err(|(_, error)| error)?;
        let Some(change) = permitted.first() else { return Ok(Made::Nothing) };
        self.objects.allow(&[change.get()], || self.kernel.census())?;
        let intent = self.intend(&permitted)?.into_iter().next();
        let applied = self.kernel.apply(change);
        let Some(intent) = intent else { return Ok(Made::Nothing) };
        match applied {
            Ok(applied) => {
                let made = self.done(intent, change.get(), applied);
                self.read_back(&permitted);
                Ok(made)
            }
            Err(error) => {
                self.journal.failed(intent);
                if !matches!(error, Error::Halted(_)) && !is_expected(change.get(), &error) {
                    self.report.refused(change.get(), &error);
                }
                Err(error)
            }
        }
    }

    /// All or none; the error names the change by its place in the list.
    pub(super) fn perform_all(&mut self, changes: Vec<Change>) -> Result<Vec<Made>, BatchError> {
        let count = changes.len();
        let made = self.try_all(changes);
        if let Err(BatchError { error: Error::Halted(_), standing, .. }) = &made {
            let stood = standing.len();
            self.halted_in = Some(format!("after {stood} of {count} changes of a batch"));
        }
        made
    }

    fn try_all(&mut self, changes: Vec<Change>) -> Result<Vec<Made>, BatchError> {
        let fail = BatchError::new;
        let permitted = self.permit_all(changes).map_err(|(index, error)| fail(index, error))?;
        let plain: Vec<&Change> = permitted.iter().map(Permitted::get).collect();
        let allowed = self.objects.allow(&plain, || self.kernel.census());
        allowed.map_err(|error| fail(plain.len().saturating_sub(1), error))?;
        let intents = self.intend(&permitted).map_err(|error| fail(0, error))?;
        match self.kernel.apply_all(&permitted) {
            Ok(applied) => {
                let done = intents.into_iter().zip(&permitted).zip(applied);
                let made = done
                    .map(|((intent, change), applied)| self.done(intent, change.get(), applied))
                    .collect();
                self.read_back(&permitted);
                Ok(made)
            }
            Err(failure) => {
                let mut standing: HashMap<usize, Applied> =
                    failure.standing.iter().cloned().collect();
                for (place, (intent, change)) in intents.into_iter().zip(&permitted).enumerate() {
                    match standing.remove(&place) {
                        // It is taken back with the run.
                        Some(applied) => drop(self.done(intent, change.get(), applied)),
                        None => self.journal.failed(intent),
                    }
                }
                if !failure.left.is_empty() {
                    self.objects.count_anew();
                }
                let halted = matches!(failure.error, Error::Halted(_));
                if let Some(change) = permitted.get(failure.index).filter(|_| !halted) {
                    self.report.refused(change.get(), &failure.error);
                }
                Err(failure)
            }
        }
    }

    /// Writes down what is about to be done. A journal that outlives the run wants to know
    /// beforehand what would take it back, and holds what other runs may not alter meanwhile.
    fn intend(&mut self, changes: &[Permitted<Change>]) -> Result<Vec<Intent>, Error> {
        if !self.journal.wants_foresight() {
            let intents =
                changes.iter().map(|change| self.journal.intend(change.get(), Undo::default()));
            return intents.collect::<Result<_, _>>().map_err(|error| unwritten(&error));
        }
        let mut claims = Vec::new();
        for change in changes {
            self.halt.may_go_on()?;
            claims.extend(self.kernel.claims(change));
        }
        self.journal.claim(claims, &self.halt).map_err(Error::Invalid)?;
        let mut foreseen = Vec::new();
        for change in changes {
            self.halt.may_go_on()?;
            foreseen.extend(self.kernel.foresee(std::slice::from_ref(change)));
        }
        let intents = changes
            .iter()
            .zip(foreseen)
            .map(|(change, foreseen)| self.journal.intend(change.get(), foreseen));
        intents.collect::<Result<_, _>>().map_err(|error| unwritten(&error))
    }

    pub fn query(&mut self, query: Query) -> Result<Answer, Error> {
        let answer = self.policy.ask(query, &*self.kernel);
        self.told(answer)
    }

    /// A namespace's descriptor for a probe of the recipe's.
    pub fn descriptor(&mut self, namespace: &NamespaceRef) -> Result<Arc<OwnedFd>, Error> {
        let may = self.policy.may_probe(namespace, &*self.kernel);
        self.told(may)?;
        self.kernel.namespace_descriptor(namespace)
    }

    /// Whether a scenario's checks may do what they would do in the machine's own namespace; before
    /// anything is made, for nothing of it depends on what the steps make.
    pub fn permit_checks(&mut self, reaches: &[Reach]) -> Result<(), Failure> {
        let Err(refused) = self.policy.may_check(reaches) else {
            self.checks_permitted = true;
            return Ok(());
        };
        let mut lines: Vec<String> = Vec::new();
        for error in refused {
            self.report.refused_by_policy(&error);
            if let Error::Denied(Denial { capability, target, hint, told: _ }) = error {
                lines.push(format!("{capability} for {target}\n  help: {hint}"));
            }
        }
        Err(Failure::new(Exit::Denied, lines.join("\nerror: ")))
    }

    /// The descriptor of a namespace whose link a scenario's check watches.
    pub fn watched_descriptor(&mut self, link: &LinkRef) -> Result<Arc<OwnedFd>, Error> {
        if self.checks_permitted && self.policy.is_the_machines(&link.namespace) {
            return self.checked_descriptor(&link.namespace);
        }
        self.tap_descriptor(link)
    }

    /// A namespace's descriptor for a probe of a scenario's check: it only asks whether stations
    /// answer, and the recipe learns nothing of it.
    pub fn checked_descriptor(&mut self, namespace: &NamespaceRef) -> Result<Arc<OwnedFd>, Error> {
        if !self.checks_permitted && self.policy.is_the_machines(namespace) {
            let may = self.policy.may_probe(namespace, &*self.kernel);
            self.told(may)?;
        }
        self.query(Query::Namespace { namespace: namespace.clone() })?;
        self.kernel.namespace_descriptor(namespace)
    }

    /// From now on the event stream, if there is one, tells of all links of the run.
    pub fn monitor_links(&mut self) {
        self.monitor = self
            .report
            .events()
            .map(|events| Monitor::new(move |kind: &str, facts| events.tell(kind, facts)));
        // The host's own links are not the run's.
        if !matches!(self.policy, Policy::Host(_)) {
            self.monitor_namespace(&NamespaceRef::named(None));
        }
    }

    /// The event stream is a help: where a namespace can't be listened to, the run goes on.
    fn monitor_namespace(&mut self, namespace: &NamespaceRef) {
        let Some(monitor) = &mut self.monitor else { return };
        let name = namespace.name.as_ref().map(ToString::to_string).unwrap_or_default();
        let shown =
            if name.is_empty() { "the root namespace".to_owned() } else { format!("`{name}`") };
        let outcome = self
            .kernel
            .namespace_descriptor(namespace)
            .and_then(|descriptor| monitor.listen(name, &descriptor));
        if let Err(error) = outcome {
            let loss = format!("the events tell nothing of links in {shown}: {error}");
            self.report.result_mut().warnings.push(loss);
        }
    }

    /// Lets the event stream hear what the kernel has said so far.
    pub async fn hear_links(&mut self) {
        if self.monitor.is_some() {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }

    /// The descriptor of a link's namespace, for the link's frames.
    pub fn tap_descriptor(&mut self, link: &LinkRef) -> Result<Arc<OwnedFd>, Error> {
        let may = self.policy.may_tap(link, &*self.kernel);
        self.told(may)?;
        self.kernel.namespace_descriptor(&link.namespace)
    }

    pub(super) fn permit_all(
        &mut self,
        changes: Vec<Change>,
    ) -> Result<Vec<Permitted<Change>>, (usize, Error)> {
        self.may_join_all(&changes)?;
        let permitted = self.policy.permit_all(changes, &*self.kernel);
        permitted.inspect_err(|(_, error)| self.report.refused_by_policy(error))
    }

    /// The same of changes that may be so already: nothing is used up.
    pub(super) fn consider_all(&mut self, changes: Vec<Change>) -> Result<(), (usize, Error)> {
        self.may_join_all(&changes)?;
        let considered = self.policy.consider_all(changes, &*self.kernel);
        considered.inspect_err(|(_, error)| self.report.refused_by_policy(error))
    }

    /// Whether this step's recipe may have an uplink, or make of it what it asks for. What the
    /// operator gives is decided once more by the process that makes it.
    fn may_join_all(&mut self, changes: &[Change]) -> Result<(), (usize, Error)> {
        let reached = reached_uplinks(changes, &*self.kernel);
        for (place, (change, link)) in changes.iter().zip(reached).enumerate() {
            let Some(link) = link else { continue };
            let may = self
                .may_join(change, &link)
                .and_then(|()| joins_no_bundle(change, changes, &*self.kernel));
            self.told(may).map_err(|error| (place, error))?;
        }
        Ok(())
    }

    fn may_join(&self, change: &Change, link: &str) -> Result<(), Error> {
        for request in uplink_needs(link, change) {
            self.grants.allows(&request).map_err(|refusal| {
                Error::Denied(Denial {
                    capability: request.capability.to_string(),
                    target: format!("`{change}`: {refusal}"),
                    hint: refusal.hint(),
                    told: None,
                })
            })?;
        }
        match uplink_claims(change, &*self.kernel) {
            nothing if nothing.is_nothing() => Ok(()),
            claimed => self.kernel.may_claim(link, &claimed),
        }
    }

    /// What the policy says, shown where it refuses.
    pub(super) fn told<T>(&mut self, answer: Result<T, Error>) -> Result<T, Error> {
        answer.inspect_err(|error| self.report.refused_by_policy(error))
    }

    fn done(&mut self, intent: Intent, change: &Change, applied: Applied) -> Made {
        self.objects.count(change);
        if let Change::DeleteNamespace { namespace: NamespaceRef { name: Some(name), .. } } = change
        {
            self.captures.end_in(name);
        }
        self.journal.done(intent, applied.undo);
        self.report.changed(change);
        if let Made::Namespace(namespace) = &applied.made {
            self.monitor_namespace(namespace);
        }
        applied.made
    }

    /// Takes back the newest change that stands, and says what came of it; none once everything
    /// was taken back. A failure is no reason to stop.
    pub fn undo_next(&mut self) -> Option<(Standing, Result<(), Error>)> {
        let (standing, outcome) = self.undo_newest()?;
        let outcome = outcome.map_err(Unfinished::into_error);
        self.tell_undone(&standing, outcome.as_ref().err());
        Some((standing, outcome))
    }

    /// The same for all of them in turn: what fails is told once it was tried again.
    pub fn undo_in_turn(&mut self, late: &mut Late<Standing>) -> bool {
        let Some((standing, outcome)) = self.undo_newest() else { return false };
        late.note(&standing.undo);
        match outcome {
            Ok(()) => self.tell_undone(&standing, None),
            Err(unfinished) => late.add(standing, unfinished),
        }
        true
    }

    /// Tries what failed at its turn again, if it may, and tells all of it. Answers with how many
    /// changes are left.
    pub fn undo_late(&mut self, mut late: Late<Standing>, again: bool) -> usize {
        if again {
            for standing in late.try_again(&mut *self.kernel) {
                self.tell_undone(&standing, None);
            }
        }
        let left = late.into_left().map(|(standing, unfinished)| {
            self.tell_undone(&standing, Some(&unfinished.into_error()));
        });
        left.count()
    }

    fn undo_newest(&mut self) -> Option<(Standing, Result<(), Unfinished>)> {
        let standing = self.journal.newest()?;
        let outcome = again::take_back(&mut *self.kernel, &standing.undo);
        Some((standing, outcome))
    }

    fn tell_undone(&mut self, standing: &Standing, error: Option<&Error>) {
        let told = error.map(ToString::to_string);
        self.report.undone(&standing.change, told.as_deref());
        self.objects.count_anew();
        if error.is_none() {
            self.journal.undone(standing);
        }
    }
}

fn unwritten(error: &std::io::Error) -> Error {
    match shortage(error) {
        Some(_) => Error::Unsupported(unwritable(error)),
        None => Error::Invalid(unwritable(error)),
    }
}
