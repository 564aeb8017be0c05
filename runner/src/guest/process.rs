//! A process of recipes as the broker sees it: started, spoken with, and ended.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::process::{ExitStatus, Stdio};

use super::Stop;
use super::line::Line;
use super::message::{Load, Word};
use super::wire::{TooLong, decode_hostile, encode};
use crate::host::Weight;
use crate::process::{self, Owned};

pub(super) struct Process {
    child: Owned,
    line: Line,
    /// bytes that one message may have
    longest: usize,
}

impl Process {
    /// This program again, which waits for its [`Load`]; with this environment and nothing else.
    pub(super) fn start<const N: usize>(
        file: File,
        longest: usize,
        environment: [(&str, String); N],
    ) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut command = process::itself("__guest");
        command.current_dir("/").env_clear().envs(environment);
        #[cfg(debug_assertions)]
        super::stand_in::tell(&mut command);
        // A terminal's signals are for the broker.
        command
            .process_group(0)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(file))
            .stderr(Stdio::null());
        let child = Owned::start(&mut command)?;
        Ok(Self { child, line: Line::new(ours), longest })
    }

    /// The first message, which needs no runtime.
    pub(super) fn begin(&self, load: &Load) -> io::Result<()> {
        self.line.begin(&encode(load, Vec::new())?)
    }

    pub(super) async fn send(&mut self, message: &[u8]) -> io::Result<()> {
        self.line.send(message).await
    }

    /// Waits for its next message, which is bounded and well-formed, and nothing more.
    pub(super) async fn next(&mut self) -> Result<(Word, Weight), End> {
        loop {
            match self.line.inbox.take(self.longest) {
                Ok(Some(message)) => return decode_hostile(message).map_err(|_| End::Nonsense),
                Ok(None) => {}
                Err(TooLong) => return Err(End::TooLong),
            }
            if self.line.read().await.is_err() {
                return Err(End::Gone(self.end()));
            }
        }
    }

    /// Ends it if it hasn't ended by itself.
    pub(super) fn end(&mut self) -> Option<ExitStatus> {
        self.child.end()
    }
}

/// Why nothing more is to be expected of a process.
pub(super) enum End {
    /// It said what no recipe can say.
    Nonsense,
    TooLong,
    Gone(Option<ExitStatus>),
}

impl From<End> for Stop {
    fn from(end: End) -> Self {
        Self::Broken(match end {
            End::Nonsense | End::TooLong => "its process sent what no recipe can say".to_owned(),
            End::Gone(Some(status)) => format!("its process ended: {status}"),
            End::Gone(None) => "its process ended".to_owned(),
        })
    }
}
