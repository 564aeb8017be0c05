//! What somebody has done since with what a deployment altered: a value that is no longer the one that
//! the deployment set is theirs, and stays; and what would go for good with a link that is set down,
//! narrow or without IPv6 again keeps it as it is, until it is gone.

use std::mem::discriminant;
use std::net::IpAddr;
use std::sync::Arc;

use netwright_network::setting::SettingKey;

use super::Netlink;
use super::address;
use super::host::is_marked;
use super::raw_link::RawLink;
use super::route_message::same;
use super::settings;
use super::space::Space;
use crate::change::{
    Address, Change, Family, LinkRef, PROTOCOL_ADVERTISED, Route, Setting, Sysctl, Undo,
};
use crate::kernel::again::undecided;
use crate::kernel::{Error, Put};
use crate::text::help;

impl Netlink {
    /// The undo of a change that was read back when it was made, without the values that somebody has
    /// set anew, and those in words. What newer changes' undos have put back was theirs before.
    pub fn without_theirs(
        &self,
        change: &Change,
        undo: &Undo,
        newer: &[Undo],
    ) -> (Undo, Vec<String>) {
        let mut undo = undo.clone();
        let told = match (change, undo.steps.first_mut()) {
            (
                Change::ChangeLink { settings: set, .. },
                Some(Change::ChangeLink { link, settings }),
            ) => self.settings_of_theirs(link, set, settings, newer),
            (
                Change::SetSysctl { key, value, .. },
                Some(Change::RestoreSysctls { settings, .. }),
            ) => self.sysctls_of_theirs(change, (key, value), settings, newer),
            _ => Vec::new(),
        };
        (undo, told)
    }

    fn settings_of_theirs(
        &self,
        link: &LinkRef,
        set: &[Setting],
        old: &mut Vec<Setting>,
        newer: &[Undo],
    ) -> Vec<String> {
        // One that was moved comes home as it was, whoever has altered it there.
        if self.lent_by(link).is_some() || self.is_another(link).unwrap_or(true) {
            return Vec::new();
        }
        let Ok((_, now)) = self.resolve(link) else { return Vec::new() };
        let mut told = Vec::new();
        old.retain(|old| {
            let alike = |one: &&Setting| discriminant(*one) == discriminant(old);
            let Some(set) = set.iter().rev().find(alike).filter(|set| is_one_value(set)) else {
                return true;
            };
            let (link, settings) = (link.clone(), vec![old.clone()]);
            let step = Change::ChangeLink { link, settings };
            if settings::is_so(&now, set) || settings::is_so(&now, old) || is_of(step, newer) {
                return true;
            }
            let there = settings::inverse(&now, std::slice::from_ref(set), &mut |_| None);
            let there = there.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(" ");
            told.push(stays(&format!("{there} of `{}`", now.name.escape_debug())));
            false
        });
        told
    }

    fn sysctls_of_theirs(
        &self,
        change: &Change,
        (key, value): (&str, &str),
        old: &mut Vec<Sysctl>,
        newer: &[Undo],
    ) -> Vec<String> {
        let Change::SetSysctl { namespace, .. } = change else { return Vec::new() };
        // The first one is the one that was set; others are what the kernel alters with it.
        let Some(first) = old.first() else { return Vec::new() };
        let place = Sysctl { value: value.to_owned(), ..first.clone() };
        let is = |wanted: &Sysctl| {
            let wanted = std::slice::from_ref(wanted);
            self.not_restored(namespace, wanted).is_ok_and(|differs| differs.is_empty())
        };
        // One of several names of a value has another unit.
        let known = SettingKey::of(key).is_ok_and(|key| key.to_string() == first.key);
        let step =
            Change::RestoreSysctls { namespace: namespace.clone(), settings: vec![first.clone()] };
        if !known || is(&place) || is(first) || is_of(step, newer) {
            return Vec::new();
        }
        let shown = key.escape_debug().to_string();
        old.remove(0);
        vec![stays(&format!("the value of `{shown}`"))]
    }
}

/// What a step of an undo takes for good, but for what the same undo puts back.
enum Taking {
    /// routes can't be by a link that is down
    Down,
    /// a link that is narrow or has IPv6 off has nothing of it
    Ipv6,
}

