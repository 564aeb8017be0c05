//! Answers that are to hold: a file for each digest in a folder that is the user's alone.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use rustix::fs::{AtFlags, Dir, Mode, OFlags, fstat, mkdirat, open, openat, renameat, unlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;
use serde::{Deserialize, Serialize};

use crate::exit::{Exit, Failure};
use crate::grant::{Rule, own_config_folder};
use crate::recipe::Recipe;
use crate::report::{self, escape};

/// Bytes of one file.
const LONGEST: u64 = 64 << 10;

/// What was allowed to one recipe.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Remembered {
    schema: u32,
    /// SHA-256 of the recipe, in hexadecimal digits
    pub(super) digest: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) source: String,
    pub(super) granted: Vec<String>,
}

impl Remembered {
    pub(super) fn new(recipe: &Recipe, digest: &str, granted: &[Rule]) -> Self {
        let version = recipe.manifest.as_ref().map(|manifest| manifest.version.clone());
        Self {
            schema: 1,
            digest: digest.to_owned(),
            name: recipe.name().to_owned(),
            version: version.unwrap_or_default(),
            source: recipe.source.clone(),
            granted: granted.iter().map(ToString::to_string).collect(),
        }
    }

    /// What there isn't any more grants nothing.
    pub(super) fn rules(&self) -> Vec<Rule> {
        let read = |line: &String| Rule::grant(line, "the operator's answer").ok();
        self.granted.iter().filter_map(read).collect()
    }
}

/// The folder by descriptor; none where there is no place for one, as under sudo(8).
pub(super) struct Memory {
    folder: Option<(PathBuf, OwnedFd)>,
}

impl Memory {
    /// Opens the folder, made if need be. One that isn't this user's alone is an error.
    pub(super) fn open() -> Result<Self, Failure> {
        let Some(path) = own_config_folder() else { return Ok(Self { folder: None }) };
        let shown = path.join("grants");
        match private(&path) {
            Ok(descriptor) => Ok(Self { folder: Some((shown, descriptor)) }),
            Err(why) => Err(Failure::usage(format!(
                "the folder of remembered grants `{}` {why}\n  help: it must be a folder of your own, closed to others: chmod 700",
                shown.display()
            ))),
        }
    }

    pub(super) fn is_there(&self) -> bool {
        self.folder.is_some()
    }

    pub(super) fn find(&self, digest: &str) -> Option<Remembered> {
        self.read(&format!("{digest}.json")).filter(|found| found.digest == digest)
    }

    /// What was allowed to a recipe from the same place, or of the same name, with other content.
    pub(super) fn former(&self, source: &str, name: &str, digest: &str) -> Option<Remembered> {
        let mut others = self.all();
        others.retain(|other| other.digest != digest);
        let place = others.iter().position(|other| other.source == source);
        let place = place.or_else(|| others.iter().position(|other| other.name == name))?;
        Some(others.swap_remove(place))
    }

    pub(super) fn keep(&self, remembered: &Remembered) -> Result<(), Failure> {
        let Some((path, folder)) = &self.folder else { return Ok(()) };
        let failed = |error: &dyn std::fmt::Display| {
            let message = format!("can't remember the answer in `{}`: {error}", path.display());
            Failure::new(Exit::Lacking, message)
        };
        let text = serde_json::to_string_pretty(remembered).map_err(|error| failed(&error))?;
        let (name, draft) = (format!("{}.json", remembered.digest), "draft");
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(folder, draft, flags, Mode::RUSR | Mode::WUSR)
            .map_err(|error| failed(&error))?;
        File::from(file).write_all(text.as_bytes()).map_err(|error| failed(&error))?;
        renameat(folder, draft, folder, name).map_err(|error| failed(&error))
    }

