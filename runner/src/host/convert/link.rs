//! Links across the edge.

use super::{
    Parsed, attributes, attributes_out, existing_link, mac, mac_out, name, namespace_name, text,
};
use crate::change::{
    Attribute, Ipvlan, IpvlanFlag, IpvlanMode, Kind, LinkInfo, LinkName, Macvlan, MacvlanChange,
    MacvlanMode, Options, Setting, Spec, Tuntap, Veth, Vlan, VlanProtocol,
};
use crate::host::bindings::netwright::host::links as wit;
use crate::kernel::Error;

/// Many times as many as there are.
const MOST_SETTINGS: usize = 256;

pub(in crate::host) fn spec(spec: wit::Spec) -> Parsed<Spec> {
    let name = name(&spec.name)?;
    let kind = match spec.kind {
        // It becomes a port of that bridge, and what is said of its peer means nothing.
        wit::Kind::Veth(_) if spec.parent.is_some() => {
            let peer = LinkName { namespace: None, name: name.to_string() };
            Kind::Veth(Veth { peer, peer_settings: Vec::new() })
        }
        other => kind(other)?,
    };
    Ok(Spec {
        name,
        kind,
        parent: spec.parent.map(link_name).transpose()?,
        settings: settings(spec.settings)?,
    })
}

pub(in crate::host) fn settings(list: Vec<wit::Setting>) -> Parsed<Vec<Setting>> {
    if list.len() > MOST_SETTINGS {
        return Err(Error::Invalid(format!(
            "{} settings at once; {MOST_SETTINGS} are allowed",
            list.len()
        )));
    }
    list.into_iter().map(setting).collect()
}

fn link_name(name: wit::LinkName) -> Parsed<LinkName> {
    let namespace = match name.namespace.as_deref() {
        None => None,
        Some("") => Some(None),
        named => Some(namespace_name(named)?),
    };
    Ok(LinkName { namespace, name: existing_link(&name.name)? })
}

fn kind(kind: wit::Kind) -> Parsed<Kind> {
    Ok(match kind {
        wit::Kind::Macvlan(macvlan) => Kind::Macvlan(self::macvlan(macvlan)),
        wit::Kind::Macvtap(macvlan) => Kind::Macvtap(self::macvlan(macvlan)),
        wit::Kind::Veth(veth) => {
            name(&veth.peer.name)?;
            Kind::Veth(Veth {
                peer: link_name(veth.peer)?,
                peer_settings: settings(veth.peer_settings)?,
            })
        }
        wit::Kind::Bridge(options) => Kind::Bridge(attributes(options)?),
        wit::Kind::Vlan(vlan) => Kind::Vlan(Vlan {
            id: vlan.id,
            protocol: match vlan.protocol {
                wit::VlanProtocol::Dot1q => VlanProtocol::Dot1q,
                wit::VlanProtocol::Dot1ad => VlanProtocol::Dot1ad,
            },
            options: attributes(vlan.options)?,
        }),
        wit::Kind::Vxlan(options) => Kind::Vxlan(attributes(options)?),
        wit::Kind::Dummy => Kind::Dummy,
        wit::Kind::Ifb => Kind::Ifb,
        wit::Kind::Ipvlan(ipvlan) => Kind::Ipvlan(self::ipvlan(ipvlan)),
        wit::Kind::Ipvtap(ipvlan) => Kind::Ipvtap(self::ipvlan(ipvlan)),
        wit::Kind::Tun(tuntap) => Kind::Tun(self::tuntap(tuntap)),
        wit::Kind::Tap(tuntap) => Kind::Tap(self::tuntap(tuntap)),
        wit::Kind::Vrf(table) => Kind::Vrf(table),
        wit::Kind::Other(other) => Kind::Other(options(other)?),
    })
}

fn macvlan_mode(mode: wit::MacvlanMode) -> MacvlanMode {
    match mode {
        wit::MacvlanMode::Private => MacvlanMode::Private,
        wit::MacvlanMode::Vepa => MacvlanMode::Vepa,
        wit::MacvlanMode::Bridge => MacvlanMode::Bridge,
        wit::MacvlanMode::Passthru => MacvlanMode::Passthru,
        wit::MacvlanMode::Source => MacvlanMode::Source,
    }
}

fn macvlan(macvlan: wit::Macvlan) -> Macvlan {
    Macvlan {
        mode: macvlan.mode.map(macvlan_mode),
        nopromisc: macvlan.nopromisc,
        nodst: macvlan.nodst,
        sources: macvlan.sources.into_iter().map(mac).collect(),
        broadcast_queue_length: macvlan.broadcast_queue_length,
    }
}

