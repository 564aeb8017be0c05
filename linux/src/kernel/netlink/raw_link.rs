//! A link as the kernel's message has it, before names are put to numbers.
//!
//! Read from the attributes themselves: netlink-packet-route refuses a whole message for one
//! value that it can't parse, and a link's own data are read by table in `kind`.

use netlink_packet_core::{DefaultNla, Emitable};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{LinkAttribute, LinkExtentMask, LinkHeader, LinkMessage};
use netwright_network::raw;

use super::attributes::{find, text, u8_of, u32_of, u64_of};
use super::socket::Body;
use crate::change::{MacAddress, Statistics};
use crate::kernel::kind::{macvlan, options};

/// linux/if_link.h
const IFLA_ADDRESS: u16 = 1;
const IFLA_BROADCAST: u16 = 2;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_LINK: u16 = 5;
const IFLA_MASTER: u16 = 10;
const IFLA_TXQLEN: u16 = 13;
const IFLA_OPERSTATE: u16 = 16;
const IFLA_LINKINFO: u16 = 18;
pub(crate) const IFLA_IFALIAS: u16 = 20;
const IFLA_STATS64: u16 = 23;
const IFLA_AF_SPEC: u16 = 26;
const IFLA_GROUP: u16 = 27;
const IFLA_PROMISCUITY: u16 = 30;
const IFLA_CARRIER: u16 = 33;
const IFLA_LINK_NETNSID: u16 = 37;
const IFLA_PROTO_DOWN: u16 = 39;
const IFLA_PERM_ADDRESS: u16 = 54;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const IFLA_INFO_SLAVE_KIND: u16 = 4;
const IFLA_INFO_SLAVE_DATA: u16 = 5;
const IFLA_INET_CONF: u16 = 1;
const IFLA_INET6_CONF: u16 = 2;

/// What somebody can set on a link, and what stays with it in another namespace: among others the
/// largest segments that it is given and makes (IFLA_GSO_MAX_SEGS to IFLA_GRO_IPV4_MAX_SIZE), and its
/// alternative names.
const SET: [u16; 15] = [
    IFLA_ADDRESS,
    IFLA_BROADCAST,
    IFLA_IFNAME,
    IFLA_MTU,
    IFLA_TXQLEN,
    17,
    IFLA_IFALIAS,
    IFLA_GROUP,
    IFLA_PROTO_DOWN,
    40,
    41,
    52,
    58,
    63,
    64,
];
const SET_FLAGS: u32 =
    IFF_NOTRAILERS | IFF_NOARP | IFF_PROMISC | IFF_ALLMULTI | IFF_MULTICAST | IFF_DYNAMIC;

/// linux/if.h
pub(crate) const IFF_UP: u32 = 1;
pub(crate) const IFF_LOOPBACK: u32 = 1 << 3;
pub(crate) const IFF_NOTRAILERS: u32 = 1 << 5;
pub(crate) const IFF_NOARP: u32 = 1 << 7;
pub(crate) const IFF_PROMISC: u32 = 1 << 8;
pub(crate) const IFF_ALLMULTI: u32 = 1 << 9;
pub(crate) const IFF_MULTICAST: u32 = 1 << 12;
pub(crate) const IFF_DYNAMIC: u32 = 1 << 15;
pub(crate) const IFF_LOWER_UP: u32 = 1 << 16;

/// In ip(8)'s words and order.
const FLAG_WORDS: &[(u32, &str)] = &[
    (IFF_LOOPBACK, "LOOPBACK"),
    (1 << 1, "BROADCAST"),
    (1 << 4, "POINTOPOINT"),
    (IFF_MULTICAST, "MULTICAST"),
    (IFF_NOARP, "NOARP"),
    (IFF_ALLMULTI, "ALLMULTI"),
    (IFF_PROMISC, "PROMISC"),
    (1 << 10, "MASTER"),
    (1 << 11, "SLAVE"),
    (1 << 2, "DEBUG"),
    (IFF_DYNAMIC, "DYNAMIC"),
    (1 << 14, "AUTOMEDIA"),
    (1 << 13, "PORTSEL"),
    (IFF_NOTRAILERS, "NOTRAILERS"),
    (IFF_UP, "UP"),
    (IFF_LOWER_UP, "LOWER_UP"),
    (1 << 17, "DORMANT"),
    (1 << 18, "ECHO"),
];

