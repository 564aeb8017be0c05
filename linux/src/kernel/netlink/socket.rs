//! Requests to one namespace's rtnetlink, and what it answers.
//!
//! Why not rtnetlink's own connection: it doesn't set NETLINK_EXT_ACK, loses the errno inside
//! NLMSG_DONE, can't have many requests under way, and needs a tokio reactor in the namespace.
//! Its message builders are used; only the transport is ours. netlink(7), and "netlink" under
//! Documentation/userspace-api in the kernel's source.

use std::io;
use std::time::{Duration, Instant};

use netlink_packet_core::{
    Emitable, NLM_F_ACK, NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_CREATE, NLM_F_DUMP, NLM_F_DUMP_INTR,
    NLM_F_EXCL, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR, NetlinkBuffer, NetlinkHeader,
    NetlinkSerializable,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::protocols::NETLINK_ROUTE;
use rustix::net::sockopt::{Timeout, set_socket_timeout};

use super::attributes::{self, text, u32_of};
use crate::halt::{Halt, Halted};

/// Acknowledgements that may be outstanding: each takes about 1 KiB of the receive buffer, which
/// is 208 KiB where nobody raised it.
const WINDOW: usize = 96;
/// The first window of a socket. The kernel carries out a whole window before the sending ends, so
/// that what takes long there must go in smaller ones.
const FIRST_WINDOW: usize = 16;
/// A window that took longer is followed by a smaller one, one that took a tenth of it by a larger one.
const WINDOW_TIME: Duration = Duration::from_millis(50);
/// Of one send: well below the default send buffer.
const SEND_BYTES: usize = 64 << 10;
/// The kernel answers at once, unless somebody else holds the rtnl lock.
const PATIENCE: Duration = Duration::from_secs(5);
/// The largest piece of a dump is 32 KiB (netlink_dump, net/netlink/af_netlink.c).
const RECEIVE_BYTES: usize = 32 << 10;
/// Of a dump that keeps being interrupted.
const ATTEMPTS: usize = 16;

/// linux/netlink.h
const NLMSGERR_ATTR_MSG: u16 = 1;
const NLMSGERR_ATTR_OFFS: u16 = 2;
const HEADER_LENGTH: usize = 16;

/// One message with its NLM_F_ flags, but for REQUEST and ACK.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) message: RouteNetlinkMessage,
    pub(crate) flags: u16,
}

/// What the kernel said no with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// positive
    pub(crate) errno: i32,
    pub(crate) text: Option<String>,
    /// of the offending attribute, in bytes from the start of the message
    pub(crate) offset: Option<u32>,
}

/// Why a request has no good answer.
#[derive(Debug)]
pub(crate) enum Failure {
    Refused(Refusal),
    /// the answer got lost, and asking again did not help: nobody knows
    Unknown,
    Broken(io::Error),
    /// not sent
    Halted(Halted),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Broken(error)
    }
}

/// One part of a dump: message type and what follows the header.
pub(crate) type Body = (u16, Vec<u8>);

/// Sends and receives datagrams: a netlink socket, or in tests a peer that plays the kernel.
pub(crate) trait Channel {
    fn send(&self, bytes: &[u8]) -> io::Result<()>;
    /// Into an emptied buffer.
    fn receive(&self, buffer: &mut Vec<u8>) -> io::Result<()>;
}

impl Channel for netlink_sys::Socket {
    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        netlink_sys::Socket::send(self, bytes, 0).map(|_| ())
    }

    fn receive(&self, buffer: &mut Vec<u8>) -> io::Result<()> {
        buffer.clear();
        buffer.reserve(RECEIVE_BYTES);
        self.recv(buffer, 0).map(|_| ())
    }
}

/// A request socket, for ever in the namespace where it was opened.
#[derive(Debug)]
pub(crate) struct Socket<C = netlink_sys::Socket> {
    channel: C,
    sequence: u32,
    /// requests that may be under way
    most: usize,
    outgoing: Vec<u8>,
    incoming: Vec<u8>,
}

