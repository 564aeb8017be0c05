//! What recipes of networks as data do: the check of their parameters, and the run.

use std::collections::BTreeSet;

use netwright_sdk::Fault as GuestFault;
use netwright_sdk::host::batch::Batch;
use netwright_sdk::host::{links, params, qdisc, report, vlans};
use netwright_sdk::wit::qdisc::Kind as Discipline;
use netwright_sdk::wit::types::{Detail, Error};
use serde_json::Value;

use crate::batch::changes;
use crate::fault::Fault;
use crate::model::Topology;
use crate::read::{Reader, parameters};

/// What a recipe's parameters ask for.
pub struct Plan {
    pub topology: Topology,
    /// makes and changes only what isn't so already, and tells how many changes that took
    pub ensure: bool,
    /// to be told when all is made
    pub lines: Vec<String>,
    /// asks the kernel what only it knows, before anything is made
    pub prepare: Prepare,
}

pub type Prepare = Box<dyn FnOnce(&mut Topology) -> Result<(), Error>>;

/// Reads a recipe's parameters; `None` where that is hopeless.
pub type Read = fn(&Value, &mut Reader) -> Option<Plan>;

/// What a recipe's `check` says.
pub fn check(read: Read) -> Vec<GuestFault> {
    let mut reader = Reader::default();
    let plan = read(&parameters(params::all()), &mut reader);
    if let Some(plan) = plan.filter(|_| reader.faults.is_empty()) {
        foresee(&plan.topology);
    }
    reader.faults.into_iter().map(guest_fault).collect()
}

/// Says before anything runs what the kernel may lack; each is answered when there is a kernel to
/// ask.
fn foresee(topology: &Topology) {
    let kinds: BTreeSet<&str> = topology.links.iter().map(|link| link.kind.word()).collect();
    for kind in kinds {
        let _ = links::offered(kind);
    }
    let disciplines = topology.qdiscs.iter().filter_map(|(_, qdisc, _)| match &qdisc.kind {
        Discipline::Netem(_) => Some("netem"),
        Discipline::Tbf(_) => Some("tbf"),
        // Whether others are there is known when they are put.
        Discipline::Other(_) => None,
    });
    for discipline in disciplines.collect::<BTreeSet<&str>>() {
        let _ = qdisc::offered(discipline);
    }
    let mut ports = topology.links.iter().flat_map(|link| &link.ports);
    if ports.any(|port| port.vlans.is_some()) {
        let _ = vlans::offered();
    }
}

/// What a recipe does: the whole network in one batch.
pub fn run(read: Read) -> netwright_sdk::Result<()> {
    bring_about(read).map_err(netwright_sdk::Error::from)
}

fn bring_about(read: Read) -> Result<(), Error> {
    let mut reader = Reader::default();
    let plan = read(&parameters(params::all()), &mut reader);
    if let Some(fault) = reader.faults.first() {
        return Err(Error::Invalid(format!("{}: {}", fault.place.item(), fault.message)));
    }
    let Some(Plan { mut topology, ensure, lines, prepare }) = plan else { return Ok(()) };
    prepare(&mut topology)?;
    let batch = Batch::new();
    let mut places = Vec::new();
    for (change, place) in changes(&topology) {
        change.add(&batch);
        places.push(place);
    }
    let made =
        if ensure { Batch::ensure(batch).map(Some) } else { Batch::apply(batch).map(|()| None) };
    let changes = made.map_err(|failure| {
        let place = places.get(failure.index as usize).map(|place| place.item());
        named(place.unwrap_or_default(), failure.error)
    })?;
    if let Some(changes) = changes {
        report::print(&format!("changes: {changes}"));
    }
    lines.iter().for_each(|line| report::print(line));
    Ok(())
}

/// Adds the item that asked for the change, where the error has room for it.
fn named(item: String, error: Error) -> Error {
    match error {
        Error::Invalid(text) => Error::Invalid(format!("{item}: {text}")),
        Error::Gone(text) => Error::Gone(format!("{item}: {text}")),
        Error::Limit(text) => Error::Limit(format!("{item}: {text}")),
        Error::Unsupported(text) => Error::Unsupported(format!("{item}: {text}")),
        Error::Other(Detail { message, extra }) => {
            Error::Other(Detail { message: format!("{item}: {message}"), extra })
        }
        denied @ Error::Denied(_) => denied,
        kernel @ Error::Kernel(_) => kernel,
        timeout @ Error::Timeout(_) => timeout,
    }
}

fn guest_fault(fault: Fault) -> GuestFault {
    GuestFault {
        parameter: fault.place.parameter.into_owned(),
        pointer: fault.place.pointer,
        line: 0,
        column: 0,
        message: fault.message,
        help: fault.help,
    }
}
