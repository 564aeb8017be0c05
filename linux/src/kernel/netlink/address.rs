//! Addresses: as ip-address(8) puts and removes them, and what puts them back.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, Parseable};
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags as Flags, AddressMessage, AddressProtocol, CacheInfo,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::Netlink;
use super::explain::explain_with;
use super::find::{on_link, reference};
use super::lifetime;
use super::raw_link::RawLink;
use super::socket::{Failure, Refusal, Request};
use super::space::Space;
use crate::change::{
    Address, AddressFlags, AddressInfo, Applied, Change, Family, LinkRef, Made, Prefix, Undo, Write,
};
use crate::kernel::Error;
use crate::text::help;

/// IFA_CACHEINFO: for ever
const FOREVER: u32 = u32::MAX;

/// An address with the index of its link.
pub(super) type Held = (u32, AddressInfo);

impl Netlink {
    pub(super) fn put_address(
        &mut self,
        change: &Change,
        link: &LinkRef,
        address: &Address,
        how: Write,
    ) -> Result<Applied, Error> {
        check(address)?;
        // One whose time is over would be gone by itself.
        let Some(address) = &lifetime::left(address) else {
            return Ok(Applied { made: Made::Nothing, undo: Undo::default() });
        };
        let (space, index) = self.index_of(link)?;
        let request = put_request(index, address, how)?;
        self.check_replaced(&space, index, address, how)?;
        let alone = how == Write::Add;
        let before = if alone { None } else { held(&space, index, address.prefix, address.peer) };
        let shared = self.shared_routes(&space, index, address);
        let answer = space.execute(&request);
        answer.map_err(|failure| address_error(failure, change, &space, link, index, address))?;
        let link = LinkRef { index: Some(index), namespace: space.reference(), ..link.clone() };
        let mut applied = put_applied(link, address, before);
        applied.undo.steps.extend(shared);
        Ok(applied)
    }

    /// Refuses to alter an address so that it can't be as before: the kernel finds
    /// it by less than what it is known by, and alters some of that, or takes nothing for no metric
    /// (inet_rtm_newaddr in net/ipv4/devinet.c, inet6_addr_modify in net/ipv6/addrconf.c).
    fn check_replaced(
        &self,
        space: &Arc<Space>,
        index: u32,
        wanted: &Address,
        how: Write,
    ) -> Result<(), Error> {
        if self.host.is_none() || space.own || how == Write::Add {
            return Ok(());
        }
        let Some(there) = in_the_way(space, index, wanted) else { return Ok(()) };
        let link = space.name_at(index).unwrap_or_else(|| format!("if{index}"));
        let refuse = |rule: &str, remedy: &str| {
            Err(Error::Invalid(format!(
                "`{}` has {}, {rule}{}",
                link.escape_debug(),
                shown(&there),
                help(remedy)
            )))
        };
        let ways = |address: &Address| match address.peer {
            Some(peer) => (None, Some(peer)),
            None => (Some(address.prefix.length), None),
        };
        if ways(&there) != ways(wanted) && !self.has_put_address(space, index, &there) {
            return refuse(
                "which the kernel alters where the same address is put with another length or peer, and which could not be put back",
                "remove it first, and add the other one",
            );
        }
        let gains = there.metric.is_none() && wanted.metric.is_some_and(|metric| metric != 0);
        if gains && there.prefix.address.is_ipv6() {
            return refuse(
                "which has no metric, and could not be without one again",
                "remove it first, and add it with its metric",
            );
        }
        Ok(())
    }

    pub(super) fn remove_address(
        &mut self,
        change: &Change,
        link: &LinkRef,
        prefix: Prefix,
        peer: Option<Prefix>,
        undoing: bool,
    ) -> Result<Applied, Error> {
        let (space, before) = self.resolve(link)?;
        let full = reference(&space, &before);
        // What is taken back has no undo of its own.
        let losses = (!undoing).then(|| self.holdings(&space));
        let address = Address { prefix, peer, ..bare(prefix) };
        let request = removal(before.index, &address)?;
        let sequence = if undoing { None } else { self.sequence_back(&space, &before) };
        let beside = self.beside(&space, &before, (prefix, peer), undoing)?;
        let done = match &beside {
            Some(beside) => self.take_off(&space, &before, request, beside),
            None => space.execute(&request),
        };
        done.map_err(|failure| {
            if matches!(&failure, Failure::Refused(Refusal { errno: libc::EADDRNOTAVAIL, .. })) {
                return explain_with(failure, change, |_| Some(there(&space, &before)));
            }
            on_link(failure, &space, &full, change)
        })?;
        if let Some(beside) = beside.as_ref().filter(|beside| !beside.goes_alone()) {
            self.put_back_beside(&space, &before, beside, undoing)?;
        }
        let mut steps =
            losses.map(|losses| self.lost(&space, losses, before.index)).unwrap_or_default();
        steps.extend(sequence);
        Ok(Applied { made: Made::Nothing, undo: Undo { steps } })
    }
}

