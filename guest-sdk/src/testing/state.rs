//! All that the in-memory host knows, one a thread.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::rc::Rc;

use super::answers::Answers;
use super::change::{Change, Site};
use super::network::{LinkId, NamespaceId, Network, order};
use super::{Attachment, Check, Metric};
use crate::wit::captures::Frame;
use crate::wit::exec::Outcome;
use crate::wit::links::Statistics;
use crate::wit::log::Level;
use crate::wit::probes::{Condition, Transport};
use crate::wit::types::{Error, IpAddress};

/// The frames of one tap.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    pub(crate) arriving: VecDeque<Vec<u8>>,
    pub(crate) sent: Vec<Vec<u8>>,
}

/// What the recipe said.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub(crate) steps: Vec<String>,
    pub(crate) checks: Vec<Check>,
    pub(crate) metrics: Vec<Metric>,
    pub(crate) prints: Vec<String>,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) log: Vec<(Level, String)>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) network: Network,
    pub(crate) changes: Vec<Change>,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) dry_run: bool,
    /// nanoseconds that the recipe has slept
    pub(crate) slept: u64,
    pub(crate) answers: Answers,
    pub(crate) wires: BTreeMap<LinkId, Wire>,
    /// the frames that captures see, and of which link
    pub(crate) passing: Vec<(Site, Frame)>,
    /// what programs come to, by their paths
    pub(crate) programs: Vec<(String, Outcome)>,
    /// programs that were run, with their arguments
    pub(crate) executed: Vec<Vec<String>>,
    pub(crate) told: Told,
    /// words of changes that are to be refused, with the error
    pub(crate) refusals: Vec<(String, Error)>,
}

pub(crate) type Shared = Rc<RefCell<State>>;

thread_local! {
    static CURRENT: RefCell<Option<Shared>> = const { RefCell::new(None) };
}

/// Makes a state this thread's own, in place of any other.
pub(crate) fn install(state: &Shared) {
    CURRENT.with(|current| *current.borrow_mut() = Some(Rc::clone(state)));
}

/// Ends it, unless another has taken its place.
pub(crate) fn uninstall(state: &Shared) {
    CURRENT.with(|current| {
        let mut current = current.borrow_mut();
        if current.as_ref().is_some_and(|installed| Rc::ptr_eq(installed, state)) {
            *current = None;
        }
    });
}

/// Asks this thread's host. Outside of a component there is none but a test's.
pub(crate) fn with<T>(ask: impl FnOnce(&mut State) -> T) -> T {
    match try_with(ask) {
        Some(answer) => answer,
        None => panic!("no host answers here: make a `netwright_sdk::testing::MemoryHost` first"),
    }
}

/// None where there is no host any more, for handles that outlive it.
pub(crate) fn try_with<T>(ask: impl FnOnce(&mut State) -> T) -> Option<T> {
    let current = CURRENT.with(|current| current.borrow().clone())?;
    let mut state = current.borrow_mut();
    Some(ask(&mut state))
}

impl State {
    pub(crate) fn new() -> Self {
        Self {
            network: Network::new(),
            changes: Vec::new(),
            params: Vec::new(),
            dry_run: false,
            slept: 0,
            answers: Answers::default(),
            wires: BTreeMap::new(),
            passing: Vec::new(),
            programs: Vec::new(),
            executed: Vec::new(),
            told: Told::default(),
            refusals: Vec::new(),
        }
    }

    /// The error that the test has for such a change.
    fn refusal(&self, change: &Change) -> Option<Error> {
        let words = change.to_string();
        let found = self.refusals.iter().find(|(part, _)| words.contains(part.as_str()));
        found.map(|(_, error)| error.clone())
    }

    /// Makes a change and remembers it.
    pub(crate) fn perform(&mut self, change: Change) -> Result<(), Error> {
        if let Some(error) = self.refusal(&change) {
            return Err(error);
        }
        self.network.apply(&change)?;
        self.changes.push(change);
        Ok(())
    }

