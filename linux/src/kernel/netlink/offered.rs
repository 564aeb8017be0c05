//! What this kernel was built without, asked for without touching anything: each request is one
//! that every kernel refuses, and only one that has the feature refuses it for its content.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{InfoKind, LinkAttribute, LinkInfo, LinkMessage};

use super::Netlink;
use super::attributes::Nest;
use super::explain::explain;
use super::qdisc_message as message;
use super::socket::{Failure, Refusal, Request};
use super::space::Space;
use crate::change::{Attribute, Change, Feature, Kind, NamespaceRef, Setting};
use crate::kernel::Error;
use crate::kernel::kind;
use crate::text::help;

/// What has been asked for, and whether it is there.
pub(super) type Offers = Mutex<HashMap<Feature, bool>>;

/// `lo` is the first link of every namespace.
const LOOPBACK: u32 = 1;
/// linux/if_link.h
const IFLA_INFO_DATA: u16 = 2;
const IFLA_BR_VLAN_PROTOCOL: u16 = 8;

/// Options of a bridge that a kernel without VLAN filtering ignores without a word, or refuses as
/// if it knew no bridges (br_changelink, net/bridge/br_netlink.c).
const OF_FILTERING: &[&str] = &[
    "vlan_filtering",
    "vlan_protocol",
    "vlan_default_pvid",
    "vlan_stats_enabled",
    "vlan_stats_per_port",
];

impl Netlink {
    /// An error that names what is lacking.
    pub(super) fn offered(&self, feature: &Feature) -> Result<(), Error> {
        let known = || self.offers.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known().get(feature).copied();
        let there = match before {
            Some(there) => there,
            None => {
                let space = self.spaces.find(&NamespaceRef::named(None))?;
                let there = match feature {
                    Feature::Discipline(kind) => knows_discipline(&space, kind)?,
                    Feature::LinkKind(kind) => knows_kind(&space, kind)?,
                    Feature::BridgeVlans => filters_vlans(&space)?,
                };
                known().insert(feature.clone(), there);
                there
            }
        };
        if there { Ok(()) } else { Err(Error::Unsupported(lacking(feature))) }
    }

    /// What a change needs of the kernel, as far as that can be asked for beforehand.
    pub(super) fn check_offered(&self, change: &Change) -> Result<(), Error> {
        match needed(change) {
            Some(feature) => self.offered(&feature),
            None => Ok(()),
        }
    }
}

fn needed(change: &Change) -> Option<Feature> {
    if let Change::PutQdisc { qdisc, .. } = change {
        let kind = qdisc.discipline.kind();
        // Others might take effect without options, so only their change itself tells.
        return matches!(kind, "netem" | "tbf").then(|| Feature::Discipline(kind.to_owned()));
    }
    let mut vlans = matches!(
        change,
        Change::PutVlan { .. } | Change::RemoveVlan { .. } | Change::SetVlans { .. }
    );
    if let Change::CreateLink { spec, .. } = change {
        let bridge = matches!(spec.kind, Kind::Bridge(_));
        vlans = bridge && asks(&kind::kind_options(&spec.kind)) || set(&spec.settings);
    } else if let Change::ChangeLink { settings, .. } = change {
        vlans = set(settings);
    }
    vlans.then_some(Feature::BridgeVlans)
}

fn set(settings: &[Setting]) -> bool {
    settings.iter().any(|setting| {
        matches!(setting, Setting::Options(given) if given.kind == "bridge" && asks(&given.options))
    })
}

fn asks(options: &[Attribute]) -> bool {
    options.iter().any(|option| OF_FILTERING.contains(&option.name.as_str()))
}

/// netem_init and tbf_init refuse to be made without options, EINVAL.
fn knows_discipline(space: &Space, kind: &str) -> Result<bool, Error> {
    if !matches!(kind, "netem" | "tbf") {
        return Ok(true);
    }
    let flags = NLM_F_CREATE | NLM_F_REPLACE | NLM_F_EXCL;
    match space.execute(&message::bare(LOOPBACK, kind, flags)) {
        Err(Failure::Refused(Refusal { errno: libc::ENOENT | libc::EOPNOTSUPP, .. })) => Ok(false),
        Ok(()) | Err(Failure::Refused(_)) => Ok(true),
        Err(failure) => Err(explain(failure, &format_args!("qdisc add {kind}"))),
    }
}

