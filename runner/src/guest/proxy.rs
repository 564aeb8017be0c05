//! The host as the engine sees it in a guest's process: everything is asked of the broker.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::AsyncWrite;
use wasmtime::component::{HasSelf, Linker, ResourceTable};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::calls::Call;
use super::message::{Bounds, Order, Word};
use super::meter::Meter;
use super::wire::{Bytes, Inbox, Reply, decode, encode, look};
use crate::host::Refusal;
use crate::host::bindings::Recipe;
use crate::host::bindings::netwright::host::{batch, captures, taps, types};

/// So many bytes that nobody waits for are sent together.
const NOTED: usize = 8 << 10;

/// The way to the broker.
pub(super) struct Line {
    socket: UnixStream,
    inbox: Inbox,
    outbox: Vec<u8>,
}

impl Line {
    pub(super) fn new(socket: UnixStream) -> Self {
        Self { socket, inbox: Inbox::default(), outbox: Vec::new() }
    }

    /// Goes with the next message, or when they are many.
    fn note(&mut self, word: &impl Serialize) -> io::Result<()> {
        self.outbox = encode(word, std::mem::take(&mut self.outbox))?;
        if self.outbox.len() > NOTED { self.flush() } else { Ok(()) }
    }

    pub(super) fn send(&mut self, word: &impl Serialize) -> io::Result<()> {
        self.outbox = encode(word, std::mem::take(&mut self.outbox))?;
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        let sent = self.socket.write_all(&self.outbox);
        self.outbox.clear();
        sent
    }

    pub(super) fn receive<T: DeserializeOwned>(&mut self) -> io::Result<T> {
        loop {
            // The broker's answers are as long as what they list.
            if let Ok(Some(message)) = self.inbox.take(usize::MAX) {
                return decode(message);
            }
            let came = match look(&self.socket, self.inbox.room())? {
                Some(bytes) => bytes,
                None => self.socket.read(self.inbox.room())?,
            };
            match came {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                bytes => self.inbox.came(bytes),
            }
        }
    }
}

/// The line as the engine and WASI's streams share it, one at a time.
pub(super) type Shared = Arc<Mutex<Line>>;

pub(super) fn lock(line: &Shared) -> MutexGuard<'_, Line> {
    line.lock().unwrap_or_else(PoisonError::into_inner)
}

/// For one call of an export.
pub(super) struct Proxy {
    line: Shared,
    pub(super) order: Order,
    /// when the export was called
    pub(super) called: Instant,
    pub(super) meter: Meter,
    table: ResourceTable,
    wasi: WasiCtx,
}

impl Proxy {
    pub(super) fn new(line: Shared, order: Order, bounds: &Bounds) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(bounds.handles);
        let voice = Voice { line: Arc::clone(&line), left: bounds.written_bytes };
        Self {
            order,
            called: Instant::now(),
            meter: Meter::new(bounds),
            table,
            // Nothing is inherited: no files, no environment, no arguments.
            wasi: WasiCtx::builder().stdout(voice.clone()).stderr(voice).build(),
            line,
        }
    }

    /// Waits for the answer.
    pub(super) fn ask<R: Reply>(&mut self, call: Call) -> R {
        let mut line = lock(&self.line);
        let answer = line.send(&Word::Ask(call)).and_then(|()| line.receive::<R::Wire>());
        match answer {
            Ok(answer) => R::inward(answer),
            Err(error) => R::lost(error.into()),
        }
    }

    /// There is no answer; it is told at once.
    pub(super) fn tell<R: Reply<Wire = ()>>(&mut self, call: Call) -> R {
        match lock(&self.line).send(&Word::Tell(call)) {
            Ok(()) => R::inward(()),
            Err(error) => R::lost(error.into()),
        }
    }

    /// There is no answer, and nobody sees when it is told.
    pub(super) fn note<R: Reply<Wire = ()>>(&mut self, call: Call) -> R {
        match lock(&self.line).note(&Word::Tell(call)) {
            Ok(()) => R::inward(()),
            Err(error) => R::lost(error.into()),
        }
    }
}

impl types::Host for Proxy {
    fn convert_error(&mut self, refusal: Refusal) -> wasmtime::Result<types::Error> {
        match refusal {
            Refusal::Told(error) => Ok(error),
            // Only the broker refuses by itself.
            Refusal::Answer(error) => Err(wasmtime::Error::msg(error.to_string())),
            Refusal::Trap(error) => Err(error),
        }
    }
}

impl batch::Host for Proxy {}
impl taps::Host for Proxy {}
impl captures::Host for Proxy {}

impl WasiView for Proxy {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// WASI's standard output and error: both are the log's. Whoever has written all that he may waits
/// for the end of his time, as at a pipe that nobody reads.
#[derive(Clone)]
struct Voice {
    line: Shared,
    left: usize,
}

impl IsTerminal for Voice {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Voice {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for Voice {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let bytes = &bytes[..bytes.len().min(self.left)];
        if bytes.is_empty() {
            return Poll::Pending;
        }
        self.left -= bytes.len();
        let sent = lock(&self.line).send(&Word::Wrote(Bytes(bytes.to_vec())));
        Poll::Ready(sent.map(|()| bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Offers all of the contract.
pub(super) fn link(linker: &mut Linker<Proxy>) -> wasmtime::Result<()> {
    Recipe::add_to_linker::<_, HasSelf<Proxy>>(linker, |proxy| proxy)
}

/// Offers of WASI what the runtimes of other languages insist on: clocks, random, streams that end
/// in the log, no environment and an empty file system. Never sockets: those would be opened
/// outside the recipe's namespaces, if they could be.
pub(super) fn link_wasi(linker: &mut Linker<Proxy>) -> wasmtime::Result<()> {
    use wasmtime_wasi::cli::{WasiCli, WasiCliView};
    use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
    use wasmtime_wasi::p2::bindings::{cli, filesystem};
    wasmtime_wasi::p2::add_to_linker_proxy_interfaces_async(linker)?;
    cli::exit::add_to_linker::<_, WasiCli>(linker, Proxy::cli)?;
    cli::environment::add_to_linker::<_, WasiCli>(linker, Proxy::cli)?;
    cli::terminal_input::add_to_linker::<_, WasiCli>(linker, Proxy::cli)?;
    cli::terminal_output::add_to_linker::<_, WasiCli>(linker, Proxy::cli)?;
    cli::terminal_stdin::add_to_linker::<_, WasiCli>(linker, Proxy::cli)?;
    cli::terminal_stdout::add_to_linker::<_, WasiCli>(linker, Proxy::cli)?;
    cli::terminal_stderr::add_to_linker::<_, WasiCli>(linker, Proxy::cli)?;
    filesystem::types::add_to_linker::<_, WasiFilesystem>(linker, Proxy::filesystem)?;
    filesystem::preopens::add_to_linker::<_, WasiFilesystem>(linker, Proxy::filesystem)
}
