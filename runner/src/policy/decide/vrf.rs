//! VRFs on the host: the kernel puts all that it makes of their ports' addresses into their table
//! (l3mdev_fib_table), whichever it is.

use std::net::IpAddr;

use super::super::coverage;
use super::super::host::{self, Vrf, forbidden};
use super::super::whose::{Object, Whose};
use super::Decision;
use crate::change::{Address, Answer, Family, LinkRef, NamespaceRef, Query, Setting};
use crate::grant::{Capability, Facts};
use crate::kernel::{Denial, Error, kind};

/// The kernel's own tables: default, main and local (linux/rtnetlink.h).
const KERNELS: std::ops::RangeInclusive<u32> = 253..=255;

impl Decision<'_> {
    /// Needs the right to choose a VRF's table, which has to be nobody else's.
    pub(super) fn may_have_table(
        &self,
        namespace: &NamespaceRef,
        name: &str,
        table: u32,
    ) -> Result<(), Error> {
        if KERNELS.contains(&table) {
            let why = "this machine's own routes are in that table; choose one that nobody uses";
            return Err(forbidden(&format!("a vrf with table {table}"), name, why));
        }
        if !self.policy.has_table(table) {
            return Err(Error::Denied(Denial {
                capability: Capability::HostRouteAdd.to_string(),
                target: format!("`{}` with table {table}", name.escape_debug()),
                hint: format!(
                    "no grant names the table; add --grant 'host.route.add cidr=NETWORK table={table}', with the networks of its ports"
                ),
                told: None,
            }));
        }
        self.is_unused(namespace, name, table)?;
        let own = self.own_vrfs(namespace)?;
        if own.iter().any(|vrf| vrf.table == table) {
            return Ok(());
        }
        for family in [Family::Ipv4, Family::Ipv6] {
            let all = host::routes(namespace, family, self.kernel)?;
            let others = all.iter().filter(|route| route.table() == table);
            let whose = |route| Object::Route { place: namespace, route };
            if others
                .map(|route| self.policy.whose(whose(route), self.kernel))
                .any(|whose| whose != Whose::Ours)
            {
                return Err(used(name, table, "routes of others are in it"));
            }
        }
        Ok(())
    }

    /// Refuses a table that others look into: what a VRF's ports put there would be found by them.
    fn is_unused(&self, namespace: &NamespaceRef, name: &str, table: u32) -> Result<(), Error> {
        for family in [Family::Ipv4, Family::Ipv6] {
            let all = host::rules(namespace, family, self.kernel)?;
            let asking = all.iter().filter(|rule| coverage::table_of(rule) == Some(table));
            let whose = |rule| Object::Rule { place: namespace, rule };
            if asking
                .map(|rule| self.policy.whose(whose(rule), self.kernel))
                .any(|whose| whose != Whose::Ours)
            {
                return Err(used(name, table, "a rule of others looks into it"));
            }
        }
        let own = self.own_vrfs(namespace)?;
        let all = host::vrfs(namespace, self.kernel)?;
        if all.iter().any(|vrf| vrf.table == table && !own.contains(vrf)) {
            return Err(used(name, table, "it is the table of a VRF of others"));
        }
        Ok(())
    }

    fn own_vrfs(&self, namespace: &NamespaceRef) -> Result<Vec<Vrf>, Error> {
        let mut all = host::vrfs(namespace, self.kernel)?;
        all.retain(|vrf| self.is_own_link(namespace, &vrf.name));
        Ok(all)
    }

    fn is_own_link(&self, namespace: &NamespaceRef, name: &str) -> bool {
        let link = LinkRef { namespace: namespace.clone(), name: name.to_owned(), index: None };
        let seen = self.kernel.see_link(&link);
        seen.is_ok_and(|seen| self.policy.whose(Object::Link(&seen), self.kernel) == Whose::Ours)
    }

    /// The VRF of a name: one that is there, or that the batch makes. Whether the run has made it.
    fn vrf_of(&self, namespace: &NamespaceRef, name: &str) -> Result<Option<(Vrf, bool)>, Error> {
        let there = host::vrfs(namespace, self.kernel)?.into_iter().find(|vrf| vrf.name == name);
        if let Some(vrf) = there {
            let own = self.is_own_link(namespace, name);
            return Ok(Some((vrf, own)));
        }
        let born = self.together.born.get(&(namespace.name.clone(), name.to_owned()));
        let table = born.and_then(|(_, spec)| kind::vrf_table(spec));
        Ok(table.map(|table| (Vrf { name: name.to_owned(), table }, true)))
    }

    /// An address of a link that is, or becomes, a VRF or a port of one.
    pub(super) fn puts_into_vrfs(
        &self,
        link: &LinkRef,
        address: &Address,
        shown: &str,
    ) -> Result<(), Error> {
        let key = (link.namespace.name.clone(), link.name.clone());
        let links = host::links(&link.namespace, self.kernel)?;
        let now = links.into_iter().find(|one| one.name == link.name);
        let to_come = self.together.masters.iter().filter(|(port, _)| *port == key);
        let masters = now.and_then(|one| one.master);
        let masters = masters.into_iter().chain(to_come.map(|(_, master)| master.clone()));
        for name in masters.chain([link.name.clone()]) {
            if let Some((vrf, own)) = self.vrf_of(&link.namespace, &name)? {
                self.puts_into(&vrf, own, link, address, shown)?;
            }
        }
        Ok(())
    }

    /// Addresses that are on a link when it becomes a VRF's port; and another table of a VRF.
    pub(super) fn enters(
        &self,
        link: &LinkRef,
        setting: &Setting,
        shown: &str,
    ) -> Result<(), Error> {
        let (own, namespace) = self.place(link.namespace.clone())?;
        if own {
            return Ok(());
        }
        if let Setting::Options(given) = setting
            && let Some(table) = kind::vrf_table_of(&given.kind, &given.options)
        {
            return self.may_have_table(&namespace, &link.name, table);
        }
        let Setting::Master(Some(master)) = setting else { return Ok(()) };
        let Some((vrf, own)) = self.vrf_of(&namespace, master)? else { return Ok(()) };
        let query = Query::Addresses { namespace: namespace.clone(), family: None };
        let Answer::Addresses(all) = super::super::look(query, self.kernel)? else {
            return Ok(());
        };
        let link = LinkRef { namespace, ..link.clone() };
        // What every link with IPv6 has of the kernel, each for itself, is no matter of tables.
        let chosen = all.iter().filter(|info| !is_link_local(info.address.prefix.address));
        for info in chosen.filter(|info| info.link == link.name) {
            self.puts_into(&vrf, own, &link, &info.address, shown)?;
        }
        Ok(())
    }

    /// Needs the right to the routes that the kernel makes of an address in a VRF's table.
    fn puts_into(
        &self,
        vrf: &Vrf,
        own: bool,
        link: &LinkRef,
        address: &Address,
        shown: &str,
    ) -> Result<(), Error> {
        for network in coverage::networks(&coverage::of_address(address)) {
            let (cidr, table) = (Some(network), Some(vrf.table));
            let facts = Facts { cidr, table, link: Some(link.name.clone()), ..Facts::default() };
            self.policy.need(Capability::HostRouteAdd, facts, &shown)?;
        }
        // Somebody may have begun to use it since the VRF was made.
        if own {
            self.is_unused(&link.namespace, &vrf.name, vrf.table)?;
        }
        self.policy.floor_of_an_address_in(vrf.table, &link.namespace, address, self.kernel)
    }
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(six) if six.is_unicast_link_local())
}

fn used(name: &str, table: u32, why: &str) -> Error {
    let why = format!("{why}; choose a table that nobody uses");
    forbidden(&format!("a vrf with table {table}"), name, &why)
}
