//! The host's network built again in a lab, with stand-ins for what can't be built twice: where a
//! plan of the host is rehearsed. Of the host itself everything is read and nothing altered.

use std::collections::BTreeSet;

use rustix::mount::{MountFlags, mount};

use crate::attach::attach;
use crate::change::{
    Address, AddressFlags, Attribute, Change, Entry, Kind, LinkInfo, LinkName, LinkRef, Macvlan,
    MacvlanMode, Name, NamespaceRef, NeighbourState, Options, Setting, Spec, Veth, Write,
};
use crate::exit::{Exit, Failure};
use crate::grant::Grants;
use crate::halt::Halt;
use crate::journal::{Folder, History};
use crate::kernel::mark::Mark;
use crate::kernel::{Kernel as _, Netlink};
use crate::lab;
use crate::policy::Policy;
use crate::state::{Asked, Mentions, NamespaceState, Settings, State, put_by_hand};

/// The namespace with the other ends of stand-ins; the rehearsal doesn't have it.
const ELSEWHERE: &str = "netwright.far";
/// Routes by gateways wait for the routes that lead to them.
const PASSES: usize = 3;

/// The host as it is, before a rehearsal.
pub(super) struct Survey {
    pub(super) state: State,
    /// the scenario's deployment
    pub(super) deployment: Option<History>,
    pub(super) mark: Mark,
}

impl Survey {
    /// Reads the machine's own namespace, those that the grants name, and those of the deployment.
    pub(super) fn take(
        grants: &Grants,
        deployment: &str,
        settings: &Settings,
        halt: &Halt,
    ) -> Result<Self, Failure> {
        let (mut kernel, deployment, mark) = look(grants, deployment)?;
        kernel.heed(halt.clone());
        let state = State::read(&kernel, settings)
            .map_err(|error| Failure::of_kernel(UNREADABLE, error))?;
        Ok(Self { state, deployment, mark })
    }
}

/// Where a deployment is, or would be, to look at it.
fn look(grants: &Grants, deployment: &str) -> Result<(Netlink, Option<History>, Mark), Failure> {
    crate::kept::readable(deployment)?;
    let found = Folder::open().ok().and_then(|folder| folder.deployment(deployment));
    let deployment = found.map(|(_, history)| history);
    let mark = match &deployment {
        Some(history) => Mark::of_run(history.head.group),
        None => Mark::new().map_err(|error| unreadable(&error))?,
    };
    let mut kernel = match &deployment {
        Some(history) => Netlink::for_recovery(history),
        None => Netlink::for_host(mark),
    }
    .map_err(|error| unreadable(&error))?;
    if deployment.is_none() {
        attach(grants, &mut kernel)?;
    }
    Ok((kernel, deployment, mark))
}

/// Reads these settings of a host that was read.
pub(super) fn read_settings(
    grants: &Grants,
    deployment: &str,
    settings: &Settings,
    state: &mut State,
) -> Result<(), Failure> {
    let (kernel, _, _) = look(grants, deployment)?;
    state.read_settings(&kernel, settings).map_err(|error| Failure::of_kernel(UNREADABLE, error))
}

const UNREADABLE: &str = "the host's network can't be read";

fn unreadable(error: &dyn std::fmt::Display) -> Failure {
    Failure::new(Exit::Lacking, format!("{UNREADABLE}: {error}"))
}

/// The lab that stands for the host.
pub(super) struct Replica {
    lab: Netlink,
    made: BTreeSet<(Option<Name>, String)>,
    stand_ins: usize,
}

