//! Calls every function of the contract 0.2.0 once, each of which must do what it says. Compiled, it
//! is kept beside this file and stays as it is; so does this file.

use netwright_sdk::host::addresses::{self, Address, AddressFlags};
use netwright_sdk::host::batch::Batch;
use netwright_sdk::host::captures::{Capture, CaptureOptions};
use netwright_sdk::host::fdb::{self, Entry};
use netwright_sdk::host::links::{self, Kind, Link, LinkName, Other, Setting, Spec, Tuntap, Veth};
use netwright_sdk::host::log::{self, Level};
use netwright_sdk::host::namespaces::{self, Namespace};
use netwright_sdk::host::neighbours::{self, Neighbour, NeighbourState};
use netwright_sdk::host::probes::{self, Condition, Listener, PingOptions, Pinging, Transport};
use netwright_sdk::host::qdisc::{self, Qdisc};
use netwright_sdk::host::report::{self, Verdict};
use netwright_sdk::host::routes::{self, NextHop, Route, RouteKind};
use netwright_sdk::host::rules::{self, Rule, RuleAction};
use netwright_sdk::host::taps::{Tap, TapOptions};
use netwright_sdk::host::types::{Attribute, Error, Family, IpAddress, IpPrefix, Write};
use netwright_sdk::host::vlans::{self, Vlan};
use netwright_sdk::host::{clock, exec, notation, params, sysctls};
use netwright_sdk::prelude::{Lab, Params, Result, recipe};

type Answer<T> = std::result::Result<T, Error>;

#[derive(Params)]
struct Golden {
    /// What it is told
    told: String,
}

/// Every function of the contract, once
#[recipe(
    name = "golden",
    version = "0.2.0",
    capabilities("exec program=/bin/true" = "a program that does nothing", "artifacts" = "a file")
)]
fn golden(_lab: &Lab, golden: Golden) -> Result<()> {
    free(&golden.told);
    let place = Place::make()?;
    place.links()?;
    place.layer3()?;
    place.neighbours()?;
    place.queueing()?;
    place.bridging()?;
    batches()?;
    place.probes()?;
    place.frames()?;
    called("exec/run", exec::run(&place.root, "/bin/true", &[], 10_000))?;
    place.end()?;
    Ok(())
}

/// Tells that a function was called, and hands its answer on.
fn called<T>(function: &str, answer: Answer<T>) -> Answer<T> {
    match &answer {
        Ok(_) => holds(function, true),
        Err(error) => report::check(function, Verdict::Fail, &format!("{error:?}")),
    }
    answer
}

fn holds(function: &str, holds: bool) {
    report::check(function, if holds { Verdict::Pass } else { Verdict::Fail }, "");
}

/// Whether the kernel has what these functions are for; where it lacks it, they are not called.
fn offered(answer: Answer<()>, functions: &[&str]) -> bool {
    if let Err(Error::Unsupported(what)) = &answer {
        functions.iter().for_each(|function| report::check(function, Verdict::Skip, what));
        return false;
    }
    answer.is_ok()
}

fn free(told: &str) {
    log::emit(Level::Info, "golden");
    holds("log/emit", true);
    report::step("golden");
    holds("report/step", true);
    report::metric("golden", 1.0, "s");
    holds("report/metric", true);
    report::print("golden");
    holds("report/print", true);
    report::attach("golden.txt", "text/plain", b"golden");
    holds("report/attach", true);
    holds("report/check", true);
    holds("params/get", params::get("told").as_deref() == Some(told));
    holds("params/all", params::all() == [("told".to_owned(), told.to_owned())]);
    holds("params/dry-run", !params::dry_run());
    let before = clock::now();
    holds("clock/now", before > 0);
    clock::sleep(3_000_000);
    holds("clock/sleep", clock::now() - before >= 3_000_000);
    notations();
}

