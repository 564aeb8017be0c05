//! Carries out `ip link` and `ip tuntap`.

use netwright_sdk::host::links::{Info, Kind, Link, Setting, Spec, list_all};
use netwright_sdk::host::namespaces::Namespace;
use netwright_sdk::{Error, Result};

use crate::command::Place;
use crate::link::{LinkCommand, Which};
use crate::link_show::{LinkFilter, Style};
use crate::names::group_name;
use crate::output::print;
use crate::run::{Session, must_be_there, open_link};
use crate::show_link::{brief_link, link_lines, lower, one_line, tuntap_line};
use crate::tuntap::TuntapCommand;

pub(crate) fn run_link(session: &mut Session, place: &Place, command: &LinkCommand) -> Result<()> {
    match command {
        LinkCommand::Add { spec, namespace, needs } => {
            let spec = named(session, namespace.as_ref().unwrap_or(place), spec)?;
            if let Some(name) = &needs.namespace {
                session.namespace(&Place::Named(name.clone()))?;
            }
            let namespace = session.namespace(namespace.as_ref().unwrap_or(place))?;
            needs.vrf.as_ref().map_or(Ok(()), |vrf| must_be_there(namespace, vrf, true))?;
            Link::create(namespace, &spec)?;
            Ok(())
        }
        LinkCommand::Set { which, settings, namespace, needs } => {
            if let Some(vrf) = &needs.vrf {
                let there = session.namespace(namespace.as_ref().unwrap_or(place))?;
                must_be_there(there, vrf, true)?;
            }
            for name in chosen(session.namespace(place)?, which)? {
                set(session, place, &name, settings, namespace.as_ref())?;
            }
            Ok(())
        }
        LinkCommand::Delete(which) => {
            let namespace = session.namespace(place)?;
            match which {
                Which::Named(name) => Ok(open_link(namespace, name)?.delete()?),
                Which::Group(group) => delete_group(namespace, *group),
            }
        }
        LinkCommand::Show(filter) => {
            let namespace = session.namespace(place)?;
            let lines = filtered(namespace, filter)?
                .iter()
                .map(|info| {
                    let lower = lower(namespace, info);
                    match filter.style {
                        Style::Full => link_lines(info, &lower, true),
                        Style::OneLine => one_line(&link_lines(info, &lower, true)),
                        Style::Brief => brief_link(info, &lower),
                    }
                })
                .collect::<Vec<_>>();
            print(&lines.concat());
            Ok(())
        }
    }
}

fn chosen(namespace: &Namespace, which: &Which) -> Result<Vec<String>> {
    match which {
        Which::Named(name) => Ok(vec![name.clone()]),
        Which::Group(group) => {
            Ok(of_group(namespace, *group)?.into_iter().map(|(_, name)| name).collect())
        }
    }
}

/// One link may take others of the group along: its other end, those that stand on it.
fn delete_group(namespace: &Namespace, group: u32) -> Result<()> {
    let all = of_group(namespace, group)?;
    if all.is_empty() {
        return Err(Error::failed(format!("no link is in group {}", group_name(group))));
    }
    for (index, name) in all {
        let gone = || of_group(namespace, group).map(|left| !left.contains(&(index, name.clone())));
        match open_link(namespace, &name).and_then(|link| Ok(link.delete()?)) {
            Ok(()) => {}
            Err(error) => {
                if !gone()? {
                    return Err(error);
                }
            }
        }
    }
    Ok(())
}

fn of_group(namespace: &Namespace, group: u32) -> Result<Vec<(u32, String)>> {
    let links = list_all(namespace)?.into_iter().filter(|info| info.group == group);
    Ok(links.map(|info| (info.index, info.name)).collect())
}

/// A move comes first, as in the kernel (net/core/rtnetlink.c, `do_setlink`); whatever else is
/// set is then set there.
fn set(
    session: &mut Session,
    place: &Place,
    name: &str,
    settings: &[Setting],
    to: Option<&Place>,
) -> Result<()> {
    let Some(to) = to else {
        return Ok(open_link(session.namespace(place)?, name)?.change(settings)?);
    };
    let link = open_link(session.namespace(place)?, name)?;
    link.move_to(session.namespace(to)?)?;
    if settings.is_empty() {
        return Ok(());
    }
    Ok(open_link(session.namespace(to)?, name)?.change(settings)?)
}

/// The link with the names that the kernel would choose for it and its peer: the kind and the
/// first number that is free. A veth's peer is registered first, so it chooses first.
fn named(session: &mut Session, place: &Place, spec: &Spec) -> Result<Spec> {
    let mut spec = spec.clone();
    let mut taken = Vec::new();
    if let Kind::Veth(veth) = &mut spec.kind
        && veth.peer.name.is_empty()
    {
        let peer_place = match veth.peer.namespace.as_deref() {
            None => place.clone(),
            Some("") => Place::Root,
            Some(name) => Place::Named(name.to_owned()),
        };
        let given = [spec.name.clone()];
        let reserved: &[String] = if peer_place == *place { &given } else { &[] };
        veth.peer.name = free(session.namespace(&peer_place)?, "veth", reserved)?;
        if peer_place == *place {
            taken.push(veth.peer.name.clone());
        }
    }
    if spec.name.is_empty() {
        if let Kind::Veth(veth) = &spec.kind {
            taken.push(veth.peer.name.clone());
        }
        spec.name = free(session.namespace(place)?, spec.kind.word(), &taken)?;
    }
    Ok(spec)
}

fn free(namespace: &Namespace, kind: &str, reserved: &[String]) -> Result<String> {
    let mut names: Vec<String> = list_all(namespace)?.into_iter().map(|info| info.name).collect();
    names.extend_from_slice(reserved);
    let found = (0_u32..).map(|number| format!("{kind}{number}"));
    let free = found.into_iter().find(|name| !names.contains(name));
    free.ok_or_else(|| Error::failed(format!("no name of {kind} is free")))
}

/// The links that a filter leaves, in the kernel's order.
pub(crate) fn filtered(namespace: &Namespace, filter: &LinkFilter) -> Result<Vec<Info>> {
    if let Some(master) = &filter.master {
        must_be_there(namespace, master, filter.vrf)?;
    }
    if let Some(name) = &filter.device {
        let info = open_link(namespace, name)?.info()?;
        return Ok(if passes(filter, &info) { vec![info] } else { Vec::new() });
    }
    Ok(list_all(namespace)?.into_iter().filter(|info| passes(filter, info)).collect())
}

fn passes(filter: &LinkFilter, info: &Info) -> bool {
    (!filter.up || info.up)
        && filter.group.is_none_or(|group| info.group == group)
        && filter.kind.as_ref().is_none_or(|kind| info.kind == *kind)
        && (!filter.nomaster || info.master.is_none())
        && (filter.master.is_none() || filter.master == info.master)
}

pub(crate) fn run_tuntap(namespace: &Namespace, command: &TuntapCommand) -> Result<()> {
    match command {
        TuntapCommand::Add(spec) => {
            let mut spec = spec.clone();
            if spec.name.is_empty() {
                spec.name = free(namespace, spec.kind.word(), &[])?;
            }
            Link::create(namespace, &spec)?;
            Ok(())
        }
        TuntapCommand::Delete(name) => Ok(open_link(namespace, name)?.delete()?),
        TuntapCommand::Show => {
            let lines: Vec<String> = list_all(namespace)?.iter().filter_map(tuntap_line).collect();
            print(&lines.concat());
            Ok(())
        }
    }
}
