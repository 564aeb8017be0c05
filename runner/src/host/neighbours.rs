//! `neighbours`, `fdb` and `sysctls`.

use wasmtime::component::Resource;

use super::batch::Batch;
use super::handle::{link, namespace};
use super::namespaces::mismatch;
use super::{Host, LinkHandle, NamespaceHandle, Refusal, convert};
use crate::change::{Answer, Change, Query};
use crate::host::bindings::netwright::host::links::LinkName;
use crate::host::bindings::netwright::host::types::{Family, IpAddress, Write};
use crate::host::bindings::netwright::host::{fdb, neighbours, sysctls};

type Namespace = Resource<NamespaceHandle>;
type Link = Resource<LinkHandle>;

impl neighbours::Host for Host {
    fn put(
        &mut self,
        handle: Link,
        neighbour: neighbours::Neighbour,
        how: Write,
    ) -> Result<(), Refusal> {
        let link = link(&self.table, &handle)?;
        let neighbour = convert::neighbour(neighbour);
        let how = convert::write(how);
        self.session.perform(Change::PutNeighbour { link, neighbour, how })?;
        Ok(())
    }

    fn remove(&mut self, handle: Link, address: IpAddress, proxy: bool) -> Result<(), Refusal> {
        let link = link(&self.table, &handle)?;
        let address = convert::ip(address);
        self.session.perform(Change::RemoveNeighbour { link, address, proxy, put: None })?;
        Ok(())
    }

    fn list_all(
        &mut self,
        handle: Namespace,
        family: Option<Family>,
    ) -> Result<Vec<(String, neighbours::Neighbour)>, Refusal> {
        let namespace = namespace(&self.table, &handle)?;
        let family = family.map(convert::family);
        match self.session.query(Query::Neighbours { namespace, family })? {
            Answer::Neighbours(found) => Ok(found
                .into_iter()
                .map(|(link, neighbour)| (link, convert::neighbour_out(neighbour)))
                .collect()),
            _ => Err(mismatch("list of neighbours")),
        }
    }

    fn add_neighbour(
        &mut self,
        batch: Batch,
        link: LinkName,
        neighbour: neighbours::Neighbour,
        how: Write,
    ) -> wasmtime::Result<()> {
        self.add(&batch, || {
            let link = convert::named_link(link)?;
            let neighbour = convert::neighbour(neighbour);
            Ok(Change::PutNeighbour { link, neighbour, how: convert::write(how) })
        })
    }
}

impl fdb::Host for Host {
    fn put(&mut self, handle: Link, entry: fdb::Entry, how: Write) -> Result<(), Refusal> {
        let link = link(&self.table, &handle)?;
        let entry = convert::entry(entry);
        self.session.perform(Change::PutEntry { link, entry, how: convert::write(how) })?;
        Ok(())
    }

    fn remove(&mut self, handle: Link, entry: fdb::Entry) -> Result<(), Refusal> {
        let link = link(&self.table, &handle)?;
        let entry = convert::entry(entry);
        self.session.perform(Change::RemoveEntry { link, entry })?;
        Ok(())
    }

    fn list_all(&mut self, handle: Link) -> Result<Vec<fdb::Entry>, Refusal> {
        let link = link(&self.table, &handle)?;
        match self.session.query(Query::Entries { link })? {
            Answer::Entries(found) => Ok(found.into_iter().map(convert::entry_out).collect()),
            _ => Err(mismatch("forwarding database")),
        }
    }
}

impl sysctls::Host for Host {
    fn get(&mut self, handle: Namespace, key: String) -> Result<String, Refusal> {
        let namespace = namespace(&self.table, &handle)?;
        let key = convert::text(key, "a sysctl's key")?;
        match self.session.query(Query::Sysctl { namespace, key })? {
            Answer::Text(value) => Ok(value),
            _ => Err(mismatch("sysctl")),
        }
    }

    fn set(&mut self, handle: Namespace, key: String, value: String) -> Result<(), Refusal> {
        let namespace = namespace(&self.table, &handle)?;
        let key = convert::text(key, "a sysctl's key")?;
        let value = convert::text(value, "a sysctl's value")?;
        self.session.perform(Change::SetSysctl { namespace, key, value })?;
        Ok(())
    }

    fn add_sysctl(
        &mut self,
        batch: Batch,
        namespace: Option<String>,
        key: String,
        value: String,
    ) -> wasmtime::Result<()> {
        self.add(&batch, || {
            let namespace = convert::named_namespace(namespace)?;
            let key = convert::text(key, "a sysctl's key")?;
            Ok(Change::SetSysctl {
                namespace,
                key,
                value: convert::text(value, "a sysctl's value")?,
            })
        })
    }
}