fn notations() {
    let prefix = IpPrefix { address: HERE, length: 24 };
    let mac = (2, 0, 0, 0, 0, 0x2a);
    holds("notation/parse-address", notation::parse_address("10.7.0.1") == Ok(HERE));
    holds("notation/format-address", notation::format_address(HERE) == "10.7.0.1");
    holds("notation/parse-prefix", notation::parse_prefix("10.7.0.1/24") == Ok(prefix));
    holds("notation/format-prefix", notation::format_prefix(prefix) == "10.7.0.1/24");
    holds("notation/parse-mac", notation::parse_mac("02:00:00:00:00:2a") == Ok(mac));
    holds("notation/format-mac", notation::format_mac(mac) == "02:00:00:00:00:2a");
    holds("notation/parse-address", notation::parse_address("ten").is_err());
}

const HERE: IpAddress = IpAddress::Ipv4((10, 7, 0, 1));
const THERE: IpAddress = IpAddress::Ipv4((10, 7, 0, 2));
const NOBODY: IpAddress = IpAddress::Ipv4((10, 7, 0, 9));
const NETWORK: IpPrefix = IpPrefix { address: IpAddress::Ipv4((10, 8, 0, 0)), length: 24 };

/// A cable from the root namespace to another one.
struct Place {
    root: Namespace,
    there: Namespace,
    cable: Link,
}

impl Place {
    fn make() -> Answer<Self> {
        let root = called("namespaces/[static]namespace.root", Namespace::root())?;
        called("namespaces/[static]namespace.create", Namespace::create("n1"))?;
        let there = called("namespaces/[static]namespace.open", Namespace::open("n1"))?;
        holds("namespaces/[method]namespace.name", there.name() == "n1");
        called("namespaces/[method]namespace.set-id", root.set_id("n1", -1))?;
        let names = called("namespaces/list-names", namespaces::list_names())?;
        holds("namespaces/list-names", names == ["n1"]);
        let peer = LinkName { namespace: Some("n1".to_owned()), name: "v1".to_owned() };
        let kind = Kind::Veth(Veth { peer, peer_settings: vec![Setting::Up(true)] });
        let cable = called("links/[static]link.create", Link::create(&root, &spec("v0", kind)))?;
        Ok(Self { root, there, cable })
    }

    fn links(&self) -> Answer<()> {
        called("links/[static]link.open", Link::open(&self.there, "v1"))?;
        holds("links/[method]link.index", self.cable.index() > 0);
        let info = called("links/[method]link.info", self.cable.info())?;
        holds("links/[method]link.info", info.name == "v0" && info.kind == "veth");
        called("links/[method]link.statistics", self.cable.statistics())?;
        let settings = [Setting::Mtu(1400), Setting::Up(true)];
        called("links/[method]link.change", self.cable.change(&settings))?;
        let bridge = Link::create(&self.root, &spec("gone", bridge(&[])))?;
        let kind = Kind::Veth(Veth { peer: name("w1"), peer_settings: Vec::new() });
        let moved = Link::create(&self.root, &spec("w0", kind))?;
        called("links/[method]link.move-to", moved.move_to(&self.there))?;
        called("links/[method]link.delete", bridge.delete())?;
        let all = called("links/list-all", links::list_all(&self.there))?;
        holds("links/list-all", all.iter().any(|link| link.name == "w0"));
        called("links/offered", links::offered("bridge"))
    }

