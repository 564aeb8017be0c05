//! What a run gives up once everything is set up: of root's rights, all but those that its changes
//! and probes take.

use rustix::thread::CapabilitySet;

use super::Purpose;
use super::prepare::Prepared;
use crate::exit::{Exit, Failure};
use crate::grant::Capability;
use crate::policy::Target;
use crate::rights::{keep_only, keep_only_for_good};

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

/// Of whoever only looks and probes.
pub(super) fn looking() -> CapabilitySet {
    CapabilitySet::NET_ADMIN | CapabilitySet::SYS_ADMIN | CapabilitySet::NET_RAW
}

/// For this thread, which should be the only one. On the host for good: in a lab all of them mean the
/// lab alone.
pub(super) fn give_up_but(needed: CapabilitySet, target: Target) -> Result<(), Failure> {
    let given_up = match target {
        Target::Host => keep_only_for_good(needed),
        Target::Lab => keep_only(needed),
    };
    given_up.map_err(|errno| {
        Failure::new(Exit::Lacking, format!("can't give up capabilities: {errno}"))
    })
}
