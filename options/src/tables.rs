//! The options of each kind, as ip-link(8) names them and linux/if_link.h numbers them.

use std::ops::RangeInclusive;

use super::wire::Wire::{
    Bit, Fixed, Flag, Hexadecimal64, Ip, Ipv4List, Ipv6, Link, Mac, Network, NetworkWord, Number,
    NumberOr, Ports, QosMap, Switch, Word,
};
use super::wire::{Row, row};

pub(crate) const U8: RangeInclusive<u64> = 0..=0xff;
pub(crate) const U16: RangeInclusive<u64> = 0..=0xffff;
pub(crate) const U32: RangeInclusive<u64> = 0..=0xffff_ffff;
pub(crate) const U64: RangeInclusive<u64> = 0..=u64::MAX;
const BIT: RangeInclusive<u64> = 0..=1;
/// 20 bits, RFC 8200
pub(crate) const FLOW_LABEL: RangeInclusive<u64> = 0..=0xf_ffff;
/// 24 bits, RFC 7348 and RFC 8926
const NETWORK_ID: RangeInclusive<u64> = 0..=0xff_ffff;

pub(crate) const ETHERTYPES: &[(&str, u64)] = &[("802.1Q", 0x8100), ("802.1ad", 0x88a8)];

/// IFLA_BR_; times in hundredths of a second, as ip(8) takes them
pub(crate) static BRIDGE: &[Row] = &[
    row("forward_delay", 1, Number(4, U32)),
    row("hello_time", 2, Number(4, U32)),
    row("max_age", 3, Number(4, U32)),
    row("ageing_time", 4, Number(4, U32)),
    row("stp_state", 5, Number(4, BIT)),
    row("priority", 6, Number(2, U16)),
    row("vlan_filtering", 7, Number(1, BIT)),
    row("vlan_protocol", 8, NetworkWord(ETHERTYPES)),
    row("group_fwd_mask", 9, Number(2, U16)),
    row("group_address", 20, Mac),
    row("fdb_flush", 21, Flag),
    row("mcast_router", 22, Number(1, 0..=2)),
    row("mcast_snooping", 23, Number(1, BIT)),
    row("mcast_query_use_ifaddr", 24, Number(1, BIT)),
    row("mcast_querier", 25, Number(1, BIT)),
    row("mcast_hash_elasticity", 26, Number(4, U32)),
    row("mcast_hash_max", 27, Number(4, U32)),
    row("mcast_last_member_count", 28, Number(4, U32)),
    row("mcast_startup_query_count", 29, Number(4, U32)),
    row("mcast_last_member_interval", 30, Number(8, U64)),
    row("mcast_membership_interval", 31, Number(8, U64)),
    row("mcast_querier_interval", 32, Number(8, U64)),
    row("mcast_query_interval", 33, Number(8, U64)),
    row("mcast_query_response_interval", 34, Number(8, U64)),
    row("mcast_startup_query_interval", 35, Number(8, U64)),
    row("nf_call_iptables", 36, Number(1, BIT)),
    row("nf_call_ip6tables", 37, Number(1, BIT)),
    row("nf_call_arptables", 38, Number(1, BIT)),
    row("vlan_default_pvid", 39, Number(2, 0..=4094)),
    row("vlan_stats_enabled", 41, Number(1, BIT)),
    row("mcast_stats_enabled", 42, Number(1, BIT)),
    row("mcast_igmp_version", 43, Number(1, 2..=3)),
    row("mcast_mld_version", 44, Number(1, 1..=2)),
    row("vlan_stats_per_port", 45, Number(1, BIT)),
    row("no_linklocal_learn", 46, Bit(1)),
    row("mcast_vlan_snooping", 46, Bit(2)),
    row("mst_enabled", 46, Bit(4)),
    row("fdb_max_learned", 49, Number(4, U32)),
];

