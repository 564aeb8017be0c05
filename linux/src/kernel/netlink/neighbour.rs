//! Neighbours.

use std::net::IpAddr;
use std::sync::Arc;

use netlink_packet_core::{NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, Parseable};
use netlink_packet_route::neighbour::{
    NeighbourAddress, NeighbourAttribute, NeighbourFlags, NeighbourMessage, NeighbourState as State,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use super::Netlink;
use super::explain::{explain, explain_with};
use super::find::on_link;
use super::raw_link::RawLink;
use super::socket::{Failure, Refusal, Request};
use super::space::Space;
use crate::change::{
    Applied, Change, Family, LinkRef, MacAddress, Made, Neighbour, NeighbourState, Undo, Write,
};
use crate::kernel::Error;

impl Netlink {
    pub(super) fn put_neighbour(
        &mut self,
        change: &Change,
        link: &LinkRef,
        neighbour: &Neighbour,
        how: Write,
    ) -> Result<Applied, Error> {
        let (space, index) = self.index_of(link)?;
        let request = put_request(index, neighbour, how)?;
        let alone = how == Write::Add;
        let before =
            if alone { None } else { held(&space, index, neighbour.address, neighbour.proxy) };
        space
            .execute(&request)
            .map_err(|failure| neighbour_error(failure, change, &space, link, neighbour))?;
        let link = LinkRef { namespace: space.reference(), index: Some(index), ..link.clone() };
        Ok(put_applied(link, neighbour, before))
    }

    pub(super) fn remove_neighbour(
        &mut self,
        change: &Change,
        link: &LinkRef,
        address: IpAddr,
        proxy: bool,
    ) -> Result<Applied, Error> {
        let (space, index) = self.index_of(link)?;
        let before = held(&space, index, address, proxy);
        let bare = Neighbour {
            address,
            mac: None,
            state: NeighbourState::None,
            proxy,
            router: false,
            extern_learn: false,
            protocol: None,
        };
        let message = RouteNetlinkMessage::DelNeighbour(message(index, &bare));
        let answer = space.execute(&Request { message, flags: 0 });
        answer.map_err(|failure| match failure {
            Failure::Refused(Refusal { errno: libc::ENOENT | libc::ENXIO, .. }) => {
                let hint = format!("`{}` has no such neighbour", link.name);
                explain_with(failure, change, |_| Some(hint))
            }
            other => on_link(other, &space, link, change),
        })?;
        let link = LinkRef { namespace: space.reference(), index: Some(index), ..link.clone() };
        let step =
            before.map(|neighbour| Change::PutNeighbour { link, neighbour, how: Write::Replace });
        Ok(Applied { made: Made::Nothing, undo: Undo { steps: step.into_iter().collect() } })
    }

    /// Neighbours of a namespace, proxies too, with the names of their links.
    pub(super) fn neighbours(
        &self,
        space: &Space,
        wanted: Option<Family>,
    ) -> Result<Vec<(String, Neighbour)>, Error> {
        let operation = "neighbour show";
        let links = space.links().map_err(|failure| explain(failure, &operation))?;
        let all = list(space, wanted).map_err(|failure| explain(failure, &operation))?;
        Ok(all.into_iter().map(|(index, one)| (name_of(index, &links), one)).collect())
    }
}

fn name_of(index: u32, links: &[RawLink]) -> String {
    let found = links.iter().find(|link| link.index == index);
    found.map_or_else(|| format!("if{index}"), |link| link.name.clone())
}

pub(super) fn write_flags(how: Write) -> Result<u16, Error> {
    match how {
        Write::Add => Ok(NLM_F_CREATE | NLM_F_EXCL),
        Write::Change => Ok(NLM_F_REPLACE),
        Write::Replace => Ok(NLM_F_CREATE | NLM_F_REPLACE),
        Write::Append => Ok(NLM_F_CREATE | NLM_F_APPEND),
        Write::Prepend => {
            Err(Error::Invalid("neighbours and entries can't be put by `prepend`".to_owned()))
        }
    }
}

pub(super) fn put_request(index: u32, neighbour: &Neighbour, how: Write) -> Result<Request, Error> {
    if how == Write::Append {
        return Err(Error::Invalid("neighbours can't be put by `append`".to_owned()));
    }
    let flags = write_flags(how)?;
    let message = RouteNetlinkMessage::NewNeighbour(message(index, neighbour));
    Ok(Request { message, flags })
}

pub(super) fn put_applied(
    link: LinkRef,
    neighbour: &Neighbour,
    before: Option<Neighbour>,
) -> Applied {
    let step = match before {
        Some(old) => Change::PutNeighbour { link, neighbour: old, how: Write::Replace },
        None => {
            let put = Some(neighbour.clone());
            Change::RemoveNeighbour {
                link,
                address: neighbour.address,
                proxy: neighbour.proxy,
                put,
            }
        }
    };
    Applied { made: Made::Nothing, undo: Undo { steps: vec![step] } }
}

fn state_of(state: NeighbourState) -> State {
    match state {
        NeighbourState::None => State::None,
        NeighbourState::Incomplete => State::Incomplete,
        NeighbourState::Reachable => State::Reachable,
        NeighbourState::Stale => State::Stale,
        NeighbourState::Delay => State::Delay,
        NeighbourState::Probe => State::Probe,
        NeighbourState::Failed => State::Failed,
        NeighbourState::Noarp => State::Noarp,
        NeighbourState::Permanent => State::Permanent,
    }
}

fn read_state(state: State) -> NeighbourState {
    match state {
        State::Incomplete => NeighbourState::Incomplete,
        State::Reachable => NeighbourState::Reachable,
        State::Stale => NeighbourState::Stale,
        State::Delay => NeighbourState::Delay,
        State::Probe => NeighbourState::Probe,
        State::Failed => NeighbourState::Failed,
        State::Noarp => NeighbourState::Noarp,
        State::Permanent => NeighbourState::Permanent,
        _ => NeighbourState::None,
    }
}

fn family_of(address: IpAddr) -> AddressFamily {
    if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 }
}