fn ipvlan(ipvlan: wit::Ipvlan) -> Ipvlan {
    Ipvlan {
        mode: ipvlan.mode.map(|mode| match mode {
            wit::IpvlanMode::L2 => IpvlanMode::L2,
            wit::IpvlanMode::L3 => IpvlanMode::L3,
            wit::IpvlanMode::L3s => IpvlanMode::L3s,
        }),
        flag: ipvlan.flag.map(|flag| match flag {
            wit::IpvlanFlag::Private => IpvlanFlag::Private,
            wit::IpvlanFlag::Vepa => IpvlanFlag::Vepa,
            wit::IpvlanFlag::Bridge => IpvlanFlag::Bridge,
        }),
    }
}

fn tuntap(tuntap: wit::Tuntap) -> Tuntap {
    Tuntap {
        packet_information: tuntap.packet_information,
        vnet_header: tuntap.vnet_header,
        multi_queue: tuntap.multi_queue,
        one_queue: tuntap.one_queue,
        user: tuntap.user,
        group: tuntap.group,
    }
}

fn options(other: wit::Other) -> Parsed<Options> {
    Ok(Options { kind: text(other.kind, "a kind's name")?, options: attributes(other.options)? })
}

fn macvlan_change(change: wit::MacvlanChange) -> MacvlanChange {
    match change {
        wit::MacvlanChange::Mode(mode) => MacvlanChange::Mode(macvlan_mode(mode)),
        wit::MacvlanChange::Nopromisc(on) => MacvlanChange::Nopromisc(on),
        wit::MacvlanChange::Nodst(on) => MacvlanChange::Nodst(on),
        wit::MacvlanChange::BroadcastQueueLength(length) => {
            MacvlanChange::BroadcastQueueLength(length)
        }
        wit::MacvlanChange::AddSource(source) => MacvlanChange::AddSource(mac(source)),
        wit::MacvlanChange::RemoveSource(source) => MacvlanChange::RemoveSource(mac(source)),
        wit::MacvlanChange::SetSources(list) => {
            MacvlanChange::SetSources(list.into_iter().map(mac).collect())
        }
        wit::MacvlanChange::FlushSources => MacvlanChange::FlushSources,
    }
}

fn setting(setting: wit::Setting) -> Parsed<Setting> {
    Ok(match setting {
        wit::Setting::Up(on) => Setting::Up(on),
        wit::Setting::Mtu(mtu) => Setting::Mtu(mtu),
        wit::Setting::Mac(address) => Setting::Mac(mac(address)),
        wit::Setting::Broadcast(address) => Setting::Broadcast(mac(address)),
        wit::Setting::Name(new) => Setting::Name(name(&new)?),
        wit::Setting::Alias(alias) => Setting::Alias(text(alias, "an alias")?),
        wit::Setting::Group(group) => Setting::Group(group),
        wit::Setting::TransmitQueueLength(length) => Setting::TransmitQueueLength(length),
        wit::Setting::Promiscuous(on) => Setting::Promiscuous(on),
        wit::Setting::AllMulticast(on) => Setting::AllMulticast(on),
        wit::Setting::Multicast(on) => Setting::Multicast(on),
        wit::Setting::Arp(on) => Setting::Arp(on),
        wit::Setting::Dynamic(on) => Setting::Dynamic(on),
        wit::Setting::Trailers(on) => Setting::Trailers(on),
        wit::Setting::Carrier(on) => Setting::Carrier(on),
        wit::Setting::ProtocolDown(on) => Setting::ProtocolDown(on),
        wit::Setting::Master(master) => {
            Setting::Master(master.as_deref().map(existing_link).transpose()?)
        }
        wit::Setting::Macvlan(change) => Setting::Macvlan(macvlan_change(change)),
        wit::Setting::Options(other) => Setting::Options(options(other)?),
        wit::Setting::Other(other) => Setting::Other(Attribute {
            name: text(other.name, "a setting's name")?,
            value: text(other.value, "a setting's value")?,
        }),
    })
}

fn link_name_out(name: LinkName) -> wit::LinkName {
    wit::LinkName {
        namespace: name.namespace.map(|named| named.map(String::from).unwrap_or_default()),
        name: name.name,
    }
}

pub(in crate::host) fn link_info(info: LinkInfo) -> wit::Info {
    wit::Info {
        index: info.index,
        name: info.name,
        kind: info.kind,
        up: info.up,
        carrier: info.carrier,
        operational_state: info.operational_state,
        flags: info.flags,
        mtu: info.mtu,
        mac: info.mac.map(mac_out),
        promiscuity: info.promiscuity,
        transmit_queue_length: info.transmit_queue_length,
        group: info.group,
        parent: info.parent.map(link_name_out),
        master: info.master,
        peer: info.peer.map(link_name_out),
        alias: info.alias,
        data: attributes_out(info.data),
        extra: attributes_out(info.extra),
    }
}
