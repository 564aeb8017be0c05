//! `links`: made, opened, altered, moved and deleted.

use wasmtime::component::Resource;

use super::batch::Batch;
use super::handle::{link, namespace};
use super::namespaces::mismatch;
use super::{Host, LinkHandle, NamespaceHandle, Refusal, convert};
use crate::change::{Answer, Change, Feature, LinkInfo, LinkRef, Made, Query};
use crate::host::bindings::netwright::host::links;

type Handle = Resource<LinkHandle>;

impl Host {
    fn link_info(&mut self, link: LinkRef) -> Result<LinkInfo, Refusal> {
        match self.session.query(Query::Link { link })? {
            Answer::Links(mut found) if found.len() == 1 => Ok(found.remove(0)),
            _ => Err(mismatch("link")),
        }
    }

    /// After a change the link may have another name, or be in another place.
    fn update(&mut self, handle: &Handle, now: LinkRef) -> Result<(), Refusal> {
        self.table.get_mut(handle)?.0 = now;
        Ok(())
    }
}

impl links::Host for Host {
    fn list_all(&mut self, handle: Resource<NamespaceHandle>) -> Result<Vec<links::Info>, Refusal> {
        let namespace = namespace(&self.table, &handle)?;
        match self.session.query(Query::Links { namespace })? {
            Answer::Links(found) => Ok(found.into_iter().map(convert::link_info).collect()),
            _ => Err(mismatch("list of links")),
        }
    }

    fn offered(&mut self, kind: String) -> Result<(), Refusal> {
        let kind = convert::text(kind, "a kind's name")?;
        self.session.query(Query::Offered(Feature::LinkKind(kind)))?;
        Ok(())
    }

    fn add_link(
        &mut self,
        batch: Batch,
        namespace: Option<String>,
        spec: links::Spec,
    ) -> wasmtime::Result<()> {
        self.add(&batch, || {
            let namespace = convert::named_namespace(namespace)?;
            Ok(Change::CreateLink { namespace, spec: convert::spec(spec)? })
        })
    }

    fn add_settings(
        &mut self,
        batch: Batch,
        link: links::LinkName,
        settings: Vec<links::Setting>,
    ) -> wasmtime::Result<()> {
        self.add(&batch, || {
            let link = convert::named_link(link)?;
            Ok(Change::ChangeLink { link, settings: convert::settings(settings)? })
        })
    }
}

impl links::HostLink for Host {
    fn create(
        &mut self,
        handle: Resource<NamespaceHandle>,
        spec: links::Spec,
    ) -> Result<Handle, Refusal> {
        let namespace = namespace(&self.table, &handle)?;
        let spec = convert::spec(spec)?;
        match self.session.perform(Change::CreateLink { namespace, spec })? {
            Made::Link(made) => Ok(self.table.push(LinkHandle(made))?),
            Made::Namespace(_) | Made::Nothing => Err(mismatch("new link")),
        }
    }

    fn open(&mut self, handle: Resource<NamespaceHandle>, name: String) -> Result<Handle, Refusal> {
        let namespace = namespace(&self.table, &handle)?;
        let name = convert::existing_link(&name)?;
        let named = LinkRef { namespace: namespace.clone(), name, index: None };
        let found = self.link_info(named)?;
        let known = LinkRef { namespace, name: found.name, index: Some(found.index) };
        Ok(self.table.push(LinkHandle(known))?)
    }

    fn index(&mut self, handle: Handle) -> wasmtime::Result<u32> {
        Ok(self.table.get(&handle)?.0.index.unwrap_or_default())
    }

    fn info(&mut self, handle: Handle) -> Result<links::Info, Refusal> {
        let reference = link(&self.table, &handle)?;
        Ok(convert::link_info(self.link_info(reference)?))
    }

    fn statistics(&mut self, handle: Handle) -> Result<links::Statistics, Refusal> {
        let link = link(&self.table, &handle)?;
        match self.session.query(Query::Statistics { link })? {
            Answer::Statistics(counted) => Ok(links::Statistics {
                received_packets: counted.received_packets,
                received_bytes: counted.received_bytes,
                received_errors: counted.received_errors,
                received_dropped: counted.received_dropped,
                sent_packets: counted.sent_packets,
                sent_bytes: counted.sent_bytes,
                sent_errors: counted.sent_errors,
                sent_dropped: counted.sent_dropped,
            }),
            _ => Err(mismatch("link's statistics")),
        }
    }

    fn change(&mut self, handle: Handle, settings: Vec<links::Setting>) -> Result<(), Refusal> {
        let link = link(&self.table, &handle)?;
        let settings = convert::settings(settings)?;
        if let Made::Link(now) = self.session.perform(Change::ChangeLink { link, settings })? {
            self.update(&handle, now)?;
        }
        Ok(())
    }

    fn move_to(&mut self, handle: Handle, to: Resource<NamespaceHandle>) -> Result<(), Refusal> {
        let link = link(&self.table, &handle)?;
        let to = namespace(&self.table, &to)?;
        if let Made::Link(now) = self.session.perform(Change::MoveLink { link, to })? {
            self.update(&handle, now)?;
        }
        Ok(())
    }

    fn delete(&mut self, handle: Handle) -> Result<(), Refusal> {
        let link = link(&self.table, &handle)?;
        self.session.perform(Change::DeleteLink { link })?;
        Ok(())
    }

    fn drop(&mut self, handle: Handle) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}
