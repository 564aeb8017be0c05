//! The broker's side: starts a guest's process, and carries out what it asks for as long as it keeps
//! to the rules.

use std::fs::File;
use std::io;

use tokio::time::{Instant, sleep_until};

use super::cache::Place;
use super::compile::Compiler;
use super::message::{Bounds, Ended, Export, Load, Order, Reached, Unfit, Word, Work};
use super::process::{End, Process};
use super::turn::{Awaited, Lock, Turn};
use super::wire::encode;
use super::{Stop, Verdict, engine};
use crate::exit::{Exit, Failure};
use crate::halt::REMEDY;
use crate::host::bindings::exports::netwright::host::guest::Fault;
use crate::host::{Host, LimitReached, Session, Weight};
use crate::process;
use crate::recipe::Recipe;
use crate::report::Report;
use crate::scenario::Limits;
use crate::text::{escape, help};

/// Bytes of a message beside what the recipe's limits allow.
const BESIDE: usize = 64 << 10;
/// Bytes of a recipe's last words that are shown.
const LAST_WORDS: usize = 64 << 10;
/// Machine code is in memory as a file, as what was read of it, and where it runs.
const COPIES_OF_CODE: usize = 3;
/// Bytes of memory that a message takes for each of its own, at both ends of its way.
const COPIES_OF_MESSAGES: usize = 2;
/// Bytes of memory that an element of a table takes while the table grows.
const ELEMENT: usize = 32;

/// A recipe in its process.
pub struct Guest {
    process: Process,
    limits: Limits,
    digest: String,
    /// the machine code, or what will be it
    code: File,
    /// The first guest of a recipe that isn't in the cache makes its machine code.
    compiler: Option<Compiler>,
    /// The machine code that another run makes meanwhile.
    awaited: Option<Awaited>,
    begun: bool,
}

impl Guest {
    /// Starts the process, which loads its recipe while this one does something else.
    ///
    /// `earlier`: guests that will be loaded before this one, for what they compile is compiled once.
    pub fn start(recipe: &Recipe, limits: &Limits, earlier: &[Self]) -> Result<Self, Failure> {
        if !recipe.is_guest() {
            return Err(Failure::usage(format!(
                "recipe `{}` can't be run: it does not fit the contract: it exports no guest",
                recipe.source
            )));
        }
        let failed = |error: io::Error| process::not_started("the process of a recipe", &error);
        let digest = recipe.digest();
        let same = |guest: &&Self| {
            (guest.compiler.is_some() || guest.awaited.is_some()) && guest.digest == digest
        };
        let guest = if let Some(first) = earlier.iter().find(same) {
            first.code.try_clone().and_then(|code| Self::with(code, digest, limits))
        } else {
            Self::first(recipe, digest, limits)
        };
        guest.map_err(failed)
    }

    /// The first guest of its recipe in this run.
    fn first(recipe: &Recipe, digest: String, limits: &Limits) -> io::Result<Self> {
        let kept = |place: &Option<Place>| place.as_ref().and_then(Place::find);
        let place = Place::of(&digest);
        if let Some(code) = kept(&place) {
            return Self::loading(code, recipe, digest, limits);
        }
        match Turn::take(place.clone())? {
            Turn::Others(awaited) => {
                let guest = Self::with(awaited.code()?, digest, limits)?;
                Ok(Self { awaited: Some(awaited), ..guest })
            }
            // Another run may have kept it since.
            Turn::Ours(lock) => match kept(&place) {
                Some(code) => Self::loading(code, recipe, digest, limits),
                None => Self::compiling(recipe, digest, limits, lock),
            },
        }
    }

    fn loading(code: File, recipe: &Recipe, digest: String, limits: &Limits) -> io::Result<Self> {
        let mut guest = Self::with(code, digest, limits)?;
        guest.begin(recipe)?;
        Ok(guest)
    }

    fn compiling(
        recipe: &Recipe,
        digest: String,
        limits: &Limits,
        lock: Option<Lock>,
    ) -> io::Result<Self> {
        let compiler = Compiler::start(recipe, &digest, limits.memory, lock)?;
        let guest = Self::with(compiler.code()?, digest, limits)?;
        Ok(Self { compiler: Some(compiler), ..guest })
    }

    fn with(code: File, digest: String, limits: &Limits) -> io::Result<Self> {
        let longest = limits.call_bytes.saturating_mul(2).saturating_add(BESIDE);
        let process = Process::start(code.try_clone()?, longest, [])?;
        let limits = limits.clone();
        Ok(Self { process, limits, digest, code, compiler: None, awaited: None, begun: false })
    }

