//! Going into a lab that was kept.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Seek as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;

use super::folder::Folder;
use super::hold;
use super::origin::Origin;
use crate::change::{Change, Name};
use crate::exit::{Exit, Failure};
use crate::kernel::{Netlink, netns};
use crate::report::Line;

/// Where ip(8) keeps names of namespaces, in the lab's own mount namespace.
const FOLDER: &str = "/run/netns";

/// A namespace, and the name that it has in the lab.
type Named = (Name, OwnedFd);

/// This process is in the lab now, in its root namespace.
#[derive(Debug)]
pub struct Inside {
    /// see [`Origin`]
    origin: File,
}

impl Inside {
    /// Must come before the first thread, as [`super::enter`].
    pub fn go(name: &str) -> Result<Self, Failure> {
        let lab = Folder::open()?.find(name)?;
        let lab = lab.ok_or_else(|| Failure::usage(format!("no lab `{name}` is kept")))?;
        let failed = |error: io::Error| {
            let message = format!(
                "can't enter lab `{name}`: {error}\n  help: only the user who made it, or root, can, where it was made"
            );
            Failure::new(Exit::Lacking, message)
        };
        let holder = hold::holder(&lab).map_err(failed)?;
        let origin = Origin::open(&holder).map_err(failed)?;
        if holder.is_over() {
            return Err(failed(io::Error::other("its process has just ended")));
        }
        super::know_roots();
        netns::join_lab(&holder).map_err(failed)?;
        Ok(Self { origin })
    }

    /// The lab's kernel, with all of its namespaces.
    pub fn kernel(&self) -> Result<Netlink, Failure> {
        let failed = |error| Failure::new(Exit::Broken, format!("can't read the lab: {error}"));
        let root = netns::current().map_err(failed)?;
        let (named, passed_over) = self.named(&root)?;
        for note in passed_over {
            Line::new().text("note: ").message(note).complain();
        }
        let named = named.into_iter().map(|(name, space)| (Some(name), space));
        Netlink::adopt([(None, root)].into_iter().chain(named).collect()).map_err(failed)
    }

    /// The lab's namespaces, by name.
    pub fn namespaces(&self) -> Result<Vec<Named>, Failure> {
        let root = netns::current().map_err(|error| unreadable(&error))?;
        Ok(self.named(&root)?.0)
    }

    /// The same, and why something under /run/netns is none: programs in the lab may put there what
    /// they like.
    fn named(&self, root: &OwnedFd) -> Result<(Vec<Named>, Vec<String>), Failure> {
        let made: HashSet<String> = self.made().into_iter().collect();
        let mut files = Vec::new();
        for entry in fs::read_dir(FOLDER).map_err(|error| unreadable(&error))? {
            let file = entry.map_err(|error| unreadable(&error))?.file_name();
            let new = file.to_str().is_none_or(|name| !made.contains(name));
            files.push((new, file));
        }
        // Of two names of one namespace the lab's own counts.
        files.sort();
        let (mut found, mut passed_over) = (Vec::<Named>::new(), Vec::new());
        for (new, file) in files {
            match taken_in(&file, new, &found, root) {
                Ok(named) => found.push(named),
                Err(why) => passed_over.push(format!(
                    "`{FOLDER}/{}` of the lab is passed over: {why}",
                    file.to_string_lossy().escape_debug()
                )),
            }
        }
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok((found, passed_over))
    }

    /// The names of the namespaces that the lab was made with.
    fn made(&self) -> Vec<String> {
        let Ok(mut file) = self.origin.try_clone() else { return Vec::new() };
        let made = |change: &Change| match change {
            Change::CreateNamespace { name } => Some(name.to_string()),
            _ => None,
        };
        let origin = file.try_clone().map(Origin::read);
        let names = origin.map(|origin| origin.changes.iter().filter_map(made).collect());
        // The descriptors share their place in the file.
        let _ = file.rewind();
        names.unwrap_or_default()
    }

    /// What the lab was made by.
    pub fn into_origin(self) -> Origin {
        Origin::read(self.origin)
    }
}

fn unreadable(error: &io::Error) -> Failure {
    Failure::new(Exit::Broken, format!("can't read the lab's {FOLDER}: {error}"))
}

/// `new`: not of the lab's own making, so that it may be anything.
fn taken_in(file: &OsStr, new: bool, found: &[Named], root: &OwnedFd) -> Result<Named, String> {
    let name = Name::new_namespace(file.to_str().ok_or("its name is no text")?)?;
    let namespace = netns::open_named(&Path::new(FOLDER).join(file)).map_err(|error| {
        error
            .raw_os_error()
            .map_or_else(|| error.to_string(), |_| format!("can't open it: {error}"))
    })?;
    if !new {
        return Ok((name, namespace));
    }
    let same = |other: &OwnedFd| netns::is_same(&namespace, other).unwrap_or(false);
    if same(root) {
        return Err("it is the lab's root namespace".to_owned());
    }
    if let Some((other, _)) = found.iter().find(|(_, other)| same(other)) {
        return Err(format!("it is the same namespace as `{other}`"));
    }
    let entered = netns::within(namespace.as_fd(), || Ok(()));
    entered.map_err(|error| format!("it is not the lab's own: can't enter it: {error}"))?;
    Ok((name, namespace))
}
