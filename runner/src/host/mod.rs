//! What a recipe can call. One file for each interface of the contract; all of them meet in
//! `Session::perform`, the one place where a change is permitted, applied and remembered.

mod batch;
pub mod bindings;
mod budget;
mod captures;
pub(crate) mod clock;
mod control;
mod convert;
mod ensure;
mod exec;
mod handle;
mod links;
mod namespaces;
mod neighbours;
pub(crate) mod notation;
mod probes;
mod qdisc;
mod routes;
mod saved;
mod session;
mod taps;
mod verify;
mod vlans;

pub use batch::BatchHandle;
pub use budget::{Budget, LimitReached};
pub(crate) use budget::{MOST_PARTS, Weight};
pub use handle::{
    CaptureHandle, LinkHandle, ListenerHandle, NamespaceHandle, PingingHandle, Refusal, TapHandle,
};
pub use session::Session;

use wasmtime::component::ResourceTable;

use crate::report::Level;
use crate::scenario::Limits;

/// The host as one recipe sees it, for one call of its exports.
pub struct Host {
    pub(crate) session: Session,
    /// Shown before everything that the recipe says.
    pub(crate) recipe: String,
    pub(crate) budget: Budget,
    /// of the message that is answered
    pub(crate) heard: Weight,
    /// The last error that the recipe logged: a panic's text comes before its trap.
    pub(crate) last_words: Option<String>,
    /// what stands behind the recipe's handles
    table: ResourceTable,
    /// to WASI's standard output and error
    written: Vec<u8>,
}

impl Host {
    pub fn new(session: Session, recipe: String, limits: &Limits) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles);
        Self {
            session,
            recipe,
            budget: Budget::new(limits),
            heard: Weight::default(),
            last_words: None,
            table,
            written: Vec::new(),
        }
    }

    /// Ends the recipe's part; what it wrote to WASI's streams goes into the log.
    pub fn into_session(mut self) -> Session {
        for line in String::from_utf8_lossy(&self.written).lines() {
            self.session.report.log(&self.recipe, Level::Info, line);
        }
        self.session
    }
}
