//! Why nothing answered, as far as the kernel tells: what it said when the packet was sent, what
//! routers said, and by which link and from which address it went or would have gone.

use std::net::IpAddr;

use super::asker::Asker;
use super::seen::{Cause, Miss, Said, mistaken};
use crate::change::{
    AddressInfo, Answer, Family, LinkInfo, NamespaceRef, NeighbourState, Prefix, Query, Route,
    RouteKind,
};
use crate::kernel::Error;
use crate::probe::{Complaint, Told};

/// Where packets to an address go.
pub(super) enum Way {
    To(Route),
    /// the errno that the kernel refuses them with
    Refused(i32),
}

/// As `ip route get`.
pub(super) async fn way(
    namespace: &NamespaceRef,
    destination: IpAddr,
    asker: &Asker<'_>,
) -> Result<Way, Miss> {
    let namespace = namespace.clone();
    match asker.look(Query::Lookup { namespace, destination, source: None }).await {
        Ok(Answer::Routes(routes)) => Ok(match routes.into_iter().next() {
            Some(route) => refusal(&route).map_or_else(|| Way::To(route), Way::Refused),
            None => Way::Refused(libc::ENETUNREACH),
        }),
        Ok(_) => Err(mistaken()),
        Err(Error::Kernel(error)) => Ok(Way::Refused(error.errno)),
        Err(error) => Err(error.into()),
    }
}

/// IPv6 shows the route that says no, where IPv4 says no itself: ip-route(8).
fn refusal(route: &Route) -> Option<i32> {
    match route.kind {
        RouteKind::Unreachable => Some(libc::EHOSTUNREACH),
        RouteKind::Prohibit => Some(libc::EACCES),
        RouteKind::Blackhole => Some(libc::EINVAL),
        RouteKind::Throw => Some(libc::ENETUNREACH),
        RouteKind::Unicast
        | RouteKind::Local
        | RouteKind::Broadcast
        | RouteKind::Anycast
        | RouteKind::Multicast
        | RouteKind::Nat => None,
    }
}

/// Whether it is an address of the namespace's own: what is sent there goes over `lo`, or nowhere
/// while its link is down.
pub(super) async fn is_own(
    namespace: &NamespaceRef,
    destination: IpAddr,
    way: &Way,
    asker: &Asker<'_>,
) -> Result<bool, Miss> {
    if destination.is_loopback() || matches!(way, Way::To(route) if route.kind == RouteKind::Local)
    {
        return Ok(true);
    }
    let addresses = addresses(namespace, asker).await?;
    Ok(addresses.iter().any(|info| info.address.prefix.address == destination))
}

/// Whether it is many stations' address.
pub(super) fn is_shared(destination: IpAddr, way: &Way) -> bool {
    let kinds = [RouteKind::Broadcast, RouteKind::Multicast];
    let broadcast = matches!(destination, IpAddr::V4(address) if address.is_broadcast());
    destination.is_multicast()
        || broadcast
        || matches!(way, Way::To(route) if kinds.contains(&route.kind))
}

async fn addresses(namespace: &NamespaceRef, asker: &Asker<'_>) -> Result<Vec<AddressInfo>, Miss> {
    let query = Query::Addresses { namespace: namespace.clone(), family: None };
    match asker.look(query).await? {
        Answer::Addresses(addresses) => Ok(addresses),
        _ => Err(mistaken()),
    }
}

fn said(cause: Cause, text: impl Into<String>) -> Said {
    Said { text: text.into(), cause: Some(cause), by_router: false }
}

/// Why nothing came from an address.
pub(super) async fn why(
    namespace: &NamespaceRef,
    destination: IpAddr,
    told: Option<Told>,
    asker: &Asker<'_>,
) -> Result<Said, Miss> {
    let route = match way(namespace, destination, asker).await? {
        Way::Refused(errno) => return refused(errno, namespace, destination, asker).await,
        Way::To(route) => route,
    };
    let links = links(namespace, asker).await?;
    let hop = route.next_hops.first();
    let link = hop.and_then(|hop| hop.link.as_deref());
    let link = links.iter().find(|info| Some(info.name.as_str()) == link);
    if route.kind == RouteKind::Local {
        let lo = links.iter().find(|info| info.kind == "loopback");
        return Ok(match lo {
            Some(lo) if !lo.up => said(Cause::LoopbackDown, "`lo` is down"),
            Some(_) | None => said(Cause::NoReply, "it is the namespace's own address"),
        });
    }
    let from = sent_from(link, route.source);
    if let Some(link) = link.filter(|link| !(link.up && link.carrier)) {
        return Ok(without_carrier(link));
    }
    let asked = hop.and_then(|hop| hop.gateway).unwrap_or(destination);
    match told {
        Some(Told::Kernel(errno)) => Ok(by_errno(errno, destination)),
        Some(Told::Icmp(Complaint::NoHost, who))
            if who.is_none_or(|who| Some(who) == route.source) =>
        {
            Ok(said(Cause::NoNeighbour, format!("{}{from}", nobody(asked))))
        }
        Some(Told::Icmp(complaint, who)) => {
            let who = who.map_or_else(|| "a router".to_owned(), |who| who.to_string());
            let text = format!("{who} says: {complaint}{from}");
            Ok(Said { by_router: true, ..said(by_complaint(complaint), text) })
        }
        None if is_unresolved(namespace, link, asked, asker).await? => {
            Ok(said(Cause::NoNeighbour, format!("{}{from}", nobody(asked))))
        }
        None => Ok(said(Cause::NoReply, format!("nothing came back{from}"))),
    }
}

