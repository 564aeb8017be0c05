//! What a run gives up once everything is set up: of root's rights, all but those that its changes
//! and probes take.

use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};

use crate::exit::{Exit, Failure};

/// Threads that are started later have no more than these.
fn needed() -> CapabilitySet {
    // Requests and settings of networks.
    CapabilitySet::NET_ADMIN
        // Namespaces are made, entered to open sockets in them, and bound to their names.
        | CapabilitySet::SYS_ADMIN
        // Captures and probes; servers at ports below 1024.
        | CapabilitySet::NET_RAW
        | CapabilitySet::NET_BIND_SERVICE
        // Artifacts may be wanted in a folder of the user who became root.
        | CapabilitySet::DAC_OVERRIDE
}

/// For this thread, which should be the only one.
pub(super) fn give_up() -> Result<(), Failure> {
    let failed = |errno: rustix::io::Errno| {
        Failure::new(Exit::Lacking, format!("can't give up capabilities: {errno}"))
    };
    let had = capabilities(None).map_err(failed)?;
    let sets = CapabilitySets {
        effective: had.effective & needed(),
        permitted: had.permitted & needed(),
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, sets).map_err(failed)
}
