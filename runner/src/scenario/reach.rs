//! What checks and captures do in the machine's own namespace, for the policy of the host.

use std::net::IpAddr;

use super::{Capture, Check};
use crate::change::Name;
use crate::policy::Reach;

/// All that checks and captures reach, each once.
pub fn reaches<'a>(
    checks: impl IntoIterator<Item = &'a Check>,
    captures: &[Capture],
) -> Vec<Reach> {
    let watched = captures.iter().filter(|capture| capture.namespace.is_none());
    let watched = watched.map(|capture| Reach { to: None, link: Some(capture.link.to_string()) });
    let mut all: Vec<Reach> = Vec::new();
    for reach in watched.chain(checks.into_iter().flat_map(of_check)) {
        if !all.contains(&reach) {
            all.push(reach);
        }
    }
    all
}

fn of_check(check: &Check) -> Vec<Reach> {
    let from = |namespace: &Option<Name>, to: Option<IpAddr>, link: Option<&Name>| {
        let link = link.map(ToString::to_string);
        namespace.is_none().then_some(Reach { to, link }).into_iter().collect()
    };
    match check {
        Check::Ping(check) => from(&check.from, Some(check.to), None),
        Check::Tcp(check) => from(&check.from, Some(check.to), None),
        Check::Arp(check) => from(&check.from, Some(check.to.into()), Some(&check.link)),
        Check::Frames(check) => {
            let mut all: Vec<Reach> = from(&check.namespace, None, Some(&check.link));
            all.extend(check.during.iter().flat_map(of_check));
            all
        }
        // They read, and need the rights to that.
        Check::Link(_)
        | Check::Address(_)
        | Check::Route(_)
        | Check::Neighbour(_)
        | Check::Sysctl(_) => Vec::new(),
    }
}
