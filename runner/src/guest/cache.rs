//! Machine code of recipes, kept from run to run: each file is what a guest's process made of one
//! recipe before any of it ran, so that a recipe can have had its hands in its own file at most.

use std::fs::File;
use std::io::{self, Read as _, Seek as _};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::{
    AtFlags, Dir, Mode, OFlags, Stat, fstat, mkdirat, openat, renameat, statat, unlinkat,
};
use rustix::io::Errno;

use crate::file::{Missing, Trail, is_borrowed, is_ours, trail};
use crate::store;

/// Bytes of all files together, beyond which the oldest go.
const MOST_BYTES: u64 = 256 << 20;
/// Bytes that one may have.
const LONGEST: u64 = 64 << 20;

/// A recipe's place in the cache.
#[derive(Clone)]
pub(super) struct Place {
    folder: Arc<OwnedFd>,
    name: String,
}

impl Place {
    /// `digest`: the recipe's. None where there is no folder that is this user's alone: then each run compiles.
    pub(super) fn of(digest: &str) -> Option<Self> {
        let path = folder()?;
        let Trail { folder, distrust, .. } = trail(path.parent()?, Missing::Made).ok()?;
        let outside = folder.filter(|_| distrust.is_none())?;
        let name = path.file_name()?;
        match mkdirat(&outside, name, Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(_) => return None,
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let folder = openat(&outside, name, flags, Mode::empty()).ok()?;
        let (outside, about) = (fstat(&outside).ok()?, fstat(&folder).ok()?);
        let closed = |about: &Stat| is_ours(about) && about.st_mode & 0o022 == 0;
        let ours = closed(&outside) && closed(&about);
        let (version, target) = (env!("CARGO_PKG_VERSION"), env!("NETWRIGHT_TARGET"));
        let folder = Arc::new(folder);
        ours.then(|| Self { folder, name: format!("{digest}-{version}-{target}") })
    }

    pub(super) fn find(&self) -> Option<File> {
        store::open_own(&self.folder, &self.name, OFlags::RDONLY).ok()
    }

    /// The file whose lock (flock(2)) whoever compiles for this place holds.
    pub(super) fn lock(&self) -> io::Result<File> {
        store::open_own(&self.folder, &self.lock_name(), OFlags::RDWR | OFlags::CREATE)
    }

    /// Removes that file. Who waits for its lock looks for the code before.
    pub(super) fn forget_lock(&self) -> io::Result<()> {
        Ok(unlinkat(&self.folder, self.lock_name(), AtFlags::empty())?)
    }

    fn lock_name(&self) -> String {
        format!("{}.lock", self.name)
    }

    /// Keeps what the file holds. A copy, which the guest can't reach any more.
    pub(super) fn keep(&self, code: &File) -> io::Result<()> {
        let mut code = code.try_clone()?;
        code.rewind()?;
        let draft = format!("{}.{}", self.name, std::process::id());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        let mut file = store::open_own(&self.folder, &draft, flags)?;
        let kept = io::copy(&mut code.take(LONGEST + 1), &mut file);
        let kept = match kept {
            Ok(length) if length > LONGEST => Err(io::ErrorKind::FileTooLarge.into()),
            Ok(_) => renameat(&self.folder, &draft, &self.folder, &self.name).map_err(Into::into),
            Err(error) => Err(error),
        };
        if kept.is_err() {
            unlinkat(&self.folder, &draft, AtFlags::empty())?;
        }
        self.tidy()?;
        kept
    }

    fn tidy(&self) -> io::Result<()> {
        let mut files = Vec::new();
        for entry in Dir::read_from(&self.folder)?.flatten() {
            let about = statat(&self.folder, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)?;
            let ours = entry.file_name().to_str().is_ok_and(is_own);
            if ours && rustix::fs::FileType::from_raw_mode(about.st_mode).is_file() {
                let size = u64::try_from(about.st_size).unwrap_or_default();
                files.push((about.st_mtime, size, entry.file_name().to_owned()));
            }
        }
        let mut all: u64 = files.iter().map(|(_, size, _)| size).sum();
        files.sort();
        for (_, size, name) in files {
            if all <= MOST_BYTES {
                break;
            }
            all -= size;
            unlinkat(&self.folder, name, AtFlags::empty())?;
        }
        Ok(())
    }
}

/// What this module gives its files: a recipe's digest, and what else they depend on.
fn is_own(name: &str) -> bool {
    let digest = name.split('-').next().unwrap_or_default();
    name.contains('-') && digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Root's own where root was become by sudo(8) and the like: the caller's variables may still be
/// set then.
pub(crate) fn folder() -> Option<PathBuf> {
    if is_borrowed() {
        return Some(PathBuf::from("/var/cache/netwright/recipes"));
    }
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = match set("XDG_CACHE_HOME") {
        Some(folder) => folder,
        None => set("HOME")?.join(".cache"),
    };
    folder.is_absolute().then(|| folder.join("netwright/recipes"))
}

#[cfg(test)]
mod tests {
    use super::is_own;

    #[test]
    fn names_of_others_are_not_tidied() {
        let digest = "0123456789abcdef".repeat(4);
        assert!(is_own(&format!("{digest}-0.1.0-x86_64-unknown-linux-gnu")));
        assert!(is_own(&format!("{digest}-0.1.0-x86_64-unknown-linux-gnu.77")));
        for other in ["vmlinuz-6.1", "grub.cfg", "", "-", &digest, &digest.replace('f', "g")] {
            assert!(!is_own(other), "{other}");
        }
    }
}
