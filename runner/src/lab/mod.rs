//! Labs: entered by a run, kept by one small process, entered again, taken apart.

mod folder;
mod hold;
mod inside;
mod origin;
mod sweeper;

pub(crate) use folder::sweep;
pub use folder::{Folder, Record, Reservation};
pub use hold::hold;
pub use inside::Inside;
pub use origin::Origin;
pub use sweeper::sweep_when_told;

use crate::change::Change;
use crate::exit::{Exit, Failure};
use crate::kernel::netns;
use crate::naming::Taken;
use crate::records::Remembered;
use crate::text::shortage;

/// Makes this process the root of a new lab. Must come before the first thread.
pub fn enter() -> Result<(), Failure> {
    know_roots();
    netns::enter_lab().map_err(|error| {
        let help = match error.source.raw_os_error() {
            Some(libc::EPERM) => {
                "this machine forbids user namespaces: allow them with \
                 `sysctl kernel.unprivileged_userns_clone=1` (Debian) or \
                 `sysctl kernel.apparmor_restrict_unprivileged_userns=0` (Ubuntu), or run as root"
            }
            Some(libc::ENOSPC) => {
                "too many namespaces exist: raise `sysctl user.max_user_namespaces` and \
                 `user.max_net_namespaces`"
            }
            Some(libc::EINVAL) => "the kernel lacks CONFIG_USER_NS or CONFIG_NET_NS",
            _ => shortage(&error.source).unwrap_or("`netwright doctor` tells more"),
        };
        let message =
            format!("can't enter a lab: {}: {}\n  help: {help}", error.step, error.source);
        Failure::new(Exit::Lacking, message)
    })
}

/// An ordinary user's lab has no number for root, whose are the levels above what is opened inside.
fn know_roots() {
    let own = [Some(crate::store::path()), crate::guest::cache_folder()];
    crate::file::know_roots_of(own.into_iter().flatten());
}

/// Takes a kept lab apart: ends whatever runs inside it, and then what holds it. The name is this
/// process's meanwhile.
///
/// # Errors
/// Where it may be there still.
pub(crate) fn destroy(taken: &Taken) -> Result<bool, Failure> {
    Folder::open()?.destroy(taken)
}

/// The changes that a kept lab was made by. Nothing where there is none, or where its process can't be
/// looked into: whoever goes there is told why.
pub(crate) fn made_by(name: &str) -> Result<Vec<Change>, Failure> {
    let Some(lab) = Folder::open()?.find(name)? else { return Ok(Vec::new()) };
    let file = hold::holder(&lab).and_then(|holder| Origin::open(&holder));
    Ok(file.map(|file| Origin::read(file).changes).unwrap_or_default())
}

/// What the checks of a kept lab are read from, from now on.
pub(crate) fn remember(taken: &Taken, scenario: Remembered) -> Result<(), Failure> {
    let Some(lab) = Folder::open()?.find(taken.name())? else { return Ok(()) };
    let noted = hold::holder(&lab).and_then(|holder| Origin::open(&holder)).and_then(|file| {
        let mut origin = Origin::read(file);
        if origin.scenario.as_ref() == Some(&scenario) {
            return Ok(());
        }
        origin.scenario = Some(scenario);
        origin.add(std::iter::empty())
    });
    noted.map_err(|error| {
        let name = taken.name();
        Failure::new(Exit::Broken, format!("the checks of lab `{name}` can't be noted: {error}"))
    })
}