/// IFLA_BRPORT_
pub(crate) static BRIDGE_SLAVE: &[Row] = &[
    row("state", 1, Number(1, 0..=4)),
    row("priority", 2, Number(2, 0..=63)),
    row("cost", 3, Number(4, 1..=65535)),
    row("hairpin", 4, Switch),
    row("guard", 5, Switch),
    row("root_block", 6, Switch),
    row("fastleave", 7, Switch),
    row("mcast_fast_leave", 7, Switch),
    row("learning", 8, Switch),
    row("flood", 9, Switch),
    row("proxy_arp", 10, Switch),
    row("proxy_arp_wifi", 12, Switch),
    row("fdb_flush", 24, Flag),
    row("mcast_router", 25, Number(1, 0..=2)),
    row("mcast_flood", 27, Switch),
    row("mcast_to_unicast", 28, Switch),
    row("vlan_tunnel", 29, Switch),
    row("bcast_flood", 30, Switch),
    row("group_fwd_mask", 31, Number(2, U16)),
    row("neigh_suppress", 32, Switch),
    row("isolated", 33, Switch),
    row("backup_port", 34, Link),
    row("nobackup_port", 34, Fixed(&[0; 4])),
    row("mcast_eht_hosts_limit", 37, Number(4, U32)),
    row("locked", 39, Switch),
    row("mab", 40, Switch),
    row("mcast_max_groups", 42, Number(4, U32)),
    row("neigh_vlan_suppress", 43, Switch),
];

/// IFLA_VLAN_, linux/if_vlan.h for the flags
pub(crate) static VLAN: &[Row] = &[
    row("id", 1, Number(2, 1..=4094)),
    row("protocol", 5, NetworkWord(ETHERTYPES)),
    row("reorder_hdr", 2, Bit(0x1)),
    row("gvrp", 2, Bit(0x2)),
    row("loose_binding", 2, Bit(0x4)),
    row("mvrp", 2, Bit(0x8)),
    row("bridge_binding", 2, Bit(0x10)),
    row("ingress-qos-map", 4, QosMap),
    row("egress-qos-map", 3, QosMap),
];

const NO: &[u8] = &[0];
pub(crate) const DONT_FRAGMENT: &[(&str, u64)] = &[("unset", 0), ("set", 1), ("inherit", 2)];
pub(crate) const SERVICE: &[(&str, u64)] = &[("inherit", 1)];

/// IFLA_VXLAN_
pub(crate) static VXLAN: &[Row] = &[
    row("id", 1, Number(4, NETWORK_ID)),
    row("vni", 1, Number(4, NETWORK_ID)),
    row("remote", 2, Ip(16)),
    row("group", 2, Ip(16)),
    row("dev", 3, Link),
    row("local", 4, Ip(17)),
    row("ttl", 5, NumberOr(1, U8, &[("auto", 0)])),
    row("hoplimit", 5, NumberOr(1, U8, &[("auto", 0)])),
    row("tos", 6, NumberOr(1, U8, SERVICE)),
    row("dsfield", 6, NumberOr(1, U8, SERVICE)),
    row("learning", 7, Switch),
    row("nolearning", 7, Fixed(NO)),
    row("ageing", 8, NumberOr(4, U32, &[("none", 0)])),
    row("maxaddress", 9, NumberOr(4, U32, &[("unlimited", 0)])),
    row("srcport", 10, Ports),
    row("proxy", 11, Switch),
    row("noproxy", 11, Fixed(NO)),
    row("rsc", 12, Switch),
    row("norsc", 12, Fixed(NO)),
    row("l2miss", 13, Switch),
    row("nol2miss", 13, Fixed(NO)),
    row("l3miss", 14, Switch),
    row("nol3miss", 14, Fixed(NO)),
    row("dstport", 15, Network(2, U16)),
    row("udpcsum", 18, Switch),
    row("noudpcsum", 18, Fixed(NO)),
    row("udp6zerocsumtx", 19, Switch),
    row("noudp6zerocsumtx", 19, Fixed(NO)),
    row("udp6zerocsumrx", 20, Switch),
    row("noudp6zerocsumrx", 20, Fixed(NO)),
    row("remcsumtx", 21, Switch),
    row("noremcsumtx", 21, Fixed(NO)),
    row("remcsumrx", 22, Switch),
    row("noremcsumrx", 22, Fixed(NO)),
    row("gbp", 23, Flag),
    row("external", 25, Switch),
    row("noexternal", 25, Fixed(NO)),
    row("flowlabel", 26, Network(4, FLOW_LABEL)),
    row("gpe", 27, Flag),
    row("df", 29, Word(1, DONT_FRAGMENT)),
    row("vnifilter", 30, Switch),
    row("novnifilter", 30, Fixed(NO)),
];

