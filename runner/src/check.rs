//! Asks the kernel whether what a scenario wants holds, again and again until it does or its time
//! is over: links need moments to get their carrier, addresses to leave duplicate detection.

mod frames;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::change::{Answer, Family, LinkInfo, LinkName, LinkRef, Name, NamespaceRef, Query};
use crate::host::Session;
use crate::kernel::Error;
use crate::probe;
use crate::report::Verdict;
use crate::scenario::{
    AddressCheck, ArpCheck, Check, Expect, ExpectTcp, LinkCheck, NeighbourCheck, PingCheck,
    RouteCheck, SysctlCheck, TcpCheck,
};

/// How long a check may take to hold where the scenario doesn't say: carriers are told up to a second
/// late by each device on the way (net/core/link_watch.c), and a busy machine adds to that.
const PATIENCE: Duration = Duration::from_secs(5);
/// For an answer from a neighbour.
const REPLY: Duration = Duration::from_secs(1);
/// Between two attempts.
const PAUSE: Duration = Duration::from_millis(20);

/// What was seen: a detail where it holds, the difference where it does not.
type Seen = Result<String, String>;

/// Evaluates one check and reports its verdict; whether it holds.
pub async fn evaluate(check: &Check, session: &mut Session) -> bool {
    let until = Instant::now() + check.within().unwrap_or(PATIENCE);
    let until = until.min(session.deadline());
    let seen = loop {
        match attempt(check, session).await {
            Err(_) if Instant::now() < until => sleep(PAUSE).await,
            seen => break seen,
        }
    };
    let (verdict, detail) = match seen {
        Ok(detail) => (Verdict::Pass, detail),
        Err(difference) => (Verdict::Fail, difference),
    };
    session.report.check(&check.to_string(), verdict, &detail);
    session.save_capture_of_check();
    verdict == Verdict::Pass
}

async fn attempt(check: &Check, session: &mut Session) -> Seen {
    match check {
        Check::Link(check) => link(check, session),
        Check::Address(check) => address(check, session),
        Check::Ping(check) => ping(check, session).await,
        Check::Route(check) => route(check, session),
        Check::Neighbour(check) => neighbour(check, session),
        Check::Arp(check) => arp(check, session).await,
        Check::Tcp(check) => tcp(check, session).await,
        Check::Sysctl(check) => sysctl(check, session),
        Check::Frames(check) => frames::frames(check, session).await,
    }
}

fn place(namespace: &Option<Name>) -> NamespaceRef {
    NamespaceRef::named(namespace.clone())
}

fn failed(error: Error) -> String {
    error.to_string()
}

/// Whatever the kernel layer says to another question than the one asked.
fn mistaken() -> String {
    "the kernel layer mistook the question".to_owned()
}

fn link(check: &LinkCheck, session: &mut Session) -> Seen {
    let link =
        LinkRef { namespace: place(&check.namespace), name: check.name.to_string(), index: None };
    match (session.query(Query::Link { link }), check.exists) {
        (Ok(Answer::Links(found)), true) => {
            let [info] = found.as_slice() else { return Err(mistaken()) };
            let differences = differences(check, info);
            if differences.is_empty() { Ok(String::new()) } else { Err(differences.join("; ")) }
        }
        (Ok(_), false) => Err("it exists".to_owned()),
        (Ok(_), true) => Err(mistaken()),
        (Err(_), false) => Ok(String::new()),
        (Err(error), true) => Err(failed(error)),
    }
}

