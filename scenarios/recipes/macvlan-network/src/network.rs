//! The network: its subnets with their gateways, and the parents of its endpoints.

use std::net::IpAddr;

use netwright_sdk::wit::netwright::host::links::MacvlanMode;
use netwright_topology::values::{self, LinkText, Prefix};
use netwright_topology::{At, Fields, Place, Reader, quote};
use serde_json::Value;

use crate::ipam::Pool;

#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) name: String,
    pub(crate) pools: Vec<Pool>,
    pub(crate) parents: Vec<(LinkText, Place)>,
    pub(crate) mode: Option<MacvlanMode>,
    pub(crate) mtu: Option<(u32, Place)>,
    /// of the default routes
    pub(crate) metric: Option<u32>,
    pub(crate) internal: bool,
    pub(crate) share_parent: bool,
}

/// Docker's default first.
const MODES: &[(&str, MacvlanMode)] = &[
    ("bridge", MacvlanMode::Bridge),
    ("vepa", MacvlanMode::Vepa),
    ("private", MacvlanMode::Private),
    ("passthru", MacvlanMode::Passthru),
];

impl Network {
    pub(crate) fn read(fields: &mut Fields<'_>, reader: &mut Reader) -> Self {
        let name = fields.get("name").and_then(|at| reader.parsed(&at, network_name));
        let mut pools = pools(fields, reader);
        let reserved = reserved(fields, &mut pools, reader);
        gateways(fields, &mut pools, reader);
        ranges(fields, &mut pools, reader);
        reserve(reserved, &mut pools, reader);
        for pool in pools.iter_mut().filter(|pool| pool.gateway.is_none()) {
            pool.gateway = pool.give("the gateway");
        }
        let mode = fields.get("mode");
        let mode = mode.map_or(Some(MacvlanMode::Bridge), |at| reader.word(&at, "mode", MODES));
        let mtu = fields.get("mtu");
        let mtu = mtu.and_then(|at| reader.number(&at, 68, 65_535).map(|mtu| (mtu, at.place)));
        let metric = fields.get("metric").and_then(|at| reader.number(&at, 0, u32::MAX));
        let mut flag = |key| fields.get(key).and_then(|at| reader.boolean(&at)).unwrap_or(false);
        let (internal, share_parent) = (flag("internal"), flag("share-parent"));
        Self {
            name: name.unwrap_or_else(|| "macvlan".to_owned()),
            pools,
            parents: parents(fields, reader),
            mode,
            mtu,
            metric,
            internal,
            share_parent,
        }
    }

    /// The pool that an address is of.
    pub(crate) fn pool(&mut self, address: IpAddr) -> Option<&mut Pool> {
        self.pools.iter_mut().find(|pool| pool.subnet.contains(address))
    }
}

/// What Docker calls a network, and a link's alias can hold.
fn network_name(text: &str) -> Result<String, String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if text.is_empty() || text.len() > 63 || !text.chars().all(legal) {
        return Err(format!(
            "{} is no network name; 1 to 63 letters, digits, `.`, `_` and `-` are allowed",
            quote(text)
        ));
    }
    Ok(text.to_owned())
}

/// One value, or a list of them.
fn one_or_more<'a>(at: &At<'a>, reader: &mut Reader) -> Vec<At<'a>> {
    if at.value.is_array() { reader.list(at) } else { vec![at.clone()] }
}

fn pools(fields: &mut Fields<'_>, reader: &mut Reader) -> Vec<Pool> {
    let mut pools: Vec<Pool> = Vec::new();
    let Some(at) = fields.need(reader, "subnet") else { return pools };
    for item in one_or_more(&at, reader) {
        let Some(subnet) = reader.parsed(&item, values::network) else { continue };
        let overlaps = |pool: &&Pool| {
            pool.subnet.contains(subnet.address) || subnet.contains(pool.subnet.address)
        };
        match pools.iter().find(overlaps) {
            Some(pool) => {
                reader.fault(&item.place, format!("subnet {subnet} overlaps {}", pool.subnet));
            }
            None => pools.push(Pool::new(subnet)),
        }
    }
    pools
}

