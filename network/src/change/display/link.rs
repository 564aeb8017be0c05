//! Links in ip-link(8)'s words.

use std::fmt::{self, Formatter, Result};

use super::plain;
use crate::change::{
    Attribute, Ipvlan, IpvlanFlag, IpvlanMode, Kind, LinkName, Macvlan, MacvlanChange, MacvlanMode,
    Setting, Spec, Tuntap, VlanProtocol,
};

pub(super) fn link_add(f: &mut Formatter<'_>, spec: &Spec) -> Result {
    f.write_str("link add ")?;
    if let Some(parent) = &spec.parent {
        write!(f, "link {parent} ")?;
    }
    write!(f, "name {}", spec.name)?;
    spec.settings.iter().try_for_each(|setting| write!(f, " {setting}"))?;
    write!(f, " type {}", spec.kind)
}

impl fmt::Display for LinkName {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.namespace {
            None => write!(f, "{}", plain(&self.name)),
            Some(None) => write!(f, "root/{}", plain(&self.name)),
            Some(Some(namespace)) => write!(f, "{namespace}/{}", plain(&self.name)),
        }
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{}", plain(&self.name))?;
        // A range, as that of vxlan's `srcport`, is two words.
        let numbers = self.value.bytes().all(|byte| byte.is_ascii_digit() || byte == b' ');
        // ip(8) reads these as hexadecimal, whatever they look like.
        let hexadecimal = matches!(self.name.as_str(), "tos" | "tclass" | "dsfield");
        if let (true, Ok(number)) = (hexadecimal, self.value.parse::<u32>()) {
            return write!(f, " {number:#x}");
        }
        match (self.value.as_str(), numbers) {
            ("", _) => Ok(()),
            (numbers, true) => write!(f, " {numbers}"),
            (value, false) => write!(f, " {}", plain(value)),
        }
    }
}

pub(super) fn attributes(f: &mut Formatter<'_>, all: &[Attribute]) -> Result {
    all.iter().try_for_each(|one| write!(f, " {one}"))
}

impl MacvlanMode {
    /// ip-link(8)'s.
    pub fn word(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Vepa => "vepa",
            Self::Bridge => "bridge",
            Self::Passthru => "passthru",
            Self::Source => "source",
        }
    }
}

impl fmt::Display for Macvlan {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if let Some(mode) = self.mode {
            write!(f, " mode {}", mode.word())?;
        }
        if self.nopromisc {
            f.write_str(" nopromisc")?;
        }
        if self.nodst {
            f.write_str(" nodst")?;
        }
        if let Some(length) = self.broadcast_queue_length {
            write!(f, " bcqueuelen {length}")?;
        }
        if !self.sources.is_empty() {
            f.write_str(" macaddr set")?;
        }
        self.sources.iter().try_for_each(|mac| write!(f, " {mac}"))
    }
}

impl fmt::Display for MacvlanChange {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str("type macvlan ")?;
        match self {
            Self::Mode(mode) => write!(f, "mode {}", mode.word()),
            Self::Nopromisc(true) => f.write_str("mode passthru nopromisc"),
            Self::Nopromisc(false) => f.write_str("mode passthru promisc"),
            Self::Nodst(true) => f.write_str("mode source nodst"),
            Self::Nodst(false) => f.write_str("mode source dst"),
            Self::BroadcastQueueLength(length) => write!(f, "bcqueuelen {length}"),
            Self::AddSource(mac) => write!(f, "macaddr add {mac}"),
            Self::RemoveSource(mac) => write!(f, "macaddr del {mac}"),
            Self::SetSources(all) => {
                f.write_str("macaddr set")?;
                all.iter().try_for_each(|mac| write!(f, " {mac}"))
            }
            Self::FlushSources => f.write_str("macaddr flush"),
        }
    }
}

