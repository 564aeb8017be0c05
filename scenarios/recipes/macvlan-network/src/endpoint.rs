//! Endpoints: a namespace with a child of the parent, its addresses and its default route.

use std::net::IpAddr;

use netwright_sdk::wit::netwright::host::links::{Kind, Macvlan, MacvlanMode, Setting};
use netwright_sdk::wit::netwright::host::routes::{NextHop, Route as WitRoute, RouteKind};
use netwright_sdk::wit::netwright::host::types::MacAddress;
use netwright_topology::values::{self, LinkText, Prefix};
use netwright_topology::{
    At, Fields, Hop, Link, LinkAddress, Lower, Place, Reader, Route, Topology, quote,
};

use crate::network::{Network, prefixed};

/// Comes before the network's name in the alias of its links, by which the next network knows
/// whose parent it is.
pub(crate) const ALIAS: &str = "macvlan-network ";

#[derive(Debug)]
pub(crate) struct Endpoint {
    name: String,
    namespace: String,
    link: String,
    parent: (LinkText, Place),
    /// IPv4 and IPv6
    fixed: [Option<(IpAddr, Place)>; 2],
    mac: Option<(MacAddress, Place)>,
    place: Place,
}

pub(crate) fn read(
    fields: &mut Fields<'_>,
    network: &Network,
    reader: &mut Reader,
) -> Vec<Endpoint> {
    let mut endpoints: Vec<Endpoint> = Vec::new();
    let Some(at) = fields.need(reader, "endpoints") else { return endpoints };
    for item in reader.list(&at) {
        let Some(endpoint) = read_one(&item, network, reader) else { continue };
        if let Some(first) = endpoints.iter().find(|other| other.name == endpoint.name) {
            let message =
                format!("endpoint {} is {} already", quote(&endpoint.name), first.place.item());
            reader.fault(&item.place, message);
        }
        endpoints.push(endpoint);
    }
    endpoints
}

fn read_one(at: &At<'_>, network: &Network, reader: &mut Reader) -> Option<Endpoint> {
    if !at.value.is_object() {
        let name = reader.parsed(at, values::new_namespace)?;
        let parent = parent(None, network, &at.place, reader)?;
        return Some(Endpoint {
            namespace: name.clone(),
            name,
            link: "eth0".to_owned(),
            parent,
            fixed: [None, None],
            mac: None,
            place: at.place.clone(),
        });
    }
    let mut fields = reader.fields(at, "an endpoint")?;
    let name = fields.need(reader, "name");
    let name = name.and_then(|at| reader.parsed(&at, values::new_namespace));
    let namespace = fields.get("namespace").and_then(|at| reader.parsed(&at, values::namespace));
    let link = fields.get("link").and_then(|at| reader.parsed(&at, values::name));
    let node = fields
        .get("node")
        .and_then(|at| reader.parsed(&at, values::name).map(|node| (node, at.place)));
    let fixed = [fixed(&mut fields, "ip", true, reader), fixed(&mut fields, "ip6", false, reader)];
    let mac =
        fields.get("mac").and_then(|at| reader.parsed(&at, values::mac).map(|mac| (mac, at.place)));
    reader.close(fields);
    let parent = parent(node, network, &at.place, reader);
    let name = name?;
    Some(Endpoint {
        namespace: namespace.unwrap_or_else(|| name.clone()),
        name,
        link: link.unwrap_or_else(|| "eth0".to_owned()),
        parent: parent?,
        fixed,
        mac,
        place: at.place.clone(),
    })
}

/// A static address; Docker's `--ip` and `--ip6`.
fn fixed(
    fields: &mut Fields<'_>,
    key: &'static str,
    four: bool,
    reader: &mut Reader,
) -> Option<(IpAddr, Place)> {
    let at = fields.get(key)?;
    let address = reader.parsed(&at, values::address)?;
    if address.is_ipv4() != four {
        let other = if four { "ip6" } else { "ip" };
        let help = Some(format!("did you mean `{other}`?"));
        let family = values::family_word(address);
        reader.fault_with(&at.place, format!("{address} is {family}"), help);
        return None;
    }
    Some((address, at.place))
}

