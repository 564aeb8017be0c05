//! What a link does to the packets that it sends: delay, loss, a limited rate. tc(8).

use crate::host;
use crate::pending::Pending;
use crate::units::{IntoPercent, IntoRate, IntoSize, IntoTime};
use crate::wit::links::Other;
use crate::wit::qdisc::{
    Backlog, Chance, Distribution, Kind as Discipline, Netem, Qdisc, Reorder, Tbf,
};
use crate::wit::types::Write;
use crate::{AnyLink, Link, Result};

/// A network with faults on a link, in the direction of what it sends. As
/// `tc qdisc … root netem`.
///
/// ```
/// use netwright_sdk::prelude::*;
/// use netwright_sdk::testing::MemoryHost;
///
/// # fn main() -> Result<()> {
/// let host = MemoryHost::new();
/// let lab = Lab::open()?;
/// let link = lab.veth("eth0").peer("eth1").create()?;
/// link.netem().delay("100ms").jitter("5ms").loss("1%").set()?;
/// link.netem().loss("2%").change()?;
/// link.clear_qdisc()?;
/// assert_eq!(host.changes()[1..], [
///     "qdisc replace dev eth0 root netem delay 100ms 5ms loss 1%",
///     "qdisc change dev eth0 root netem loss 2%",
///     "qdisc delete dev eth0 root",
/// ]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing is delayed before `set`"]
pub struct NetemBuilder<L> {
    link: L,
    netem: Pending<Netem>,
    handle: Option<u16>,
}

/// Nothing said.
const NO_FAULTS: Netem = Netem {
    delay: None,
    jitter: None,
    delay_correlation: None,
    distribution: None,
    loss: None,
    duplicate: None,
    corrupt: None,
    reorder: None,
    rate: None,
    limit: None,
};

impl<L> NetemBuilder<L> {
    pub(crate) fn new(link: L) -> Self {
        Self { link, netem: Pending::new(Ok(NO_FAULTS)), handle: None }
    }

    /// How long each packet waits: `"100ms"`. As `delay TIME`.
    pub fn delay(mut self, time: impl IntoTime) -> Self {
        self.netem.put(time.into_time(), |netem, time| netem.delay = Some(time));
        self
    }

    /// How much more or less than that. As the second word of `delay TIME JITTER`.
    pub fn jitter(mut self, time: impl IntoTime) -> Self {
        self.netem.put(time.into_time(), |netem, time| netem.jitter = Some(time));
        self
    }

    /// How much of a packet's jitter is in that of the next: `"25%"`. As the third word of
    /// `delay TIME JITTER CORRELATION`.
    pub fn delay_correlation(mut self, percent: impl IntoPercent) -> Self {
        let percent = percent.into_percent();
        self.netem.put(percent, |netem, percent| netem.delay_correlation = Some(percent));
        self
    }

    /// How the jitter lies around the delay. As `distribution NAME`.
    pub fn distribution(mut self, table: Distribution) -> Self {
        self.netem.set(|netem| netem.distribution = Some(table));
        self
    }

    /// The chance of a packet to be lost: `"1%"`. As `loss PERCENT`.
    pub fn loss(mut self, chance: impl IntoChance) -> Self {
        self.netem.put(chance.into_chance(), |netem, chance| netem.loss = Some(chance));
        self
    }

    /// The chance to be sent twice. As `duplicate PERCENT`.
    pub fn duplicate(mut self, chance: impl IntoChance) -> Self {
        self.netem.put(chance.into_chance(), |netem, chance| netem.duplicate = Some(chance));
        self
    }

    /// The chance of one wrong bit. As `corrupt PERCENT`.
    pub fn corrupt(mut self, chance: impl IntoChance) -> Self {
        self.netem.put(chance.into_chance(), |netem, chance| netem.corrupt = Some(chance));
        self
    }

    /// The chance to be sent at once, before those that wait. As `reorder PERCENT`.
    pub fn reorder(self, chance: impl IntoChance) -> Self {
        self.reorder_each(1, chance)
    }

    /// The same for each so-manieth packet only. As `reorder PERCENT gap DISTANCE`.
    pub fn reorder_each(mut self, gap: u32, chance: impl IntoChance) -> Self {
        let chance = chance.into_chance();
        self.netem.put(chance, |netem, chance| netem.reorder = Some(Reorder { chance, gap }));
        self
    }

    /// As if the wire were so slow: `"1mbit"`. As `rate RATE`.
    pub fn rate(mut self, rate: impl IntoRate) -> Self {
        self.netem.put(rate.into_rate(), |netem, rate| netem.rate = Some(rate));
        self
    }

    /// How many packets may wait; 1000 where nothing is said. As `limit PACKETS`.
    pub fn limit(mut self, packets: u32) -> Self {
        self.netem.set(|netem| netem.limit = Some(packets));
        self
    }

    /// The discipline's number. As `handle MAJOR:`.
    pub fn handle(mut self, major: u16) -> Self {
        self.handle = Some(major);
        self
    }
}

impl<L: AnyLink> NetemBuilder<L> {
    fn finish(self) -> Result<(L, Qdisc)> {
        let discipline = Discipline::Netem(self.netem.finish()?);
        Ok((self.link, Qdisc { handle: self.handle, kind: discipline }))
    }

    fn put(self, how: Write) -> Result<()> {
        let (link, qdisc) = self.finish()?;
        link.put_qdisc(&qdisc, how)
    }

