//! A filter: which frames are meant, in keys and values as a scenario writes them.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::headers::{ICMP, ICMP6, TCP, UDP};
use crate::packet::{Direction, Network, Packet};
use crate::told::{Told, Verdict};

/// Every key of a filter with what its values are, in the order in which filters are shown.
pub const KEYS: &[(&str, &str)] = &[
    ("protocol", "arp, icmp, icmp6, ipv4, ipv6, tcp or udp"),
    ("vlan", "the outermost tag's id, 0 to 4094, or `none` for untagged frames"),
    ("direction", "incoming or outgoing"),
    ("source-mac", "the station that the frame comes from"),
    ("destination-mac", "the station or group that it goes to"),
    ("source", "an IP address or prefix; of ARP the sender's address"),
    ("destination", "an IP address or prefix; of ARP the target's address"),
    ("port", "of TCP, UDP or SCTP, either end's, 1 to 65535"),
    ("source-port", "of TCP, UDP or SCTP"),
    ("destination-port", "of TCP, UDP or SCTP"),
];

/// The words for `protocol`.
pub const PROTOCOLS: &[&str] = &["arp", "icmp", "icmp6", "ipv4", "ipv6", "tcp", "udp"];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Arp,
    Icmp,
    Icmp6,
    Ipv4,
    Ipv6,
    Tcp,
    Udp,
}

/// Which frames are meant: those for which all that is said here is so. An empty filter means
/// every frame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    protocol: Option<Protocol>,
    /// the inner `None` is an untagged frame
    vlan: Option<Option<u16>>,
    direction: Option<Direction>,
    source_mac: Option<[u8; 6]>,
    destination_mac: Option<[u8; 6]>,
    source: Option<IpNet>,
    destination: Option<IpNet>,
    port: Option<u16>,
    source_port: Option<u16>,
    destination_port: Option<u16>,
}

impl Filter {
    /// Adds one condition, in words of [`KEYS`].
    ///
    /// # Errors
    /// A sentence that names what is wrong and the rule; a remedy, if there is one, stands on a
    /// line of its own that begins with `  help: `.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "protocol" => self.protocol = Some(protocol(value)?),
            "vlan" => self.vlan = Some(vlan(value)?),
            "direction" => self.direction = Some(direction(value)?),
            "source-mac" => self.source_mac = Some(mac(value)?),
            "destination-mac" => self.destination_mac = Some(mac(value)?),
            "source" => self.source = Some(network(value)?),
            "destination" => self.destination = Some(network(value)?),
            "port" => self.port = Some(port(value)?),
            "source-port" => self.source_port = Some(port(value)?),
            "destination-port" => self.destination_port = Some(port(value)?),
            _ => {
                let keys: Vec<_> = KEYS.iter().map(|(key, _)| *key).collect();
                return Err(format!(
                    "a filter of frames has no `{}`\n  help: there are {}",
                    key.escape_debug(),
                    keys.join(", ")
                ));
            }
        }
        Ok(())
    }

    /// A filter of several conditions.
    ///
    /// # Errors
    /// As those of [`Filter::set`].
    pub fn of<'a>(
        conditions: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, String> {
        let mut filter = Self::default();
        for (key, value) in conditions {
            filter.set(key, value)?;
        }
        Ok(filter)
    }

    /// What of this filter no frame can be at once: the protocol and what it doesn't have.
    pub fn contradiction(&self) -> Option<String> {
        let protocol = self.protocol?;
        let families = [self.source, self.destination].into_iter().flatten();
        let other = families.map(|net| net.addr().is_ipv4()).find(|ipv4| match protocol {
            Protocol::Arp | Protocol::Icmp | Protocol::Ipv4 => !ipv4,
            Protocol::Icmp6 | Protocol::Ipv6 => *ipv4,
            Protocol::Tcp | Protocol::Udp => false,
        });
        let word = PROTOCOLS[protocol as usize];
        if let Some(ipv4) = other {
            let family = if ipv4 { "IPv4" } else { "IPv6" };
            return Some(format!("no {word} frame has an {family} address"));
        }
        let ports = self.port.or(self.source_port).or(self.destination_port);
        let portless = matches!(protocol, Protocol::Arp | Protocol::Icmp | Protocol::Icmp6);
        (ports.is_some() && portless).then(|| format!("no {word} frame has a port"))
    }

    /// Whether a frame is meant, as far as what is there of it says.
    pub fn judge(&self, packet: &Packet) -> Verdict {
        let mac = |wanted: Option<[u8; 6]>, found: Told<[u8; 6]>| {
            asked(wanted, |wanted| found.fits(|found| found == wanted))
        };
        Verdict::of_all([
            asked(self.protocol, |protocol| has_protocol(packet, protocol)),
            asked(self.vlan, |vlan| match (packet.vlan, vlan) {
                (Told::Nothing, None) => Verdict::Meant,
                (found, vlan) => found.fits(|found| Some(found) == vlan),
            }),
            asked(self.direction, |direction| (direction == packet.direction).into()),
            mac(self.source_mac, packet.macs.map(|(source, _)| source)),
            mac(self.destination_mac, packet.macs.map(|(_, destination)| destination)),
            within(self.source, packet.addresses.map(|(source, _)| source)),
            within(self.destination, packet.addresses.map(|(_, destination)| destination)),
            self.judge_ports(packet.transport.ports),
        ])
    }

    /// Whether it is sure that a frame is meant.
    pub fn matches(&self, packet: &Packet) -> bool {
        self.judge(packet) == Verdict::Meant
    }

    fn judge_ports(&self, ports: Told<(u16, u16)>) -> Verdict {
        let fits = |wanted: Option<u16>, fits: fn((u16, u16), u16) -> bool| {
            asked(wanted, |wanted| ports.fits(|ports| fits(ports, wanted)))
        };
        Verdict::of_all([
            fits(self.port, |ports, wanted| ports.0 == wanted || ports.1 == wanted),
            fits(self.source_port, |ports, wanted| ports.0 == wanted),
            fits(self.destination_port, |ports, wanted| ports.1 == wanted),
        ])
    }

    /// Whether it means every frame.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn asked<T>(wanted: Option<T>, judge: impl FnOnce(T) -> Verdict) -> Verdict {
    wanted.map_or(Verdict::Meant, judge)
}