#[derive(Debug, Clone)]
pub(crate) struct RawLink {
    pub(crate) index: u32,
    pub(crate) flags: u32,
    pub(crate) name: String,
    attributes: Vec<u8>,
}

impl RawLink {
    pub(crate) fn parse(body: &Body) -> Option<Self> {
        let header = LinkHeader::parse(&body.1).ok()?;
        let attributes = body.1.get(header.buffer_len()..)?;
        Some(Self {
            index: header.index,
            flags: header.flags.bits(),
            name: raw::from_kernel(find(attributes, IFLA_IFNAME)?),
            attributes: attributes.to_vec(),
        })
    }

    fn number(&self, kind: u16) -> Option<u32> {
        find(&self.attributes, kind).and_then(u32_of)
    }

    fn info(&self, kind: u16) -> Option<&[u8]> {
        find(find(&self.attributes, IFLA_LINKINFO)?, kind)
    }

    pub(crate) fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// Whether all that somebody can set on it is the same on another, but for whether it is up.
    pub(crate) fn is_set_like(&self, other: &Self) -> bool {
        let of = |link: &Self| {
            let all = SET.map(|kind| find(&link.attributes, kind).map(<[u8]>::to_vec));
            (link.flags & SET_FLAGS, all, link.data().to_vec())
        };
        of(self) == of(other)
    }

    pub(crate) fn flag_words(&self) -> Vec<String> {
        // NO-CARRIER is ip(8)'s own: up, but nothing below is.
        let no_carrier = self.has(IFF_UP) && !self.carrier();
        let set = FLAG_WORDS.iter().filter(|(flag, _)| self.has(*flag));
        let words = set.map(|(_, word)| (*word).to_owned());
        no_carrier.then(|| "NO-CARRIER".to_owned()).into_iter().chain(words).collect()
    }

    /// As `ip -d link` names it; `loopback` and `device` where the kernel names none.
    pub(crate) fn kind(&self) -> String {
        match self.info(IFLA_INFO_KIND) {
            Some(kind) => text(kind),
            None if self.has(IFF_LOOPBACK) => "loopback".to_owned(),
            None => "device".to_owned(),
        }
    }

    pub(crate) fn data(&self) -> &[u8] {
        self.info(IFLA_INFO_DATA).unwrap_or_default()
    }

    /// Such as `bridge`, for a bridge's port.
    pub(crate) fn slave_kind(&self) -> Option<String> {
        self.info(IFLA_INFO_SLAVE_KIND).map(text)
    }

    pub(crate) fn slave_data(&self) -> &[u8] {
        self.info(IFLA_INFO_SLAVE_DATA).unwrap_or_default()
    }

    pub(crate) fn macvlan(&self) -> macvlan::State {
        macvlan::state(self.data())
    }

    pub(crate) fn is_macvlan(&self) -> bool {
        matches!(self.kind().as_str(), "macvlan" | "macvtap")
    }

    pub(crate) fn mtu(&self) -> u32 {
        self.number(IFLA_MTU).unwrap_or(0)
    }

    pub(crate) fn mac(&self) -> Option<MacAddress> {
        find(&self.attributes, IFLA_ADDRESS)?.try_into().ok().map(MacAddress)
    }

    /// The hardware's own.
    pub(crate) fn permanent_mac(&self) -> Option<MacAddress> {
        find(&self.attributes, IFLA_PERM_ADDRESS)?.try_into().ok().map(MacAddress)
    }

    pub(crate) fn broadcast(&self) -> Option<MacAddress> {
        find(&self.attributes, IFLA_BROADCAST)?.try_into().ok().map(MacAddress)
    }

    /// The link below, or a veth's peer: its index in the namespace that [`Self::link_nsid`] says.
    pub(crate) fn link(&self) -> Option<u32> {
        self.number(IFLA_LINK).filter(|index| *index != 0)
    }

