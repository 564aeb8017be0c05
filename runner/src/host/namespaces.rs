//! `namespaces`: made, opened, listed and deleted.

use wasmtime::component::Resource;

use super::batch::Batch;
use super::handle::namespace;
use super::{Host, NamespaceHandle, Refusal, convert};
use crate::change::{Answer, Change, Made, NamespaceRef, Query};
use crate::host::bindings::netwright::host::namespaces;

type Handle = Resource<NamespaceHandle>;

impl Host {
    fn open_namespace(&mut self, reference: NamespaceRef) -> Result<Handle, Refusal> {
        let Answer::Namespace(found) =
            self.session.query(Query::Namespace { namespace: reference })?
        else {
            return Err(mismatch("namespace"));
        };
        Ok(self.table.push(NamespaceHandle(found))?)
    }
}

/// The kernel layer answered another question than the one that was asked.
pub(super) fn mismatch(question: &str) -> Refusal {
    Refusal::Trap(wasmtime::Error::msg(format!(
        "the kernel layer mistook a question about a {question}"
    )))
}

impl namespaces::Host for Host {
    fn list_names(&mut self) -> Result<Vec<String>, Refusal> {
        match self.session.query(Query::Namespaces)? {
            Answer::Names(names) => Ok(names),
            _ => Err(mismatch("list of namespaces")),
        }
    }

    fn add_namespace(&mut self, batch: Batch, name: String) -> wasmtime::Result<()> {
        self.add(&batch, || Ok(Change::CreateNamespace { name: convert::new_namespace(&name)? }))
    }
}

impl namespaces::HostNamespace for Host {
    fn create(&mut self, name: String) -> Result<Handle, Refusal> {
        let name = convert::new_namespace(&name)?;
        match self.session.perform(Change::CreateNamespace { name })? {
            Made::Namespace(made) => Ok(self.table.push(NamespaceHandle(made))?),
            Made::Link(_) | Made::Nothing => Err(mismatch("new namespace")),
        }
    }

    fn open(&mut self, name: String) -> Result<Handle, Refusal> {
        let name = convert::namespace_name(Some(&name))?;
        self.open_namespace(NamespaceRef::named(name))
    }

    fn root(&mut self) -> Result<Handle, Refusal> {
        self.open_namespace(NamespaceRef::named(None))
    }

    fn name(&mut self, handle: Handle) -> wasmtime::Result<String> {
        let reference = &self.table.get(&handle)?.0;
        Ok(reference.name.as_ref().map(ToString::to_string).unwrap_or_default())
    }

    fn delete(&mut self, handle: Handle) -> Result<(), Refusal> {
        let namespace = namespace(&self.table, &handle)?;
        self.session.perform(Change::DeleteNamespace { namespace })?;
        Ok(())
    }

    fn set_id(&mut self, handle: Handle, peer: String, id: i32) -> Result<(), Refusal> {
        let namespace = namespace(&self.table, &handle)?;
        let peer = NamespaceRef::named(Some(convert::new_namespace(&peer)?));
        self.session.perform(Change::SetNamespaceId { namespace, peer, id })?;
        Ok(())
    }

    fn drop(&mut self, handle: Handle) -> wasmtime::Result<()> {
        self.table.delete(handle)?;
        Ok(())
    }
}
