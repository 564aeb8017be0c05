//! How checks that wait side by side share one session, and take turns to ask the kernel.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use tokio::sync::{Mutex, Notify, Semaphore};
use tokio::task::yield_now;

use super::seen::{Miss, mistaken};
use super::settle::Settlement;
use crate::change::{Answer, LinkInfo, LinkRef, Name, NamespaceRef, Query};
use crate::host::Session;
use crate::kernel::Error;
use crate::policy::Policy;

/// Probes at a time: each has a socket that hears of all the others' in its namespace, too.
const PROBES: usize = 64;

pub(super) struct Asker<'a> {
    /// Never borrowed while anything is waited for.
    pub(super) session: RefCell<&'a mut Session>,
    turn: Mutex<()>,
    pub(super) probes: Semaphore,
    pub(super) settlement: Mutex<Option<Settlement>>,
    /// denials that were shown
    told: RefCell<HashSet<String>>,
    /// something was denied: the run is over, and nothing is asked again
    pub(super) denied: Cell<bool>,
    /// checks that were answered and should not be
    pub(super) answered: RefCell<Vec<usize>>,
    pub(super) news: Notify,
}

impl<'a> Asker<'a> {
    pub(super) fn new(session: &'a mut Session) -> Self {
        Self {
            session: RefCell::new(session),
            turn: Mutex::new(()),
            probes: Semaphore::new(PROBES),
            settlement: Mutex::new(None),
            told: RefCell::default(),
            denied: Cell::new(false),
            answered: RefCell::default(),
            news: Notify::new(),
        }
    }

    /// One after the other, and the runtime looks for signals in between: however many checks
    /// wait, a signal waits for one question only.
    async fn in_turn<T>(&self, ask: impl FnOnce(&mut Session) -> T) -> T {
        let _turn = self.turn.lock().await;
        let answer = ask(&mut self.session.borrow_mut());
        yield_now().await;
        answer
    }

    /// Asks as the operator may; what may not be asked is shown once.
    pub(super) async fn query(&self, query: Query) -> Result<Answer, Error> {
        let answer =
            self.in_turn(|session| session.policy.ask(query, session.kernel.as_ref())).await;
        answer.inspect_err(|error| {
            if matches!(error, Error::Denied(_)) && self.told.borrow_mut().insert(error.to_string())
            {
                self.session.borrow_mut().report.denied(error);
            }
        })
    }

    /// Asks the kernel itself, for what explains an answer.
    pub(super) async fn look(&self, query: Query) -> Result<Answer, Error> {
        self.in_turn(|session| Policy::Lab.ask(query, session.kernel.as_ref())).await
    }

    /// The namespace must be there, and none comes by waiting.
    pub(super) async fn namespace(&self, name: &Option<Name>) -> Result<NamespaceRef, Miss> {
        let namespace = NamespaceRef::named(name.clone());
        self.query(Query::Namespace { namespace: namespace.clone() }).await.map_err(Miss::wrong)?;
        Ok(namespace)
    }

    /// For the sockets of a probe.
    pub(super) async fn inside(&self, name: &Option<Name>) -> Result<Arc<OwnedFd>, Miss> {
        let namespace = self.namespace(name).await?;
        self.in_turn(|session| session.checked_descriptor(&namespace)).await.map_err(Miss::wrong)
    }

    /// A link, or none where its namespace was asked and has none of this name. That it could not
    /// be asked for is no proof that it isn't there.
    pub(super) async fn link(
        &self,
        namespace: &NamespaceRef,
        name: &str,
    ) -> Result<Result<LinkInfo, Miss>, Miss> {
        let link = LinkRef { namespace: namespace.clone(), name: name.to_owned(), index: None };
        let error = match self.query(Query::Link { link }).await {
            Ok(Answer::Links(found)) => {
                return found.into_iter().next().map(Ok).ok_or_else(mistaken);
            }
            Ok(_) => return Err(mistaken()),
            Err(error @ Error::Denied(_)) => return Err(error.into()),
            Err(error) => error,
        };
        match self.look(Query::Links { namespace: namespace.clone() }).await? {
            Answer::Links(all) if all.iter().any(|info| info.name == name) => Err(error.into()),
            Answer::Links(_) => Ok(Err(error.into())),
            _ => Err(mistaken()),
        }
    }

    /// A link as it is, for a probe by it.
    pub(super) async fn look_at(
        &self,
        namespace: &NamespaceRef,
        name: &str,
    ) -> Result<LinkInfo, Miss> {
        let link = LinkRef { namespace: namespace.clone(), name: name.to_owned(), index: None };
        match self.look(Query::Link { link }).await? {
            Answer::Links(found) => found.into_iter().next().ok_or_else(mistaken),
            _ => Err(mistaken()),
        }
    }

    /// What a list leaves out because it is not granted is no proof that it isn't there.
    pub(super) async fn sees_all(&self, namespace: &NamespaceRef) -> Result<(), Miss> {
        let answer = self
            .in_turn(|session| session.policy.may_read_all(namespace, session.kernel.as_ref()))
            .await;
        answer.map_err(|error| {
            if matches!(error, Error::Denied(_)) && self.told.borrow_mut().insert(error.to_string())
            {
                self.session.borrow_mut().report.denied(&error);
            }
            error.into()
        })
    }
}
