//! Asks for too much, waits for ever, lies, or guesses, in the way that the parameter `how` names.
//! Written against the contract itself, for the SDK would prevent some of it.

mod extreme;
mod flood;
mod guess;
mod lie;
mod reroute;
mod wait;

use netwright_sdk::wit::exports::netwright::host::guest::{Fault, Guest};
use netwright_sdk::wit::netwright::host::links::{Kind, Link, Spec, Veth};
use netwright_sdk::wit::netwright::host::links::{LinkName, Setting};
use netwright_sdk::wit::netwright::host::namespaces::Namespace;
use netwright_sdk::wit::netwright::host::params;
use netwright_sdk::wit::netwright::host::types::{Detail, Error};

struct Hostile;

impl Guest for Hostile {
    fn check() -> Vec<Fault> {
        match params::get("how").as_deref() {
            Some("faults") => lie::faults(),
            Some("lie-help-check") => vec![lie::helpful_fault()],
            Some("many-faults") => flood::faults(),
            _ => Vec::new(),
        }
    }

    fn run() -> Result<(), Error> {
        let how = params::get("how").unwrap_or_default();
        let ways = [flood::way, wait::way, lie::way, extreme::way, guess::way, reroute::way];
        match ways.into_iter().find_map(|way| way(&how)) {
            Some(way) => way(),
            None => Err(other(&format!("no way to be hostile is called {how}"))),
        }
    }
}

/// What a hostile recipe does.
type Way = fn() -> Result<(), Error>;

fn other(message: &str) -> Error {
    Error::Other(Detail { message: message.to_owned(), extra: Vec::new() })
}

/// A veth of the lab's root namespace, both of whose ends are up.
fn veth(name: &str, peer: &str) -> Result<Link, Error> {
    let settings = vec![Setting::Up(true)];
    let peer = LinkName { namespace: None, name: peer.to_owned() };
    let kind = Kind::Veth(Veth { peer, peer_settings: settings.clone() });
    Link::create(&Namespace::root()?, &Spec { name: name.to_owned(), kind, parent: None, settings })
}

netwright_sdk::wit::export_recipe!(Hostile with_types_in netwright_sdk::wit);
