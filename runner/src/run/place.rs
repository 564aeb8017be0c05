//! Where a run takes place: a lab of its own, or the machine's own network.

use rustix::thread::{CapabilitySet, capabilities};

use super::Prepared;
use crate::attach::attach;
use crate::exit::{Exit, Failure};
use crate::kernel::mark::Mark;
use crate::kernel::uplink::Uplinks;
use crate::kernel::{Kernel, Netlink};
use crate::lab;
use crate::policy::{Connection, HostPolicy, Policy, Target};
use crate::tap::Opener;
use crate::uplink;

/// What stands between a run's recipes and the kernel.
pub(super) struct Place {
    pub(super) kernel: Box<dyn Kernel + Send>,
    pub(super) policy: Policy,
    pub(super) opener: Option<Opener>,
}

impl Place {
    /// Goes there. Still on the only thread.
    pub(super) fn enter(prepared: &Prepared) -> Result<Self, Failure> {
        match prepared.target {
            Target::Lab => Self::joined(uplink::start(&prepared.operator)?),
            Target::Host => Self::host(prepared),
        }
    }

    /// A lab of the run's own.
    pub(super) fn lab() -> Result<Self, Failure> {
        Self::joined(None)
    }

    /// The same with a way to links of the host, which was opened before.
    fn joined(uplinks: Option<Uplinks>) -> Result<Self, Failure> {
        // Before the lab: what opens character devices needs the rights that are left there.
        let opener = opener()?;
        lab::enter()?;
        let mut kernel = Netlink::for_lab().map_err(|error| {
            Failure::new(Exit::Lacking, format!("can't talk to the kernel: {error}"))
        })?;
        kernel.join(uplinks);
        Ok(Self { kernel: Box::new(kernel), policy: Policy::Lab, opener })
    }

    fn host(prepared: &Prepared) -> Result<Self, Failure> {
        let lacking = |message: String| Failure::new(Exit::Lacking, message);
        let rights =
            capabilities(None).map_err(|errno| lacking(format!("capabilities: {errno}")))?;
        if !rights.effective.contains(CapabilitySet::NET_ADMIN) {
            return Err(lacking(
                "the host target needs CAP_NET_ADMIN\n  help: run it as root, or in a lab: without `--target host`"
                    .to_owned(),
            ));
        }
        let opener = opener()?;
        let mark = Mark::new().map_err(|error| lacking(format!("no random numbers: {error}")))?;
        let mut kernel = Netlink::for_host(mark)
            .map_err(|error| lacking(format!("can't talk to the kernel: {error}")))?;
        attach(&prepared.operator, &mut kernel)?;
        let policy = HostPolicy::new(prepared.operator.clone(), mark, Connection::of_operator());
        Ok(Self { kernel: Box::new(kernel), policy: Policy::Host(policy.into()), opener })
    }
}

fn opener() -> Result<Option<Opener>, Failure> {
    Opener::start().map_err(|error| {
        let message = format!("can't start the opener of character devices: {error}");
        Failure::new(Exit::Lacking, message)
    })
}
