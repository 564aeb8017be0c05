//! Speaking of a link: by its handle, or by its name and namespace.

use super::Link;
use crate::place::Place;
use crate::wit::links::LinkName;
use crate::{Error, Result};

/// A link by its name and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkPath {
    /// none is wherever the one is that speaks of it; empty is the root namespace
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
}

impl LinkPath {
    pub(crate) fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: Some(namespace.into()), name: name.into() }
    }

    /// As the contract has it; a namespace that is the speaker's own needs no naming.
    pub(crate) fn seen_from(self, namespace: &str) -> LinkName {
        let elsewhere = self.namespace.filter(|of_link| of_link != namespace);
        LinkName { namespace: elsewhere, name: self.name }
    }

    /// The name alone, for relations that stay inside a namespace, such as a port's to its bridge.
    pub(crate) fn name_in(self, namespace: &str, role: &str) -> Result<String> {
        match &self.namespace {
            Some(elsewhere) if elsewhere != namespace => Err(Error::invalid(format!(
                "{role} `{}` is in {}, not in {}",
                self.name,
                namespace_words(elsewhere),
                namespace_words(namespace)
            ))),
            Some(_) | None => Ok(self.name),
        }
    }
}

/// How messages speak of a namespace.
pub(crate) fn namespace_words(name: &str) -> String {
    if name.is_empty() { "the root namespace".to_owned() } else { format!("namespace `{name}`") }
}

/// Whatever stands for a link: a handle, `"eth0"` in the same namespace, `"ns1/eth0"` or
/// `(&ns1, "eth0")` in another; `"/eth0"` is in the root namespace.
pub trait LinkReference {
    /// The link's name and where it is.
    #[doc(hidden)]
    fn path(&self) -> Result<LinkPath>;
}

impl LinkReference for str {
    fn path(&self) -> Result<LinkPath> {
        if self.is_empty() {
            return Err(Error::invalid("the name of a link must not be empty"));
        }
        Ok(match self.split_once('/') {
            Some((namespace, name)) => LinkPath::new(namespace, name),
            None => LinkPath { namespace: None, name: self.to_owned() },
        })
    }
}

impl LinkReference for String {
    fn path(&self) -> Result<LinkPath> {
        self.as_str().path()
    }
}

impl LinkReference for Link {
    fn path(&self) -> Result<LinkPath> {
        Ok(LinkPath::new(self.namespace().name(), self.name()))
    }
}

impl LinkReference for LinkPath {
    fn path(&self) -> Result<LinkPath> {
        Ok(self.clone())
    }
}

impl<P: Place> LinkReference for (&P, &str) {
    fn path(&self) -> Result<LinkPath> {
        Ok(LinkPath::new(self.0.name(), self.1))
    }
}

impl<T: LinkReference + ?Sized> LinkReference for &T {
    fn path(&self) -> Result<LinkPath> {
        (**self).path()
    }
}
