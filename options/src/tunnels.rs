//! The options of tunnel kinds: linux/if_tunnel.h, IFLA_GRE_, IFLA_IPTUN_, IFLA_VTI_.

use super::tables::{FLOW_LABEL, SERVICE, U8, U32};
use super::wire::Direction::{Both, In, Out};
use super::wire::Wire::{
    Fixed, Flag, Ipv4, Ipv6, Link, Network, Number, NumberOr, Switch, TunnelFlag, TunnelFlagOff,
    TunnelKey, TunnelKeyOff, Word,
};
use super::wire::{Direction, GRE_INPUT_FLAGS, GRE_OUTPUT_FLAGS, Row, TunnelKeys, Wire, row};

const NO: &[u8] = &[0];
const CHECKSUM: u16 = 0x8000;
const SEQUENCE: u16 = 0x1000;
const TTL: &[(&str, u64)] = &[("inherit", 0)];

const fn gre_key(direction: Direction) -> Wire {
    let flags = Some((GRE_INPUT_FLAGS, GRE_OUTPUT_FLAGS));
    TunnelKey(direction, TunnelKeys { input: 4, output: 5, flags })
}

const NO_GRE_KEY: Wire = {
    let flags = Some((GRE_INPUT_FLAGS, GRE_OUTPUT_FLAGS));
    TunnelKeyOff(TunnelKeys { input: 4, output: 5, flags })
};
const NO_VTI_KEY: Wire = TunnelKeyOff(TunnelKeys { input: 2, output: 3, flags: None });

const fn vti_key(direction: Direction) -> Wire {
    TunnelKey(direction, TunnelKeys { input: 2, output: 3, flags: None })
}

pub(crate) static GRE: &[Row] = &[
    row("dev", 1, Link),
    row("key", 4, gre_key(Both)),
    row("ikey", 4, gre_key(In)),
    row("okey", 5, gre_key(Out)),
    row("nokey", 4, NO_GRE_KEY),
    row("seq", 2, TunnelFlag(Both, SEQUENCE)),
    row("iseq", 2, TunnelFlag(In, SEQUENCE)),
    row("oseq", 3, TunnelFlag(Out, SEQUENCE)),
    row("noseq", 2, TunnelFlagOff(SEQUENCE)),
    row("csum", 2, TunnelFlag(Both, CHECKSUM)),
    row("icsum", 2, TunnelFlag(In, CHECKSUM)),
    row("ocsum", 3, TunnelFlag(Out, CHECKSUM)),
    row("nocsum", 2, TunnelFlagOff(CHECKSUM)),
    row("local", 6, Ipv4),
    row("remote", 7, Ipv4),
    row("ttl", 8, NumberOr(1, U8, TTL)),
    row("tos", 9, NumberOr(1, U8, SERVICE)),
    row("pmtudisc", 10, Switch),
    row("nopmtudisc", 10, Fixed(NO)),
    row("external", 18, Flag),
    row("ignore-df", 19, Switch),
    row("noignore-df", 19, Fixed(NO)),
    row("fwmark", 20, Number(4, U32)),
];

pub(crate) static ERSPAN: &[Row] = &[
    row("dev", 1, Link),
    row("key", 4, gre_key(Both)),
    row("ikey", 4, gre_key(In)),
    row("okey", 5, gre_key(Out)),
    row("nokey", 4, NO_GRE_KEY),
    row("seq", 2, TunnelFlag(Both, SEQUENCE)),
    row("noseq", 2, TunnelFlagOff(SEQUENCE)),
    row("local", 6, Ipv4),
    row("remote", 7, Ipv4),
    row("ttl", 8, NumberOr(1, U8, TTL)),
    row("tos", 9, NumberOr(1, U8, SERVICE)),
    row("external", 18, Flag),
    row("fwmark", 20, Number(4, U32)),
    row("erspan", 21, Number(4, 0..=0xf_ffff)),
    row("erspan_ver", 22, Number(1, 0..=2)),
    row("erspan_dir", 23, Word(1, &[("ingress", 0), ("egress", 1)])),
    row("erspan_hwid", 24, Number(2, 0..=63)),
];

pub(crate) static GRE6: &[Row] = &[
    row("dev", 1, Link),
    row("key", 4, gre_key(Both)),
    row("ikey", 4, gre_key(In)),
    row("okey", 5, gre_key(Out)),
    row("nokey", 4, NO_GRE_KEY),
    row("seq", 2, TunnelFlag(Both, SEQUENCE)),
    row("iseq", 2, TunnelFlag(In, SEQUENCE)),
    row("oseq", 3, TunnelFlag(Out, SEQUENCE)),
    row("noseq", 2, TunnelFlagOff(SEQUENCE)),
    row("csum", 2, TunnelFlag(Both, CHECKSUM)),
    row("icsum", 2, TunnelFlag(In, CHECKSUM)),
    row("ocsum", 3, TunnelFlag(Out, CHECKSUM)),
    row("nocsum", 2, TunnelFlagOff(CHECKSUM)),
    row("local", 6, Ipv6),
    row("remote", 7, Ipv6),
    row("hoplimit", 8, Number(1, U8)),
    row("ttl", 8, Number(1, U8)),
    row("encaplimit", 11, Number(1, U8)),
    row("flowlabel", 12, Network(4, FLOW_LABEL)),
    row("external", 18, Flag),
    row("fwmark", 20, Number(4, U32)),
];

const PROTOCOLS: &[(&str, u64)] = &[("any", 0), ("ipip", 4), ("ip6ip", 41), ("mplsip", 137)];

/// ipip and sit
pub(crate) static IPTUN: &[Row] = &[
    row("dev", 1, Link),
    row("local", 2, Ipv4),
    row("remote", 3, Ipv4),
    row("ttl", 4, NumberOr(1, U8, TTL)),
    row("tos", 5, NumberOr(1, U8, SERVICE)),
    row("mode", 9, Word(1, PROTOCOLS)),
    row("pmtudisc", 10, Switch),
    row("nopmtudisc", 10, Fixed(NO)),
    row("external", 19, Flag),
    row("fwmark", 20, Number(4, U32)),
];

const PROTOCOLS6: &[(&str, u64)] = &[("any", 0), ("ipip6", 4), ("ip6ip6", 41)];

pub(crate) static IP6TNL: &[Row] = &[
    row("dev", 1, Link),
    row("local", 2, Ipv6),
    row("remote", 3, Ipv6),
    row("hoplimit", 4, Number(1, U8)),
    row("ttl", 4, Number(1, U8)),
    row("encaplimit", 6, Number(1, U8)),
    row("flowlabel", 7, Network(4, FLOW_LABEL)),
    row("mode", 9, Word(1, PROTOCOLS6)),
    row("external", 19, Flag),
    row("fwmark", 20, Number(4, U32)),
];

pub(crate) static VTI: &[Row] = &[
    row("dev", 1, Link),
    row("key", 2, vti_key(Both)),
    row("ikey", 2, vti_key(In)),
    row("okey", 3, vti_key(Out)),
    row("nokey", 2, NO_VTI_KEY),
    row("local", 4, Ipv4),
    row("remote", 5, Ipv4),
    row("fwmark", 6, Number(4, U32)),
];

pub(crate) static VTI6: &[Row] = &[
    row("dev", 1, Link),
    row("key", 2, vti_key(Both)),
    row("ikey", 2, vti_key(In)),
    row("okey", 3, vti_key(Out)),
    row("nokey", 2, NO_VTI_KEY),
    row("local", 4, Ipv6),
    row("remote", 5, Ipv6),
    row("fwmark", 6, Number(4, U32)),
];
