//! Checks that send something and wait for an answer, or for none.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::asker::Asker;
use super::seen::{Cause, Miss, Said, Seen};
use super::settle::{Settled, settled, still};
use super::why::{Way, is_own, is_shared, nobody, sent_from, way, why, without_carrier};
use crate::change::{MacAddress, Name, NamespaceRef};
use crate::kernel::Error;
use crate::probe::{self, check_destination};
use crate::scenario::{ArpCheck, Because, Expect, ExpectTcp, PingCheck, TcpCheck};

/// For an answer from a neighbour.
const REPLY: Duration = Duration::from_secs(1);

/// How a check that wants silence is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// until when the network may take to settle
    pub(super) until: Instant,
    /// the network has settled already, for who waited for that before
    pub(super) settled: Option<Settled>,
}

impl Patience {
    pub(super) fn until(until: Instant) -> Self {
        Self { until, settled: None }
    }

    async fn settled(self, asker: &Asker<'_>) -> Result<Settled, Miss> {
        match self.settled {
            Some(settled) => Ok(settled),
            None => settled(asker, self.until).await,
        }
    }
}

/// Where a probe goes.
struct Target {
    namespace: NamespaceRef,
    descriptor: Arc<OwnedFd>,
    destination: IpAddr,
    own: bool,
    shared: bool,
}

impl Target {
    /// The question must be one that the network can answer.
    async fn find(
        from: &Option<Name>,
        destination: IpAddr,
        asker: &Asker<'_>,
    ) -> Result<Self, Miss> {
        let descriptor = asker.inside(from).await?;
        check_destination(destination, false).map_err(Miss::wrong)?;
        Self::looked_up(from, destination, descriptor, asker).await
    }

    async fn looked_up(
        from: &Option<Name>,
        destination: IpAddr,
        descriptor: Arc<OwnedFd>,
        asker: &Asker<'_>,
    ) -> Result<Self, Miss> {
        let namespace = NamespaceRef::named(from.clone());
        let way: Way = way(&namespace, destination, asker).await?;
        let own = is_own(&namespace, destination, &way, asker).await?;
        let shared = is_shared(destination, &way);
        Ok(Self { namespace, descriptor, destination, own, shared })
    }

    /// Nobody else can be asked for an address that the namespace has itself.
    fn of_others(&self) -> Result<(), Miss> {
        if self.own {
            let place = match &self.namespace.name {
                Some(name) => format!("namespace `{name}`"),
                None => "the root namespace".to_owned(),
            };
            return Err(Miss::never(format!(
                "{} is an address of {place} itself",
                self.destination
            )));
        }
        Ok(())
    }

    /// Behind an answer's text.
    fn over(&self) -> &'static str {
        if self.own { ", over `lo`: the namespace has the address itself" } else { "" }
    }
}

pub(super) async fn ping(check: &PingCheck, patience: Patience, asker: &Asker<'_>) -> Seen {
    let target = Target::find(&check.from, check.to, asker).await?;
    let settled = match check.expect {
        Expect::Reply => None,
        Expect::Unreachable => {
            target.of_others()?;
            Some(patience.settled(asker).await?)
        }
    };
    let options = probe::Options {
        count: check.count,
        interval: Duration::from_millis(100),
        timeout: REPLY,
        anybody: target.shared,
        ..probe::Options::default()
    };
    let (echo, told) = {
        let _room = asker.probes.acquire().await;
        let answer = probe::ping_and_why(&target.descriptor, check.to, &options).await;
        answer.map_err(of_probe)?
    };
    let answered = format!("{} of {} answered", echo.received, echo.sent);
    if let Some(settled) = settled {
        if echo.received > 0 {
            return Err(Miss::yet(answered + target.over()));
        }
        still(settled, asker).await?;
        let said = why(&target.namespace, check.to, told, asker).await?;
        return silent(said, &answered, check.because);
    }
    if echo.received == echo.sent && echo.sent > 0 {
        let time = echo.average.as_secs_f64() * 1000.0;
        return Ok(format!("{time:.3} ms{}", target.over()).into());
    }
    if echo.received > 0 {
        return Err(Miss::yet(answered + target.over()));
    }
    Err(unanswered(&answered, why(&target.namespace, check.to, told, asker).await?))
}

