//! Carries out `ip neighbour`.

use std::collections::HashMap;

use netwright_sdk::host::links;
use netwright_sdk::host::namespaces::Namespace;
use netwright_sdk::host::neighbours::{Neighbour, NeighbourState, list_all, put, remove};
use netwright_sdk::wit::types::{Error as Cause, IpAddress, KernelError};
use netwright_sdk::{Error, Result};

use crate::inet::{family_of, holds, text_of};
use crate::neighbour::{NeighbourCommand, NeighbourFilter};
use crate::output::print;
use crate::run::{must_be_there, open_link};
use crate::show_route::neighbour_line;

pub(crate) fn run_neighbour(namespace: &Namespace, command: &NeighbourCommand) -> Result<()> {
    match command {
        NeighbourCommand::Put { link, neighbour, how } => {
            Ok(put(&open_link(namespace, link)?, *neighbour, *how)?)
        }
        NeighbourCommand::Remove { link, address, proxy } => {
            Ok(remove(&open_link(namespace, link)?, *address, *proxy)?)
        }
        NeighbourCommand::Show(filter) => {
            let lines: Vec<String> = filtered(namespace, filter, shown_state)?
                .iter()
                .map(|(link, neighbour)| neighbour_line(link, neighbour, filter.link.is_none()))
                .collect();
            print(&lines.concat());
            Ok(())
        }
        NeighbourCommand::Flush(filter) => {
            for (link, neighbour) in filtered(namespace, filter, flushed_state)? {
                remove(&open_link(namespace, &link)?, neighbour.address, neighbour.proxy)?;
            }
            Ok(())
        }
        NeighbourCommand::Get { link, address, proxy } => {
            must_be_there(namespace, link, false)?;
            let all = list_all(namespace, Some(family_of(address)))?;
            let found = all.iter().find(|(on, neighbour)| {
                on == link && neighbour.address == *address && neighbour.proxy == *proxy
            });
            let Some((link, neighbour)) = found else {
                return Err(not_found(link, address));
            };
            print(&neighbour_line(link, neighbour, true));
            Ok(())
        }
    }
}

/// The kernel's own answer, which only its request for a single neighbour would give.
fn not_found(link: &str, address: &IpAddress) -> Error {
    Error::from(Cause::Kernel(KernelError {
        errno: 2,
        name: "ENOENT".to_owned(),
        operation: format!("neighbour get {} dev {link}", text_of(address)),
        text: Some("Neighbour entry not found".to_owned()),
        hint: None,
        extra: Vec::new(),
    }))
}

fn shown_state(state: NeighbourState) -> bool {
    !matches!(state, NeighbourState::Noarp)
}

fn flushed_state(state: NeighbourState) -> bool {
    match state {
        NeighbourState::Permanent | NeighbourState::Noarp | NeighbourState::Failed => false,
        NeighbourState::None
        | NeighbourState::Incomplete
        | NeighbourState::Reachable
        | NeighbourState::Stale
        | NeighbourState::Delay
        | NeighbourState::Probe => true,
    }
}

fn filtered(
    namespace: &Namespace,
    filter: &NeighbourFilter,
    by_default: fn(NeighbourState) -> bool,
) -> Result<Vec<(String, Neighbour)>> {
    filter.link.as_ref().map_or(Ok(()), |link| must_be_there(namespace, link, false))?;
    if let Some(master) = &filter.master {
        must_be_there(namespace, master, filter.vrf)?;
    }
    let masters = if filter.master.is_some() || filter.nomaster {
        links::list_all(namespace)?.into_iter().map(|info| (info.name, info.master)).collect()
    } else {
        HashMap::new()
    };
    let mut all = list_all(namespace, filter.family)?;
    all.retain(|(link, _)| {
        let master = masters.get(link).and_then(Option::as_ref);
        (filter.master.is_none() || filter.master.as_ref() == master)
            && (!filter.nomaster || master.is_none())
    });
    all.retain(|(link, neighbour)| {
        let state = match &filter.states {
            Some(states) => states.contains(&neighbour.state),
            None => by_default(neighbour.state),
        };
        neighbour.proxy == filter.proxy
            && (state || neighbour.proxy)
            && filter.link.as_ref().is_none_or(|wanted| wanted == link)
            && filter.to.as_ref().is_none_or(|to| holds(to, &neighbour.address))
    });
    Ok(all)
}