impl Netlink {
    /// Refuses a step by which the kernel would take for good what somebody has put on a link since.
    pub(super) fn check_theirs(&self, undo: &Undo, step: &Change) -> Result<(), Error> {
        if self.host.is_none() {
            return Ok(());
        }
        let Some((space, link, taking)) = self.taken_by(undo, step) else { return Ok(()) };
        let held = self.holdings(&space).of_links(std::slice::from_ref(&link)).into_steps(&space);
        let theirs = held.iter().find_map(|one| match (one, &taking) {
            (Change::PutAddress { link, address, .. }, Taking::Ipv6) => {
                let six = address.prefix.address.is_ipv6() && self.is_theirs(link, address);
                six.then(|| format!("address {}", address.prefix))
            }
            (Change::PutRoute { namespace, route, .. }, _) => {
                let taken = matches!(taking, Taking::Down) || route.family == Family::Ipv6;
                let put = || {
                    let (place, route) = (namespace.clone(), route.clone());
                    is_marked(route.protocol) && self.is_put(&Put::Route { place, route })
                };
                let advertised = route.protocol == Some(PROTOCOL_ADVERTISED);
                let by = taken && !advertised && route.leads_by(&link.name);
                (by && !put() && !comes_back(undo, route)).then(|| format!("route `{route}`"))
            }
            _ => None,
        });
        let Some(theirs) = theirs else { return Ok(()) };
        let name = link.name.escape_debug();
        let what = match taking {
            Taking::Down => "stays up",
            Taking::Ipv6 => "keeps its IPv6",
        };
        let remedy = help("delete it, and take this back again");
        Err(Error::Invalid(format!(
            "`{name}` {what}: {theirs} was put there since, and would be lost with that{remedy}"
        )))
    }

    /// What a step takes of a link of others', where the undo leaves it so.
    fn taken_by(&self, undo: &Undo, step: &Change) -> Option<(Arc<Space>, RawLink, Taking)> {
        if let Change::RestoreSysctls { namespace, settings } = step {
            let off = |one: &&Sysctl| one.key.ends_with("/disable_ipv6") && one.value != "0";
            let setting = settings.iter().find(off)?;
            let is = self.not_restored(namespace, std::slice::from_ref(setting)).ok()?;
            let space = self.spaces.find(namespace).ok()?;
            let link = space.link_at(setting.link?).ok().flatten()?;
            let taken = !is.is_empty() && self.is_of_others(&space, &link);
            return taken.then_some((space, link, Taking::Ipv6));
        }
        let Change::ChangeLink { link, settings } = step else { return None };
        if self.is_another(link).unwrap_or(true) {
            return None;
        }
        let (space, raw) = self.resolve(link).ok()?;
        if !self.is_of_others(&space, &raw) {
            return None;
        }
        // A port goes down for a moment on its way to its bond.
        let is = |other: &&LinkRef| other.index == link.index && other.index.is_some();
        let of_link = undo.steps.iter().filter_map(|step| match step {
            Change::ChangeLink { link: other, settings } if is(&other) => Some(settings),
            _ => None,
        });
        let last = of_link.flatten().rfind(|one| matches!(one, Setting::Up(_)));
        if settings::loses_routes(&raw, settings) && last == Some(&Setting::Up(false)) {
            return Some((space, raw, Taking::Down));
        }
        settings::loses_ipv6(&raw, settings).then_some((space, raw, Taking::Ipv6))
    }

    /// Whether an address is one that somebody has put there, who is not this run. The kernel makes
    /// some, by itself or as a router told it, and says so (IFAPROT_KERNEL_LO to IFAPROT_KERNEL_LL of
    /// linux/if_addr.h) since 5.18.
    pub(super) fn is_theirs(&self, link: &LinkRef, address: &Address) -> bool {
        let kernels = matches!(address.protocol, Some(1..=3));
        let may_be = address.valid_lifetime.is_some() || is_link_local(address);
        let told = || {
            self.spaces.find(&link.namespace).is_ok_and(|space| address::tells_protocols(&space))
        };
        let own = || {
            let (link, address) = (link.clone(), address.clone());
            self.is_put(&Put::Address { link, address })
        };
        !(kernels || may_be && !told() || is_marked(address.protocol) && own())
    }
}

fn is_link_local(address: &Address) -> bool {
    matches!(address.prefix.address, IpAddr::V6(six) if six.is_unicast_link_local())
}

fn comes_back(undo: &Undo, route: &Route) -> bool {
    undo.steps
        .iter()
        .any(|step| matches!(step, Change::PutRoute { route: old, .. } if same(old, route)))
}

/// Whether the undos of newer changes have put back what a step is about.
fn is_of(step: Change, newer: &[Undo]) -> bool {
    undecided(&Undo { steps: vec![step] }, newer.iter()).steps.is_empty()
}

/// Settings of which the kernel tells the value that was set, as it was set.
fn is_one_value(setting: &Setting) -> bool {
    match setting {
        Setting::Mtu(_)
        | Setting::Mac(_)
        | Setting::Alias(_)
        | Setting::Group(_)
        | Setting::TransmitQueueLength(_) => true,
        // Those that are on or off are as they were or as they were set, and a name is a link's by
        // which nobody knows it.
        Setting::Up(_)
        | Setting::Broadcast(_)
        | Setting::Name(_)
        | Setting::Promiscuous(_)
        | Setting::AllMulticast(_)
        | Setting::Multicast(_)
        | Setting::Arp(_)
        | Setting::Dynamic(_)
        | Setting::Trailers(_)
        | Setting::Carrier(_)
        | Setting::ProtocolDown(_)
        | Setting::Master(_)
        | Setting::Macvlan(_)
        | Setting::Options(_)
        | Setting::Other(_) => false,
    }
}

fn stays(what: &str) -> String {
    format!("{what} stays: somebody has set it since")
}
