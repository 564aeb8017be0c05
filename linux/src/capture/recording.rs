//! What a capture has seen so far, and what it could not keep.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use netwright_frames::{Datagrams, Direction, Filter, Layer, Open, Packet, Verdict};

use super::{control, socket};
use crate::text::help;

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// nanoseconds since 1970, UTC
    pub timestamp: u64,
    pub direction: Direction,
    /// bytes on the wire; the data may be fewer
    pub length: u32,
    pub data: Box<[u8]>,
}

impl Frame {
    /// What it takes of the run's memory.
    fn cost(&self) -> usize {
        self.data.len() + size_of::<Self>()
    }

    fn read(&self, layer: Layer) -> Packet {
        Packet::read(&netwright_frames::Frame {
            data: &self.data,
            length: self.length,
            layer,
            direction: self.direction,
        })
    }
}

/// The memory that all captures of a run share.
#[derive(Debug)]
pub struct Room {
    limit: usize,
    used: AtomicUsize,
}

impl Room {
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicUsize::new(0) })
    }

    fn take(&self, bytes: usize) -> bool {
        let fits = |used: usize| used.checked_add(bytes).filter(|used| *used <= self.limit);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok()
    }
}

/// Which links' frames are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Which {
    /// the one of this index, as the kernel hands over no others
    One,
    /// those of every link that has this name when its first frame passes
    Named(String),
}

/// How many frames there were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// kept, and their bytes
    pub frames: u64,
    pub bytes: u64,
    /// that the kernel had no room for
    pub dropped: u64,
    /// that came after the run's limit was reached
    pub beyond_limit: u64,
}

impl Counters {
    pub fn plus(self, other: Self) -> Self {
        Self {
            frames: self.frames + other.frames,
            bytes: self.bytes + other.bytes,
            dropped: self.dropped + other.dropped,
            beyond_limit: self.beyond_limit + other.beyond_limit,
        }
    }

    /// Why not all is known; none where it is.
    pub fn loss(&self) -> Option<Loss> {
        (self.dropped + self.beyond_limit > 0).then_some(Loss(*self))
    }
}

/// Frames that were seen and can't be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss(Counters);

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counters { frames, dropped, beyond_limit, .. } = self.0;
        if beyond_limit > 0 {
            write!(
                f,
                "the limit of captured bytes was reached after {frames} frames, {beyond_limit} came later"
            )?;
        }
        if dropped > 0 {
            let comma = if beyond_limit > 0 { "; " } else { "" };
            write!(f, "{comma}the kernel had no room for {dropped} frames beside {frames}")?;
        }
        Ok(())
    }
}

/// Frames of which it can't be told whether a filter means them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Undecided {
    /// cut by a snap length before what the filter asks for
    pub cut: u64,
    /// fragments of datagrams whose first one, which has the ports, was not captured
    pub fragments: u64,
}

impl Undecided {
    pub(super) fn add(&mut self, open: Open) {
        match open {
            Open::Cut => self.cut += 1,
            Open::Fragment => self.fragments += 1,
        }
    }

    pub fn plus(self, other: Self) -> Self {
        Self { cut: self.cut + other.cut, fragments: self.fragments + other.fragments }
    }

    /// Why not all is known, with the remedy; none where it is.
    pub fn reason(self) -> Option<String> {
        let Self { cut, fragments } = self;
        let mut reasons = Vec::new();
        if fragments > 0 {
            let what = match fragments {
                1 => "fragment of a datagram",
                _ => "fragments of datagrams",
            };
            reasons.push(format!(
                "{fragments} {what} whose first one, with the ports, was not captured"
            ));
        }
        if cut > 0 {
            let frames = if cut == 1 { "frame was" } else { "frames were" };
            let remedy = help("a longer `snap-length`, or none, keeps all of each frame");
            reasons.push(format!("{cut} {frames} cut before what is asked for{remedy}"));
        }
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }
}

/// Grows as frames come.
#[derive(Debug)]
pub(super) struct Recording {
    /// none once the capture has ended
    socket: Option<Arc<OwnedFd>>,
    which: Which,
    /// whether frames of a link are kept, once that is known
    links: HashMap<i32, bool>,
    frames: Vec<Frame>,
    datagrams: Datagrams,
    pub(super) layer: Layer,
    counters: Counters,
    buffer: Vec<u8>,
    room: Arc<Room>,
    taken: usize,
}

impl Recording {
    pub(super) fn new(
        socket: Arc<OwnedFd>,
        which: Which,
        snap_length: u32,
        room: Arc<Room>,
    ) -> Self {
        Self {
            socket: Some(socket),
            which,
            links: HashMap::new(),
            frames: Vec::new(),
            datagrams: Datagrams::default(),
            layer: Layer::Ethernet,
            counters: Counters::default(),
            buffer: vec![0; snap_length as usize],
            room,
            taken: 0,
        }
    }

    /// Takes what waits in the socket, at most so many frames, so that a flood doesn't hold up
    /// whoever asks; whether there was any.
    pub(super) fn drain(&mut self, most: usize) -> io::Result<bool> {
        let Some(socket) = self.socket.clone() else { return Ok(false) };
        let mut any = false;
        for _ in 0..most {
            let Some(received) = socket::receive(&socket, &mut self.buffer)? else { break };
            if self.keeps(&socket, received.index) {
                any = true;
                self.layer = received.layer;
                self.add(received.frame);
            }
        }
        self.counters.dropped += socket::take_drops(&socket);
        Ok(any)
    }

    /// Takes what waits for the last time, and closes the socket, which would hold its namespace.
    pub(super) fn end(&mut self, most: usize) {
        // An error here is one that the reader has met, and stopped at, before.
        let _ = self.drain(most);
        self.socket = None;
        self.buffer = Vec::new();
    }

    fn keeps(&mut self, socket: &OwnedFd, index: i32) -> bool {
        let Which::Named(name) = &self.which else { return true };
        *self.links.entry(index).or_insert_with(|| {
            // A link that is gone already was not the one, or its frames can't be told from others'.
            control::link_name(socket.as_fd(), index).is_ok_and(|found| found == *name)
        })
    }

    fn add(&mut self, frame: Frame) {
        let packet = frame.read(self.layer);
        let cost = frame.cost() + if packet.is_first_fragment() { Datagrams::COST } else { 0 };
        if self.counters.beyond_limit > 0 || !self.room.take(cost) {
            self.counters.beyond_limit += 1;
            return;
        }
        self.taken += cost;
        self.counters.frames += 1;
        self.counters.bytes += frame.data.len() as u64;
        self.datagrams.note(self.frames.len(), &packet);
        self.frames.push(frame);
    }

    pub(super) fn counters(&self) -> Counters {
        self.counters
    }

    pub(super) fn all(&self) -> &[Frame] {
        &self.frames
    }

    /// Each with what a filter says to it, and how it is read.
    pub(super) fn judged(
        &self,
        filter: &Filter,
    ) -> impl Iterator<Item = (&Frame, Packet, Verdict)> {
        self.frames.iter().enumerate().map(|(place, frame)| {
            let packet = self.datagrams.complete(place, frame.read(self.layer));
            let verdict = filter.judge(&packet);
            (frame, packet, verdict)
        })
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.room.used.fetch_sub(self.taken, Ordering::Relaxed);
    }
}
