//! Settings of links as messages: at birth in the request that makes the link, else in requests
//! of their own; and what takes them back.

use netlink_packet_core::DefaultNla;
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{InfoKind, LinkAttribute, LinkInfo};
use rtnetlink::{LinkMessageBuilder, LinkUnspec};

use netwright_network::refusal;

use super::attributes::Nest;
use super::narrow::LEAST_IPV6;
use super::raw_link::{
    IFF_ALLMULTI, IFF_DYNAMIC, IFF_MULTICAST, IFF_NOARP, IFF_NOTRAILERS, IFF_PROMISC, IFF_UP,
    IFLA_IFALIAS, RawLink, terminated,
};
use super::socket::Request;
use crate::change::{Attribute, LinkRef, Options, Setting};
use crate::kernel::Error;
use crate::kernel::kind::{self, macvlan, options};

/// linux/if_link.h
const IFLA_INFO_DATA: u16 = 2;
const IFLA_INFO_SLAVE_KIND: u16 = 4;
const IFLA_INFO_SLAVE_DATA: u16 = 5;
const IFLA_AF_SPEC: u16 = 26;

/// A bridge's port has one or none, and the kernel tells nothing of none.
const BACKUP_PORT: [&str; 2] = ["backup_port", "nobackup_port"];

/// Finds a link of the same namespace by name.
pub(crate) type IndexOf<'a> = &'a mut dyn FnMut(&str) -> Result<u32, Error>;

/// A link message under construction, of whatever kind.
pub(crate) type Builder<T> = LinkMessageBuilder<T>;

/// Puts a setting into a link message, where it is a plain attribute or flag.
/// Gives the builder back, and whether the setting went into it.
pub(crate) fn put<T>(
    builder: Builder<T>,
    setting: &Setting,
    index_of: IndexOf<'_>,
) -> Result<(Builder<T>, bool), Error> {
    let done = match setting {
        Setting::Up(true) => builder.up(),
        Setting::Up(false) => builder.down(),
        Setting::Mtu(mtu) => builder.mtu(*mtu),
        Setting::Mac(mac) => builder.address(mac.0.to_vec()),
        Setting::Broadcast(mac) => builder.broadcast(mac.0.to_vec()),
        Setting::Name(name) => builder.name(name.as_str()),
        Setting::Alias(alias) => {
            let alias = DefaultNla::new(IFLA_IFALIAS, terminated(alias));
            builder.append_extra_attribute(LinkAttribute::Other(alias))
        }
        Setting::Group(group) => builder.link_group(*group),
        Setting::TransmitQueueLength(length) => builder.txqueuelen(*length),
        Setting::Promiscuous(on) => builder.promiscuous(*on),
        Setting::AllMulticast(on) => builder.allmulticast(*on),
        Setting::Multicast(on) => builder.multicast(*on),
        Setting::Arp(on) => builder.arp(*on),
        Setting::Dynamic(on) => builder.dynamic(*on),
        Setting::Trailers(on) => builder.notrailers(*on),
        Setting::Carrier(on) => builder.carrier(*on),
        Setting::ProtocolDown(on) => builder.protodown(*on),
        Setting::Master(Some(name)) => builder.controller(index_of(name)?),
        Setting::Master(None) => builder.nocontroller(),
        Setting::Other(attribute) => builder.append_extra_attribute(other(attribute)?),
        Setting::Macvlan(_) | Setting::Options(_) => return Ok((builder, false)),
    };
    Ok((done, true))
}

