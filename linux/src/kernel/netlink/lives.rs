//! The links of a deployment, each with the changes that made it what it is: by them it is made again,
//! where it was deleted while the deployment was altered, and that is taken back.

use std::sync::Arc;

use super::Netlink;
use super::space::Space;
use crate::change::{Change, Kind, MacAddress, NamespaceRef, Setting, Undo};
use crate::records::History;

/// A link where it is now; the two ends of a veth live and die together.
#[derive(Debug)]
pub(super) struct Life {
    ends: Vec<End>,
    changes: Vec<Change>,
}

/// A namespace's cookie and a link's name there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct End {
    place: u64,
    name: String,
}

impl Life {
    fn has(&self, place: u64, name: &str) -> bool {
        self.ends.iter().any(|end| end.place == place && end.name == name)
    }
}

/// The cookie of a namespace of the deployment.
type Places<'a> = &'a dyn Fn(&NamespaceRef) -> Option<u64>;

/// Of all links that a deployment on the host has made and not deleted.
pub(super) fn of(history: &History) -> Vec<Life> {
    let changes = history.entries.iter().map(|entry| &entry.change);
    after(changes, &|namespace| history.place(namespace))
}

/// Of all links that these changes have made and not deleted.
fn after<'a>(changes: impl Iterator<Item = &'a Change>, places: Places<'_>) -> Vec<Life> {
    let mut lives: Vec<Life> = Vec::new();
    changes.for_each(|change| take(&mut lives, places, change));
    lives
}

fn take(lives: &mut Vec<Life>, places: Places<'_>, change: &Change) {
    match change {
        Change::CreateLink { namespace, spec } => {
            let mut ends = vec![End::of(places, namespace, spec.name.as_str())];
            if let Kind::Veth(veth) = &spec.kind {
                let peer = veth.peer.reference(namespace);
                ends.push(End::of(places, &peer.namespace, &peer.name));
            }
            lives.push(Life {
                ends: ends.into_iter().flatten().collect(),
                changes: vec![change.by_name()],
            });
        }
        Change::PutRoute { namespace, route, .. } | Change::RemoveRoute { namespace, route } => {
            let hops = route.next_hops.iter().filter_map(|hop| hop.link.as_deref());
            for end in hops.filter_map(|name| End::of(places, namespace, name)) {
                let life = lives.iter_mut().find(|life| life.has(end.place, &end.name));
                life.into_iter().for_each(|life| life.changes.push(change.by_name()));
            }
        }
        _ => {
            let Some(link) = change.link() else { return };
            let Some(End { place, name }) = End::of(places, &link.namespace, &link.name) else {
                return;
            };
            let Some(at) = lives.iter().position(|life| life.has(place, &name)) else { return };
            if matches!(change, Change::DeleteLink { .. }) {
                lives.remove(at);
                return;
            }
            let life = &mut lives[at];
            life.changes.push(change.by_name());
            let moved = life.ends.iter_mut().find(|end| end.place == place && end.name == name);
            moved.into_iter().for_each(|end| end.follow(places, change));
        }
    }
}

impl End {
    /// None where the namespace is not one of the deployment's.
    fn of(places: Places<'_>, namespace: &NamespaceRef, name: &str) -> Option<Self> {
        Some(Self { place: places(namespace)?, name: name.to_owned() })
    }

    /// Where the link is after a change of it.
    fn follow(&mut self, places: Places<'_>, change: &Change) {
        match change {
            Change::MoveLink { to, .. } => {
                self.place = places(to).unwrap_or_default();
            }
            Change::ChangeLink { settings, .. } => {
                let renamed = settings.iter().filter_map(Setting::name).next_back();
                self.name = renamed.map_or_else(|| self.name.clone(), str::to_owned);
            }
            _ => {}
        }
    }
}

impl Netlink {
    /// Knows how to make the links of a kept lab again, and what the kernel tells nobody of it, from
    /// the changes that it was made by.
    pub fn remember(&mut self, changes: &[Change]) {
        let place = |namespace: &NamespaceRef| Some(self.spaces.find(namespace).ok()?.cookie);
        self.lives = after(changes.iter(), &place);
        self.remember_tables(changes.iter());
    }

    /// What makes a link of the deployment again that is about to be deleted. Nothing where no
    /// deployment is altered: what a run made goes with the run.
    pub(super) fn remaking(&self, space: &Arc<Space>, name: &str) -> Undo {
        let Some(life) = self.lives.iter().find(|life| life.has(space.cookie, name)) else {
            return Undo::default();
        };
        let mut steps = life.changes.clone();
        if let Some(Change::CreateLink { spec, .. }) = steps.first_mut() {
            let mut addresses = life.ends.iter().map(|end| self.mac_of(end));
            keep(&mut spec.settings, addresses.next().flatten());
            if let Kind::Veth(veth) = &mut spec.kind {
                keep(&mut veth.peer_settings, addresses.next().flatten());
            }
        }
        Undo { steps }
    }

    fn mac_of(&self, end: &End) -> Option<MacAddress> {
        let space = self.spaces.all().find(|space| space.cookie == end.place)?;
        space.link(&end.name).ok()??.mac()
    }

    /// Whether a link is there that steps make again, after them or before, where whoever was about
    /// to delete it was killed; none of steps that make none. What the steps put on it is as it was
    /// asked for, and more when it is read back: it came about where no step failed.
    pub(super) fn remade(&self, undo: &Undo) -> Option<Result<(), String>> {
        let (namespace, name) = whereabouts(&undo.steps)?;
        let there = self.spaces.find(namespace).ok().and_then(|space| {
            let link = space.link(name).ok().flatten()?;
            Some(self.is_own(&space, &link))
        });
        Some(if there == Some(true) { Ok(()) } else { Err(format!("link `{name}` is not back")) })
    }
}