impl Socket {
    /// In the calling thread's namespace.
    pub(crate) fn open() -> io::Result<Self> {
        let channel = netlink_sys::Socket::new(NETLINK_ROUTE)?;
        channel.set_ext_ack(true)?;
        channel.set_cap_ack(true)?;
        channel.set_netlink_get_strict_chk(true)?;
        set_socket_timeout(&channel, Timeout::Recv, Some(PATIENCE))?;
        Ok(Self::over(channel))
    }

    pub(crate) fn channel(&self) -> &netlink_sys::Socket {
        &self.channel
    }
}

impl<C: Channel> Socket<C> {
    pub(crate) fn over(channel: C) -> Self {
        let most = FIRST_WINDOW;
        Self { channel, sequence: 0, most, outgoing: Vec::new(), incoming: Vec::new() }
    }

    /// One request, until it is acknowledged.
    pub(crate) fn execute(&mut self, request: &Request) -> Result<(), Failure> {
        self.window(std::slice::from_ref(request)).pop().unwrap_or(Err(Failure::Unknown))
    }

    /// Many requests, in order, several under way at a time; the answer to each. One that fails
    /// does not stop those behind it; where work may not go on, the rest isn't sent.
    pub(crate) fn execute_all(
        &mut self,
        requests: &[Request],
        halt: &Halt,
    ) -> Vec<Result<(), Failure>> {
        let mut answers = Vec::with_capacity(requests.len());
        let mut rest = requests;
        while !rest.is_empty() {
            if let Err(halted) = halt.may_go_on() {
                answers.extend(rest.iter().map(|_| Err(Failure::Halted(halted.clone()))));
                break;
            }
            let began = Instant::now();
            let mut window = self.window(rest);
            let count = window.len();
            answers.append(&mut window);
            rest = &rest[count..];
            self.adapt(count, began.elapsed());
        }
        answers
    }

    /// As many of them as may be under way at a time.
    fn window(&mut self, requests: &[Request]) -> Vec<Result<(), Failure>> {
        let (first, count) = self.fill(requests);
        let mut answers = self.exchange(first, count);
        for (request, answer) in requests.iter().zip(&mut answers) {
            if matches!(answer, Err(Failure::Unknown)) {
                *answer = self.settle(request);
            }
        }
        answers
    }

    /// By how long a window took.
    fn adapt(&mut self, count: usize, took: Duration) {
        if took > WINDOW_TIME {
            self.most = (count / 2).max(1);
        } else if count == self.most && took < WINDOW_TIME / 10 {
            self.most = (count * 2).min(WINDOW);
        }
    }

    /// Puts a window of requests into the send buffer; the first's sequence number and how many.
    fn fill(&mut self, requests: &[Request]) -> (u32, usize) {
        self.outgoing.clear();
        let first = self.sequence.wrapping_add(1);
        let mut count = 0;
        for request in requests.iter().take(self.most) {
            self.append(&request.message, request.flags | NLM_F_REQUEST | NLM_F_ACK);
            count += 1;
            if self.outgoing.len() >= SEND_BYTES {
                break;
            }
        }
        (first, count)
    }

    fn append(&mut self, message: &RouteNetlinkMessage, flags: u16) {
        self.sequence = self.sequence.wrapping_add(1);
        let length = HEADER_LENGTH + NetlinkSerializable::buffer_len(message);
        let mut header = NetlinkHeader::default();
        header.length = u32::try_from(length).unwrap_or(u32::MAX);
        header.message_type = message.message_type();
        header.flags = flags;
        header.sequence_number = self.sequence;
        let start = self.outgoing.len();
        self.outgoing.resize(start + length.next_multiple_of(4), 0);
        header.emit(&mut self.outgoing[start..]);
        let body = &mut self.outgoing[start + HEADER_LENGTH..start + length];
        NetlinkSerializable::serialize(message, body);
    }

