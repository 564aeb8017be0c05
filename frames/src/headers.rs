//! The headers behind that of IP, as far as the ports.

use crate::bytes::Bytes;
use crate::told::{Open, Told};

/// Protocol numbers, iana.org/assignments/protocol-numbers.
pub(crate) const ICMP: u8 = 1;
pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
pub(crate) const ICMP6: u8 = 58;
const SCTP: u8 = 132;
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;
const MOBILITY: u8 = 135;
const HIP: u8 = 139;
const SHIM6: u8 = 140;

/// What is behind the network's headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Transport {
    /// the protocol's number
    pub(crate) number: Told<u8>,
    /// source and destination
    pub(crate) ports: Told<(u16, u16)>,
}

impl Transport {
    pub(crate) const NONE: Self = Self { number: Told::Nothing, ports: Told::Nothing };

    pub(crate) fn open(why: Open) -> Self {
        Self { number: Told::Open(why), ports: Told::Open(why) }
    }

    /// Of a later fragment, which begins with the number of what the first one goes on with.
    pub(crate) fn of_later(number: Told<u8>) -> Self {
        match number {
            Told::Is(TCP | UDP | SCTP) => Self { number, ports: Told::Open(Open::Fragment) },
            Told::Is(AUTHENTICATION | DESTINATION | MOBILITY | HIP | SHIM6) => {
                Self::open(Open::Fragment)
            }
            Told::Is(_) | Told::Nothing => Self { number, ports: Told::Nothing },
            Told::Open(why) => Self::open(why),
        }
    }
}

/// Reads headers from the one of this number on. Of a fragment its datagram's number too, and
/// whether it is the first one.
pub(crate) fn read(
    mut number: Told<u8>,
    mut bytes: Bytes<'_>,
    ipv6: bool,
) -> (Transport, Option<(u32, bool)>) {
    let mut fragment = None;
    loop {
        let length = match number {
            // All of these have both ports in front: RFC 9293, RFC 768, RFC 9260.
            Told::Is(TCP | UDP | SCTP) => {
                let destination = bytes.number(2);
                let ports = bytes.number(0).and_then(|from| destination.map(|to| (from, to)));
                return (Transport { number, ports }, fragment);
            }
            Told::Is(AUTHENTICATION) => bytes.byte(1).map(|words| (usize::from(words) + 2) * 4),
            Told::Is(HOP_BY_HOP | ROUTING | DESTINATION | MOBILITY | HIP | SHIM6) if ipv6 => {
                bytes.byte(1).map(|words| (usize::from(words) + 1) * 8)
            }
            Told::Is(FRAGMENT) if ipv6 => {
                let header = fragment_header(bytes);
                if let Told::Is(Some((id, is_first))) = header {
                    fragment = Some((id, is_first));
                    if !is_first {
                        return (Transport::of_later(bytes.byte(0)), fragment);
                    }
                }
                header.map(|_| 8)
            }
            Told::Is(_) | Told::Nothing => {
                return (Transport { number, ports: Told::Nothing }, fragment);
            }
            Told::Open(why) => return (Transport::open(why), fragment),
        };
        (number, bytes) = match length {
            Told::Is(length) => (bytes.byte(0), bytes.behind(length)),
            Told::Nothing => return (Transport::NONE, fragment),
            Told::Open(why) => return (Transport::open(why), fragment),
        };
    }
}

/// The datagram's number, and whether it is the first fragment; none of one that is alone. RFC
/// 8200, section 4.5.
fn fragment_header(bytes: Bytes<'_>) -> Told<Option<(u32, bool)>> {
    bytes.field::<8>(0).map(|[_, _, high, low, id @ ..]| {
        let (position, more) = (u16::from_be_bytes([high, low]) >> 3, low & 1 != 0);
        (more || position > 0).then(|| (u32::from_be_bytes(id), position == 0))
    })
}
