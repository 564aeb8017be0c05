//! Tests of recipes by plain `cargo test`: a host that keeps its network in memory.
//!
//! A [`MemoryHost`] answers everything that a recipe of the same thread asks. It remembers each
//! change, refuses what the kernel would refuse where recipes notice (a name that is taken, a
//! parent that is missing, a second child beside a passthru one, an MTU above the parent's), and
//! says to probes what the test told it.
//!
//! ```
//! use netwright_sdk::prelude::*;
//! use netwright_sdk::testing::MemoryHost;
//!
//! /// Two namespaces with a cable between
//! #[recipe(name = "cable", version = "0.1.0")]
//! fn cable(lab: &Lab) -> Result<()> {
//!     let left = lab.namespace("left")?;
//!     let right = lab.namespace("right")?;
//!     left.veth("eth0").address("10.0.0.1/24")
//!         .peer((&right, "eth0")).peer_address("10.0.0.2/24")
//!         .create()?;
//!     left.ping("10.0.0.2").expect_reply()
//! }
//!
//! # fn main() -> Result<()> {
//! let host = MemoryHost::new();
//! host.answer_ping("10.0.0.2");
//! host.run(&RECIPE)?;
//! assert_eq!(host.changes(), [
//!     "netns add left",
//!     "netns add right",
//!     "-n left link add name eth0 up type veth peer name right/eth0 up",
//!     "-n left address add 10.0.0.1/24 dev eth0",
//!     "-n right address add 10.0.0.2/24 dev eth0",
//! ]);
//! assert!(host.checks().iter().all(|check| check.passed()));
//! # Ok(())
//! # }
//! ```

mod answers;
mod change;
pub(crate) mod imports;
mod network;
pub(crate) mod state;
mod words;

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

pub use change::{Change, Site};

use crate::link::LinkReference;
use crate::wit::captures::{Direction, Frame};
use crate::wit::exec::Outcome;
use crate::wit::links::Info as LinkInfo;
use crate::wit::log::Level;
use crate::wit::probes::Transport;
use crate::wit::report::Verdict;
use crate::wit::routes::Route;
use crate::{Error, Fault, IntoAddress, IntoMac, Prefix, Recipe, Result};
use network::{LinkId, ROOT};
use state::{Shared, State, Wire, install, uninstall};

/// A check of the recipe's report.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// What was checked.
    pub name: String,
    /// How it turned out.
    pub verdict: Verdict,
    /// What was seen.
    pub detail: String,
}

impl Check {
    /// The check held.
    pub fn passed(&self) -> bool {
        self.verdict == Verdict::Pass
    }
}

/// A figure of the recipe's report.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// What was measured.
    pub name: String,
    /// How much.
    pub value: f64,
    /// Of what.
    pub unit: String,
}

/// A file of the recipe's report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The file's name.
    pub name: String,
    /// The kind of its content, RFC 6838.
    pub media_type: String,
    /// Its content.
    pub data: Vec<u8>,
}

/// A host in memory, for the recipes of this thread until it is dropped.
pub struct MemoryHost {
    state: Shared,
}

impl Default for MemoryHost {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryHost {
    /// An empty lab: a root namespace with its `lo`.
    pub fn new() -> Self {
        let state = Rc::new(RefCell::new(State::new()));
        install(&state);
        Self { state }
    }

