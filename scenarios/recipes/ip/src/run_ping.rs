//! Carries out `ping`: with a deadline until so many are answered, else so many are sent.

use netwright_sdk::host::namespaces::Namespace;
use netwright_sdk::host::probes::{self, Pinging};
use netwright_sdk::wit::probes::{Echo, PingOptions};
use netwright_sdk::{Error, Result};

use crate::inet::text_of;
use crate::ping::Ping;
use crate::run_shell::sleep;

/// `counts`: no reply is a failed check.
pub(crate) fn run_ping(namespace: &Namespace, ping: &Ping, text: &str, counts: bool) -> Result<()> {
    let echo = match ping.deadline_ms {
        Some(deadline) => until(namespace, ping, deadline)?,
        None => probes::ping(namespace, ping.destination, &ping.options)?,
    };
    // Before its deadline ping(8) is content with no less than it was told to count.
    let wanted = ping.answered.unwrap_or(1);
    let answered = echo.received >= wanted;
    let lost = echo.sent.saturating_sub(echo.received);
    let percent = (u64::from(lost) * 100).checked_div(echo.sent.into()).unwrap_or(0);
    let mut detail = format!(
        "{} packets transmitted, {} received, {percent}% packet loss",
        echo.sent, echo.received
    );
    if echo.received > 0 {
        let times = [echo.minimum_us, echo.average_us, echo.maximum_us].map(milliseconds);
        detail = format!("{detail}, rtt min/avg/max = {} ms", times.join("/"));
    }
    // Where the script has an answer to it, no reply is no failed check.
    if answered || counts {
        netwright_sdk::report::check(text, answered, &detail);
    }
    if answered {
        return Ok(());
    }
    let no = if echo.received > 0 { "too few replies" } else { "no reply" };
    Err(Error::unmet(format!("{no} from {}: {detail}", text_of(&ping.destination))))
}

fn milliseconds(microseconds: u32) -> String {
    format!("{}.{:03}", microseconds / 1000, microseconds % 1000)
}

/// More than these don't wait for their reply at once; the host has room for few handles.
const MOST_WAITING: usize = 32;
/// How often is looked whether there is a reply: soon after a request, then less often.
const LOOKS_MS: [u32; 5] = [2, 5, 10, 20, 50];
const LOOK_MS: u32 = 100;

/// Sends at the interval until as many are answered as are counted, or the time is over.
fn until(namespace: &Namespace, ping: &Ping, deadline: u32) -> Result<Echo> {
    let mut tally = Tally::default();
    let mut waiting: Vec<Pinging> = Vec::new();
    let interval = ping.options.interval_ms.max(1);
    let enough = |tally: &Tally| ping.answered.is_some_and(|enough| tally.received >= enough);
    let mut passed = 0;
    while passed < deadline {
        let timeout_ms = ping.options.timeout_ms.min(deadline - passed);
        let one = PingOptions { count: 1, timeout_ms, ..ping.options.clone() };
        waiting.truncate(MOST_WAITING);
        waiting.insert(0, Pinging::start(namespace, ping.destination, &one)?);
        tally.sent += 1;
        let next = deadline.min(passed.saturating_add(interval));
        let mut looks = LOOKS_MS.into_iter();
        while passed < next {
            let step = looks.next().unwrap_or(LOOK_MS).min(next - passed);
            sleep(namespace, step)?;
            passed += step;
            tally.collect(&mut waiting)?;
            if enough(&tally) {
                return Ok(tally.echo());
            }
        }
    }
    Ok(tally.echo())
}

#[derive(Default)]
struct Tally {
    sent: u32,
    received: u32,
    least: Option<u32>,
    most: u32,
    sum: u64,
}

impl Tally {
    /// Takes out the requests that are over.
    fn collect(&mut self, waiting: &mut Vec<Pinging>) -> Result<()> {
        let mut left = Vec::new();
        for one in waiting.drain(..) {
            match one.finished()? {
                None => left.push(one),
                Some(echo) if echo.received > 0 => self.add(&echo),
                Some(_) => {}
            }
        }
        *waiting = left;
        Ok(())
    }

    fn add(&mut self, echo: &Echo) {
        self.received += 1;
        self.least = Some(self.least.unwrap_or(u32::MAX).min(echo.minimum_us));
        self.most = self.most.max(echo.maximum_us);
        self.sum += u64::from(echo.average_us);
    }

    fn echo(&self) -> Echo {
        let average = self.sum.checked_div(self.received.into()).unwrap_or(0);
        Echo {
            sent: self.sent,
            received: self.received,
            minimum_us: self.least.unwrap_or(0),
            average_us: u32::try_from(average).unwrap_or(u32::MAX),
            maximum_us: self.most,
        }
    }
}
