//! The making of machine code, in a process that ends with it.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::process::ExitStatusExt as _;
use std::thread::available_parallelism;

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::Signal;

use super::cache::Place;
use super::message::{Load, Unfit, Word, Work};
use super::process::{End, Process};
use super::turn::Lock;
use crate::exit::{Exit, Failure};
use crate::recipe::Recipe;
use crate::text::help;

/// Bytes of memory that a byte of a recipe may take: what Rust compiles to takes about seventy.
const PER_BYTE: usize = 128;
/// Beyond this the recipe's own memory limit alone allows more.
const USUAL_MOST: usize = 1 << 30;
/// Threads that compile at one time: each takes memory of its own.
const MOST_THREADS: usize = 4;
/// Bytes of the longest message: there is one, and it says how it ended.
const LONGEST: usize = 1 << 20;

/// A process that turns WebAssembly into machine code.
pub(super) struct Compiler {
    process: Process,
    /// the one and then the other
    file: File,
    /// bytes of its memory
    memory: usize,
    /// where the machine code is kept, if anywhere
    place: Option<Place>,
    /// which others wait for, until it is kept
    _lock: Option<Lock>,
}

impl Compiler {
    /// `memory`: bytes that the recipe may have.
    pub(super) fn start(
        recipe: &Recipe,
        digest: &str,
        memory: usize,
        lock: Option<Lock>,
    ) -> io::Result<Self> {
        let mut file = File::from(memfd_create("netwright-recipe", MemfdFlags::CLOEXEC)?);
        file.write_all(recipe.bytes())?;
        let usual = recipe.bytes().len().saturating_mul(PER_BYTE).min(USUAL_MOST);
        let memory = memory.max(usual);
        let threads = available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
        let environment = [("RAYON_NUM_THREADS", threads.to_string())];
        let process = Process::start(file.try_clone()?, LONGEST, environment)?;
        process.begin(&Load { work: Work::Compile, memory })?;
        Ok(Self { process, file, memory, place: Place::of(digest), _lock: lock })
    }

    /// The file with the machine code, once it is there; it can't be written to by this one.
    pub(super) fn code(&self) -> io::Result<File> {
        File::open(format!("/proc/self/fd/{}", self.file.as_raw_fd()))
    }

    /// Waits until the code is in the file. The failure holds words of the process's.
    pub(super) async fn finish(mut self) -> Result<(), Failure> {
        let too_much = || {
            let message = format!(
                "limit reached: {} MiB of memory to compile it{}",
                self.memory >> 20,
                help("`limits: { memory: … }` in the scenario raises it")
            );
            Failure::new(Exit::Limit, message)
        };
        match self.process.next().await {
            Ok((Word::Loaded(Ok(())), _)) => {}
            Ok((Word::Loaded(Err(unfit)), _)) => return Err(unfit.into()),
            Ok(_) => return Err(Failure::new(Exit::Broken, "its compiler spoke out of turn")),
            // So the compiler ends where it gets no more memory.
            Err(End::Gone(Some(status))) if status.signal() == Some(Signal::ABORT.as_raw()) => {
                return Err(too_much());
            }
            Err(End::Gone(status)) => {
                let how = status.map(|status| format!(": {status}")).unwrap_or_default();
                return Err(Failure::new(Exit::Broken, format!("its compiler ended{how}")));
            }
            Err(End::Nonsense | End::TooLong) => {
                return Err(Failure::new(Exit::Broken, "its compiler sent what none can say"));
            }
        }
        if let Some(place) = &self.place {
            // Without it the next run compiles again.
            let _ = place.keep(&self.file);
        }
        Ok(())
    }
}

impl From<Unfit> for Failure {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Recipe(reason) => Self::usage(reason),
            Unfit::Machine(reason) => Self::new(Exit::Lacking, reason),
            Unfit::Stale => Self::new(Exit::Broken, "what was compiled can't be loaded"),
        }
    }
}
