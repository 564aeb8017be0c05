//! Recipes as WebAssembly: the engine, its limits, and the calls of a recipe's exports.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use wasmtime::component::{Component, Linker};
use wasmtime::{Cache, CacheConfig, Config, Engine, Store, Trap, WasmBacktrace};

use crate::bindings::exports::netwright::host::guest::Fault;
use crate::bindings::netwright::host::types;
use crate::bindings::{Recipe as Bindings, RecipePre};
use crate::exit::Failure;
use crate::host::{self, Host, LimitReached, Limits, Session};
use crate::recipe::Recipe;

/// How often a running recipe is made to look up, so that time and signals are noticed.
const TICK: Duration = Duration::from_millis(10);

/// Bytes of WebAssembly stack.
const STACK: usize = 1 << 20;

/// Compiles and runs recipes.
pub struct Runtime {
    engine: Engine,
    linker: Linker<Host>,
}

/// A recipe as machine code, ready to be run.
pub type Compiled = Component;

/// How a call of a recipe's export ended, when not with its answer.
#[derive(Debug)]
pub enum Stop {
    /// A limit was reached; the text names it.
    Limit(String),
    /// The recipe broke off: a panic, or a trap with the functions it came through.
    Broken(String),
    /// A signal came.
    Interrupted(Failure),
}

/// The answer of a recipe's `run`.
pub type Verdict = Result<(), types::Error>;

impl Runtime {
    /// `cache`: a folder of our own for compiled recipes; without one each is compiled again.
    pub fn new(cache: Option<PathBuf>) -> wasmtime::Result<Self> {
        let mut config = Config::new();
        config.epoch_interruption(true);
        config.max_wasm_stack(STACK);
        config.async_stack_size(STACK + (1 << 20));
        config.wasm_backtrace_max_frames(std::num::NonZeroUsize::new(32));
        if let Some(folder) = cache {
            let mut cache = CacheConfig::new();
            cache.with_directory(folder);
            config.cache(Cache::new(cache).ok());
        }
        let engine = Engine::new(&config)?;
        let mut linker = Linker::new(&engine);
        host::link(&mut linker)?;
        Ok(Self { engine, linker })
    }

    /// Compiles a recipe, or finds it compiled in the cache.
    pub fn compile(&mut self, recipe: &Recipe) -> Result<Component, String> {
        // A precompiled module is native code: only the cache's own are trusted.
        if Engine::detect_precompiled(recipe.bytes()).is_some() {
            return Err("it is precompiled native code, not WebAssembly\n  help: run the `.wasm` that it was made from".to_owned());
        }
        let component = Component::new(&self.engine, recipe.bytes())
            .map_err(|error| format!("it can't be compiled: {error:#}"))?;
        if recipe.imports_wasi() {
            self.linker.allow_shadowing(true);
            host::link_wasi(&mut self.linker).map_err(|error| format!("{error:#}"))?;
        }
        // Whether it has what it must, and asks for what there is, of the right types.
        self.linker
            .instantiate_pre(&component)
            .and_then(RecipePre::new)
            .map_err(|error| format!("it does not fit the contract: {error:#}"))?;
        Ok(component)
    }

    /// Asks the recipe what is wrong with its parameters.
    pub async fn check(
        &self,
        component: &Component,
        host: Host,
        limits: &Limits,
        interrupt: impl Future<Output = Failure>,
    ) -> (Session, Result<Vec<Fault>, Stop>) {
        self.call(component, host, limits, interrupt, async |recipe, store| {
            recipe.netwright_host_guest().call_check(store).await
        })
        .await
    }

    /// Runs the recipe.
    pub async fn run(
        &self,
        component: &Component,
        host: Host,
        limits: &Limits,
        interrupt: impl Future<Output = Failure>,
    ) -> (Session, Result<Verdict, Stop>) {
        self.call(component, host, limits, interrupt, async |recipe, store| {
            recipe.netwright_host_guest().call_run(store).await
        })
        .await
    }

    /// One store a call, dropped afterwards whatever happened; the session outlives it.
    async fn call<T>(
        &self,
        component: &Component,
        host: Host,
        limits: &Limits,
        interrupt: impl Future<Output = Failure>,
        export: impl AsyncFnOnce(&Bindings, &mut Store<Host>) -> wasmtime::Result<T>,
    ) -> (Session, Result<T, Stop>) {
        let deadline = host.session.deadline;
        let mut store = Store::new(&self.engine, host);
        store.limiter(|host| &mut host.budget);
        store.set_hostcall_fuel(limits.call_bytes);
        store.set_max_component_handles(limits.handles);
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        let ticker = Ticker::start(self.engine.clone());
        let called = async {
            let recipe = Bindings::instantiate_async(&mut store, component, &self.linker).await?;
            export(&recipe, &mut store).await
        };
        let answer = tokio::select! {
            biased;
            failure = interrupt => Err(Stop::Interrupted(failure)),
            () = tokio::time::sleep_until(deadline) => Err(Stop::Limit(time_limit(limits))),
            answer = called => Ok(answer),
        };
        drop(ticker);
        let mut host = store.into_data();
        let answer = match answer {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(stop(&error, host.last_words.take(), limits)),
            Err(stop) => Err(stop),
        };
        (host.into_session(), answer)
    }
}

fn time_limit(limits: &Limits) -> String {
    format!("{} s of time", limits.time.as_secs_f64())
}

/// Which kind of end a failed call was. A panicking recipe logs its last words before it traps.
fn stop(error: &wasmtime::Error, last_words: Option<String>, limits: &Limits) -> Stop {
    if let Some(LimitReached(which)) = error.downcast_ref() {
        return Stop::Limit(which.clone());
    }
    if matches!(error.downcast_ref(), Some(Trap::StackOverflow)) {
        return Stop::Limit(format!("{} KiB of stack", STACK >> 10));
    }
    let cause = error.root_cause().to_string();
    if cause.contains("fuel allocated for hostcalls") {
        return Stop::Limit(format!("{} bytes in one call", limits.call_bytes));
    }
    // The engine counts what is lent for a call as well, and stops the recipe itself.
    if cause.contains("handle limit exceeded") {
        return Stop::Limit(format!("{} handles", limits.handles));
    }
    let trace = error.downcast_ref::<WasmBacktrace>().map(ToString::to_string).unwrap_or_default();
    let words = last_words.unwrap_or(cause);
    Stop::Broken(format!("{words}\n{trace}").trim_end().to_owned())
}

/// Lets running recipes look up every [`TICK`], while it lives.
struct Ticker {
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Ticker {
    fn start(engine: Engine) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("ticker".to_owned())
            .spawn(move || {
                while !stopped.load(Ordering::Relaxed) {
                    thread::park_timeout(TICK);
                    engine.increment_epoch();
                }
            })
            .ok();
        Self { stop, thread }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // It does nothing that could panic.
            let _ = thread.join();
        }
    }
}
