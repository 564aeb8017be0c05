//! The event stream: a line of JSON for each thing that happens, as it happens.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::Value;

use super::line::json;
use crate::file::Output;

/// Where events are written. Clones write to the same file: a run tells of what it does, and what
/// watches the kernel meanwhile tells of what the kernel does.
#[derive(Clone)]
pub struct EventLog(Arc<Mutex<Log>>);

struct Log {
    started: Instant,
    step: Option<String>,
    /// the file, or why there is none any more
    file: Result<Output, String>,
}

impl EventLog {
    pub(super) fn new(file: Output, started: Instant) -> Self {
        Self(Arc::new(Mutex::new(Log { started, step: None, file: Ok(file) })))
    }

    /// What comes from now on happens in this step.
    pub(super) fn enter(&self, step: &str) {
        self.lock().step = Some(step.to_owned());
    }

    /// `fields` is an object; kind, time and step are added.
    pub fn tell(&self, kind: &str, mut fields: Value) {
        let mut log = self.lock();
        fields["event"] = kind.into();
        fields["ms"] = (log.started.elapsed().as_micros() as f64 / 1000.0).into();
        if let Some(step) = &log.step {
            fields["step"] = step.as_str().into();
        }
        let Ok(file) = &mut log.file else { return };
        // A full disk must not stop an undo; the loss is told once, at the end.
        if let Err(error) = file.push((json(&fields.to_string()) + "\n").as_bytes()) {
            log.file = Err(incomplete(&error));
        }
    }

    /// Waits until all is written, as long as somebody reads; why events are missing, if any are.
    pub(super) fn end(&self) -> Option<String> {
        match &mut self.lock().file {
            Ok(file) => file.finish().err().map(|error| incomplete(&error)),
            Err(why) => Some(why.clone()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Log> {
        // A line is written whole or not at all, so that a panic elsewhere spoils nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn incomplete(error: &std::io::Error) -> String {
    format!("the events file is incomplete: {error}")
}