fn message(index: u32, neighbour: &Neighbour) -> NeighbourMessage {
    let mut message = NeighbourMessage::default();
    message.header.family = family_of(neighbour.address);
    message.header.ifindex = index;
    // The kernel tells none of a proxy, and drops one with its link's carrier that was put without
    // this (pneigh_ifdown_and_unlock): ip(8) says it as well.
    let state = if neighbour.proxy { NeighbourState::Permanent } else { neighbour.state };
    message.header.state = state_of(state);
    let flags = [
        (neighbour.proxy, NeighbourFlags::Proxy),
        (neighbour.router, NeighbourFlags::Router),
        (neighbour.extern_learn, NeighbourFlags::ExtLearned),
    ];
    for (_, flag) in flags.iter().filter(|(on, _)| *on) {
        message.header.flags |= *flag;
    }
    message.attributes.push(NeighbourAttribute::Destination(match neighbour.address {
        IpAddr::V4(four) => NeighbourAddress::Inet(four),
        IpAddr::V6(six) => NeighbourAddress::Inet6(six),
    }));
    if let Some(mac) = neighbour.mac {
        message.attributes.push(NeighbourAttribute::LinkLayerAddress(mac.0.to_vec()));
    }
    let protocol = neighbour.protocol.map(|one| NeighbourAttribute::Protocol(one.into()));
    message.attributes.extend(protocol);
    message
}

/// What of a namespace's neighbours somebody has put there, by their links' indexes: what the kernel
/// found out by itself, or made for groups, comes back by itself.
pub(super) fn lasting(space: &Space, links: &[RawLink]) -> Vec<(u32, String, Neighbour)> {
    let all = list(space, None).unwrap_or_default();
    let named = all.into_iter().filter_map(|(index, one)| {
        let on = links.iter().find(|link| link.index == index)?;
        // Where nobody is asked for addresses, the kernel takes the link's own.
        let made = one.state == NeighbourState::Noarp && one.mac == on.mac();
        (is_lasting(&one) && !made).then(|| (index, on.name.clone(), one))
    });
    named.collect()
}

/// Whether it stays until somebody takes it away, or its link loses it.
pub(super) fn is_lasting(one: &Neighbour) -> bool {
    match one.state {
        NeighbourState::Permanent => true,
        // The kernel makes such ones for groups.
        NeighbourState::Noarp => one.mac.is_some_and(|mac| mac.0[0] & 1 == 0 && mac.0 != [0; 6]),
        NeighbourState::None
        | NeighbourState::Incomplete
        | NeighbourState::Reachable
        | NeighbourState::Stale
        | NeighbourState::Delay
        | NeighbourState::Probe
        | NeighbourState::Failed => one.proxy || one.extern_learn,
    }
}