/// The pool for an address, or a fault.
fn pool_of<'a>(
    pools: &'a mut [Pool],
    address: IpAddr,
    what: &str,
    place: &Place,
    reader: &mut Reader,
) -> Option<&'a mut Pool> {
    let known: Vec<_> = pools.iter().map(|pool| pool.subnet.to_string()).collect();
    let pool = pools.iter_mut().find(|pool| pool.subnet.contains(address));
    if pool.is_none() && !known.is_empty() {
        let help = Some(format!("there is {}", known.join(", ")));
        reader.fault_with(place, format!("{what} {address} is in no subnet"), help);
    }
    pool
}

fn gateways(fields: &mut Fields<'_>, pools: &mut [Pool], reader: &mut Reader) {
    let Some(at) = fields.get("gateway") else { return };
    for item in one_or_more(&at, reader) {
        let Some(address) = reader.parsed(&item, values::address) else { continue };
        let Some(pool) = pool_of(pools, address, "gateway", &item.place, reader) else { continue };
        if let Some(first) = pool.gateway {
            let message = format!("subnet {} has gateway {first} already", pool.subnet);
            reader.fault(&item.place, message);
        } else if let Err(owner) = pool.take(address, "the gateway") {
            reader.fault(&item.place, format!("gateway {address} is {owner}"));
        } else {
            pool.gateway = Some(address);
        }
    }
}

fn ranges(fields: &mut Fields<'_>, pools: &mut [Pool], reader: &mut Reader) {
    let Some(at) = fields.get("ip-range") else { return };
    for item in one_or_more(&at, reader) {
        let Some(range) = reader.parsed(&item, values::network) else { continue };
        let what = "ip-range";
        let Some(pool) = pool_of(pools, range.address, what, &item.place, reader) else { continue };
        if range.length < pool.subnet.length {
            reader.fault(&item.place, format!("ip-range {range} is larger than {}", pool.subnet));
        } else if let Some(first) = pool.range {
            let message = format!("subnet {} has ip-range {first} already", pool.subnet);
            reader.fault(&item.place, message);
        } else {
            pool.range = Some(range);
        }
    }
}

/// The auxiliary addresses with their places: `{ NAME: ADDRESS }`, or a list.
fn reserved(
    fields: &mut Fields<'_>,
    pools: &mut [Pool],
    reader: &mut Reader,
) -> Vec<(IpAddr, Place)> {
    let Some(at) = fields.get("aux-address") else { return Vec::new() };
    let items = match at.value {
        Value::Object(entries) => {
            entries.iter().map(|(name, value)| At { value, place: at.place.step(name) }).collect()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            one_or_more(&at, reader)
        }
    };
    let mut reserved = Vec::new();
    for item in items {
        let Some(address) = reader.parsed(&item, auxiliary) else { continue };
        if pool_of(pools, address, "auxiliary address", &item.place, reader).is_some() {
            reserved.push((address, item.place));
        }
    }
    reserved
}

/// Docker writes `NAME=ADDRESS`.
fn auxiliary(text: &str) -> Result<IpAddr, String> {
    values::address(text.split_once('=').map_or(text, |(_, address)| address))
}

fn reserve(reserved: Vec<(IpAddr, Place)>, pools: &mut [Pool], reader: &mut Reader) {
    for (address, place) in reserved {
        let pool = pools.iter_mut().find(|pool| pool.subnet.contains(address));
        if let Some(Err(owner)) = pool.map(|pool| pool.take(address, "an auxiliary address")) {
            reader.fault(&place, format!("auxiliary address {address} is {owner}"));
        }
    }
}

fn parents(fields: &mut Fields<'_>, reader: &mut Reader) -> Vec<(LinkText, Place)> {
    let mut parents: Vec<(LinkText, Place)> = Vec::new();
    let Some(at) = fields.need(reader, "parent") else { return parents };
    for item in one_or_more(&at, reader) {
        let Some(parent) = reader.parsed(&item, values::link) else { continue };
        let parent = LinkText { namespace: Some(parent.namespace.unwrap_or_default()), ..parent };
        if parent.name == "lo" {
            let message = "`lo` can't be a parent: the kernel stacks nothing on a loopback";
            reader.fault(&item.place, message);
        } else if parents.iter().any(|(other, _)| other.namespace == parent.namespace) {
            reader.fault(&item.place, "a network has one parent in a namespace; this is another");
        } else {
            parents.push((parent, item.place));
        }
    }
    parents
}

/// An address with the length of its subnet.
pub(crate) fn prefixed(address: IpAddr, subnet: &Prefix) -> Prefix {
    Prefix { address, length: subnet.length }
}