/// Whether the kernel heeds a setting in the request that makes a link (rtnl_create_link and
/// rtnl_newlink_create, net/core/rtnetlink.c); it ignores others there without a word.
pub(crate) fn at_birth(setting: &Setting) -> bool {
    match setting {
        Setting::Up(_)
        | Setting::Mtu(_)
        | Setting::Mac(_)
        | Setting::Broadcast(_)
        | Setting::Group(_)
        | Setting::TransmitQueueLength(_)
        | Setting::Promiscuous(_)
        | Setting::AllMulticast(_)
        | Setting::Multicast(_)
        | Setting::Arp(_)
        | Setting::Dynamic(_)
        | Setting::Trailers(_)
        | Setting::Master(_) => true,
        Setting::Other(_) => !is_address_generation(setting),
        Setting::Name(_)
        | Setting::Alias(_)
        | Setting::Carrier(_)
        | Setting::ProtocolDown(_)
        | Setting::Macvlan(_)
        | Setting::Options(_) => false,
    }
}

fn other(attribute: &Attribute) -> Result<LinkAttribute, Error> {
    if options::is_inet6(&attribute.name) {
        let (kind, value) = options::inet6_attribute(attribute).map_err(Error::Invalid)?;
        let mut inet6 = Nest::new();
        inet6.put(kind, value);
        let mut families = Nest::new();
        families.put_nest(libc::AF_INET6 as u16, &inet6);
        return Ok(LinkAttribute::Other(families.attribute(IFLA_AF_SPEC)));
    }
    let (kind, value) = options::link_attribute(attribute).map_err(Error::Invalid)?;
    Ok(LinkAttribute::Other(DefaultNla::new(kind, value)))
}

/// The requests that bring settings about on a link that exists: one for all plain ones, and one
/// for each change of its kind's data, which can't share an attribute.
///
/// `given` is asked only for settings that depend on what the link is.
pub(crate) fn requests(
    index: u32,
    link: &dyn Fn() -> Result<RawLink, Error>,
    settings: &[Setting],
    index_of: IndexOf<'_>,
) -> Result<Vec<Request>, Error> {
    let mut builder = LinkUnspec::new_with_index(index);
    let mut plain = false;
    let (mut before, mut after) = (Vec::new(), Vec::new());
    let mut raw: Option<RawLink> = None;
    for setting in settings {
        if is_address_generation(setting) {
            // In one request the kernel would put the link up first, and give it an address.
            let (alone, _) = put(LinkUnspec::new_with_index(index), setting, index_of)?;
            before.push(set_link(alone));
            continue;
        }
        let (next, done) = put(builder, setting, index_of)?;
        builder = next;
        plain |= done;
        if done {
            continue;
        }
        let known = match raw.take() {
            Some(known) => known,
            None => link()?,
        };
        if let Setting::Macvlan(change) = setting {
            if !known.is_macvlan() {
                return Err(wrong_kind(&known, "macvlan"));
            }
            let data = macvlan::encode_change(change, &known.macvlan());
            before.push(data_request(index, &known.kind(), &data));
        } else if let Setting::Options(given) = setting {
            if given.kind.ends_with("_slave") {
                check_port(&known, given, settings)?;
                after.push(port_request(index, given, index_of)?);
            } else if known.kind() == given.kind {
                let all = with_flags(&known, given);
                let mut data = options::encode(&given.kind, &all, index_of)?;
                if kind::is_replaced_whole(&given.kind) {
                    data.put_missing(known.data());
                }
                before.push(data_request(index, &given.kind, &data));
            } else {
                return Err(wrong_kind(&known, &given.kind));
            }
        }
        raw = Some(known);
    }
    if plain {
        before.push(set_link(builder));
    }
    before.append(&mut after);
    Ok(before)
}

/// Flags and keys of a tunnel share attributes: where one is altered, the others are sent as they
/// are, as iproute2 does (ip/link_gre.c).
fn with_flags(link: &RawLink, given: &Options) -> Vec<Attribute> {
    let flagged = given.options.iter().any(|one| options::is_tunnel_flag(&given.kind, one));
    let mut all =
        if flagged { options::tunnel_flags(&given.kind, link.data()) } else { Vec::new() };
    all.extend(given.options.iter().cloned());
    all
}

