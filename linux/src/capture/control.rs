//! What is asked of a packet(7) socket by numbers; this module's only unsafe code.
#![expect(unsafe_code, reason = "socket options and ioctls take pointers to structures of C")]

use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// Lets each frame come with what the kernel took out of it: the VLAN tag (PACKET_AUXDATA).
pub(super) fn ask_for_tags(socket: impl AsFd) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: value and length are those of an int, alive for the call.
    let answer = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_AUXDATA,
            (&raw const on).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Frames that found no room since the last time this was asked (PACKET_STATISTICS).
pub(super) fn take_drops(socket: impl AsFd) -> io::Result<u32> {
    let mut statistics = libc::tpacket_stats { tp_packets: 0, tp_drops: 0 };
    let mut length = size_of::<libc::tpacket_stats>() as libc::socklen_t;
    // SAFETY: value and length point to a tpacket_stats and its size, both alive for the call.
    let answer = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_STATISTICS,
            (&raw mut statistics).cast(),
            &raw mut length,
        )
    };
    if answer == 0 { Ok(statistics.tp_drops) } else { Err(io::Error::last_os_error()) }
}

/// The name of a link of the socket's own namespace, whichever the caller is in (SIOCGIFNAME,
/// netdevice(7)).
pub(super) fn link_name(socket: impl AsFd, index: i32) -> io::Result<String> {
    // SAFETY: an ifreq is integers and a union of such, for which zero is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    request.ifr_ifru.ifru_ifindex = index;
    // SAFETY: the request reads and writes one ifreq, alive for the call.
    let answer = unsafe {
        libc::ioctl(socket.as_fd().as_raw_fd(), libc::SIOCGIFNAME as libc::Ioctl, &raw mut request)
    };
    if answer == -1 {
        return Err(io::Error::last_os_error());
    }
    let bytes = request.ifr_name.map(|character| character as u8);
    let name = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(String::from_utf8_lossy(name).into_owned())
}
