//! Whether the network has settled: only then silence says something. What is transient passes by
//! itself: an address in duplicate address detection, a bridge's port that listens or learns, a
//! link that is dormant or whose carrier the kernel has not told yet (net/core/link_watch.c). What
//! lasts is settled: a link that is down or has no carrier, a port that spanning tree blocks.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::asker::Asker;
use super::seen::{Cause, Miss, Said, mistaken};
use crate::change::{AddressInfo, Answer, LinkInfo, Name, NamespaceRef, Query};
use crate::probe::Ear;

/// So long nothing may have happened.
const QUIET: Duration = Duration::from_millis(300);
/// Between two looks.
const AGAIN: Duration = Duration::from_millis(50);
/// A look at everything counts for so long: a carrier that comes is not told at once.
const FRESH: Duration = Duration::from_millis(100);

/// linux/if_bridge.h, BR_STATE_
const LISTENING: &str = "1";
const LEARNING: &str = "2";

/// What the namespaces of the run were heard to say, and what was seen in them.
pub(super) struct Settlement {
    places: Vec<Place>,
    /// when something happened last
    last: Instant,
    /// what that was
    news: String,
    /// how often something happened
    count: u64,
    /// when everything was looked at last and nothing transient was seen
    looked: Option<Instant>,
    /// where something transient was seen last
    restless: Option<usize>,
}

struct Place {
    namespace: NamespaceRef,
    ear: Ear,
}

/// The network as it had settled, for a later look whether it still is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settled(u64);

/// Waits until the network has settled, until then at most. What is transient is told where it has
/// not.
pub(super) async fn settled(asker: &Asker<'_>, until: Instant) -> Result<Settled, Miss> {
    loop {
        let transient = {
            let mut settlement = asker.settlement.lock().await;
            let settlement = match &mut *settlement {
                Some(settlement) => settlement,
                none => none.insert(Settlement::open(asker)?),
            };
            match settlement.transient(asker).await? {
                None => return Ok(Settled(settlement.count)),
                Some(transient) => transient,
            }
        };
        if Instant::now() >= until || asker.denied.get() {
            return Err(restless(&transient));
        }
        sleep(AGAIN).await;
    }
}

/// Whether the network is still as it had settled.
pub(super) async fn still(settled: Settled, asker: &Asker<'_>) -> Result<(), Miss> {
    let mut settlement = asker.settlement.lock().await;
    let Some(settlement) = &mut *settlement else { return Err(mistaken()) };
    settlement.listen()?;
    if settlement.count != settled.0 {
        return Err(restless(&settlement.news));
    }
    match settlement.look(asker).await? {
        None => Ok(()),
        Some(transient) => Err(restless(&transient)),
    }
}

fn restless(transient: &str) -> Miss {
    let text = format!("the network has not settled: {transient}");
    Miss::Yet(Said { text, cause: Some(Cause::NotSettled), by_router: false })
}

impl Settlement {
    fn open(asker: &Asker<'_>) -> Result<Self, Miss> {
        let session = asker.session.borrow();
        let named = session.kernel.namespaces().into_iter().map(|(name, _)| Some(name));
        let mut places = Vec::new();
        for name in std::iter::once(None).chain(named) {
            let namespace = NamespaceRef::named(name);
            let descriptor = session.kernel.namespace_descriptor(&namespace)?;
            places.push(Place { ear: Ear::open(&descriptor)?, namespace });
        }
        Ok(Self {
            places,
            last: Instant::now(),
            news: String::new(),
            count: 0,
            looked: None,
            restless: None,
        })
    }

    fn listen(&mut self) -> Result<(), Miss> {
        for place in &self.places {
            if let Some(news) = place.ear.heard()? {
                self.last = Instant::now();
                self.news = format!("{news}{} just now", within(place.namespace.name.as_ref()));
                self.count += 1;
                self.looked = None;
            }
        }
        Ok(())
    }

    /// What has not settled; none where all has.
    async fn transient(&mut self, asker: &Asker<'_>) -> Result<Option<String>, Miss> {
        self.listen()?;
        if let Some(place) = self.restless {
            let transient = self.places[place].transient(asker).await?;
            if transient.is_some() {
                return Ok(transient);
            }
            self.restless = None;
        }
        let since = self.last.elapsed();
        if since < QUIET {
            let nothing = "it is looked at since a moment";
            let news = if self.news.is_empty() { nothing } else { &self.news };
            return Ok(Some(news.to_owned()));
        }
        let count = self.count;
        if let Some(transient) = self.look(asker).await? {
            return Ok(Some(transient));
        }
        self.listen()?;
        Ok((self.count != count).then(|| self.news.clone()))
    }

    /// Everywhere.
    async fn look(&mut self, asker: &Asker<'_>) -> Result<Option<String>, Miss> {
        if self.looked.is_some_and(|looked| looked.elapsed() < FRESH) {
            return Ok(None);
        }
        self.looked = None;
        for (number, place) in self.places.iter().enumerate() {
            let transient = place.transient(asker).await?;
            if transient.is_some() {
                self.restless = Some(number);
                return Ok(transient);
            }
        }
        self.looked = Some(Instant::now());
        Ok(None)
    }
}

impl Place {
    async fn transient(&self, asker: &Asker<'_>) -> Result<Option<String>, Miss> {
        let namespace = || self.namespace.clone();
        let Answer::Links(links) = asker.look(Query::Links { namespace: namespace() }).await?
        else {
            return Err(mistaken());
        };
        let query = Query::Addresses { namespace: namespace(), family: None };
        let Answer::Addresses(addresses) = asker.look(query).await? else {
            return Err(mistaken());
        };
        let within = within(self.namespace.name.as_ref());
        let link = links.iter().find_map(of_link);
        let transient = link.or_else(|| addresses.iter().find_map(|one| of_address(one, &links)));
        Ok(transient.map(|transient| transient + &within))
    }
}

fn within(namespace: Option<&Name>) -> String {
    namespace.map(|namespace| format!(" in {namespace}")).unwrap_or_default()
}

fn of_link(link: &LinkInfo) -> Option<String> {
    let name = link.name.escape_debug();
    if !link.up {
        return None;
    }
    let port = link.data.iter().find(|each| each.name == "bridge_slave state");
    match (port.map(|state| state.value.as_str()), &link.master) {
        (Some(LISTENING), Some(bridge)) => {
            return Some(format!("port {name} of {} is listening", bridge.escape_debug()));
        }
        (Some(LEARNING), Some(bridge)) => {
            return Some(format!("port {name} of {} is learning", bridge.escape_debug()));
        }
        _ => {}
    }
    match (link.operational_state.as_str(), link.carrier) {
        ("dormant", _) => Some(format!("link {name} is dormant")),
        ("testing", _) => Some(format!("link {name} is being tested")),
        ("down" | "lowerlayerdown", true) => Some(format!("link {name} is just getting a carrier")),
        ("up", false) => Some(format!("link {name} is just losing its carrier")),
        _ => None,
    }
}

/// Detection begins when the link is ready: until then it lasts. A duplicate stays one.
fn of_address(info: &AddressInfo, links: &[LinkInfo]) -> Option<String> {
    let link = links.iter().find(|link| link.name == info.link)?;
    let detecting = info.tentative && !info.duplicate && link.up && link.carrier;
    detecting.then(|| {
        let prefix = info.address.prefix;
        format!("address {prefix} of {} is tentative", link.name.escape_debug())
    })
}
