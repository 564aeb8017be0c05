//! `addresses`, `routes` and `rules`.

use wasmtime::component::Resource;

use super::batch::Batch;
use super::handle::{link, namespace};
use super::namespaces::mismatch;
use super::{Host, LinkHandle, NamespaceHandle, Refusal, convert};
use crate::change::{Answer, Change, Query};
use crate::host::bindings::netwright::host::links::LinkName;
use crate::host::bindings::netwright::host::types::{Family, IpAddress, IpPrefix, Write};
use crate::host::bindings::netwright::host::{addresses, routes, rules};

type Namespace = Resource<NamespaceHandle>;
type Link = Resource<LinkHandle>;

impl addresses::Host for Host {
    fn put(
        &mut self,
        handle: Link,
        address: addresses::Address,
        how: Write,
    ) -> Result<(), Refusal> {
        let link = link(&self.table, &handle)?;
        let address = convert::address(address)?;
        let how = convert::write(how);
        self.session.perform(Change::PutAddress { link, address, how })?;
        Ok(())
    }

    fn remove(
        &mut self,
        handle: Link,
        prefix: IpPrefix,
        peer: Option<IpPrefix>,
    ) -> Result<(), Refusal> {
        let link = link(&self.table, &handle)?;
        let prefix = convert::prefix(prefix)?;
        let peer = peer.map(convert::prefix).transpose()?;
        self.session.perform(Change::RemoveAddress { link, prefix, peer })?;
        Ok(())
    }

    fn list_all(
        &mut self,
        handle: Namespace,
        family: Option<Family>,
    ) -> Result<Vec<addresses::Info>, Refusal> {
        let namespace = namespace(&self.table, &handle)?;
        let family = family.map(convert::family);
        match self.session.query(Query::Addresses { namespace, family })? {
            Answer::Addresses(found) => Ok(found.into_iter().map(convert::address_info).collect()),
            _ => Err(mismatch("list of addresses")),
        }
    }

    fn add_address(
        &mut self,
        batch: Batch,
        link: LinkName,
        address: addresses::Address,
        how: Write,
    ) -> wasmtime::Result<()> {
        self.add(&batch, || {
            let link = convert::named_link(link)?;
            let address = convert::address(address)?;
            Ok(Change::PutAddress { link, address, how: convert::write(how) })
        })
    }
}

impl routes::Host for Host {
    fn put(&mut self, handle: Namespace, route: routes::Route, how: Write) -> Result<(), Refusal> {
        let namespace = namespace(&self.table, &handle)?;
        let route = convert::route(route)?;
        self.session.perform(Change::PutRoute { namespace, route, how: convert::write(how) })?;
        Ok(())
    }

    fn remove(&mut self, handle: Namespace, route: routes::Route) -> Result<(), Refusal> {
        let namespace = namespace(&self.table, &handle)?;
        let route = convert::route(route)?;
        self.session.perform(Change::RemoveRoute { namespace, route })?;
        Ok(())
    }

    fn list_all(
        &mut self,
        handle: Namespace,
        family: Family,
    ) -> Result<Vec<routes::Route>, Refusal> {
        let namespace = namespace(&self.table, &handle)?;
        let family = convert::family(family);
        match self.session.query(Query::Routes { namespace, family })? {
            Answer::Routes(found) => Ok(found.into_iter().map(convert::route_out).collect()),
            _ => Err(mismatch("list of routes")),
        }
    }

    fn lookup(
        &mut self,
        handle: Namespace,
        destination: IpAddress,
        source: Option<IpAddress>,
    ) -> Result<routes::Route, Refusal> {
        let namespace = namespace(&self.table, &handle)?;
        let destination = convert::ip(destination);
        let source = source.map(convert::ip);
        match self.session.query(Query::Lookup { namespace, destination, source })? {
            Answer::Routes(mut found) if found.len() == 1 => {
                Ok(convert::route_out(found.remove(0)))
            }
            _ => Err(mismatch("route")),
        }
    }

    fn add_route(
        &mut self,
        batch: Batch,
        namespace: Option<String>,
        route: routes::Route,
        how: Write,
    ) -> wasmtime::Result<()> {
        self.add(&batch, || {
            let namespace = convert::named_namespace(namespace)?;
            let route = convert::route(route)?;
            Ok(Change::PutRoute { namespace, route, how: convert::write(how) })
        })
    }
}

impl rules::Host for Host {
    fn add(&mut self, handle: Namespace, rule: rules::Rule) -> Result<(), Refusal> {
        let namespace = namespace(&self.table, &handle)?;
        let rule = convert::rule(rule)?;
        self.session.perform(Change::AddRule { namespace, rule })?;
        Ok(())
    }

    fn remove(&mut self, handle: Namespace, rule: rules::Rule) -> Result<(), Refusal> {
        let namespace = namespace(&self.table, &handle)?;
        let rule = convert::rule(rule)?;
        self.session.perform(Change::RemoveRule { namespace, rule })?;
        Ok(())
    }

    fn list_all(&mut self, handle: Namespace, family: Family) -> Result<Vec<rules::Rule>, Refusal> {
        let namespace = namespace(&self.table, &handle)?;
        let family = convert::family(family);
        match self.session.query(Query::Rules { namespace, family })? {
            Answer::Rules(found) => Ok(found.into_iter().map(convert::rule_out).collect()),
            _ => Err(mismatch("list of rules")),
        }
    }

    fn add_rule(
        &mut self,
        batch: Batch,
        namespace: Option<String>,
        rule: rules::Rule,
    ) -> wasmtime::Result<()> {
        self.add(&batch, || {
            let namespace = convert::named_namespace(namespace)?;
            Ok(Change::AddRule { namespace, rule: convert::rule(rule)? })
        })
    }
}
