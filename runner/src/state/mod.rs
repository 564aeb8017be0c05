//! What a network holds at one moment: read back from the kernel, compared with another one.

mod compare;
mod mentions;
mod noun;
mod order;
mod repair;

pub use compare::{Difference, Within, compare};
pub use mentions::{Asked, Mentions};
pub(crate) use noun::fdb::put_by_hand;
pub(crate) use noun::route::is_own;
pub use noun::sysctl::Settings;
pub use noun::{Facts, Found, Kind, Object};
pub use repair::repair;

use serde::{Deserialize, Serialize};

use crate::change::{
    AddressInfo, Answer, Entry, LinkInfo, LinkRef, Name, NamespaceRef, Neighbour, PortVlan, Qdisc,
    Query, Route, Rule,
};
use crate::kernel::{Error, Kernel};

/// Every namespace of a lab, the root first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    pub namespaces: Vec<NamespaceState>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct NamespaceState {
    /// none is the root namespace
    pub name: Option<Name>,
    pub links: Vec<LinkInfo>,
    pub addresses: Vec<AddressInfo>,
    pub routes: Vec<Route>,
    pub rules: Vec<Rule>,
    /// with the name of the link, as all that follow
    pub neighbours: Vec<(String, Neighbour)>,
    /// those that stay
    pub entries: Vec<(String, Entry)>,
    pub qdiscs: Vec<(String, Qdisc)>,
    pub vlans: Vec<(String, Vec<PortVlan>)>,
    /// those that were asked for, by their keys
    pub settings: Vec<(String, String)>,
}

/// No tower of links is higher; a circle would be.
const HIGHEST: usize = 64;

impl State {
    fn namespace(&self, name: &str) -> Option<&NamespaceState> {
        self.namespaces.iter().find(|each| noun::place(each.name.as_ref()) == name)
    }

    /// The namespace that a change is for.
    fn of(&self, namespace: &NamespaceRef) -> Option<&NamespaceState> {
        self.namespaces.iter().find(|each| each.name == namespace.name)
    }

    pub(crate) fn link(&self, link: &LinkRef) -> Option<&LinkInfo> {
        self.of(&link.namespace)?.links.iter().find(|each| each.name == link.name)
    }

    fn links(&self) -> impl Iterator<Item = (LinkRef, &LinkInfo)> {
        self.namespaces.iter().flat_map(|each| {
            let namespace = NamespaceRef::named(each.name.clone());
            each.links.iter().map(move |info| {
                let (namespace, name) = (namespace.clone(), info.name.clone());
                (LinkRef { namespace, name, index: None }, info)
            })
        })
    }

    /// How many links a link stands on, one above the other.
    fn height(&self, link: &LinkRef) -> usize {
        let below = |link: &LinkRef| {
            let parent = self.link(link)?.parent.as_ref()?;
            Some(parent.reference(&link.namespace))
        };
        std::iter::successors(below(link), below).take(HIGHEST).count()
    }

    /// Asks for everything, and for these settings. A lab's owner may read all of it.
    pub fn read(kernel: &dyn Kernel, settings: &Settings) -> Result<Self, Error> {
        let mut names = vec![None];
        if let Answer::Names(found) = noun::ask(kernel, Query::Namespaces)? {
            names.extend(found.iter().filter_map(|name| Name::of_namespace(name).ok()).map(Some));
        }
        let read = |name| NamespaceState::read(kernel, settings, name);
        Ok(Self { namespaces: names.into_iter().map(read).collect::<Result<_, _>>()? })
    }

    /// Asks for other settings than those that are known.
    pub fn read_settings(&mut self, kernel: &dyn Kernel, settings: &Settings) -> Result<(), Error> {
        for namespace in &mut self.namespaces {
            namespace.settings.clear();
            Kind::Sysctl.read(&reader(kernel, settings, namespace.name.clone()), namespace)?;
        }
        Ok(())
    }

    pub fn facts(&self, asked: &Asked) -> Found {
        let mut found = Found::new();
        for namespace in &self.namespaces {
            Kind::ALL.iter().for_each(|kind| kind.find(namespace, asked, self, &mut found));
        }
        found
    }
}

fn reader<'a>(
    kernel: &'a dyn Kernel,
    settings: &'a Settings,
    name: Option<Name>,
) -> noun::Reader<'a> {
    noun::Reader { kernel, namespace: NamespaceRef::named(name), settings }
}

impl NamespaceState {
    fn read(kernel: &dyn Kernel, settings: &Settings, name: Option<Name>) -> Result<Self, Error> {
        let from = reader(kernel, settings, name.clone());
        let mut state = Self { name, ..Self::default() };
        for kind in Kind::ALL {
            kind.read(&from, &mut state)?;
        }
        Ok(state)
    }
}
