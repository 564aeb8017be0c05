//! ICMP and ICMPv6 messages of an echo: RFC 792, RFC 4443.

use std::net::IpAddr;

use etherparse::{
    IcmpEchoHeader, Icmpv4Header, Icmpv4Slice, Icmpv4Type, Icmpv6Header, Icmpv6Slice, Icmpv6Type,
    LaxSlicedPacket, NetSlice, SlicedPacket, TransportSlice,
};

use super::socket::is_group;
use super::told::{Complaint, Told};

/// What a message says of one of our requests, by its sequence number.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Reply(u16),
    /// an error message that quotes it: no reply will come
    Refused(u16, Told),
}

/// What tells our requests and their replies from everybody else's.
pub(super) struct Conversation {
    pub(super) destination: IpAddr,
    pub(super) identifier: u16,
    /// many stations have the destination, and answer with addresses of their own
    pub(super) anybody: bool,
}

impl Conversation {
    /// The message from its ICMP header on. The kernel fills in the checksum of ICMPv6 (ipv6(7)).
    pub(super) fn request(&self, sequence: u16, payload: &[u8]) -> Vec<u8> {
        let echo = IcmpEchoHeader { id: self.identifier, seq: sequence };
        let mut message = match self.destination {
            IpAddr::V4(_) => {
                let kind = Icmpv4Type::EchoRequest(echo);
                Icmpv4Header::with_checksum(kind, payload).to_bytes().to_vec()
            }
            IpAddr::V6(_) => Icmpv6Header::new(Icmpv6Type::EchoRequest(echo)).to_bytes().to_vec(),
        };
        message.extend_from_slice(payload);
        message
    }

    /// What came on a raw socket: with its IP header in IPv4, without it in IPv6 (raw(7), ipv6(7)).
    pub(super) fn hear(&self, received: &[u8], from: Option<IpAddr>) -> Option<Heard> {
        match self.destination {
            IpAddr::V4(_) => {
                let packet = SlicedPacket::from_ip(received).ok()?;
                let Some(NetSlice::Ipv4(header)) = packet.net else { return None };
                let Some(TransportSlice::Icmpv4(message)) = packet.transport else { return None };
                self.hear_v4(&message, IpAddr::V4(header.header().source_addr()))
            }
            IpAddr::V6(_) => self.hear_v6(&Icmpv6Slice::from_slice(received).ok()?, from?),
        }
    }

    fn hear_v4(&self, message: &Icmpv4Slice<'_>, from: IpAddr) -> Option<Heard> {
        match message.icmp_type() {
            Icmpv4Type::EchoReply(echo) => self.reply(echo, from),
            Icmpv4Type::DestinationUnreachable(_)
            | Icmpv4Type::TimeExceeded(_)
            | Icmpv4Type::ParameterProblem(_) => {
                let complaint = Complaint::of_icmp(message.type_u8(), message.code_u8());
                self.refused(message.payload(), Told::Icmp(complaint, Some(from)))
            }
            _ => None,
        }
    }

    fn hear_v6(&self, message: &Icmpv6Slice<'_>, from: IpAddr) -> Option<Heard> {
        match message.icmp_type() {
            Icmpv6Type::EchoReply(echo) => self.reply(echo, from),
            Icmpv6Type::DestinationUnreachable(_)
            | Icmpv6Type::PacketTooBig { .. }
            | Icmpv6Type::TimeExceeded(_)
            | Icmpv6Type::ParameterProblem(_) => {
                let complaint = Complaint::of_icmp6(message.type_u8(), message.code_u8());
                self.refused(message.payload(), Told::Icmp(complaint, Some(from)))
            }
            _ => None,
        }
    }

    fn reply(&self, echo: IcmpEchoHeader, from: IpAddr) -> Option<Heard> {
        let expected = from == self.destination || self.anybody || is_group(self.destination);
        (expected && echo.id == self.identifier).then_some(Heard::Reply(echo.seq))
    }

