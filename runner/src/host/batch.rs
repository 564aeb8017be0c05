//! `batch`: many changes in one call.

use super::{Host, convert};
use crate::change::{Change, LinkRef, NamespaceRef};
use crate::host::bindings::netwright::host::batch;
use crate::host::bindings::netwright::host::links::LinkName;
use crate::kernel::{BatchError, Error};

/// As many changes as one batch may hold.
const LONGEST_BATCH: usize = 65536;

impl batch::Host for Host {
    fn apply(
        &mut self,
        changes: Vec<batch::Change>,
    ) -> wasmtime::Result<Result<(), batch::BatchError>> {
        self.make(parse(changes, change))
    }

    fn apply_steps(
        &mut self,
        steps: Vec<batch::Step>,
    ) -> wasmtime::Result<Result<(), batch::BatchError>> {
        self.make(parse(steps, step))
    }
}

impl Host {
    fn make(
        &mut self,
        parsed: Result<Vec<Change>, BatchError>,
    ) -> wasmtime::Result<Result<(), batch::BatchError>> {
        let made = parsed.and_then(|parsed| self.session.perform_all(parsed));
        if let Err(failure) = &made {
            self.count_denial(&failure.error)?;
        }
        Ok(made.map(drop).map_err(batch_error_out))
    }
}

pub(super) fn parse<T>(
    all: Vec<T>,
    one: fn(T) -> convert::Parsed<Change>,
) -> Result<Vec<Change>, BatchError> {
    let fail = BatchError::new;
    if all.len() > LONGEST_BATCH {
        let rule = format!("{} changes in a batch; {LONGEST_BATCH} are allowed", all.len());
        return Err(fail(0, Error::Invalid(rule)));
    }
    all.into_iter()
        .enumerate()
        .map(|(index, each)| one(each).map_err(|error| fail(index, error)))
        .collect()
}

pub(super) fn step(step: batch::Step) -> convert::Parsed<Change> {
    Ok(match step {
        batch::Step::Change(each) => change(each)?,
        batch::Step::PutQdisc((name, qdisc, how)) => Change::PutQdisc {
            link: link(name)?,
            qdisc: convert::qdisc(qdisc)?,
            how: convert::write(how),
        },
        batch::Step::RemoveQdisc(name) => Change::RemoveQdisc { link: link(name)? },
        batch::Step::SetVlans((name, vlans)) => Change::SetVlans {
            link: link(name)?,
            vlans: vlans.into_iter().map(convert::vlan).collect(),
        },
    })
}

fn change(change: batch::Change) -> convert::Parsed<Change> {
    Ok(match change {
        batch::Change::CreateNamespace(name) => {
            Change::CreateNamespace { name: convert::new_namespace(&name)? }
        }
        batch::Change::CreateLink((place, spec)) => {
            Change::CreateLink { namespace: namespace(place)?, spec: convert::spec(spec)? }
        }
        batch::Change::ChangeLink((name, settings)) => {
            Change::ChangeLink { link: link(name)?, settings: convert::settings(settings)? }
        }
        batch::Change::PutAddress((name, address, how)) => Change::PutAddress {
            link: link(name)?,
            address: convert::address(address)?,
            how: convert::write(how),
        },
        batch::Change::PutRoute((place, route, how)) => Change::PutRoute {
            namespace: namespace(place)?,
            route: convert::route(route)?,
            how: convert::write(how),
        },
        batch::Change::AddRule((place, rule)) => {
            Change::AddRule { namespace: namespace(place)?, rule: convert::rule(rule)? }
        }
        batch::Change::PutNeighbour((name, neighbour, how)) => Change::PutNeighbour {
            link: link(name)?,
            neighbour: convert::neighbour(neighbour),
            how: convert::write(how),
        },
        batch::Change::SetSysctl((place, key, value)) => Change::SetSysctl {
            namespace: namespace(place)?,
            key: convert::text(key, "a sysctl's key")?,
            value: convert::text(value, "a sysctl's value")?,
        },
    })
}

fn namespace(name: Option<String>) -> convert::Parsed<NamespaceRef> {
    let named = name.as_deref().filter(|name| !name.is_empty());
    Ok(NamespaceRef::named(convert::namespace_name(named)?))
}

fn link(name: LinkName) -> convert::Parsed<LinkRef> {
    Ok(LinkRef {
        namespace: namespace(name.namespace)?,
        name: convert::existing_link(&name.name)?,
        index: None,
    })
}

pub(super) fn batch_error_out(failure: BatchError) -> batch::BatchError {
    batch::BatchError {
        index: u32::try_from(failure.index).unwrap_or(u32::MAX),
        error: convert::error_out(failure.error),
        undone: failure.left.is_empty(),
    }
}
