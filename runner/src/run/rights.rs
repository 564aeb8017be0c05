//! What a run gives up once everything is set up: of root's rights, all but those that its changes
//! and probes take.

use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};

use super::Purpose;
use super::prepare::Prepared;
use crate::exit::{Exit, Failure};
use crate::grant::Capability;
use crate::policy::Target;

/// What a run on the host may come to besides requests and settings, as the operator grants it.
/// Threads that are started later have no more than these.
pub(super) fn needed(prepared: &Prepared, purpose: Purpose) -> CapabilitySet {
    let Prepared { scenario, recipes, grants, target, report, .. } = prepared;
    let given = |capability| grants.iter().any(|set| set.given_of(capability).next().is_some());
    let reads_frames = || recipes.iter().any(|recipe| recipe.imports_any(&["captures", "taps"]));
    // In a lab these mean the lab alone: it has a user namespace of its own.
    let beyond = *target == Target::Lab
        || purpose == Purpose::Rehearsal
        || given(Capability::HostNamespace)
        || given(Capability::Exec)
        || !scenario.checks.is_empty()
        || !scenario.captures.is_empty()
        || reads_frames();
    let mut needed = CapabilitySet::NET_ADMIN;
    if beyond {
        // Namespaces are made, entered to open sockets in them, and bound to their names.
        needed |= CapabilitySet::SYS_ADMIN;
        // Captures and probes; servers at ports below 1024.
        needed |= CapabilitySet::NET_RAW | CapabilitySet::NET_BIND_SERVICE;
    }
    if report.has_artifacts() {
        // Artifacts may be wanted in a folder of the user who became root.
        needed |= CapabilitySet::DAC_OVERRIDE;
    }
    needed
}

/// For this thread, which should be the only one.
pub(super) fn give_up_but(needed: CapabilitySet) -> Result<(), Failure> {
    let failed = |errno: rustix::io::Errno| {
        Failure::new(Exit::Lacking, format!("can't give up capabilities: {errno}"))
    };
    let had = capabilities(None).map_err(failed)?;
    let sets = CapabilitySets {
        effective: had.effective & needed,
        permitted: had.permitted & needed,
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, sets).map_err(failed)
}
