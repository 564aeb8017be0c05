//! How an option's words become an attribute's bytes; `words` has the way back.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::RangeInclusive;

use netwright_network::text::quote;

use crate::nest::Nest;

/// One option: its name in ip(8), the attribute that carries it, and its form there.
pub struct Row {
    pub name: &'static str,
    pub attribute: u16,
    pub wire: Wire,
}

pub(crate) const fn row(name: &'static str, attribute: u16, wire: Wire) -> Row {
    Row { name, attribute, wire }
}

/// Which of a tunnel's two directions an option is for: IFLAGS and OFLAGS with their keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    In,
    Out,
    Both,
}

/// The form of an option's value.
pub enum Wire {
    /// so many bytes, host order, within a range; decimal or 0x
    Number(usize, RangeInclusive<u64>),
    /// the same in network order
    Network(usize, RangeInclusive<u64>),
    /// `on` or `off`, also 1 and 0, or nothing for `on`: one byte
    Switch,
    /// without a value: the attribute is there, and empty
    Flag,
    /// without a value: these bytes
    Fixed(&'static [u8]),
    /// one of these words in so many bytes, or its number
    Word(usize, &'static [(&'static str, u64)]),
    /// a number in so many bytes or one of these words
    NumberOr(usize, RangeInclusive<u64>, &'static [(&'static str, u64)]),
    /// the same in network order
    NetworkWord(&'static [(&'static str, u64)]),
    Ipv4,
    Ipv6,
    /// in this row's attribute if IPv4, in that one if IPv6
    Ip(u16),
    /// addresses of this family, comma-separated, in a nest
    Ipv4List,
    Mac,
    /// a link's name, sent as its index
    Link,
    /// `LOW HIGH`, or with a hyphen
    Ports,
    /// one bit of a value and mask of four bytes each
    Bit(u32),
    /// `FROM:TO FROM:TO` (linux/if_vlan.h, ifla_vlan_qos_mapping)
    QosMap,
    /// flag bits in two attributes of two bytes in network order, for in and out
    TunnelFlag(Direction, u16),
    /// the same, taken away in both directions
    TunnelFlagOff(u16),
    /// a key, decimal or as an IPv4 address, with the flag that says so
    TunnelKey(Direction, TunnelKeys),
    /// no key in either direction
    TunnelKeyOff(TunnelKeys),
    /// eight hexadecimal bytes in network order
    Hexadecimal64,
}

/// Where a kind of tunnel has its keys and flags.
pub struct TunnelKeys {
    pub input: u16,
    pub output: u16,
    /// none for kinds whose keys need no flag
    pub flags: Option<(u16, u16)>,
}

/// linux/if_tunnel.h
pub const GRE_KEY: u16 = 0x2000;
pub const GRE_INPUT_FLAGS: u16 = 2;
pub const GRE_OUTPUT_FLAGS: u16 = 3;

/// Part of an attribute's bytes: put there, added to what other options put there, or taken out of
/// that.
enum Piece {
    Set(Vec<u8>),
    Or(Vec<u8>),
    Not(Vec<u8>),
}

/// Attributes under way, several options may share one.
#[derive(Default)]
pub struct Encoder(Vec<(u16, Vec<u8>)>);

impl Encoder {
    /// Adds an option; `index_of` finds links. The error is a sentence.
    pub fn add<E: From<String>>(
        &mut self,
        row: &Row,
        value: &str,
        index_of: &mut dyn FnMut(&str) -> Result<u32, E>,
    ) -> Result<(), E> {
        if let Wire::Link = row.wire {
            let index = if value.is_empty() { 0 } else { index_of(value)? };
            self.merge(row.attribute, Piece::Set(index.to_ne_bytes().to_vec()));
            return Ok(());
        }
        for (attribute, piece) in pieces(row, value).map_err(E::from)? {
            self.merge(attribute, piece);
        }
        Ok(())
    }

    fn merge(&mut self, attribute: u16, piece: Piece) {
        let present = self.0.iter_mut().find(|(there, _)| *there == attribute);
        match (piece, present) {
            (Piece::Set(bytes), Some((_, there))) => *there = bytes,
            (Piece::Or(bytes), Some((_, there))) => {
                there.iter_mut().zip(bytes).for_each(|(byte, more)| *byte |= more);
            }
            (Piece::Not(bytes), Some((_, there))) => {
                there.iter_mut().zip(bytes).for_each(|(byte, less)| *byte &= !less);
            }
            (Piece::Set(bytes) | Piece::Or(bytes), None) => self.0.push((attribute, bytes)),
            (Piece::Not(bytes), None) => self.0.push((attribute, vec![0; bytes.len()])),
        }
    }

