//! Bonds and teams. They take a port only while it is down, and set it up themselves; what they are
//! given their ports get too, and what becomes of one port may alter the others and the bond: its MTU
//! and MAC address, which port is in use, whether links or stations are watched. All of that is read
//! before, and what is not as it was is put back.

use std::sync::Arc;

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::explain::explain;
use super::find::reference;
use super::port::options_of;
use super::raw_link::{IFF_UP, RawLink};
use super::space::Space;
use super::{Netlink, attributes};
use crate::change::{Attribute, Change, Kind, LinkRef, NamespaceRef, Options, Setting, Spec};
use crate::kernel::kind::{self, options};
use crate::kernel::{Error, LinkSight};

/// IFLA_BOND_SLAVE_MII_STATUS, and BOND_LINK_UP
const WORKS: (u16, u8) = (2, 0);
/// So long a port that has come back may take until the bond finds that it works.
const PATIENCE: Duration = Duration::from_secs(2);
const BETWEEN_TRIES: Duration = Duration::from_millis(20);
/// Of these the kernel ends the one with the other (bond_option_miimon_set and
/// bond_option_arp_interval_set, drivers/net/bonding/bond_options.c).
const WATCHES: [&str; 2] = ["miimon", "arp_interval"];
/// In use is the port that the bond chose, unless it can have the one that was.
const IN_USE: &str = "active_slave";

impl Netlink {
    /// The links of others' that are one with a link.
    pub(super) fn bundle_of(&self, link: &LinkRef) -> Result<Vec<LinkSight>, Error> {
        let (space, raw) = self.resolve(link)?;
        if self.host.is_none() || space.own {
            return Ok(Vec::new());
        }
        let bundle = match kind::is_bundle(&raw.kind()) {
            true => Some(raw.clone()),
            false => space.master_of(&raw).filter(|master| kind::is_bundle(&master.kind())),
        };
        let Some(bundle) = bundle else { return Ok(Vec::new()) };
        let ports = ports_of(&space, &bundle);
        let all = std::iter::once(bundle).chain(ports).filter(|one| one.index != raw.index);
        let others = all.filter(|one| !self.is_own(&space, one));
        others.map(|one| self.sight(&reference(&space, &one))).collect()
    }

    /// Steps that give bundles back what settings of a link alter of them: its own, that of which it
    /// is a port, and that of which it becomes one.
    pub(super) fn bundles_back(
        &self,
        space: &Arc<Space>,
        raw: &RawLink,
        settings: &[Setting],
    ) -> Vec<Change> {
        let mut bundles = Vec::new();
        if settings.iter().any(kind::reaches_ports) {
            bundles.push(raw.clone());
        }
        if settings.iter().any(is_felt_above) {
            bundles.extend(space.master_of(raw));
        }
        bundles.extend(entered(space, settings));
        bundles.dedup_by_key(|bundle| bundle.index);
        let bundles = bundles.iter().filter(|one| kind::is_bundle(&one.kind()));
        bundles.flat_map(|bundle| bundle_back(space, bundle)).collect()
    }

    /// The same of the one that a link leaves, and of the link in it.
    pub(super) fn left_bundle_back(&self, space: &Arc<Space>, raw: &RawLink) -> Vec<Change> {
        self.bundles_back(space, raw, &[Setting::Master(None)])
    }

    /// The same of those that a new link enters at once, and of those that its other end does: once
    /// the link is gone.
    pub(super) fn entered_back(&self, target: &Arc<Space>, spec: &Spec) -> Vec<Change> {
        let mut steps = entered_back(target, &spec.settings);
        if let Kind::Veth(veth) = &spec.kind
            && let Ok(space) = self.space_of(target, &veth.peer)
        {
            steps.extend(entered_back(&space, &veth.peer_settings));
        }
        steps
    }

    /// The same where nobody may be there any more to see the link.
    pub(super) fn entered_bundles_back(
        &self,
        namespace: &NamespaceRef,
        spec: &Spec,
    ) -> Vec<Change> {
        let Ok(space) = self.spaces.find(namespace) else { return Vec::new() };
        let back = self.entered_back(&space, spec);
        if back.is_empty() {
            return back;
        }
        let name = spec.name.as_str().to_owned();
        let link = LinkRef { namespace: space.reference(), name, index: None };
        std::iter::once(Change::DeleteLink { link }).chain(back).collect()
    }

