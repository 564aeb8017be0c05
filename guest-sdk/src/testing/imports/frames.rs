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

/// As the interface `captures`.
pub mod captures {
    pub use crate::wit::netwright::host::captures::{CaptureOptions, Counters, Direction, Frame};

    use netwright_frames::{Datagrams, Filter, Layer, Packet, Verdict};

    use super::super::building::links::Link;
    use crate::testing::Site;
    use crate::testing::state::with;
    use crate::wit::types::{Attribute, Error};

    /// A capture of the frames that the test lets pass.
    #[derive(Debug)]
    pub struct Capture {
        site: Site,
    }

    impl Capture {
        pub fn start(link: &Link, _options: CaptureOptions) -> Result<Self, Error> {
            with(|state| Ok(Self { site: link.alive(state)? }))
        }

        pub fn frames(
            &self,
            filter: &[Attribute],
            skip: u32,
            max_frames: u32,
            _timeout_ms: u32,
        ) -> Result<Vec<Frame>, Error> {
            let conditions = filter.iter().map(|each| (each.name.as_str(), each.value.as_str()));
            let filter = Filter::of(conditions).map_err(Error::Invalid)?;
            let whole = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
            with(|state| {
                let mut datagrams = Datagrams::default();
                let read: Vec<_> =
                    state.passed(&self.site).map(|frame| (frame, packet(frame))).collect();
                for (place, (_, packet)) in read.iter().enumerate() {
                    datagrams.note(place, packet);
                }
                let mut open = false;
                let judged = read.into_iter().enumerate().filter(|(place, (_, packet))| {
                    let verdict = filter.judge(&datagrams.complete(*place, packet.clone()));
                    open |= matches!(verdict, Verdict::Open(_));
                    verdict == Verdict::Meant
                });
                let page = judged.skip(whole(skip)).take(whole(max_frames));
                let page: Vec<_> = page.map(|(_, (frame, _))| frame.clone()).collect();
                if page.is_empty() && max_frames > 0 && open {
                    let rule = "frames of which it can't be told whether the filter means them";
                    return Err(Error::Limit(rule.to_owned()));
                }
                Ok(page)
            })
        }

        pub fn counters(&self) -> Result<Counters, Error> {
            let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
            Ok(with(|state| Counters {
                frames: count(state.passed(&self.site).count()),
                bytes: count(state.passed(&self.site).map(|frame| frame.data.len()).sum()),
                dropped: 0,
                beyond_limit: 0,
            }))
        }
    }

    fn packet(frame: &Frame) -> Packet {
        Packet::read(&netwright_frames::Frame {
            data: &frame.data,
            length: frame.length,
            layer: Layer::Ethernet,
            direction: match frame.direction {
                Direction::Incoming => netwright_frames::Direction::Incoming,
                Direction::Outgoing => netwright_frames::Direction::Outgoing,
            },
        })
    }
}