/// `mode is vepa, not bridge`, for each that differs.
fn differences(check: &LinkCheck, info: &LinkInfo) -> Vec<String> {
    fn differs<T: PartialEq>(
        what: &str,
        wanted: Option<&T>,
        found: &T,
        show: impl Fn(&T) -> String,
    ) -> Option<String> {
        let wanted = wanted.filter(|wanted| *wanted != found)?;
        Some(format!("{what} is {}, not {}", show(found), show(wanted)))
    }
    let state = |up: &bool| if *up { "up" } else { "down" }.to_owned();
    let carrier = |there: &bool| if *there { "there" } else { "missing" }.to_owned();
    let mode = info.data.iter().find(|each| each.name == "mode").map(|each| each.value.clone());
    let named = |name: &Option<String>| name.clone().unwrap_or_else(|| "none".to_owned());
    let master = check.master.as_ref().map(|name| Some(name.to_string()));
    let mac = check.mac.map(Some);
    let kind = kind_asked_for(check, info);
    [
        differs("kind", check.kind.as_ref(), &kind, String::clone),
        differs("mode", check.mode.clone().map(Some).as_ref(), &mode, named),
        differs("state", check.up.as_ref(), &info.up, state),
        differs("carrier", check.carrier.as_ref(), &info.carrier, carrier),
        differs("mtu", check.mtu.as_ref(), &info.mtu, ToString::to_string),
        differs("mac", mac.as_ref(), &info.mac, |mac| {
            mac.map_or_else(|| "none".to_owned(), |mac| mac.to_string())
        }),
        parent_differs(check, info),
        differs("master", master.as_ref(), &info.master, named),
        differs("promiscuity", check.promiscuity.as_ref(), &info.promiscuity, ToString::to_string),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// To the kernel a tap is a `tun` of another type; a check may call it either.
fn kind_asked_for(check: &LinkCheck, info: &LinkInfo) -> String {
    let kind_of_tun = info.data.iter().find(|each| info.kind == "tun" && each.name == "type");
    match (&check.kind, kind_of_tun) {
        (Some(asked), Some(kind)) if *asked == kind.value => kind.value.clone(),
        (Some(_) | None, Some(_) | None) => info.kind.clone(),
    }
}

/// A parent without a namespace may be in the child's or in the root namespace.
fn parent_differs(check: &LinkCheck, info: &LinkInfo) -> Option<String> {
    let wanted = check.parent.as_ref()?;
    let show = |name: &LinkName| match &name.namespace {
        None => name.name.clone(),
        Some(None) => format!("/{}", name.name),
        Some(Some(namespace)) => format!("{namespace}/{}", name.name),
    };
    let Some(found) = &info.parent else {
        return Some(format!("parent is none, not {}", show(wanted)));
    };
    let resolved = |name: &LinkName| name.namespace.clone().unwrap_or(check.namespace.clone());
    let same_place = match &wanted.namespace {
        Some(_) => resolved(wanted) == resolved(found),
        None => [check.namespace.clone(), None].contains(&resolved(found)),
    };
    let same = same_place && wanted.name == found.name;
    (!same).then(|| format!("parent is {}, not {}", show(found), show(wanted)))
}

fn address(check: &AddressCheck, session: &mut Session) -> Seen {
    let namespace = place(&check.namespace);
    let Answer::Addresses(found) =
        session.query(Query::Addresses { namespace, family: None }).map_err(failed)?
    else {
        return Err(mistaken());
    };
    let on_link: Vec<_> = found.iter().filter(|info| info.link == check.link.as_str()).collect();
    let matching = on_link.iter().find(|info| info.address.prefix == check.is);
    match (matching, check.absent) {
        (Some(info), false) if info.duplicate => {
            Err("another station has the same address".to_owned())
        }
        (Some(info), false) if info.tentative => {
            Err("duplicate address detection is still going on".to_owned())
        }
        (Some(_), false) | (None, true) => Ok(String::new()),
        (Some(_), true) => Err("it has the address".to_owned()),
        (None, false) => {
            let others: Vec<String> =
                on_link.iter().map(|info| info.address.prefix.to_string()).collect();
            match others.is_empty() {
                true => Err("it has none".to_owned()),
                false => Err(format!("it has {}", others.join(", "))),
            }
        }
    }
}

async fn ping(check: &PingCheck, session: &mut Session) -> Seen {
    let namespace = session.checked_descriptor(&place(&check.from)).map_err(failed)?;
    let options = probe::Options {
        count: check.count,
        interval: Duration::from_millis(100),
        timeout: REPLY,
        ..probe::Options::default()
    };
    let echo = probe::ping(&namespace, check.to, &options).await.map_err(failed)?;
    let of = |number: u32| format!("{number} of {} answered", echo.sent);
    match check.expect {
        Expect::Reply if echo.received == echo.sent && echo.sent > 0 => {
            Ok(format!("{:.3} ms", echo.average.as_secs_f64() * 1000.0))
        }
        Expect::Unreachable if echo.received == 0 => Ok(of(0)),
        Expect::Reply | Expect::Unreachable => Err(of(echo.received)),
    }
}

fn route(check: &RouteCheck, session: &mut Session) -> Seen {
    let address = check.destination.map(|prefix| prefix.address).or(check.gateway);
    let families = match address {
        Some(IpAddr::V4(_)) => vec![Family::Ipv4],
        Some(IpAddr::V6(_)) => vec![Family::Ipv6],
        None => vec![Family::Ipv4, Family::Ipv6],
    };
    let mut same_destination = Vec::new();
    for family in families {
        let namespace = place(&check.namespace);
        let Answer::Routes(found) =
            session.query(Query::Routes { namespace, family }).map_err(failed)?
        else {
            return Err(mistaken());
        };
        same_destination.extend(found.into_iter().filter(|route| {
            route.destination == check.destination
                && route.table.unwrap_or(MAIN) == check.table.unwrap_or(MAIN)
        }));
    }
    let matches = |route: &crate::change::Route| {
        let hop =
            |wanted: &dyn Fn(&crate::change::NextHop) -> bool| route.next_hops.iter().any(wanted);
        check.metric.is_none_or(|metric| route.metric.unwrap_or(0) == metric)
            && check.gateway.is_none_or(|gateway| hop(&|hop| hop.gateway == Some(gateway)))
            && check
                .link
                .as_ref()
                .is_none_or(|link| hop(&|hop| hop.link.as_deref() == Some(link.as_str())))
    };
    match (same_destination.iter().any(matches), check.absent) {
        (true, false) | (false, true) => Ok(String::new()),
        (true, true) => Err("it is there".to_owned()),
        (false, false) if same_destination.is_empty() => Err("there is none".to_owned()),
        (false, false) => {
            let others: Vec<_> = same_destination.iter().map(ToString::to_string).collect();
            Err(format!("there is: {}", others.join("; ")))
        }
    }
}

/// RT_TABLE_MAIN, rtnetlink(7).
const MAIN: u32 = 254;

fn neighbour(check: &NeighbourCheck, session: &mut Session) -> Seen {
    let namespace = place(&check.namespace);
    let Answer::Neighbours(found) =
        session.query(Query::Neighbours { namespace, family: None }).map_err(failed)?
    else {
        return Err(mistaken());
    };
    let same_address: Vec<_> = found
        .iter()
        .filter(|(link, neighbour)| {
            neighbour.address == check.address
                && check.link.as_ref().is_none_or(|wanted| wanted.as_str() == link)
        })
        .collect();
    let matching = same_address.iter().any(|(_, neighbour)| {
        check.mac.is_none_or(|mac| neighbour.mac == Some(mac))
            && check.state.is_none_or(|state| neighbour.state == state)
    });
    match (matching, check.absent) {
        (true, false) | (false, true) => Ok(String::new()),
        (true, true) => Err("it is there".to_owned()),
        (false, false) => match same_address.first() {
            None => Err("there is none".to_owned()),
            Some((_, neighbour)) => {
                let mac =
                    neighbour.mac.map_or_else(|| "no address".to_owned(), |mac| mac.to_string());
                Err(format!("it has {mac} and is {:?}", neighbour.state).to_lowercase())
            }
        },
    }
}

async fn arp(check: &ArpCheck, session: &mut Session) -> Seen {
    let namespace = session.checked_descriptor(&place(&check.from)).map_err(failed)?;
    let stations = probe::arp(&namespace, check.link.as_str(), check.to.into(), REPLY)
        .await
        .map_err(failed)?;
    let shown: Vec<String> = stations.iter().map(ToString::to_string).collect();
    let right = match check.mac {
        Some(mac) => stations.contains(&mac),
        None => !stations.is_empty(),
    };
    match (check.expect, right) {
        (Expect::Reply, true) => Ok(shown.join(", ")),
        (Expect::Unreachable, false) => Ok("no answer".to_owned()),
        (Expect::Unreachable, true) => Err(format!("answered by {}", shown.join(", "))),
        (Expect::Reply, false) if stations.is_empty() => Err("no answer".to_owned()),
        (Expect::Reply, false) => Err(format!("answered by {}", shown.join(", "))),
    }
}

async fn tcp(check: &TcpCheck, session: &mut Session) -> Seen {
    let namespace = session.checked_descriptor(&place(&check.from)).map_err(failed)?;
    let answer = probe::tcp(&namespace, SocketAddr::new(check.to, check.port), &[], 0, REPLY).await;
    let found = match &answer {
        Ok(_) => ExpectTcp::Open,
        Err(Error::Kernel(error)) if error.errno == libc::ECONNREFUSED => ExpectTcp::Refused,
        Err(_) => ExpectTcp::Unreachable,
    };
    if found == check.expect {
        return Ok(String::new());
    }
    Err(match answer {
        Ok(_) => "it connects".to_owned(),
        Err(error) => failed(error),
    })
}

fn sysctl(check: &SysctlCheck, session: &mut Session) -> Seen {
    let namespace = place(&check.namespace);
    let key = check.key.clone();
    match session.query(Query::Sysctl { namespace, key }).map_err(failed)? {
        Answer::Text(value) if value.trim() == check.is => Ok(String::new()),
        Answer::Text(value) => Err(format!("it is {}", value.trim())),
        _ => Err(mistaken()),
    }
}