/// Only a kernel that knows the kind gets as far as the name, which no link can have
/// (net/core/rtnetlink.c, rtnl_newlink; net/core/dev.c, dev_valid_name).
fn knows_kind(space: &Space, kind: &str) -> Result<bool, Error> {
    // To the kernel a tap is one way to use a tun (drivers/net/tun.c, `tun_link_ops`).
    let kind = if kind == "tap" { "tun" } else { kind };
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName("no/link".to_owned()));
    let kind_of = LinkInfo::Kind(InfoKind::Other(kind.to_owned()));
    message.attributes.push(LinkAttribute::LinkInfo(vec![kind_of]));
    let request = Request {
        message: RouteNetlinkMessage::NewLink(message),
        flags: NLM_F_CREATE | NLM_F_EXCL,
    };
    match space.execute(&request) {
        Err(Failure::Refused(Refusal { errno: libc::EOPNOTSUPP, text, .. })) => {
            Ok(text.is_some_and(|text| !text.contains("Unknown device type")))
        }
        Ok(()) | Err(Failure::Refused(_)) => Ok(true),
        Err(failure) => Err(explain(failure, &format_args!("link add type {kind}"))),
    }
}

/// br_validate knows the protocols of VLANs, EPROTONOSUPPORT, only where bridges filter by them; a
/// name with a slash is refused afterwards in any case.
fn filters_vlans(space: &Space) -> Result<bool, Error> {
    let mut data = Nest::new();
    data.put(IFLA_BR_VLAN_PROTOCOL, [0, 0]);
    let mut message = LinkMessage::default();
    message.attributes.push(LinkAttribute::IfName("no/link".to_owned()));
    message.attributes.push(LinkAttribute::LinkInfo(vec![
        LinkInfo::Kind(InfoKind::Bridge),
        LinkInfo::Other(data.attribute(IFLA_INFO_DATA)),
    ]));
    let request = Request {
        message: RouteNetlinkMessage::NewLink(message),
        flags: NLM_F_CREATE | NLM_F_EXCL,
    };
    match space.execute(&request) {
        Err(Failure::Refused(refusal)) => Ok(refusal.errno == libc::EPROTONOSUPPORT),
        Ok(()) => Ok(false),
        Err(failure) => Err(explain(failure, &"link add type bridge")),
    }
}

/// The sentence for what this kernel does not have.
pub(super) fn lacking(feature: &Feature) -> String {
    match feature {
        Feature::Discipline(kind) => match provider(kind) {
            Some((option, module)) => {
                let help =
                    help(format!("modprobe {module} as root, or run it on a kernel that has it"));
                format!(
                    "queueing discipline `{kind}`: the kernel lacks {option} (module {module}){help}"
                )
            }
            None => format!(
                "queueing discipline `{}`: the kernel does not know it",
                kind.escape_debug()
            ),
        },
        Feature::LinkKind(kind) => kind::unsupported(kind),
        Feature::BridgeVlans => {
            "bridges that filter by VLAN: the kernel lacks CONFIG_BRIDGE_VLAN_FILTERING".to_owned()
                + &help("no module brings it; run it on a kernel that has it")
        }
    }
}

/// What the kernel must have been built with for a discipline: Kconfig option and module.
fn provider(kind: &str) -> Option<(&'static str, &'static str)> {
    Some(match kind {
        "netem" => ("CONFIG_NET_SCH_NETEM", "sch_netem"),
        "tbf" => ("CONFIG_NET_SCH_TBF", "sch_tbf"),
        "fq" => ("CONFIG_NET_SCH_FQ", "sch_fq"),
        "fq_codel" => ("CONFIG_NET_SCH_FQ_CODEL", "sch_fq_codel"),
        "codel" => ("CONFIG_NET_SCH_CODEL", "sch_codel"),
        "sfq" => ("CONFIG_NET_SCH_SFQ", "sch_sfq"),
        "cake" => ("CONFIG_NET_SCH_CAKE", "sch_cake"),
        "red" => ("CONFIG_NET_SCH_RED", "sch_red"),
        "prio" => ("CONFIG_NET_SCH_PRIO", "sch_prio"),
        "htb" => ("CONFIG_NET_SCH_HTB", "sch_htb"),
        _ => return None,
    })
}
