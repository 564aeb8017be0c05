//! What links of a kind reach beyond themselves: other links' frames, other ends, other names.

use netwright_options::Wire;

use super::{Parent, kind_options, options, parent};
use crate::change::{Attribute, Kind, Macvlan, MacvlanChange, MacvlanMode, Options, Setting, Spec};

/// The options of a new link as they are sent: its kind's, and those among its settings.
pub fn sent_options(spec: &Spec) -> Vec<Attribute> {
    let own = |setting: &Setting| {
        let Setting::Options(given) = setting else { return None };
        is_own(given).then(|| given.options.clone())
    };
    let more = spec.settings.iter().filter_map(own).flatten();
    kind_options(&spec.kind).into_iter().chain(more).collect()
}

/// Whether options are the link's own, and not those of its place in a master.
pub fn is_own(given: &Options) -> bool {
    !given.kind.ends_with("_slave")
}

/// The VLAN of a new link, as the kernel will read it: what comes last counts.
pub fn vlan_id(spec: &Spec) -> Option<u16> {
    if spec.kind.word() != "vlan" {
        return None;
    }
    let sent = options::encode("vlan", &sent_options(spec), &mut |_| Ok(0)).ok()?;
    vlan_of("vlan", &sent.bytes())
}

/// The VLAN of a link as it is.
pub(crate) fn vlan_of(kind: &str, data: &[u8]) -> Option<u16> {
    if kind != "vlan" {
        return None;
    }
    let all = options::read(kind, data, &mut |_| None);
    all.iter().find(|option| option.name == "id")?.value.parse().ok()
}

/// The routing table of a new VRF, as the kernel will read it: what comes last counts.
pub fn vrf_table(spec: &Spec) -> Option<u32> {
    vrf_table_of(spec.kind.word(), &sent_options(spec))
}

/// The same of options that a link is given.
pub fn vrf_table_of(kind: &str, given: &[Attribute]) -> Option<u32> {
    if kind != "vrf" {
        return None;
    }
    let sent = options::encode(kind, given, &mut |_| Ok(0)).ok()?;
    let read = options::read(kind, &sent.bytes(), &mut |_| None);
    read.iter().find(|option| option.name == "table")?.value.parse().ok()
}

/// The links that options name: its underlay, others that it uses.
pub fn linked<'a>(kind: &str, all: &'a [Attribute]) -> impl Iterator<Item = &'a Attribute> {
    let kind = kind.to_owned();
    all.iter().filter(move |option| {
        options::find(&kind, option).is_ok_and(|row| matches!(row.wire, Wire::Link))
    })
}

/// Whether an option names what its link stands on.
pub fn is_underlay(kind: &Kind, option: &Attribute) -> bool {
    parent(kind) == Parent::Underlay && option.name == "dev"
}

/// Whether the kernel lets a link share its parent with no other (macvlan_common_newlink).
pub(crate) fn wants_alone(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Macvlan(Macvlan { mode: Some(MacvlanMode::Passthru), .. })
            | Kind::Macvtap(Macvlan { mode: Some(MacvlanMode::Passthru), .. })
    )
}

/// Whether a new link gets frames that are its parent's: all of them, copies of them, or those of
/// stations that it names. What is known of a kind is not enough to say that it doesn't.
pub fn takes_over(spec: &Spec) -> bool {
    let by_kind = match &spec.kind {
        Kind::Macvlan(macvlan) | Kind::Macvtap(macvlan) => macvlan.mode.is_some_and(is_taking),
        // macsec_handle_frame gives each of its links a copy of what carries no tag.
        Kind::Other(other) => match other.kind.as_str() {
            "macsec" | "virt_wifi" => true,
            _ => parent(&spec.kind) == Parent::Unknown,
        },
        Kind::Veth(_)
        | Kind::Bridge(_)
        | Kind::Vlan(_)
        | Kind::Vxlan(_)
        | Kind::Dummy
        | Kind::Ifb
        | Kind::Ipvlan(_)
        | Kind::Ipvtap(_)
        | Kind::Tun(_)
        | Kind::Tap(_)
        | Kind::Vrf(_) => false,
    };
    by_kind || spec.settings.iter().any(makes_take_over)
}

