//! What the kernel says of a namespace as it happens, and what it answers when asked: rtnetlink(7),
//! as `ip monitor`.

use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

use futures_util::TryStreamExt;
use futures_util::stream::StreamExt;
use netlink_packet_core::{NetlinkMessage, NetlinkPayload};
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressMessage};
use netlink_packet_route::link::LinkMessage;
use netlink_packet_route::neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourState};
use netlink_packet_route::route::RouteType;
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use netlink_sys::SocketAddr;
use rtnetlink::{Handle, MulticastGroup, RouteMessageBuilder, new_multicast_connection};
use tokio::runtime;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::socket::{inside, refused};
use crate::kernel::{Error, KernelError};

/// Some changes are told late or never: a lost carrier up to a second, a message that found no
/// room at all.
const ASK_AGAIN: Duration = Duration::from_millis(250);

type Events =
    futures_util::stream::BoxStream<'static, (NetlinkMessage<RouteNetlinkMessage>, SocketAddr)>;

/// RTM_NEWLINK or RTM_DELLINK that nobody here asked for.
pub(super) enum LinkNews {
    Now(LinkMessage),
    Gone(LinkMessage),
}

/// A connection to the kernel about one namespace; dropping it closes it.
///
/// Asking takes it mutably, for the stream of events can't be shared between threads, and so
/// neither could a future that holds a shared reference be sent to one.
pub(super) struct Watch {
    handle: Handle,
    events: Events,
    connection: JoinHandle<()>,
    operation: String,
}

impl Watch {
    /// Hears of changes in these groups from now on.
    pub(super) fn open(
        namespace: &OwnedFd,
        groups: &[MulticastGroup],
        operation: &str,
    ) -> Result<Self, Error> {
        let runtime = runtime::Handle::current();
        let (connection, handle, events) = inside(namespace, operation, || {
            let _entered = runtime.enter();
            new_multicast_connection(groups)
        })?;
        Ok(Self {
            handle,
            events: events.boxed(),
            connection: tokio::spawn(connection),
            operation: operation.to_owned(),
        })
    }

    /// What is new about links; none when the kernel has nothing more to say.
    pub(super) async fn link_news(&mut self) -> Option<LinkNews> {
        use RouteNetlinkMessage::{DelLink, NewLink};
        loop {
            // A bridge tells of its ports in its own family, with less in it.
            match self.events.next().await?.0.payload {
                NetlinkPayload::InnerMessage(NewLink(link)) if is_whole(&link) => {
                    return Some(LinkNews::Now(link));
                }
                NetlinkPayload::InnerMessage(DelLink(link)) if is_whole(&link) => {
                    return Some(LinkNews::Gone(link));
                }
                _ => {}
            }
        }
    }

    /// Returns when something changed, or may have. Many changes at once count as one.
    pub(super) async fn change(&mut self) {
        // A closed connection says nothing any more; asking then shows why.
        if let Ok(Some(_)) = timeout(ASK_AGAIN, self.events.next()).await {
            while let Ok(Some(_)) = timeout(Duration::ZERO, self.events.next()).await {}
        }
    }

    /// As `ip link show`.
    pub(super) async fn link(&mut self, name: &str) -> Result<Option<LinkMessage>, Error> {
        let mut answer = self.handle.link().get().match_name(name.to_owned()).execute();
        match answer.try_next().await {
            Ok(link) => Ok(link),
            Err(error) if errno(&error) == Some(libc::ENODEV) => Ok(None),
            Err(error) => Err(self.failed(&error)),
        }
    }

    /// Whether the link has the address, and nobody else does: RFC 4862 section 5.4.
    pub(super) async fn has_address(&mut self, link: &str, address: IpAddr) -> Result<bool, Error> {
        let Some(link) = self.link(link).await? else { return Ok(false) };
        let request = self.handle.address().get().set_link_index_filter(link.header.index);
        let answer = request.execute().try_collect::<Vec<_>>().await;
        let addresses = answer.map_err(|error| self.failed(&error))?;
        Ok(addresses.iter().any(|message| {
            message.header.index == link.header.index && is_usable(message, address)
        }))
    }