    /// Types and values.
    pub fn finish(self) -> Vec<(u16, Vec<u8>)> {
        self.0
    }
}

fn pieces(row: &Row, value: &str) -> Result<Vec<(u16, Piece)>, String> {
    let name = row.name;
    let set = |bytes: Vec<u8>| Ok(vec![(row.attribute, Piece::Set(bytes))]);
    match &row.wire {
        Wire::Number(bytes, range) => set(host(*bytes, number(name, value, range)?)),
        Wire::Network(bytes, range) => set(network(*bytes, number(name, value, range)?)),
        Wire::Switch => set(vec![u8::from(switch(name, value)?)]),
        Wire::Flag => none(name, value).and_then(|()| set(Vec::new())),
        Wire::Fixed(bytes) => none(name, value).and_then(|()| set(bytes.to_vec())),
        Wire::Word(bytes, words) => set(host(*bytes, word(name, value, words)?)),
        Wire::NumberOr(bytes, range, words) => {
            let known = words.iter().find(|(word, _)| *word == value).map(|(_, code)| *code);
            set(host(*bytes, known.map_or_else(|| number(name, value, range), Ok)?))
        }
        Wire::NetworkWord(words) => set(network(2, word(name, value, words)?)),
        Wire::Ipv4 => set(address::<Ipv4Addr>(name, value)?.octets().to_vec()),
        Wire::Ipv6 => set(address::<Ipv6Addr>(name, value)?.octets().to_vec()),
        Wire::Ip(sixth) => Ok(match address::<std::net::IpAddr>(name, value)? {
            std::net::IpAddr::V4(four) => vec![(row.attribute, Piece::Set(four.octets().to_vec()))],
            std::net::IpAddr::V6(six) => vec![(*sixth, Piece::Set(six.octets().to_vec()))],
        }),
        Wire::Ipv4List => set(addresses(name, value)?),
        Wire::Mac => {
            let mac = crate::mac(value).map_err(|why| format!("`{name}`: {why}"))?;
            set(mac.to_vec())
        }
        Wire::Ports => set(ports(name, value)?),
        Wire::Bit(bit) => {
            let on = if switch(name, value)? { *bit } else { 0 };
            let bytes = [on.to_ne_bytes(), bit.to_ne_bytes()].concat();
            Ok(vec![(row.attribute, Piece::Or(bytes))])
        }
        Wire::QosMap => set(qos_map(name, value)?),
        Wire::TunnelFlag(direction, bits) => {
            none(name, value)?;
            Ok(tunnel_flags(*direction, GRE_INPUT_FLAGS, GRE_OUTPUT_FLAGS, *bits))
        }
        Wire::TunnelFlagOff(bits) => {
            none(name, value)?;
            Ok(no_tunnel_flags(GRE_INPUT_FLAGS, GRE_OUTPUT_FLAGS, *bits))
        }
        Wire::TunnelKey(direction, keys) => tunnel_key(name, value, *direction, keys),
        Wire::TunnelKeyOff(keys) => {
            none(name, value)?;
            let zero = |attribute| (attribute, Piece::Set(vec![0; 4]));
            let mut pieces = vec![zero(keys.input), zero(keys.output)];
            if let Some((input, output)) = keys.flags {
                pieces.append(&mut no_tunnel_flags(input, output, GRE_KEY));
            }
            Ok(pieces)
        }
        Wire::Hexadecimal64 => match u64::from_str_radix(value.trim_start_matches("0x"), 16) {
            Ok(bits) => set(bits.to_be_bytes().to_vec()),
            Err(_) => {
                Err(format!("`{name}` must be up to 16 hexadecimal digits, not {}", quote(value)))
            }
        },
        Wire::Link => Err(format!("`{name}` names a link")),
    }
}

fn host(bytes: usize, value: u64) -> Vec<u8> {
    match bytes {
        1 => vec![value as u8],
        2 => (value as u16).to_ne_bytes().to_vec(),
        4 => (value as u32).to_ne_bytes().to_vec(),
        _ => value.to_ne_bytes().to_vec(),
    }
}

fn network(bytes: usize, value: u64) -> Vec<u8> {
    value.to_be_bytes()[8 - bytes.min(8)..].to_vec()
}

fn plain(value: &str) -> Option<u64> {
    match value.strip_prefix("0x").or_else(|| value.strip_prefix("0X")) {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None if value.starts_with('+') => None,
        None => value.parse().ok(),
    }
}