/// Whether two are the same, but for what the kernel finds out.
pub(super) fn same_neighbour(one: &Neighbour, other: &Neighbour) -> bool {
    (one.address, one.proxy) == (other.address, other.proxy)
        && one.mac == other.mac
        && (one.state == other.state || one.extern_learn && other.extern_learn)
}

pub(super) fn list(
    space: &Space,
    wanted: Option<Family>,
) -> Result<Vec<(u32, Neighbour)>, Failure> {
    let family = match wanted {
        None => AddressFamily::Unspec,
        Some(Family::Ipv4) => AddressFamily::Inet,
        Some(Family::Ipv6) => AddressFamily::Inet6,
    };
    let mut found = Vec::new();
    for flags in [NeighbourFlags::empty(), NeighbourFlags::Proxy] {
        let mut request = NeighbourMessage::default();
        request.header.family = family;
        request.header.flags = flags;
        let parts = space.dump(&RouteNetlinkMessage::GetNeighbour(request))?;
        found.extend(parts.iter().filter_map(|(_, body)| read(body)));
    }
    Ok(found)
}

pub(super) fn read(body: &[u8]) -> Option<(u32, Neighbour)> {
    let message = NeighbourMessage::parse(body).ok()?;
    let header = &message.header;
    let address = message.attributes.iter().find_map(|attribute| match attribute {
        NeighbourAttribute::Destination(NeighbourAddress::Inet(four)) => Some(IpAddr::V4(*four)),
        NeighbourAttribute::Destination(NeighbourAddress::Inet6(six)) => Some(IpAddr::V6(*six)),
        _ => None,
    })?;
    let neighbour = Neighbour {
        address,
        mac: mac_of(&message),
        state: read_state(header.state),
        proxy: header.flags.contains(NeighbourFlags::Proxy),
        router: header.flags.contains(NeighbourFlags::Router),
        extern_learn: header.flags.contains(NeighbourFlags::ExtLearned),
        protocol: message.attributes.iter().find_map(|attribute| match attribute {
            NeighbourAttribute::Protocol(protocol) => Some(u8::from(*protocol)),
            _ => None,
        }),
    };
    Some((header.ifindex, neighbour))
}

fn mac_of(message: &NeighbourMessage) -> Option<MacAddress> {
    message.attributes.iter().find_map(|attribute| match attribute {
        NeighbourAttribute::LinkLayerAddress(bytes) => {
            bytes.as_slice().try_into().ok().map(MacAddress)
        }
        _ => None,
    })
}

/// A neighbour as it is there now, where somebody put it: what the kernel found out by itself
/// comes back by itself.
pub(super) fn held(space: &Space, index: u32, address: IpAddr, proxy: bool) -> Option<Neighbour> {
    let family = Family::of(address);
    let all = list(space, Some(family)).ok()?;
    let found = all
        .into_iter()
        .find(|(on, one)| *on == index && one.address == address && one.proxy == proxy);
    found.map(|(_, one)| one).filter(|one| {
        one.proxy
            || one.mac.is_some()
            || matches!(one.state, NeighbourState::Permanent | NeighbourState::Noarp)
    })
}

pub(super) fn neighbour_error(
    failure: Failure,
    change: &Change,
    space: &Arc<Space>,
    link: &LinkRef,
    neighbour: &Neighbour,
) -> Error {
    if matches!(&failure, Failure::Refused(Refusal { errno: libc::ENODEV, .. })) {
        return on_link(failure, space, link, change);
    }
    explain_with(failure, change, |refusal| match refusal.errno {
        libc::EEXIST => {
            let all = list(space, None).ok()?;
            let (_, there) = all.into_iter().find(|(_, one)| one.address == neighbour.address)?;
            Some(format!("`{there}` is there already; replace it"))
        }
        libc::EINVAL if neighbour.mac.is_none() && !neighbour.proxy => {
            Some("this state needs a MAC address (lladdr)".to_owned())
        }
        _ => None,
    })
}
