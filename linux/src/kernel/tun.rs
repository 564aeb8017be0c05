//! The ioctls of /dev/net/tun, Documentation/networking/tuntap.rst.
#![expect(
    unsafe_code,
    reason = "no well-kept crate wraps these ioctls without a device type of its own"
)]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;

use crate::change::Tuntap;

/// What is to be made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Device {
    pub(super) tap: bool,
    pub(super) options: Tuntap,
}

/// Makes a device in the calling thread's namespace, which goes with the file unless it is made to
/// [`stay`]; one that exists is an error.
pub(super) fn create(name: &str, device: &Device) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).open("/dev/net/tun")?;
    set_interface(&file, name, flags(device))?;
    let options = device.options;
    if let Some(user) = options.user {
        set(&file, libc::TUNSETOWNER, u64::from(user))?;
    }
    if let Some(group) = options.group {
        set(&file, libc::TUNSETGROUP, u64::from(group))?;
    }
    Ok(file)
}

/// Makes the device outlive the file.
pub(super) fn stay(file: &File) -> io::Result<()> {
    set(file, libc::TUNSETPERSIST, 1)
}

fn flags(device: &Device) -> libc::c_int {
    let options = device.options;
    let mut flags = libc::IFF_TUN_EXCL | if device.tap { libc::IFF_TAP } else { libc::IFF_TUN };
    for (on, flag) in [
        (!options.packet_information, libc::IFF_NO_PI),
        (options.vnet_header, libc::IFF_VNET_HDR),
        (options.multi_queue, libc::IFF_MULTI_QUEUE),
        (options.one_queue, libc::IFF_ONE_QUEUE),
    ] {
        if on {
            flags |= flag;
        }
    }
    flags
}

fn set_interface(file: &File, name: &str, flags: libc::c_int) -> io::Result<()> {
    // SAFETY: an ifreq of zeros is valid: an empty name and a union of plain numbers.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    let room = request.ifr_name.len() - 1;
    for (place, byte) in request.ifr_name.iter_mut().zip(name.bytes().take(room)) {
        *place = byte as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = flags as libc::c_short;
    // SAFETY: TUNSETIFF reads and writes one ifreq, which lives for the call.
    let answer = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETIFF, &raw mut request) };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn set(file: &File, what: libc::Ioctl, value: u64) -> io::Result<()> {
    // SAFETY: these requests take their argument by value; no memory is passed.
    let answer = unsafe { libc::ioctl(file.as_raw_fd(), what, value as libc::c_ulong) };
    if answer == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
