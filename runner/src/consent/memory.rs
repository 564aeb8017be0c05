//! Answers that are to hold: a file for each recipe and what it was told, in a folder that is the user's alone.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, fstat, mkdirat, openat, unlinkat};
use rustix::io::Errno;
use rustix::process::geteuid;
use serde::{Deserialize, Serialize};

use super::Question;
use super::told::Told;
use crate::exit::{Exit, Failure};
use crate::file::{self, Distrust, Missing, Trail, bounded, trail};
use crate::grant::{Rule, own_config_folder};
use crate::report::{self, escape};

/// Bytes of one file.
const LONGEST: u64 = 256 << 10;

/// What was allowed to one recipe, told one thing.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Remembered {
    schema: u32,
    /// SHA-256 of the recipe, in hexadecimal digits
    pub(super) digest: String,
    /// that of what it is told; before there was this, answers held whatever it was told
    #[serde(default)]
    pub(super) told: String,
    #[serde(default)]
    pub(super) parameters: Option<Told>,
    #[serde(default)]
    pub(super) scenario: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) source: String,
    pub(super) granted: Vec<String>,
}

impl Remembered {
    pub(super) fn new(question: &Question<'_>) -> Self {
        let Question { recipe, digest, told, scenario, complete, .. } = question;
        let version = recipe.manifest.as_ref().map(|manifest| manifest.version.clone());
        Self {
            schema: 2,
            digest: digest.clone(),
            told: told.digest(),
            parameters: told.to_keep(),
            scenario: (*scenario).to_owned(),
            name: recipe.name().to_owned(),
            version: version.unwrap_or_default(),
            source: recipe.source.clone(),
            granted: complete.iter().map(ToString::to_string).collect(),
        }
    }

    fn file(&self) -> String {
        file(&self.digest, &self.told)
    }

    /// What there isn't any more grants nothing.
    pub(super) fn rules(&self) -> Vec<Rule> {
        let read = |line: &String| Rule::grant(line, "the operator's answer").ok();
        self.granted.iter().filter_map(read).collect()
    }
}

fn file(digest: &str, told: &str) -> String {
    if told.is_empty() { format!("{digest}.json") } else { format!("{digest}-{told}.json") }
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
            Ok(descriptor) => Ok(Self { folder: descriptor.map(|known| (shown, known)) }),
            Err(why) => Err(Failure::usage(format!(
                "the folder of remembered grants `{}` {why}\n  help: it must be a folder of your own, closed to others: chmod 700",
                report::path(&shown)
            ))),
        }
    }

    pub(super) fn is_there(&self) -> bool {
        self.folder.is_some()
    }

    pub(super) fn find(&self, digest: &str, told: &Told) -> Option<Remembered> {
        let told = told.digest();
        let found = self.read(&file(digest, &told));
        found.filter(|found| found.digest == digest && found.told == told)
    }

    /// What was allowed to the same recipe told something else, or else to another one from the
    /// same place, or of the same name.
    pub(super) fn former(&self, question: &Question<'_>) -> Option<Remembered> {
        let Question { recipe, digest, told, scenario, .. } = question;
        let told = told.digest();
        let mut others = self.all();
        others.retain(|other| other.digest != *digest || other.told != told);
        let near = [
            |other: &Remembered, _: &str, scenario: &str, digest: &str| {
                other.digest == digest && other.scenario == scenario
            },
            |other: &Remembered, _: &str, _: &str, digest: &str| other.digest == digest,
            |other: &Remembered, source: &str, _: &str, _: &str| other.source == source,
        ];
        let found = near.iter().find_map(|near| {
            others.iter().position(|other| near(other, &recipe.source, scenario, digest))
        });
        let named = || others.iter().position(|other| other.name == recipe.name());
        found.or_else(named).map(|place| others.swap_remove(place))
    }

    pub(super) fn keep(&self, remembered: &Remembered) -> Result<(), Failure> {
        let Some((path, folder)) = &self.folder else { return Ok(()) };
        let failed = |error: &dyn std::fmt::Display| {
            let message = format!("can't remember the answer in `{}`: {error}", report::path(path));
            Failure::new(Exit::Lacking, message)
        };
        let text = serde_json::to_string_pretty(remembered).map_err(|error| failed(&error))?;
        file::in_folder(folder, remembered.file(), text.as_bytes()).map_err(|error| failed(&error))
    }

    fn read(&self, file: &str) -> Option<Remembered> {
        let (_, folder) = self.folder.as_ref()?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(folder, file, flags, Mode::empty()).ok()?;
        let about = fstat(&file).ok()?;
        let ours = about.st_uid == geteuid().as_raw() && about.st_mode & 0o022 == 0;
        if !ours || FileType::from_raw_mode(about.st_mode) != FileType::RegularFile {
            return None;
        }
        serde_json::from_slice(&bounded(File::from(file), LONGEST).ok()?).ok()
    }

    /// By name, then digest.
    fn all(&self) -> Vec<Remembered> {
        let Some((_, folder)) = &self.folder else { return Vec::new() };
        let Ok(entries) = Dir::read_from(folder) else { return Vec::new() };
        let mut all: Vec<Remembered> = entries
            .flatten()
            .filter_map(|entry| {
                let file = entry.file_name().to_string_lossy().into_owned();
                self.read(&file).filter(|found| found.file() == file)
            })
            .collect();
        all.sort_by(|one, other| {
            let order = |each: &Remembered| (each.name.clone(), each.file());
            order(one).cmp(&order(other))
        });
        all
    }
}

/// `netwright/grants` in the configuration folder: both levels ours, neither a symbolic link, the
/// inner one closed to others. None below another user's folder.
fn private(path: &std::path::Path) -> Result<Option<OwnedFd>, String> {
    let outside = path.parent().unwrap_or(path);
    let trail = trail(outside, Missing::Made).map_err(|error| format!("can't be made: {error}"))?;
    match trail {
        Trail { distrust: Some(open @ Distrust::Open(..)), .. } => {
            Err(format!("is not this user's alone: {open}"))
        }
        Trail { distrust: Some(Distrust::Owner(..) | Distrust::Link(..)), .. }
        | Trail { folder: None, .. } => Ok(None),
        Trail { folder: Some(outside), distrust: None } => {
            let name = path.file_name().unwrap_or_default();
            let own = enter(&outside, name, 0o022)?;
            enter(&own, std::ffi::OsStr::new("grants"), 0o077).map(Some)
        }
    }
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
        return report::print_json(&format!("{document:#}\n"));
    }
    let mut text = String::new();
    for remembered in &all {
        let Remembered { digest, told, name, version, source, scenario, .. } = remembered;
        text += &format!("{} {}  {}\n", escape(name), escape(version), escape(source));
        text += &format!("  sha256:{}\n", escape(digest));
        if !told.is_empty() {
            let told = escape(told);
            text += &format!("  as told by `{}`, sha256:{told}\n", escape(scenario));
        }
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
        unlinkat(folder, remembered.file(), AtFlags::empty())
            .map_err(|error| Failure::new(Exit::Lacking, format!("can't forget: {error}")))?;
    }
    Ok(Exit::Done)
}