/// The kernel ignores a port's options on a link that is none.
fn check_port(link: &RawLink, given: &Options, settings: &[Setting]) -> Result<(), Error> {
    let enslaves = settings.iter().any(|one| matches!(one, Setting::Master(Some(_))));
    if link.slave_kind().is_some() || enslaves {
        return Ok(());
    }
    Err(Error::Invalid(refusal::no_port(&link.name, &given.kind)))
}

fn set_link(builder: Builder<LinkUnspec>) -> Request {
    Request { message: RouteNetlinkMessage::SetLink(builder.build()), flags: 0 }
}

pub(crate) fn is_address_generation(setting: &Setting) -> bool {
    matches!(setting, Setting::Other(attribute) if options::is_inet6(&attribute.name))
}

fn wrong_kind(link: &RawLink, asked: &str) -> Error {
    Error::Invalid(refusal::of_another_kind(&link.name, &link.kind(), asked))
}

/// RTM_NEWLINK without NLM_F_CREATE: RTM_SETLINK does not look at a kind's data.
fn data_request(index: u32, kind: &str, data: &Nest) -> Request {
    let info = vec![
        LinkInfo::Kind(InfoKind::Other(kind.to_owned())),
        LinkInfo::Other(data.attribute(IFLA_INFO_DATA)),
    ];
    new_link(index, info)
}

/// Options of a port's place in its master.
pub(crate) fn port_request(
    index: u32,
    given: &Options,
    index_of: IndexOf<'_>,
) -> Result<Request, Error> {
    let data = options::encode(&given.kind, &given.options, index_of)?;
    let kind = given.kind.trim_end_matches("_slave");
    let mut name = kind.as_bytes().to_vec();
    name.push(0);
    let info = vec![
        LinkInfo::Other(DefaultNla::new(IFLA_INFO_SLAVE_KIND, name)),
        LinkInfo::Other(data.attribute(IFLA_INFO_SLAVE_DATA)),
    ];
    Ok(new_link(index, info))
}

fn new_link(index: u32, info: Vec<LinkInfo>) -> Request {
    let builder =
        LinkUnspec::new_with_index(index).append_extra_attribute(LinkAttribute::LinkInfo(info));
    Request { message: RouteNetlinkMessage::NewLink(builder.build()), flags: 0 }
}

/// The settings that put back what the given ones alter. `name_of` names links of the namespace.
pub(crate) fn inverse(
    before: &RawLink,
    settings: &[Setting],
    name_of: &mut dyn FnMut(u32) -> Option<String>,
) -> Vec<Setting> {
    let mut steps: Vec<Setting> = Vec::new();
    for setting in settings.iter().rev() {
        steps.extend(inverse_of(before, setting, name_of).into_iter().flat_map(mode_last));
        if let Setting::Macvlan(change) = setting {
            steps.extend(macvlan::forgotten(change, &before.macvlan()).map(Setting::Macvlan));
        }
    }
    // What is put back last of all is whether it is up: much can only be set on a link that is
    // down, and the kernel takes all of one request in an order of its own.
    steps.sort_by_key(|step| matches!(step, Setting::Up(_)));
    steps
}

/// All that somebody can set on a link of any kind, but for its name, its master and whether it is
/// up. The MTU comes first: below 1280 the link has no IPv6 that anything could be set of.
pub(crate) fn all_of(link: &RawLink) -> Vec<Setting> {
    let mut all = vec![
        Setting::Mtu(link.mtu()),
        Setting::Alias(link.alias().unwrap_or_default()),
        Setting::Group(link.group()),
        Setting::TransmitQueueLength(link.transmit_queue_length()),
        Setting::Promiscuous(link.has(IFF_PROMISC)),
        Setting::AllMulticast(link.has(IFF_ALLMULTI)),
        Setting::Multicast(link.has(IFF_MULTICAST)),
        Setting::Arp(!link.has(IFF_NOARP)),
        Setting::Dynamic(link.has(IFF_DYNAMIC)),
        Setting::Trailers(!link.has(IFF_NOTRAILERS)),
        Setting::ProtocolDown(link.protocol_down()),
    ];
    all.extend(link.mac().map(Setting::Mac));
    all.extend(link.broadcast().map(Setting::Broadcast));
    all.extend(options::read_link(link.attributes()).into_iter().map(Setting::Other));
    all
}

