//! Addresses, routes, rules, neighbours, forwarding databases and sysctls.
#![allow(missing_docs, reason = "the contract documents its functions")]

/// As the interface `addresses`.
pub mod addresses {
    pub use crate::wit::netwright::host::addresses::{Address, AddressFlags, Info};

    use super::super::building::batch::Batch;
    use super::super::building::links::Link;
    use super::super::building::namespaces::Namespace;
    use crate::testing::change::Change;
    use crate::testing::state::with;
    use crate::wit::links::LinkName;
    use crate::wit::types::{Error, Family, IpPrefix, Write};

    pub fn put(link: &Link, address: &Address, how: Write) -> Result<(), Error> {
        if matches!(how, Write::Append | Write::Prepend) {
            return Err(Error::Invalid("an address is not appended or prepended".to_owned()));
        }
        with(|state| {
            let link = link.alive(state)?;
            state.perform(Change::PutAddress { link, address: address.clone(), how })
        })
    }

    pub fn remove(link: &Link, prefix: IpPrefix, peer: Option<IpPrefix>) -> Result<(), Error> {
        with(|state| {
            let link = link.alive(state)?;
            state.perform(Change::RemoveAddress { link, prefix, peer })
        })
    }

    pub fn list_all(namespace: &Namespace, family: Option<Family>) -> Result<Vec<Info>, Error> {
        with(|state| {
            namespace.alive(state)?;
            let links = state.network.links_in(namespace.id());
            let all = links.into_iter().flat_map(|id| state.network.addresses_of(id));
            let of_family =
                |info: &Info| crate::address::family(info.address.prefix.address.into());
            Ok(all.filter(|info| family.is_none_or(|one| one == of_family(info))).collect())
        })
    }

    pub fn add_address(batch: &Batch, link: &LinkName, address: &Address, how: Write) {
        batch.add(Change::PutAddress { link: link.into(), address: address.clone(), how });
    }
}

/// As the interface `routes`.
pub mod routes {
    pub use crate::wit::netwright::host::routes::{NextHop, Route, RouteKind};

    use std::net::IpAddr;

    use super::super::building::batch::Batch;
    use super::super::building::namespaces::Namespace;
    use crate::testing::change::Change;
    use crate::testing::state::with;
    use crate::wit::types::{Error, Family, IpAddress, Write};

    pub fn put(namespace: &Namespace, route: &Route, how: Write) -> Result<(), Error> {
        with(|state| {
            let namespace = namespace.alive(state)?;
            state.perform(Change::PutRoute { namespace, route: route.clone(), how })
        })
    }

    pub fn remove(namespace: &Namespace, route: &Route) -> Result<(), Error> {
        with(|state| {
            let namespace = namespace.alive(state)?;
            state.perform(Change::RemoveRoute { namespace, route: route.clone() })
        })
    }

    pub fn list_all(namespace: &Namespace, family: Family) -> Result<Vec<Route>, Error> {
        with(|state| {
            namespace.alive(state)?;
            let stack = state.network.stack(namespace.id());
            let routes = stack.map(|stack| stack.routes.clone()).unwrap_or_default();
            Ok(routes.into_iter().filter(|route| route.family == family).collect())
        })
    }

    pub fn lookup(
        namespace: &Namespace,
        destination: IpAddress,
        source: Option<IpAddress>,
    ) -> Result<Route, Error> {
        with(|state| {
            namespace.alive(state)?;
            let destination = IpAddr::from(destination);
            let found = state.network.lookup(namespace.id(), destination);
            let mut route =
                found.map_err(|refusal| refusal.of(&format!("route get {destination}")))?;
            route.source = source.or(route.source);
            Ok(route)
        })
    }

    pub fn add_route(batch: &Batch, namespace: Option<&str>, route: &Route, how: Write) {
        let namespace = namespace.unwrap_or_default().to_owned();
        batch.add(Change::PutRoute { namespace, route: route.clone(), how });
    }
}

/// As the interface `rules`.
pub mod rules {
    pub use crate::wit::netwright::host::rules::{Rule, RuleAction};

    use super::super::building::batch::Batch;
    use super::super::building::namespaces::Namespace;
    use crate::testing::change::Change;
    use crate::testing::state::with;
    use crate::wit::types::{Error, Family};

    pub fn add(namespace: &Namespace, rule: &Rule) -> Result<(), Error> {
        with(|state| {
            let namespace = namespace.alive(state)?;
            state.perform(Change::AddRule { namespace, rule: rule.clone() })
        })
    }

    pub fn remove(namespace: &Namespace, rule: &Rule) -> Result<(), Error> {
        with(|state| {
            let namespace = namespace.alive(state)?;
            state.perform(Change::RemoveRule { namespace, rule: rule.clone() })
        })
    }

