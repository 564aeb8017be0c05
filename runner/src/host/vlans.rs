//! `vlans`: which of them the ports of a bridge carry.

use wasmtime::component::Resource;

use super::batch::Batch;
use super::handle::{link, namespace};
use super::namespaces::mismatch;
use super::{Host, LinkHandle, NamespaceHandle, Refusal, convert};
use crate::change::{Answer, Change, Feature, Query};
use crate::host::bindings::netwright::host::links::LinkName;
use crate::host::bindings::netwright::host::vlans;

type Link = Resource<LinkHandle>;

impl vlans::Host for Host {
    fn put(&mut self, handle: Link, vlan: vlans::Vlan) -> Result<(), Refusal> {
        let link = link(&self.table, &handle)?;
        self.session.perform(Change::PutVlan { link, vlan: convert::vlan(vlan) })?;
        Ok(())
    }

    fn remove(&mut self, handle: Link, first: u16, last: u16) -> Result<(), Refusal> {
        let link = link(&self.table, &handle)?;
        self.session.perform(Change::RemoveVlan { link, first, last })?;
        Ok(())
    }

    fn set_all(&mut self, handle: Link, vlans: Vec<vlans::Vlan>) -> Result<(), Refusal> {
        let link = link(&self.table, &handle)?;
        let vlans = vlans.into_iter().map(convert::vlan).collect();
        self.session.perform(Change::SetVlans { link, vlans })?;
        Ok(())
    }

    fn get(&mut self, handle: Link) -> Result<Vec<vlans::Vlan>, Refusal> {
        let link = link(&self.table, &handle)?;
        match self.session.query(Query::Vlans { link })? {
            Answer::Vlans(found) => Ok(found.into_iter().map(convert::vlan_out).collect()),
            _ => Err(mismatch("list of VLANs")),
        }
    }

    fn list_all(
        &mut self,
        handle: Resource<NamespaceHandle>,
    ) -> Result<Vec<(String, Vec<vlans::Vlan>)>, Refusal> {
        let namespace = namespace(&self.table, &handle)?;
        let Answer::AllVlans(all) = self.session.query(Query::AllVlans { namespace })? else {
            return Err(mismatch("list of VLANs"));
        };
        let out = |found: Vec<_>| found.into_iter().map(convert::vlan_out).collect();
        Ok(all.into_iter().map(|(link, found)| (link, out(found))).collect())
    }

    fn offered(&mut self) -> Result<(), Refusal> {
        self.session.query(Query::Offered(Feature::BridgeVlans))?;
        Ok(())
    }

    fn add_vlans(
        &mut self,
        batch: Batch,
        link: LinkName,
        vlans: Vec<vlans::Vlan>,
    ) -> wasmtime::Result<()> {
        self.add(&batch, || {
            let link = convert::named_link(link)?;
            let vlans = vlans.into_iter().map(convert::vlan).collect();
            Ok(Change::SetVlans { link, vlans })
        })
    }
}