/// A probe's own error: what can't be asked never can, and not everything that fails is silence.
fn of_probe(error: Error) -> Miss {
    match error {
        Error::Invalid(_) | Error::Missing(_) => Miss::wrong(error),
        Error::Denied(_)
        | Error::Kernel(_)
        | Error::Gone(_)
        | Error::Timeout(_)
        | Error::Limit(_)
        | Error::Halted(_)
        | Error::Unsupported(_) => error.into(),
    }
}

/// `0 of 1 answered: no route to 10.0.0.1`
fn unanswered(answered: &str, said: Said) -> Miss {
    Miss::Yet(Said { text: format!("{answered}: {}", said.text), ..said })
}

/// Nothing answered, as it should be, if the reason is the one that was asked for.
fn silent(said: Said, answered: &str, because: Option<Because>) -> Seen {
    let reasons = said.cause.map(Cause::because).unwrap_or_default();
    if reasons.is_empty() {
        return Err(unanswered(answered, said));
    }
    match because {
        Some(because) if !reasons.contains(&because) => {
            let text = format!("{answered}, but not because of {}: {}", because.word(), said.text);
            Err(Miss::Yet(Said { text, ..said }))
        }
        Some(_) | None => {
            let word = because.or(reasons.first().copied()).map_or("", Because::word);
            Ok(Said { text: format!("{word}: {}", said.text), ..said })
        }
    }
}

pub(super) async fn tcp(check: &TcpCheck, patience: Patience, asker: &Asker<'_>) -> Seen {
    let target = Target::find(&check.from, check.to, asker).await?;
    if target.shared {
        return Err(Miss::never(format!("{} is no single station's address", check.to)));
    }
    let settled = match check.expect {
        ExpectTcp::Open | ExpectTcp::Refused => None,
        ExpectTcp::Unreachable => {
            target.of_others()?;
            Some(patience.settled(asker).await?)
        }
    };
    let answer = {
        let _room = asker.probes.acquire().await;
        let address = SocketAddr::new(check.to, check.port);
        probe::connects(&target.descriptor, address, REPLY).await
    };
    let over = target.over().trim_start_matches(", ");
    let (error, told) = match (answer, check.expect) {
        (Ok(_), ExpectTcp::Open) => return Ok(over.to_owned().into()),
        (Ok(_), ExpectTcp::Refused | ExpectTcp::Unreachable) => {
            return Err(Miss::yet("it connects".to_owned() + target.over()));
        }
        (Err((error, told)), _) => (error, told),
    };
    let errno = match &error {
        Error::Kernel(error) => error.errno,
        Error::Timeout(_) => libc::ETIMEDOUT,
        Error::Denied(_)
        | Error::Gone(_)
        | Error::Invalid(_)
        | Error::Missing(_)
        | Error::Limit(_)
        | Error::Halted(_)
        | Error::Unsupported(_) => return Err(of_probe(error)),
    };
    match (errno, check.expect) {
        (libc::ECONNREFUSED, ExpectTcp::Refused) => return Ok(over.to_owned().into()),
        // An answer, though not the one that was wanted.
        (libc::ECONNREFUSED | libc::ECONNRESET | libc::ECONNABORTED, _) => {
            return Err(Miss::yet(error.to_string() + target.over()));
        }
        _ if !is_silence(errno) => return Err(error.into()),
        _ => {}
    }
    if let Some(settled) = settled {
        still(settled, asker).await?;
    }
    let told = told.or((errno != libc::ETIMEDOUT).then_some(probe::Told::Kernel(errno)));
    let said = why(&target.namespace, check.to, told, asker).await?;
    match check.expect {
        ExpectTcp::Unreachable => silent(said, "not answered", check.because),
        ExpectTcp::Open | ExpectTcp::Refused => Err(unanswered("not answered", said)),
    }
}

