//! What a recipe can call. One file for each interface of the contract; all of them meet in
//! `Session::perform`, the one place where a change is permitted, applied and remembered.

mod batch;
mod budget;
mod captures;
mod control;
mod convert;
mod ensure;
mod exec;
mod handle;
mod links;
mod namespaces;
mod neighbours;
mod probes;
mod routes;
mod saved;
mod session;
mod shaping;
mod taps;
mod verify;
mod vlans;

pub use budget::{Budget, LimitReached, Limits};
pub use handle::{
    CaptureHandle, LinkHandle, ListenerHandle, NamespaceHandle, PingingHandle, Refusal, TapHandle,
};
pub use session::Session;

use wasmtime::component::{HasSelf, Linker, ResourceTable};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::bindings::Recipe;
use crate::report::Level;

/// The host as one recipe sees it, for one call of its exports.
pub struct Host {
    pub(crate) session: Session,
    /// Shown before everything that the recipe says.
    pub(crate) recipe: String,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) budget: Budget,
    /// The last error that the recipe logged: a panic's text comes before its trap.
    pub(crate) last_words: Option<String>,
    table: ResourceTable,
    wasi: WasiCtx,
    /// What was written to WASI's standard output and error.
    streams: MemoryOutputPipe,
}

impl Host {
    pub fn new(
        session: Session,
        recipe: String,
        params: Vec<(String, String)>,
        limits: &Limits,
    ) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles);
        let streams = MemoryOutputPipe::new(limits.log_bytes);
        Self {
            session,
            recipe,
            params,
            budget: Budget::new(limits),
            last_words: None,
            table,
            // Nothing is inherited: no files, no environment, no arguments.
            wasi: WasiCtx::builder().stdout(streams.clone()).stderr(streams.clone()).build(),
            streams,
        }
    }

    /// Ends the recipe's part; what it wrote to WASI's streams goes into the log.
    pub fn into_session(mut self) -> Session {
        let written = self.streams.contents();
        for line in String::from_utf8_lossy(&written).lines() {
            self.session.report.log(&self.recipe, Level::Info, line);
        }
        self.session
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// Offers all of the contract.
pub fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    Recipe::add_to_linker::<_, HasSelf<Host>>(linker, |host| host)
}

/// Offers of WASI what the runtimes of other languages insist on: clocks, random, streams that end
/// in the log, no environment and an empty file system. Never sockets: those would be opened by
/// the runner's own threads, outside the recipe's namespaces.
pub fn link_wasi(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
    use wasmtime_wasi::cli::{WasiCli, WasiCliView};
    use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
    use wasmtime_wasi::p2::bindings::{cli, filesystem};
    wasmtime_wasi::p2::add_to_linker_proxy_interfaces_async(linker)?;
    cli::exit::add_to_linker::<_, WasiCli>(linker, Host::cli)?;
    cli::environment::add_to_linker::<_, WasiCli>(linker, Host::cli)?;
    cli::terminal_input::add_to_linker::<_, WasiCli>(linker, Host::cli)?;
    cli::terminal_output::add_to_linker::<_, WasiCli>(linker, Host::cli)?;
    cli::terminal_stdin::add_to_linker::<_, WasiCli>(linker, Host::cli)?;
    cli::terminal_stdout::add_to_linker::<_, WasiCli>(linker, Host::cli)?;
    cli::terminal_stderr::add_to_linker::<_, WasiCli>(linker, Host::cli)?;
    filesystem::types::add_to_linker::<_, WasiFilesystem>(linker, Host::filesystem)?;
    filesystem::preopens::add_to_linker::<_, WasiFilesystem>(linker, Host::filesystem)
}