pub(super) fn removal(index: u32, address: &Address) -> Result<Request, Error> {
    let message = RouteNetlinkMessage::DelAddress(message(index, address)?);
    Ok(Request { message, flags: 0 })
}

/// What putting an address gives back; `before` is what it replaced.
pub(super) fn put_applied(link: LinkRef, address: &Address, before: Option<Address>) -> Applied {
    let step = match before {
        Some(old) => Change::PutAddress { link, address: old, how: Write::Replace },
        None => Change::RemoveAddress { link, prefix: address.prefix, peer: address.peer },
    };
    Applied { made: Made::Nothing, undo: Undo { steps: vec![step] } }
}

/// What the kernel refuses without saying why.
pub(super) fn check(address: &Address) -> Result<(), Error> {
    let prefix = address.prefix;
    let invalid = |sentence: String| Err(Error::Invalid(sentence));
    let bits = if prefix.address.is_ipv4() { 32 } else { 128 };
    for one in [Some(prefix), address.peer].into_iter().flatten() {
        if one.length > bits {
            return invalid(format!("{one}: a prefix of it has 0 to {bits} bits"));
        }
        if one.address.is_ipv4() != prefix.address.is_ipv4() {
            return invalid(format!("{prefix} and its peer {one} are of different families"));
        }
    }
    if let (Some(preferred), valid) = (address.preferred_lifetime, address.valid_lifetime)
        && preferred > valid.unwrap_or(FOREVER)
    {
        return invalid(format!("{prefix}: preferred for longer than it is valid"));
    }
    if address.valid_lifetime == Some(0) {
        return invalid(format!("{prefix}: an address can't be valid for 0 seconds"));
    }
    if address.broadcast.is_some_and(|broadcast| !broadcast.is_ipv4() || !prefix.address.is_ipv4())
    {
        return invalid(format!("{prefix}: broadcast addresses are for IPv4"));
    }
    Ok(())
}

/// An address and nothing else.
fn bare(prefix: Prefix) -> Address {
    Address {
        prefix,
        peer: None,
        broadcast: None,
        anycast: None,
        label: None,
        scope: None,
        flags: AddressFlags::default(),
        valid_lifetime: None,
        preferred_lifetime: None,
        counted_from: None,
        metric: None,
        protocol: None,
    }
}

pub(super) fn put_request(index: u32, address: &Address, how: Write) -> Result<Request, Error> {
    let flags = match how {
        Write::Add => NLM_F_CREATE | NLM_F_EXCL,
        Write::Change => NLM_F_REPLACE,
        Write::Replace => NLM_F_CREATE | NLM_F_REPLACE,
        Write::Append | Write::Prepend => {
            return Err(Error::Invalid(format!("addresses can't be put by `{}`", how.verb())));
        }
    };
    let message = RouteNetlinkMessage::NewAddress(message(index, address)?);
    Ok(Request { message, flags })
}

