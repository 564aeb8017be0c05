//! More of something than anybody needs.

use netwright_sdk::wit::exports::netwright::host::guest::Fault;
use netwright_sdk::wit::netwright::host::addresses::{self, Address, AddressFlags};
use netwright_sdk::wit::netwright::host::batch::Batch;
use netwright_sdk::wit::netwright::host::captures::{Capture, CaptureOptions};
use netwright_sdk::wit::netwright::host::links::{
    self, Kind, Link, LinkName, Other, Setting, Spec,
};
use netwright_sdk::wit::netwright::host::log::{self, Level};
use netwright_sdk::wit::netwright::host::namespaces::{self, Namespace};
use netwright_sdk::wit::netwright::host::probes::{Listener, Pinging, Transport};
use netwright_sdk::wit::netwright::host::report::{self, Verdict};
use netwright_sdk::wit::netwright::host::types::{Attribute, Error, IpAddress, IpPrefix, Write};

use crate::{Way, veth, wait};

/// For ever, as far as anybody here can tell.
const MANY: u32 = 100_000_000;

pub(super) fn way(how: &str) -> Option<Way> {
    Some(match how {
        "steps" => || flood(|| report::step("on and on")),
        "checks" => || flood(|| report::check("a", Verdict::Pass, "b")),
        "metrics" => || flood(|| report::metric("a", 1.0, "b")),
        "lines" => || flood(|| report::print("\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n")),
        "newlines" => || flood(|| report::print(&"\n".repeat(1_000_000))),
        "long-line" => || flood(|| report::print(&"x".repeat(10 << 20))),
        "long-log" => || flood(|| log::emit(Level::Warn, &"x".repeat(10 << 20))),
        "attachments" => || {
            let much = vec![0; 12 << 20];
            flood(|| report::attach("a", "text/plain", &much))
        },
        "refusals" => || flood(|| drop(Namespace::create("no name"))),
        "kernel-refusals" => || {
            let link = veth("v0", "v1")?;
            flood(|| drop(link.change(&[Setting::Mtu(u32::MAX)])))
        },
        "long-names" => || {
            let name = "\u{1b}".repeat(15 << 20);
            flood(|| drop((Namespace::create(&name), Namespace::open(&name))))
        },
        "long-refusals" => || {
            let link = veth("v0", "v1")?;
            let alias = || Setting::Alias("a".repeat(4000));
            let mut settings: Vec<Setting> = (0..200).map(|_| alias()).collect();
            settings.push(Setting::Mtu(u32::MAX));
            flood(|| drop(link.change(&settings)))
        },
        "long-options" => || {
            let option = Attribute { name: "a".repeat(4000), value: "b".repeat(4000) };
            let kind =
                Kind::Other(Other { kind: "bridge".to_owned(), options: vec![option; 1000] });
            let (name, settings) = ("b0".to_owned(), Vec::new());
            let spec = Spec { name, kind, parent: None, settings };
            let root = Namespace::root()?;
            flood(|| drop(Link::create(&root, &spec)))
        },
        "denials" => || flood(|| drop(Namespace::create("denied"))),
        "changes" => changes,
        "addresses" => addresses,
        "same-namespace" => {
            || flood(|| drop(Namespace::create("again").and_then(|made| made.delete())))
        }
        "handles" => || hoard(Namespace::root),
        "captures" => || {
            let link = veth("v0", "v1")?;
            hoard(|| Capture::start(&link, CaptureOptions { snap_length: None }))
        },
        "listeners" => || {
            let root = Namespace::root()?;
            hoard(|| Listener::open(&root, Transport::Tcp, 0, true))
        },
        "many-pings" => || {
            let root = Namespace::root()?;
            hoard(|| Pinging::start(&root, wait::NOBODY, &wait::LONG_PING))
        },
        "batch" => || apply((0..65_537).map(|_| String::new())),
        "batch-of-bytes" => || apply(["x".repeat(20 << 20)]),
        "batch-of-namespaces" => || apply((0..5_000).map(|number| format!("n{number}"))),
        "batch-of-long-names" => || apply((0..20).map(|_| "x".repeat(1 << 20))),
        "batch-of-settings" => || {
            let batch = Batch::new();
            let nowhere = LinkName { namespace: None, name: "nowhere".to_owned() };
            let settings = vec![Setting::Up(true); 200_000];
            flood(|| links::add_settings(&batch, &nowhere, &settings))
        },
        "batches" => || {
            let batches = (0..3).map(|_| collected((0..30_000).map(|_| "x".to_owned())));
            drop(batches.collect::<Vec<_>>());
            Ok(())
        },
        "dropped-batches" => || {
            let names = || (0..60_000).map(|number| format!("n{number}"));
            (0..10).for_each(|_| drop(collected(names())));
            // Nor do those count that were applied, even in vain.
            for _ in 0..3 {
                assert!(apply(names().chain([String::new()])).is_err());
            }
            apply(["made".to_owned()])
        },
        "settings" => || veth("v0", "v1")?.change(&vec![Setting::Up(true); 200_000]),
        "lists" => || {
            veth("v0", "v1")?;
            let root = Namespace::root()?;
            flood(|| drop(links::list_all(&root)))
        },
        _ => return None,
    })
}

fn flood(mut say: impl FnMut()) -> Result<(), Error> {
    for _ in 0..MANY {
        say();
    }
    Ok(())
}

/// Keeps what it gets until there is no more.
fn hoard<T>(mut get: impl FnMut() -> Result<T, Error>) -> Result<(), Error> {
    let mut hoarded = Vec::new();
    loop {
        hoarded.push(get()?);
    }
}

/// Each can be undone, and so is remembered.
fn changes() -> Result<(), Error> {
    let link: Link = veth("v0", "v1")?;
    for number in 0..MANY {
        link.change(&[Setting::Mtu(1000 + number % 2)])?;
    }
    Ok(())
}

fn addresses() -> Result<(), Error> {
    let link = veth("v0", "v1")?;
    for number in 0..MANY {
        let [_, a, b, c] = number.to_be_bytes();
        let prefix = IpPrefix { address: IpAddress::Ipv4((10, a, b, c)), length: 32 };
        addresses::put(&link, &address(prefix), Write::Add)?;
    }
    Ok(())
}

pub(super) fn address(prefix: IpPrefix) -> Address {
    Address {
        prefix,
        peer: None,
        broadcast: None,
        anycast: None,
        label: None,
        scope: None,
        flags: AddressFlags::empty(),
        valid_lifetime: None,
        preferred_lifetime: None,
        metric: None,
        protocol: None,
    }
}

/// A batch of namespaces.
fn collected(names: impl IntoIterator<Item = String>) -> Batch {
    let batch = Batch::new();
    names.into_iter().for_each(|name| namespaces::add_namespace(&batch, &name));
    batch
}

fn apply(names: impl IntoIterator<Item = String>) -> Result<(), Error> {
    Batch::apply(collected(names)).map_err(|failure| failure.error)
}

/// A fault for every grain of sand.
pub(super) fn faults() -> Vec<Fault> {
    let fault = Fault {
        parameter: "how".to_owned(),
        pointer: String::new(),
        line: 1,
        column: 1,
        message: "x".repeat(1000),
        help: None,
    };
    vec![fault; 20_000]
}