    fn layer3(&self) -> Answer<()> {
        let here = IpPrefix { address: HERE, length: 24 };
        called("addresses/put", addresses::put(&self.cable, &address(here), Write::Add))?;
        let more = IpPrefix { address: IpAddress::Ipv4((10, 6, 0, 1)), length: 32 };
        addresses::put(&self.cable, &address(more), Write::Add)?;
        called("addresses/remove", addresses::remove(&self.cable, more, None))?;
        let all = called("addresses/list-all", addresses::list_all(&self.root, None))?;
        holds("addresses/list-all", all.iter().any(|info| info.address.prefix == here));
        let other = Link::open(&self.there, "v1")?;
        let there = IpPrefix { address: THERE, length: 24 };
        addresses::put(&other, &address(there), Write::Add)?;
        called("routes/put", routes::put(&self.root, &route("v0"), Write::Add))?;
        let all = called("routes/list-all", routes::list_all(&self.root, Family::Ipv4))?;
        holds("routes/list-all", all.iter().any(|one| one.destination == Some(NETWORK)));
        called("routes/lookup", routes::lookup(&self.root, THERE, None))?;
        called("routes/remove", routes::remove(&self.root, &route("v0")))?;
        called("rules/add", rules::add(&self.root, &rule()))?;
        called("rules/list-all", rules::list_all(&self.root, Family::Ipv4))?;
        called("rules/remove", rules::remove(&self.root, &rule()))?;
        let key = "net.ipv4.ip_forward";
        called("sysctls/set", sysctls::set(&self.there, key, "1"))?;
        let value = called("sysctls/get", sysctls::get(&self.there, key))?;
        holds("sysctls/get", value == "1");
        Ok(())
    }

    fn neighbours(&self) -> Answer<()> {
        called("neighbours/put", neighbours::put(&self.cable, neighbour(), Write::Add))?;
        let all = called("neighbours/list-all", neighbours::list_all(&self.root, None))?;
        holds("neighbours/list-all", all.iter().any(|(_, one)| one.address == NOBODY));
        called("neighbours/remove", neighbours::remove(&self.cable, NOBODY, false))
    }

    fn queueing(&self) -> Answer<()> {
        let functions = ["qdisc/put", "qdisc/get", "qdisc/list-all", "qdisc/remove"];
        let there = qdisc::offered("pfifo");
        holds("qdisc/offered", matches!(there, Ok(()) | Err(Error::Unsupported(_))));
        if !offered(there, &functions) {
            return Ok(());
        }
        called("qdisc/put", qdisc::put(&self.cable, &pfifo(), Write::Replace))?;
        let now = called("qdisc/get", qdisc::get(&self.cable))?;
        holds("qdisc/get", now.is_some_and(|now| now.kind == pfifo().kind));
        called("qdisc/list-all", qdisc::list_all(&self.root))?;
        called("qdisc/remove", qdisc::remove(&self.cable))
    }

    fn bridging(&self) -> Answer<()> {
        let there = vlans::offered();
        holds("vlans/offered", matches!(there, Ok(()) | Err(Error::Unsupported(_))));
        let filtering = [("vlan_filtering", "1")];
        let options: &[_] = if there.is_ok() { &filtering } else { &[] };
        let switch = Link::create(&self.root, &spec("b0", bridge(options)))?;
        let kind = Kind::Veth(Veth { peer: name("p1"), peer_settings: Vec::new() });
        let port = Link::create(&self.root, &spec("p0", kind))?;
        port.change(&[Setting::Master(Some("b0".to_owned()))])?;
        called("fdb/put", fdb::put(&port, ENTRY, Write::Add))?;
        let all = called("fdb/list-all", fdb::list_all(&port))?;
        holds("fdb/list-all", all.iter().any(|entry| entry.mac == ENTRY.mac));
        called("fdb/remove", fdb::remove(&port, ENTRY))?;
        let functions =
            ["vlans/put", "vlans/get", "vlans/list-all", "vlans/set-all", "vlans/remove"];
        if offered(there, &functions) {
            called("vlans/put", vlans::put(&port, VLAN))?;
            let now = called("vlans/get", vlans::get(&port))?;
            holds("vlans/get", now.contains(&VLAN));
            called("vlans/list-all", vlans::list_all(&self.root))?;
            called("vlans/set-all", vlans::set_all(&port, &[VLAN]))?;
            called("vlans/remove", vlans::remove(&port, 9, 9))?;
        }
        port.delete()?;
        switch.delete()
    }