/// As ipaddr_modify of iproute2: an IPv4 loopback address has scope host, any other global; no
/// broadcast address unless one is given.
fn message(index: u32, address: &Address) -> Result<AddressMessage, Error> {
    let prefix = address.prefix;
    let mut message = AddressMessage::default();
    message.header.family = family(prefix.address);
    message.header.index = index;
    message.header.prefix_len = address.peer.unwrap_or(prefix).length;
    let loopback = matches!(prefix.address, IpAddr::V4(four) if four.is_loopback());
    let scope = address.scope.unwrap_or(if loopback { libc::RT_SCOPE_HOST } else { 0 });
    message.header.scope = scope.into();
    let put = &mut message.attributes;
    put.push(AddressAttribute::Local(prefix.address));
    put.push(AddressAttribute::Address(address.peer.unwrap_or(prefix).address));
    if let Some(IpAddr::V4(broadcast)) = address.broadcast {
        put.push(AddressAttribute::Broadcast(broadcast));
    }
    match address.anycast {
        Some(IpAddr::V6(anycast)) => put.push(AddressAttribute::Anycast(anycast)),
        Some(IpAddr::V4(_)) => {
            return Err(Error::Invalid(format!("{prefix}: anycast addresses are for IPv6")));
        }
        None => {}
    }
    if let Some(label) = &address.label {
        put.push(AddressAttribute::Label(label.clone()));
    }
    let flags = flag_bits(address.flags);
    if !flags.is_empty() {
        message.header.flags =
            netlink_packet_route::address::AddressHeaderFlags::from_bits_retain(flags.bits() as u8);
        put.push(AddressAttribute::Flags(flags));
    }
    if address.valid_lifetime.is_some() || address.preferred_lifetime.is_some() {
        let valid = address.valid_lifetime.unwrap_or(FOREVER);
        let mut times = CacheInfo::default();
        times.ifa_valid = valid;
        times.ifa_preferred = address.preferred_lifetime.unwrap_or(valid);
        put.push(AddressAttribute::CacheInfo(times));
    }
    if let Some(metric) = address.metric {
        put.push(AddressAttribute::RoutePriority(metric));
    }
    if let Some(protocol) = address.protocol {
        put.push(AddressAttribute::Protocol(AddressProtocol::from(protocol)));
    }
    Ok(message)
}

fn family(address: IpAddr) -> AddressFamily {
    if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 }
}

/// linux/if_addr.h, IFA_F_
fn flag_bits(flags: AddressFlags) -> Flags {
    let all = [
        (flags.nodad, Flags::Nodad),
        (flags.home, Flags::Homeaddress),
        (flags.mngtmpaddr, Flags::Managetempaddr),
        (flags.noprefixroute, Flags::Noprefixroute),
        (flags.autojoin, Flags::Mcautojoin),
        (flags.optimistic, Flags::Optimistic),
    ];
    all.into_iter().filter(|(on, _)| *on).map(|(_, flag)| flag).collect()
}

/// Whether the kernel tells who has put an address there: those before 5.18 keep no protocol of any.
pub(super) fn tells_protocols(space: &Space) -> bool {
    let all = list(space, &[], None).unwrap_or_default();
    all.iter().any(|(_, info)| info.address.protocol.is_some())
}

/// All addresses of a namespace, with their links' indexes.
pub(super) fn list(
    space: &Space,
    links: &[RawLink],
    wanted: Option<Family>,
) -> Result<Vec<Held>, Failure> {
    let mut request = AddressMessage::default();
    request.header.family = match wanted {
        None => AddressFamily::Unspec,
        Some(Family::Ipv4) => AddressFamily::Inet,
        Some(Family::Ipv6) => AddressFamily::Inet6,
    };
    let parts = space.dump(&RouteNetlinkMessage::GetAddress(request))?;
    Ok(parts.iter().filter_map(|(_, body)| info(body, links)).collect())
}

pub(super) fn info(body: &[u8], links: &[RawLink]) -> Option<Held> {
    let message = AddressMessage::parse(body).ok()?;
    let index = message.header.index;
    let link = links.iter().find(|link| link.index == index);
    let mut flags = Flags::from_bits_retain(u32::from(message.header.flags.bits()));
    let (mut local, mut other) = (None, None);
    let mut address = bare(Prefix { address: Ipv4Addr::UNSPECIFIED.into(), length: 0 });
    for attribute in message.attributes {
        match attribute {
            AddressAttribute::Local(found) => local = Some(found),
            AddressAttribute::Address(found) => other = Some(found),
            AddressAttribute::Broadcast(found) => address.broadcast = Some(found.into()),
            AddressAttribute::Anycast(found) => address.anycast = Some(found.into()),
            AddressAttribute::Label(label) => address.label = Some(label),
            AddressAttribute::Flags(found) => flags = found,
            AddressAttribute::CacheInfo(times) => {
                address.valid_lifetime = Some(times.ifa_valid).filter(|time| *time != FOREVER);
                address.preferred_lifetime =
                    Some(times.ifa_preferred).filter(|time| *time != FOREVER);
            }
            AddressAttribute::RoutePriority(metric) => address.metric = Some(metric),
            AddressAttribute::Protocol(protocol) => {
                address.protocol = Some(u8::from(protocol)).filter(|protocol| *protocol != 0);
            }
            _ => {}
        }
    }
    let length = message.header.prefix_len;
    let own = local.or(other)?;
    let peer = other.filter(|other| *other != own);
    let whole = if own.is_ipv4() { 32 } else { 128 };
    address.prefix = Prefix { address: own, length: if peer.is_some() { whole } else { length } };
    address.peer = peer.map(|address| Prefix { address, length });
    address.scope = Some(u8::from(message.header.scope));
    let has = |flag: Flags| flags.contains(flag);
    address.flags = AddressFlags {
        nodad: has(Flags::Nodad),
        home: has(Flags::Homeaddress),
        mngtmpaddr: has(Flags::Managetempaddr),
        noprefixroute: has(Flags::Noprefixroute),
        autojoin: has(Flags::Mcautojoin),
        optimistic: has(Flags::Optimistic),
    };
    let info = AddressInfo {
        link: link.map_or_else(|| format!("if{index}"), |link| link.name.clone()),
        tentative: has(Flags::Tentative),
        duplicate: has(Flags::Dadfailed),
        dynamic: !has(Flags::Permanent),
        temporary: own.is_ipv6() && has(Flags::Secondary),
        secondary: own.is_ipv4() && has(Flags::Secondary),
        deprecated: has(Flags::Deprecated),
        address,
    };
    Some((index, info))
}

