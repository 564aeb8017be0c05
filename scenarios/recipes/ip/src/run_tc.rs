//! Carries out `tc qdisc` and `bridge`.

use netwright_sdk::host::links::Link;
use netwright_sdk::host::namespaces::Namespace;
use netwright_sdk::host::{fdb, qdisc, vlans};
use netwright_sdk::wit::qdisc::{Kind as Discipline, Qdisc};
use netwright_sdk::wit::vlans::Vlan;
use netwright_sdk::{Error, Result};

use crate::bridge::BridgeCommand;
use crate::inet::text_of;
use crate::output::print;
use crate::run::open_link;
use crate::show_link::mac_text;
use crate::tc::TcCommand;

pub(crate) fn run_tc(namespace: &Namespace, command: &TcCommand) -> Result<()> {
    match command {
        TcCommand::Put { link, qdisc, how } => {
            Ok(qdisc::put(&open_link(namespace, link)?, qdisc, *how)?)
        }
        TcCommand::Remove { link } => Ok(qdisc::remove(&open_link(namespace, link)?)?),
        TcCommand::Show { link: Some(link) } => {
            let found = qdisc::get(&open_link(namespace, link)?)?;
            print(&found.map(|qdisc| qdisc_line(link, &qdisc)).unwrap_or_default());
            Ok(())
        }
        TcCommand::Show { link: None } => {
            let all = qdisc::list_all(namespace)?;
            let lines: Vec<String> =
                all.iter().map(|(link, qdisc)| qdisc_line(link, qdisc)).collect();
            print(&lines.concat());
            Ok(())
        }
    }
}

/// The kind of discipline that a command needs, for a question before anything is done.
pub(crate) fn kind_of(command: &TcCommand) -> Option<&str> {
    let TcCommand::Put { qdisc, .. } = command else { return None };
    match &qdisc.kind {
        Discipline::Netem(_) => Some("netem"),
        Discipline::Tbf(_) => Some("tbf"),
        // Whether others are there is known when they are put.
        Discipline::Other(_) => None,
    }
}

/// As tc(8) prints it, all of it on one line.
fn qdisc_line(link: &str, qdisc: &Qdisc) -> String {
    let words = qdisc.kind.to_string();
    let (kind, options) = words.split_once(' ').unwrap_or((&words, ""));
    let handle = qdisc.handle.unwrap_or(0);
    let line = format!("qdisc {kind} {handle:x}: dev {link} root {options}");
    format!("{}\n", line.trim_end())
}

pub(crate) fn run_bridge(namespace: &Namespace, command: &BridgeCommand) -> Result<()> {
    match command {
        BridgeCommand::Set { link, setting } => {
            Ok(open_link(namespace, link)?.change(std::slice::from_ref(setting))?)
        }
        BridgeCommand::PutVlan { link, itself, vlan } => {
            Ok(vlans::put(&bridging(namespace, link, *itself)?, *vlan)?)
        }
        BridgeCommand::RemoveVlan { link, itself, first, last } => {
            Ok(vlans::remove(&bridging(namespace, link, *itself)?, *first, *last)?)
        }
        BridgeCommand::ShowVlans { link } => {
            let all = match link {
                Some(link) => vec![(link.clone(), vlans::get(&open_link(namespace, link)?)?)],
                None => vlans::list_all(namespace)?,
            };
            print(&all.iter().map(|(link, vlans)| vlan_lines(link, vlans)).collect::<String>());
            Ok(())
        }
        BridgeCommand::PutEntry { link, entry, how } => {
            Ok(fdb::put(&open_link(namespace, link)?, *entry, *how)?)
        }
        BridgeCommand::RemoveEntry { link, entry } => {
            Ok(fdb::remove(&open_link(namespace, link)?, *entry)?)
        }
        BridgeCommand::ShowEntries { link } => {
            let all = fdb::list_all(&open_link(namespace, link)?)?;
            let lines: Vec<String> = all.iter().map(|entry| entry_line(link, entry)).collect();
            print(&lines.concat());
            Ok(())
        }
    }
}

/// The VLANs of a bridge's own are its `self`; those of a port are its master's, and most devices have
/// no others (net/core/rtnetlink.c, rtnl_bridge_setlink).
fn bridging(namespace: &Namespace, name: &str, itself: bool) -> Result<Link> {
    let link = open_link(namespace, name)?;
    match (link.info()?.kind == "bridge", itself) {
        (true, false) => Err(Error::failed(format!(
            "`{name}` is a bridge and no port: its own VLANs take `self`"
        ))),
        (false, true) => {
            Err(Error::failed(format!("`{name}` is no bridge: without `self` its VLANs are set")))
        }
        (true, true) | (false, false) => Ok(link),
    }
}

/// One line for each range, the first with the link's name.
fn vlan_lines(link: &str, vlans: &[Vlan]) -> String {
    let mut text = String::new();
    for (place, vlan) in vlans.iter().enumerate() {
        let name = if place == 0 { link } else { "" };
        let range = if vlan.first == vlan.last {
            vlan.first.to_string()
        } else {
            format!("{}-{}", vlan.first, vlan.last)
        };
        let pvid = if vlan.pvid { " PVID" } else { "" };
        let untagged = if vlan.untagged { " Egress Untagged" } else { "" };
        text += &format!("{name:<16} {range}{pvid}{untagged}\n");
    }
    text
}

fn entry_line(link: &str, entry: &fdb::Entry) -> String {
    let mut line = format!("{} dev {link}", mac_text(&entry.mac));
    if let Some(destination) = &entry.destination {
        line += &format!(" dst {}", text_of(destination));
    }
    if let Some(vlan) = entry.vlan {
        line += &format!(" vlan {vlan}");
    }
    line += if entry.master { " master" } else { " self" };
    line += if entry.aged { " static" } else { " permanent" };
    line + "\n"
}