    /// A step without what is as it says already: to set it may be more than to have it, as the
    /// kernel keeps a bridge port's cost no longer in step with its speed, and a bond's MAC address
    /// no longer with its first port's.
    pub(super) fn without_what_is_so(&self, step: &Change) -> Change {
        let mut step = step.clone();
        let Change::ChangeLink { link, settings } = &mut step else { return step };
        let Ok((space, now)) = self.resolve(link) else { return step };
        let moves = settings.iter().any(|one| matches!(one, Setting::Master(_)));
        for setting in settings.iter_mut() {
            let Setting::Options(given) = setting else { continue };
            if given.kind == "bond" {
                self.await_port(&space, &now, given);
            }
            if given.kind.ends_with("_slave") || given.kind == "bond" {
                let there = all_options(&space, &now, &given.kind);
                given.options.retain(|option| {
                    !there.contains(option) && self.could_be(&space, &now, &given.kind, option)
                });
            }
        }
        settings.retain(|setting| match setting {
            Setting::Options(given) => !given.options.is_empty(),
            // A bond or team alters these of a port that it gets.
            setting => moves || !super::settings::is_so(&now, setting),
        });
        step
    }

    /// Whether an option can be had: a port is in use only while it works, which is none of a run's.
    pub(super) fn could_be(
        &self,
        space: &Space,
        bond: &RawLink,
        kind: &str,
        option: &Attribute,
    ) -> bool {
        let named = kind == "bond" && option.name == IN_USE;
        !named || (!option.value.is_empty() && works(space, bond, &option.value))
    }

    /// Waits until a port that is to be in use works, which it may since a moment.
    fn await_port(&self, space: &Space, bond: &RawLink, given: &Options) {
        let Some(port) = given.options.iter().find(|option| option.name == IN_USE) else { return };
        let until = Instant::now() + PATIENCE;
        let comes = || {
            let found = space.link(&port.value).ok().flatten();
            found.is_some_and(|one| one.master() == Some(bond.index) && one.carrier())
        };
        while !works(space, bond, &port.value) && comes() && Instant::now() < until {
            sleep(BETWEEN_TRIES);
        }
    }

    /// A port goes back into a bond or a team while it is down, before anything else of it.
    pub(super) fn carry_out_undoing(
        &self,
        change: &Change,
        (space, before): (&Arc<Space>, &RawLink),
        settings: &[Setting],
        inverse: &[Setting],
    ) -> Result<(), Error> {
        let full = reference(space, before);
        let lowered = self.lower_for_master(space, before, settings)?;
        let enslaves = |setting: &Setting| matches!(setting, Setting::Master(Some(_)));
        let (first, last): (Vec<_>, Vec<_>) = settings.iter().cloned().partition(enslaves);
        let parts = [first, last].into_iter().filter(|part| !part.is_empty());
        let done = parts
            .into_iter()
            .try_for_each(|part| self.carry_out_deaf(change, space, &full, &part, inverse));
        done.inspect_err(|_| {
            if lowered {
                self.put_back(space, &full, &[Setting::Up(true)]);
            }
        })
    }

    /// A link that is put back into a bond or a team has to be down for that; it goes up as their
    /// port, or as it was.
    fn lower_for_master(
        &self,
        space: &Space,
        link: &RawLink,
        settings: &[Setting],
    ) -> Result<bool, Error> {
        let master = settings.iter().find_map(|setting| match setting {
            Setting::Master(Some(master)) => space.link(master).ok().flatten(),
            _ => None,
        });
        let lowers = master.is_some_and(|master| {
            matches!(master.kind().as_str(), "bond" | "team") && link.master() != Some(master.index)
        });
        if !lowers || !link.has(IFF_UP) {
            return Ok(false);
        }
        let down = super::settings::requests(
            link.index,
            &|| Ok(link.clone()),
            &[Setting::Up(false)],
            &mut |_| Ok(0),
        )?;
        for request in down {
            space.execute(&request).map_err(|failure| explain(failure, &"link set down"))?;
        }
        Ok(true)
    }
}