    fn read(&self, file: &str) -> Option<Remembered> {
        let (_, folder) = self.folder.as_ref()?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(folder, file, flags, Mode::empty()).ok()?;
        let about = fstat(&file).ok()?;
        let ours = about.st_uid == geteuid().as_raw() && about.st_mode & 0o022 == 0;
        if !ours || about.st_size as u64 > LONGEST {
            return None;
        }
        let mut text = String::new();
        File::from(file).take(LONGEST).read_to_string(&mut text).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// By name, then digest.
    fn all(&self) -> Vec<Remembered> {
        let Some((_, folder)) = &self.folder else { return Vec::new() };
        let Ok(entries) = Dir::read_from(folder) else { return Vec::new() };
        let mut all: Vec<Remembered> = entries
            .flatten()
            .filter_map(|entry| {
                let file = entry.file_name().to_string_lossy().into_owned();
                let digest = file.strip_suffix(".json")?;
                self.read(&file).filter(|found| found.digest == digest)
            })
            .collect();
        all.sort_by(|one, other| (&one.name, &one.digest).cmp(&(&other.name, &other.digest)));
        all
    }
}

/// `netwright/grants` in the configuration folder: both levels ours, neither a symbolic link, the
/// inner one closed to others.
fn private(path: &std::path::Path) -> Result<OwnedFd, String> {
    let failed = |error: Errno| format!("can't be opened: {error}");
    let outside = path.parent().unwrap_or(path);
    fs::create_dir_all(outside).map_err(|error| format!("can't be made: {error}"))?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let outside = open(outside, flags, Mode::empty()).map_err(failed)?;
    let name = path.file_name().unwrap_or_default();
    let own = enter(&outside, name, 0o022)?;
    enter(&own, std::ffi::OsStr::new("grants"), 0o077)
}

/// A folder inside another, made if need be; `closed` has the bits that it must not have.
fn enter(folder: &OwnedFd, name: &std::ffi::OsStr, closed: u32) -> Result<OwnedFd, String> {
    match mkdirat(folder, name, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(format!("can't be made: {error}")),
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let inner = openat(folder, name, flags, Mode::empty())
        .map_err(|error| format!("can't be opened: {error}"))?;
    let about = fstat(&inner).map_err(|error| format!("can't be examined: {error}"))?;
    if about.st_uid != geteuid().as_raw() {
        return Err(format!("belongs to user {}", about.st_uid));
    }
    if about.st_mode & closed != 0 {
        return Err(format!("is open to others (mode {:03o})", about.st_mode & 0o777));
    }
    Ok(inner)
}

/// `grants ls`.
pub fn list(json: bool) -> Result<Exit, Failure> {
    let all = Memory::open()?.all();
    if json {
        let document = serde_json::json!({ "schema": 1, "remembered": all });
        return report::print(&format!("{document:#}\n"));
    }
    let mut text = String::new();
    for remembered in &all {
        let Remembered { digest, name, version, source, .. } = remembered;
        text += &format!("{} {}  {}\n", escape(name), escape(version), escape(source));
        text += &format!("  sha256:{}\n", escape(digest));
        text.extend(remembered.rules().iter().map(|rule| format!("  {rule}\n")));
    }
    if all.is_empty() {
        text.push_str("nothing is remembered\n");
    }
    report::print(&text)
}

/// `grants revoke`: by name, or by a digest's first eight digits or more.
pub fn revoke(what: &str) -> Result<Exit, Failure> {
    let memory = Memory::open()?;
    let all = memory.all();
    let digest = what.strip_prefix("sha256:").unwrap_or(what);
    let meant = |each: &&Remembered| {
        each.name == what || (digest.len() >= 8 && each.digest.starts_with(digest))
    };
    let found: Vec<&Remembered> = all.iter().filter(meant).collect();
    let (Some((_, folder)), [_, ..]) = (&memory.folder, found.as_slice()) else {
        let help = match crate::near::nearest(what, all.iter().map(|each| each.name.as_str())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`netwright grants ls` shows what is remembered".to_owned(),
        };
        let shown = what.escape_debug();
        return Err(Failure::usage(format!("nothing is remembered of `{shown}`\n  help: {help}")));
    };
    for remembered in found {
        unlinkat(folder, format!("{}.json", remembered.digest), AtFlags::empty())
            .map_err(|error| Failure::new(Exit::Lacking, format!("can't forget: {error}")))?;
    }
    Ok(Exit::Done)
}
