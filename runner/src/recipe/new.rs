//! `recipe new`: a crate with a recipe that works, a test and a scenario, to be altered.

use std::fs;
use std::path::Path;

use super::sdk::{self, write};
use crate::exit::{Exit, Failure};
use crate::file::{bounded, ordinary};
use crate::report::print;
use crate::text;

/// As they are written, but for the name and where the SDK is.
const FILES: [(&str, &str); 4] = [
    ("Cargo.toml", include_str!("template/Cargo.toml.in")),
    (".gitignore", "/target\n/*.wasm\n"),
    ("src/lib.rs", include_str!("template/lib.rs.in")),
    ("scenario.yaml", include_str!("template/scenario.yaml.in")),
];

/// Where the SDK is in a new crate.
const COPY: &str = "sdk";

const LONGEST_NAME: usize = 63;
/// Bytes of a Cargo.toml.
const LONGEST_TOML: u64 = 1 << 20;

/// Makes the folder, whose last part is the recipe's name.
///
/// `other`: a folder with the SDK, instead of a copy of the program's own.
pub fn create(folder: &Path, other: Option<&Path>) -> Result<Exit, Failure> {
    let shown = text::path(folder);
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    if !begins || name.len() > LONGEST_NAME || !name.chars().all(legal) {
        return Err(Failure::usage(format!(
            "`{}` can't be the name of a recipe's crate: it is a small letter and up to {} small letters, digits and `-`",
            name.escape_debug(),
            LONGEST_NAME - 1
        )));
    }
    let place = match other {
        None => format!("{COPY}/{}", sdk::CRATE),
        Some(folder) => sdk_in(folder)?,
    };
    let dependency = format!("{{ path = {place:?} }}");
    if let Err(error) = fs::create_dir(folder) {
        return Err(Failure::usage(format!("can't make `{shown}`: {error}")));
    }
    let written = FILES.iter().try_for_each(|(file, text)| {
        let text = text.replace("{name}", name).replace("{sdk}", &dependency);
        write(&folder.join(file), &text)
    });
    let written = written.and_then(|()| match other {
        None => sdk::write_into(&folder.join(COPY)),
        Some(_) => Ok(()),
    });
    if let Err(error) = written {
        // It is what was made above; the error counts.
        let _ = fs::remove_dir_all(folder);
        return Err(Failure::usage(format!("can't write below `{shown}`: {error}")));
    }
    print(&format!(
        "{shown}: a recipe in src/lib.rs with its test, and a scenario that runs it\n  cd {shown}\n  cargo test\n  netwright recipe build\n  netwright run scenario.yaml\n"
    ))
}

/// Where it is from anywhere.
fn sdk_in(folder: &Path) -> Result<String, Failure> {
    let shown = text::path(folder);
    let missing = |why: &str| Failure::usage(format!("--sdk: `{shown}` holds no SDK: {why}"));
    let path = folder.canonicalize().map_err(|error| missing(&error.to_string()))?;
    let text = ordinary(&path.join("Cargo.toml")).and_then(|file| bounded(file, LONGEST_TOML));
    let text = String::from_utf8(text.unwrap_or_default()).unwrap_or_default();
    if !text.contains("name = \"netwright-sdk\"") {
        return Err(missing("its Cargo.toml does not name `netwright-sdk`"));
    }
    path.to_str().map(str::to_owned).ok_or_else(|| missing("its path is not UTF-8"))
}