    /// Whether packets to the address would go anywhere, as `ip route get`.
    pub(super) async fn has_route(&mut self, destination: IpAddr) -> Result<bool, Error> {
        let length = if destination.is_ipv4() { 32 } else { 128 };
        let request = RouteMessageBuilder::<IpAddr>::new()
            .destination_prefix(destination, length)
            .map_err(|error| Error::Invalid(error.to_string()))?
            .build();
        let mut answer = self.handle.route().get(request).execute();
        match answer.try_next().await {
            Ok(route) => Ok(route.is_some_and(|route| is_way(route.header.kind))),
            Err(error) => match errno(&error) {
                // No route, or one that says no: unreachable, prohibit, blackhole.
                Some(libc::ENETUNREACH | libc::EHOSTUNREACH | libc::EACCES | libc::EINVAL) => {
                    Ok(false)
                }
                _ => Err(self.failed(&error)),
            },
        }
    }

    /// Whether the address's station on the link is known, as `ip neighbour show`.
    pub(super) async fn has_neighbour(
        &mut self,
        link: &str,
        address: IpAddr,
    ) -> Result<bool, Error> {
        let Some(link) = self.link(link).await? else { return Ok(false) };
        let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        let wanted = NeighbourAttribute::Destination(match address {
            IpAddr::V4(address) => NeighbourAddress::Inet(address),
            IpAddr::V6(address) => NeighbourAddress::Inet6(address),
        });
        let request = self.handle.neighbours().get().set_address_family(family);
        let answer = request.execute().try_collect::<Vec<_>>().await;
        let neighbours = answer.map_err(|error| self.failed(&error))?;
        Ok(neighbours.iter().any(|message| {
            message.header.ifindex == link.header.index
                && message.attributes.contains(&wanted)
                && is_known(message.header.state)
        }))
    }

    fn failed(&self, error: &rtnetlink::Error) -> Error {
        match errno(error) {
            Some(errno) => refused(&self.operation, &std::io::Error::from_raw_os_error(errno)),
            None => Error::Kernel(KernelError {
                errno: libc::EPROTO,
                operation: self.operation.clone(),
                text: Some(error.to_string()),
                hint: None,
            }),
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

fn is_whole(link: &LinkMessage) -> bool {
    link.header.interface_family == AddressFamily::Unspec
}

fn errno(error: &rtnetlink::Error) -> Option<i32> {
    match error {
        rtnetlink::Error::NetlinkError(message) => Some(-message.raw_code()),
        _ => None,
    }
}

/// The link's own address is the local one; where the other end has one too, that is called the
/// address, and without it the own one is (include/uapi/linux/if_addr.h).
fn is_usable(message: &AddressMessage, wanted: IpAddr) -> bool {
    let (mut local, mut address, mut flags) = (None, None, AddressFlags::empty());
    for attribute in &message.attributes {
        match attribute {
            AddressAttribute::Local(own) => local = Some(*own),
            AddressAttribute::Address(one) => address = Some(*one),
            AddressAttribute::Flags(set) => flags = *set,
            _ => {}
        }
    }
    let waiting = AddressFlags::Tentative | AddressFlags::Dadfailed;
    local.or(address) == Some(wanted) && !flags.intersects(waiting)
}

fn is_way(kind: RouteType) -> bool {
    matches!(
        kind,
        RouteType::Unicast
            | RouteType::Local
            | RouteType::Broadcast
            | RouteType::Anycast
            | RouteType::Multicast
    )
}

/// In a state with an address of the link layer (include/net/neighbour.h, `NUD_VALID`).
fn is_known(state: NeighbourState) -> bool {
    matches!(
        state,
        NeighbourState::Reachable
            | NeighbourState::Stale
            | NeighbourState::Delay
            | NeighbourState::Probe
            | NeighbourState::Noarp
            | NeighbourState::Permanent
    )
}
