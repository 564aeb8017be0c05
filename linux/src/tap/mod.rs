//! Taps: the frames of a macvtap, ipvtap, tun or tap, read and written by a recipe.

mod control;
mod device;
mod opener;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::{Instant, timeout_at};

use crate::kernel::{Error, KernelError};
use crate::probe::{check_link_name, inside, on_runtime, refused};
use crate::text::help;
use device::{CharacterDevice, Device, Queue};
pub use opener::Opener;

/// The default size of a virtio_net_hdr: `struct virtio_net_hdr`, Virtual I/O Device 1.2, 5.1.6.
const VNET_HEADER: usize = 10;
const ETHERNET_HEADER: usize = 14;
/// The largest packet of IPv4 or IPv6, an Ethernet header with two VLAN tags, and the header above.
const LARGEST_FRAME: usize = 65_535 + ETHERNET_HEADER + 8 + VNET_HEADER;
/// What one call hands over; what is beyond it waits in the kernel's queue.
const MOST_BYTES: usize = 1 << 20;
/// A link's queue empties in microseconds; one that doesn't for so long is stuck.
const SEND_TIME: Duration = Duration::from_secs(1);

/// How a tap is opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// frames carry a virtio_net_hdr of 10 bytes in front, given and taken as it is; without it
    /// the kernel fills in checksums and cuts large segments to size first
    pub vnet_header: bool,
}

/// An open queue of a link; dropping it closes it.
#[derive(Debug)]
pub struct Tap {
    file: AsyncFd<OwnedFd>,
    link: String,
    shortest_frame: usize,
    buffer: Vec<u8>,
}

impl Tap {
    /// Opens the character device of a macvtap or ipvtap, or a queue of a tun or tap that is
    /// there already.
    ///
    /// The device of a macvtap is found by number in the namespace's own sysfs:
    /// `/dev/tap<index>` may be another namespace's. In a lab its node can't be made, which is
    /// what the opener is for.
    ///
    /// # Errors
    /// Gone where the namespace has no such link, Invalid where it isn't a tap of any kind,
    /// Unsupported for a macvtap without an opener (one needs to be root), Kernel otherwise:
    /// `EBUSY` where somebody else has the only queue of a tun or tap.
    pub fn open(
        namespace: &OwnedFd,
        link: &str,
        options: Options,
        opener: Option<&Opener>,
    ) -> Result<Self, Error> {
        check_link_name(link)?;
        let operation = format!("open tap {link}");
        let (file, ethernet) = match find(namespace, link)? {
            Device::Missing => return Err(Error::Gone(format!("link `{link}`"))),
            Device::Other => {
                return Err(Error::Invalid(format!(
                    "link `{link}` has no frames to open: only a macvtap, ipvtap, tun or tap has"
                )));
            }
            Device::Character(device) => {
                let file = open_character_device(device, link, opener)?;
                control::set_character_device_flags(&file, options.vnet_header)
                    .map_err(|error| refused(&operation, &error))?;
                (file, true)
            }
            Device::Queue(queue) => {
                (inside(namespace, &operation, || attach(queue, link, options))?, queue.ethernet)
            }
        };
        let frame = if ethernet { ETHERNET_HEADER } else { 1 };
        let header = if options.vnet_header { VNET_HEADER } else { 0 };
        Ok(Self {
            file: on_runtime(file, &operation)?,
            link: link.to_owned(),
            shortest_frame: frame + header,
            buffer: vec![0; LARGEST_FRAME],
        })
    }

    /// The frames that are there, at most so many and a mebibyte in all, or the first to come
    /// within the time; none where none came.
    ///
    /// # Errors
    /// Gone where the link is.
    pub async fn receive(&mut self, most: u32, timeout: Duration) -> Result<Vec<Vec<u8>>, Error> {
        let operation = format!("receive from tap {}", self.link);
        let mut frames = Vec::new();
        let mut bytes = 0;
        if most == 0 {
            return Ok(frames);
        }
        let deadline = Instant::now() + timeout;
        let buffer = &mut self.buffer;
        let first = self
            .file
            .async_io(Interest::READABLE, |file| Ok(rustix::io::read(file, &mut buffer[..])?));
        match timeout_at(deadline, first).await {
            Ok(Ok(length)) => frames.push(buffer[..length].to_vec()),
            Ok(Err(error)) => return Err(self.failed(&operation, &error)),
            Err(_) => return self.check_link(&operation).map(|()| frames),
        }
        while frames.len() < most as usize && bytes < MOST_BYTES {
            match rustix::io::read(self.file.get_ref(), &mut self.buffer[..]) {
                Ok(length) => {
                    bytes += length;
                    frames.push(self.buffer[..length].to_vec());
                }
                // Whatever else it is, the next call meets it again; these frames come first.
                Err(_) => break,
            }
        }
        Ok(frames)
    }