/// The parent on the endpoint's node, or the only one.
fn parent(
    node: Option<(String, Place)>,
    network: &Network,
    place: &Place,
    reader: &mut Reader,
) -> Option<(LinkText, Place)> {
    let nodes = || network.parents.iter().filter_map(|(parent, _)| parent.namespace.as_deref());
    match node {
        Some((node, place)) => {
            let found =
                network.parents.iter().find(|(parent, _)| parent.namespace.as_ref() == Some(&node));
            if found.is_none() && !network.parents.is_empty() {
                let help = netwright_topology::suggestion(&node, nodes())
                    .or_else(|| Some(format!("write its parent as `{node}/NAME` in `parent`")));
                reader.fault_with(&place, format!("no parent is in node {}", quote(&node)), help);
            }
            found.cloned()
        }
        None => {
            if network.parents.len() > 1 {
                let help =
                    Some(format!("`node` is one of {}", nodes().collect::<Vec<_>>().join(", ")));
                reader.fault_with(
                    place,
                    "the network has several parents; which `node` is it?",
                    help,
                );
                return None;
            }
            network.parents.first().cloned()
        }
    }
}

/// Gives every endpoint its addresses, those first that asked for one.
pub(crate) fn addresses(
    endpoints: &[Endpoint],
    network: &mut Network,
    reader: &mut Reader,
) -> Vec<Vec<(Prefix, Option<IpAddr>, Place)>> {
    let mut given = vec![Vec::new(); endpoints.len()];
    for (endpoint, given) in endpoints.iter().zip(&mut given) {
        for (address, place) in endpoint.fixed.iter().flatten() {
            given.extend(take(*address, endpoint, place, network, reader));
        }
    }
    for (endpoint, given) in endpoints.iter().zip(&mut given) {
        for (fixed, four) in endpoint.fixed.iter().zip([true, false]) {
            if fixed.is_none() {
                given.extend(next(endpoint, four, network, reader));
            }
        }
    }
    given
}

type Given = (Prefix, Option<IpAddr>, Place);

fn take(
    address: IpAddr,
    endpoint: &Endpoint,
    place: &Place,
    network: &mut Network,
    reader: &mut Reader,
) -> Option<Given> {
    let known: Vec<_> = network.pools.iter().map(|pool| pool.subnet.to_string()).collect();
    let Some(pool) = network.pool(address) else {
        if !known.is_empty() {
            let help = Some(format!("there is {}", known.join(", ")));
            reader.fault_with(place, format!("{address} is in no subnet of the network"), help);
        }
        return None;
    };
    if let Err(owner) = pool.take(address, &format!("endpoint `{}`", endpoint.name)) {
        let owner = if owner.starts_with("endpoint") { format!("that of {owner}") } else { owner };
        reader.fault(place, format!("{address} is {owner} already"));
        return None;
    }
    Some((prefixed(address, &pool.subnet), pool.gateway, place.clone()))
}

/// The next free address of the first subnet of a family that has one.
fn next(
    endpoint: &Endpoint,
    four: bool,
    network: &mut Network,
    reader: &mut Reader,
) -> Option<Given> {
    let mut of_family: Vec<_> =
        network.pools.iter_mut().filter(|pool| pool.subnet.address.is_ipv4() == four).collect();
    for pool in &mut of_family {
        if let Some(address) = pool.give(&format!("endpoint `{}`", endpoint.name)) {
            return Some((prefixed(address, &pool.subnet), pool.gateway, endpoint.place.clone()));
        }
    }
    let pool = of_family.last()?;
    let message = format!(
        "no address is left for endpoint {} in {}",
        quote(&endpoint.name),
        pool.range.unwrap_or(pool.subnet)
    );
    let help = format!("it has room for {}; take a larger one", pool.given());
    reader.fault_with(&endpoint.place, message, Some(help));
    None
}

