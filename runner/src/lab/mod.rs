//! Labs: entered by a run, kept by one small process, entered again, taken apart.

mod folder;
mod hold;
mod inside;
mod origin;

pub use folder::{Folder, Record, Reservation};
pub use hold::{hold, keep};
pub use inside::{Inside, namespaces};
pub use origin::Origin;

use crate::exit::{Exit, Failure};
use crate::kernel::netns;

/// Makes this process the root of a new lab. Must come before the first thread.
pub fn enter() -> Result<(), Failure> {
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
            _ => "`netwright doctor` tells more",
        };
        let message =
            format!("can't enter a lab: {}: {}\n  help: {help}", error.step, error.source);
        Failure::new(Exit::Lacking, message)
    })
}

/// Takes a kept lab apart: ends whatever runs inside it, and then what holds it.
pub fn destroy(name: &str) -> Result<(), Failure> {
    let folder = Folder::open()?;
    let record = folder.find(name)?;
    hold::end(&record)?;
    folder.forget(name)
}
