//! `qdisc`: what a link does to the packets that it sends.

use wasmtime::component::Resource;

use super::batch::Batch;
use super::handle::{link, namespace};
use super::namespaces::mismatch;
use super::{Host, LinkHandle, NamespaceHandle, Refusal, convert};
use crate::change::{Answer, Change, Feature, Query};
use crate::host::bindings::netwright::host::links::LinkName;
use crate::host::bindings::netwright::host::qdisc;
use crate::host::bindings::netwright::host::types::Write;

type Link = Resource<LinkHandle>;

impl qdisc::Host for Host {
    fn put(&mut self, handle: Link, qdisc: qdisc::Qdisc, how: Write) -> Result<(), Refusal> {
        let link = link(&self.table, &handle)?;
        let (qdisc, how) = (convert::qdisc(qdisc)?, convert::write(how));
        self.session.perform(Change::PutQdisc { link, qdisc, how })?;
        Ok(())
    }

    fn remove(&mut self, handle: Link) -> Result<(), Refusal> {
        let link = link(&self.table, &handle)?;
        self.session.perform(Change::RemoveQdisc { link })?;
        Ok(())
    }

    fn get(&mut self, handle: Link) -> Result<Option<qdisc::Qdisc>, Refusal> {
        let link = link(&self.table, &handle)?;
        match self.session.query(Query::Qdisc { link })? {
            Answer::Qdisc(found) => Ok(found.map(convert::qdisc_out)),
            _ => Err(mismatch("queueing discipline")),
        }
    }

    fn list_all(
        &mut self,
        handle: Resource<NamespaceHandle>,
    ) -> Result<Vec<(String, qdisc::Qdisc)>, Refusal> {
        let namespace = namespace(&self.table, &handle)?;
        match self.session.query(Query::Qdiscs { namespace })? {
            Answer::Qdiscs(all) => {
                Ok(all.into_iter().map(|(link, one)| (link, convert::qdisc_out(one))).collect())
            }
            _ => Err(mismatch("list of queueing disciplines")),
        }
    }

    fn offered(&mut self, kind: String) -> Result<(), Refusal> {
        let kind = convert::text(kind, "a kind's name")?;
        self.session.query(Query::Offered(Feature::Discipline(kind)))?;
        Ok(())
    }

    fn add_qdisc(
        &mut self,
        batch: Batch,
        link: LinkName,
        qdisc: qdisc::Qdisc,
        how: Write,
    ) -> wasmtime::Result<()> {
        self.add(&batch, || {
            let link = convert::named_link(link)?;
            let qdisc = convert::qdisc(qdisc)?;
            Ok(Change::PutQdisc { link, qdisc, how: convert::write(how) })
        })
    }

    fn add_qdisc_removal(&mut self, batch: Batch, link: LinkName) -> wasmtime::Result<()> {
        self.add(&batch, || Ok(Change::RemoveQdisc { link: convert::named_link(link)? }))
    }
}
