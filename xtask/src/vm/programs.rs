//! What runs inside the machine: this machine's own programs with their libraries, busybox for the
//! rest, the runner and the scenarios.

use super::folder;
use super::image::Image;
use crate::program::{find, output, run, workspace};
use anyhow::{Context, Result};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Programs whose place busybox must not take: the tests ask them for a second opinion.
const REAL: [&str; 12] = [
    "ip", "bridge", "tc", "ss", "ping", "tcpdump", "setpriv", "nsenter", "unshare", "modprobe",
    "sh", "bash",
];

/// The names of numbers that ip(8) reads and prints: its own, in Debian 12 and in later ones, and
/// those of protocols.
const NAMES: [&str; 3] = ["/etc/iproute2", "/usr/share/iproute2", "/etc/protocols"];

/// Process 1.
const INIT: &str = include_str!("init.sh");

/// As in Debian, what was in the root is under /usr.
const MERGED: [&str; 4] = ["bin", "sbin", "lib", "lib64"];

/// Folders that something is mounted on, or that programs count on.
const FOLDERS: [&str; 8] =
    ["/dev", "/proc", "/sys", "/run", "/tmp", "/root", "/var/tmp", "/usr/sbin"];

/// All that any machine needs, whatever it is to do.
pub(super) fn add_system(image: &mut Image) -> Result<()> {
    for name in MERGED {
        image.symlink(&format!("/{name}"), &format!("usr/{name}"))?;
    }
    for name in FOLDERS {
        image.folder(Path::new(name))?;
    }
    image.script("/init", INIT)?;
    image.text("/etc/passwd", "root:x:0:0::/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n")?;
    image.text("/etc/group", "root:x:0:\nnogroup:x:65534:\n")?;
    for names in NAMES.map(Path::new).into_iter().filter(|names| names.exists()) {
        image.tree(names, names)?;
    }
    for name in REAL {
        let file = find(name).with_context(|| {
            format!("`{name}` is missing, which the virtual machine takes from here\n  help: cargo xtask setup")
        })?;
        add_program(image, &merged(&file), &file)?;
    }
    add_busybox(image)
}

/// busybox with a link for each of its programs, where there is no real one.
fn add_busybox(image: &mut Image) -> Result<()> {
    let busybox = find("busybox").context("busybox is gone")?;
    image.file(Path::new("/usr/bin/busybox"), &busybox)?;
    let applets = output(Command::new(&busybox).arg("--list"))?;
    for applet in applets.lines().filter(|applet| !REAL.contains(applet)) {
        image.symlink(&format!("/usr/bin/{applet}"), "busybox")?;
    }
    Ok(())
}

pub(super) fn add_runner(image: &mut Image, runner: &Path) -> Result<()> {
    add_program(image, Path::new("/usr/bin/netwright"), &stripped(runner)?)
}

/// Where the tests look for them, in the same place as here, with a short name for a person.
pub(super) fn add_scenarios(image: &mut Image) -> Result<()> {
    let scenarios = workspace().join("scenarios");
    image.symlink("/scenarios", &scenarios.display().to_string())?;
    for entry in fs::read_dir(&scenarios)? {
        let file = entry?.path();
        if file.is_file() {
            image.file(&file, &file)?;
        }
    }
    let components = crate::recipes::folder();
    image.tree(&components, &components)
}

/// The built-in recipes as machine code, in the cache that init.sh names: the machine would take
/// half a minute for each.
pub(super) fn add_machine_code(image: &mut Image, runner: &Path) -> Result<()> {
    let cache = folder().join("machine-code");
    for entry in fs::read_dir(workspace().join("scenarios"))? {
        let file = entry?.path();
        if file.extension().is_some_and(|ending| ending == "yaml") {
            let mut command = Command::new(runner);
            output(command.arg("validate").arg(&file).env("XDG_CACHE_HOME", &cache))?;
        }
    }
    image.tree(Path::new("/var/tmp"), &cache)
}

/// A program with the shared libraries that it needs.
pub(super) fn add_program(image: &mut Image, inside: &Path, file: &Path) -> Result<()> {
    for library in libraries(file)? {
        image.file(&merged(&library), &library)?;
    }
    image.file(inside, file)
}

/// A copy without debug information: programs that were built here hold ten times as much of it as
/// of themselves.
pub(super) fn stripped(file: &Path) -> Result<PathBuf> {
    let copies = folder().join("stripped");
    fs::create_dir_all(&copies)?;
    let copy = copies.join(file.file_name().context("a program is a file")?);
    let time = |file: &Path| fs::metadata(file).and_then(|data| data.modified()).ok();
    if time(&copy) < time(file) {
        run(Command::new("strip").arg("-o").arg(&copy).arg(file))?;
    }
    Ok(copy)
}

/// By ldd(1), whose lines are `NAME => PATH (ADDRESS)`, and `PATH (ADDRESS)` for the loader itself.
fn libraries(file: &Path) -> Result<BTreeSet<PathBuf>> {
    let listed = output(Command::new("ldd").arg(file))?;
    let paths = listed.lines().filter_map(|line| {
        line.split_whitespace().find(|word| word.starts_with('/')).map(PathBuf::from)
    });
    Ok(paths.collect())
}

/// Where a file of the root is in the machine.
fn merged(file: &Path) -> PathBuf {
    let in_root = MERGED.iter().any(|name| file.starts_with(Path::new("/").join(name)));
    match file.strip_prefix("/") {
        Ok(rest) if in_root => Path::new("/usr").join(rest),
        _ => file.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::merged;
    use std::path::Path;

    #[test]
    fn what_is_in_the_root_moves_to_usr_and_nothing_else() {
        let moved = |path| merged(Path::new(path)).display().to_string();
        assert_eq!(moved("/lib64/ld-linux-x86-64.so.2"), "/usr/lib64/ld-linux-x86-64.so.2");
        assert_eq!(moved("/usr/bin/ping"), "/usr/bin/ping");
        assert_eq!(moved("/library/x"), "/library/x");
    }
}
