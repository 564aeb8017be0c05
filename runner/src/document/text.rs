//! Texts that a user names: files, and `-`, standard input.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::os::fd::AsFd as _;
use std::path::Path;

use rustix::fs::{FileType, MemfdFlags, fstat, memfd_create};

use super::fault::quote;

/// Names standard input where a file is expected.
const STDIN: &str = "-";

/// What faults call it.
pub(crate) fn name(path: &Path) -> String {
    if is_stdin(path) { "standard input".to_owned() } else { path.to_string_lossy().into_owned() }
}

/// A whole file as text, with the sentence for why not.
pub(crate) fn read(path: &Path, longest: u64) -> Result<String, String> {
    let shown = if is_stdin(path) { name(path) } else { quote(&path.to_string_lossy()) };
    let refused = |error: io::Error| {
        let words = error.to_string();
        let words = words.split(" (os error").next().unwrap_or_default().to_lowercase();
        format!("can't read {shown}: {words}")
    };
    let file = if is_stdin(path) { stdin(longest) } else { File::open(path) };
    let file = file.map_err(refused)?;
    if file.metadata().map_err(refused)?.is_dir() {
        return Err(format!("can't read {shown}: it is a folder"));
    }
    let mut bytes = Vec::new();
    file.take(longest + 1).read_to_end(&mut bytes).map_err(refused)?;
    if bytes.len() as u64 > longest {
        return Err(format!("{shown} is longer than {longest} bytes"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.iter().filter(|byte| **byte == b'\n').count() + 1;
        let start = good.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let column = String::from_utf8_lossy(&good[start..]).chars().count() + 1;
        format!("{shown} is not UTF-8 text: byte {} in line {line}, column {column}", good.len())
    })
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new(STDIN)
}

/// From its beginning, each time: a plan reads its scenario in a process of its own, which has this
/// one's standard input. So what came by a pipe is put in a file's place.
fn stdin(longest: u64) -> io::Result<File> {
    let stdin = io::stdin();
    if FileType::from_raw_mode(fstat(&stdin)?.st_mode) != FileType::RegularFile {
        let mut memory = File::from(memfd_create("stdin", MemfdFlags::CLOEXEC)?);
        io::copy(&mut stdin.lock().take(longest + 1), &mut memory)?;
        rustix::stdio::dup2_stdin(&memory)?;
    }
    // Not opened anew: whoever called may have opened what this user may not.
    let mut file = File::from(stdin.as_fd().try_clone_to_owned()?);
    file.rewind()?;
    Ok(file)
}