    /// An error message quotes the packet that caused it, mostly cut short.
    fn refused(&self, quote: &[u8], told: Told) -> Option<Heard> {
        let quoted = LaxSlicedPacket::from_ip(quote).ok()?;
        let echo = match quoted.transport? {
            TransportSlice::Icmpv4(message) => match message.icmp_type() {
                Icmpv4Type::EchoRequest(echo) => echo,
                _ => return None,
            },
            TransportSlice::Icmpv6(message) => match message.icmp_type() {
                Icmpv6Type::EchoRequest(echo) => echo,
                _ => return None,
            },
            _ => return None,
        };
        (echo.id == self.identifier).then_some(Heard::Refused(echo.seq, told))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use etherparse::PacketBuilder;

    use super::*;

    const PEER: [u8; 4] = [10, 0, 0, 2];

    fn conversation() -> Conversation {
        Conversation { destination: IpAddr::from(PEER), identifier: 7, anybody: false }
    }

    fn packet(source: [u8; 4], kind: Icmpv4Type, payload: &[u8]) -> Vec<u8> {
        let mut packet = Vec::new();
        PacketBuilder::ipv4(source, [10, 0, 0, 1], 64)
            .icmpv4(kind)
            .write(&mut packet, payload)
            .unwrap();
        packet
    }

    #[test]
    fn only_a_reply_from_the_destination_to_this_conversation_counts() {
        let reply =
            |source, id| packet(source, Icmpv4Type::EchoReply(IcmpEchoHeader { id, seq: 3 }), b"x");
        assert_eq!(conversation().hear(&reply(PEER, 7), None), Some(Heard::Reply(3)));
        assert_eq!(conversation().hear(&reply(PEER, 8), None), None);
        assert_eq!(conversation().hear(&reply([10, 0, 0, 3], 7), None), None);
    }

    #[test]
    fn the_own_request_on_the_loopback_is_no_reply() {
        let request = packet(PEER, Icmpv4Type::EchoRequest(IcmpEchoHeader { id: 7, seq: 3 }), b"x");
        assert_eq!(conversation().hear(&request, None), None);
    }

    #[test]
    fn an_error_message_that_quotes_the_request_cut_short_refuses_it() {
        let request = packet(
            [10, 0, 0, 1],
            Icmpv4Type::EchoRequest(IcmpEchoHeader { id: 7, seq: 5 }),
            &[0; 900],
        );
        let kind =
            Icmpv4Type::DestinationUnreachable(etherparse::icmpv4::DestUnreachableHeader::Host);
        let error = packet([10, 0, 0, 9], kind, &request[..28]);
        let told = Told::Icmp(Complaint::NoHost, Some("10.0.0.9".parse().unwrap()));
        assert_eq!(conversation().hear(&error, None), Some(Heard::Refused(5, told)));
    }

    #[test]
    fn an_error_message_of_icmpv6_refuses_the_request_that_it_quotes() {
        let conversation =
            Conversation { destination: "fd00::2".parse().unwrap(), identifier: 7, anybody: false };
        let mut request = Vec::new();
        PacketBuilder::ipv6([1; 16], [2; 16], 64)
            .icmpv6_echo_request(7, 4)
            .write(&mut request, &[0; 100])
            .unwrap();
        let kind =
            Icmpv6Type::DestinationUnreachable(etherparse::icmpv6::DestUnreachableCode::Address);
        let mut error = Icmpv6Header::new(kind).to_bytes().to_vec();
        error.extend_from_slice(&request[..60]);
        let from = Some("fd00::9".parse().unwrap());
        let told = Told::Icmp(Complaint::NoHost, from);
        assert_eq!(conversation.hear(&error, from), Some(Heard::Refused(4, told)));
    }

    #[test]
    fn a_broken_message_is_nothing() {
        for length in 0..40 {
            assert_eq!(conversation().hear(&vec![0x45; length], None), None);
        }
    }
}