/// The same of a setting of a link that exists, or is being made.
pub fn makes_take_over(setting: &Setting) -> bool {
    match setting {
        Setting::Macvlan(change) => match change {
            MacvlanChange::Mode(mode) => is_taking(*mode),
            MacvlanChange::AddSource(_) | MacvlanChange::SetSources(_) => true,
            MacvlanChange::Nopromisc(_)
            | MacvlanChange::Nodst(_)
            | MacvlanChange::BroadcastQueueLength(_)
            | MacvlanChange::RemoveSource(_)
            | MacvlanChange::FlushSources => false,
        },
        Setting::Up(_)
        | Setting::Mtu(_)
        | Setting::Mac(_)
        | Setting::Broadcast(_)
        | Setting::Name(_)
        | Setting::Alias(_)
        | Setting::Group(_)
        | Setting::TransmitQueueLength(_)
        | Setting::Promiscuous(_)
        | Setting::AllMulticast(_)
        | Setting::Multicast(_)
        | Setting::Arp(_)
        | Setting::Dynamic(_)
        | Setting::Trailers(_)
        | Setting::Carrier(_)
        | Setting::ProtocolDown(_)
        | Setting::Master(_)
        | Setting::Options(_)
        | Setting::Other(_) => false,
    }
}

/// Passthru takes all that arrives; source copies what certain stations send, to whomever.
fn is_taking(mode: MacvlanMode) -> bool {
    match mode {
        MacvlanMode::Passthru | MacvlanMode::Source => true,
        MacvlanMode::Private | MacvlanMode::Vepa | MacvlanMode::Bridge => false,
    }
}

/// Whether a setting makes the link below take frames that are for nobody here: the drivers hand
/// it down (macvlan_change_rx_flags, vlan_dev_change_rx_flags and their like).
pub fn opens_parent(setting: &Setting) -> bool {
    matches!(setting, Setting::Promiscuous(true) | Setting::AllMulticast(true))
}

/// Whether a kind makes several links one: what it is given its ports get, too, and what becomes of
/// one of them it may alter at the others (drivers/net/bonding, drivers/net/team).
pub fn is_bundle(kind: &str) -> bool {
    matches!(kind, "bond" | "team")
}

/// What a setting makes a link a port of.
pub fn new_master(setting: &Setting) -> Option<&str> {
    match setting {
        Setting::Master(master) => master.as_deref(),
        _ => None,
    }
}

/// Whether a bundle hands a setting of its own on to its ports.
pub fn reaches_ports(setting: &Setting) -> bool {
    match setting {
        Setting::Mtu(_)
        | Setting::Mac(_)
        | Setting::Promiscuous(_)
        | Setting::AllMulticast(_)
        | Setting::Options(_) => true,
        Setting::Up(_)
        | Setting::Other(_)
        | Setting::Broadcast(_)
        | Setting::Name(_)
        | Setting::Alias(_)
        | Setting::Group(_)
        | Setting::TransmitQueueLength(_)
        | Setting::Multicast(_)
        | Setting::Arp(_)
        | Setting::Dynamic(_)
        | Setting::Trailers(_)
        | Setting::Carrier(_)
        | Setting::ProtocolDown(_)
        | Setting::Master(_)
        | Setting::Macvlan(_) => false,
    }
}

/// Whether a link of a kind that is made on a child of a link gets that link for its own parent,
/// whoever has it (macvlan_common_newlink). An ipvlan gets it only where its maker has rights there
/// (ipvlan_link_new).
pub fn shares_parent(kind: &str) -> bool {
    matches!(kind, "macvlan" | "macvtap")
}

/// Whether a child of a link gets the frames for its own MAC address before the link itself does,
/// and keeps those that come from it (macvlan_handle_frame).
pub fn takes_by_mac(kind: &str) -> bool {
    matches!(kind, "macvlan" | "macvtap")
}

/// The same by IP addresses (ipvlan_handle_frame).
pub(crate) fn takes_by_address(kind: &str) -> bool {
    matches!(kind, "ipvlan" | "ipvtap")
}

/// Why a kind is none for a namespace of others: it shows what goes on there.
pub fn listens(kind: &str) -> Option<&'static str> {
    match kind {
        "nlmon" => Some("it shows all netlink messages of its namespace"),
        "vsockmon" => Some("it shows all that this machine and its guests say by vsock(7)"),
        _ => None,
    }
}
