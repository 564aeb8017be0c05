//! Answers to queries, with names put to indexes and namespaces.

use std::sync::Arc;

use super::explain::explain;
use super::raw_link::{RawLink, get_link};
use super::space::Space;
use super::{Netlink, address};
use crate::change::{Answer, Attribute, LinkInfo, LinkName, LinkRef, Query};
use crate::kernel::Error;
use crate::kernel::kind::{self, options};

impl Netlink {
    pub(super) fn answer(&self, query: &Query) -> Result<Answer, Error> {
        match query {
            Query::Namespaces => {
                let names = self.spaces.all().filter_map(|space| space.name.clone());
                Ok(Answer::Names(names.map(String::from).collect()))
            }
            Query::Namespace { namespace } => {
                Ok(Answer::Namespace(self.spaces.find(namespace)?.reference()))
            }
            Query::Links { namespace } => {
                let space = self.spaces.find(namespace)?;
                let links = dump(&space)?;
                Ok(Answer::Links(links.iter().map(|one| self.info(&space, one, &links)).collect()))
            }
            Query::Link { link } => {
                let (space, raw) = self.resolve(link)?;
                Ok(Answer::Links(vec![self.info(&space, &raw, &[])]))
            }
            Query::Statistics { link } => self.statistics(link),
            Query::Addresses { namespace, family } => {
                let space = self.spaces.find(namespace)?;
                let all = address::list(&space, &dump(&space)?, *family)
                    .map_err(|failure| explain(failure, &"address show"))?;
                Ok(Answer::Addresses(all.into_iter().map(|(_, info)| info).collect()))
            }
            Query::Routes { namespace, family } => {
                let space = self.spaces.find(namespace)?;
                Ok(Answer::Routes(self.routes(&space, *family)?))
            }
            Query::Lookup { namespace, destination, source } => {
                self.lookup(namespace, *destination, *source)
            }
            Query::Rules { namespace, family } => {
                let space = self.spaces.find(namespace)?;
                Ok(Answer::Rules(self.rules(&space, *family)?))
            }
            Query::Neighbours { namespace, family } => {
                let space = self.spaces.find(namespace)?;
                Ok(Answer::Neighbours(self.neighbours(&space, *family)?))
            }
            Query::Entries { link } => Ok(Answer::Entries(self.entries(link)?)),
            Query::LastingEntries { namespace } => {
                Ok(Answer::LastingEntries(self.lasting_entries(namespace)?))
            }
            Query::Sysctl { namespace, key } => Ok(Answer::Text(self.sysctl(namespace, key)?)),
            Query::Qdisc { link } => Ok(Answer::Qdisc(self.qdisc(link)?)),
            Query::Qdiscs { namespace } => Ok(Answer::Qdiscs(self.qdiscs(namespace)?)),
            Query::AllVlans { namespace } => Ok(Answer::AllVlans(self.all_vlans(namespace)?)),
            Query::Vlans { link } => Ok(Answer::Vlans(self.vlans(link)?)),
            Query::Offered(feature) => self.offered(feature).map(|()| Answer::Offered),
        }
    }

    fn statistics(&self, link: &LinkRef) -> Result<Answer, Error> {
        let (space, index) = self.index_of(link)?;
        let body = space
            .get(&get_link(Some(index), None, true))
            .map_err(|failure| super::find::on_link(failure, &space, link, &"link show"))?;
        let counted = RawLink::parse(&body).and_then(|raw| raw.statistics());
        Ok(Answer::Statistics(counted.unwrap_or_default()))
    }

    /// One link in full. `links` holds its neighbours by a dump, or nothing: then they are asked
    /// for one by one.
    fn info(&self, space: &Arc<Space>, raw: &RawLink, links: &[RawLink]) -> LinkInfo {
        let mut name_of = |index: u32| match links.iter().find(|link| link.index == index) {
            Some(link) => Some(link.name.clone()),
            None => space.link_at(index).ok().flatten().map(|link| link.name),
        };
        let kind = raw.kind();
        let mut data = kind::read(&kind, raw.data(), &mut name_of);
        if let Some(master) = raw.slave_kind() {
            data.extend(port_data(&master, raw, &mut name_of));
        }
        let below = self.below(space, raw, &mut name_of);
        let veth = kind == "veth";
        LinkInfo {
            index: raw.index,
            name: raw.name.clone(),
            up: raw.has(super::raw_link::IFF_UP),
            carrier: raw.carrier(),
            operational_state: raw.operational_state(),
            flags: raw.flag_words(),
            mtu: raw.mtu(),
            mac: raw.mac(),
            promiscuity: raw.promiscuity(),
            transmit_queue_length: raw.transmit_queue_length(),
            group: raw.group(),
            parent: below.clone().filter(|_| !veth),
            master: raw.master().and_then(&mut name_of),
            peer: below.filter(|_| veth),
            alias: raw.alias(),
            data,
            extra: extra(raw),
            kind,
        }
    }

    /// The link that one stands on, or a veth's other end.
    fn below(
        &self,
        space: &Arc<Space>,
        raw: &RawLink,
        name_of: &mut dyn FnMut(u32) -> Option<String>,
    ) -> Option<LinkName> {
        let index = raw.link()?;
        let Some(id) = raw.link_nsid() else {
            return Some(LinkName { namespace: None, name: name_of(index)? });
        };
        let other = self.spaces.by_id(space, id)?;
        let name = other.link_at(index).ok().flatten()?.name;
        let beside = other.cookie == space.cookie;
        Some(LinkName { namespace: (!beside).then(|| other.name.clone()), name })
    }
}

fn dump(space: &Space) -> Result<Vec<RawLink>, Error> {
    space.links().map_err(|failure| explain(failure, &"link show"))
}

/// A port's own options, each name with its master's kind before it: `bridge_slave hairpin`.
pub(super) fn port_data(
    master: &str,
    raw: &RawLink,
    name_of: &mut dyn FnMut(u32) -> Option<String>,
) -> Vec<Attribute> {
    let kind = format!("{master}_slave");
    let mut all = options::read(&kind, raw.slave_data(), name_of);
    for option in &mut all {
        option.name = format!("{kind} {}", option.name);
    }
    all
}

pub(super) fn extra(raw: &RawLink) -> Vec<Attribute> {
    let mut all = options::read_link(raw.attributes());
    all.extend(options::read_inet6("addrgenmode", raw.inet6()));
    if let Some(master) = raw.slave_kind() {
        all.push(Attribute { name: "slave_kind".to_owned(), value: master });
    }
    all
}