impl fmt::Display for Ipvlan {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        if let Some(mode) = self.mode {
            f.write_str(match mode {
                IpvlanMode::L2 => " mode l2",
                IpvlanMode::L3 => " mode l3",
                IpvlanMode::L3s => " mode l3s",
            })?;
        }
        match self.flag {
            None => Ok(()),
            Some(IpvlanFlag::Private) => f.write_str(" private"),
            Some(IpvlanFlag::Vepa) => f.write_str(" vepa"),
            Some(IpvlanFlag::Bridge) => f.write_str(" bridge"),
        }
    }
}

impl fmt::Display for Tuntap {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let words = [
            (self.packet_information, " pi"),
            (self.vnet_header, " vnet_hdr"),
            (self.multi_queue, " multi_queue"),
            (self.one_queue, " one_queue"),
        ];
        words.iter().filter(|(on, _)| *on).try_for_each(|(_, word)| f.write_str(word))?;
        self.user.iter().try_for_each(|user| write!(f, " user {user}"))?;
        self.group.iter().try_for_each(|group| write!(f, " group {group}"))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Macvlan(macvlan) => write!(f, "macvlan{macvlan}"),
            Self::Macvtap(macvlan) => write!(f, "macvtap{macvlan}"),
            Self::Veth(veth) => {
                write!(f, "veth peer name {}", veth.peer)?;
                veth.peer_settings.iter().try_for_each(|setting| write!(f, " {setting}"))
            }
            Self::Bridge(options) => {
                f.write_str("bridge")?;
                attributes(f, options)
            }
            Self::Vlan(vlan) => {
                match vlan.protocol {
                    VlanProtocol::Dot1q => write!(f, "vlan id {}", vlan.id)?,
                    VlanProtocol::Dot1ad => write!(f, "vlan protocol 802.1ad id {}", vlan.id)?,
                }
                attributes(f, &vlan.options)
            }
            Self::Vxlan(options) => {
                f.write_str("vxlan")?;
                attributes(f, options)
            }
            Self::Dummy => f.write_str("dummy"),
            Self::Ifb => f.write_str("ifb"),
            Self::Ipvlan(ipvlan) => write!(f, "ipvlan{ipvlan}"),
            Self::Ipvtap(ipvlan) => write!(f, "ipvtap{ipvlan}"),
            Self::Tun(tuntap) => write!(f, "tun{tuntap}"),
            Self::Tap(tuntap) => write!(f, "tap{tuntap}"),
            Self::Vrf(table) => write!(f, "vrf table {table}"),
            Self::Other(other) => {
                write!(f, "{}", plain(&other.kind))?;
                attributes(f, &other.options)
            }
        }
    }
}

fn on_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Up(true) => f.write_str("up"),
            Self::Up(false) => f.write_str("down"),
            Self::Mtu(mtu) => write!(f, "mtu {mtu}"),
            Self::Mac(mac) => write!(f, "address {mac}"),
            Self::Broadcast(mac) => write!(f, "broadcast {mac}"),
            Self::Name(name) => write!(f, "name {name}"),
            Self::Alias(alias) => write!(f, "alias {}", plain(alias)),
            Self::Group(group) => write!(f, "group {group}"),
            Self::TransmitQueueLength(length) => write!(f, "txqueuelen {length}"),
            Self::Promiscuous(on) => write!(f, "promisc {}", on_off(*on)),
            Self::AllMulticast(on) => write!(f, "allmulticast {}", on_off(*on)),
            Self::Multicast(on) => write!(f, "multicast {}", on_off(*on)),
            Self::Arp(on) => write!(f, "arp {}", on_off(*on)),
            Self::Dynamic(on) => write!(f, "dynamic {}", on_off(*on)),
            Self::Trailers(on) => write!(f, "trailers {}", on_off(*on)),
            Self::Carrier(on) => write!(f, "carrier {}", on_off(*on)),
            Self::ProtocolDown(on) => write!(f, "protodown {}", on_off(*on)),
            Self::Master(Some(master)) => write!(f, "master {}", plain(master)),
            Self::Master(None) => f.write_str("nomaster"),
            Self::Macvlan(change) => change.fmt(f),
            Self::Options(options) => {
                write!(f, "type {}", plain(&options.kind))?;
                attributes(f, &options.options)
            }
            Self::Other(attribute) => attribute.fmt(f),
        }
    }
}