    fn probes(&self) -> Answer<()> {
        let carrier = Condition::LinkCarrier("v0".to_owned());
        called("probes/wait-until", probes::wait_until(&self.root, &carrier, 10_000))?;
        let echo = called("probes/ping", probes::ping(&self.root, THERE, &ping()))?;
        holds("probes/ping", echo.received == 1);
        let start = Pinging::start(&self.root, THERE, &ping());
        let pinging = called("probes/[static]pinging.start", start)?;
        while called("probes/[method]pinging.finished", pinging.finished())?.is_none() {
            clock::sleep(10_000_000);
        }
        let stations = called("probes/arp", probes::arp(&self.root, "v0", THERE, 10_000))?;
        holds("probes/arp", stations.len() == 1);
        for transport in [Transport::Tcp, Transport::Udp] {
            let open = Listener::open(&self.there, transport, 0, true);
            let listener = called("probes/[static]listener.open", open)?;
            let port = listener.port();
            holds("probes/[method]listener.port", port > 0);
            let (function, received) = match transport {
                Transport::Tcp => {
                    let sent = probes::tcp(&self.root, THERE, port, b"golden", 6, 10_000);
                    ("probes/tcp", sent.map(|connection| connection.received))
                }
                Transport::Udp => {
                    ("probes/udp", probes::udp(&self.root, THERE, port, b"golden", 10_000))
                }
            };
            holds(function, called(function, received)? == b"golden");
            holds("probes/[method]listener.accepted", listener.accepted() == 1);
        }
        Ok(())
    }

    fn frames(&self) -> Answer<()> {
        let options = CaptureOptions { snap_length: None };
        let start = Capture::start(&self.cable, options);
        let capture = called("captures/[static]capture.start", start)?;
        probes::ping(&self.root, THERE, &ping())?;
        let filter = [Attribute { name: "protocol".to_owned(), value: "icmp".to_owned() }];
        let frames = capture.frames(&filter, 0, 1, 10_000);
        let frames = called("captures/[method]capture.frames", frames)?;
        holds("captures/[method]capture.frames", frames.len() == 1);
        called("captures/[method]capture.counters", capture.counters())?;
        let kind = Kind::Tap(Tuntap {
            packet_information: false,
            vnet_header: false,
            multi_queue: false,
            one_queue: false,
            user: None,
            group: None,
        });
        let link = Link::create(&self.root, &spec("t0", kind))?;
        link.change(&[Setting::Up(true)])?;
        tapped(&link)?;
        link.delete()
    }

    fn end(self) -> Answer<()> {
        self.cable.delete()?;
        called("namespaces/[method]namespace.delete", self.there.delete())
    }
}

/// What is opened here is closed before its link goes.
fn tapped(link: &Link) -> Answer<()> {
    let tap = Tap::open(link, TapOptions { vnet_header: false });
    let tap = called("taps/[static]tap.open", tap)?;
    let frame = vec![0xff; 60];
    holds("taps/[method]tap.send", called("taps/[method]tap.send", tap.send(&[frame]))? == 1);
    called("taps/[method]tap.receive", tap.receive(1, 10)).map(drop)
}

/// The same network is brought about twice, at the second time without a change.
fn batches() -> Answer<()> {
    let failed = |failure: netwright_sdk::host::batch::BatchError| failure.error;
    let batch = batch();
    holds("batch/[constructor]batch", true);
    called("batch/[static]batch.apply", Batch::apply(batch).map_err(failed))?;
    let again = Batch::ensure(self::batch()).map_err(failed);
    let changes = called("batch/[static]batch.ensure", again)?;
    holds("batch/[static]batch.ensure", changes == 0);
    if offered(qdisc::offered("pfifo"), &["qdisc/add-qdisc", "qdisc/add-qdisc-removal"]) {
        let queueing = Batch::new();
        qdisc::add_qdisc(&queueing, &link(), &pfifo(), Write::Replace);
        called("qdisc/add-qdisc", Batch::apply(queueing).map_err(failed))?;
        let removing = Batch::new();
        qdisc::add_qdisc_removal(&removing, &link());
        called("qdisc/add-qdisc-removal", Batch::apply(removing).map_err(failed))?;
    }
    if offered(vlans::offered(), &["vlans/add-vlans"]) {
        let filtering = Batch::new();
        vlans::add_vlans(&filtering, &link(), &[VLAN]);
        called("vlans/add-vlans", Batch::apply(filtering).map_err(failed))?;
    }
    Namespace::open("n2")?.delete()
}