/// The masters that settings name.
fn entered(space: &Space, settings: &[Setting]) -> Vec<RawLink> {
    let named = settings.iter().filter_map(|setting| match setting {
        Setting::Master(Some(name)) => space.link(name).ok().flatten(),
        _ => None,
    });
    named.collect()
}

pub(super) fn entered_back(space: &Space, settings: &[Setting]) -> Vec<Change> {
    let bundles = entered(space, settings);
    let bundles = bundles.iter().filter(|one| kind::is_bundle(&one.kind()));
    bundles.flat_map(|bundle| bundle_back(space, bundle)).collect()
}

/// Whether a bond may feel what becomes of a port.
fn is_felt_above(setting: &Setting) -> bool {
    matches!(
        setting,
        Setting::Master(_)
            | Setting::Up(_)
            | Setting::Name(_)
            | Setting::Mac(_)
            | Setting::Mtu(_)
            | Setting::Carrier(_)
    )
}

pub(super) fn ports_of(space: &Space, bundle: &RawLink) -> Vec<RawLink> {
    let mut all = space.links().unwrap_or_default();
    all.retain(|one| one.master() == Some(bundle.index));
    all
}

fn works(space: &Space, bond: &RawLink, port: &str) -> bool {
    let found = space.link(port).ok().flatten();
    found.filter(|one| one.master() == Some(bond.index)).is_some_and(|one| {
        let status = attributes::find(one.slave_data(), WORKS.0).and_then(|bytes| bytes.first());
        one.has(IFF_UP) && status == Some(&WORKS.1)
    })
}

/// A kind's options as they are, those that are none among them.
fn all_options(space: &Space, link: &RawLink, kind: &str) -> Vec<Attribute> {
    if kind.ends_with("_slave") {
        return options_of(space, link, kind);
    }
    let mut name_of = |index| space.name_at(index);
    let mut all = kind::read(kind, link.data(), &mut name_of);
    let rows = options::table(kind).unwrap_or_default();
    for row in rows.iter().filter(|row| options::may_be_none(kind, row.name)) {
        if !all.iter().any(|one| one.name == row.name) {
            all.push(Attribute { name: row.name.to_owned(), value: String::new() });
        }
    }
    all
}

/// Steps that make a bundle and its ports what they are, in an order that the kernel takes: what is
/// off before what is on, what is chosen of the ports once they are as they were.
fn bundle_back(space: &Space, bundle: &RawLink) -> Vec<Change> {
    let kind = bundle.kind();
    let back =
        |link: &RawLink, settings| Change::ChangeLink { link: reference(space, link), settings };
    let told = |options| vec![Setting::Options(Options { kind: kind.clone(), options })];
    let all = if kind == "bond" { all_options(space, bundle, &kind) } else { Vec::new() };
    let rank = |option: &Attribute| match option.name.as_str() {
        "mode" => 0,
        watch if WATCHES.contains(&watch) && option.value == "0" => 1,
        watch if WATCHES.contains(&watch) => 2,
        "primary" => 4,
        IN_USE => 5,
        _ => 3,
    };
    let of_rank = |wanted| all.iter().filter(move |one| rank(one) == wanted).cloned();
    let mut steps: Vec<_> =
        (0..5).map(|rank| back(bundle, told(of_rank(rank).collect()))).collect();
    let mac = bundle.mac().map(Setting::Mac);
    steps.extend(mac.map(|mac| back(bundle, vec![mac])));
    steps.push(back(bundle, told(of_rank(5).collect())));
    for port in ports_of(space, bundle) {
        let mut settings = vec![Setting::Mtu(port.mtu())];
        settings.extend(port.mac().map(Setting::Mac));
        settings.push(Setting::Up(port.has(IFF_UP)));
        steps.push(back(&port, settings));
    }
    let says = |step: &Change| match step {
        Change::ChangeLink { settings, .. } => {
            !matches!(&settings[..], [Setting::Options(one)] if one.options.is_empty())
        }
        _ => true,
    };
    steps.retain(says);
    steps
}
