//! Settings below /proc/sys/net: of thousands those that the scenario's or its deployment's changes
//! set. One that the scenario has no longer is wanted as it is without it.

use std::collections::BTreeMap;
use std::fmt;

use netwright_network::setting::{Reach, SettingKey};
use serde::{Deserialize, Serialize};

use super::{
    Facts, Found, Noun, Object, Reader, ask, holder_of, holders_of, inside, place, reference,
};
use crate::change::{Answer, Change, NamespaceRef, Query, Word};
use crate::kernel::{Error, Kernel};
use crate::state::repair::{Mend, Mending, Stage};
use crate::state::{Asked, Mentions, NamespaceState, State};

const VALUE: &str = "value";

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Sysctl {
    pub namespace: String,
    pub key: String,
}

/// Keys by namespace, as sysctl(8) has them: each by the name by which the kernel tells its value
/// most exactly, so that one value is one setting whatever it was called.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings(BTreeMap<String, BTreeMap<String, String>>);

impl Settings {
    fn put(&mut self, namespace: String, key: &SettingKey) {
        let of_namespace = self.0.entry(namespace).or_default();
        of_namespace.entry(key.finest().to_string()).or_insert_with(|| dotted(key));
    }

    /// Those of a link that is renamed have its new name as well.
    pub(super) fn follow(&mut self, namespace: &str, old: &str, new: &str) {
        let keys = self.0.get(namespace).into_iter().flat_map(BTreeMap::values);
        let keys = keys.filter_map(|key| SettingKey::of(key).ok());
        let of_link = keys.filter(|key| key.reach() == Reach::Link(old));
        let renamed: Vec<SettingKey> = of_link.map(|key| key.of_link(new)).collect();
        renamed.iter().for_each(|key| self.put(namespace.to_owned(), key));
    }

    /// These, and others under their own names where they are not among these.
    #[must_use]
    pub fn and(&self, others: &Self) -> Self {
        let mut all = self.clone();
        for (namespace, keys) in &others.0 {
            let of_namespace = all.0.entry(namespace.clone()).or_default();
            for (finest, key) in keys {
                of_namespace.entry(finest.clone()).or_insert_with(|| key.clone());
            }
        }
        all
    }

    fn of(&self, namespace: &str) -> impl Iterator<Item = &String> {
        self.0.get(namespace).into_iter().flat_map(BTreeMap::values)
    }

    /// What those of a namespace are now. What is not there, or the kernel tells nobody, is none.
    pub fn read(
        &self,
        kernel: &dyn Kernel,
        namespace: &NamespaceRef,
    ) -> Result<Vec<(String, String)>, Error> {
        let mut found = Vec::new();
        for key in self.of(&place(namespace.name.as_ref())) {
            let query = Query::Sysctl { namespace: namespace.clone(), key: key.clone() };
            match ask(kernel, query) {
                Ok(Answer::Text(value)) => found.push((key.clone(), value)),
                Ok(_) | Err(Error::Kernel(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A dot in a name is a slash then.
fn dotted(key: &SettingKey) -> String {
    key.parts().map(|part| part.replace('.', "/")).collect::<Vec<_>>().join(".")
}

/// A key that is none the kernel layer refuses.
pub(in crate::state) fn set(mentions: &mut Mentions, namespace: &NamespaceRef, key: &str) {
    if let Ok(key) = SettingKey::of(key) {
        mentions.settings.put(place(namespace.name.as_ref()), &key);
    }
}

impl Sysctl {
    fn link(&self) -> Option<String> {
        let key = SettingKey::of(&self.key).ok()?;
        match key.reach() {
            Reach::Link(link) => Some(link.to_owned()),
            Reach::Stack | Reach::EveryLink => None,
        }
    }
}

impl fmt::Display for Sysctl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sysctl {}", Word(&self.key))?;
        inside(f, &self.namespace)
    }
}

impl Noun for Sysctl {
    fn read(from: &Reader<'_>, into: &mut NamespaceState) -> Result<(), Error> {
        into.settings = from.settings.read(from.kernel, &from.namespace)?;
        Ok(())
    }

    fn find(of: &NamespaceState, _: &Asked, _: &State, found: &mut Found) {
        for (key, value) in &of.settings {
            let words = value.split_whitespace().collect::<Vec<_>>().join(" ");
            let namespace = place(of.name.as_ref());
            let facts = Facts::from([(VALUE.to_owned(), words)]);
            found.insert(Object::Sysctl(Self { namespace, key: key.clone() }), facts);
        }
    }

    fn holders(&self) -> Vec<Object> {
        match self.link() {
            Some(link) => holders_of(&self.namespace, &link),
            None => vec![holder_of(&self.namespace)],
        }
    }

    fn untold(&self) -> Option<Facts> {
        None
    }

    /// None is taken away.
    fn mend(&self, mending: &Mending<'_>) -> Option<Mend> {
        let value = mending.difference.wanted.as_ref()?.get(VALUE)?.clone();
        // What is of every link is written to each of them.
        let of_link = self.link().is_some();
        let stage = if of_link { Stage::LinkSettings } else { Stage::Settings };
        let (namespace, key) = (reference(&self.namespace), self.key.clone());
        Some((stage, vec![Change::SetSysctl { namespace, key, value }]))
    }

    fn is_touched(&self, _: &Asked, _: &State) -> bool {
        true
    }

    /// No other is read.
    fn is_theirs(&self) -> bool {
        true
    }
}
