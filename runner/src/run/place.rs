//! Where a run takes place: a lab of its own, or the machine's own network.

use std::time::{SystemTime, UNIX_EPOCH};

use rustix::thread::{CapabilitySet, capabilities};

use super::Prepared;
use crate::attach::attach;
use crate::exit::{Exit, Failure};
use crate::journal::{Folder, Head, Journal, Lasting, Record, SCHEMA, file_name, unwritable};
use crate::kernel::mark::Mark;
use crate::kernel::uplink::Uplinks;
use crate::kernel::{Kernel, Netlink, Witness};
use crate::lab;
use crate::policy::{Connection, HostPolicy, Policy, Target};
use crate::recover;
use crate::store;
use crate::tap::Opener;
use crate::uplink;

/// What stands between a run's recipes and the kernel.
pub(super) struct Place {
    pub(super) kernel: Box<dyn Kernel + Send>,
    pub(super) policy: Policy,
    pub(super) opener: Option<Opener>,
    pub(super) journal: Journal,
}

impl Place {
    /// Goes there. Still on the only thread.
    pub(super) fn enter(prepared: &mut Prepared) -> Result<Self, Failure> {
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
        let journal = Journal::default();
        Ok(Self { kernel: Box::new(kernel), policy: Policy::Lab, opener, journal })
    }

    fn host(prepared: &mut Prepared) -> Result<Self, Failure> {
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
        let folder = Folder::open()?;
        for recovered in recover::overdue(&folder) {
            prepared.report.notice(&recovered.shown());
        }
        attach(&prepared.operator, &mut kernel)?;
        let journal = Self::journal(folder, prepared, mark, &mut kernel)?;
        let policy = HostPolicy::new(prepared.operator.clone(), mark, Connection::of_operator());
        let policy = Policy::Host(policy.into());
        Ok(Self { kernel: Box::new(kernel), policy, opener, journal })
    }

    /// The journal that outlives the run, and the process that watches over it.
    fn journal(
        folder: Folder,
        prepared: &Prepared,
        mark: Mark,
        kernel: &mut Netlink,
    ) -> Result<Journal, Failure> {
        let namespaces = kernel.taken_in();
        let root = namespaces.iter().find(|namespace| namespace.name.is_none());
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let head = Head {
            schema: SCHEMA,
            group: mark.group(),
            boot: store::boot_id(),
            pid: std::process::id(),
            root: root.and_then(|root| root.cookie).unwrap_or_default(),
            name: prepared.scenario.name.clone(),
            what: prepared.what.clone(),
            created: since.map_or(0, |since| since.as_secs()),
        };
        let log = folder.create(&head)?;
        let lasting = Lasting::new(folder, &head, log);
        let journal = Journal::lasting(lasting.clone());
        for namespace in namespaces.into_iter().filter(|namespace| namespace.name.is_some()) {
            let written = lasting.write(&Record::Attached(namespace));
            written.map_err(|error| Failure::new(Exit::Lacking, unwritable(&error)))?;
        }
        recover::watch_over(&file_name(head.group))?;
        kernel.witnessed_by(Witness(Box::new(move |name, cookie, folder| {
            lasting.namespace(name, cookie, Some(folder))
        })));
        Ok(journal)
    }
}

pub(super) fn opener() -> Result<Option<Opener>, Failure> {
    Opener::start().map_err(|error| {
        let message = format!("can't start the opener of character devices: {error}");
        Failure::new(Exit::Lacking, message)
    })
}
