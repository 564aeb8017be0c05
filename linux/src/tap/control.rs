//! The ioctls of tun(4) and macvtap queues; this module's only unsafe code.
#![expect(unsafe_code, reason = "ioctls take pointers to structures of C")]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use super::device::Queue;

/// Gives a tun or tap that is there already to this queue (TUNSETIFF).
pub(super) fn attach_queue(
    file: BorrowedFd<'_>,
    link: &str,
    queue: Queue,
    vnet_header: bool,
) -> io::Result<()> {
    let mut flags = libc::IFF_NO_PI | if queue.ethernet { libc::IFF_TAP } else { libc::IFF_TUN };
    if queue.many {
        flags |= libc::IFF_MULTI_QUEUE;
    }
    if vnet_header {
        flags |= libc::IFF_VNET_HDR;
    }
    let mut request = empty_request();
    for (to, from) in request.ifr_name.iter_mut().zip(link.bytes()) {
        *to = from as libc::c_char;
    }
    // The flags that the kernel knows fit into 16 bits.
    request.ifr_ifru.ifru_flags = flags as libc::c_short;
    call(file, libc::TUNSETIFF, &mut request)
}

/// Whether frames of a macvtap or ipvtap carry a virtio_net_hdr; by default they do
/// (drivers/net/tap.c, `tap_open`).
pub(super) fn set_character_device_flags(file: impl AsFd, vnet_header: bool) -> io::Result<()> {
    let header = if vnet_header { libc::IFF_VNET_HDR } else { 0 };
    let mut request = empty_request();
    request.ifr_ifru.ifru_flags = (libc::IFF_TAP | libc::IFF_NO_PI | header) as libc::c_short;
    call(file.as_fd(), libc::TUNSETIFF, &mut request)
}

/// The name of the link that a queue belongs to, whatever namespace that is in (TUNGETIFF).
pub(super) fn link_name(file: impl AsFd) -> io::Result<String> {
    let mut request = empty_request();
    call(file.as_fd(), libc::TUNGETIFF, &mut request)?;
    let bytes = request.ifr_name.map(|character| character as u8);
    let name = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(String::from_utf8_lossy(name).into_owned())
}

fn empty_request() -> libc::ifreq {
    // SAFETY: an ifreq is integers and a union of such, for which zero is a value.
    unsafe { std::mem::zeroed() }
}

fn call(file: BorrowedFd<'_>, code: libc::Ioctl, request: &mut libc::ifreq) -> io::Result<()> {
    // SAFETY: all requests used here read or write one ifreq, alive for the call.
    let answer = unsafe { libc::ioctl(file.as_raw_fd(), code, std::ptr::from_mut(request)) };
    if answer == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