    /// Makes all changes or none, and remembers them in the order of their making.
    pub(crate) fn perform_all(&mut self, changes: &[Change]) -> Result<(), (usize, Error)> {
        for (place, change) in changes.iter().enumerate() {
            if let Some(error) = self.refusal(change) {
                return Err((place, error));
            }
        }
        let order = self.network.apply_all(changes)?;
        self.changes.extend(order.into_iter().map(|place| changes[place].clone()));
        Ok(())
    }

    /// Brings about what the changes ask for, or does nothing, and remembers what it took.
    pub(crate) fn ensure_all(&mut self, wanted: &[Change]) -> Result<usize, (usize, Error)> {
        let before = self.network.clone();
        let mut made = Vec::new();
        for place in order(wanted) {
            for change in self.network.lacking(&wanted[place]) {
                let refused = self.refusal(&change).map_or(Ok(()), Err);
                if let Err(error) = refused.and_then(|()| self.network.apply(&change)) {
                    self.network = before;
                    return Err((place, error));
                }
                made.push(change);
            }
        }
        let count = made.len();
        self.changes.extend(made);
        Ok(count)
    }

    /// The frames that pass a link.
    pub(crate) fn passed(&self, site: &Site) -> impl Iterator<Item = &Frame> {
        self.passing.iter().filter(move |(at, _)| at == site).map(|(_, frame)| frame)
    }

    /// What the taps have seen; nothing else counts packets here.
    pub(crate) fn statistics(&self, link: LinkId) -> Statistics {
        let sent = self.wires.get(&link).map(|wire| wire.sent.as_slice()).unwrap_or_default();
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        Statistics {
            received_packets: 0,
            received_bytes: 0,
            received_errors: 0,
            received_dropped: 0,
            sent_packets: count(sent.len()),
            sent_bytes: count(sent.iter().map(Vec::len).sum()),
            sent_errors: 0,
            sent_dropped: 0,
        }
    }

    /// What a server answers: one of the recipe's, or one that the test has told of.
    pub(crate) fn serve(
        &mut self,
        transport: Transport,
        to: IpAddr,
        port: u16,
        data: &[u8],
    ) -> Option<Vec<u8>> {
        let network = &self.network;
        let mut servers = self.answers.servers.values_mut();
        let own = servers.find(|server| {
            (server.transport, server.port) == (transport, port)
                && network.has_address(server.namespace, to)
        });
        match own {
            Some(server) => {
                server.accepted += 1;
                let silent = transport == Transport::Udp && !server.echo;
                (!silent).then(|| if server.echo { data.to_vec() } else { Vec::new() })
            }
            None => self.answers.service(transport, to, port),
        }
    }

    /// Whether a condition holds; here nothing comes to hold by waiting.
    pub(crate) fn holds(&self, id: NamespaceId, namespace: &str, condition: &Condition) -> bool {
        let link = |name: &str| self.network.find_link(id, name);
        let carrier = |name: &str| link(name).is_some_and(|link| self.network.carrier(link));
        match condition {
            Condition::LinkCarrier(name) => carrier(name),
            Condition::LinkNoCarrier(name) => link(name).is_some() && !carrier(name),
            Condition::LinkGone(name) => link(name).is_none(),
            Condition::AddressReady((name, address)) => link(name).is_some_and(|link| {
                let addresses = self.network.addresses_of(link);
                addresses.iter().any(|info| info.address.prefix.address == *address)
            }),
            Condition::RouteTo(address) => self.network.lookup(id, (*address).into()).is_ok(),
            Condition::Neighbour((name, address)) => {
                link(name).is_some_and(|link| self.knows(link, *address))
            }
            Condition::Answers(address) => self.answers.pings(namespace, (*address).into()),
            Condition::Silent(address) => !self.answers.pings(namespace, (*address).into()),
        }
    }

    fn knows(&self, link: LinkId, address: IpAddress) -> bool {
        let known = self.network.link(link).map(|link| link.neighbours.as_slice());
        known.unwrap_or_default().iter().any(|neighbour| neighbour.address == address)
    }
}