/// `ttl inherit` has an attribute of its own.
pub(crate) static VXLAN_TTL_INHERIT: Row = row("ttl", 28, Flag);
pub(crate) static GENEVE_TTL_INHERIT: Row = row("ttl", 12, Flag);

/// IFLA_GENEVE_
pub(crate) static GENEVE: &[Row] = &[
    row("id", 1, Number(4, NETWORK_ID)),
    row("vni", 1, Number(4, NETWORK_ID)),
    row("remote", 2, Ip(7)),
    row("ttl", 3, NumberOr(1, U8, &[("auto", 0)])),
    row("tos", 4, NumberOr(1, U8, SERVICE)),
    row("dstport", 5, Network(2, U16)),
    row("external", 6, Flag),
    row("udpcsum", 8, Switch),
    row("noudpcsum", 8, Fixed(NO)),
    row("udp6zerocsumtx", 9, Switch),
    row("noudp6zerocsumtx", 9, Fixed(NO)),
    row("udp6zerocsumrx", 10, Switch),
    row("noudp6zerocsumrx", 10, Fixed(NO)),
    row("flowlabel", 11, Network(4, FLOW_LABEL)),
    row("df", 13, Word(1, DONT_FRAGMENT)),
    row("innerprotoinherit", 14, Flag),
];

/// IFLA_VRF_
pub(crate) static VRF: &[Row] = &[row("table", 1, Number(4, 1..=0xffff_ffff))];

const BOND_MODES: &[(&str, u64)] = &[
    ("balance-rr", 0),
    ("active-backup", 1),
    ("balance-xor", 2),
    ("broadcast", 3),
    ("802.3ad", 4),
    ("balance-tlb", 5),
    ("balance-alb", 6),
];
const BOND_VALIDATE: &[(&str, u64)] = &[
    ("none", 0),
    ("active", 1),
    ("backup", 2),
    ("all", 3),
    ("filter", 4),
    ("filter_active", 5),
    ("filter_backup", 6),
];
const BOND_HASH: &[(&str, u64)] = &[
    ("layer2", 0),
    ("layer3+4", 1),
    ("layer2+3", 2),
    ("encap2+3", 3),
    ("encap3+4", 4),
    ("vlan+srcmac", 5),
];

/// IFLA_BOND_
pub(crate) static BOND: &[Row] = &[
    row("mode", 1, Word(1, BOND_MODES)),
    row("active_slave", 2, Link),
    row("clear_active_slave", 2, Fixed(&[0; 4])),
    row("miimon", 3, Number(4, U32)),
    row("updelay", 4, Number(4, U32)),
    row("downdelay", 5, Number(4, U32)),
    row("use_carrier", 6, Number(1, BIT)),
    row("arp_interval", 7, Number(4, U32)),
    row("arp_ip_target", 8, Ipv4List),
    row("arp_validate", 9, Word(4, BOND_VALIDATE)),
    row("arp_all_targets", 10, Word(4, &[("any", 0), ("all", 1)])),
    row("primary", 11, Link),
    row("primary_reselect", 12, Word(1, &[("always", 0), ("better", 1), ("failure", 2)])),
    row("fail_over_mac", 13, Word(1, &[("none", 0), ("active", 1), ("follow", 2)])),
    row("xmit_hash_policy", 14, Word(1, BOND_HASH)),
    row("resend_igmp", 15, Number(4, 0..=255)),
    row("num_grat_arp", 16, Number(1, U8)),
    row("num_unsol_na", 16, Number(1, U8)),
    row("all_slaves_active", 17, Number(1, BIT)),
    row("min_links", 18, Number(4, U32)),
    row("lp_interval", 19, Number(4, 1..=0x7fff_ffff)),
    row("packets_per_slave", 20, Number(4, U16)),
    row("lacp_rate", 21, Word(1, &[("slow", 0), ("fast", 1)])),
    row("ad_select", 22, Word(1, &[("stable", 0), ("bandwidth", 1), ("count", 2)])),
    row("ad_actor_sys_prio", 24, Number(2, 1..=65535)),
    row("ad_user_port_key", 25, Number(2, 0..=1023)),
    row("ad_actor_system", 26, Mac),
    row("tlb_dynamic_lb", 27, Number(1, BIT)),
    row("peer_notif_delay", 28, Number(4, U32)),
    row("lacp_active", 29, Switch),
    row("arp_missed_max", 30, Number(1, 1..=255)),
    row("coupled_control", 32, Switch),
];

