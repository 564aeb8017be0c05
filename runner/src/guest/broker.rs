//! The broker's side: starts a guest's process, and carries out what it asks for as long as it keeps
//! to the rules.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::fs::{MemfdFlags, memfd_create};

use super::cache::Place;
use super::line::Line;
use super::message::{Bounds, Ended, Export, Load, Order, Reached, Unfit, Word};
use super::wire::{TooLong, decode_hostile, encode};
use super::{Stop, Verdict, engine};
use crate::bindings::exports::netwright::host::guest::Fault;
use crate::exit::{Exit, Failure};
use crate::host::{Host, LimitReached, Limits, Session};
use crate::recipe::Recipe;

/// Bytes of a message beside what the recipe's limits allow.
const BESIDE: usize = 64 << 10;
/// Bytes of a recipe's last words that are shown.
const LAST_WORDS: usize = 64 << 10;

/// A recipe in its process.
pub struct Guest {
    process: Child,
    line: Line,
    limits: Limits,
    code: File,
    /// where the machine code goes once there is some
    place: Option<Place>,
}

impl Guest {
    /// Starts the process, which loads its recipe while this one does something else.
    pub fn start(recipe: &Recipe, limits: &Limits) -> Result<Self, Failure> {
        let place = Place::of(recipe);
        let failed = |error: io::Error| {
            let message = format!("can't start the process of a recipe: {error}");
            Failure::new(Exit::Lacking, message)
        };
        let guest = match place.as_ref().and_then(Place::find) {
            Some(code) => Self::spawn(recipe, limits, code, true),
            None => Self::compiling(recipe, limits, place),
        };
        guest.map_err(failed)
    }

    fn compiling(recipe: &Recipe, limits: &Limits, place: Option<Place>) -> io::Result<Self> {
        let mut guest = Self::spawn(recipe, limits, wasm(recipe)?, false)?;
        guest.place = place;
        Ok(guest)
    }

