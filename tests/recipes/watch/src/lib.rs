//! Captures a cable from before it is plugged in, pings over it, and tells what passed.

use netwright_sdk::prelude::*;

#[derive(Params)]
struct Watch {
    /// Bytes kept of each frame
    #[param(default = 262144)]
    snap_length: u32,
    /// How many captures to start
    #[param(default = 1)]
    captures: u32,
}

/// Two namespaces with a cable, and a capture at one end
#[recipe(name = "watch", version = "0.1.0")]
fn watch(lab: &Lab, watch: Watch) -> Result<()> {
    let (left, right) = (lab.namespace("left")?, lab.namespace("right")?);
    let cable = left
        .veth("eth0")
        .address("10.0.0.1/24")
        .peer((&right, "eth0"))
        .peer_address("10.0.0.2/24")
        .down()
        .create()?;
    let start = |_| cable.capture().snap_length(watch.snap_length).start();
    let captures = (0..watch.captures).map(start).collect::<Result<Vec<_>>>()?;
    cable.up()?;
    left.ping("10.0.0.2").expect_reply()?;
    let Some(capture) = captures.first() else { return Ok(()) };
    let echoes = capture.frames(&FrameFilter::icmp())?;
    lab.check("a request and its reply passed", echoes.len() == 2, format!("{}", echoes.len()));
    let question = capture.first(&FrameFilter::arp().outgoing(), Duration::from_secs(1))?;
    let asked = question.is_some_and(|frame| frame.data.starts_with(&[0xff; 6]));
    lab.check("the question before it went to all", asked, "");
    let answers = capture.frames(&FrameFilter::arp().source("10.0.0.2").incoming())?;
    lab.check("the answer came", !answers.is_empty(), "");
    let lengths = echoes.iter().all(|frame| frame.length == 98);
    let cut = echoes.iter().all(|frame| frame.data.len() as u32 == watch.snap_length.min(98));
    lab.check("frames are as long as they were, and kept as asked", lengths && cut, "");
    lab.metric("frames", capture.counters()?.frames as f64, "frames");
    Ok(())
}