    /// Sends the buffer and collects the acknowledgements of `count` requests from `first` on.
    fn exchange(&mut self, first: u32, count: usize) -> Vec<Result<(), Failure>> {
        if let Err(error) = self.channel.send(&self.outgoing) {
            let kind = error.raw_os_error();
            let broken = || match kind {
                Some(errno) => io::Error::from_raw_os_error(errno),
                None => io::Error::other("netlink send"),
            };
            return (0..count).map(|_| Err(Failure::Broken(broken()))).collect();
        }
        let mut answers: Vec<Option<Result<(), Failure>>> = (0..count).map(|_| None).collect();
        let mut missing = count;
        while missing > 0 {
            match self.channel.receive(&mut self.incoming) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                // Overrun (ENOBUFS) or timeout: the requests were carried out or not, unseen.
                Err(_) => break,
            }
            for message in Messages(&self.incoming) {
                let place = message.sequence.wrapping_sub(first) as usize;
                if message.kind != NLMSG_ERROR || place >= count || answers[place].is_some() {
                    continue;
                }
                answers[place] = Some(message.acknowledgement().map_err(Failure::Refused));
                missing -= 1;
            }
        }
        answers.into_iter().map(|answer| answer.unwrap_or(Err(Failure::Unknown))).collect()
    }

    /// Finds out what became of a request whose acknowledgement got lost, by asking again: every
    /// request that makes something does so exclusively, so that "exists" means that the first
    /// one did it, as "is not there" does for removals.
    fn settle(&mut self, request: &Request) -> Result<(), Failure> {
        let (first, count) = self.fill(std::slice::from_ref(request));
        let answer = self.exchange(first, count).pop().unwrap_or(Err(Failure::Unknown));
        match answer {
            Err(Failure::Refused(refusal)) if done_before(request, refusal.errno) => Ok(()),
            other => other,
        }
    }

    /// The one message that answers a request for one object.
    pub(crate) fn get(&mut self, message: &RouteNetlinkMessage) -> Result<Body, Failure> {
        for _ in 0..ATTEMPTS {
            self.outgoing.clear();
            self.append(message, NLM_F_REQUEST);
            self.channel.send(&self.outgoing)?;
            while self.receive_or_lost()? {
                for answer in Messages(&self.incoming) {
                    if answer.sequence != self.sequence {
                        continue;
                    }
                    if answer.kind == NLMSG_ERROR {
                        answer.acknowledgement().map_err(Failure::Refused)?;
                        continue;
                    }
                    return Ok((answer.kind, answer.payload.to_vec()));
                }
            }
        }
        Err(Failure::Unknown)
    }

    /// All objects that a request matches. Repeated while something changed in the middle of it.
    pub(crate) fn dump(&mut self, message: &RouteNetlinkMessage) -> Result<Vec<Body>, Failure> {
        for _ in 0..ATTEMPTS {
            if let Some(parts) = self.dump_once(message)? {
                return Ok(parts);
            }
        }
        Err(Failure::Refused(Refusal {
            errno: libc::EAGAIN,
            text: Some(format!("the dump was interrupted by changes {ATTEMPTS} times")),
            offset: None,
        }))
    }

    /// `None` where the dump was interrupted, or a part of it lost.
    fn dump_once(&mut self, message: &RouteNetlinkMessage) -> Result<Option<Vec<Body>>, Failure> {
        self.outgoing.clear();
        self.append(message, NLM_F_REQUEST | NLM_F_DUMP);
        self.channel.send(&self.outgoing)?;
        let mut parts = Vec::new();
        let mut whole = true;
        loop {
            if !self.receive_or_lost()? {
                // Its end still comes, for a dump is made while it is read.
                whole = false;
                continue;
            }
            for part in Messages(&self.incoming) {
                if part.sequence != self.sequence {
                    continue;
                }
                whole &= part.flags & NLM_F_DUMP_INTR == 0;
                match part.kind {
                    NLMSG_DONE => {
                        part.done().map_err(Failure::Refused)?;
                        return Ok(whole.then_some(parts));
                    }
                    NLMSG_ERROR => part.acknowledgement().map_err(Failure::Refused)?,
                    kind => parts.push((kind, part.payload.to_vec())),
                }
            }
        }
    }

    /// False where answers got lost for want of room.
    fn receive_or_lost(&mut self) -> Result<bool, Failure> {
        loop {
            match self.channel.receive(&mut self.incoming) {
                Ok(()) => return Ok(true),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    return match error.raw_os_error() {
                        Some(libc::ENOBUFS) => Ok(false),
                        Some(libc::EAGAIN) => Err(Failure::Unknown),
                        _ => Err(Failure::Broken(error)),
                    };
                }
            }
        }
    }
}

