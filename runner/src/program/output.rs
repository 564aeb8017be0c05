//! What a program writes: kept up to a limit, and read to its end so that the program is never
//! kept waiting.

use std::io::{self, Read};
use std::thread::{Builder, JoinHandle};

/// As many bytes of either stream as are kept.
const LIMIT: u64 = 1 << 20;

/// A stream that is being read.
pub(super) struct Collected(Option<JoinHandle<Written>>);

#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) bytes: Vec<u8>,
    pub(super) truncated: bool,
}

impl Collected {
    pub(super) fn from<R: Read + Send + 'static>(stream: Option<R>) -> io::Result<Self> {
        let Some(stream) = stream else { return Ok(Self(None)) };
        let reader = Builder::new().name("output".to_owned()).spawn(move || read(stream))?;
        Ok(Self(Some(reader)))
    }

    /// What was written, once nobody can write any more.
    pub(super) fn finish(self) -> Written {
        self.0.and_then(|reader| reader.join().ok()).unwrap_or_default()
    }
}

fn read(mut stream: impl Read) -> Written {
    let mut bytes = Vec::new();
    // What can't be read any more was written all the same.
    let _ = (&mut stream).take(LIMIT).read_to_end(&mut bytes);
    let lost = io::copy(&mut stream, &mut io::sink()).unwrap_or(0);
    Written { bytes, truncated: lost > 0 }
}
