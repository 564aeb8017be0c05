//! A packet(7) socket that sees the frames of a namespace: opened inside it, read anywhere.

use std::io::{self, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use netwright_frames::{Direction, Layer};
use nix::cmsg_space;
use nix::sys::socket::sockopt::ReceiveTimestampns;
use nix::sys::socket::{ControlMessageOwned, LinkAddr, MsgFlags, recvmsg, setsockopt};
use nix::sys::time::TimeSpec;
use socket2::{Domain, Protocol, SockFilter, Socket, Type};

use super::control;
use super::recording::Frame;
use crate::probe::bind_to_link;

/// Asked for; an ordinary user gets what net.core.rmem_max allows, and so does root in a lab.
const ROOM: usize = 8 << 20;
/// As tcpdump: more than any frame, of which segments not yet cut to size are the longest
/// (GSO_MAX_SIZE in linux/netdevice.h).
pub(super) const LONGEST: u32 = 262_144;
/// Bytes of both addresses, behind which a VLAN tag stands (IEEE 802.1Q).
const ADDRESSES: usize = 12;

/// Opens the socket in the calling thread's namespace. With an index the kernel hands over that
/// link's frames alone, and else those of every link: also of one that comes later, from its very
/// first frame on.
///
/// It isn't bound to the link even then: such a socket would hear nothing of a link that is down
/// until the kernel has told it that the link is up (net/packet/af_packet.c, `packet_notifier`),
/// which may be after the first frame.
pub(super) fn open(index: Option<u32>, snap_length: u32) -> io::Result<OwnedFd> {
    // Without a protocol nothing comes before all is set.
    let socket = Socket::new(Domain::PACKET, Type::RAW, Some(Protocol::from(0)))?;
    socket.set_nonblocking(true)?;
    socket.set_recv_buffer_size(ROOM)?;
    setsockopt(&socket, ReceiveTimestampns, &true)?;
    control::ask_for_tags(&socket)?;
    socket.attach_filter(&program(index, snap_length))?;
    bind_to_link(&socket, libc::ETH_P_ALL as u16, 0)?;
    Ok(socket.into())
}

/// What the kernel asks of each frame: how many bytes of it to keep.
fn program(index: Option<u32>, snap_length: u32) -> Vec<SockFilter> {
    let keep = SockFilter::new((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, snap_length);
    let Some(index) = index else { return vec![keep] };
    let load = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
    let compare = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
    let index_of_frame = (libc::SKF_AD_OFF + libc::SKF_AD_IFINDEX) as u32;
    vec![
        SockFilter::new(load, 0, 0, index_of_frame),
        SockFilter::new(compare, 0, 1, index),
        keep,
        SockFilter::new((libc::BPF_RET | libc::BPF_K) as u16, 0, 0, 0),
    ]
}

/// A frame, and the link that it passed.
pub(super) struct Received {
    pub(super) frame: Frame,
    pub(super) index: i32,
    pub(super) layer: Layer,
}

/// The next frame; none where none waits.
pub(super) fn receive(socket: &OwnedFd, buffer: &mut [u8]) -> io::Result<Option<Received>> {
    let mut control = cmsg_space!(TimeSpec, [u32; 5]);
    let mut parts = [IoSliceMut::new(buffer)];
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_TRUNC;
    let message =
        match recvmsg::<LinkAddr>(socket.as_raw_fd(), &mut parts, Some(&mut control), flags) {
            Ok(message) => message,
            Err(nix::Error::EAGAIN) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        };
    let (mut timestamp, mut auxiliary) = (0, Auxiliary::default());
    for note in message.cmsgs()? {
        match note {
            ControlMessageOwned::ScmTimestampns(time) => timestamp = nanoseconds(time),
            ControlMessageOwned::Unknown(note)
                if note.cmsg_header.cmsg_level == libc::SOL_PACKET
                    && note.cmsg_header.cmsg_type == libc::PACKET_AUXDATA =>
            {
                auxiliary = Auxiliary::read(&note.data_bytes).unwrap_or_default();
            }
            _ => {}
        }
    }
    let (address, kept) = (message.address, message.bytes);
    let kept = kept.min(buffer.len());
    let address = address.ok_or(io::ErrorKind::InvalidData)?;
    let layer = layer(address.hatype());
    let mut data = buffer[..kept].to_vec();
    let mut length = auxiliary.length.max(kept as u32);
    if let (Some(tag), Layer::Ethernet) = (auxiliary.tag, layer)
        && data.len() >= ADDRESSES
    {
        data.splice(ADDRESSES..ADDRESSES, tag);
        data.truncate(buffer.len());
        length += tag.len() as u32;
    }
    let direction = match address.pkttype() {
        libc::PACKET_OUTGOING => Direction::Outgoing,
        _ => Direction::Incoming,
    };
    let frame = Frame { timestamp, direction, length, data: data.into_boxed_slice() };
    // The kernel has it in an int.
    Ok(Some(Received { frame, index: address.ifindex() as i32, layer }))
}

/// Frames that the kernel had no room for, since this was asked last.
pub(super) fn take_drops(socket: &OwnedFd) -> u64 {
    // The kernel refuses this for sockets that aren't packet(7)'s alone.
    control::take_drops(socket.as_fd()).unwrap_or_default().into()
}

fn nanoseconds(time: TimeSpec) -> u64 {
    let seconds = u64::try_from(time.tv_sec()).unwrap_or_default();
    seconds * 1_000_000_000 + u64::try_from(time.tv_nsec()).unwrap_or_default()
}

/// linux/if_arp.h: what has an Ethernet header; all other links that a lab can have begin with IP.
fn layer(hardware: u16) -> Layer {
    match hardware {
        libc::ARPHRD_ETHER | libc::ARPHRD_LOOPBACK => Layer::Ethernet,
        _ => Layer::Ip,
    }
}

/// `struct tpacket_auxdata`, linux/if_packet.h, as far as it is needed.
#[derive(Debug, Default)]
struct Auxiliary {
    /// bytes of the whole frame
    length: u32,
    /// the VLAN tag that is kept beside the frame: its protocol and its tag control information
    tag: Option<[u8; 4]>,
}

impl Auxiliary {
    fn read(bytes: &[u8]) -> Option<Self> {
        const VLAN_VALID: u32 = 1 << 4;
        const VLAN_PROTOCOL_VALID: u32 = 1 << 6;
        let word = |at: usize| {
            let bytes = bytes.get(at..at + 4)?;
            Some(u32::from_ne_bytes(bytes.try_into().ok()?))
        };
        let half = |at: usize| {
            let bytes = bytes.get(at..at + 2)?;
            Some(u16::from_ne_bytes(bytes.try_into().ok()?))
        };
        let (status, length) = (word(0)?, word(4)?);
        let (information, protocol) = (half(16)?, half(18)?);
        let protocol = match status & VLAN_PROTOCOL_VALID {
            0 => libc::ETH_P_8021Q as u16,
            _ => protocol,
        };
        let [a, b] = protocol.to_be_bytes();
        let [c, d] = information.to_be_bytes();
        Some(Self { length, tag: (status & VLAN_VALID != 0).then_some([a, b, c, d]) })
    }
}
