//! Frames that a recipe sends and receives.
#![allow(missing_docs, reason = "the contract documents its functions")]

/// As the interface `taps`.
pub mod taps {
    pub use crate::wit::netwright::host::taps::TapOptions;

    use super::super::building::links::Link;
    use crate::testing::network::LinkId;
    use crate::testing::state::with;
    use crate::wit::types::Error;

    /// Before each frame, where it is asked for: linux/virtio_net.h.
    const HEADER: usize = 10;

    /// An open tap.
    #[derive(Debug)]
    pub struct Tap {
        link: LinkId,
        header: bool,
    }

    impl Tap {
        pub fn open(link: &Link, options: TapOptions) -> Result<Self, Error> {
            with(|state| {
                let site = link.alive(state)?;
                let is_tap = state.network.link(link.id()).is_ok_and(|state| state.is_tap());
                if !is_tap {
                    let rule = "is no macvtap, ipvtap, tun or tap";
                    return Err(Error::Invalid(format!("link `{}` {rule}", site.name)));
                }
                Ok(Self { link: link.id(), header: options.vnet_header })
            })
        }

        pub fn receive(&self, max_frames: u32, _timeout_ms: u32) -> Result<Vec<Vec<u8>>, Error> {
            with(|state| {
                self.alive(state)?;
                let queue = &mut state.wires.entry(self.link).or_default().arriving;
                let count = queue.len().min(usize::try_from(max_frames).unwrap_or(usize::MAX));
                let frames = queue.drain(..count);
                let head = vec![0; if self.header { HEADER } else { 0 }];
                Ok(frames.map(|frame| [head.clone(), frame].concat()).collect())
            })
        }

        pub fn send(&self, frames: &[Vec<u8>]) -> Result<u32, Error> {
            with(|state| {
                self.alive(state)?;
                let head = if self.header { HEADER } else { 0 };
                if frames.iter().any(|frame| frame.len() < head) {
                    return Err(Error::Invalid("a frame is shorter than its header".to_owned()));
                }
                let sent = &mut state.wires.entry(self.link).or_default().sent;
                sent.extend(frames.iter().map(|frame| frame[head..].to_vec()));
                Ok(u32::try_from(frames.len()).unwrap_or(u32::MAX))
            })
        }

        fn alive(&self, state: &crate::testing::state::State) -> Result<(), Error> {
            match state.network.link(self.link) {
                Ok(_) => Ok(()),
                Err(_) => Err(Error::Gone("the tap's link".to_owned())),
            }
        }
    }
}
