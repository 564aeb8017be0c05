//! A naive machine, against which tests and fuzzers hold what the policy says of addresses, routes
//! and rules: whatever packet goes elsewhere after a change that was permitted, its addresses were
//! granted, and those of the operator's session and of the loopback never do.

mod draw;
mod fib;

use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use self::draw::Draw;
use self::fib::Sent;
use super::{Connection, HostPolicy, Permitted};
use crate::change::{
    Address, AddressInfo, Answer, Applied, Change, LinkRef, Name, NamespaceRef, Query, Route, Rule,
    Undo,
};
use crate::grant::Grants;
use crate::journal::Claim;
use crate::kernel::mark::Mark;
use crate::kernel::{
    Absent, BatchError, Census, Error, Kernel, Lacking, LinkSight, NamespaceWatcher, Put,
    SpaceSight,
};

/// What the machine's network holds.
#[derive(Debug, Clone, Default)]
struct World {
    /// in the order in which they were put
    routes: Vec<Route>,
    /// in the order in which they are asked
    rules: Vec<Rule>,
    addresses: Vec<(String, Address)>,
}

const PEER: &str = "203.0.113.9";
const OWN: &str = "192.0.2.2";

/// Changes that the bytes tell of, one after the other, under grants that they tell of. How many
/// were permitted.
///
/// # Panics
/// Where one that was permitted sends what was not granted elsewhere.
pub fn run(bytes: &[u8]) -> usize {
    let mut draw = Draw::new(bytes);
    let mut world = draw.world();
    let given = draw.grants();
    let rules = given.iter().map(|text| crate::grant::Rule::grant(text, "test").expect("a grant"));
    let grants = Grants::given(rules.collect(), Vec::new());
    let address = |text: &str| text.parse().expect("an address");
    let operator = vec![Connection { peer: address(PEER), local: address(OWN) }];
    let policy = HostPolicy::new(grants, Mark::of_run(7), operator);
    let mut permitted = 0;
    for _ in 0..8 {
        let Some(change) = draw.change() else { break };
        let Ok(decided) = policy.decide_all(vec![change], &world) else { continue };
        let change = &decided.first().expect("one for one").0;
        let before = world.clone();
        world.apply(change);
        permitted += 1;
        for sent in Sent::all() {
            let (was, is) = (before.fate(&sent), world.fate(&sent));
            let granted = sent.is_granted(change, &given);
            assert!(was == is || granted, "{change}\n{given:?}\n{sent:?}: {was:?}, then {is:?}");
            let kept = was == is || !sent.is_kept() || !sent.arrives(&was);
            assert!(kept, "session: {change}\n{sent:?}: {was:?}, then {is:?}\n{before}");
        }
    }
    permitted
}

impl std::fmt::Display for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.rules.iter().try_for_each(|rule| writeln!(f, "rule {rule}"))?;
        self.routes.iter().try_for_each(|route| writeln!(f, "route {route}"))
    }
}

fn root() -> NamespaceRef {
    NamespaceRef { name: None, cookie: Some(1) }
}

impl World {
    fn info(&self, (link, address): &(String, Address)) -> AddressInfo {
        AddressInfo {
            link: link.clone(),
            address: address.clone(),
            tentative: false,
            duplicate: false,
            dynamic: false,
            temporary: false,
            secondary: false,
            deprecated: false,
        }
    }
}

impl Kernel for World {
    fn apply(&mut self, change: &Permitted<Change>) -> Result<Applied, Error> {
        Absent::default().apply(change)
    }

    fn apply_all(&mut self, changes: &[Permitted<Change>]) -> Result<Vec<Applied>, BatchError> {
        Absent::default().apply_all(changes)
    }

    fn foresee(&self, changes: &[Permitted<Change>]) -> Vec<Undo> {
        Absent::default().foresee(changes)
    }

    fn lacking(&self, change: &Change) -> Result<Lacking, Error> {
        Absent::default().lacking(change)
    }

    fn claims(&self, change: &Permitted<Change>) -> Vec<Claim> {
        Absent::default().claims(change)
    }

