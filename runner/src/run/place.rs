//! Where a run takes place: a lab of its own, or the machine's own network.

use std::time::{SystemTime, UNIX_EPOCH};

use super::Prepared;
use crate::attach::attach;
use crate::change::NamespaceRef;
use crate::crash;
use crate::exit::{Exit, Failure};
use crate::grant::Grants;
use crate::halt::signals;
use crate::journal::{
    Folder, Head, History, Journal, Lasting, Record, SCHEMA, file_name, unwritable,
};
use crate::kernel::mark::Mark;
use crate::kernel::uplink::Uplinks;
use crate::kernel::{Error, Kernel, Netlink, Witness};
use crate::lab::{self, Inside, Origin};
use crate::policy::{Connection, HostPolicy, Policy, Target};
use crate::process;
use crate::recover;
use crate::report::Report;
use crate::store;
use crate::tap::Opener;
use crate::uplink;

/// What stands between a run's recipes and the kernel.
pub(super) struct Place {
    pub(super) kernel: Box<dyn Kernel + Send>,
    pub(super) policy: Policy,
    pub(super) opener: Option<Opener>,
    pub(super) journal: Journal,
    /// of a kept lab
    pub(super) origin: Option<Origin>,
}

/// What a run on the host is for.
pub(super) struct Errand<'a> {
    pub(super) operator: &'a Grants,
    /// the scenario's
    pub(super) name: &'a str,
    /// what was typed
    pub(super) what: &'a str,
    pub(super) report: &'a mut Report,
}

impl Place {
    /// Goes there. Still on the only thread.
    pub(super) fn enter(prepared: &mut Prepared) -> Result<Self, Failure> {
        // First of all, for they load their recipes meanwhile.
        prepared.start_guests()?;
        match prepared.target {
            Target::Lab => {
                let place = Self::joined(uplink::start(&prepared.operator)?)?;
                if prepared.stay.is_some() {
                    crash::point();
                }
                Ok(place)
            }
            Target::Host => {
                let Prepared { operator, report, scenario, what, .. } = prepared;
                Self::host(&mut Errand { operator, name: &scenario.name, what, report })
            }
        }
    }

    /// A lab in which a run is rehearsed: joined to stand-ins for what the operator names.
    pub(super) fn rehearsal(prepared: &mut Prepared) -> Result<Self, Failure> {
        prepared.start_guests()?;
        Self::joined(uplink::rehearse(&prepared.operator)?)
    }

    /// A lab of the run's own.
    pub(super) fn lab() -> Result<Self, Failure> {
        Self::joined(None)
    }

    /// A kept lab, which this process has entered.
    pub(super) fn inside(lab: Inside) -> Result<Self, Failure> {
        Self::altered(lab, None)
    }

    /// A kept lab that is altered: what of it stands on links of the host is held against what others
    /// have there.
    pub(super) fn altered(lab: Inside, uplinks: Option<Uplinks>) -> Result<Self, Failure> {
        let mut kernel = lab.kernel()?;
        kernel.join(uplinks.map(Uplinks::of_kept_lab));
        let origin = lab.into_origin();
        kernel.remember(&origin.changes);
        let (policy, journal) = (Policy::Lab, Journal::default());
        Ok(Self { kernel: Box::new(kernel), policy, opener: None, journal, origin: Some(origin) })
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
        Ok(Self { kernel: Box::new(kernel), policy: Policy::Lab, opener, journal, origin: None })
    }

    pub(super) fn host(errand: &mut Errand<'_>) -> Result<Self, Failure> {
        may_alter_the_host()?;
        let opener = opener()?;
        let mark = Mark::new()
            .map_err(|error| Failure::new(Exit::Lacking, format!("no random numbers: {error}")))?;
        let mut kernel = Netlink::for_host(mark).map_err(|error| unreachable(&error))?;
        let folder = Folder::open()?;
        for recovered in recover::overdue(&folder) {
            errand.report.notice(&recovered.shown());
        }
        if let Some(halted) = signals::ever() {
            return Err(halted.into());
        }
        attach(errand.operator, &mut kernel)?;
        let journal = Self::journal(folder, errand, mark, &mut kernel)?;
        Ok(Self::on_host(errand, mark, kernel, opener, journal))
    }