/// What connect(2) says where nobody answers: the network's errors, tcp(7) and ip(7), and no
/// others, such as a lack of descriptors or of a right.
fn is_silence(errno: i32) -> bool {
    matches!(
        errno,
        libc::ETIMEDOUT
            | libc::ENETUNREACH
            | libc::EHOSTUNREACH
            | libc::EACCES
            | libc::EPERM
            | libc::EINVAL
            | libc::ENETDOWN
            | libc::EHOSTDOWN
            | libc::EADDRNOTAVAIL
            | libc::ENOPROTOOPT
            | libc::EPROTO
            | libc::EOPNOTSUPP
            | libc::ENONET
            | libc::EMSGSIZE
    )
}

pub(super) async fn arp(check: &ArpCheck, patience: Patience, asker: &Asker<'_>) -> Seen {
    let descriptor = asker.inside(&check.from).await?;
    let to = IpAddr::from(check.to);
    check_destination(to, true).map_err(Miss::wrong)?;
    let target = Target::looked_up(&check.from, to, descriptor, asker).await?;
    if target.shared {
        return Err(Miss::never(format!("{to} is no single station's address")));
    }
    target.of_others()?;
    let link = asker.look_at(&target.namespace, check.link.as_str()).await?;
    let settled = match check.expect {
        Expect::Reply => None,
        Expect::Unreachable => Some(patience.settled(asker).await?),
    };
    let stations = {
        let _room = asker.probes.acquire().await;
        probe::arp(&target.descriptor, check.link.as_str(), to, REPLY).await
    };
    let stations = match stations {
        Ok(stations) => stations,
        // A link that is down sends nothing, and nobody answers.
        Err(Error::Kernel(error)) if [libc::ENETDOWN, libc::ENOBUFS].contains(&error.errno) => {
            Vec::new()
        }
        Err(error) => return Err(of_probe(error)),
    };
    if !stations.is_empty() {
        return answered(check, &stations);
    }
    if let Some(settled) = settled {
        still(settled, asker).await?;
    }
    let said = if link.up && link.carrier {
        let from = sent_from(Some(&link), None);
        Said { text: nobody(to) + &from, cause: Some(Cause::NoNeighbour), by_router: false }
    } else {
        without_carrier(&link)
    };
    match check.expect {
        Expect::Unreachable => silent(said, "not answered", check.because),
        Expect::Reply => Err(unanswered("not answered", said)),
    }
}

fn answered(check: &ArpCheck, stations: &[MacAddress]) -> Seen {
    let shown: Vec<String> = stations.iter().map(ToString::to_string).collect();
    let shown = shown.join(", ");
    match (check.expect, check.mac) {
        (Expect::Reply, None) => Ok(shown.into()),
        (Expect::Reply, Some(mac)) if stations == [mac] => Ok(shown.into()),
        (Expect::Reply, Some(mac)) if stations.contains(&mac) => {
            Err(Miss::yet(format!("answered by {shown}, not by {mac} alone")))
        }
        (Expect::Reply, Some(_)) | (Expect::Unreachable, _) => {
            Err(Miss::yet(format!("answered by {shown}")))
        }
    }
}

/// The settled network that a probe which wants silence is made in; none for others.
pub(super) async fn settled_for(
    probe: &crate::scenario::Check,
    patience: Patience,
    asker: &Asker<'_>,
) -> Result<Patience, Miss> {
    if !super::wants_silence(probe) {
        return Ok(patience);
    }
    Ok(Patience { settled: Some(settled(asker, patience.until).await?), ..patience })
}
