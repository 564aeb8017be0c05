//! Names and addresses as text; the errors are sentences, a line `  help: …` may follow.

use std::net::IpAddr;

use netwright_sdk::wit::netwright::host::types::{Family, IpAddress, IpPrefix, MacAddress};

use crate::fault::quote;

/// An address and the length of its network, host bits kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Prefix {
    pub address: IpAddr,
    pub length: u8,
}

impl std::fmt::Display for Prefix {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

impl Prefix {
    /// The network's own address: all bits behind the length are 0.
    pub fn network(&self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.length)).unwrap_or(0);
                IpAddr::V4((u32::from(address) & mask).into())
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.length)).unwrap_or(0);
                IpAddr::V6((u128::from(address) & mask).into())
            }
        }
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4()
            && Self { address, length: self.length }.network() == self.network()
    }

    pub fn to_wit(self) -> IpPrefix {
        IpPrefix { address: to_wit(self.address), length: self.length }
    }
}

/// As a component is told it.
pub fn from_wit(prefix: IpPrefix) -> Prefix {
    let address = match prefix.address {
        IpAddress::Ipv4((a, b, c, d)) => IpAddr::from([a, b, c, d]),
        IpAddress::Ipv6((a, b, c, d, e, f, g, h)) => IpAddr::from([a, b, c, d, e, f, g, h]),
    };
    Prefix { address, length: prefix.length }
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

/// An address without a length.
pub fn address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| {
        let help = match text.split_once('/') {
            Some((address, _)) if address.parse::<IpAddr>().is_ok() => {
                format!("\n  help: without the length: {address}")
            }
            Some(_) | None => String::new(),
        };
        format!("{} is not an IPv4 or IPv6 address{help}", quote(text))
    })
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

/// An address with a length.
pub fn prefix(text: &str) -> Result<Prefix, String> {
    let Some((address, length)) = text.split_once('/') else {
        return Err(match text.parse::<IpAddr>() {
            Ok(address) => {
                let length = if address.is_ipv4() { 24 } else { 64 };
                format!("{} has no prefix length\n  help: write {address}/{length}", quote(text))
            }
            Err(_) => format!("{} is not an address with a prefix length", quote(text)),
        });
    };
    let address: IpAddr = address
        .parse()
        .map_err(|_| format!("{} is not an IPv4 or IPv6 address", quote(address)))?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    match length.parse::<u8>() {
        Ok(length) if digits && length <= longest => Ok(Prefix { address, length }),
        Ok(_) | Err(_) => Err(format!(
            "{} is not a prefix length; an {} address has 0 to {longest}",
            quote(length),
            family_word(address)
        )),
    }
}

/// A network: an address with a length and no bits behind it. An address alone is all of it.
pub fn network(text: &str) -> Result<Prefix, String> {
    let prefix = match text.parse::<IpAddr>() {
        Ok(address) => Prefix { address, length: if address.is_ipv4() { 32 } else { 128 } },
        Err(_) => prefix(text)?,
    };
    let network = prefix.network();
    if network == prefix.address {
        return Ok(prefix);
    }
    let length = prefix.length;
    let help = format!("the network is {network}/{length}");
    Err(format!("{} has bits behind its prefix length\n  help: {help}", quote(text)))
}

/// A route's destination; `None` is the default route.
pub fn destination(text: &str) -> Result<Option<Prefix>, String> {
    if text == "default" { Ok(None) } else { network(text).map(Some) }
}
