//! Carries out `ip address`.

use netwright_sdk::Result;
use netwright_sdk::host::addresses::{Info, list_all, put, remove};
use netwright_sdk::host::namespaces::Namespace;
use netwright_sdk::wit::types::IpPrefix;

use crate::address::AddressCommand;
use crate::address_show::{AddressFilter, State};
use crate::inet::{family_of, holds};
use crate::link_show::Style;
use crate::output::print;
use crate::run::open_link;
use crate::run_link::filtered;
use crate::show_link::{address_lines, brief_addresses, link_lines, lower, one_line};

pub(crate) fn run_address(namespace: &Namespace, command: &AddressCommand) -> Result<()> {
    match command {
        AddressCommand::Put { link, address, how } => {
            Ok(put(&open_link(namespace, link)?, address, *how)?)
        }
        AddressCommand::Remove { link, prefix, peer, any_length } => {
            let handle = open_link(namespace, link)?;
            let (prefix, peer) = match any_length {
                true => of_link(namespace, link, *prefix)?,
                false => (*prefix, *peer),
            };
            Ok(remove(&handle, prefix, peer)?)
        }
        AddressCommand::Show(filter) => show(namespace, filter),
        AddressCommand::Flush(filter) => flush(namespace, filter),
    }
}

/// The address with the length and peer that the link has it with, as given where it has none such.
fn of_link(
    namespace: &Namespace,
    link: &str,
    given: IpPrefix,
) -> Result<(IpPrefix, Option<IpPrefix>)> {
    let all = list_all(namespace, Some(family_of(&given.address)))?;
    let same = |info: &&Info| info.link == link && info.address.prefix.address == given.address;
    let found = all.iter().find(same).map(|info| &info.address);
    Ok(found.map_or((given, None), |address| (address.prefix, address.peer)))
}

fn passes(filter: &AddressFilter, info: &Info) -> bool {
    let state = |state: State| match state {
        State::Dynamic => info.dynamic,
        State::Secondary => info.secondary,
        State::Tentative => info.tentative,
        State::Deprecated => info.deprecated,
        State::Duplicate => info.duplicate,
        State::Flag(flag) => info.address.flags & flag == flag,
    };
    let address = &info.address;
    filter.scope.is_none_or(|scope| address.scope.unwrap_or(0) == scope)
        && filter.to.as_ref().is_none_or(|to| holds(to, &address.prefix.address))
        && filter.label.as_deref().is_none_or(|label| labelled(info, label))
        && filter.states.iter().all(|(which, wanted)| state(*which) == *wanted)
}

/// A label may end in `*`; an address without one has its link's name.
fn labelled(info: &Info, pattern: &str) -> bool {
    let label = info.address.label.as_deref().unwrap_or(&info.link);
    match pattern.strip_suffix('*') {
        Some(beginning) => label.starts_with(beginning),
        None => label == pattern,
    }
}

/// Whether links without any address are left out.
fn narrows(filter: &AddressFilter) -> bool {
    filter.family.is_some()
        || filter.scope.is_some()
        || filter.to.is_some()
        || filter.label.is_some()
        || !filter.states.is_empty()
}

fn show(namespace: &Namespace, filter: &AddressFilter) -> Result<()> {
    let addresses = list_all(namespace, filter.family)?;
    let mut text = String::new();
    for link in filtered(namespace, &filter.links)? {
        let chosen: Vec<&Info> = addresses
            .iter()
            .filter(|info| info.link == link.name && passes(filter, info))
            .collect();
        if chosen.is_empty() && narrows(filter) {
            continue;
        }
        let lower = lower(namespace, &link);
        match filter.links.style {
            Style::Full => {
                text.push_str(&link_lines(&link, &lower, false));
                text.push_str(&chosen.iter().map(|info| address_lines(info)).collect::<String>());
            }
            Style::OneLine => {
                let head = format!("{}: {}", link.index, link.name);
                text.extend(
                    chosen.iter().map(|info| head.clone() + &one_line(&address_lines(info))),
                );
            }
            Style::Brief => text.push_str(&brief_addresses(&link, &lower, &chosen)),
        }
    }
    print(&text);
    Ok(())
}

/// Secondary addresses go first: with a primary one the kernel takes away its secondaries.
fn flush(namespace: &Namespace, filter: &AddressFilter) -> Result<()> {
    let links: Vec<String> =
        filtered(namespace, &filter.links)?.into_iter().map(|info| info.name).collect();
    let mut addresses = list_all(namespace, filter.family)?;
    addresses.retain(|info| links.contains(&info.link) && passes(filter, info));
    addresses.sort_by_key(|info| !info.secondary);
    for info in addresses {
        remove(&open_link(namespace, &info.link)?, info.address.prefix, info.address.peer)?;
    }
    Ok(())
}