/// Whether an answer to a repeated request says that the first one was carried out.
fn done_before(request: &Request, errno: i32) -> bool {
    use RouteNetlinkMessage as M;
    let removes = matches!(
        request.message,
        M::DelLink(_)
            | M::DelAddress(_)
            | M::DelRoute(_)
            | M::DelRule(_)
            | M::DelNeighbour(_)
            | M::DelQueueDiscipline(_)
    );
    if removes {
        return matches!(errno, libc::ENODEV | libc::ESRCH | libc::ENOENT | libc::EADDRNOTAVAIL);
    }
    errno == libc::EEXIST && request.flags & (NLM_F_CREATE | NLM_F_EXCL) != 0
}

/// A message of a datagram.
struct Message<'a> {
    kind: u16,
    flags: u16,
    sequence: u32,
    payload: &'a [u8],
}

impl Message<'_> {
    fn acknowledgement(&self) -> Result<(), Refusal> {
        let errno = error_code(self.payload);
        if errno == 0 {
            return Ok(());
        }
        // The request's header follows the code, and unless it is capped, its body.
        let echoed = u32_of(self.payload.get(4..8).unwrap_or_default()).unwrap_or(0) as usize;
        let skipped = match self.flags & NLM_F_CAPPED {
            0 => 4 + echoed.next_multiple_of(4),
            _ => 4 + HEADER_LENGTH,
        };
        Err(self.refusal(errno, skipped))
    }

    fn done(&self) -> Result<(), Refusal> {
        match error_code(self.payload) {
            0 => Ok(()),
            errno => Err(self.refusal(errno, 4)),
        }
    }

    fn refusal(&self, errno: i32, skipped: usize) -> Refusal {
        let mut refusal = Refusal { errno, text: None, offset: None };
        if self.flags & NLM_F_ACK_TLVS == 0 {
            return refusal;
        }
        for (kind, value) in attributes::read(self.payload.get(skipped..).unwrap_or_default()) {
            match kind {
                NLMSGERR_ATTR_MSG => refusal.text = Some(text(value)),
                NLMSGERR_ATTR_OFFS => refusal.offset = u32_of(value),
                _ => {}
            }
        }
        refusal
    }
}

/// The kernel sends the errno negative.
fn error_code(payload: &[u8]) -> i32 {
    let code =
        payload.get(..4).and_then(|bytes| bytes.try_into().ok()).map_or(0, i32::from_ne_bytes);
    code.saturating_neg()
}

/// The messages of a datagram; what is malformed ends it.
struct Messages<'a>(&'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let buffer = NetlinkBuffer::new_checked(self.0).ok()?;
        let (kind, flags) = (buffer.message_type(), buffer.flags());
        let (sequence, length) = (buffer.sequence_number(), buffer.length() as usize);
        let payload = self.0.get(HEADER_LENGTH..length)?;
        self.0 = self.0.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Message { kind, flags, sequence, payload })
    }
}

#[cfg(test)]
#[path = "socket_tests.rs"]
mod tests;
