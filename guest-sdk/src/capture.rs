//! Captures: every frame that passes a link, whoever sends it.

use std::fmt::Display;
use std::time::Duration;

use crate::host;
use crate::wit::captures::{CaptureOptions, Counters, Frame};
use crate::wit::types::Attribute;
use crate::{IntoMac, Link, Result};

/// One call's worth of frames.
const PAGE: u32 = 4096;

/// A capture to be started.
#[derive(Debug)]
#[must_use = "a capture is started by `start`"]
pub struct CaptureBuilder {
    link: Result<Link>,
    snap_length: Option<u32>,
}

impl CaptureBuilder {
    pub(crate) fn new(link: Result<Link>) -> Self {
        Self { link, snap_length: None }
    }

    /// Keeps so many bytes of each frame, 64 to 262144; all of them unless told otherwise.
    pub fn snap_length(mut self, bytes: u32) -> Self {
        self.snap_length = Some(bytes);
        self
    }

    /// Starts it: from now on no frame passes unseen, also where the link is still down.
    /// As `tcpdump -i LINK`.
    pub fn start(self) -> Result<Capture> {
        let options = CaptureOptions { snap_length: self.snap_length };
        let handle = host::captures::Capture::start(self.link?.handle(), options)?;
        Ok(Capture { handle })
    }
}

/// The frames of one link since the capture was started. Dropping it ends it.
///
/// ```
/// use netwright_sdk::prelude::*;
///
/// fn echoes_are_seen_twice(lab: &Lab) -> Result<()> {
///     let capture = lab.in_namespace("switch")?.capture("switch0").start()?;
///     lab.in_namespace("ns1")?.ping("192.168.56.123").expect_reply()?;
///     let echoes = capture.frames(&FrameFilter::icmp())?;
///     lab.expect("the switch sees each frame twice", echoes.len() == 4, "")
/// }
/// ```
#[derive(Debug)]
pub struct Capture {
    handle: host::captures::Capture,
}

impl Capture {
    /// All frames so far that the filter means, in the order in which they passed. An error where
    /// frames were lost, for then nobody can tell.
    pub fn frames(&self, filter: &FrameFilter) -> Result<Vec<Frame>> {
        let mut frames = Vec::new();
        loop {
            let skip = u32::try_from(frames.len()).unwrap_or(u32::MAX);
            let page = self.handle.frames(&filter.conditions, skip, PAGE, 0)?;
            if page.is_empty() {
                return Ok(frames);
            }
            frames.extend(page);
        }
    }

    /// The first frame that the filter means, waited for so long if there is none yet.
    pub fn first(&self, filter: &FrameFilter, wait: Duration) -> Result<Option<Frame>> {
        let wait = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
        Ok(self.handle.frames(&filter.conditions, 0, 1, wait)?.into_iter().next())
    }

    /// How many frames were kept, and how many were lost.
    pub fn counters(&self) -> Result<Counters> {
        Ok(self.handle.counters()?)
    }
}

/// Which frames are meant: those for which all that is said is so.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FrameFilter {
    conditions: Vec<Attribute>,
}

impl FrameFilter {
    /// Every frame.
    pub fn all() -> Self {
        Self::default()
    }

    /// ARP, RFC 826.
    pub fn arp() -> Self {
        Self::all().protocol("arp")
    }

    /// ICMP, RFC 792.
    pub fn icmp() -> Self {
        Self::all().protocol("icmp")
    }

    /// ICMPv6, RFC 4443: echoes as well as the discovery of neighbours and routers.
    pub fn icmp6() -> Self {
        Self::all().protocol("icmp6")
    }

    /// IPv4.
    pub fn ipv4() -> Self {
        Self::all().protocol("ipv4")
    }

    /// IPv6.
    pub fn ipv6() -> Self {
        Self::all().protocol("ipv6")
    }

    /// TCP, on IPv4 or IPv6.
    pub fn tcp() -> Self {
        Self::all().protocol("tcp")
    }

    /// UDP, on IPv4 or IPv6.
    pub fn udp() -> Self {
        Self::all().protocol("udp")
    }

    fn protocol(self, word: &str) -> Self {
        self.with("protocol", word)
    }

    fn with(mut self, name: &str, value: impl Display) -> Self {
        self.conditions.push(Attribute { name: name.to_owned(), value: value.to_string() });
        self
    }

    /// With this id in the outermost tag, 0 to 4094.
    pub fn vlan(self, id: u16) -> Self {
        self.with("vlan", id)
    }

    /// Without a VLAN tag.
    pub fn untagged(self) -> Self {
        self.with("vlan", "none")
    }

    /// That the link received.
    pub fn incoming(self) -> Self {
        self.with("direction", "incoming")
    }

    /// That the link sent.
    pub fn outgoing(self) -> Self {
        self.with("direction", "outgoing")
    }

    /// From this station.
    pub fn source_mac(self, station: impl IntoMac) -> Result<Self> {
        Ok(self.with("source-mac", station.into_mac()?))
    }

    /// To this station or group.
    pub fn destination_mac(self, station: impl IntoMac) -> Result<Self> {
        Ok(self.with("destination-mac", station.into_mac()?))
    }

    /// From this IP address or prefix; of ARP the sender's address.
    pub fn source(self, address: impl Display) -> Self {
        self.with("source", address)
    }

    /// To this IP address or prefix; of ARP the target's address.
    pub fn destination(self, address: impl Display) -> Self {
        self.with("destination", address)
    }

    /// With this port at either end.
    pub fn port(self, port: u16) -> Self {
        self.with("port", port)
    }

    /// From this port.
    pub fn source_port(self, port: u16) -> Self {
        self.with("source-port", port)
    }

    /// To this port.
    pub fn destination_port(self, port: u16) -> Self {
        self.with("destination-port", port)
    }
}
