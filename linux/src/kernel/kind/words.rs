//! How an attribute's bytes become an option's words.

use std::net::{Ipv4Addr, Ipv6Addr};

use netwright_options::{
    Direction, GRE_INPUT_FLAGS, GRE_KEY, GRE_OUTPUT_FLAGS, Row, TunnelKeys, Wire,
};

use crate::change::MacAddress;
use crate::kernel::netlink::attributes::{self, u32_of};

/// An option's value as the kernel has it, `None` where it says nothing of it.
/// `data` holds all of the kind's attributes.
pub(crate) fn decode(
    row: &Row,
    data: &[u8],
    name_of: &mut dyn FnMut(u32) -> Option<String>,
) -> Option<String> {
    let value = attributes::find(data, row.attribute);
    match &row.wire {
        Wire::Number(..) => Some(little(value?).to_string()),
        Wire::Network(..) => Some(big(value?).to_string()),
        Wire::Switch => Some(on_off(*value?.first()? != 0)),
        Wire::Flag => value.map(|_| "on".to_owned()),
        Wire::Fixed(_) => None,
        Wire::Word(_, words) | Wire::NumberOr(_, _, words) => Some(named(words, little(value?))),
        Wire::NetworkWord(words) => Some(named(words, big(value?))),
        Wire::Ipv4 => Some(ipv4(value?)?.to_string()),
        Wire::Ipv6 => Some(ipv6(value?)?.to_string()),
        Wire::Ip(sixth) => match value.and_then(ipv4) {
            Some(four) => Some(four.to_string()),
            None => Some(ipv6(attributes::find(data, *sixth)?)?.to_string()),
        },
        Wire::Ipv4List => {
            let all: Vec<_> = attributes::read(value?)
                .filter_map(|(_, one)| Some(ipv4(one)?.to_string()))
                .collect();
            (!all.is_empty()).then(|| all.join(","))
        }
        Wire::Mac => Some(MacAddress(value?.try_into().ok()?).to_string()),
        Wire::Link => match u32_of(value?)? {
            0 => None,
            index => Some(name_of(index).unwrap_or_else(|| format!("if{index}"))),
        },
        Wire::Ports => {
            let value = value?;
            let (low, high) = (big(value.get(..2)?), big(value.get(2..4)?));
            (high != 0).then(|| format!("{low} {high}"))
        }
        Wire::Bit(bit) => {
            let value = value?;
            let known = u32_of(value.get(4..)?)? & bit != 0;
            known.then(|| on_off(u32_of(value).unwrap_or(0) & bit != 0))
        }
        Wire::QosMap => {
            let pairs: Vec<_> = attributes::read(value?)
                .filter_map(|(_, pair)| {
                    Some(format!("{}:{}", u32_of(pair)?, u32_of(pair.get(4..)?)?))
                })
                .collect();
            (!pairs.is_empty()).then(|| pairs.join(" "))
        }
        Wire::TunnelFlag(direction, bits) => {
            tunnel_has(data, *direction, (GRE_INPUT_FLAGS, GRE_OUTPUT_FLAGS), *bits)
                .then(|| "on".to_owned())
        }
        Wire::TunnelFlagOff(_) | Wire::TunnelKeyOff(_) => None,
        Wire::TunnelKey(direction, keys) => decode_key(data, *direction, keys),
        Wire::Hexadecimal64 => Some(format!("{:016x}", big(value?))),
    }
}

fn tunnel_has(data: &[u8], direction: Direction, flags: (u16, u16), bits: u16) -> bool {
    let set = |attribute| {
        attributes::find(data, attribute).is_some_and(|value| big(value) & u64::from(bits) != 0)
    };
    match direction {
        Direction::In => set(flags.0) && !set(flags.1),
        Direction::Out => set(flags.1) && !set(flags.0),
        Direction::Both => set(flags.0) && set(flags.1),
    }
}

fn decode_key(data: &[u8], direction: Direction, keys: &TunnelKeys) -> Option<String> {
    let key = |attribute| attributes::find(data, attribute).map(big).unwrap_or(0);
    let (input, output) = (key(keys.input), key(keys.output));
    // Two keys in both directions are told one by one.
    let used = match keys.flags {
        Some(flags) if direction != Direction::Both && input != output => {
            tunnel_has(data, direction, flags, GRE_KEY)
                || tunnel_has(data, Direction::Both, flags, GRE_KEY)
        }
        Some(flags) => tunnel_has(data, direction, flags, GRE_KEY),
        None => true,
    };
    let shown = match direction {
        Direction::Both => (input == output).then_some(input),
        Direction::In => (input != output || keys.flags.is_some()).then_some(input),
        Direction::Out => (input != output || keys.flags.is_some()).then_some(output),
    };
    shown.filter(|key| used && (*key != 0 || keys.flags.is_some())).map(|key| key.to_string())
}

fn on_off(on: bool) -> String {
    if on { "on" } else { "off" }.to_owned()
}

fn named(words: &[(&'static str, u64)], code: u64) -> String {
    let known = words.iter().find(|(_, known)| *known == code);
    known.map_or_else(|| code.to_string(), |(word, _)| (*word).to_owned())
}

fn little(value: &[u8]) -> u64 {
    match *value {
        [a] => u64::from(a),
        [a, b] => u64::from(u16::from_ne_bytes([a, b])),
        [a, b, c, d] => u64::from(u32::from_ne_bytes([a, b, c, d])),
        _ => attributes::u64_of(value).unwrap_or(0),
    }
}

fn big(value: &[u8]) -> u64 {
    value.iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

pub(crate) fn ipv4(value: &[u8]) -> Option<Ipv4Addr> {
    <[u8; 4]>::try_from(value).ok().map(Ipv4Addr::from)
}

pub(crate) fn ipv6(value: &[u8]) -> Option<Ipv6Addr> {
    <[u8; 16]>::try_from(value).ok().map(Ipv6Addr::from)
}
