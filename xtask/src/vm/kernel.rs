//! Debian's cloud kernel: fetched as a package, unpacked, never installed.

use super::folder;
use super::image::Image;
use crate::packages;
use crate::program::{find, is_installed, output, run, say};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// It depends on the newest kernel of its Debian release.
const NEWEST: &str = "linux-image-cloud-amd64";

/// What builds the image and boots it, with the packages that they come in.
const PROGRAMS: [(&str, &str); 5] = [
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("busybox", "busybox-static"),
    ("depmod", "kmod"),
    ("tcpdump", "tcpdump"),
    ("strip", "binutils"),
];

/// The parts of the module tree that networks need.
const MODULES: [&str; 7] = [
    "net",
    "drivers/net",
    "drivers/virtio",
    "drivers/char/hw_random",
    "crypto",
    "lib",
    "arch/x86/crypto",
];

/// A kernel that can be booted.
pub(super) struct Kernel {
    /// the bzImage
    pub(super) image: PathBuf,
    pub(super) release: String,
    /// `lib/modules/RELEASE`
    modules: PathBuf,
}

/// Installs what boots the machine, and says so.
pub(super) fn install_programs() -> Result<()> {
    if std::env::consts::ARCH != "x86_64" {
        bail!(
            "the virtual machine is an x86-64, and this machine's programs are for {}\n  \
             help: run `cargo xtask vm-test` on an x86-64",
            std::env::consts::ARCH
        );
    }
    let missing: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, _)| !is_installed(program))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    packages::install(&missing, "testing on a second kernel")
}

/// The kernel that an earlier run fetched, else Debian's newest.
pub(super) fn fetch() -> Result<Kernel> {
    let unpacked = folder().join("kernel");
    if !unpacked.is_dir() {
        let package = package()?;
        say(format_args!("fetching {package}, the second kernel for tests; it isn't installed"));
        unpack(&package, &unpacked).map_err(|error| {
            error.context(format!(
                "the second kernel for tests needs Debian's package {package}\n  \
                 help: make a mirror of Debian reachable, or put the package's content into {}",
                unpacked.display()
            ))
        })?;
    }
    Kernel::open(&unpacked)
}

/// The concrete package with the newest kernel.
fn package() -> Result<String> {
    let ask = || -> Option<String> {
        let depends = output(Command::new("apt-cache").args(["depends", NEWEST])).ok()?;
        let named = depends.lines().find_map(|line| line.trim().strip_prefix("Depends:"))?;
        Some(named.trim().to_owned())
    };
    if let Some(package) = ask() {
        return Ok(package);
    }
    say("the package lists know no cloud kernel: fetching them");
    // Without root it can't, and what is missing then is named below.
    let update = run(Command::new("apt-get").args(["update", "--quiet"]));
    ask().with_context(|| {
        let cause = update.err().map(|error| format!("{error}; ")).unwrap_or_default();
        format!(
            "{cause}no package {NEWEST} is known here\n  \
             help: apt-get update, with Debian's `main` among the sources; or put what the package \
             of a cloud kernel holds into {}",
            folder().join("kernel").display()
        )
    })
}

/// What is unpacked in part is never taken for the whole: it is renamed at the end.
fn unpack(package: &str, target: &Path) -> Result<()> {
    let work = folder().join("unpacking");
    if work.exists() {
        fs::remove_dir_all(&work)?;
    }
    fs::create_dir_all(&work)?;
    let mut download = Command::new("apt-get");
    // The folder is ours, where apt's own user can't write.
    download.args(["-o", "APT::Sandbox::User=root", "--quiet", "download", package]);
    run(download.current_dir(&work))?;
    let archive = entries(&work)?.into_iter().find(|file| file.extension() == Some("deb".as_ref()));
    let archive = archive.with_context(|| format!("apt-get left no package {package}"))?;
    let content = work.join("content");
    run(Command::new("dpkg-deb").arg("-x").arg(&archive).arg(&content))?;
    fs::rename(&content, target)?;
    fs::remove_dir_all(&work)?;
    Ok(())
}

impl Kernel {
    fn open(unpacked: &Path) -> Result<Self> {
        let shown = unpacked.display();
        let help = format!("\n  help: remove {shown}, and it is fetched anew");
        let modules = entries(&unpacked.join("lib/modules"))?.into_iter().next();
        let modules = modules.with_context(|| format!("`{shown}` has no modules{help}"))?;
        let release = modules.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let image = unpacked.join(format!("boot/vmlinuz-{release}"));
        if !image.is_file() {
            bail!("`{}` is missing{help}", image.display());
        }
        let depmod = find("depmod").context("depmod is gone")?;
        run(Command::new(depmod).arg("-b").arg(unpacked).arg(&release))?;
        Ok(Self { image, release, modules })
    }

    /// The modules, with the lists by which modprobe finds them.
    pub(super) fn add_modules(&self, image: &mut Image) -> Result<()> {
        let inside = Path::new("/usr/lib/modules").join(&self.release);
        for part in MODULES {
            let part = Path::new("kernel").join(part);
            image.tree(&inside.join(&part), &self.modules.join(&part))?;
        }
        for list in entries(&self.modules)?.into_iter().filter(|entry| entry.is_file()) {
            image.file(&inside.join(list.file_name().unwrap_or_default()), &list)?;
        }
        Ok(())
    }
}

/// A folder's entries, in order.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let list = fs::read_dir(folder).with_context(|| format!("`{}`", folder.display()))?;
    let mut paths = list.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
