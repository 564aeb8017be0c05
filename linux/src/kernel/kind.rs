//! All that the host knows of each link kind: its data for the kernel and back, its rules, and
//! what the kernel must have been built with.

pub(crate) mod in_place;
pub(crate) mod macvlan;
pub(crate) mod options;
mod reach;
mod validate;
pub mod words;

pub use netwright_network::kind::{Parent, has_other_end};
pub use reach::{
    is_bundle, is_own, is_underlay, linked, listens, makes_take_over, new_master, opens_parent,
    reaches_ports, sent_options, shares_parent, takes_by_mac, takes_over, vlan_id, vrf_table,
    vrf_table_of,
};
pub(crate) use reach::{takes_by_address, vlan_of, wants_alone};
pub use validate::{validate, validate_settings};

use netwright_network::kind;

use super::Error;
use super::netlink::attributes::Nest;
use crate::change::{Attribute, Ipvlan, IpvlanFlag, IpvlanMode, Kind, Vlan, VlanProtocol};
use crate::text::help;

pub fn parent(kind: &Kind) -> Parent {
    match kind {
        Kind::Macvlan(_) | Kind::Macvtap(_) | Kind::Ipvlan(_) | Kind::Ipvtap(_) | Kind::Vlan(_) => {
            Parent::Needed
        }
        Kind::Vxlan(_) => Parent::Underlay,
        Kind::Veth(_) => Parent::Uplink,
        Kind::Bridge(_) | Kind::Dummy | Kind::Ifb | Kind::Tun(_) | Kind::Tap(_) | Kind::Vrf(_) => {
            Parent::None
        }
        Kind::Other(other) => kind::find(&other.kind).map_or(Parent::Unknown, |kind| kind.parent),
    }
}

/// The options of kinds whose data are options, so not macvlan's, veth's and tun's.
pub(crate) fn kind_options(kind: &Kind) -> Vec<Attribute> {
    match kind {
        Kind::Bridge(options) => options.clone(),
        Kind::Vxlan(options) => vxlan_options(options),
        Kind::Vlan(vlan) => vlan_options(vlan),
        Kind::Ipvlan(ipvlan) | Kind::Ipvtap(ipvlan) => ipvlan_options(*ipvlan),
        Kind::Vrf(table) => vec![option("table", &table.to_string())],
        Kind::Other(other) => tunnel_options(&other.kind, &other.options),
        Kind::Macvlan(_)
        | Kind::Macvtap(_)
        | Kind::Veth(_)
        | Kind::Dummy
        | Kind::Ifb
        | Kind::Tun(_)
        | Kind::Tap(_) => Vec::new(),
    }
}

/// IFLA_INFO_DATA of a new link, but for a veth's peer. `index_of` finds links by name.
pub(crate) fn data(
    kind: &Kind,
    index_of: &mut dyn FnMut(&str) -> Result<u32, Error>,
) -> Result<Nest, Error> {
    match kind {
        Kind::Macvlan(macvlan) | Kind::Macvtap(macvlan) => Ok(macvlan::encode(macvlan)),
        Kind::Veth(_) | Kind::Dummy | Kind::Ifb | Kind::Tun(_) | Kind::Tap(_) => Ok(Nest::new()),
        Kind::Bridge(_)
        | Kind::Vlan(_)
        | Kind::Vxlan(_)
        | Kind::Ipvlan(_)
        | Kind::Ipvtap(_)
        | Kind::Vrf(_)
        | Kind::Other(_) => options::encode(kind.word(), &kind_options(kind), index_of),
    }
}

/// A kind's data in ip(8)'s words.
pub(crate) fn read(
    kind: &str,
    data: &[u8],
    name_of: &mut dyn FnMut(u32) -> Option<String>,
) -> Vec<Attribute> {
    match kind {
        "macvlan" | "macvtap" => macvlan::read(data),
        _ => options::read(kind, data, name_of),
    }
}

/// Whether the kernel takes a change of a kind's data for all of its data, and forgets what the
/// change leaves out (ipgre_netlink_parms and its like); ip(8) sends all of it, too.
pub(crate) fn is_replaced_whole(kind: &str) -> bool {
    matches!(
        kind,
        "gre"
            | "gretap"
            | "erspan"
            | "ip6gre"
            | "ip6gretap"
            | "ipip"
            | "sit"
            | "ip6tnl"
            | "vti"
            | "vti6"
    )
}

fn option(name: &str, value: &str) -> Attribute {
    Attribute { name: name.to_owned(), value: value.to_owned() }
}

/// As iproute2: what comes from elsewhere is not learned, unless that is asked for.
fn vxlan_options(given: &[Attribute]) -> Vec<Attribute> {
    let has = |name: &str| given.iter().any(|option| option.name == name);
    let mut all = given.to_vec();
    if has("external") && !has("learning") && !has("nolearning") {
        all.push(option("nolearning", ""));
    }
    all
}

/// As iproute2: ipip and sit carry whatever protocol they can and take the hop limit of what they
/// carry, IPv6 tunnels may be nested four deep (RFC 2473) and have a hop limit of 64, unless that is
/// asked for otherwise. Left out, the kernel has other defaults for some of them.
fn tunnel_options(kind: &str, given: &[Attribute]) -> Vec<Attribute> {
    let defaults: &[(&str, &str)] = match kind {
        "ipip" | "sit" => &[("mode", "any"), ("ttl", "inherit")],
        "ip6gre" | "ip6gretap" | "ip6tnl" => &[("encaplimit", "4"), ("hoplimit", "64")],
        _ => &[],
    };
    let mut all = given.to_vec();
    let external = given.iter().any(|option| option.name == "external");
    // An external one is told of the protocol alone.
    for (name, value) in defaults.iter().filter(|(name, _)| !external || *name == "mode") {
        let canonical = |name: &str| options::canonical(kind, name);
        let said = |given: &Attribute| canonical(&given.name) == canonical(name);
        if !given.iter().any(said) {
            all.push(option(name, value));
        }
    }
    all
}

fn vlan_options(vlan: &Vlan) -> Vec<Attribute> {
    let protocol = match vlan.protocol {
        VlanProtocol::Dot1q => "802.1Q",
        VlanProtocol::Dot1ad => "802.1ad",
    };
    let mut all = vec![option("id", &vlan.id.to_string()), option("protocol", protocol)];
    all.extend(vlan.options.iter().cloned());
    all
}

fn ipvlan_options(ipvlan: Ipvlan) -> Vec<Attribute> {
    let mode = ipvlan.mode.map(|mode| match mode {
        IpvlanMode::L2 => "l2",
        IpvlanMode::L3 => "l3",
        IpvlanMode::L3s => "l3s",
    });
    let flag = ipvlan.flag.map(|flag| match flag {
        IpvlanFlag::Private => "private",
        IpvlanFlag::Vepa => "vepa",
        IpvlanFlag::Bridge => "bridge",
    });
    let mode = mode.map(|mode| option("mode", mode));
    mode.into_iter().chain(flag.map(|flag| option("flag", flag))).collect()
}

/// What the kernel must have been built with for a kind: Kconfig option and module.
pub fn provider(kind: &str) -> Option<(&'static str, &'static str)> {
    kind::find(kind)?.provider
}

/// The sentence for a kind that this kernel does not have.
pub fn unsupported(kind: &str) -> String {
    match provider(kind) {
        Some((option, module)) => {
            let help =
                help(format!("modprobe {module} as root, or run it on a kernel that has it"));
            format!("links of kind `{kind}`: the kernel lacks {option} (module {module}){help}")
        }
        None => format!("links of kind `{kind}`: the kernel does not know them"),
    }
}