/// Whether a link has a setting already.
pub(crate) fn is_so(link: &RawLink, setting: &Setting) -> bool {
    match setting {
        // Links of the namespace, and what is done entry by entry, are looked at elsewhere.
        Setting::Master(_) | Setting::Macvlan(_) | Setting::Options(_) => false,
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
        | Setting::Other(_) => inverse_of(link, setting, &mut |_| None).as_ref() == Some(setting),
    }
}

/// The MTU that is asked for.
pub(crate) fn mtu(settings: &[Setting]) -> Option<u32> {
    settings.iter().rev().find_map(|setting| match setting {
        Setting::Mtu(mtu) => Some(*mtu),
        _ => None,
    })
}

/// The kernel sets a bond's mode before its other options, and refuses those of 802.3ad in any other
/// mode: what they were is put back while the mode is still that one.
fn mode_last(step: Setting) -> Vec<Setting> {
    let Setting::Options(given) = step else { return vec![step] };
    let leaves = |option: &Attribute| option.name == "mode" && option.value != "802.3ad";
    if given.kind != "bond" || !given.options.iter().any(leaves) {
        return vec![Setting::Options(given)];
    }
    let (mode, others): (Vec<_>, Vec<_>) = given.options.into_iter().partition(leaves);
    let parts = [others, mode].into_iter().filter(|part| !part.is_empty());
    parts.map(|options| Setting::Options(Options { kind: given.kind.clone(), options })).collect()
}

fn inverse_of(
    before: &RawLink,
    setting: &Setting,
    name_of: &mut dyn FnMut(u32) -> Option<String>,
) -> Option<Setting> {
    Some(match setting {
        Setting::Up(_) => Setting::Up(before.has(IFF_UP)),
        Setting::Mtu(_) => Setting::Mtu(before.mtu()),
        Setting::Mac(_) => Setting::Mac(before.mac()?),
        Setting::Broadcast(_) => Setting::Broadcast(before.broadcast()?),
        Setting::Name(_) => Setting::Name(before.name.parse().ok()?),
        Setting::Alias(_) => Setting::Alias(before.alias().unwrap_or_default()),
        Setting::Group(_) => Setting::Group(before.group()),
        Setting::TransmitQueueLength(_) => {
            Setting::TransmitQueueLength(before.transmit_queue_length())
        }
        Setting::Promiscuous(_) => Setting::Promiscuous(before.has(IFF_PROMISC)),
        Setting::AllMulticast(_) => Setting::AllMulticast(before.has(IFF_ALLMULTI)),
        Setting::Multicast(_) => Setting::Multicast(before.has(IFF_MULTICAST)),
        Setting::Arp(_) => Setting::Arp(!before.has(IFF_NOARP)),
        Setting::Dynamic(_) => Setting::Dynamic(before.has(IFF_DYNAMIC)),
        Setting::Trailers(_) => Setting::Trailers(!before.has(IFF_NOTRAILERS)),
        Setting::Carrier(_) => Setting::Carrier(before.carrier()),
        Setting::ProtocolDown(_) => Setting::ProtocolDown(before.protocol_down()),
        Setting::Master(_) => Setting::Master(before.master().and_then(&mut *name_of)),
        Setting::Macvlan(change) => Setting::Macvlan(macvlan::inverse(change, &before.macvlan())?),
        Setting::Options(given) => Setting::Options(old_options(before, given, name_of)?),
        Setting::Other(attribute) => Setting::Other(old_attribute(before, attribute)?),
    })
}