    /// Lets the process load the machine code.
    fn begin(&mut self, recipe: &Recipe) -> io::Result<()> {
        let limits = &self.limits;
        let code = usize::try_from(self.code.metadata()?.len()).unwrap_or(usize::MAX);
        let memory = [
            limits.memory,
            code.saturating_mul(COPIES_OF_CODE),
            limits.call_bytes.saturating_mul(COPIES_OF_MESSAGES),
            limits.table_elements.saturating_mul(ELEMENT),
        ];
        let bounds = Bounds {
            memory: limits.memory,
            table_elements: limits.table_elements,
            call_bytes: limits.call_bytes,
            handles: limits.handles,
            written_bytes: limits.log_bytes,
        };
        let work = Work::Run { imports_wasi: recipe.imports_wasi(), bounds };
        self.begun = true;
        self.process
            .begin(&Load { memory: memory.into_iter().fold(0, usize::saturating_add), work })
    }

    /// Waits until the recipe is loaded, and compiled where that was necessary. The failure holds
    /// words of the guest's.
    pub async fn loaded(
        &mut self,
        recipe: &Recipe,
        deadline: Instant,
        report: &mut Report,
    ) -> Result<(), Failure> {
        tokio::select! {
            biased;
            loaded = self.load(recipe, report) => loaded,
            () = sleep_until(deadline) => Err(Failure::new(Exit::Limit, format!(
                "limit reached: {} s of time to compile it{}",
                self.limits.time.as_secs_f64(),
                help(REMEDY)
            ))),
        }
    }

    async fn load(&mut self, recipe: &Recipe, report: &mut Report) -> Result<(), Failure> {
        let failed = |error: io::Error| Failure::new(Exit::Lacking, error.to_string());
        if let Some(awaited) = self.awaited.take() {
            let name = escape(recipe.name());
            let tell = || report.notice(&format!("another run compiles recipe `{name}`: waiting"));
            if let Some(Turn::Ours(lock)) = awaited.wait(tell).await.map_err(failed)? {
                let digest = self.digest.clone();
                *self = Self::compiling(recipe, digest, &self.limits, lock).map_err(failed)?;
            }
        }
        match self.try_to_load(recipe).await? {
            Err(Unfit::Stale) => {
                let digest = self.digest.clone();
                *self = Self::compiling(recipe, digest, &self.limits, None).map_err(failed)?;
                self.try_to_load(recipe).await?.map_err(Failure::from)
            }
            loaded => loaded.map_err(Failure::from),
        }
    }

    async fn try_to_load(&mut self, recipe: &Recipe) -> Result<Result<(), Unfit>, Failure> {
        if let Some(compiler) = self.compiler.take() {
            compiler.finish().await?;
        }
        if !self.begun {
            let failed = |error: io::Error| Failure::new(Exit::Lacking, error.to_string());
            self.begin(recipe).map_err(failed)?;
        }
        match self.process.next().await.map_err(Stop::from) {
            Ok((Word::Loaded(loaded), _)) => Ok(loaded),
            Ok(_) | Err(Stop::NoRoom) => {
                Err(Failure::new(Exit::Broken, "its process spoke out of turn"))
            }
            Err(Stop::Limit(what) | Stop::Broken(what)) => Err(Failure::new(Exit::Broken, what)),
            Err(Stop::Interrupted(failure)) => Err(failure),
        }
    }

    /// Asks the recipe what is wrong with its parameters.
    pub async fn check(
        &mut self,
        host: Host,
        params: Vec<(String, String)>,
        interrupt: impl Future<Output = Failure>,
    ) -> (Session, Result<Vec<Fault>, Stop>) {
        let (session, ended) = self.call(host, Export::Check, params, interrupt).await;
        let faults = ended.and_then(|ended| match ended {
            Ended::Checked(faults) => Ok(faults),
            Ended::Ran(_) | Ended::Reached(_) | Ended::NoRoom | Ended::Broken { .. } => {
                Err(out_of_turn())
            }
        });
        (session, faults)
    }

    /// Runs the recipe.
    pub async fn run(
        &mut self,
        host: Host,
        params: Vec<(String, String)>,
        interrupt: impl Future<Output = Failure>,
    ) -> (Session, Result<Verdict, Stop>) {
        let (session, ended) = self.call(host, Export::Run, params, interrupt).await;
        let verdict = ended.and_then(|ended| match ended {
            Ended::Ran(verdict) => Ok(verdict),
            Ended::Checked(_) | Ended::Reached(_) | Ended::NoRoom | Ended::Broken { .. } => {
                Err(out_of_turn())
            }
        });
        (session, verdict)
    }

