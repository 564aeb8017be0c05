//! apt(8) for this machine's own release of Debian, or for another one, whose lists are kept apart so
//! that nothing of it is ever installed here.

use super::folder;
use super::kernel::Source;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where a machine's sources are, sources.list(5).
const SOURCES: &str = "/etc/apt";

pub(super) struct Apt {
    /// `-o NAME=VALUE` of each setting that differs from the machine's
    options: Vec<String>,
}

impl Apt {
    pub(super) fn of(source: &Source) -> Result<Self> {
        match source.suite {
            Some(suite) if suite != codename()? => Self::for_suite(suite),
            Some(_) | None => Ok(Self { options: Vec::new() }),
        }
    }

    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        for option in &self.options {
            command.args(["-o", option]);
        }
        command
    }

    /// This machine's sources with the release's name in them replaced, in a folder of their own.
    fn for_suite(suite: &str) -> Result<Self> {
        let own = folder().join("apt").join(suite);
        let parts = own.join("sources");
        for made in [&parts, &own.join("lists/partial"), &own.join("cache/archives/partial")] {
            fs::create_dir_all(made).with_context(|| format!("`{}`", made.display()))?;
        }
        let codename = codename()?;
        for file in sources(Path::new(SOURCES)) {
            let text =
                fs::read_to_string(&file).with_context(|| format!("`{}`", file.display()))?;
            let Some(name) = file.file_name().filter(|_| text.contains(&codename)) else {
                continue;
            };
            fs::write(parts.join(name), text.replace(&codename, suite))?;
        }
        let set = |name: &str, value: PathBuf| format!("{name}={}", value.display());
        let options = vec![
            // The folder is ours, where apt's own user can't write.
            "APT::Sandbox::User=root".to_owned(),
            set("Dir::Etc::sourcelist", PathBuf::from("/dev/null")),
            set("Dir::Etc::sourceparts", parts),
            set("Dir::State::lists", own.join("lists")),
            set("Dir::Cache", own.join("cache")),
        ];
        Ok(Self { options })
    }
}

/// `sources.list` and what is beside it, in both of its forms.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let parts = fs::read_dir(folder.join("sources.list.d")).into_iter().flatten().flatten();
    let parts = parts.map(|entry| entry.path()).filter(|file| {
        file.extension().is_some_and(|ending| ending == "list" || ending == "sources")
    });
    let main = Some(folder.join("sources.list")).filter(|file| file.is_file());
    main.into_iter().chain(parts).collect()
}

/// Of this machine's release, os-release(5).
fn codename() -> Result<String> {
    let text = fs::read_to_string("/etc/os-release").context("`/etc/os-release`")?;
    let line = text.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let name = line.context("`/etc/os-release` has no VERSION_CODENAME: this is no Debian")?;
    Ok(name.trim_matches('"').to_owned())
}
