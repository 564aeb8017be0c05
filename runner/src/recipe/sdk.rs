//! The SDK that belongs to this program, which carries it: a recipe needs no other source for it.

use std::fs;
use std::io;
use std::path::Path;

use crate::exit::{Exit, Failure};
use crate::file::whole;
use crate::report::print;
use crate::text;

/// Paths and texts of a cargo workspace; build.rs collects them.
const FILES: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

/// The crate that recipes name, in that workspace.
pub(super) const CRATE: &str = "guest-sdk";

/// Writes the SDK into a folder, which it makes.
pub fn sdk(folder: &Path) -> Result<Exit, Failure> {
    let shown = text::path(folder);
    if let Err(error) = fs::create_dir(folder) {
        return Err(Failure::usage(format!("can't make `{shown}`: {error}")));
    }
    if let Err(error) = write_into(folder) {
        // It is what was made above; the error counts.
        let _ = fs::remove_dir_all(folder);
        return Err(Failure::usage(format!("can't write below `{shown}`: {error}")));
    }
    print(&format!(
        "{shown}: the SDK of netwright {}\n  netwright-sdk = {{ path = {:?} }}\n",
        env!("CARGO_PKG_VERSION"),
        folder.join(CRATE)
    ))
}

pub(super) fn write_into(folder: &Path) -> io::Result<()> {
    FILES.iter().try_for_each(|(file, text)| write(&folder.join(file), text))
}

/// With the folders on the way.
pub(super) fn write(file: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    whole(file, text.as_bytes()).map_err(io::Error::other)
}