    pub fn list_all(namespace: &Namespace, family: Family) -> Result<Vec<Rule>, Error> {
        with(|state| {
            namespace.alive(state)?;
            let stack = state.network.stack(namespace.id());
            let rules = stack.map(|stack| stack.rules.clone()).unwrap_or_default();
            Ok(rules.into_iter().filter(|rule| rule.family == family).collect())
        })
    }

    pub fn add_rule(batch: &Batch, namespace: Option<&str>, rule: &Rule) {
        let namespace = namespace.unwrap_or_default().to_owned();
        batch.add(Change::AddRule { namespace, rule: rule.clone() });
    }
}

/// As the interface `neighbours`.
pub mod neighbours {
    pub use crate::wit::netwright::host::neighbours::{Neighbour, NeighbourState};

    use super::super::building::batch::Batch;
    use super::super::building::links::Link;
    use super::super::building::namespaces::Namespace;
    use crate::testing::change::Change;
    use crate::testing::state::with;
    use crate::wit::links::LinkName;
    use crate::wit::types::{Error, Family, IpAddress, Write};

    pub fn put(link: &Link, neighbour: Neighbour, how: Write) -> Result<(), Error> {
        with(|state| {
            let link = link.alive(state)?;
            state.perform(Change::PutNeighbour { link, neighbour, how })
        })
    }

    pub fn remove(link: &Link, address: IpAddress, proxy: bool) -> Result<(), Error> {
        with(|state| {
            let link = link.alive(state)?;
            state.perform(Change::RemoveNeighbour { link, address, proxy })
        })
    }

    pub fn list_all(
        namespace: &Namespace,
        family: Option<Family>,
    ) -> Result<Vec<(String, Neighbour)>, Error> {
        with(|state| {
            namespace.alive(state)?;
            let mut all = Vec::new();
            for id in state.network.links_in(namespace.id()) {
                let Ok(link) = state.network.link(id) else { continue };
                all.extend(link.neighbours.iter().map(|one| (link.name.clone(), *one)));
            }
            let of_family = |one: &Neighbour| crate::address::family(one.address.into());
            all.retain(|(_, one)| family.is_none_or(|wanted| wanted == of_family(one)));
            Ok(all)
        })
    }

    pub fn add_neighbour(batch: &Batch, link: &LinkName, neighbour: Neighbour, how: Write) {
        batch.add(Change::PutNeighbour { link: link.into(), neighbour, how });
    }
}

/// As the interface `fdb`.
pub mod fdb {
    pub use crate::wit::netwright::host::fdb::Entry;

    use super::super::building::links::Link;
    use crate::testing::change::Change;
    use crate::testing::state::with;
    use crate::wit::types::{Error, Write};

    pub fn put(link: &Link, entry: Entry, how: Write) -> Result<(), Error> {
        with(|state| {
            let link = link.alive(state)?;
            state.perform(Change::PutEntry { link, entry, how })
        })
    }

    pub fn remove(link: &Link, entry: Entry) -> Result<(), Error> {
        with(|state| {
            let link = link.alive(state)?;
            state.perform(Change::RemoveEntry { link, entry })
        })
    }

    pub fn list_all(link: &Link) -> Result<Vec<Entry>, Error> {
        with(|state| {
            link.alive(state)?;
            Ok(state.network.link(link.id()).map(|link| link.entries.clone()).unwrap_or_default())
        })
    }
}

/// As the interface `sysctls`.
pub mod sysctls {
    use super::super::building::batch::Batch;
    use super::super::building::namespaces::Namespace;
    use crate::testing::change::Change;
    use crate::testing::network::setting;
    use crate::testing::state::with;
    use crate::wit::types::Error;

    pub fn get(namespace: &Namespace, key: &str) -> Result<String, Error> {
        with(|state| {
            namespace.alive(state)?;
            let stack = state.network.stack(namespace.id());
            let wanted = setting(key)?;
            let there = state.network.check_setting(namespace.id(), &wanted);
            there.map_err(|refusal| refusal.of(&format!("sysctl {key}")))?;
            Ok(stack.map_or_else(|_| "0".to_owned(), |stack| stack.sysctl(&wanted).to_owned()))
        })
    }

    pub fn set(namespace: &Namespace, key: &str, value: &str) -> Result<(), Error> {
        with(|state| {
            let namespace = namespace.alive(state)?;
            setting(key)?;
            let (key, value) = (key.to_owned(), value.to_owned());
            state.perform(Change::SetSysctl { namespace, key, value })
        })
    }

    pub fn add_sysctl(batch: &Batch, namespace: Option<&str>, key: &str, value: &str) {
        let namespace = namespace.unwrap_or_default().to_owned();
        let (key, value) = (key.to_owned(), value.to_owned());
        batch.add(Change::SetSysctl { namespace, key, value });
    }
}