    fn tell<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.borrow_mut())
    }

    /// Runs a recipe as the runner does: first its check, then all of it.
    pub fn run(&self, recipe: &Recipe) -> Result<()> {
        let faults = recipe.check();
        if !faults.is_empty() {
            return Err(crate::params::fault::refuse(&faults));
        }
        recipe.run()
    }

    /// All that the recipe finds wrong with its parameters.
    pub fn check(&self, recipe: &Recipe) -> Vec<Fault> {
        recipe.check()
    }

    /// Gives a parameter, as `-p NAME=VALUE`.
    pub fn set_param(&self, name: impl Into<String>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        self.tell(|state| {
            state.params.retain(|(known, _)| *known != name);
            state.params.push((name, value));
        });
    }

    /// All parameters of the recipe that runs next, in place of those before.
    pub fn set_params(&self, params: impl IntoIterator<Item = (String, String)>) {
        self.tell(|state| state.params = params.into_iter().collect());
    }

    /// Whether the recipe is told that its changes are only recorded.
    pub fn set_dry_run(&self, dry_run: bool) {
        self.tell(|state| state.dry_run = dry_run);
    }

    /// A link of the root namespace that is there before the recipe comes, up, as a machine's NIC.
    pub fn add_device(&self, name: &str) {
        self.tell(|state| state.network.add_device(ROOT, name));
    }

    /// Lets a change fail whose ip(8) words hold this text.
    pub fn refuse(&self, words: impl Into<String>, error: Error) {
        let refusal = (words.into(), error.into_wit());
        self.tell(|state| state.refusals.push(refusal));
    }

    /// Lets an address answer echo requests from everywhere; all others are silent.
    ///
    /// # Panics
    /// The address is none.
    pub fn answer_ping(&self, address: impl IntoAddress) {
        let address = sound(address.into_address());
        self.tell(|state| state.answers.add_ping(None, address));
    }

    /// Lets an address answer echo requests from one namespace.
    ///
    /// # Panics
    /// The address is none.
    pub fn answer_ping_from(&self, namespace: impl Into<String>, address: impl IntoAddress) {
        let address = sound(address.into_address());
        self.tell(|state| state.answers.add_ping(Some(namespace.into()), address));
    }

    /// Lets a station answer ARP requests for an address.
    ///
    /// # Panics
    /// The address is none.
    pub fn answer_arp(&self, address: impl IntoAddress, station: impl IntoMac) {
        let (address, mac) = (sound(address.into_address()), sound(station.into_mac()));
        self.tell(|state| state.answers.add_station(address, mac.into()));
    }

    /// Lets a server answer each connection or datagram so. Servers that the recipe opens need
    /// no telling.
    ///
    /// # Panics
    /// The address is none.
    pub fn answer_service(
        &self,
        transport: Transport,
        address: impl IntoAddress,
        port: u16,
        answer: impl Into<Vec<u8>>,
    ) {
        let (address, answer) = (sound(address.into_address()), answer.into());
        self.tell(|state| state.answers.add_service(transport, address, port, answer));
    }

    fn link_id(&self, link: impl LinkReference) -> Option<LinkId> {
        let path = link.path().ok()?;
        let site = Site { namespace: path.namespace.unwrap_or_default(), name: path.name };
        self.state.borrow().network.link_at(&site).ok()
    }

    fn wire<T>(&self, link: impl LinkReference, act: impl FnOnce(&mut Wire) -> T) -> T {
        match self.link_id(link) {
            Some(id) => self.tell(|state| act(state.wires.entry(id).or_default())),
            None => panic!("there is no such link"),
        }
    }

    /// Lets a frame arrive at a tap: `("tap0", frame)`, `("ns1/tap0", frame)`.
    ///
    /// # Panics
    /// There is no such link.
    pub fn arrive(&self, link: impl LinkReference, frame: impl Into<Vec<u8>>) {
        self.wire(link, |wire| wire.arriving.push_back(frame.into()));
    }

    /// The frames that the recipe has sent by a tap.
    ///
    /// # Panics
    /// There is no such link.
    pub fn sent(&self, link: impl LinkReference) -> Vec<Vec<u8>> {
        self.wire(link, |wire| wire.sent.clone())
    }

    /// Lets a frame pass a link, for captures of it to see: `("switch/port1", Direction::Incoming,
    /// frame)`. The link need not be there yet; the frame has passed when it comes.
    ///
    /// # Panics
    /// That can't be the name of a link.
    pub fn pass(&self, link: impl LinkReference, direction: Direction, frame: impl Into<Vec<u8>>) {
        let path = sound(link.path());
        let site = Site { namespace: path.namespace.unwrap_or_default(), name: path.name };
        let data = frame.into();
        self.tell(|state| {
            let timestamp_ns = u64::try_from(state.passing.len()).unwrap_or(u64::MAX);
            let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
            state.passing.push((site, Frame { timestamp_ns, direction, length, data }));
        });
    }

    /// What a program comes to when the recipe runs it; without an answer it can't be run.
    pub fn program(&self, path: &str, outcome: Outcome) {
        self.tell(|state| state.programs.push((path.to_owned(), outcome)));
    }

    /// The programs that were run, with their arguments.
    pub fn executed(&self) -> Vec<Vec<String>> {
        self.state.borrow().executed.clone()
    }

    /// Every change so far, in ip(8)'s words without the `ip`.
    pub fn changes(&self) -> Vec<String> {
        self.state.borrow().changes.iter().map(Change::to_string).collect()
    }

    /// Every change so far, as data.
    pub fn changes_as_data(&self) -> Vec<Change> {
        self.state.borrow().changes.clone()
    }

    /// A link as it is now: `"eth0"`, `"ns1/eth0"`.
    pub fn link(&self, link: impl LinkReference) -> Option<LinkInfo> {
        let id = self.link_id(link)?;
        self.state.borrow().network.info(id).ok()
    }

    /// The addresses of a link.
    pub fn addresses(&self, link: impl LinkReference) -> Vec<Prefix> {
        let Some(id) = self.link_id(link) else { return Vec::new() };
        let addresses = self.state.borrow().network.addresses_of(id);
        addresses.iter().map(|info| info.prefix()).collect()
    }

    /// The routes of a namespace, that of each connected network included.
    pub fn routes(&self, namespace: &str) -> Vec<Route> {
        let state = self.state.borrow();
        let stack = state.network.namespace(namespace).and_then(|id| state.network.stack(id));
        stack.map(|stack| stack.routes.clone()).unwrap_or_default()
    }

    /// The names of all namespaces but the root one.
    pub fn namespaces(&self) -> Vec<String> {
        let state = self.state.borrow();
        let names = state.network.stacks.values().map(|stack| stack.name.clone());
        names.filter(|name| !name.is_empty()).collect()
    }

    /// The recipe's steps.
    pub fn steps(&self) -> Vec<String> {
        self.state.borrow().told.steps.clone()
    }

    /// The recipe's checks.
    pub fn checks(&self) -> Vec<Check> {
        self.state.borrow().told.checks.clone()
    }

    /// The recipe's figures.
    pub fn metrics(&self) -> Vec<Metric> {
        self.state.borrow().told.metrics.clone()
    }

    /// What the recipe printed.
    pub fn prints(&self) -> Vec<String> {
        self.state.borrow().told.prints.clone()
    }

    /// The recipe's files.
    pub fn attachments(&self) -> Vec<Attachment> {
        self.state.borrow().told.attachments.clone()
    }

    /// The recipe's lines in the log.
    pub fn log(&self) -> Vec<(Level, String)> {
        self.state.borrow().told.log.clone()
    }
}

/// A test's own values; a wrong one is a bug of the test.
fn sound<T>(value: Result<T>) -> T {
    match value {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}

impl Drop for MemoryHost {
    fn drop(&mut self) {
        uninstall(&self.state);
    }
}

impl fmt::Debug for MemoryHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryHost").field("changes", &self.changes()).finish()
    }
}