/// Docker's: 02:42 and the IPv4 address; of an IPv6 address the last four bytes.
fn mac_of(address: IpAddr) -> MacAddress {
    let [a, b, c, d] = match address {
        IpAddr::V4(four) => four.octets(),
        IpAddr::V6(six) => {
            let [.., a, b, c, d] = six.octets();
            [a, b, c, d]
        }
    };
    (0x02, 0x42, a, b, c, d)
}

/// Adds an endpoint to the network that is to be made; tells what it is like.
pub(crate) fn plan(
    endpoint: &Endpoint,
    given: &[Given],
    network: &Network,
    topology: &mut Topology,
) -> String {
    let key = (endpoint.namespace.clone(), endpoint.link.clone());
    let mac = endpoint.mac.clone().or_else(|| {
        let (prefix, ..) = given.first()?;
        Some((mac_of(prefix.address), endpoint.place.clone()))
    });
    // A passthru child has its parent's address, and would change it.
    let mac = mac.filter(|_| network.mode != Some(MacvlanMode::Passthru));
    let own = Macvlan {
        mode: network.mode,
        nopromisc: false,
        nodst: false,
        sources: Vec::new(),
        broadcast_queue_length: None,
    };
    let mut line = format!("endpoint {}:", endpoint.name);
    for (prefix, gateway, place) in given {
        line += &format!(" {prefix}");
        topology.addresses.push(LinkAddress {
            link: key.clone(),
            prefix: *prefix,
            peer: None,
            broadcast: None,
            label: None,
            nodad: false,
            place: place.clone(),
            link_place: None,
        });
        if let Some(gateway) = gateway.filter(|_| !network.internal) {
            topology.routes.push(default_route(endpoint, gateway, network.metric, place));
        }
    }
    if let Some((mac, _)) = &mac {
        line += &format!(" {}", values::mac_text(*mac));
    }
    let (text, place) = endpoint.parent.clone();
    topology.links.push(Link {
        key,
        place: endpoint.place.clone(),
        kind: Kind::Macvlan(own),
        lower: Some(Lower { text, place }),
        peer: None,
        ports: Vec::new(),
        master: None,
        mtu: network.mtu.clone(),
        mac,
        settings: vec![
            Setting::Up(true),
            // Docker asks for none, too; a macvlan has no queue of its own anyway.
            Setting::TransmitQueueLength(0),
            Setting::Alias(format!("{ALIAS}{}", network.name)),
        ],
    });
    let known = |name: &String| {
        values::is_attached(name)
            || topology.existing.namespaces.contains(name)
            || topology.namespaces.iter().any(|(other, _)| other == name)
    };
    if !known(&endpoint.namespace) {
        topology.namespaces.push((endpoint.namespace.clone(), endpoint.place.clone()));
    }
    line
}

fn default_route(
    endpoint: &Endpoint,
    gateway: IpAddr,
    metric: Option<u32>,
    place: &Place,
) -> Route {
    let hop = NextHop {
        gateway: Some(values::to_wit(gateway)),
        link: Some(endpoint.link.clone()),
        weight: 1,
        onlink: false,
    };
    let route = WitRoute {
        family: values::family(gateway),
        kind: RouteKind::Unicast,
        destination: None,
        next_hops: vec![hop],
        table: None,
        metric,
        protocol: None,
        scope: None,
        source: None,
        from: None,
        type_of_service: None,
        metrics: Vec::new(),
    };
    let link = Some((endpoint.link.clone(), place.clone()));
    let hops = vec![Hop { gateway: Some((gateway, place.clone())), link, onlink: false }];
    Route {
        namespace: endpoint.namespace.clone(),
        destination: None,
        route,
        place: place.clone(),
        hops,
    }
}