impl Replica {
    /// Enters a lab and builds the host there.
    pub(super) fn build(
        survey: &Survey,
        deployment: &Mentions,
        halt: &Halt,
    ) -> Result<Self, Failure> {
        lab::enter()?;
        let failed = |error: &dyn std::fmt::Display| {
            Failure::new(Exit::Lacking, format!("can't build the host again in a lab: {error}"))
        };
        // Names of namespaces are files there, which must not be the host's.
        mount("netwright", "/run", "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, None)
            .map_err(|errno| failed(&errno))?;
        let mut lab = Netlink::for_lab().map_err(|error| failed(&error))?;
        lab.heed(halt.clone());
        let mut replica = Self { lab, made: BTreeSet::new(), stand_ins: 0 };
        let elsewhere = ELSEWHERE.parse().map_err(|rule: String| failed(&rule))?;
        replica.make(Change::CreateNamespace { name: elsewhere });
        replica.namespaces(&survey.state);
        replica.links(&survey.state);
        let asked = Asked { deployment: deployment.clone(), ..Asked::default() };
        for namespace in &survey.state.namespaces {
            replica.contents(namespace);
            replica.carried(namespace, &put_by_hand(namespace, &asked, &survey.state));
        }
        // What is missing for want of time must not pass for what can't be built.
        halt.may_go_on()?;
        Ok(replica)
    }

    /// The same network as a run on the host has it: with nothing in it that is its own.
    pub(super) fn host(&self, mark: Mark) -> Result<Netlink, Failure> {
        let failed = |error: std::io::Error| Failure::new(Exit::Lacking, error.to_string());
        let mut kernel = Netlink::for_host(mark).map_err(failed)?;
        for (name, namespace) in self.lab.namespaces() {
            if name.as_str() != ELSEWHERE {
                kernel.attach(name, &namespace).map_err(failed)?;
            }
        }
        Ok(kernel)
    }

    /// What does not come about is missing in the rehearsal, too, and shows there.
    fn make(&mut self, change: Change) -> bool {
        let permitted = Policy::Lab.permit(change);
        permitted.is_ok_and(|change| match self.lab.apply(&change) {
            Ok(_) => true,
            Err(error) => {
                tracing::debug!(change = %change.get(), %error, "not built again");
                false
            }
        })
    }

    fn namespaces(&mut self, host: &State) {
        for name in host.namespaces.iter().filter_map(|namespace| namespace.name.clone()) {
            self.make(Change::CreateNamespace { name });
        }
    }

    /// Links on others after those; what waits in vain gets a stand-in.
    fn links(&mut self, host: &State) {
        let all = host.namespaces.iter().flat_map(|namespace| {
            let links = namespace.links.iter().filter(|link| link.kind != "loopback");
            links.map(|link| (namespace.name.clone(), link))
        });
        let mut waiting: Vec<(Option<Name>, &LinkInfo)> = all.collect();
        while !waiting.is_empty() {
            let ready = waiting.iter().position(|(place, link)| self.stands(place, link));
            let (place, link) = waiting.remove(ready.unwrap_or(0));
            if !self.made.contains(&(place.clone(), link.name.clone())) {
                self.link(place, link, host);
            }
        }
    }

    /// Whether what a link stands on is there.
    fn stands(&self, place: &Option<Name>, link: &LinkInfo) -> bool {
        let underlay = link.data.iter().find(|option| link.kind == "vxlan" && option.name == "dev");
        let made = |name: &str| self.made.contains(&(place.clone(), name.to_owned()));
        underlay.is_none_or(|option| made(&option.value))
            && link.parent.as_ref().is_none_or(|parent| self.made.contains(&key(place, parent)))
    }

    fn link(&mut self, place: Option<Name>, link: &LinkInfo, host: &State) {
        let Ok(name) = link.name.parse::<Name>() else { return };
        let like = self.kind(&place, link, host).map(|kind| Spec {
            name: name.clone(),
            parent: link.parent.clone(),
            settings: settings(link),
            kind,
        });
        let namespace = NamespaceRef::named(place.clone());
        let built = like.is_some_and(|spec| {
            let peer = match &spec.kind {
                Kind::Veth(veth) => Some(key(&place, &veth.peer)),
                _ => None,
            };
            let change = Change::CreateLink { namespace: namespace.clone(), spec };
            let built = self.make(change);
            self.made.extend(peer.filter(|_| built));
            built
        });
        if !built {
            let kind = self.stand_in();
            let spec = Spec { name, kind, parent: None, settings: settings(link) };
            self.make(Change::CreateLink { namespace: namespace.clone(), spec });
        }
        self.made.insert((place, link.name.clone()));
    }

    /// A link's own kind, where the rehearsal may depend on it.
    fn kind(&self, place: &Option<Name>, link: &LinkInfo, host: &State) -> Option<Kind> {
        let value = |name: &str| {
            let option = link.data.iter().find(|option| option.name == name)?;
            Some(option.value.as_str())
        };
        match link.kind.as_str() {
            "bridge" => Some(Kind::Bridge(Vec::new())),
            kind @ ("macvlan" | "macvtap") if self.stands(place, link) && link.parent.is_some() => {
                use MacvlanMode::{Bridge, Passthru, Private, Source, Vepa};
                let mut modes = [Private, Vepa, Bridge, Passthru, Source].into_iter();
                let mode = modes.find(|mode| Some(mode.word()) == value("mode"));
                let macvlan = Macvlan { mode, ..Macvlan::default() };
                Some(if kind == "macvlan" {
                    Kind::Macvlan(macvlan)
                } else {
                    Kind::Macvtap(macvlan)
                })
            }
            "vlan" if self.stands(place, link) => Some(with_options(link, &["id"])),
            // By these it knows which stations it may lead to, and that one has a way for each.
            "vxlan" if self.stands(place, link) => Some(with_options(
                link,
                &["id", "dstport", "local", "remote", "group", "dev", "external"],
            )),
            "veth" => {
                let peer = link.peer.as_ref()?;
                let (there, name) = key(place, peer);
                let namespace = host.namespaces.iter().find(|each| each.name == there)?;
                let other = namespace.links.iter().find(|each| each.name == name)?;
                let peer = LinkName { namespace: Some(there), name };
                Some(Kind::Veth(Veth { peer, peer_settings: settings(other) }))
            }
            _ => None,
        }
    }

    /// An Ethernet link with carrier, whose other end nobody sees.
    fn stand_in(&mut self) -> Kind {
        self.stand_ins += 1;
        let peer = LinkName {
            namespace: Some(ELSEWHERE.parse().ok()),
            name: format!("far{}", self.stand_ins),
        };
        Kind::Veth(Veth { peer, peer_settings: vec![Setting::Up(true)] })
    }

    /// What links have and lead to, once all are there.
    fn contents(&mut self, host: &NamespaceState) {
        let namespace = NamespaceRef::named(host.name.clone());
        let link = |name: &str| LinkRef {
            namespace: namespace.clone(),
            name: name.to_owned(),
            index: None,
        };
        for one in &host.links {
            for setting in more_settings(one) {
                self.make(Change::ChangeLink { link: link(&one.name), settings: vec![setting] });
            }
        }
        for info in &host.addresses {
            let flags = AddressFlags { nodad: true, ..info.address.flags };
            let lasting = Address {
                flags,
                valid_lifetime: None,
                preferred_lifetime: None,
                ..info.address.clone()
            };
            let (link, how) = (link(&info.link), Write::Replace);
            self.make(Change::PutAddress { link, address: lasting, how });
        }
        let mut routes: Vec<_> =
            host.routes.iter().filter(|route| crate::state::is_own(route)).collect();
        for _ in 0..PASSES {
            let put = |route: &crate::change::Route| Change::PutRoute {
                namespace: namespace.clone(),
                route: route.clone(),
                how: Write::Append,
            };
            routes.retain(|route| !self.make(put(route)));
        }
        for rule in &host.rules {
            self.make(Change::AddRule { namespace: namespace.clone(), rule: rule.clone() });
        }
        let lasts = |state| matches!(state, NeighbourState::Permanent | NeighbourState::Noarp);
        for (on, neighbour) in
            host.neighbours.iter().filter(|(_, one)| one.proxy || lasts(one.state))
        {
            let (link, neighbour, how) = (link(on), neighbour.clone(), Write::Replace);
            self.make(Change::PutNeighbour { link, neighbour, how });
        }
    }

    /// What ports carry, links queue and databases forward.
    fn carried(&mut self, host: &NamespaceState, entries: &[&(String, Entry)]) {
        let namespace = NamespaceRef::named(host.name.clone());
        let link = |name: &str| LinkRef {
            namespace: namespace.clone(),
            name: name.to_owned(),
            index: None,
        };
        for (name, vlans) in &host.vlans {
            self.make(Change::SetVlans { link: link(name), vlans: vlans.clone() });
        }
        for (name, entry) in entries {
            let (link, entry, how) = (link(name), entry.clone(), entry.how());
            self.make(Change::PutEntry { link, entry, how });
        }
        for (name, qdisc) in host.qdiscs.iter().filter(|(_, qdisc)| qdisc.handle.is_some()) {
            let (link, qdisc, how) = (link(name), qdisc.clone(), Write::Replace);
            self.make(Change::PutQdisc { link, qdisc, how });
        }
    }

    /// Takes a deployment back: by names, for identities are the host's.
    pub(super) fn take_back(&mut self, history: &History) {
        for entry in history.entries.iter().rev() {
            for step in &entry.undo.steps {
                self.make(step.by_name());
            }
        }
    }
}

fn key(place: &Option<Name>, link: &LinkName) -> (Option<Name>, String) {
    (link.namespace.clone().unwrap_or_else(|| place.clone()), link.name.clone())
}

/// A link's own kind with some of its options.
fn with_options(link: &LinkInfo, names: &[&str]) -> Kind {
    let options = link.data.iter().filter(|option| names.contains(&option.name.as_str()));
    Kind::Other(Options { kind: link.kind.clone(), options: options.cloned().collect() })
}

/// What a link is born with.
fn settings(link: &LinkInfo) -> Vec<Setting> {
    let mut settings = Vec::new();
    settings.extend(link.mac.map(Setting::Mac));
    settings.push(Setting::Mtu(link.mtu));
    settings.push(Setting::TransmitQueueLength(link.transmit_queue_length));
    settings.extend((link.group != 0).then_some(Setting::Group(link.group)));
    settings.extend(link.up.then_some(Setting::Up(true)));
    settings
}

/// What it gets once all links are there.
fn more_settings(link: &LinkInfo) -> Vec<Setting> {
    let has = |flag: &str| link.flags.iter().any(|each| each == flag);
    let mut settings = Vec::new();
    settings.extend(link.master.clone().map(|master| Setting::Master(Some(master))));
    settings.extend(link.alias.clone().map(Setting::Alias));
    settings.extend(has("PROMISC").then_some(Setting::Promiscuous(true)));
    settings.extend(has("ALLMULTI").then_some(Setting::AllMulticast(true)));
    settings.extend(has("NOARP").then_some(Setting::Arp(false)));
    if link.kind == "bridge" {
        settings.extend(link.data.iter().cloned().map(|option| option_of("bridge", option)));
    }
    settings.extend((link.kind == "loopback" && link.up).then_some(Setting::Up(true)));
    settings
}

fn option_of(kind: &str, option: Attribute) -> Setting {
    Setting::Options(Options { kind: kind.to_owned(), options: vec![option] })
}
