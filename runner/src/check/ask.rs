//! Checks that the kernel answers without a frame being sent.

use std::net::IpAddr;

use netwright_network::setting::same_value;

use super::asker::Asker;
use super::seen::{Miss, Said, Seen, mistaken};
use crate::change::{
    Answer, Family, LinkInfo, LinkName, NamespaceRef, NextHop, Prefix, Query, Route, TABLE_MAIN,
};
use crate::scenario::{AddressCheck, LinkCheck, NeighbourCheck, RouteCheck, SysctlCheck};

fn holds() -> Seen {
    Ok(Said::default())
}

pub(super) async fn link(check: &LinkCheck, asker: &Asker<'_>) -> Seen {
    let namespace = asker.namespace(&check.namespace).await?;
    match (asker.link(&namespace, check.name.as_str()).await?, check.exists) {
        (Ok(_), false) => Err(Miss::yet("it exists")),
        (Err(_), false) => holds(),
        (Err(missing), true) => Err(missing),
        (Ok(info), true) => match differences(check, &info).as_slice() {
            [] => holds(),
            differences => Err(Miss::yet(differences.join("; "))),
        },
    }
}

/// `mode is vepa, not bridge`, for each that differs.
fn differences(check: &LinkCheck, info: &LinkInfo) -> Vec<String> {
    fn differs<T: PartialEq>(
        what: &str,
        wanted: Option<&T>,
        found: &T,
        show: impl Fn(&T) -> String,
    ) -> Option<String> {
        let wanted = wanted.filter(|wanted| *wanted != found)?;
        Some(format!("{what} is {}, not {}", show(found), show(wanted)))
    }
    let state = |up: &bool| if *up { "up" } else { "down" }.to_owned();
    let carrier = |there: &bool| if *there { "there" } else { "missing" }.to_owned();
    let mode = info.data.iter().find(|each| each.name == "mode").map(|each| each.value.clone());
    let named = |name: &Option<String>| name.clone().unwrap_or_else(|| "none".to_owned());
    let master = check.master.as_ref().map(|name| Some(name.to_string()));
    let mac = check.mac.map(Some);
    [
        differs("kind", check.kind.as_ref(), &kind_asked_for(check, info), String::clone),
        differs("mode", check.mode.clone().map(Some).as_ref(), &mode, named),
        differs("state", check.up.as_ref(), &info.up, state),
        differs("carrier", check.carrier.as_ref(), &info.carrier, carrier),
        differs("mtu", check.mtu.as_ref(), &info.mtu, ToString::to_string),
        differs("mac", mac.as_ref(), &info.mac, |mac| {
            mac.map_or_else(|| "none".to_owned(), |mac| mac.to_string())
        }),
        parent_differs(check, info),
        differs("master", master.as_ref(), &info.master, named),
        differs("promiscuity", check.promiscuity.as_ref(), &info.promiscuity, ToString::to_string),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// To the kernel a tap is a `tun` of another type; a check may call it either.
fn kind_asked_for(check: &LinkCheck, info: &LinkInfo) -> String {
    let kind_of_tun = info.data.iter().find(|each| info.kind == "tun" && each.name == "type");
    match (&check.kind, kind_of_tun) {
        (Some(asked), Some(kind)) if *asked == kind.value => kind.value.clone(),
        (Some(_) | None, Some(_) | None) => info.kind.clone(),
    }
}

/// A parent without a namespace may be in the child's or in the root namespace.
fn parent_differs(check: &LinkCheck, info: &LinkInfo) -> Option<String> {
    let wanted = check.parent.as_ref()?;
    let show = |name: &LinkName| match &name.namespace {
        None => name.name.clone(),
        Some(None) => format!("/{}", name.name),
        Some(Some(namespace)) => format!("{namespace}/{}", name.name),
    };
    let Some(found) = &info.parent else {
        return Some(format!("parent is none, not {}", show(wanted)));
    };
    let resolved = |name: &LinkName| name.namespace.clone().unwrap_or(check.namespace.clone());
    let same_place = match &wanted.namespace {
        Some(_) => resolved(wanted) == resolved(found),
        None => [check.namespace.clone(), None].contains(&resolved(found)),
    };
    let same = same_place && wanted.name == found.name;
    (!same).then(|| format!("parent is {}, not {}", show(found), show(wanted)))
}

/// A link that isn't there has no addresses, but nothing follows from that.
pub(super) async fn address(check: &AddressCheck, asker: &Asker<'_>) -> Seen {
    let namespace = asker.namespace(&check.namespace).await?;
    asker.link(&namespace, check.link.as_str()).await??;
    let Answer::Addresses(found) =
        asker.query(Query::Addresses { namespace, family: None }).await?
    else {
        return Err(mistaken());
    };
    let on_link: Vec<_> = found.iter().filter(|info| info.link == check.link.as_str()).collect();
    if check.absent {
        // With whatever length: the station answers for it all the same.
        let same = |prefix: Prefix| prefix.address == check.is.address;
        return match on_link.iter().find(|info| same(info.address.prefix)) {
            Some(info) => Err(Miss::yet(format!("it has {}", info.address.prefix))),
            None => holds(),
        };
    }
    match on_link.iter().find(|info| info.address.prefix == check.is) {
        Some(info) if info.duplicate => Err(Miss::yet("another station has the same address")),
        Some(info) if info.tentative => {
            Err(Miss::yet("duplicate address detection is still going on"))
        }
        Some(_) => holds(),
        None if on_link.is_empty() => Err(Miss::yet("it has none")),
        None => {
            let others = on_link.iter().map(|info| info.address.prefix.to_string());
            Err(Miss::yet(format!("it has {}", others.collect::<Vec<_>>().join(", "))))
        }
    }
}

pub(super) async fn route(check: &RouteCheck, asker: &Asker<'_>) -> Seen {
    let namespace = asker.namespace(&check.namespace).await?;
    if check.absent {
        asker.sees_all(&namespace).await?;
        // A route by a link that isn't there is none, but nothing follows from that.
        if let Some(link) = &check.link {
            asker.link(&namespace, link.as_str()).await??;
        }
    }
    let same_destination = routes_to(check, &namespace, asker).await?;
    match (same_destination.iter().find(|route| is_wanted(check, route)), check.absent) {
        (Some(_), false) | (None, true) => holds(),
        (Some(route), true) => Err(Miss::yet(format!("it is there: {}", shown(route)))),
        (None, false) if same_destination.is_empty() => Err(Miss::yet("there is none")),
        (None, false) => {
            let others: Vec<_> = same_destination.iter().map(shown).collect();
            Err(Miss::yet(format!("there is: {}", others.join("; "))))
        }
    }
}

/// The table is what an absent route was overlooked in.
fn shown(route: &Route) -> String {
    match route.table {
        Some(table) if table != TABLE_MAIN && !route.to_string().contains(" table ") => {
            format!("{route} table {table}")
        }
        Some(_) | None => route.to_string(),
    }
}

/// Those that have the destination, in the table that is meant: in any where none may be there.
async fn routes_to(
    check: &RouteCheck,
    namespace: &NamespaceRef,
    asker: &Asker<'_>,
) -> Result<Vec<Route>, Miss> {
    let address = check.destination.map(|prefix| prefix.address).or(check.gateway);
    let families = match address {
        Some(IpAddr::V4(_)) => vec![Family::Ipv4],
        Some(IpAddr::V6(_)) => vec![Family::Ipv6],
        None => vec![Family::Ipv4, Family::Ipv6],
    };
    let mut same_destination = Vec::new();
    for family in families {
        let namespace = namespace.clone();
        let Answer::Routes(found) = asker.query(Query::Routes { namespace, family }).await? else {
            return Err(mistaken());
        };
        same_destination.extend(found.into_iter().filter(|route| {
            let table = check.table.or((!check.absent).then_some(TABLE_MAIN));
            is_default_or(route.destination) == is_default_or(check.destination)
                && table.is_none_or(|table| route.table.unwrap_or(TABLE_MAIN) == table)
        }));
    }
    Ok(same_destination)
}

/// The kernel has no other default route than a prefix of length 0.
fn is_default_or(destination: Option<Prefix>) -> Option<Prefix> {
    destination.filter(|prefix| prefix.length > 0)
}

/// All that is asked for of a next hop is of one and the same.
fn is_wanted(check: &RouteCheck, route: &Route) -> bool {
    let any_hop = check.gateway.is_none() && check.link.is_none();
    let hop = |hop: &NextHop| {
        check.gateway.is_none_or(|gateway| hop.gateway == Some(gateway))
            && check.link.as_ref().is_none_or(|link| hop.link.as_deref() == Some(link.as_str()))
    };
    check.metric.is_none_or(|metric| route.metric.unwrap_or(0) == metric)
        && (any_hop || route.next_hops.iter().any(hop))
}

pub(super) async fn neighbour(check: &NeighbourCheck, asker: &Asker<'_>) -> Seen {
    let namespace = asker.namespace(&check.namespace).await?;
    match &check.link {
        Some(link) => {
            asker.link(&namespace, link.as_str()).await??;
        }
        None if check.absent => asker.sees_all(&namespace).await?,
        None => {}
    }
    let Answer::Neighbours(found) =
        asker.query(Query::Neighbours { namespace, family: None }).await?
    else {
        return Err(mistaken());
    };
    let same_address: Vec<_> = found
        .iter()
        .filter(|(link, neighbour)| {
            neighbour.address == check.address
                && check.link.as_ref().is_none_or(|wanted| wanted.as_str() == link)
        })
        .collect();
    let matching = same_address.iter().any(|(_, neighbour)| {
        check.mac.is_none_or(|mac| neighbour.mac == Some(mac))
            && check.state.is_none_or(|state| neighbour.state == state)
    });
    match (matching, check.absent) {
        (true, false) | (false, true) => holds(),
        (true, true) => Err(Miss::yet("it is there")),
        (false, false) => match same_address.first() {
            None => Err(Miss::yet("there is none")),
            Some((_, neighbour)) => {
                let mac =
                    neighbour.mac.map_or_else(|| "no address".to_owned(), |mac| mac.to_string());
                let text = format!("it has {mac} and is {:?}", neighbour.state);
                Err(Miss::yet(text.to_lowercase()))
            }
        },
    }
}

pub(super) async fn sysctl(check: &SysctlCheck, asker: &Asker<'_>) -> Seen {
    let namespace = asker.namespace(&check.namespace).await?;
    let key = check.key.clone();
    match asker.query(Query::Sysctl { namespace, key }).await? {
        Answer::Text(value) if same_value(&value, &check.is) => holds(),
        // The kernel puts tabs between several words.
        Answer::Text(value) => {
            let words: Vec<&str> = value.split_whitespace().collect();
            Err(Miss::yet(format!("it is {}", words.join(" "))))
        }
        _ => Err(mistaken()),
    }
}