pub(super) fn without_carrier(link: &LinkInfo) -> Said {
    let name = link.name.escape_debug();
    if link.up {
        said(Cause::NoCarrier, format!("`{name}` has no carrier"))
    } else {
        said(Cause::LinkDown, format!("`{name}` is down"))
    }
}

pub(super) fn nobody(address: IpAddr) -> String {
    let protocol = if address.is_ipv4() { "ARP" } else { "neighbour discovery" };
    format!("nobody answers {protocol} for {address}")
}

/// ` (sent from 10.0.0.1 on eth0)`
pub(super) fn sent_from(link: Option<&LinkInfo>, source: Option<IpAddr>) -> String {
    let source = source.map(|source| format!(" from {source}")).unwrap_or_default();
    match link {
        Some(link) => format!(" (sent{source} on {})", link.name.escape_debug()),
        None if source.is_empty() => String::new(),
        None => format!(" (sent{source})"),
    }
}

/// There is no way to it.
async fn refused(
    errno: i32,
    namespace: &NamespaceRef,
    destination: IpAddr,
    asker: &Asker<'_>,
) -> Result<Said, Miss> {
    if errno != libc::ENETUNREACH {
        return Ok(by_errno(errno, destination));
    }
    let links = links(namespace, asker).await?;
    let down = links.iter().filter(|link| !link.up);
    let addresses = addresses(namespace, asker).await?;
    let covers = |prefix: Prefix| {
        let same_length = Prefix { address: destination, ..prefix };
        prefix.address.is_ipv4() == destination.is_ipv4()
            && same_length.network() == prefix.network()
    };
    let mut covering = down.filter_map(|link| {
        let mut own = addresses.iter().filter(|info| info.link == link.name);
        let own = own.find(|info| covers(info.address.peer.unwrap_or(info.address.prefix)))?;
        Some((link, own.address.prefix))
    });
    Ok(match covering.next() {
        Some((link, prefix)) => {
            let name = link.name.escape_debug();
            said(Cause::LinkDown, format!("no route: `{name}`, which has {prefix}, is down"))
        }
        None => by_errno(errno, destination),
    })
}

fn by_errno(errno: i32, destination: IpAddr) -> Said {
    match errno {
        libc::ENETUNREACH => {
            said(Cause::NoRoute, format!("no route to {destination} (ENETUNREACH)"))
        }
        libc::EHOSTUNREACH => {
            said(Cause::NoRoute, format!("an unreachable route to {destination} (EHOSTUNREACH)"))
        }
        libc::EINVAL => said(Cause::NoRoute, format!("a blackhole route to {destination}")),
        libc::EACCES => said(Cause::Prohibited, format!("{destination} is prohibited (EACCES)")),
        libc::EPERM => said(Cause::Prohibited, "a filter of the namespace forbids it (EPERM)"),
        _ => {
            let error = std::io::Error::from_raw_os_error(errno).to_string();
            let words = error.split(" (os error").next().unwrap_or_default();
            said(Cause::Unsent, format!("it could not be sent: {words}"))
        }
    }
}

fn by_complaint(complaint: Complaint) -> Cause {
    match complaint {
        Complaint::NoRoute => Cause::NoRoute,
        Complaint::NoHost => Cause::HostUnreachable,
        Complaint::NoPort => Cause::PortUnreachable,
        Complaint::Prohibited => Cause::Prohibited,
        Complaint::TooBig => Cause::TooBig,
        Complaint::Expired => Cause::Expired,
        Complaint::Other => Cause::NoReply,
    }
}

pub(super) async fn links(
    namespace: &NamespaceRef,
    asker: &Asker<'_>,
) -> Result<Vec<LinkInfo>, Miss> {
    match asker.look(Query::Links { namespace: namespace.clone() }).await? {
        Answer::Links(links) => Ok(links),
        _ => Err(mistaken()),
    }
}

/// Whether the next station was asked for and did not answer.
async fn is_unresolved(
    namespace: &NamespaceRef,
    link: Option<&LinkInfo>,
    station: IpAddr,
    asker: &Asker<'_>,
) -> Result<bool, Miss> {
    let family = Family::of(station);
    let query = Query::Neighbours { namespace: namespace.clone(), family: Some(family) };
    let Answer::Neighbours(found) = asker.look(query).await? else {
        return Err(mistaken());
    };
    let Some(link) = link else { return Ok(false) };
    Ok(found.iter().any(|(name, neighbour)| {
        *name == link.name
            && neighbour.address == station
            && matches!(neighbour.state, NeighbourState::Incomplete | NeighbourState::Failed)
    }))
}