    /// The place of a deployment, to alter it: what carries its mark is the run's own.
    pub(super) fn deployed(errand: &mut Errand<'_>) -> Result<Self, Failure> {
        may_alter_the_host()?;
        let opener = opener()?;
        let folder = Folder::open()?;
        let owned =
            folder.deployment(errand.name).and_then(|(file, _)| folder.take_patiently(&file));
        let owned = owned.ok_or_else(|| recover::busy(errand.name))?;
        if owned.history.waits() {
            let name = errand.name;
            return Err(Failure::usage(format!(
                "deployment `{name}` waits to be confirmed, and is not altered before\n  help: `netwright confirm {name}`, or `netwright destroy {name}`"
            )));
        }
        if owned.history.given_up {
            let name = errand.name;
            return Err(Failure::new(
                Exit::UndoIncomplete,
                format!(
                    "deployment `{name}` was to be taken back, and something of it is left\n  help: `netwright destroy {name}` tells what, and tries again"
                ),
            ));
        }
        crate::kept::readable(errand.name)?;
        let (history, log) = owned.into_log().map_err(|error| unwritten(&error))?;
        let mut kernel = Netlink::for_recovery(&history).map_err(|error| unreachable(&error))?;
        if !kernel.has_root() {
            let name = errand.name;
            let message = format!(
                "the network namespace of deployment `{name}` isn't found\n  help: alter it in the network, mount and process namespace that it was made in"
            );
            return Err(Failure::new(Exit::Lacking, message));
        }
        attach(errand.operator, &mut kernel)?;
        let lasting = Lasting::resumed(folder, &history, log);
        let known = |namespace: &NamespaceRef| {
            let attached = history.attached.iter().any(|one| one.cookie == namespace.cookie);
            let made = history.made.iter().any(|(_, made)| Some(*made) == namespace.cookie);
            attached || made
        };
        let new = kernel.taken_in().into_iter().filter(|namespace| namespace.name.is_some());
        for namespace in new.filter(|namespace| !known(namespace)) {
            lasting.write(&Record::Attached(namespace)).map_err(|error| unwritten(&error))?;
        }
        // On guard before there is anything to take back.
        recover::watch_over(&file_name(history.head.group))?;
        let journal =
            Journal::reopened(lasting.clone(), &history).map_err(|error| unwritten(&error))?;
        kernel.foresee_all(&history);
        kernel.witnessed_by(witness(lasting));
        let mark = Mark::of_run(history.head.group);
        Ok(Self::on_host(errand, mark, kernel, opener, journal))
    }

    /// Where a deployment stands, to look at it: nothing is changed there.
    pub(super) fn looked_at(history: &History, operator: &Grants) -> Result<Self, Failure> {
        recover::need_rights(
            "the checks of a deployment on the host need CAP_NET_ADMIN, as the deployment did\n  help: run it as root",
        )?;
        let mut kernel = Netlink::for_recovery(history).map_err(|error| unreachable(&error))?;
        if !kernel.has_root() {
            let name = history.name();
            return Err(Failure::new(
                Exit::Lacking,
                format!(
                    "the network of deployment `{name}` is not to be found from here\n  help: run it where the deployment was made"
                ),
            ));
        }
        attach(operator, &mut kernel)?;
        let mark = Mark::of_run(history.head.group);
        let policy = HostPolicy::new(operator.clone(), mark, Connection::of_operator());
        let policy = Policy::Host(policy.into());
        let journal = Journal::default();
        Ok(Self { kernel: Box::new(kernel), policy, opener: None, journal, origin: None })
    }

    fn on_host(
        errand: &Errand<'_>,
        mark: Mark,
        kernel: Netlink,
        opener: Option<Opener>,
        journal: Journal,
    ) -> Self {
        let policy = HostPolicy::new(errand.operator.clone(), mark, Connection::of_operator());
        Self {
            kernel: Box::new(kernel),
            policy: Policy::Host(policy.into()),
            opener,
            journal,
            origin: None,
        }
    }

    /// The journal that outlives the run, and the process that watches over it.
    fn journal(
        folder: Folder,
        errand: &Errand<'_>,
        mark: Mark,
        kernel: &mut Netlink,
    ) -> Result<Journal, Failure> {
        let namespaces = kernel.taken_in();
        let root = namespaces.iter().find(|namespace| namespace.name.is_none());
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let head = Head {
            schema: SCHEMA,
            group: mark.group(),
            boot: store::boot_id().map_err(|error| unwritten(&error))?.to_owned(),
            pid: std::process::id(),
            root: root.and_then(|root| root.cookie).unwrap_or_default(),
            name: errand.name.to_owned(),
            what: errand.what.to_owned(),
            created: since.map_or(0, |since| since.as_secs()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let log = folder.create(&head)?;
        let lasting = Lasting::new(folder, &head, log);
        let journal = Journal::lasting(lasting.clone());
        for namespace in namespaces.into_iter().filter(|namespace| namespace.name.is_some()) {
            lasting.write(&Record::Attached(namespace)).map_err(|error| unwritten(&error))?;
        }
        recover::watch_over(&file_name(head.group))?;
        kernel.witnessed_by(witness(lasting));
        Ok(journal)
    }
}

fn witness(lasting: Lasting) -> Witness {
    Witness(Box::new(move |name, cookie, folder, id| {
        let written = lasting.namespace(name, cookie, Some(folder), id);
        written.map_err(|error| Error::Invalid(unwritable(&error)))
    }))
}

fn may_alter_the_host() -> Result<(), Failure> {
    recover::need_rights(
        "the host target needs CAP_NET_ADMIN\n  help: run it as root, or in a lab: without `--target host`",
    )
}

fn unwritten(error: &std::io::Error) -> Failure {
    Failure::new(Exit::Lacking, unwritable(error))
}

fn unreachable(error: &std::io::Error) -> Failure {
    Failure::new(Exit::Lacking, format!("can't talk to the kernel: {error}"))
}

pub(super) fn opener() -> Result<Option<Opener>, Failure> {
    Opener::start().map_err(|error| process::not_started("the opener of character devices", &error))
}