    pub(crate) fn link_nsid(&self) -> Option<i32> {
        self.number(IFLA_LINK_NETNSID).map(|id| id as i32)
    }

    pub(crate) fn master(&self) -> Option<u32> {
        self.number(IFLA_MASTER).filter(|index| *index != 0)
    }

    pub(crate) fn alias(&self) -> Option<String> {
        find(&self.attributes, IFLA_IFALIAS).map(raw::from_kernel).filter(|alias| !alias.is_empty())
    }

    pub(crate) fn group(&self) -> u32 {
        self.number(IFLA_GROUP).unwrap_or(0)
    }

    pub(crate) fn transmit_queue_length(&self) -> u32 {
        self.number(IFLA_TXQLEN).unwrap_or(0)
    }

    pub(crate) fn promiscuity(&self) -> u32 {
        self.number(IFLA_PROMISCUITY).unwrap_or(0)
    }

    pub(crate) fn carrier(&self) -> bool {
        self.byte(IFLA_CARRIER) != 0
    }

    pub(crate) fn protocol_down(&self) -> bool {
        self.byte(IFLA_PROTO_DOWN) != 0
    }

    fn byte(&self, kind: u16) -> u8 {
        find(&self.attributes, kind).and_then(u8_of).unwrap_or(0)
    }

    pub(crate) fn operational_state(&self) -> String {
        options::operational_state(self.byte(IFLA_OPERSTATE))
    }

    pub(crate) fn attributes(&self) -> &[u8] {
        &self.attributes
    }

    /// IFLA_AF_SPEC's part for IPv6.
    pub(crate) fn inet6(&self) -> &[u8] {
        let all = find(&self.attributes, IFLA_AF_SPEC).unwrap_or_default();
        find(all, libc::AF_INET6 as u16).unwrap_or_default()
    }

    /// A setting of /proc/sys/net/ipv6/conf, by its DEVCONF_ number; none of a link without IPv6.
    pub(crate) fn inet6_setting(&self, place: usize) -> Option<u32> {
        setting(find(self.inet6(), IFLA_INET6_CONF)?, place)
    }

    /// The same of /proc/sys/net/ipv4/conf, whose numbers begin with 1.
    pub(crate) fn inet_setting(&self, place: usize) -> Option<u32> {
        let all = find(&self.attributes, IFLA_AF_SPEC).unwrap_or_default();
        setting(find(find(all, libc::AF_INET as u16)?, IFLA_INET_CONF)?, place)
    }

    /// struct rtnl_link_stats64, linux/if_link.h
    pub(crate) fn statistics(&self) -> Option<Statistics> {
        let value = find(&self.attributes, IFLA_STATS64)?;
        let field = |place: usize| value.get(place * 8..).and_then(u64_of).unwrap_or(0);
        Some(Statistics {
            received_packets: field(0),
            sent_packets: field(1),
            received_bytes: field(2),
            sent_bytes: field(3),
            received_errors: field(4),
            sent_errors: field(5),
            received_dropped: field(6),
            sent_dropped: field(7),
        })
    }
}

fn setting(all: &[u8], place: usize) -> Option<u32> {
    all.get(place * size_of::<u32>()..).and_then(u32_of)
}

/// A text as the kernel has it.
pub(crate) fn terminated(text: &str) -> Vec<u8> {
    let mut bytes = raw::to_kernel(text);
    bytes.push(0);
    bytes
}

/// RTM_GETLINK for all links, by index or by name; without statistics, unless asked for.
pub(crate) fn get_link(
    index: Option<u32>,
    name: Option<&str>,
    statistics: bool,
) -> RouteNetlinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = index.unwrap_or(0);
    if let Some(name) = name {
        let name = DefaultNla::new(IFLA_IFNAME, terminated(name));
        message.attributes.push(LinkAttribute::Other(name));
    }
    if !statistics {
        message.attributes.push(LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats]));
    }
    RouteNetlinkMessage::GetLink(message)
}
