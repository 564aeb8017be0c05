//! A link's place in its master. The kernel forgets it when the link leaves, for another master or
//! none or another namespace, and gives it the usual one when it comes again: so it is read before,
//! and put back after the master.

use std::sync::Arc;

use super::entry::{self, Row};
use super::find::reference;
use super::raw_link::RawLink;
use super::space::Space;
use super::{Netlink, forwarding, multicast, port_vlan};
use crate::change::{Attribute, Change, LinkRef, Options, Setting};
use crate::kernel::{Error, kind};
use crate::text::help;

/// Kinds of masters that give a port back all that it had, by what can be said to them.
const RETURNING: [&str; 3] = ["bridge", "bond", "vrf"];
/// Follows from the link and from what the bridge hears.
const RUNNING: [&str; 2] = ["state", "fdb_flush"];
/// Options of a bridge with which the kernel alters the VLANs of its ports
/// (__br_vlan_set_default_pvid, net/bridge/br_vlan.c).
const OF_PORTS: [&str; 3] = ["vlan_default_pvid", "vlan_filtering", "vlan_protocol"];

/// Whether settings take a link from the master that it has.
pub(super) fn leaves(link: &RawLink, settings: &[Setting]) -> bool {
    link.master().is_some() && changes_master(settings)
}

pub(super) fn changes_master(settings: &[Setting]) -> bool {
    settings.iter().any(|setting| matches!(setting, Setting::Master(_)))
}

impl Netlink {
    /// Refuses what would take a link of others' from a master that can't give it its place back.
    pub(super) fn check_leaving(&self, space: &Space, link: &RawLink) -> Result<(), Error> {
        let master = space.master_of(link);
        let Some(master) = master else { return Ok(()) };
        if self.host.is_none() || space.own || self.is_own(space, link) {
            return Ok(());
        }
        let of = |what: &str| {
            let (name, master) = (link.name.escape_debug(), master.name.escape_debug());
            Error::Invalid(format!(
                "`{name}` is a port of `{master}` {what}, which could not be put back{}",
                help(format!("leave `{name}` where it is"))
            ))
        };
        let kind = master.kind();
        if !RETURNING.contains(&kind.as_str()) {
            return Err(of(&format!("of kind `{kind}`, with settings of that kind")));
        }
        if kind != "bridge" {
            return Ok(());
        }
        if multicast::ports(space).contains(&link.index) {
            return Err(of("with multicast groups of its own (bridge mdb)"));
        }
        if port_vlan::has_tunnels(space, link.index)? {
            return Err(of("with VLANs that are mapped to tunnels (bridge vlan tunnel)"));
        }
        let entries = lasting_entries(space, link);
        if entries.iter().any(Row::is_sticky) {
            return Err(of("with sticky entries (bridge fdb)"));
        }
        let vlans = self.vlans(&reference(space, link))?;
        let carries = |id: u16| vlans.iter().any(|one| (one.first..=one.last).contains(&id));
        if entries.iter().any(|row| row.entry.vlan.is_some_and(|id| !carries(id))) {
            return Err(of("with entries (bridge fdb) of VLANs that it doesn't carry"));
        }
        // One that is put without a VLAN is put into all that the port carries (__br_fdb_add).
        let has =
            |mac, id| entries.iter().any(|row| row.entry.mac == mac && row.entry.vlan == Some(id));
        let mut open = entries.iter().filter(|row| row.entry.vlan.is_none());
        let ids = || vlans.iter().flat_map(|one| one.first..=one.last);
        match open.any(|row| ids().any(|id| !has(row.entry.mac, id))) {
            true => Err(of("with entries (bridge fdb) of no VLAN, and not of each of its VLANs")),
            false => Ok(()),
        }
    }

    /// Steps that give a port its place back, once it has its master again.
    pub(super) fn port_back(&self, space: &Arc<Space>, link: &RawLink) -> Vec<Change> {
        let Some(kind) = link.slave_kind() else { return Vec::new() };
        let options = format!("{kind}_slave");
        let full = reference(space, link);
        let mut steps = Vec::new();
        let had = options_of(space, link, &options);
        if !had.is_empty() {
            let settings = vec![Setting::Options(Options { kind: options, options: had })];
            steps.push(Change::ChangeLink { link: full.clone(), settings });
        }
        if kind == "bridge" {
            steps.extend(self.vlans_back(&full));
            let entries = lasting_entries(space, link);
            steps.extend(forwarding::put_back(space, entries.iter().collect()));
        }
        steps
    }

    /// The same of all ports of a bridge of others', and of the bridge itself, where settings of it
    /// alter theirs.
    pub(super) fn ports_back(
        &self,
        space: &Arc<Space>,
        link: &RawLink,
        settings: &[Setting],
    ) -> Vec<Change> {
        let named = |option: &Attribute| OF_PORTS.contains(&option.name.as_str());
        if self.is_own(space, link) {
            return Vec::new();
        }
        // With its remote the kernel alters the entries for all stations of a vxlan
        // (vxlan_changelink).
        if link.kind() == "vxlan" && settings.iter().any(|one| matches!(one, Setting::Options(_))) {
            let mut entries = entry::rows(space).unwrap_or_default();
            entries.retain(|row| row.index == link.index && row.is_of_all());
            return forwarding::put_back(space, entries.iter().collect());
        }
        let alters = |setting: &Setting| match setting {
            Setting::Options(given) => given.kind == "bridge" && given.options.iter().any(named),
            _ => false,
        };
        if !settings.iter().any(alters) {
            return Vec::new();
        }
        let all = space.links().unwrap_or_default();
        let among = |one: &&RawLink| one.index == link.index || one.master() == Some(link.index);
        all.iter().filter(among).flat_map(|one| self.vlans_back(&reference(space, one))).collect()
    }

    fn vlans_back(&self, link: &LinkRef) -> Option<Change> {
        let vlans = self.vlans(link).ok()?;
        Some(Change::SetVlans { link: link.clone(), vlans })
    }
}

pub(super) fn options_of(space: &Space, link: &RawLink, kind: &str) -> Vec<Attribute> {
    let mut name_of = |index| space.name_at(index);
    let mut all = kind::read(kind, link.slave_data(), &mut name_of);
    all.retain(|option| !RUNNING.contains(&option.name.as_str()));
    all
}

/// The entries of a bridge's database for a port that somebody put there; what the bridge learned it
/// learns again, and its own address it puts there itself.
fn lasting_entries(space: &Space, link: &RawLink) -> Vec<Row> {
    let mut all = entry::rows(space).unwrap_or_default();
    all.retain(|row| {
        let own = Some(row.entry.mac) == link.mac();
        row.index == link.index && row.entry.master && row.lasts() && !own
    });
    all
}
