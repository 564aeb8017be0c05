//! Waiting until something holds in a namespace.

use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

use netlink_packet_route::link::{LinkFlags, LinkMessage};
use rtnetlink::MulticastGroup;
use tokio::time::{Instant, sleep, timeout_at};

use super::ping::{MOST_REQUESTS, Options, answers};
use super::socket::{check_destination, check_link_name, late};
use super::watch::Watch;
use crate::kernel::Error;

/// Between echo requests while an answer is waited for.
const REQUESTS: Duration = Duration::from_millis(200);
/// How long an unanswered echo request counts as silence.
const SILENCE: Duration = Duration::from_millis(500);
/// After an answer, while silence is waited for.
const PAUSE: Duration = Duration::from_millis(100);

/// What can be waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// the link is there, up, and its carrier too; the kernel sends on it
    LinkCarrier(String),
    /// the link is there without a carrier, or down
    LinkNoCarrier(String),
    LinkGone(String),
    /// the address has left duplicate address detection
    AddressReady {
        link: String,
        address: IpAddr,
    },
    /// packets to the address would go somewhere
    RouteTo(IpAddr),
    /// the address's station on the link is known
    Neighbour {
        link: String,
        address: IpAddr,
    },
    /// answers an echo request
    Answers(IpAddr),
    /// leaves an echo request unanswered for half a second
    Silent(IpAddr),
}

/// Milliseconds until it held. What the kernel can be asked for is looked at once at least, even
/// with no time at all, and again whenever the kernel says that something changed.
///
/// # Errors
/// Timeout where it didn't hold in time; Invalid for a name or address that can't be; Kernel where
/// sockets are refused.
pub async fn wait_until(
    namespace: &OwnedFd,
    condition: &Condition,
    timeout: Duration,
) -> Result<u64, Error> {
    let started = Instant::now();
    let deadline = started + timeout;
    let question = match condition {
        Condition::LinkCarrier(link) => Question::Link(link, has_carrier),
        Condition::LinkNoCarrier(link) => Question::Link(link, has_no_carrier),
        Condition::LinkGone(link) => Question::Link(link, is_gone),
        Condition::AddressReady { link, address } => Question::Address(link, *address),
        Condition::RouteTo(address) => Question::Route(*address),
        Condition::Neighbour { link, address } => Question::Neighbour(link, *address),
        Condition::Answers(address) => Question::Answers(*address),
        Condition::Silent(address) => Question::Silent(*address),
    };
    question.check()?;
    let held = match question {
        Question::Answers(address) => {
            timeout_at(deadline, answers_soon(namespace, address, timeout)).await
        }
        Question::Silent(address) => timeout_at(deadline, falls_silent(namespace, address)).await,
        Question::Link(..)
        | Question::Address(..)
        | Question::Route(_)
        | Question::Neighbour(..) => {
            let mut watch = Watch::open(namespace, question.groups(), &question.operation())?;
            if question.holds(&mut watch).await? {
                Ok(Ok(true))
            } else {
                timeout_at(deadline, becomes_true(&mut watch, &question)).await
            }
        }
    };
    match held {
        Ok(Ok(true)) => Ok(u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX)),
        Ok(Err(error)) => Err(error),
        Ok(Ok(false)) | Err(_) => Err(late(timeout)),
    }
}

/// A condition as it is asked.
enum Question<'a> {
    Link(&'a str, fn(Option<&LinkMessage>) -> bool),
    Address(&'a str, IpAddr),
    Route(IpAddr),
    Neighbour(&'a str, IpAddr),
    Answers(IpAddr),
    Silent(IpAddr),
}

impl Question<'_> {
    fn check(&self) -> Result<(), Error> {
        match self {
            Self::Link(link, _) => check_link_name(link),
            Self::Address(link, address) | Self::Neighbour(link, address) => {
                check_link_name(link)?;
                check_destination(*address, true)
            }
            Self::Route(address) => check_destination(*address, true),
            Self::Answers(address) | Self::Silent(address) => check_destination(*address, false),
        }
    }

    /// Where the kernel tells of changes that may answer it.
    fn groups(&self) -> &'static [MulticastGroup] {
        use MulticastGroup::{
            Ipv4Ifaddr, Ipv4Route, Ipv4Rule, Ipv6Ifaddr, Ipv6Route, Ipv6Rule, Link, Neigh,
        };
        match self {
            Self::Link(..) => &[Link],
            Self::Address(..) => &[Link, Ipv4Ifaddr, Ipv6Ifaddr],
            Self::Route(_) => {
                &[Link, Ipv4Ifaddr, Ipv6Ifaddr, Ipv4Route, Ipv6Route, Ipv4Rule, Ipv6Rule]
            }
            Self::Neighbour(..) => &[Link, Neigh],
            Self::Answers(_) | Self::Silent(_) => &[],
        }
    }

    /// As ip(8) would look.
    fn operation(&self) -> String {
        match self {
            Self::Link(link, _) => format!("link show dev {link}"),
            Self::Address(link, address) => format!("address show dev {link} to {address}"),
            Self::Route(address) => format!("route get {address}"),
            Self::Neighbour(link, address) => format!("neighbour show dev {link} to {address}"),
            Self::Answers(address) | Self::Silent(address) => format!("ping {address}"),
        }
    }

    async fn holds(&self, watch: &mut Watch) -> Result<bool, Error> {
        match self {
            Self::Link(link, is_so) => Ok(is_so(watch.link(link).await?.as_ref())),
            Self::Address(link, address) => watch.has_address(link, *address).await,
            Self::Route(address) => watch.has_route(*address).await,
            Self::Neighbour(link, address) => watch.has_neighbour(link, *address).await,
            // Asked of the network, not of the kernel.
            Self::Answers(_) | Self::Silent(_) => Ok(false),
        }
    }
}

async fn becomes_true(watch: &mut Watch, question: &Question<'_>) -> Result<bool, Error> {
    loop {
        watch.change().await;
        if question.holds(watch).await? {
            return Ok(true);
        }
    }
}

async fn answers_soon(
    namespace: &OwnedFd,
    address: IpAddr,
    timeout: Duration,
) -> Result<bool, Error> {
    let requests = timeout.as_millis() / REQUESTS.as_millis() + 1;
    let options = Options {
        count: u32::try_from(requests).unwrap_or(MOST_REQUESTS).min(MOST_REQUESTS),
        interval: REQUESTS,
        timeout,
        ..Options::default()
    };
    answers(namespace, address, &options).await
}

async fn falls_silent(namespace: &OwnedFd, address: IpAddr) -> Result<bool, Error> {
    let options = Options { timeout: SILENCE, ..Options::default() };
    while answers(namespace, address, &options).await? {
        sleep(PAUSE).await;
    }
    Ok(true)
}

/// Up, carried, and past what the kernel does before it sends on a link (RFC 2863, operational
/// state up): a frame sent before is lost.
fn has_carrier(link: Option<&LinkMessage>) -> bool {
    link.is_some_and(|link| link.header.flags.contains(LinkFlags::Running | LinkFlags::LowerUp))
}

fn has_no_carrier(link: Option<&LinkMessage>) -> bool {
    link.is_some_and(|link| !link.header.flags.contains(LinkFlags::LowerUp))
}

fn is_gone(link: Option<&LinkMessage>) -> bool {
    link.is_none()
}