    /// With a file of machine code, or of WebAssembly that becomes machine code.
    fn spawn(recipe: &Recipe, limits: &Limits, code: File, compiled: bool) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut command = Command::new("/proc/self/exe");
        command.arg("__guest").current_dir("/").env_clear();
        #[cfg(debug_assertions)]
        super::stand_in::tell(&mut command);
        // A terminal's signals are for the broker.
        let process = command
            .process_group(0)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(code.try_clone()?))
            .stderr(Stdio::null())
            .spawn()?;
        let load = Load {
            compiled,
            imports_wasi: recipe.imports_wasi(),
            bounds: Bounds {
                memory: limits.memory,
                table_elements: limits.table_elements,
                call_bytes: limits.call_bytes,
                handles: limits.handles,
                written_bytes: limits.log_bytes,
            },
        };
        (&ours).write_all(&encode(&load, Vec::new())?)?;
        let limits = limits.clone();
        Ok(Self { process, line: Line::new(ours), limits, code, place: None })
    }

    /// Waits until the recipe is loaded, and compiled where that was necessary. The failure holds
    /// words of the guest's.
    pub async fn loaded(&mut self, recipe: &Recipe) -> Result<(), Failure> {
        let unfit = match self.load().await? {
            Err(Unfit::Stale) => {
                let again = Self::compiling(recipe, &self.limits, Place::of(recipe));
                *self = again.map_err(|error| Failure::new(Exit::Lacking, error.to_string()))?;
                self.load().await?
            }
            loaded => loaded,
        };
        unfit.map_err(|unfit| match unfit {
            Unfit::Recipe(reason) => Failure::usage(reason),
            Unfit::Machine(reason) => Failure::new(Exit::Lacking, reason),
            Unfit::Stale => Failure::new(Exit::Broken, "what was compiled can't be loaded"),
        })
    }

    async fn load(&mut self) -> Result<Result<(), Unfit>, Failure> {
        let loaded = match self.next().await {
            Ok(Word::Loaded(loaded)) => loaded,
            Ok(_) => return Err(Failure::new(Exit::Broken, "its process spoke out of turn")),
            Err(Stop::Limit(what) | Stop::Broken(what)) => {
                return Err(Failure::new(Exit::Broken, what));
            }
            Err(Stop::Interrupted(failure)) => return Err(failure),
        };
        if let (Ok(()), Some(place)) = (&loaded, self.place.take()) {
            // Without it the next run compiles again.
            let _ = place.keep(&self.code);
        }
        Ok(loaded)
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
            Ended::Ran(_) | Ended::Reached(_) | Ended::Broken { .. } => Err(out_of_turn()),
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
            Ended::Checked(_) | Ended::Reached(_) | Ended::Broken { .. } => Err(out_of_turn()),
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
        let deadline = host.session.deadline;
        let order = Order { export, params, dry_run: host.session.rehearsal };
        let limit = format!("{} s of time", self.limits.time.as_secs_f64());
        let ended = tokio::select! {
            biased;
            failure = interrupt => Err(Stop::Interrupted(failure)),
            () = tokio::time::sleep_until(deadline) => Err(Stop::Limit(limit)),
            ended = self.serve(&mut host, &order) => ended,
        };
        let ended = ended.and_then(|ended| match ended {
            Ended::Reached(which) => Err(Stop::Limit(reached(which, &self.limits))),
            Ended::Broken { cause, trace } => Err(broken(host.last_words.take(), cause, &trace)),
            Ended::Checked(_) | Ended::Ran(_) => Ok(ended),
        });
        if ended.is_err() {
            // Nothing else would interrupt it.
            self.end();
        }
        (host.into_session(), ended)
    }

    /// Carries out what the guest asks for, one after the other, until its export has ended.
    async fn serve(&mut self, host: &mut Host, order: &Order) -> Result<Ended, Stop> {
        let lost = |error: io::Error| Stop::Broken(error.to_string());
        let mut answer = encode(order, Vec::new()).map_err(lost)?;
        loop {
            self.line.send(&answer).await.map_err(lost)?;
            answer.clear();
            while answer.is_empty() {
                match self.next().await? {
                    Word::Ask(call) => {
                        let space = std::mem::take(&mut answer);
                        answer = call.serve(host, space).await.map_err(|error| refused(&error))?;
                    }
                    Word::Tell(call) => {
                        call.serve(host, Vec::new()).await.map_err(|error| refused(&error))?;
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

    async fn next(&mut self) -> Result<Word, Stop> {
        let longest = self.limits.call_bytes.saturating_mul(2).saturating_add(BESIDE);
        loop {
            match self.line.inbox.take(longest) {
                Ok(Some(message)) => {
                    return decode_hostile(message).map_err(|_| {
                        Stop::Broken("its process sent what no recipe can say".to_owned())
                    });
                }
                Ok(None) => {}
                Err(TooLong) => {
                    return Err(Stop::Limit(reached(Reached::CallBytes, &self.limits)));
                }
            }
            if self.line.read().await.is_err() {
                return Err(Stop::Broken(self.obituary()));
            }
        }
    }

    /// How the process ended that should not have.
    fn obituary(&mut self) -> String {
        match self.end() {
            Some(status) => format!("its process ended: {status}"),
            None => "its process ended".to_owned(),
        }
    }

    /// Ends the process if it hasn't ended by itself.
    fn end(&mut self) -> Option<ExitStatus> {
        self.process.kill().and_then(|()| self.process.wait()).ok()
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.end();
    }
}

/// A file without a name that holds the recipe.
fn wasm(recipe: &Recipe) -> io::Result<File> {
    let file = memfd_create("netwright-recipe", MemfdFlags::CLOEXEC)?;
    let mut file = File::from(file);
    file.write_all(recipe.bytes())?;
    Ok(file)
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
