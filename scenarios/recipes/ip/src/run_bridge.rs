//! Carries out `bridge`.

use netwright_sdk::host::links::{self, Info, Link};
use netwright_sdk::host::namespaces::Namespace;
use netwright_sdk::host::{fdb, vlans};
use netwright_sdk::wit::vlans::Vlan;
use netwright_sdk::{Error, Result};

use crate::bridge::{BridgeCommand, STATES};
use crate::fdb::EntryFilter;
use crate::inet::text_of;
use crate::output::print;
use crate::run::{must_be_there, open_link};
use crate::show_link::{lower, mac_text};

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
        BridgeCommand::ShowEntries(filter) => show_entries(namespace, filter),
        BridgeCommand::ShowPorts { link } => show_ports(namespace, link.as_deref()),
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

fn show_entries(namespace: &Namespace, filter: &EntryFilter) -> Result<()> {
    for name in filter.link.iter().chain(&filter.bridge) {
        must_be_there(namespace, name, false)?;
    }
    let own = |wanted: &Option<String>, names: [Option<&String>; 2]| {
        wanted.as_ref().is_none_or(|wanted| names.contains(&Some(wanted)))
    };
    let mut text = String::new();
    for info in links::list_all(namespace)? {
        let (name, master) = (Some(&info.name), info.master.as_ref());
        if !own(&filter.link, [name, name]) || !own(&filter.bridge, [name, master]) {
            continue;
        }
        let entries = fdb::list_all(&open_link(namespace, &info.name)?)?;
        let chosen =
            entries.iter().filter(|entry| filter.vlan.is_none_or(|vlan| entry.vlan == Some(vlan)));
        text.extend(chosen.map(|entry| entry_line(&info, entry)));
    }
    print(&text);
    Ok(())
}

/// The ports of bridges, as bridge(8) tells of them.
fn show_ports(namespace: &Namespace, link: Option<&str>) -> Result<()> {
    link.map_or(Ok(()), |link| must_be_there(namespace, link, false))?;
    let all = links::list_all(namespace)?;
    let bridge = |name: &String| all.iter().any(|info| info.name == *name && info.kind == "bridge");
    let ports = all.iter().filter(|info| {
        info.master.as_ref().is_some_and(bridge) && link.is_none_or(|link| link == info.name)
    });
    let text: String = ports.map(|info| port_line(info, &lower(namespace, info))).collect();
    print(&text);
    Ok(())
}

fn port_line(info: &Info, lower: &str) -> String {
    let flags = info.flags.join(",");
    let mut line = format!("{}: {}{lower}: <{flags}> mtu {}", info.index, info.name, info.mtu);
    let own = |name: &str| {
        let found =
            info.data.iter().find(|one| one.name.strip_prefix("bridge_slave ") == Some(name));
        found.map(|found| found.value.as_str())
    };
    let state = own("state").map(|state| {
        let number: Option<usize> = state.parse().ok();
        number.and_then(|number| STATES.get(number).copied()).unwrap_or(state)
    });
    let words = [
        ("master", info.master.as_deref()),
        ("state", state),
        ("priority", own("priority")),
        ("cost", own("cost")),
    ];
    for (word, value) in words {
        line += &value.map(|value| format!(" {word} {value}")).unwrap_or_default();
    }
    line + "\n"
}

fn entry_line(link: &Info, entry: &fdb::Entry) -> String {
    let mut line = format!("{} dev {}", mac_text(&entry.mac), link.name);
    if let Some(destination) = &entry.destination {
        line += &format!(" dst {}", text_of(destination));
    }
    if let Some(vlan) = entry.vlan {
        line += &format!(" vlan {vlan}");
    }
    match link.master.as_ref().filter(|_| entry.master) {
        Some(master) => line += &format!(" master {master}"),
        None => line += if entry.master { " master" } else { " self" },
    }
    line += if entry.aged { " static" } else { " permanent" };
    line + "\n"
}
