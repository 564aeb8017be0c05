//! Queueing disciplines, and VLANs of a bridge's ports.
#![allow(missing_docs, reason = "the contract documents its functions")]

/// As the interface `qdisc`.
pub mod qdisc {
    pub use crate::wit::netwright::host::qdisc::{
        Backlog, Chance, Distribution, Kind, Netem, Qdisc, Reorder, Tbf,
    };

    use super::super::building::batch::Batch;
    use super::super::building::links::Link;
    use super::super::building::namespaces::Namespace;
    use crate::testing::change::Change;
    use crate::testing::state::with;
    use crate::wit::links::LinkName;
    use crate::wit::types::{Error, Write};

    pub fn put(link: &Link, qdisc: &Qdisc, how: Write) -> Result<(), Error> {
        if matches!(how, Write::Append | Write::Prepend) {
            let rule = "a queueing discipline is added, changed or replaced";
            return Err(Error::Invalid(rule.to_owned()));
        }
        with(|state| {
            let link = link.alive(state)?;
            state.perform(Change::PutQdisc { link, qdisc: qdisc.clone(), how })
        })
    }

    pub fn remove(link: &Link) -> Result<(), Error> {
        with(|state| {
            let link = link.alive(state)?;
            state.perform(Change::RemoveQdisc { link })
        })
    }

    pub fn get(link: &Link) -> Result<Option<Qdisc>, Error> {
        with(|state| {
            link.alive(state)?;
            Ok(state.network.link(link.id()).ok().and_then(|link| link.qdisc.clone()))
        })
    }

    pub fn list_all(namespace: &Namespace) -> Result<Vec<(String, Qdisc)>, Error> {
        with(|state| {
            namespace.alive(state)?;
            let links = state.network.links_in(namespace.id()).into_iter();
            let links = links.filter_map(|id| state.network.link(id).ok());
            Ok(links.filter_map(|link| Some((link.name.clone(), link.qdisc.clone()?))).collect())
        })
    }

    /// This host knows every kind.
    pub fn offered(_kind: &str) -> Result<(), Error> {
        Ok(())
    }

    pub fn add_qdisc(batch: &Batch, link: &LinkName, qdisc: &Qdisc, how: Write) {
        batch.add(Change::PutQdisc { link: link.into(), qdisc: qdisc.clone(), how });
    }

    pub fn add_qdisc_removal(batch: &Batch, link: &LinkName) {
        batch.add(Change::RemoveQdisc { link: link.into() });
    }
}

/// As the interface `vlans`.
pub mod vlans {
    pub use crate::wit::netwright::host::vlans::Vlan;

    use super::super::building::batch::Batch;
    use super::super::building::links::Link;
    use super::super::building::namespaces::Namespace;
    use crate::testing::change::Change;
    use crate::testing::state::with;
    use crate::wit::links::LinkName;
    use crate::wit::types::Error;

    pub fn put(link: &Link, vlan: Vlan) -> Result<(), Error> {
        with(|state| {
            let link = link.alive(state)?;
            state.perform(Change::PutVlan { link, vlan })
        })
    }

    pub fn remove(link: &Link, first: u16, last: u16) -> Result<(), Error> {
        with(|state| {
            let link = link.alive(state)?;
            state.perform(Change::RemoveVlan { link, first, last })
        })
    }

    pub fn set_all(link: &Link, vlans: &[Vlan]) -> Result<(), Error> {
        with(|state| {
            let link = link.alive(state)?;
            state.perform(Change::SetVlans { link, vlans: vlans.to_vec() })
        })
    }

    pub fn get(link: &Link) -> Result<Vec<Vlan>, Error> {
        with(|state| {
            link.alive(state)?;
            Ok(state.network.vlans(link.id()))
        })
    }

    pub fn list_all(namespace: &Namespace) -> Result<Vec<(String, Vec<Vlan>)>, Error> {
        with(|state| {
            namespace.alive(state)?;
            let links = state.network.links_in(namespace.id()).into_iter();
            let all = links.filter_map(|id| {
                let name = state.network.link(id).ok()?.name.clone();
                Some((name, state.network.vlans(id)))
            });
            Ok(all.filter(|(_, vlans)| !vlans.is_empty()).collect())
        })
    }

    /// Bridges filter here.
    pub fn offered() -> Result<(), Error> {
        Ok(())
    }

    pub fn add_vlans(batch: &Batch, link: &LinkName, vlans: &[Vlan]) {
        batch.add(Change::SetVlans { link: link.into(), vlans: vlans.to_vec() });
    }
}
