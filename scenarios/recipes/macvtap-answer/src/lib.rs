//! A station that is nothing but this WebAssembly component: it answers ARP and ICMP echo through
//! a macvtap, while a neighbour pings it.

mod station;

use netwright_sdk::prelude::*;
use station::{Answer, Station};

/// How long one look at the tap waits for a frame.
const LOOK: Duration = Duration::from_millis(20);
/// What a look costs that found frames at once. A recipe has no clock, so this is counted.
const BUSY_LOOK: Duration = Duration::from_millis(1);
/// How many frames are taken at once.
const FRAMES: u32 = 64;

/// Bytes of a virtio_net_hdr (include/uapi/linux/virtio_net.h; a tap's is without `num_buffers`).
const VNET_HEADER: usize = 10;

#[derive(Params)]
struct Served {
    /// The address that the component answers for
    #[param(default = "192.168.56.200/24")]
    address: Prefix,
    /// The address of the neighbour, a macvlan child of the same parent
    #[param(default = "192.168.56.123/24")]
    neighbour: Prefix,
    /// The longest time to answer in, in seconds
    #[param(default = 10, range = 1..=3600)]
    serve: u32,
    /// After how many echo requests it is enough
    #[param(default = 3, range = 1..=10000)]
    answers: u32,
    /// The neighbour pings by itself; without it somebody else has to
    #[param(default = true)]
    ask: bool,
    /// Of all links
    #[param(default = 1500, range = 1280..=9000)]
    mtu: u32,
    /// Bytes of payload in each echo request, as `ping -s`
    #[param(default = 56, range = 0..=8972)]
    size: u32,
    /// Frames of the tap have a virtio_net_hdr in front, as virtual machines want it
    #[param(default = false)]
    vnet_header: bool,
}

/// Answers ARP and ICMP echo itself, in WebAssembly, through a macvtap
#[recipe(name = "macvtap-answer", version = "0.1.0", check = faults)]
fn answer(lab: &Lab, served: Served) -> Result<()> {
    lab.step("a parent with a macvtap for the component and a macvlan for its neighbour");
    let mtu = served.mtu;
    let uplink = lab.veth("enp0s8").mtu(mtu).peer("switch0").peer_mtu(mtu).create()?;
    let mode = MacvlanMode::Bridge;
    let macvtap = lab.macvtap("tap0").parent(&uplink).mode(mode).mtu(mtu).create()?;
    let neighbour = lab.namespace("neighbour")?;
    let asking = neighbour.macvlan("eth0").parent(&uplink).mode(mode).mtu(mtu);
    asking.address(served.neighbour).create()?;

    lab.step("the component answers");
    let tap =
        if served.vnet_header { macvtap.open_tap_with_header()? } else { macvtap.open_tap()? };
    let station = Station::new(macvtap.mac()?, served.address, mtu)?;
    let pinging = match served.ask {
        true => {
            let ping = neighbour.ping(served.address.addr()).count(served.answers);
            let size = u16::try_from(served.size).unwrap_or(u16::MAX);
            Some(ping.interval(Duration::from_millis(50)).size(size).whole().start()?)
        }
        false => None,
    };
    let answered = serve(&tap, station, pinging.as_ref(), &served)?;
    lab.metric("arp_answered", f64::from(answered.arp), "frames");
    lab.metric("echo_answered", f64::from(answered.echo), "frames");
    judge(lab, &served, &answered)
}

/// What was answered, and what the neighbour says of it.
#[derive(Debug, Default)]
struct Answered {
    arp: u32,
    echo: u32,
    received: Option<u32>,
}

/// Looks at the tap and answers in turns, until it is enough or the time is over.
fn serve(
    tap: &Tap,
    mut station: Station,
    pinging: Option<&Pinging>,
    served: &Served,
) -> Result<Answered> {
    let mut answered = Answered::default();
    let mut left = Duration::from_secs(served.serve.into());
    while !left.is_zero() {
        let mut frames = tap.receive(FRAMES, LOOK)?;
        if served.vnet_header {
            frames.iter_mut().for_each(|frame| drop(frame.drain(..VNET_HEADER.min(frame.len()))));
        }
        let later = if frames.is_empty() { LOOK } else { BUSY_LOOK };
        left = left.saturating_sub(later);
        let mut answers = station.answer(frames, later);
        for answer in &answers {
            match Answer::of(answer) {
                Answer::Arp => answered.arp += 1,
                Answer::Echo => answered.echo += 1,
                Answer::Other => {}
            }
        }
        if served.vnet_header {
            // All zeros: whole checksums, no segmentation.
            answers.iter_mut().for_each(|frame| drop(frame.splice(..0, [0; VNET_HEADER])));
        }
        if !answers.is_empty() {
            tap.send_all(&answers)?;
        }
        match pinging.map(Pinging::finished).transpose()? {
            Some(Some(echo)) => {
                answered.received = Some(echo.received);
                break;
            }
            None if answered.echo >= served.answers => break,
            Some(None) | None => {}
        }
    }
    Ok(answered)
}

fn judge(lab: &Lab, served: &Served, answered: &Answered) -> Result<()> {
    let wanted = served.answers;
    let held = answered.echo >= wanted;
    lab.expect(
        "the component answers echo requests",
        held,
        format!("{} of {wanted}", answered.echo),
    )?;
    if !served.ask {
        return Ok(());
    }
    let received = answered.received.unwrap_or(0);
    let detail = format!("{received} of {wanted}");
    lab.expect("the neighbour receives the answers", received >= wanted, detail)
}

/// What is wrong with parameters that are each well-formed.
fn faults(served: &Served) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (name, prefix) in [("address", served.address), ("neighbour", served.neighbour)] {
        if prefix.addr().is_ipv6() {
            faults.push(Fault::new(name, format!("`{prefix}` is not an IPv4 address")));
        }
    }
    if !served.address.contains(&served.neighbour.addr()) {
        let message =
            format!("`{}` is not in the network of `{}`", served.neighbour, served.address);
        faults.push(Fault::new("neighbour", message));
    }
    // RFC 791 and 792: 20 and 8 bytes of headers, and the requests are not to be fragmented.
    if served.size + 28 > served.mtu {
        let message =
            format!("{} bytes and 28 of headers don't fit into {}", served.size, served.mtu);
        faults.push(Fault::new("size", message));
    }
    faults
}

#[cfg(test)]
mod tests;