    /// Sends frames in their order; how many went. Fewer than given where the link takes no more.
    ///
    /// # Errors
    /// Invalid for a frame that can't be one, before any is sent. Gone where the link is. Kernel
    /// where the first is refused: `EIO` or `ENETDOWN` while the link is down.
    pub async fn send(&self, frames: &[Vec<u8>]) -> Result<u32, Error> {
        self.check_frames(frames)?;
        let operation = format!("send to tap {}", self.link);
        // A macvtap whose link is gone swallows frames without a word (drivers/net/tap.c).
        self.check_link(&operation)?;
        let deadline = Instant::now() + SEND_TIME;
        let mut sent = 0;
        for frame in frames {
            match timeout_at(deadline, self.write(frame)).await {
                Ok(Ok(())) => sent += 1,
                Ok(Err(error)) if sent == 0 => return Err(self.failed(&operation, &error)),
                Ok(Err(_)) | Err(_) => break,
            }
        }
        Ok(sent)
    }

    /// Tries before it waits: a tap that is down never becomes writable (drivers/net/tun.c,
    /// `tun_sock_writeable`), it only refuses.
    async fn write(&self, frame: &[u8]) -> io::Result<()> {
        match rustix::io::write(self.file.get_ref(), frame) {
            Ok(_) => return Ok(()),
            Err(Errno::AGAIN) => {}
            Err(errno) => return Err(errno.into()),
        }
        let written =
            self.file.async_io(Interest::WRITABLE, |file| Ok(rustix::io::write(file, frame)?));
        written.await.map(drop)
    }

    fn check_frames(&self, frames: &[Vec<u8>]) -> Result<(), Error> {
        for (place, frame) in frames.iter().enumerate() {
            let length = frame.len();
            if length < self.shortest_frame || length > LARGEST_FRAME {
                return Err(Error::Invalid(format!(
                    "frame {} has {length} bytes; `{}` takes {} to {LARGEST_FRAME}",
                    place + 1,
                    self.link,
                    self.shortest_frame
                )));
            }
        }
        Ok(())
    }

    /// A queue whose link is gone stays silent for ever; only asking for its name shows it.
    fn check_link(&self, operation: &str) -> Result<(), Error> {
        match control::link_name(self.file.get_ref()) {
            Ok(_) => Ok(()),
            Err(error) => Err(self.failed(operation, &error)),
        }
    }

    fn failed(&self, operation: &str, error: &io::Error) -> Error {
        match error.raw_os_error() {
            // drivers/net/tap.c and tun.c answer these when the link has left the queue.
            Some(libc::ENOLINK | libc::EBADFD | libc::ENODEV | libc::ENXIO) => {
                Error::Gone(format!("link `{}`", self.link))
            }
            Some(errno @ (libc::EIO | libc::ENETDOWN)) => Error::Kernel(KernelError {
                errno,
                operation: operation.to_owned(),
                text: None,
                hint: Some(format!("set link `{}` up", self.link)),
            }),
            _ => refused(operation, error),
        }
    }
}

fn find(namespace: &OwnedFd, link: &str) -> Result<Device, Error> {
    match inside(namespace, &format!("look up {link} in sysfs"), || device::find(link)) {
        Err(Error::Kernel(KernelError { errno: libc::EPERM, .. })) => Err(Error::Unsupported(
            "sysfs of a namespace can't be read: parts of this machine's /sys are hidden"
                .to_owned()
                + &help(
                    "run netwright where /sys is mounted whole, so not in a container that masks it",
                ),
        )),
        found => found,
    }
}

/// By the node that the system made, where that is the very device, else by the opener.
fn open_character_device(
    device: CharacterDevice,
    link: &str,
    opener: Option<&Opener>,
) -> Result<OwnedFd, Error> {
    let operation = format!("open tap {link}");
    let file = match (device.open_existing_node(), opener) {
        (Some(file), _) => Ok(file),
        (None, Some(opener)) => opener.open(device.number),
        (None, None) => Err(Errno::PERM.into()),
    };
    let file = file.map_err(|error| match error.raw_os_error() {
        // No opener, or one whose root isn't the machine's.
        Some(libc::EPERM) => Error::Unsupported(format!(
            "the character device of `{link}` belongs to the machine's root{}",
            help(format!("run netwright as root, or use a tap in place of the {}", device.kind))
        )),
        _ => refused(&operation, &error),
    })?;
    let name = control::link_name(&file).map_err(|error| refused(&operation, &error))?;
    if name == link {
        return Ok(file);
    }
    // Its number went to another link between the look in sysfs and the opening.
    Err(Error::Gone(format!("link `{link}`")))
}

/// Opens a further queue, or the only one, of a tun or tap; as a program behind `ip tuntap` does.
fn attach(queue: Queue, link: &str, options: Options) -> io::Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = open("/dev/net/tun", flags, Mode::empty())?;
    control::attach_queue(file.as_fd(), link, queue, options.vnet_header)?;
    Ok(file)
}
