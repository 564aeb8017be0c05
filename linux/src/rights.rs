//! What a process gives up of root's rights, for itself and for all that it will start.

use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, remove_capability_from_bounding_set,
    set_capabilities,
};

/// Keeps these capabilities alone. For this thread, which should be the only one.
pub fn keep_only(kept: CapabilitySet) -> Result<(), Errno> {
    let had = capabilities(None)?;
    let sets = CapabilitySets {
        effective: had.effective & kept,
        permitted: had.permitted & kept,
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, sets)
}

/// The same for good: a program that is started as root gets nothing else back. Only who has
/// CAP_SETPCAP can say so; others have no rights that they could get back.
pub fn keep_only_for_good(kept: CapabilitySet) -> Result<(), Errno> {
    if capabilities(None)?.effective.contains(CapabilitySet::SETPCAP) {
        for capability in CapabilitySet::all() - kept {
            match remove_capability_from_bounding_set(capability) {
                // One that this kernel doesn't know.
                Ok(()) | Err(Errno::INVAL) => {}
                Err(errno) => return Err(errno),
            }
        }
    }
    keep_only(kept)
}