fn has_protocol(packet: &Packet, protocol: Protocol) -> Verdict {
    let network = |wanted: Network| packet.network.fits(|found| found == wanted);
    let number = |wanted: u8| packet.transport.number.fits(|found| found == wanted);
    match protocol {
        Protocol::Arp => network(Network::Arp),
        Protocol::Ipv4 => network(Network::Ipv4),
        Protocol::Ipv6 => network(Network::Ipv6),
        Protocol::Icmp => Verdict::of_all([network(Network::Ipv4), number(ICMP)]),
        Protocol::Icmp6 => Verdict::of_all([network(Network::Ipv6), number(ICMP6)]),
        Protocol::Tcp => number(TCP),
        Protocol::Udp => number(UDP),
    }
}

fn within(wanted: Option<IpNet>, found: Told<IpAddr>) -> Verdict {
    asked(wanted, |wanted| found.fits(|found| wanted.contains(&found)))
}

fn protocol(text: &str) -> Result<Protocol, String> {
    Ok(match text {
        "arp" => Protocol::Arp,
        "icmp" => Protocol::Icmp,
        "icmp6" => Protocol::Icmp6,
        "ipv4" => Protocol::Ipv4,
        "ipv6" => Protocol::Ipv6,
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        _ => {
            let help = match text {
                "icmpv6" => "\n  help: write icmp6",
                "ip" => "\n  help: write ipv4",
                _ => "",
            };
            return Err(format!(
                "unknown protocol `{}`; there are {}{help}",
                text.escape_debug(),
                PROTOCOLS.join(", ")
            ));
        }
    })
}

fn vlan(text: &str) -> Result<Option<u16>, String> {
    if text == "none" {
        return Ok(None);
    }
    match text.parse() {
        // 4095 is reserved, IEEE 802.1Q table 9-2; 0 is a tag of priority alone.
        Ok(id) if id <= 4094 => Ok(Some(id)),
        _ => Err(format!(
            "`{}` is not the id of a VLAN; 0 to 4094 are possible, and `none` for untagged frames",
            text.escape_debug()
        )),
    }
}

fn direction(text: &str) -> Result<Direction, String> {
    match text {
        "incoming" => Ok(Direction::Incoming),
        "outgoing" => Ok(Direction::Outgoing),
        _ => Err(format!("`{}` is neither incoming nor outgoing", text.escape_debug())),
    }
}

fn mac(text: &str) -> Result<[u8; 6], String> {
    let mut bytes = [0; 6];
    let mut parts = text.split([':', '-']);
    let mut read = || {
        for byte in &mut bytes {
            let part = parts.next().filter(|part| part.len() == 2)?;
            *byte = u8::from_str_radix(part, 16).ok()?;
        }
        parts.next().is_none().then_some(())
    };
    match read() {
        Some(()) => Ok(bytes),
        None => Err(format!(
            "`{}` is not a MAC address; six pairs of hexadecimal digits are expected, as in 02:00:00:00:00:01",
            text.escape_debug()
        )),
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(address));
    }
    text.parse().map_err(|_| {
        format!("`{}` is neither an IP address nor a prefix as 10.0.0.0/8", text.escape_debug())
    })
}

fn port(text: &str) -> Result<u16, String> {
    match text.parse() {
        Ok(port) if port > 0 => Ok(port),
        _ => Err(format!("`{}` is not a port; 1 to 65535 are possible", text.escape_debug())),
    }
}

/// `icmp, destination 10.0.0.2`; nothing where every frame is meant.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mac = |mac: [u8; 6]| mac.map(|byte| format!("{byte:02x}")).join(":");
        let net = |net: IpNet| match net.prefix_len() == net.max_prefix_len() {
            true => net.addr().to_string(),
            false => net.to_string(),
        };
        let words = [
            self.protocol.map(|protocol| PROTOCOLS[protocol as usize].to_owned()),
            self.vlan.map(|vlan| match vlan {
                Some(id) => format!("vlan {id}"),
                None => "untagged".to_owned(),
            }),
            self.direction.map(|direction| match direction {
                Direction::Incoming => "incoming".to_owned(),
                Direction::Outgoing => "outgoing".to_owned(),
            }),
            self.source_mac.map(|station| format!("source-mac {}", mac(station))),
            self.destination_mac.map(|station| format!("destination-mac {}", mac(station))),
            self.source.map(|source| format!("source {}", net(source))),
            self.destination.map(|destination| format!("destination {}", net(destination))),
            self.port.map(|port| format!("port {port}")),
            self.source_port.map(|port| format!("source-port {port}")),
            self.destination_port.map(|port| format!("destination-port {port}")),
        ];
        let words: Vec<_> = words.into_iter().flatten().collect();
        f.write_str(&words.join(", "))
    }
}