    /// Just this, whatever was there. As `tc qdisc replace`.
    pub fn set(self) -> Result<()> {
        self.put(Write::Replace)
    }

    /// An error if there is a discipline already. As `tc qdisc add`.
    pub fn add(self) -> Result<()> {
        self.put(Write::Add)
    }

    /// Alters what is said, and keeps the rest. As `tc qdisc change`.
    pub fn change(self) -> Result<()> {
        self.put(Write::Change)
    }
}

impl NetemBuilder<Link> {
    /// The link does so afterwards; where it does already, nothing is changed. As
    /// `tc qdisc replace`, but what isn't said stays as it is.
    pub fn ensure(self) -> Result<()> {
        let (link, qdisc) = self.finish()?;
        link.ensure_discipline(&qdisc)
    }
}

/// A limited rate, with bursts. As `tc qdisc … root tbf`.
#[derive(Debug, Clone)]
#[must_use = "nothing is limited before `set`"]
pub struct TbfBuilder<L> {
    link: L,
    tbf: Pending<Tbf>,
    handle: Option<u16>,
}

impl<L> TbfBuilder<L> {
    pub(crate) fn new(link: L) -> Self {
        let tbf = Tbf { rate: None, burst: None, backlog: None, peak: None };
        Self { link, tbf: Pending::new(Ok(tbf)), handle: None }
    }

    /// The rate in the long run: `"1mbit"`. As `rate RATE`.
    pub fn rate(mut self, rate: impl IntoRate) -> Self {
        self.tbf.put(rate.into_rate(), |tbf, rate| tbf.rate = Some(rate));
        self
    }

    /// What may be sent at once: `"32kb"`; at least the largest packet. As `burst BYTES`.
    pub fn burst(mut self, size: impl IntoSize) -> Self {
        self.tbf.put(size.into_size(), |tbf, size| tbf.burst = Some(size));
        self
    }

    /// How long a packet may wait before the next are dropped: `"50ms"`. As `latency TIME`.
    pub fn latency(mut self, time: impl IntoTime) -> Self {
        self.tbf.put(time.into_time(), |tbf, time| tbf.backlog = Some(Backlog::Latency(time)));
        self
    }

    /// How many bytes may wait, instead. As `limit BYTES`.
    pub fn limit(mut self, size: impl IntoSize) -> Self {
        self.tbf.put(size.into_size(), |tbf, size| tbf.backlog = Some(Backlog::Limit(size)));
        self
    }

    /// The rate within a burst, and the bytes of the largest packet. As
    /// `peakrate RATE mtu BYTES`.
    pub fn peak(mut self, rate: impl IntoRate, mtu: impl IntoSize) -> Self {
        let both = rate.into_rate().and_then(|rate| Ok((rate, mtu.into_size()?)));
        self.tbf.put(both, |tbf, both| tbf.peak = Some(both));
        self
    }

    /// The discipline's number. As `handle MAJOR:`.
    pub fn handle(mut self, major: u16) -> Self {
        self.handle = Some(major);
        self
    }
}

impl<L: AnyLink> TbfBuilder<L> {
    fn finish(self) -> Result<(L, Qdisc)> {
        let discipline = Discipline::Tbf(self.tbf.finish()?);
        Ok((self.link, Qdisc { handle: self.handle, kind: discipline }))
    }

    fn put(self, how: Write) -> Result<()> {
        let (link, qdisc) = self.finish()?;
        link.put_qdisc(&qdisc, how)
    }

    /// Just this, whatever was there. As `tc qdisc replace`.
    pub fn set(self) -> Result<()> {
        self.put(Write::Replace)
    }

    /// An error if there is a discipline already. As `tc qdisc add`.
    pub fn add(self) -> Result<()> {
        self.put(Write::Add)
    }

    /// Alters what is said, and keeps the rest. As `tc qdisc change`.
    pub fn change(self) -> Result<()> {
        self.put(Write::Change)
    }
}

impl TbfBuilder<Link> {
    /// The link does so afterwards; where it does already, nothing is changed. As
    /// `tc qdisc replace`, but what isn't said stays as it is.
    pub fn ensure(self) -> Result<()> {
        let (link, qdisc) = self.finish()?;
        link.ensure_discipline(&qdisc)
    }
}

impl Link {
    /// The root discipline: none on a link that was never up and was given none. As
    /// `tc qdisc show dev LINK root`.
    pub fn qdisc(&self) -> Result<Option<Qdisc>> {
        Ok(host::qdisc::get(self.handle())?)
    }

    /// A discipline of any other kind, without options: `"fq_codel"`. As
    /// `tc qdisc replace dev LINK root KIND`.
    pub fn set_qdisc(&self, kind: &str) -> Result<()> {
        let discipline = Discipline::Other(Other { kind: kind.to_owned(), options: Vec::new() });
        self.put_qdisc(&Qdisc { handle: None, kind: discipline }, Write::Replace)
    }
}

/// A chance: `"1%"`, a number from 0 to 100, or with a correlation `("1%", "25%")`.
pub trait IntoChance {
    /// Both in percent.
    fn into_chance(self) -> Result<Chance>;
}

impl<P: IntoPercent> IntoChance for P {
    fn into_chance(self) -> Result<Chance> {
        Ok(Chance { percent: self.into_percent()?, correlation: 0.0 })
    }
}

impl<P: IntoPercent, C: IntoPercent> IntoChance for (P, C) {
    fn into_chance(self) -> Result<Chance> {
        Ok(Chance { percent: self.0.into_percent()?, correlation: self.1.into_percent()? })
    }
}
