//! Sockets and questions that belong to a namespace, and what refused them.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use socket2::{SockAddr, SockAddrStorage, Socket};
use tokio::io::unix::AsyncFd;

use crate::kernel::{Error, KernelError, netns};

/// Does `work` inside the namespace; a failure is told as one of `operation`.
pub(crate) fn inside<T: Send>(
    namespace: &OwnedFd,
    operation: &str,
    work: impl FnOnce() -> io::Result<T> + Send,
) -> Result<T, Error> {
    netns::within(namespace.as_fd(), work).map_err(|error| refused(operation, &error))
}

/// Hands a descriptor that doesn't block to the runtime.
#[expect(unsafe_code, reason = "tokio can't see that an OwnedFd stays open")]
pub(crate) fn on_runtime(file: OwnedFd, operation: &str) -> Result<AsyncFd<OwnedFd>, Error> {
    // SAFETY: an OwnedFd names one open file until it is dropped, which the AsyncFd decides.
    let registered = unsafe { AsyncFd::register(file) };
    registered.map_err(|error| refused(operation, &error.into_parts().1))
}

/// Lets a packet(7) socket see frames of one EtherType on one link; index 0 is every link of its
/// namespace.
#[expect(unsafe_code, reason = "socket2 has no constructor for the address of a link")]
pub(crate) fn bind_to_link(socket: &Socket, protocol: u16, index: i32) -> io::Result<()> {
    let mut storage = SockAddrStorage::zeroed();
    // SAFETY: sockaddr_ll is one of the structures that the storage is for, and zeros are valid
    // for all of its fields.
    let address = unsafe { storage.view_as::<libc::sockaddr_ll>() };
    address.sll_family = libc::AF_PACKET as libc::sa_family_t;
    address.sll_protocol = protocol.to_be();
    address.sll_ifindex = index;
    // SAFETY: the storage holds a sockaddr_ll, filled in above, and that is its length.
    let address =
        unsafe { SockAddr::new(storage, size_of::<libc::sockaddr_ll>() as libc::socklen_t) };
    socket.bind(&address)
}

/// What the kernel said no to. Errors without a number (none of a socket's) count as EIO.
pub(crate) fn refused(operation: &str, error: &io::Error) -> Error {
    Error::Kernel(KernelError {
        errno: error.raw_os_error().unwrap_or(libc::EIO),
        operation: operation.to_owned(),
        text: None,
        hint: None,
    })
}

/// What nothing came for.
pub(super) fn late(timeout: Duration) -> Error {
    Error::Timeout(u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX))
}

/// The name of a link that is there already: anything that the kernel allows
/// (net/core/dev.c, `dev_valid_name`), so that no name leads a path in sysfs elsewhere.
pub(crate) fn check_link_name(name: &str) -> Result<(), Error> {
    let fits = (1..libc::IFNAMSIZ).contains(&name.len());
    let plain = !name.contains(|c: char| c == '/' || c == '\0' || c == ':' || c.is_whitespace());
    if fits && plain && name != "." && name != ".." {
        return Ok(());
    }
    let shown = crate::change::shown(name);
    Err(Error::Invalid(format!("`{shown}` can't be the name of a link")))
}

/// An address that a single station, or a group of them, can have.
pub fn check_destination(destination: IpAddr, scoped: bool) -> Result<(), Error> {
    if destination.is_unspecified() {
        return Err(Error::Invalid(format!("`{destination}` is nobody's address")));
    }
    if !scoped && needs_scope(destination) {
        return Err(Error::Invalid(format!(
            "`{destination}` is on every link; name the one to send from"
        )));
    }
    Ok(())
}

/// Whether an address belongs to many stations, each of which answers with one of its own.
pub(super) fn is_group(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_multicast() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_multicast(),
    }
}

/// Whether an address says nothing without a link: RFC 4007, scopes of link and interface.
fn needs_scope(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => {
            let narrow_group = address.is_multicast() && address.segments()[0] & 0xf <= 2;
            address.is_unicast_link_local() || narrow_group
        }
    }
}
