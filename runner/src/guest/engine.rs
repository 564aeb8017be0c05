//! WebAssembly itself, in the guest's process: the engine with its limits, and the calls of a
//! recipe's exports.
#![expect(unsafe_code, reason = "machine code from the cache is taken on trust")]

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::sync::Arc;

use rustix::io::Errno;
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, Store, Trap, WasmBacktrace};

use super::message::{Bounds, Ended, Export, Order, Reached, Unfit};
use super::proxy::{Proxy, Shared, link, link_wasi};
use crate::host::bindings::RecipePre;

/// Bytes of WebAssembly stack.
pub(super) const STACK: usize = 1 << 20;

/// A recipe as machine code, ready to be run.
pub(super) struct Loaded {
    engine: Engine,
    recipe: RecipePre<Proxy>,
    bounds: Bounds,
}

/// Nothing interrupts a recipe from within: the broker ends the process.
fn configuration() -> wasmtime::Result<Config> {
    let mut config = Config::new();
    // Of any processor of this architecture, not only of this one: whoever compiled it last may have
    // been another machine with the same home, or an image of one.
    config.target(env!("NETWRIGHT_TARGET"))?;
    config.max_wasm_stack(STACK);
    config.async_stack_size(STACK + (1 << 20));
    config.wasm_backtrace_max_frames(std::num::NonZeroUsize::new(32));
    // An image of a memory is for who makes many of it, and would be a file.
    config.memory_init_cow(false);
    Ok(config)
}

/// Turns the WebAssembly in a file into machine code.
pub(super) fn compile(file: &mut File) -> Result<(), Unfit> {
    let mut config = configuration().map_err(fault)?;
    in_parallel(&mut config, can_start_threads());
    let engine = Engine::new(&config).map_err(fault)?;
    let code = component(&engine, &read(file)?)?.serialize().map_err(fault)?;
    let written = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(&code));
    written.map_err(|error| fault(error.into()))
}

/// Whether as many threads can be started as the compiler would start, which ends where one can't:
/// the machine may allow its user no more processes.
fn can_start_threads() -> bool {
    let number = std::env::var("RAYON_NUM_THREADS").ok().and_then(|number| number.parse().ok());
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let held = Arc::new(std::sync::Mutex::new(held));
    let threads: Vec<_> = (0..number.unwrap_or(1))
        .map(|_| {
            let held = Arc::clone(&held);
            let wait = move || drop(held.lock().map(|held| held.recv()));
            std::thread::Builder::new().spawn(wait)
        })
        .collect();
    drop(hold);
    let started = threads.into_iter().map(|thread| thread.ok().map(|thread| thread.join()));
    started.filter(Option::is_none).count() == 0
}

#[cfg(not(fuzzing))]
fn in_parallel(config: &mut Config, parallel: bool) {
    config.parallel_compilation(parallel);
}

/// Builds for fuzzing have no compiler: Cargo.toml.
#[cfg(fuzzing)]
fn in_parallel(_: &mut Config, _: bool) {}

fn component(engine: &Engine, bytes: &[u8]) -> Result<Component, Unfit> {
    // A precompiled module is native code: only the cache's own are trusted.
    if Engine::detect_precompiled(bytes).is_some() {
        return Err(Unfit::Recipe("it is precompiled native code, not WebAssembly\n  help: run the `.wasm` that it was made from".to_owned()));
    }
    made(engine, bytes).map_err(|error| Unfit::Recipe(format!("it can't be compiled: {error:#}")))
}

#[cfg(not(fuzzing))]
fn made(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Component> {
    Component::new(engine, bytes)
}

/// Builds for fuzzing have no compiler: Cargo.toml.
#[cfg(fuzzing)]
fn made(_: &Engine, _: &[u8]) -> wasmtime::Result<Component> {
    Err(wasmtime::Error::msg("there is no compiler"))
}

fn engine() -> Result<Engine, Unfit> {
    configuration().and_then(|config| Engine::new(&config)).map_err(fault)
}

fn read(file: &mut File) -> Result<Vec<u8>, Unfit> {
    let mut bytes = Vec::new();
    let read = file.rewind().and_then(|()| file.read_to_end(&mut bytes));
    read.map(|_| bytes).map_err(|error| fault(error.into()))
}

fn fault(error: wasmtime::Error) -> Unfit {
    Unfit::Recipe(format!("{error:#}"))
}

impl Loaded {
    /// From a file with machine code.
    pub(super) fn load(file: &mut File, imports_wasi: bool, bounds: Bounds) -> Result<Self, Unfit> {
        let engine = engine()?;
        let mut linker = Linker::new(&engine);
        link(&mut linker).map_err(fault)?;
        if imports_wasi {
            linker.allow_shadowing(true);
            link_wasi(&mut linker).map_err(fault)?;
        }
        let code = read(file)?;
        // SAFETY: it is what `compile` left in the file, for the same recipe and before any of it
        // ran; the broker keeps it where nobody else writes. Were it anything else, it would be
        // confined as the recipe is.
        let component =
            unsafe { Component::deserialize(&engine, &code) }.map_err(|_| Unfit::Stale)?;
        // Whether it has what it must, and asks for what there is, of the right types.
        let recipe = linker
            .instantiate_pre(&component)
            .and_then(RecipePre::new)
            .map_err(|error| Unfit::Recipe(format!("it does not fit the contract: {error:#}")))?;
        Ok(Self { engine, recipe, bounds })
    }

    /// One store a call, dropped afterwards whatever happened.
    pub(super) async fn call(&self, line: &Shared, order: Order) -> Ended {
        let export = order.export;
        let proxy = Proxy::new(Arc::clone(line), order, &self.bounds);
        let mut store = Store::new(&self.engine, proxy);
        store.limiter(|proxy| &mut proxy.meter);
        store.set_hostcall_fuel(self.bounds.call_bytes);
        store.set_max_component_handles(self.bounds.handles);
        let called = async {
            let recipe = match self.recipe.instantiate_async(&mut store).await {
                Err(error) if is_no_room(&error) => return Ok(Ended::NoRoom),
                recipe => recipe?,
            };
            let guest = recipe.netwright_host_guest();
            Ok(match export {
                Export::Check => Ended::Checked(guest.call_check(&mut store).await?),
                Export::Run => Ended::Ran(guest.call_run(&mut store).await?),
            })
        };
        called.await.unwrap_or_else(|error| stopped(&error))
    }
}

/// Whether the kernel refused the addresses that a recipe's memory takes.
fn is_no_room(error: &wasmtime::Error) -> bool {
    let known = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::raw_os_error);
    let errno = known.or_else(|| error.downcast_ref::<Errno>().map(|errno| errno.raw_os_error()));
    errno == Some(libc::ENOMEM)
}

/// Which kind of end a failed call was.
fn stopped(error: &wasmtime::Error) -> Ended {
    if let Some(reached) = error.downcast_ref() {
        return Ended::Reached(*reached);
    }
    if matches!(error.downcast_ref(), Some(Trap::StackOverflow)) {
        return Ended::Reached(Reached::Stack);
    }
    let cause = error.root_cause().to_string();
    if cause.contains("fuel allocated for hostcalls") {
        return Ended::Reached(Reached::CallBytes);
    }
    // The engine counts what is lent for a call as well, and stops the recipe itself.
    if cause.contains("handle limit exceeded") {
        return Ended::Reached(Reached::Handles);
    }
    let trace = error.downcast_ref::<WasmBacktrace>().map(ToString::to_string).unwrap_or_default();
    Ended::Broken { cause, trace }
}
