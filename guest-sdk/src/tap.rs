//! Taps: Ethernet frames sent and received by the recipe itself.

use std::time::Duration;

use crate::host;
use crate::wit::taps::TapOptions;
use crate::{Link, Result};

/// The open file of a macvtap, ipvtap, tun or tap. Dropping it closes the file.
#[derive(Debug)]
pub struct Tap {
    handle: host::taps::Tap,
}

impl Tap {
    pub(crate) fn open(link: &Link, vnet_header: bool) -> Result<Self> {
        let options = TapOptions { vnet_header };
        Ok(Self { handle: host::taps::Tap::open(link.handle(), options)? })
    }

    /// The frames that are there, at most so many; or the first to come within the time, which is
    /// taken to whole milliseconds. None where none came.
    pub fn receive(&self, at_most: u32, wait: Duration) -> Result<Vec<Vec<u8>>> {
        let wait = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
        Ok(self.handle.receive(at_most, wait)?)
    }

    /// Sends one frame, from its destination address to the end of its payload.
    pub fn send(&self, frame: impl Into<Vec<u8>>) -> Result<()> {
        self.send_all(&[frame.into()]).map(|_| ())
    }

    /// Sends several frames and says how many.
    pub fn send_all(&self, frames: &[Vec<u8>]) -> Result<u32> {
        Ok(self.handle.send(frames)?)
    }
}
