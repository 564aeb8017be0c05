//! Signals that end a run in order: stop, undo, and the code that shells expect.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::{Exit, Failure};
use crate::halt::signals;

/// SIGINT, SIGTERM and SIGHUP from now on wait to be answered instead of ending the process. Here
/// they wake whoever waits.
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
        signals::hold();
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    /// Waits for one. May be given up and asked again.
    pub(super) async fn next(&mut self) -> Failure {
        loop {
            if let Some(halted) = signals::answer() {
                return halted.into();
            }
            tokio::select! {
                _ = self.interrupt.recv() => {}
                _ = self.terminate.recv() => {}
                _ = self.hangup.recv() => {}
            }
        }
    }
}
