//! Names and addresses as text; the errors are sentences, a line `  help: …` may follow.

use std::net::IpAddr;

pub use netwright_network::change::Prefix;
pub use netwright_network::units::{address, destination, network, prefix};
use netwright_sdk::wit::netwright::host::types::{Family, IpAddress, IpPrefix, MacAddress};

use crate::fault::quote;

/// As a component is told it.
pub fn from_wit(prefix: IpPrefix) -> Prefix {
    let address = match prefix.address {
        IpAddress::Ipv4((a, b, c, d)) => IpAddr::from([a, b, c, d]),
        IpAddress::Ipv6((a, b, c, d, e, f, g, h)) => IpAddr::from([a, b, c, d, e, f, g, h]),
    };
    Prefix { address, length: prefix.length }
}

pub fn prefix_to_wit(prefix: Prefix) -> IpPrefix {
    IpPrefix { address: to_wit(prefix.address), length: prefix.length }
}

pub fn to_wit(address: IpAddr) -> IpAddress {
    match address {
        IpAddr::V4(address) => IpAddress::Ipv4(address.octets().into()),
        IpAddr::V6(address) => IpAddress::Ipv6(address.segments().into()),
    }
}

pub fn family(address: IpAddr) -> Family {
    if address.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 }
}

pub fn family_word(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "IPv4" } else { "IPv6" }
}

/// The name of a link.
pub fn name(text: &str) -> Result<String, String> {
    netwright_network::names::link(text).map(|()| text.to_owned())
}

/// The name of a new namespace.
pub fn new_namespace(text: &str) -> Result<String, String> {
    netwright_network::names::namespace(text).map(|()| text.to_owned())
}

/// The name of a port, or of its master: the kernel joins links of one namespace only.
pub fn neighbouring(text: &str) -> Result<String, String> {
    if !text.contains('/') {
        return name(text);
    }
    Err(format!(
        "{} is in another namespace; a port and its master are in the same one\n  help: a cable leads from one to another: `{{ name: p1, kind: veth, peer: NAMESPACE/LINK }}`",
        quote(text)
    ))
}

/// A namespace: by name, or one of somebody else's that the operator named: `docker:CONTAINER`,
/// `pid:PROCESS`.
pub fn namespace(text: &str) -> Result<String, String> {
    if is_attached(text) { Ok(text.to_owned()) } else { new_namespace(text) }
}

/// Whether a namespace is a container's or a process's, and so there before.
pub fn is_attached(namespace: &str) -> bool {
    let container = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.len() <= 128
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c))
    };
    let process = |number: &str| number.parse::<u32>().is_ok();
    namespace.strip_prefix("docker:").is_some_and(container)
        || namespace.strip_prefix("pid:").is_some_and(process)
}

/// A link by name; `namespace: Some("")` is the root namespace, `None` is left to the context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkText {
    pub namespace: Option<String>,
    pub name: String,
}

/// `NAME`, `NAMESPACE/NAME`, or `/NAME` in the root namespace.
pub fn link(text: &str) -> Result<LinkText, String> {
    match text.split_once('/') {
        None => Ok(LinkText { namespace: None, name: name(text)? }),
        Some(("", link)) => Ok(LinkText { namespace: Some(String::new()), name: name(link)? }),
        Some((space, link)) => {
            Ok(LinkText { namespace: Some(namespace(space)?), name: name(link)? })
        }
    }
}

/// The address of one station.
pub fn mac(text: &str) -> Result<MacAddress, String> {
    let refused = || {
        let help = "six pairs of hexadecimal digits are expected: 02:00:00:00:00:01";
        format!("{} is not a MAC address\n  help: {help}", quote(text))
    };
    let mut bytes = [0_u8; 6];
    let mut parts = text.split([':', '-']);
    for byte in &mut bytes {
        let part = parts.next().filter(|part| part.len() == 2).ok_or_else(refused)?;
        let digits = part.bytes().all(|b| b.is_ascii_hexdigit());
        *byte = digits.then(|| u8::from_str_radix(part, 16).ok()).flatten().ok_or_else(refused)?;
    }
    if parts.next().is_some() {
        return Err(refused());
    }
    if bytes[0] & 1 == 1 {
        return Err(format!(
            "{} is a multicast address; a link's own has an even first byte",
            quote(text)
        ));
    }
    if bytes == [0; 6] {
        return Err(format!("{} is no station's address", quote(text)));
    }
    Ok(bytes.into())
}

/// For messages and comparisons.
pub fn mac_text(mac: MacAddress) -> String {
    let (a, b, c, d, e, f) = mac;
    format!("{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
}

/// An address of a link, with the length of its network.
pub fn host(text: &str) -> Result<Prefix, String> {
    let prefix = prefix(text)?;
    let address = prefix.address;
    if address.is_multicast() {
        return Err(format!("{} is a multicast address; no link has one as its own", quote(text)));
    }
    if address.is_unspecified() || matches!(address, IpAddr::V4(four) if four.is_broadcast()) {
        return Err(format!("{} is no address of a link", quote(text)));
    }
    Ok(prefix)
}
