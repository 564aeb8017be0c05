//! Namespaces, links and batches.
#![allow(missing_docs, reason = "the contract documents its functions")]

/// As the interface `namespaces`.
pub mod namespaces {
    use super::batch::Batch;
    use crate::testing::change::Change;
    use crate::testing::network::{NamespaceId, ROOT};
    use crate::testing::state::{State, with};
    use crate::wit::types::Error;

    /// A handle on a namespace.
    #[derive(Debug)]
    pub struct Namespace {
        id: NamespaceId,
        name: String,
    }

    impl Namespace {
        pub fn create(name: &str) -> Result<Self, Error> {
            let change = Change::CreateNamespace { name: name.to_owned() };
            with(|state| state.perform(change))?;
            Self::open(name)
        }

        pub fn open(name: &str) -> Result<Self, Error> {
            let found = with(|state| state.network.namespace(name));
            let id = found.map_err(|refusal| refusal.of(&format!("netns exec {name}")))?;
            Ok(Self { id, name: name.to_owned() })
        }

        pub fn root() -> Result<Self, Error> {
            Ok(Self { id: ROOT, name: String::new() })
        }

        pub fn name(&self) -> String {
            self.name.clone()
        }

        pub fn delete(&self) -> Result<(), Error> {
            with(|state| {
                self.alive(state)?;
                state.perform(Change::DeleteNamespace { name: self.name.clone() })
            })
        }

        pub fn set_id(&self, peer: &str, id: i32) -> Result<(), Error> {
            with(|state| {
                let namespace = self.alive(state)?;
                state.perform(Change::SetNamespaceId { namespace, peer: peer.to_owned(), id })
            })
        }

        pub(in crate::testing) fn id(&self) -> NamespaceId {
            self.id
        }

        /// The name, if it is still this namespace's.
        pub(in crate::testing) fn alive(&self, state: &State) -> Result<String, Error> {
            match state.network.stack(self.id) {
                Ok(stack) => Ok(stack.name.clone()),
                Err(_) => Err(Error::Gone(format!("namespace `{}`", self.name))),
            }
        }
    }

    pub fn list_names() -> Result<Vec<String>, Error> {
        let names = |state: &mut State| {
            let all = state.network.stacks.values().map(|stack| stack.name.clone());
            all.filter(|name| !name.is_empty()).collect::<Vec<_>>()
        };
        let mut names = with(names);
        names.sort();
        Ok(names)
    }

    pub fn add_namespace(batch: &Batch, name: &str) {
        batch.add(Change::CreateNamespace { name: name.to_owned() });
    }
}

/// As the interface `links`.
pub mod links {
    pub use crate::wit::netwright::host::links::{
        Info, Ipvlan, IpvlanFlag, IpvlanMode, Kind, LinkName, Macvlan, MacvlanChange, MacvlanMode,
        Other, Setting, Spec, Statistics, Tuntap, Veth, Vlan, VlanProtocol,
    };

    use super::batch::Batch;
    use super::namespaces::Namespace;
    use crate::testing::change::{Change, Site};
    use crate::testing::network::LinkId;
    use crate::testing::state::{State, with};
    use crate::wit::types::Error;

    /// A handle on a link.
    #[derive(Debug)]
    pub struct Link {
        id: LinkId,
        name: String,
    }

    impl Link {
        pub fn create(namespace: &Namespace, spec: &Spec) -> Result<Self, Error> {
            with(|state| {
                let namespace = namespace.alive(state)?;
                state.perform(Change::CreateLink { namespace, spec: spec.clone() })
            })?;
            Self::open(namespace, &spec.name)
        }

        pub fn open(namespace: &Namespace, name: &str) -> Result<Self, Error> {
            with(|state| {
                let inside = namespace.alive(state)?;
                let site = Site { namespace: inside, name: name.to_owned() };
                let found = state.network.link_at(&site);
                let id = found.map_err(|refusal| refusal.of(&format!("link show {name}")))?;
                Ok(Self { id, name: name.to_owned() })
            })
        }

        pub fn index(&self) -> u32 {
            with(|state| state.network.link(self.id).map_or(0, |link| link.index))
        }

        pub fn info(&self) -> Result<Info, Error> {
            with(|state| {
                self.alive(state)?;
                state.network.info(self.id).map_err(|_| self.gone())
            })
        }

        pub fn statistics(&self) -> Result<Statistics, Error> {
            with(|state| {
                self.alive(state)?;
                Ok(state.statistics(self.id))
            })
        }

        pub fn change(&self, settings: &[Setting]) -> Result<(), Error> {
            with(|state| {
                let link = self.alive(state)?;
                state.perform(Change::ChangeLink { link, settings: settings.to_vec() })
            })
        }

        pub fn move_to(&self, namespace: &Namespace) -> Result<(), Error> {
            with(|state| {
                let link = self.alive(state)?;
                let to = namespace.alive(state)?;
                state.perform(Change::MoveLink { link, to })
            })
        }

        pub fn delete(&self) -> Result<(), Error> {
            with(|state| {
                let link = self.alive(state)?;
                state.perform(Change::DeleteLink { link })
            })
        }

        pub(in crate::testing) fn id(&self) -> LinkId {
            self.id
        }

        /// Where it is and what it is called now.
        pub(in crate::testing) fn alive(&self, state: &State) -> Result<Site, Error> {
            state.network.site(self.id).map_err(|_| self.gone())
        }

        fn gone(&self) -> Error {
            Error::Gone(format!("link `{}`", self.name))
        }
    }

    pub fn list_all(namespace: &Namespace) -> Result<Vec<Info>, Error> {
        with(|state| {
            namespace.alive(state)?;
            let links = state.network.links_in(namespace.id());
            Ok(links.into_iter().filter_map(|id| state.network.info(id).ok()).collect())
        })
    }

    /// This host knows every kind.
    pub fn offered(_kind: &str) -> Result<(), Error> {
        Ok(())
    }

    pub fn add_link(batch: &Batch, namespace: Option<&str>, spec: &Spec) {
        let namespace = namespace.unwrap_or_default().to_owned();
        batch.add(Change::CreateLink { namespace, spec: spec.clone() });
    }

    pub fn add_settings(batch: &Batch, link: &LinkName, settings: &[Setting]) {
        batch.add(Change::ChangeLink { link: link.into(), settings: settings.to_vec() });
    }
}

/// As the interface `batch`.
pub mod batch {
    use std::cell::RefCell;

    pub use crate::wit::netwright::host::batch::BatchError;

    use crate::testing::change::Change;
    use crate::testing::state::with;
    use crate::wit::types::Error;

    /// Changes that are to be made together.
    #[derive(Debug, Default)]
    pub struct Batch {
        changes: RefCell<Vec<Change>>,
    }

    impl Batch {
        pub fn new() -> Self {
            Self::default()
        }

        pub fn apply(batch: Self) -> Result<(), BatchError> {
            let changes = batch.changes.into_inner();
            with(|state| state.perform_all(&changes)).map_err(undone)
        }

        pub fn ensure(batch: Self) -> Result<u32, BatchError> {
            let changes = batch.changes.into_inner();
            let made = with(|state| state.ensure_all(&changes)).map_err(undone)?;
            Ok(u32::try_from(made).unwrap_or(u32::MAX))
        }

        pub(in crate::testing) fn add(&self, change: Change) {
            self.changes.borrow_mut().push(change);
        }
    }

    fn undone((place, error): (usize, Error)) -> BatchError {
        BatchError { index: u32::try_from(place).unwrap_or(u32::MAX), error, undone: true }
    }
}