    /// The session comes back whatever happens; the process is of no more use after a stop.
    async fn call(
        &mut self,
        mut host: Host,
        export: Export,
        params: Vec<(String, String)>,
        interrupt: impl Future<Output = Failure>,
    ) -> (Session, Result<Ended, Stop>) {
        let deadline = host.session.deadline();
        let given: usize = params.iter().map(|(name, value)| name.len() + value.len()).sum();
        if given > self.limits.call_bytes {
            // It would take them for a fault of the broker's.
            let reached = reached(Reached::CallBytes, &self.limits);
            return (host.into_session(), Err(Stop::Limit(reached)));
        }
        let order = Order { export, params, dry_run: host.session.rehearsal };
        let limit = host.session.halt.limit();
        let ended = tokio::select! {
            biased;
            failure = interrupt => Err(Stop::Interrupted(failure)),
            () = tokio::time::sleep_until(deadline) => Err(Stop::Limit(limit)),
            ended = self.serve(&mut host, &order) => ended,
        };
        let ended = ended.and_then(|ended| match ended {
            Ended::Reached(which) => Err(Stop::Limit(reached(which, &self.limits))),
            Ended::NoRoom => Err(Stop::NoRoom),
            Ended::Broken { cause, trace } => Err(broken(host.last_words.take(), cause, &trace)),
            Ended::Checked(_) | Ended::Ran(_) => Ok(ended),
        });
        if ended.is_err() {
            // Nothing else would interrupt it.
            self.process.end();
        }
        (host.into_session(), ended)
    }

    /// Carries out what the guest asks for, one after the other, until its export has ended.
    async fn serve(&mut self, host: &mut Host, order: &Order) -> Result<Ended, Stop> {
        let lost = |error: io::Error| Stop::Broken(error.to_string());
        let mut answer = encode(order, Vec::new()).map_err(lost)?;
        loop {
            self.process.send(&answer).await.map_err(lost)?;
            answer.clear();
            while answer.is_empty() {
                let (word, weight) = self.next().await?;
                host.heard = weight;
                match word {
                    Word::Ask(call) => {
                        let space = std::mem::take(&mut answer);
                        answer = call.serve(host, space).await.map_err(|error| refused(&error))?;
                        // No call is the last one that takes too long.
                        host.session.halt.may_go_on()?;
                    }
                    Word::Tell(call) => {
                        call.serve(host, Vec::new()).await.map_err(|error| refused(&error))?;
                        host.session.halt.may_go_on()?;
                    }
                    Word::Wrote(bytes) => {
                        host.write(&bytes.0).map_err(|LimitReached(which)| Stop::Limit(which))?;
                    }
                    Word::Ended(ended) => return Ok(ended),
                    Word::Loaded(_) => return Err(out_of_turn()),
                }
            }
        }
    }

    async fn next(&mut self) -> Result<(Word, Weight), Stop> {
        self.process.next().await.map_err(|end| match end {
            End::TooLong => Stop::Limit(reached(Reached::CallBytes, &self.limits)),
            End::Nonsense | End::Gone(_) => end.into(),
        })
    }
}

fn reached(which: Reached, limits: &Limits) -> String {
    match which {
        Reached::Memory => format!("{} MiB of memory", limits.memory >> 20),
        Reached::TableElements => format!("{} table elements", limits.table_elements),
        Reached::Stack => format!("{} KiB of stack", engine::STACK >> 10),
        Reached::CallBytes => format!("{} bytes in one call", limits.call_bytes),
        Reached::Handles => format!("{} handles", limits.handles),
    }
}

/// A call that the recipe doesn't survive: a budget is used up, or a handle is none.
fn refused(error: &wasmtime::Error) -> Stop {
    match error.downcast_ref() {
        Some(LimitReached(which)) => Stop::Limit(which.clone()),
        None => Stop::Broken(error.root_cause().to_string()),
    }
}

fn out_of_turn() -> Stop {
    Stop::Broken("its process spoke out of turn".to_owned())
}

/// A panicking recipe logs its last words before it traps.
fn broken(last_words: Option<String>, cause: String, trace: &str) -> Stop {
    let mut words = format!("{}\n{trace}", last_words.unwrap_or(cause));
    words.truncate(words.floor_char_boundary(LAST_WORDS));
    Stop::Broken(words.trim_end().to_owned())
}
