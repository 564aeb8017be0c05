//! Answers that are to hold: a file for each recipe and what it was told, in a folder that is the user's alone.

use std::fs::File;
use std::ops::RangeInclusive;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, fstat, mkdirat, openat, unlinkat};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::Question;
use super::told::Told;
use crate::exit::{Exit, Failure};
use crate::file::{self, Distrust, Missing, Owner, Trail, bounded, is_ours, trail};
use crate::grant::{Rule, own_config_folder};
use crate::report::{self};
use crate::text;
use crate::text::escape;

/// Bytes of one file.
const LONGEST: u64 = 256 << 10;
/// The form of answers that this program writes.
const SCHEMA: u32 = 2;
/// Those that it reads. Answers of the first say nothing of what the recipe was told.
const READ: RangeInclusive<u64> = 1..=2;

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
            schema: SCHEMA,
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

    fn is_called(&self, name: &str) -> bool {
        self.name == name || is_digest(name, &self.digest)
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

/// Whether these are a digest's first eight digits or more; so of a file that is named after it.
fn is_digest(typed: &str, digest: &str) -> bool {
    let typed = typed.strip_prefix("sha256:").unwrap_or(typed);
    typed.len() >= 8 && digest.starts_with(typed)
}

/// An answer that another version of this program has written: what it allows isn't known here.
#[derive(Debug, Clone, Serialize)]
struct Unread {
    file: String,
    schema: u64,
    name: String,
}

impl Unread {
    fn is_called(&self, name: &str) -> bool {
        self.name == name || is_digest(name, &self.file)
    }

    fn why(&self) -> String {
        let Self { schema, .. } = self;
        format!(
            "of schema {schema}, which this netwright {} doesn't read",
            env!("CARGO_PKG_VERSION")
        )
    }
}

/// What a file is to who reads it.
#[derive(Debug, Clone)]
enum Found {
    Known(Remembered),
    Unread(Unread),
}

impl Found {
    /// None of what is no answer at all.
    fn of(file: &str, text: &[u8]) -> Option<Self> {
        let value: serde_json::Value = serde_json::from_slice(text).ok()?;
        let schema = value.get("schema")?.as_u64()?;
        if READ.contains(&schema) {
            return serde_json::from_value(value).ok().map(Self::Known);
        }
        let name = value.get("name").and_then(serde_json::Value::as_str).unwrap_or_default();
        Some(Self::Unread(Unread { file: file.to_owned(), schema, name: name.to_owned() }))
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
            Ok(descriptor) => Ok(Self { folder: descriptor.map(|known| (shown, known)) }),
            Err(why) => Err(Failure::usage(format!(
                "the folder of remembered grants `{}` {why}\n  help: it must be a folder of your own, closed to others: chmod 700",
                text::path(&shown)
            ))),
        }
    }

    pub(super) fn is_there(&self) -> bool {
        self.folder.is_some()
    }

    pub(super) fn find(&self, digest: &str, told: &Told) -> Option<Remembered> {
        let told = told.digest();
        match self.read(&file(digest, &told)) {
            Some(Found::Known(found)) if found.digest == digest && found.told == told => {
                Some(found)
            }
            Some(Found::Known(_) | Found::Unread(_)) | None => None,
        }
    }

    /// What was allowed to the same recipe told something else, or else to another one from the
    /// same place, or of the same name.
    pub(super) fn former(&self, question: &Question<'_>) -> Option<Remembered> {
        let Question { recipe, digest, told, scenario, .. } = question;
        let told = told.digest();
        let (mut others, _) = self.all();
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
            let message = format!("can't remember the answer in `{}`: {error}", text::path(path));
            Failure::new(Exit::Lacking, message)
        };
        if let Some(Found::Unread(unread)) = self.read(&remembered.file()) {
            let (why, name) = (unread.why(), escape(&remembered.name));
            return Err(failed(&format!(
                "there is one {why}\n  help: `netwright grants revoke {name}` forgets it"
            )));
        }
        let text = serde_json::to_string_pretty(remembered).map_err(|error| failed(&error))?;
        file::in_folder(folder, remembered.file(), text.as_bytes()).map_err(|error| failed(&error))
    }

    fn read(&self, name: &str) -> Option<Found> {
        let (_, folder) = self.folder.as_ref()?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(folder, name, flags, Mode::empty()).ok()?;
        let about = fstat(&file).ok()?;
        let ours = is_ours(&about) && about.st_mode & 0o022 == 0;
        if !ours || FileType::from_raw_mode(about.st_mode) != FileType::RegularFile {
            return None;
        }
        Found::of(name, &bounded(File::from(file), LONGEST).ok()?)
    }

    /// By name, then digest; and those that can't be read.
    fn all(&self) -> (Vec<Remembered>, Vec<Unread>) {
        let (mut all, mut unread) = (Vec::new(), Vec::new());
        let folder = self.folder.iter();
        let entries = folder.filter_map(|(_, folder)| Dir::read_from(folder).ok()).flatten();
        for entry in entries.flatten() {
            let file = entry.file_name().to_string_lossy().into_owned();
            match self.read(&file) {
                Some(Found::Known(found)) if found.file() == file => all.push(found),
                Some(Found::Unread(found)) => unread.push(found),
                Some(Found::Known(_)) | None => {}
            }
        }
        all.sort_by_cached_key(|each| (each.name.clone(), each.file()));
        unread.sort_by_cached_key(|each| (each.name.clone(), each.file.clone()));
        (all, unread)
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
        Trail { folder: Some(outside), distrust: None, .. } => {
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
    if !is_ours(&about) {
        return Err(format!("belongs to {}", Owner::of(&about)));
    }
    if about.st_mode & closed != 0 {
        return Err(format!("is open to others (mode {:03o})", about.st_mode & 0o777));
    }
    Ok(inner)
}

/// `grants ls`.
pub fn list(json: bool) -> Result<Exit, Failure> {
    let (all, unread) = Memory::open()?.all();
    if json {
        let document = serde_json::json!({ "schema": 1, "remembered": all, "unread": unread });
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
    for one in &unread {
        let (name, file, why) = (escape(&one.name), escape(&one.file), one.why());
        text += &format!("{name}  {file}\n  {why}: it allows nothing\n");
    }
    if all.is_empty() && unread.is_empty() {
        text.push_str("nothing is remembered\n");
    }
    report::print(&text)
}

/// `grants revoke`: by name, or by a digest's first eight digits or more.
pub fn revoke(what: &str) -> Result<Exit, Failure> {
    let memory = Memory::open()?;
    let (all, unread) = memory.all();
    let known = all.iter().filter(|each| each.is_called(what)).map(Remembered::file);
    let more = unread.iter().filter(|each| each.is_called(what)).map(|each| each.file.clone());
    let found: Vec<String> = known.chain(more).collect();
    let (Some((_, folder)), [_, ..]) = (&memory.folder, found.as_slice()) else {
        let help = match crate::near::nearest(what, all.iter().map(|each| each.name.as_str())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`netwright grants ls` shows what is remembered".to_owned(),
        };
        let shown = what.escape_debug();
        return Err(Failure::usage(format!("nothing is remembered of `{shown}`\n  help: {help}")));
    };
    for file in found {
        unlinkat(folder, file, AtFlags::empty())
            .map_err(|error| Failure::new(Exit::Lacking, format!("can't forget: {error}")))?;
    }
    Ok(Exit::Done)
}
