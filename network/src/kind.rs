//! Kinds of links: one table for all that names them, so that what can be built can be granted and
//! checked.

/// What a kind of link stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parent {
    Needed,
    /// its underlay, given to the kernel as option `dev`
    Underlay,
    /// none of the lab's own: a bridge of the host, by an uplink
    Uplink,
    /// the kernel decides, for a kind that is not known here
    Unknown,
    None,
}

/// What is known of a kind by its name alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkKind {
    /// in ip(8) and in IFLA_INFO_KIND
    pub name: &'static str,
    pub parent: Parent,
    /// what a kernel that has it was built with, and its module
    pub provider: Option<(&'static str, &'static str)>,
}

/// Kinds whose links stay in the namespace that they were made in (NETIF_F_NETNS_LOCAL): whoever made
/// one made it there.
const IMMOVABLE: [&str; 6] = ["bridge", "bond", "team", "vrf", "hsr", "batadv"];

/// Whether the kernel moves no link of a kind to another namespace.
pub fn is_immovable(kind: &str) -> bool {
    IMMOVABLE.contains(&kind)
}

const fn kind(name: &'static str, parent: Parent) -> LinkKind {
    LinkKind { name, parent, provider: None }
}

impl LinkKind {
    const fn of(self, option: &'static str, module: &'static str) -> Self {
        Self { provider: Some((option, module)), ..self }
    }
}

/// All kinds that netwright knows, by name (ip-link(8), and drivers/net of the kernel).
pub const KINDS: [LinkKind; 48] = [
    kind("amt", Parent::Unknown),
    kind("bareudp", Parent::None).of("CONFIG_BAREUDP", "bareudp"),
    kind("batadv", Parent::Unknown),
    kind("bond", Parent::None).of("CONFIG_BONDING", "bonding"),
    kind("bridge", Parent::None).of("CONFIG_BRIDGE", "bridge"),
    kind("can", Parent::Unknown),
    kind("dsa", Parent::Unknown),
    kind("dummy", Parent::None).of("CONFIG_DUMMY", "dummy"),
    kind("erspan", Parent::Underlay).of("CONFIG_NET_IPGRE", "ip_gre"),
    kind("geneve", Parent::None).of("CONFIG_GENEVE", "geneve"),
    kind("gre", Parent::Underlay).of("CONFIG_NET_IPGRE", "ip_gre"),
    kind("gretap", Parent::Underlay).of("CONFIG_NET_IPGRE", "ip_gre"),
    kind("gtp", Parent::Unknown),
    // It has its links as options.
    kind("hsr", Parent::None).of("CONFIG_HSR", "hsr"),
    kind("ifb", Parent::None).of("CONFIG_IFB", "ifb"),
    kind("ip6erspan", Parent::Unknown).of("CONFIG_IPV6_GRE", "ip6_gre"),
    kind("ip6gre", Parent::Underlay).of("CONFIG_IPV6_GRE", "ip6_gre"),
    kind("ip6gretap", Parent::Underlay).of("CONFIG_IPV6_GRE", "ip6_gre"),
    kind("ip6tnl", Parent::Underlay).of("CONFIG_IPV6_TUNNEL", "ip6_tunnel"),
    kind("ipip", Parent::Underlay).of("CONFIG_NET_IPIP", "ipip"),
    kind("ipoib", Parent::Unknown),
    kind("ipvlan", Parent::Needed).of("CONFIG_IPVLAN", "ipvlan"),
    kind("ipvtap", Parent::Needed).of("CONFIG_IPVTAP", "ipvtap"),
    kind("lowpan", Parent::Unknown),
    kind("macsec", Parent::Needed).of("CONFIG_MACSEC", "macsec"),
    kind("macvlan", Parent::Needed).of("CONFIG_MACVLAN", "macvlan"),
    kind("macvtap", Parent::Needed).of("CONFIG_MACVTAP", "macvtap"),
    kind("netdevsim", Parent::Unknown),
    kind("netkit", Parent::None).of("CONFIG_NETKIT", "netkit"),
    kind("nlmon", Parent::None).of("CONFIG_NLMON", "nlmon"),
    kind("rmnet", Parent::Unknown),
    kind("sit", Parent::Underlay).of("CONFIG_IPV6_SIT", "sit"),
    kind("tap", Parent::None).of("CONFIG_TUN", "tun"),
    kind("team", Parent::None).of("CONFIG_NET_TEAM", "team"),
    kind("tun", Parent::None).of("CONFIG_TUN", "tun"),
    kind("vcan", Parent::None).of("CONFIG_CAN_VCAN", "vcan"),
    kind("veth", Parent::None).of("CONFIG_VETH", "veth"),
    kind("virt_wifi", Parent::Needed).of("CONFIG_VIRT_WIFI", "virt_wifi"),
    kind("vlan", Parent::Needed).of("CONFIG_VLAN_8021Q", "8021q"),
    kind("vrf", Parent::None).of("CONFIG_NET_VRF", "vrf"),
    kind("vsockmon", Parent::None),
    kind("vti", Parent::Underlay).of("CONFIG_NET_IPVTI", "ip_vti"),
    kind("vti6", Parent::Underlay).of("CONFIG_IPV6_VTI", "ip6_vti"),
    kind("vxcan", Parent::None),
    kind("vxlan", Parent::Underlay).of("CONFIG_VXLAN", "vxlan"),
    kind("wireguard", Parent::None).of("CONFIG_WIREGUARD", "wireguard"),
    kind("wwan", Parent::Unknown),
    kind("xfrm", Parent::Underlay).of("CONFIG_XFRM_INTERFACE", "xfrm_interface"),
];

/// The kind of a name, where it is known.
pub fn find(name: &str) -> Option<&'static LinkKind> {
    KINDS.iter().find(|kind| kind.name == name)
}

pub fn names() -> impl Iterator<Item = &'static str> + Clone {
    KINDS.iter().map(|kind| kind.name)
}

/// Whether the kernel makes another link with one of this kind, under a name of its choice where
/// nobody gives one.
pub fn has_other_end(kind: &str) -> bool {
    matches!(kind, "veth" | "vxcan" | "netkit")
}

#[cfg(test)]
mod tests {
    use super::{find, names};

    #[test]
    fn kinds_stand_in_order_and_once() {
        assert!(names().is_sorted_by(|one, next| one < next));
        assert_eq!(find("vti6").map(|kind| kind.name), Some("vti6"));
        assert_eq!(find("device"), None);
    }
}