/// An address of a link as it is there now.
pub(super) fn held(
    space: &Arc<Space>,
    index: u32,
    prefix: Prefix,
    peer: Option<Prefix>,
) -> Option<Address> {
    let all = list(space, &[], None).ok()?;
    all.into_iter().find_map(|(on, info)| {
        let found = info.address;
        let same = on == index
            && found.prefix.address == prefix.address
            && found.peer.map(|peer| peer.address) == peer.map(|peer| peer.address)
            && (peer.is_some() || found.prefix.length == prefix.length);
        same.then(|| lifetime::counted(found))
    })
}

/// The address of a link that keeps the kernel from adding another one: of IPv4 the same in the same
/// network (__inet_insert_ifa in net/ipv4/devinet.c), of IPv6 the same whatever its network
/// (ipv6_add_addr_hash in net/ipv6/addrconf.c).
pub(super) fn in_the_way(space: &Arc<Space>, index: u32, wanted: &Address) -> Option<Address> {
    let network = |address: &Address| address.peer.unwrap_or(address.prefix).network();
    let all = list(space, &[], None).ok()?;
    all.into_iter().map(|(on, info)| (on, info.address)).find_map(|(on, found)| {
        let same = on == index
            && found.prefix.address == wanted.prefix.address
            && (found.prefix.address.is_ipv6() || network(&found) == network(wanted));
        same.then_some(found)
    })
}

fn shown(address: &Address) -> String {
    match address.peer {
        Some(peer) => format!("{} peer {peer}", address.prefix.address),
        None => address.prefix.to_string(),
    }
}

/// The addresses of a link, in words.
fn there(space: &Arc<Space>, link: &RawLink) -> String {
    let all = list(space, std::slice::from_ref(link), None).unwrap_or_default();
    let mine: Vec<_> = all
        .into_iter()
        .filter(|(index, _)| *index == link.index)
        .map(|(_, info)| info.address.prefix.to_string())
        .collect();
    match mine.is_empty() {
        true => format!("`{}` has no addresses", link.name),
        false => format!("`{}` has {}", link.name, mine.join(", ")),
    }
}

pub(super) fn address_error(
    failure: Failure,
    change: &Change,
    space: &Arc<Space>,
    link: &LinkRef,
    index: u32,
    address: &Address,
) -> Error {
    if matches!(&failure, Failure::Refused(Refusal { errno: libc::ENODEV, .. })) {
        return on_link(failure, space, link, change);
    }
    explain_with(failure, change, |refusal| match refusal.errno {
        libc::EEXIST => {
            let all = list(space, &space.links().ok()?, None).ok()?;
            let (_, found) = all.into_iter().find(|(on, info)| {
                info.address.prefix.address == address.prefix.address
                    && (*on == index || address.prefix.address.is_ipv6())
            })?;
            Some(format!("`{}` has {} already", found.link, found.address.prefix))
        }
        libc::EACCES | libc::ENOTSUP if address.prefix.address.is_ipv6() => Some(format!(
            "IPv6 is off on `{}`: sysctl net.ipv6.conf.{}.disable_ipv6",
            link.name, link.name
        )),
        libc::EADDRNOTAVAIL if address.prefix.address.is_ipv6() => {
            Some(format!("`{}` can't have this kind of address", link.name))
        }
        _ => None,
    })
}
