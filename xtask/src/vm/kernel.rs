//! Debian's kernels: fetched as packages, unpacked, never installed.

use super::apt::Apt;
use super::folder;
use super::image::Image;
use crate::packages;
use crate::program::{find, is_installed, output, run, say};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where a kernel comes from.
pub(super) struct Source {
    /// for people
    pub(super) name: &'static str,
    /// under target/vm
    folder: &'static str,
    /// a package that depends on the newest kernel of its Debian release
    newest: &'static str,
    /// the release that it is taken from; this machine's own where there is none
    pub(super) suite: Option<&'static str>,
    /// the parts of the module tree that the trials need
    modules: &'static [&'static str],
}

/// Has every kind of link that a network needs, and is small.
pub(super) const SECOND: Source = Source {
    name: "the second kernel for tests",
    folder: "kernel",
    newest: "linux-image-cloud-amd64",
    suite: None,
    modules: &[
        "net",
        "drivers/net",
        "drivers/virtio",
        "drivers/char/hw_random",
        "crypto",
        "lib",
        "arch/x86/crypto",
    ],
};

/// The full one of Debian 13, for what came later and what clouds don't have: hsr, netkit,
/// batman-adv.
pub(super) const THIRD: Source = Source {
    name: "the third kernel for tests",
    folder: "kernel-full",
    newest: "linux-image-amd64",
    suite: Some("trixie"),
    modules: &["net", "drivers/net", "crypto", "lib", "arch/x86/crypto"],
};

/// What builds the image and boots it, with the packages that they come in.
const PROGRAMS: [(&str, &str); 5] = [
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("busybox", "busybox-static"),
    ("depmod", "kmod"),
    ("tcpdump", "tcpdump"),
    ("strip", "binutils"),
];

/// A kernel that can be booted.
pub(super) struct Kernel {
    /// the bzImage
    pub(super) image: PathBuf,
    pub(super) release: String,
    /// `lib/modules/RELEASE`
    modules: PathBuf,
    /// which parts of them a machine gets
    parts: &'static [&'static str],
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
pub(super) fn fetch(source: &Source) -> Result<Kernel> {
    let unpacked = folder().join(source.folder);
    if !unpacked.is_dir() {
        let apt = Apt::of(source)?;
        let package = package(source, &apt)?;
        say(format_args!("fetching {package}, {}; it isn't installed", source.name));
        unpack(&package, &apt, &unpacked).map_err(|error| {
            error.context(format!(
                "{} needs Debian's package {package}\n  \
                 help: make a mirror of Debian reachable, or put the package's content into {}",
                source.name,
                unpacked.display()
            ))
        })?;
    }
    Kernel::open(&unpacked, source.modules)
}

/// The concrete package with the newest kernel.
fn package(source: &Source, apt: &Apt) -> Result<String> {
    let ask = || -> Option<String> {
        let depends = output(apt.command("apt-cache").args(["depends", source.newest])).ok()?;
        let named = depends.lines().find_map(|line| line.trim().strip_prefix("Depends:"))?;
        Some(named.trim().to_owned())
    };
    if let Some(package) = ask() {
        return Ok(package);
    }
    say(format_args!("the package lists know no {}: fetching them", source.newest));
    // Without root it can't, and what is missing then is named below.
    let update = run(apt.command("apt-get").args(["update", "--quiet"]));
    ask().with_context(|| {
        let cause = update.err().map(|error| format!("{error}; ")).unwrap_or_default();
        let release = source.suite.map(|suite| format!(" of {suite}")).unwrap_or_default();
        format!(
            "{cause}no package {}{release} is known here\n  \
             help: apt-get update, with Debian's `main` among the sources; or put what the package \
             of such a kernel holds into {}",
            source.newest,
            folder().join(source.folder).display()
        )
    })
}

/// What is unpacked in part is never taken for the whole: it is renamed at the end.
fn unpack(package: &str, apt: &Apt, target: &Path) -> Result<()> {
    let work = folder().join("unpacking");
    if work.exists() {
        fs::remove_dir_all(&work)?;
    }
    fs::create_dir_all(&work)?;
    let mut download = apt.command("apt-get");
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
    fn open(unpacked: &Path, parts: &'static [&'static str]) -> Result<Self> {
        let shown = unpacked.display();
        let help = format!("\n  help: remove {shown}, and it is fetched anew");
        // Since Debian 13 packages have their modules where the merged /usr has them; depmod looks in
        // /lib.
        let link = unpacked.join("lib");
        if !link.exists() {
            std::os::unix::fs::symlink("usr/lib", &link)?;
        }
        let modules = entries(&unpacked.join("lib/modules"))?.into_iter().next();
        let modules = modules.with_context(|| format!("`{shown}` has no modules{help}"))?;
        let release = modules.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let image = unpacked.join(format!("boot/vmlinuz-{release}"));
        if !image.is_file() {
            bail!("`{}` is missing{help}", image.display());
        }
        let depmod = find("depmod").context("depmod is gone")?;
        run(Command::new(depmod).arg("-b").arg(unpacked).arg(&release))?;
        Ok(Self { image, release, modules, parts })
    }

    /// The modules, with the lists by which modprobe finds them.
    pub(super) fn add_modules(&self, image: &mut Image) -> Result<()> {
        let inside = Path::new("/usr/lib/modules").join(&self.release);
        for part in self.parts {
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