    fn revert(&mut self, undo: &Undo) -> Result<(), Error> {
        Absent::default().revert(undo)
    }

    fn query(&self, query: &Permitted<Query>) -> Result<Answer, Error> {
        Ok(match query.get() {
            Query::Routes { family, .. } => {
                let routes = self.routes.iter().filter(|route| route.family == *family);
                Answer::Routes(routes.cloned().collect())
            }
            Query::Rules { family, .. } => {
                let rules = self.rules.iter().filter(|rule| rule.family == *family);
                Answer::Rules(rules.cloned().collect())
            }
            Query::Links { .. } => Answer::Links(Vec::new()),
            Query::Addresses { .. } => {
                Answer::Addresses(self.addresses.iter().map(|one| self.info(one)).collect())
            }
            Query::Lookup { destination, .. } => {
                let found = self.lookup(&Sent::plain(*destination, *destination));
                Answer::Routes(found.cloned().into_iter().collect())
            }
            _ => return Absent::default().query(query),
        })
    }

    fn namespaces(&self) -> Vec<(Name, Arc<OwnedFd>)> {
        Vec::new()
    }

    fn watch_namespaces(&mut self, _: NamespaceWatcher) {}

    fn namespace_descriptor(&self, namespace: &NamespaceRef) -> Result<Arc<OwnedFd>, Error> {
        Absent::default().namespace_descriptor(namespace)
    }

    fn see_space(&self, _: &NamespaceRef) -> Result<SpaceSight, Error> {
        Ok(SpaceSight { reference: root(), own: false })
    }

    /// What carries the mark.
    fn has_put(&self, _: &Put) -> bool {
        true
    }

    fn see_link(&self, link: &LinkRef) -> Result<LinkSight, Error> {
        let index = match link.name.as_str() {
            "lo" => 1,
            "eth0" => 2,
            "eth1" => 3,
            "lab-a" => 4,
            other => return Err(Error::Invalid(format!("no link `{other}`"))),
        };
        Ok(LinkSight {
            reference: LinkRef { namespace: root(), name: link.name.clone(), index: Some(index) },
            in_own_space: false,
            own: index == 4,
            kind: "veth".to_owned(),
            alias: None,
            group: 0,
            loopback: index == 1,
            master: None,
            parent: None,
            below: None,
            vlan: None,
            mtu: None,
            usual_mtu: None,
        })
    }

    fn hands_on(&self, _: &LinkRef) -> Result<bool, Error> {
        Ok(false)
    }

    fn carriers(&self, here: IpAddr, there: IpAddr) -> Result<Vec<LinkRef>, Error> {
        let holders = self.addresses.iter().filter(|(_, held)| held.prefix.address == here);
        let ways = self.ways(here, there)?;
        let hops = ways.iter().flat_map(|route| &route.next_hops);
        let hops = hops.filter_map(|hop| hop.link.clone());
        let names = holders.map(|(link, _)| link.clone()).chain(hops);
        let link = |name| self.see_link(&LinkRef { namespace: root(), name, index: None });
        names.map(|name| link(name).map(|seen| seen.reference)).collect()
    }

    fn ways(&self, from: IpAddr, to: IpAddr) -> Result<Vec<Route>, Error> {
        let mut ways: Vec<Route> = Vec::new();
        for sent in Sent::of_each_service(from, to) {
            ways.extend(self.lookup(&sent).filter(|way| !ways.contains(way)).cloned());
        }
        Ok(ways)
    }

    fn differences(&self, _: &Undo) -> Vec<String> {
        Vec::new()
    }

    fn census(&self) -> Result<Census, Error> {
        Ok(Census::default())
    }

    fn remains(&self) -> Vec<String> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_was_not_granted_goes_where_it_went() {
        let mut state: u64 = 1;
        let mut permitted = 0;
        for _ in 0..250 {
            let bytes: Vec<u8> = std::iter::repeat_with(|| {
                // Knuth's constants for a linear congruential generator.
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) as u8
            })
            .take(400)
            .collect();
            permitted += super::run(&bytes);
        }
        assert!(permitted > 80, "only {permitted} changes were permitted");
    }
}
