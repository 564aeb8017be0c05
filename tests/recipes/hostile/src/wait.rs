//! Host calls that take as long as the recipe says.

use netwright_sdk::wit::netwright::host::captures::{Capture, CaptureOptions};
use netwright_sdk::wit::netwright::host::clock;
use netwright_sdk::wit::netwright::host::links::{Kind, Link, Spec, Tuntap};
use netwright_sdk::wit::netwright::host::namespaces::Namespace;
use netwright_sdk::wit::netwright::host::probes::{self, Condition, PingOptions, Pinging};
use netwright_sdk::wit::netwright::host::taps::{Tap, TapOptions};
use netwright_sdk::wit::netwright::host::types::{Error, IpAddress};

use crate::{Way, veth};

/// RFC 5737: an address that nobody has.
pub(super) const NOBODY: IpAddress = IpAddress::Ipv4((192, 0, 2, 1));
const LOOPBACK: IpAddress = IpAddress::Ipv4((127, 0, 0, 1));
const EVER: u32 = u32::MAX;
pub(super) const LONG_PING: PingOptions = PingOptions {
    count: 65_536,
    interval_ms: EVER,
    timeout_ms: EVER,
    size: 56,
    whole: false,
    source: None,
};

pub(super) fn way(how: &str) -> Option<Way> {
    Some(match how {
        "wait-for-a-link" => || until(Condition::LinkCarrier("nowhere".to_owned())),
        "wait-for-a-route" => || until(Condition::RouteTo(NOBODY)),
        "wait-for-an-address" => || until(Condition::AddressReady(("lo".to_owned(), NOBODY))),
        "wait-for-an-answer" => || until(Condition::Answers(NOBODY)),
        "ping" => || probes::ping(&up()?, LOOPBACK, &LONG_PING).map(drop),
        "ping-and-ask" => || {
            let pinging = Pinging::start(&up()?, LOOPBACK, &LONG_PING)?;
            while pinging.finished()?.is_none() {}
            Ok(())
        },
        "arp" => || {
            veth("v0", "v1")?;
            probes::arp(&Namespace::root()?, "v0", NOBODY, EVER).map(drop)
        },
        "tcp" => || {
            let root = up()?;
            let listener = probes::Listener::open(&root, probes::Transport::Tcp, 0, false)?;
            probes::tcp(&root, LOOPBACK, listener.port(), b"hello", EVER, EVER).map(drop)
        },
        "udp" => || {
            let root = up()?;
            let listener = probes::Listener::open(&root, probes::Transport::Udp, 0, false)?;
            probes::udp(&root, LOOPBACK, listener.port(), b"hello", EVER).map(drop)
        },
        "frames" => || {
            let link = veth("v0", "v1")?;
            let capture = Capture::start(&link, CaptureOptions { snap_length: None })?;
            loop {
                capture.frames(&[], u32::MAX, u32::MAX, EVER)?;
            }
        },
        "sleep" => || {
            clock::sleep(u64::MAX);
            Ok(())
        },
        "naps" => || loop {
            clock::sleep(1);
        },
        "tap" => || {
            let kind = Kind::Tap(Tuntap {
                packet_information: false,
                vnet_header: false,
                multi_queue: false,
                one_queue: false,
                user: None,
                group: None,
            });
            let spec = Spec { name: "t0".to_owned(), kind, parent: None, settings: Vec::new() };
            let link = Link::create(&Namespace::root()?, &spec)?;
            let tap = Tap::open(&link, TapOptions { vnet_header: false })?;
            tap.receive(u32::MAX, EVER).map(drop)
        },
        _ => return None,
    })
}

fn until(condition: Condition) -> Result<(), Error> {
    probes::wait_until(&up()?, &condition, EVER).map(drop)
}

/// The root namespace, once its loopback is up.
fn up() -> Result<Namespace, Error> {
    use netwright_sdk::wit::netwright::host::links::Setting;
    let root = Namespace::root()?;
    Link::open(&root, "lo")?.change(&[Setting::Up(true)])?;
    Ok(root)
}