/// IFLA_BOND_SLAVE_
pub(crate) static BOND_SLAVE: &[Row] =
    &[row("queue_id", 5, Number(2, U16)), row("prio", 9, Number(4, U32))];

/// IFLA_HSR_
pub(crate) static HSR: &[Row] = &[
    row("slave1", 1, Link),
    row("slave2", 2, Link),
    row("supervision", 3, Number(1, U8)),
    row("version", 6, Number(1, BIT)),
    row("proto", 7, Number(1, BIT)),
];

/// IFLA_XFRM_
pub(crate) static XFRM: &[Row] =
    &[row("dev", 1, Link), row("if_id", 2, Number(4, U32)), row("external", 3, Flag)];

/// IFLA_BAREUDP_
pub(crate) static BAREUDP: &[Row] = &[
    row("dstport", 1, Network(2, U16)),
    row(
        "ethertype",
        2,
        NetworkWord(&[
            ("ipv4", 0x0800),
            ("ipv6", 0x86dd),
            ("mpls_uc", 0x8847),
            ("mpls_mc", 0x8848),
        ]),
    ),
    row("srcportmin", 3, Number(2, U16)),
    row("multiproto", 4, Flag),
];

/// IFLA_MACSEC_
pub(crate) static MACSEC: &[Row] = &[
    row("sci", 1, Hexadecimal64),
    row("port", 2, Network(2, 1..=65535)),
    row("icvlen", 3, Number(1, 8..=16)),
    row("window", 5, Number(4, U32)),
    row("encodingsa", 6, Number(1, 0..=3)),
    row("encrypt", 7, Switch),
    row("protect", 8, Switch),
    row("send_sci", 9, Switch),
    row("end_station", 10, Switch),
    row("scb", 11, Switch),
    row("replay", 12, Switch),
    row("validate", 13, Word(1, &[("disabled", 0), ("check", 1), ("strict", 2)])),
    row("offload", 15, Word(1, &[("off", 0), ("phy", 1), ("mac", 2)])),
];

/// IFLA_IPVLAN_; `bridge` is the absence of the other two flags
pub(crate) static IPVLAN: &[Row] = &[
    row("mode", 1, Word(2, &[("l2", 0), ("l3", 1), ("l3s", 2)])),
    row("flag", 2, Word(2, &[("bridge", 0), ("private", 1), ("vepa", 2)])),
];

/// IFLA_TUN_, only read: what a tun or tap is is asked for through /dev/net/tun
pub(crate) static TUN: &[Row] = &[
    row("user", 1, Number(4, U32)),
    row("group", 2, Number(4, U32)),
    row("type", 3, Word(1, &[("tun", 1), ("tap", 2)])),
    row("pi", 4, Switch),
    row("vnet_hdr", 5, Switch),
    row("persist", 6, Switch),
    row("multi_queue", 7, Switch),
];

/// Attributes of any link, IFLA_; those of ip-link(8) that have no setting of their own
pub static LINK: &[Row] = &[
    row("numtxqueues", 31, Number(4, 1..=4096)),
    row("numrxqueues", 32, Number(4, 1..=4096)),
    row("gso_max_segs", 40, Number(4, 0..=65535)),
    row("gso_max_size", 41, Number(4, U32)),
    row("gro_max_size", 58, Number(4, U32)),
    row("gso_ipv4_max_size", 63, Number(4, U32)),
    row("gro_ipv4_max_size", 64, Number(4, U32)),
    row("mode", 17, Word(1, &[("default", 0), ("dormant", 1)])),
    row("state", 16, Word(1, OPERATIONAL_STATES)),
];

/// RFC 2863 and linux/if.h
pub const OPERATIONAL_STATES: &[(&str, u64)] = &[
    ("unknown", 0),
    ("notpresent", 1),
    ("down", 2),
    ("lowerlayerdown", 3),
    ("testing", 4),
    ("dormant", 5),
    ("up", 6),
];

/// IFLA_INET6_ADDR_GEN_MODE, inside IFLA_AF_SPEC
pub static INET6: &[Row] =
    &[row("addrgenmode", 8, Word(1, ADDRESS_GENERATION)), row("token", 7, Ipv6)];
const ADDRESS_GENERATION: &[(&str, u64)] =
    &[("eui64", 0), ("none", 1), ("stable_secret", 2), ("random", 3)];
