//! What a network holds at one moment: read back from the kernel, compared with another one.

mod compare;
mod facts;
mod repair;
mod touched;

pub use compare::{Difference, Within, compare};
pub(crate) use facts::is_own;
pub use facts::{Asked, Facts, Object};
pub use repair::repair;
pub use touched::Touched;

use serde::{Deserialize, Serialize};

use crate::change::{
    AddressInfo, Answer, Family, LinkInfo, LinkRef, Name, NamespaceRef, Neighbour, Query, Route,
    Rule,
};
use crate::kernel::{Error, Kernel};
use crate::policy::Policy;

/// Every namespace of a lab, the root first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub namespaces: Vec<NamespaceState>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NamespaceState {
    /// none is the root namespace
    pub name: Option<Name>,
    pub links: Vec<LinkInfo>,
    pub addresses: Vec<AddressInfo>,
    pub routes: Vec<Route>,
    pub rules: Vec<Rule>,
    /// with the name of the link
    pub neighbours: Vec<(String, Neighbour)>,
}

/// No tower of links is higher; a circle would be.
const HIGHEST: usize = 64;

impl State {
    fn link(&self, link: &LinkRef) -> Option<&LinkInfo> {
        let mut namespaces = self.namespaces.iter();
        let namespace = namespaces.find(|each| each.name == link.namespace.name)?;
        namespace.links.iter().find(|each| each.name == link.name)
    }

    /// How many links a link stands on, one above the other.
    fn height(&self, link: &LinkRef) -> usize {
        let below = |link: &LinkRef| {
            let parent = self.link(link)?.parent.as_ref()?;
            Some(parent.reference(&link.namespace))
        };
        std::iter::successors(below(link), below).take(HIGHEST).count()
    }

    /// Asks for everything. A lab's owner may read all of it.
    pub fn read(kernel: &dyn Kernel) -> Result<Self, Error> {
        let mut names = vec![None];
        if let Answer::Names(found) = ask(kernel, Query::Namespaces)? {
            names.extend(found.iter().filter_map(|name| Name::of_namespace(name).ok()).map(Some));
        }
        let namespaces = names.into_iter().map(|name| NamespaceState::read(kernel, name));
        Ok(Self { namespaces: namespaces.collect::<Result<_, _>>()? })
    }
}

impl NamespaceState {
    fn read(kernel: &dyn Kernel, name: Option<Name>) -> Result<Self, Error> {
        let namespace = NamespaceRef::named(name.clone());
        let links = match ask(kernel, Query::Links { namespace: namespace.clone() })? {
            Answer::Links(links) => links,
            _ => Vec::new(),
        };
        let query = Query::Addresses { namespace: namespace.clone(), family: None };
        let addresses = match ask(kernel, query)? {
            Answer::Addresses(addresses) => addresses,
            _ => Vec::new(),
        };
        let query = Query::Neighbours { namespace: namespace.clone(), family: None };
        let neighbours = match ask(kernel, query)? {
            Answer::Neighbours(neighbours) => neighbours,
            _ => Vec::new(),
        };
        let (mut routes, mut rules) = (Vec::new(), Vec::new());
        for family in [Family::Ipv4, Family::Ipv6] {
            let namespace = namespace.clone();
            if let Answer::Routes(found) =
                ask(kernel, Query::Routes { namespace: namespace.clone(), family })?
            {
                routes.extend(found);
            }
            if let Answer::Rules(found) = ask(kernel, Query::Rules { namespace, family })? {
                rules.extend(found);
            }
        }
        Ok(Self { name, links, addresses, routes, rules, neighbours })
    }
}

fn ask(kernel: &dyn Kernel, query: Query) -> Result<Answer, Error> {
    kernel.query(&Policy::Lab.permit_query(query)?)
}