fn number(name: &str, value: &str, range: &RangeInclusive<u64>) -> Result<u64, String> {
    let (from, to) = (range.start(), range.end());
    match plain(value) {
        Some(found) if range.contains(&found) => Ok(found),
        Some(_) => Err(format!("`{name}` is {value}; {from} to {to} are allowed")),
        None => Err(format!("`{name}` must be a number from {from} to {to}, not {}", quote(value))),
    }
}

fn switch(name: &str, value: &str) -> Result<bool, String> {
    match value {
        "on" | "1" | "" => Ok(true),
        "off" | "0" => Ok(false),
        _ => Err(format!("`{name}` must be `on` or `off`, not {}", quote(value))),
    }
}

fn none(name: &str, value: &str) -> Result<(), String> {
    match value {
        "" | "on" => Ok(()),
        _ => Err(format!("`{name}` takes no value, but has {}", quote(value))),
    }
}

fn word(name: &str, value: &str, words: &[(&'static str, u64)]) -> Result<u64, String> {
    let known = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(value));
    let by_number = || plain(value).filter(|code| words.iter().any(|(_, known)| known == code));
    known.map(|(_, code)| *code).or_else(by_number).ok_or_else(|| {
        let allowed: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        format!("`{name}` is {}; {} are allowed", quote(value), allowed.join(", "))
    })
}

fn address<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, String> {
    // ip(8) writes `any` for no address, in either family.
    let value = match value {
        "any" if std::any::type_name::<T>() == std::any::type_name::<Ipv6Addr>() => "::",
        "any" => "0.0.0.0",
        other => other,
    };
    value
        .parse()
        .map_err(|_| format!("`{name}` must be an IP address of its family, not {}", quote(value)))
}

fn addresses(name: &str, value: &str) -> Result<Vec<u8>, String> {
    let mut nest = Nest::default();
    for (place, one) in (0_u16..).zip(value.split(',').filter(|one| !one.is_empty())) {
        nest.put(place, &address::<Ipv4Addr>(name, one)?.octets());
    }
    Ok(nest.bytes())
}

fn ports(name: &str, value: &str) -> Result<Vec<u8>, String> {
    let parse = |text: &str| text.parse::<u16>().ok();
    let both = value.split_once([' ', '-']).map(|(low, high)| (parse(low), parse(high)));
    match both {
        Some((Some(low), Some(high))) if low <= high => {
            Ok([low.to_be_bytes(), high.to_be_bytes()].concat())
        }
        _ => Err(format!("`{name}` must be two ports, LOW HIGH, not {}", quote(value))),
    }
}

fn qos_map(name: &str, value: &str) -> Result<Vec<u8>, String> {
    /// linux/if_link.h
    const IFLA_VLAN_QOS_MAPPING: u16 = 1;
    let mut nest = Nest::default();
    for pair in value.split_whitespace() {
        let parsed = pair
            .split_once(':')
            .and_then(|(from, to)| Some((from.parse::<u32>().ok()?, to.parse::<u32>().ok()?)));
        let (from, to) =
            parsed.ok_or_else(|| format!("`{name}` must be pairs FROM:TO, not {}", quote(pair)))?;
        nest.put(IFLA_VLAN_QOS_MAPPING, &[from.to_ne_bytes(), to.to_ne_bytes()].concat());
    }
    Ok(nest.bytes())
}

fn tunnel_flags(direction: Direction, input: u16, output: u16, bits: u16) -> Vec<(u16, Piece)> {
    let piece = |attribute| (attribute, Piece::Or(bits.to_be_bytes().to_vec()));
    match direction {
        Direction::In => vec![piece(input)],
        Direction::Out => vec![piece(output)],
        Direction::Both => vec![piece(input), piece(output)],
    }
}

fn no_tunnel_flags(input: u16, output: u16, bits: u16) -> Vec<(u16, Piece)> {
    let piece = |attribute| (attribute, Piece::Not(bits.to_be_bytes().to_vec()));
    vec![piece(input), piece(output)]
}

fn tunnel_key(
    name: &str,
    value: &str,
    direction: Direction,
    keys: &TunnelKeys,
) -> Result<Vec<(u16, Piece)>, String> {
    let key = match value.parse::<Ipv4Addr>() {
        Ok(dotted) => u32::from(dotted),
        Err(_) => number(name, value, &(0..=u64::from(u32::MAX)))? as u32,
    };
    let piece = |attribute| (attribute, Piece::Set(key.to_be_bytes().to_vec()));
    let mut pieces = match direction {
        Direction::In => vec![piece(keys.input)],
        Direction::Out => vec![piece(keys.output)],
        Direction::Both => vec![piece(keys.input), piece(keys.output)],
    };
    if let Some((input, output)) = keys.flags {
        pieces.append(&mut tunnel_flags(direction, input, output, GRE_KEY));
    }
    Ok(pieces)
}
