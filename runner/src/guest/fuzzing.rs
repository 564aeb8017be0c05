//! The door for fuzzers: arbitrary bytes as what a guest's process says. Only builds for fuzzing
//! have it.

use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::message::Word;
use super::wire::{Inbox, decode_hostile, encode};
use crate::change::{
    Answer, Applied, Change, LinkRef, Made, Name, NamespaceRef, Query, Route, Undo,
};
use crate::halt::Halt;
use crate::host::{Host, Session};
use crate::journal::Claim;
use crate::kernel::Permitted;
use crate::kernel::{
    Absent, BatchError, Census, Error, Kernel, Lacking, LinkSight, NamespaceWatcher, SpaceSight,
};
use crate::policy::Policy;
use crate::report::{Report, View};
use crate::scenario::Limits;

/// Longer than what computes, shorter than what waits.
const PATIENCE: Duration = Duration::from_millis(50);
/// Bytes of one message.
const LONGEST: usize = 1 << 20;

/// Serves what a process could have sent, message after message, as the broker does, until one of
/// them ends the recipe. How many were served.
pub fn serve(bytes: &[u8]) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("it opens what any program opens");
    let served = runtime.block_on(all(bytes));
    // What still resolves a name isn't waited for.
    runtime.shutdown_background();
    served
}

async fn all(bytes: &[u8]) -> usize {
    let limits = Limits::default();
    let view = View { json: true, quiet: true, verbose: false };
    let report = Report::new("fuzzed", "lab", view);
    let halt = Halt::within(PATIENCE);
    let kernel = Box::new(Willing::default());
    let session = Session::new(Policy::Lab, kernel, report, &limits, halt);
    let mut host = Host::new(session, "fuzzed".to_owned(), &limits);
    let mut inbox = Inbox::default();
    let mut served = 0;
    for piece in bytes.chunks(4096) {
        inbox.room()[..piece.len()].copy_from_slice(piece);
        inbox.came(piece.len());
        while let Ok(Some(message)) = inbox.take(LONGEST) {
            let Ok((word, weight)) = decode_hostile::<Word>(message) else { return served };
            host.heard = weight;
            again(&word);
            let (Word::Ask(call) | Word::Tell(call)) = word else { return served };
            match timeout(PATIENCE, call.serve(&mut host, Vec::new())).await {
                Ok(Ok(_)) => served += 1,
                Ok(Err(_)) | Err(_) => return served,
            }
        }
    }
    served
}

/// What was read can be said, and is then read as the same.
fn again(word: &Word) {
    let said = encode(word, Vec::new()).expect("what was read is short enough");
    let (heard, _): (Word, _) = decode_hostile(&said[4..]).expect("what is said can be read");
    assert_eq!(said, encode(&heard, Vec::new()).expect("it was said once"));
}

/// Makes whatever it is asked for, and knows nothing: behind it, handles are what they are named.
#[derive(Default)]
struct Willing {
    made: u32,
}

impl Willing {
    fn make(&mut self, change: &Change) -> Applied {
        self.made += 1;
        let made = match change {
            Change::CreateNamespace { name } => {
                let cookie = Some(self.made.into());
                Made::Namespace(NamespaceRef { name: Some(name.clone()), cookie })
            }
            Change::CreateLink { namespace, spec } => Made::Link(LinkRef {
                namespace: namespace.clone(),
                name: spec.name.to_string(),
                index: Some(self.made),
            }),
            _ => Made::Nothing,
        };
        Applied { made, undo: Undo::default() }
    }
}

impl Kernel for Willing {
    fn apply(&mut self, change: &Permitted<Change>) -> Result<Applied, Error> {
        Ok(self.make(change.get()))
    }

    fn apply_all(&mut self, changes: &[Permitted<Change>]) -> Result<Vec<Applied>, BatchError> {
        Ok(changes.iter().map(|change| self.make(change.get())).collect())
    }

    fn foresee(&self, changes: &[Permitted<Change>]) -> Vec<Undo> {
        changes.iter().map(|_| Undo::default()).collect()
    }

    fn lacking(&self, change: &Change) -> Result<Lacking, Error> {
        Absent::default().lacking(change)
    }

    fn claims(&self, change: &Permitted<Change>) -> Vec<Claim> {
        Absent::default().claims(change)
    }

    fn revert(&mut self, _: &Undo) -> Result<(), Error> {
        Ok(())
    }

    fn query(&self, query: &Permitted<Query>) -> Result<Answer, Error> {
        match query.get() {
            Query::Namespace { namespace } => Ok(Answer::Namespace(namespace.clone())),
            Query::Namespaces => Ok(Answer::Names(Vec::new())),
            _ => Absent::default().query(query),
        }
    }

    fn namespaces(&self) -> Vec<(Name, Arc<OwnedFd>)> {
        Vec::new()
    }

    fn watch_namespaces(&mut self, _: NamespaceWatcher) {}

    fn namespace_descriptor(&self, namespace: &NamespaceRef) -> Result<Arc<OwnedFd>, Error> {
        Absent::default().namespace_descriptor(namespace)
    }

    fn see_space(&self, namespace: &NamespaceRef) -> Result<SpaceSight, Error> {
        Absent::default().see_space(namespace)
    }

    fn see_link(&self, link: &LinkRef) -> Result<LinkSight, Error> {
        Absent::default().see_link(link)
    }

    fn hands_on(&self, _: &LinkRef) -> Result<bool, Error> {
        Ok(false)
    }

    fn carriers(&self, here: IpAddr, there: IpAddr) -> Result<Vec<LinkRef>, Error> {
        Absent::default().carriers(here, there)
    }

    fn ways(&self, from: IpAddr, to: IpAddr) -> Result<Vec<Route>, Error> {
        Absent::default().ways(from, to)
    }

    fn differences(&self, _: &Undo) -> Vec<String> {
        Vec::new()
    }

    fn census(&self) -> Result<Census, Error> {
        Ok(Census::default())
    }

    fn remains(&self) -> Vec<String> {
        Vec::new()
    }
}