fn link() -> LinkName {
    LinkName { namespace: Some("n2".to_owned()), name: "c0".to_owned() }
}

fn batch() -> Batch {
    let batch = Batch::new();
    let place = Some("n2");
    let added = |function: &str| holds(function, true);
    namespaces::add_namespace(&batch, "n2");
    added("namespaces/add-namespace");
    links::add_link(&batch, place, &spec("c0", bridge(&[])));
    added("links/add-link");
    links::add_settings(&batch, &link(), &[Setting::Up(true)]);
    added("links/add-settings");
    let prefix = IpPrefix { address: HERE, length: 24 };
    addresses::add_address(&batch, &link(), &address(prefix), Write::Add);
    added("addresses/add-address");
    routes::add_route(&batch, place, &route("c0"), Write::Add);
    added("routes/add-route");
    rules::add_rule(&batch, place, &rule());
    added("rules/add-rule");
    neighbours::add_neighbour(&batch, &link(), neighbour(), Write::Add);
    added("neighbours/add-neighbour");
    sysctls::add_sysctl(&batch, place, "net.ipv4.ip_forward", "1");
    added("sysctls/add-sysctl");
    batch
}

const ENTRY: Entry =
    Entry { mac: (2, 0, 0, 0, 0, 9), vlan: None, aged: false, master: true, destination: None };
const VLAN: Vlan = Vlan { first: 9, last: 9, pvid: false, untagged: false };

fn name(name: &str) -> LinkName {
    LinkName { namespace: None, name: name.to_owned() }
}

fn spec(name: &str, kind: Kind) -> Spec {
    Spec { name: name.to_owned(), kind, parent: None, settings: vec![Setting::Up(true)] }
}

fn bridge(options: &[(&str, &str)]) -> Kind {
    let option = |(name, value): &(&str, &str)| Attribute {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
    };
    Kind::Bridge(options.iter().map(option).collect())
}

fn pfifo() -> Qdisc {
    let other = Other { kind: "pfifo".to_owned(), options: Vec::new() };
    Qdisc { handle: None, kind: qdisc::Kind::Other(other) }
}

fn address(prefix: IpPrefix) -> Address {
    Address {
        prefix,
        peer: None,
        broadcast: None,
        anycast: None,
        label: None,
        scope: None,
        flags: AddressFlags::NODAD,
        valid_lifetime: None,
        preferred_lifetime: None,
        metric: None,
        protocol: None,
    }
}

fn route(link: &str) -> Route {
    let link = Some(link.to_owned());
    Route {
        family: Family::Ipv4,
        kind: RouteKind::Unicast,
        destination: Some(NETWORK),
        next_hops: vec![NextHop { gateway: None, link, weight: 1, onlink: false }],
        table: None,
        metric: None,
        protocol: None,
        scope: None,
        source: None,
        from: None,
        type_of_service: None,
        metrics: Vec::new(),
    }
}

fn rule() -> Rule {
    Rule {
        family: Family::Ipv4,
        priority: Some(100),
        inverted: false,
        from: None,
        to: Some(NETWORK),
        incoming_link: None,
        outgoing_link: None,
        type_of_service: None,
        mark: None,
        action: RuleAction::Table(100),
        protocol: None,
        options: Vec::new(),
    }
}

fn neighbour() -> Neighbour {
    Neighbour {
        address: NOBODY,
        mac: Some((2, 0, 0, 0, 0, 9)),
        state: NeighbourState::Permanent,
        proxy: false,
        router: false,
        extern_learn: false,
    }
}

fn ping() -> PingOptions {
    PingOptions {
        count: 1,
        interval_ms: 10,
        timeout_ms: 10_000,
        size: 56,
        whole: false,
        source: None,
    }
}
