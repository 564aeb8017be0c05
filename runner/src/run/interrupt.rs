//! Signals that end a run in order: stop, undo, and the code that shells expect.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::{Exit, Failure};

/// SIGINT, SIGTERM and SIGHUP from now on wait here instead of ending the process.
#[derive(Debug)]
pub(super) struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Interrupts {
    pub(super) fn listen() -> Result<Self, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|error| {
                Failure::new(Exit::Lacking, format!("can't listen for signals: {error}"))
            })
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    /// Waits for one. May be given up and asked again.
    pub(super) async fn next(&mut self) -> Failure {
        tokio::select! {
            _ = self.interrupt.recv() => Failure::new(Exit::Interrupted, "interrupted"),
            _ = self.terminate.recv() => Failure::new(Exit::Terminated, "terminated"),
            _ = self.hangup.recv() => Failure::new(Exit::Terminated, "the terminal was closed"),
        }
    }
}