fn old_options(
    before: &RawLink,
    given: &Options,
    name_of: &mut dyn FnMut(u32) -> Option<String>,
) -> Option<Options> {
    let port = given.kind.ends_with("_slave");
    let data = if port { before.slave_data() } else { before.data() };
    let all = kind::read(&given.kind, data, name_of);
    let names: Vec<_> = given
        .options
        .iter()
        .filter_map(|option| options::canonical(&given.kind, &option.name))
        .collect();
    let flag = |option: &Attribute| options::is_tunnel_flag(&given.kind, option);
    let mut old: Vec<Attribute> = all
        .into_iter()
        .filter(|option| !flag(option) && names.contains(&option.name.as_str()))
        .collect();
    if given.options.iter().any(flag) {
        old.extend(options::no_tunnel_flags(&given.kind));
        old.extend(options::tunnel_flags(&given.kind, data));
    }
    let told = |option: &Attribute| BACKUP_PORT.contains(&option.name.as_str());
    if given.options.iter().any(told) && !old.iter().any(told) {
        old.push(Attribute { name: BACKUP_PORT[1].to_owned(), value: String::new() });
    }
    // What is not among a link's data is an address that a tunnel has not, or a flag that is off.
    for name in names {
        let value = match name {
            "local" | "remote" if kind::is_replaced_whole(&given.kind) => "any",
            flag if options::is_bit(&given.kind, flag) => "off",
            none if options::may_be_none(&given.kind, none) => "",
            _ => continue,
        };
        if !old.iter().any(|option| option.name == name) {
            old.push(Attribute { name: name.to_owned(), value: value.to_owned() });
        }
    }
    (!old.is_empty()).then(|| Options { kind: given.kind.clone(), options: old })
}

fn old_attribute(before: &RawLink, attribute: &Attribute) -> Option<Attribute> {
    if options::is_inet6(&attribute.name) {
        return options::read_inet6(&attribute.name, before.inet6());
    }
    options::read_link(before.attributes()).into_iter().find(|old| old.name == attribute.name)
}

/// Whether undoing a setting takes more than the setting: what a link that goes down loses.
pub(crate) fn loses_routes(before: &RawLink, settings: &[Setting]) -> bool {
    before.has(IFF_UP) && settings.contains(&Setting::Up(false))
}

/// Whether undoing a setting takes what the link had all the same: one that was down and goes down
/// again keeps its addresses of IPv4, but neither those of IPv6 nor a neighbour.
pub(crate) fn goes_down_again(before: &RawLink, settings: &[Setting]) -> bool {
    !before.has(IFF_UP) && settings.contains(&Setting::Up(true))
}

/// Whether the link becomes too narrow for IPv6, which then leaves it (RFC 8200 section 5).
pub(crate) fn loses_ipv6(before: &RawLink, settings: &[Setting]) -> bool {
    before.mtu() >= LEAST_IPV6 && mtu(settings).is_some_and(|mtu| mtu < LEAST_IPV6)
}

/// What a link's own addresses end with, where somebody chose that (ip-token(8)).
pub(crate) fn token(link: &RawLink) -> Option<Setting> {
    let found = options::read_inet6("token", link.inet6())?;
    (found.value != "::").then_some(Setting::Other(found))
}

/// Whether the kernel forgets the link's neighbours, also those that somebody put there: for another
/// MAC address or flag of ARP (neigh_changeaddr, net/core/neighbour.c), or while it goes down and up
/// with its new master.
pub(crate) fn loses_neighbours(settings: &[Setting]) -> bool {
    settings
        .iter()
        .any(|setting| matches!(setting, Setting::Mac(_) | Setting::Arp(_) | Setting::Master(_)))
}

/// A link under its name of now, for a step that takes something back.
pub(crate) fn renamed(link: &LinkRef, settings: &[Setting]) -> LinkRef {
    let name = settings.iter().rev().find_map(|setting| {
        if let Setting::Name(name) = setting { Some(name.as_str().to_owned()) } else { None }
    });
    match name {
        Some(name) => LinkRef { name, ..link.clone() },
        None => link.clone(),
    }
}
