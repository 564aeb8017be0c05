//! `netwright exec`: a program in a namespace of a lab or a deployment.

use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;

use rustix::mount::{MountFlags, mount};

use super::Kept;
use crate::change::Name;
use crate::exit::{Exit, Failure};
use crate::kernel::{Kernel as _, netns};
use crate::{near, process};

/// Becomes the program, in one of the namespaces of what was kept; without a name in its root
/// namespace. Returns only when that fails.
pub fn exec(name: &str, namespace: Option<&str>, program: &[OsString]) -> Failure {
    match enter(name, namespace) {
        Ok(()) => become_program(program),
        Err(failure) => failure,
    }
}

fn enter(name: &str, namespace: Option<&str>) -> Result<(), Failure> {
    match (Kept::open(name)?, namespace) {
        (Kept::Lab(_), None) => Ok(()),
        (Kept::Lab(inside), Some(namespace)) => join(&inside.namespaces()?, "the lab", namespace),
        (Kept::Deployment(deployment), Some(namespace)) => {
            join(&deployment.kernel().namespaces(), &format!("deployment `{name}`"), namespace)
        }
        (Kept::Deployment(deployment), None) => {
            let root = deployment.root()?;
            netns::join_network(&*root).map_err(|error| {
                Failure::new(
                    Exit::Broken,
                    format!("can't enter the machine's own namespace: {error}"),
                )
            })
        }
    }
}

fn join(known: &[(Name, impl AsFd)], whose: &str, name: &str) -> Result<(), Failure> {
    if let Some((_, descriptor)) = known.iter().find(|(known, _)| known.as_str() == name) {
        return netns::join_network(descriptor.as_fd()).map_err(|error| {
            Failure::new(Exit::Broken, format!("can't enter namespace `{name}`: {error}"))
        });
    }
    let names: Vec<&str> = known.iter().map(|(known, _)| known.as_str()).collect();
    let help = near::help(name, &names, "it has its root namespace only; leave out -n");
    let name = name.escape_debug();
    Err(Failure::usage(format!("{whose} has no namespace `{name}`\n  help: {help}")))
}

fn become_program(program: &[OsString]) -> Failure {
    // A /sys mounted in another namespace shows that one's links. Where this is forbidden, as in
    // some containers, the program runs with the old one, like under ip-netns(8).
    if netns::unshare_mounts().is_ok() {
        let _ = mount("sysfs", "/sys", "sysfs", MountFlags::empty(), None);
    }
    let Some((path, arguments)) = program.split_first() else {
        return Failure::usage("no program is given");
    };
    let error = process::become_program(path, arguments);
    let exit =
        if error.kind() == io::ErrorKind::NotFound { Exit::NotFound } else { Exit::NotExecutable };
    Failure::new(exit, format!("can't run `{}`: {error}", crate::text::path(path)))
}
