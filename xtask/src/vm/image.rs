//! The machine's file system: an archive that the kernel unpacks into memory (initramfs).
//! <https://docs.kernel.org/driver-api/early-userspace/buffer-format.html>

use anyhow::{Context, Result};
use cpio::newc::{self, Builder};
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// The kinds of files, stat(2)
const FOLDER: u32 = 0o040_755;
const REGULAR: u32 = 0o100_000;
const SYMLINK: u32 = 0o120_777;

/// An archive under way. Every path is absolute inside the machine; folders come by themselves.
pub(super) struct Image {
    path: PathBuf,
    archive: BufWriter<File>,
    present: BTreeSet<PathBuf>,
    /// Files of one number would be taken for one file with several names.
    number: u32,
}

impl Image {
    pub(super) fn create(path: &Path) -> Result<Self> {
        let folder = path.parent().context("an image is a file in a folder")?;
        fs::create_dir_all(folder)?;
        let file = File::create(path).with_context(|| format!("`{}`", path.display()))?;
        let present = BTreeSet::from([PathBuf::from("/")]);
        Ok(Self { path: path.to_owned(), archive: BufWriter::new(file), present, number: 0 })
    }

    pub(super) fn folder(&mut self, inside: &Path) -> Result<()> {
        self.entry(inside, FOLDER, &[])
    }

    /// A file as it is here; what is there already stays.
    pub(super) fn file(&mut self, inside: &Path, source: &Path) -> Result<()> {
        let named = || format!("`{}`", source.display());
        let mode = fs::metadata(source).with_context(named)?.permissions().mode();
        let content = fs::read(source).with_context(named)?;
        self.entry(inside, REGULAR | (mode & 0o7777), &content)
    }

    pub(super) fn text(&mut self, inside: &str, text: &str) -> Result<()> {
        self.entry(Path::new(inside), REGULAR | 0o644, text.as_bytes())
    }

    pub(super) fn script(&mut self, inside: &str, text: &str) -> Result<()> {
        self.entry(Path::new(inside), REGULAR | 0o755, text.as_bytes())
    }

    pub(super) fn symlink(&mut self, inside: &str, target: &str) -> Result<()> {
        self.entry(Path::new(inside), SYMLINK, target.as_bytes())
    }

    /// A file, or a folder with all that is in it.
    pub(super) fn tree(&mut self, inside: &Path, source: &Path) -> Result<()> {
        if !source.is_dir() {
            return self.file(inside, source);
        }
        let entries = fs::read_dir(source).with_context(|| format!("`{}`", source.display()))?;
        for entry in entries {
            let entry = entry?;
            self.tree(&inside.join(entry.file_name()), &entry.path())?;
        }
        Ok(())
    }

    /// Ends the archive, and says where it is.
    pub(super) fn finish(self) -> Result<PathBuf> {
        newc::trailer(self.archive)?.flush()?;
        Ok(self.path)
    }

    fn entry(&mut self, inside: &Path, mode: u32, content: &[u8]) -> Result<()> {
        if !self.present.insert(inside.to_owned()) {
            return Ok(());
        }
        if let Some(parent) = inside.parent() {
            self.folder(parent)?;
        }
        self.number += 1;
        let name = inside.strip_prefix("/").unwrap_or(inside).to_string_lossy();
        let size = u32::try_from(content.len()).context("a file of 4 GiB does not fit")?;
        let entry = Builder::new(&name).ino(self.number).nlink(1).mode(mode);
        let mut writer = entry.write(&mut self.archive, size);
        writer.write_all(content)?;
        writer.finish()?;
        Ok(())
    }
}