/// The address that the kernel made up is the link's all the same.
fn keep(settings: &mut Vec<Setting>, address: Option<MacAddress>) {
    if !settings.iter().any(|setting| matches!(setting, Setting::Mac(_))) {
        settings.extend(address.map(Setting::Mac));
    }
}

/// Where a link is that these changes make, once all of them are made; none of other changes.
fn whereabouts(steps: &[Change]) -> Option<(&NamespaceRef, &str)> {
    let (Change::CreateLink { namespace, spec }, then) = steps.split_first()? else {
        return None;
    };
    let (mut place, mut name) = (namespace, spec.name.as_str());
    for step in then {
        if step.link().is_none_or(|link| link.name != name || link.namespace.name != place.name) {
            continue;
        }
        match step {
            Change::MoveLink { to, .. } => place = to,
            Change::ChangeLink { settings, .. } => {
                name = settings.iter().filter_map(Setting::name).next_back().unwrap_or(name);
            }
            _ => {}
        }
    }
    Some((place, name))
}

#[cfg(test)]
mod tests {
    use super::{Life, of, whereabouts};
    use crate::change::{Change, LinkRef, NamespaceRef, Setting, Undo};
    use crate::records::{Head, History, Record, SCHEMA};

    const ROOT: u64 = 1;
    const MADE: u64 = 2;

    /// A run that has namespace `n1`, and made these changes.
    fn history(changes: Vec<Change>) -> History {
        let head = Head {
            schema: SCHEMA,
            group: 0x6e00_0001,
            boot: "b".to_owned(),
            pid: 1,
            root: ROOT,
            name: "lan".to_owned(),
            what: "lan.yaml".to_owned(),
            created: 0,
            version: String::new(),
        };
        let name = "n1".parse().expect("a name");
        let made = Record::Namespace { name, cookie: MADE, folder: None, id: None };
        let changes = changes.into_iter().enumerate().map(|(number, change)| Record::Intent {
            number: number as u64,
            change,
            foreseen: Undo::default(),
        });
        let records = [Record::Head(head), made].into_iter().chain(changes);
        History::of(records.collect()).expect("it has a head")
    }

    /// As a batch names it, without its cookie.
    fn place(name: &str) -> NamespaceRef {
        NamespaceRef::named(name.parse().ok())
    }

    fn link(namespace: &str, name: &str) -> LinkRef {
        LinkRef { namespace: place(namespace), name: name.to_owned(), index: None }
    }

    fn created(namespace: &str, spec: &str) -> Change {
        let spec = serde_json::from_str(spec).expect("a spec");
        Change::CreateLink { namespace: place(namespace), spec }
    }

    fn dummy(name: &str) -> Change {
        created("", &format!(r#"{{ "name": "{name}", "kind": "dummy", "settings": [] }}"#))
    }

    fn set(namespace: &str, name: &str, setting: Setting) -> Change {
        Change::ChangeLink { link: link(namespace, name), settings: vec![setting] }
    }

    fn life<'a>(lives: &'a [Life], place: u64, name: &str) -> Option<&'a Life> {
        lives.iter().find(|life| life.has(place, name))
    }

    #[test]
    fn a_link_is_followed_where_it_goes() {
        let renamed = || Setting::Name("new".parse().expect("a name"));
        let moved = Change::MoveLink { link: link("", "old"), to: place("n1") };
        let changes = vec![
            dummy("old"),
            dummy("other"),
            set("", "other", Setting::Mtu(1300)),
            moved,
            set("n1", "old", renamed()),
            set("n1", "new", Setting::Mtu(1400)),
        ];
        let lives = of(&history(changes.clone()));
        let found = life(&lives, MADE, "new").expect("it lives there");
        let own = [0, 3, 4, 5].map(|at| changes[at].clone());
        assert_eq!(found.changes, own);
        assert_eq!(
            whereabouts(&own).map(|(at, name)| (at.clone(), name)),
            Some((place("n1"), "new"))
        );
        assert!(life(&lives, ROOT, "old").is_none() && life(&lives, MADE, "old").is_none());
        assert_eq!(life(&lives, ROOT, "other").expect("it lives").changes.len(), 2);
    }

    #[test]
    fn what_was_deleted_lives_no_longer_and_its_name_may_be_another_ones() {
        let deleted = Change::DeleteLink { link: link("", "d") };
        let changes = vec![dummy("d"), set("", "d", Setting::Mtu(1300)), deleted, dummy("d")];
        let lives = of(&history(changes.clone()));
        assert_eq!(lives.len(), 1);
        assert_eq!(lives[0].changes, changes[3..]);
    }

    #[test]
    fn the_ends_of_a_veth_live_together() {
        let veth = created(
            "",
            r#"{ "name": "a", "settings": [], "kind":
                { "veth": { "peer": { "namespace": "n1", "name": "b" }, "peer_settings": [] } } }"#,
        );
        let changes =
            vec![veth, set("n1", "b", Setting::Mtu(1400)), set("", "a", Setting::Up(true))];
        let lives = of(&history(changes.clone()));
        assert_eq!(lives.len(), 1);
        assert_eq!(lives[0].changes, changes);
        assert!(lives[0].has(ROOT, "a") && lives[0].has(MADE, "b") && !lives[0].has(ROOT, "b"));
    }
}
