//! Which table the jitter of a netem follows: the kernel tells nobody, so that what a deployment put
//! is known by its changes alone.

use std::collections::HashMap;

use super::Netlink;
use super::qdisc_message::read_root;
use super::queueing;
use crate::change::{Change, Discipline, Distribution, LinkRef, Netem, Qdisc, Write};

impl Netlink {
    /// Takes the tables that changes put, oldest first, for those of the disciplines that are there
    /// now.
    pub(super) fn remember_tables<'a>(&mut self, changes: impl Iterator<Item = &'a Change>) {
        let mut put: HashMap<(Option<String>, String), (LinkRef, Distribution)> = HashMap::new();
        for change in changes {
            let (link, table) = if let Change::PutQdisc { link, qdisc, how } = change {
                match table_of(qdisc) {
                    // What it doesn't say stays as it was.
                    None if *how == Write::Change => continue,
                    table => (link, table),
                }
            } else if let Change::RemoveQdisc { link } = change {
                (link, None)
            } else {
                continue;
            };
            let key = (link.namespace.name.as_ref().map(ToString::to_string), link.name.clone());
            match table {
                Some(table) => put.insert(key, (link.clone(), table)),
                None => put.remove(&key),
            };
        }
        for (link, table) in put.into_values() {
            self.remember_put_table(&link, table);
        }
    }

    fn remember_put_table(&mut self, link: &LinkRef, table: Distribution) {
        let Ok((space, index)) = self.index_of(link) else { return };
        let parts = queueing::all(&space).unwrap_or_default();
        let root = parts.iter().find_map(|part| read_root(part, index));
        if let Some(Qdisc { handle: Some(handle), .. }) = root {
            self.tables.insert((space.cookie, index), (handle, table));
        }
    }
}

fn table_of(qdisc: &Qdisc) -> Option<Distribution> {
    match &qdisc.discipline {
        Discipline::Netem(Netem { distribution, .. }) => *distribution,
        Discipline::Tbf(_) | Discipline::Other { .. } => None,
    }
}
