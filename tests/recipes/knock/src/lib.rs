//! Calls every function of the contract once, plausibly, and tells what each answered. On a machine
//! that grants nothing all but a few must be denied.

use netwright_sdk::host::addresses::{self, Address, AddressFlags};
use netwright_sdk::host::batch::Batch;
use netwright_sdk::host::captures::{Capture, CaptureOptions};
use netwright_sdk::host::exec;
use netwright_sdk::host::fdb::{self, Entry};
use netwright_sdk::host::links::{self, Kind, Link, LinkName, Other, Setting, Spec};
use netwright_sdk::host::log::{self, Level};
use netwright_sdk::host::namespaces::{self, Namespace};
use netwright_sdk::host::neighbours::{self, Neighbour, NeighbourState};
use netwright_sdk::host::probes::{self, Condition, Listener, PingOptions, Pinging, Transport};
use netwright_sdk::host::qdisc::{self, Kind as Discipline, Qdisc};
use netwright_sdk::host::report::{self, Verdict};
use netwright_sdk::host::routes::{self, NextHop, Route, RouteKind};
use netwright_sdk::host::rules::{self, Rule, RuleAction};
use netwright_sdk::host::taps::{Tap, TapOptions};
use netwright_sdk::host::types::{Error, Family, IpAddress, IpPrefix, Write};
use netwright_sdk::host::vlans::{self, Vlan};
use netwright_sdk::host::{clock, notation, params, sysctls};
use netwright_sdk::prelude::{Lab, Result, recipe};

type Answer = std::result::Result<(), Error>;

/// A function's name, by its interface, and a call of it.
type Row = (&'static str, fn() -> Answer);

/// Asks for everything, so that it is the operator who denies
#[recipe(
    name = "knock",
    version = "0.1.0",
    capabilities(
        "host.link.read" = "to knock",
        "host.link.create" = "to knock",
        "host.address.add" = "to knock",
        "host.route.add" = "to knock",
        "host.namespace" = "to knock",
        "uplink" = "to knock",
        "artifacts" = "to knock",
        "exec" = "to knock",
        "host.route.default" = "to knock",
        "host.forwarding" = "to knock",
        "host.sysctl" = "to knock",
        "host.link.modify" = "to knock",
        "uplink.passthru" = "to knock",
        "host.link.move" = "to knock",
    )
)]
fn knock(_lab: &Lab) -> Result<()> {
    for (function, call) in ROWS {
        let answer = match call() {
            Ok(()) => "done".to_owned(),
            Err(Error::Denied(denial)) => format!("denied {}", denial.capability),
            Err(other) => format!("{other:?}"),
        };
        report::print(&format!("{function} -> {answer}"));
    }
    Ok(())
}

/// By interface and function, as the contract has them.
const ROWS: &[Row] = &[
    ("log/emit", || said(|| log::emit(Level::Info, "knock"))),
    ("report/step", || said(|| report::step("knock"))),
    ("report/check", || said(|| report::check("knock", Verdict::Pass, ""))),
    ("report/metric", || said(|| report::metric("knock", 1.0, ""))),
    ("report/print", || said(|| report::print("knock"))),
    ("report/attach", || said(|| report::attach("knock", "text/plain", b"knock"))),
    ("params/get", || {
        params::get("knock");
        Ok(())
    }),
    ("params/all", || {
        params::all();
        Ok(())
    }),
    ("params/dry-run", || {
        params::dry_run();
        Ok(())
    }),
    ("clock/now", || done(clock::now())),
    ("clock/sleep", || said(|| clock::sleep(1))),
    ("notation/parse-address", || done(notation::parse_address("10.9.0.9"))),
    ("notation/format-address", || done(notation::format_address(THERE))),
    ("notation/parse-prefix", || done(notation::parse_prefix("10.9.0.1/24"))),
    ("notation/format-prefix", || done(notation::format_prefix(PREFIX))),
    ("notation/parse-mac", || done(notation::parse_mac("02:00:00:00:00:09"))),
    ("notation/format-mac", || done(notation::format_mac(ENTRY.mac))),
    ("namespaces/[static]namespace.create", || Namespace::create("knock").map(drop)),
    ("namespaces/[static]namespace.open", || Namespace::open("there").map(drop)),
    ("namespaces/[static]namespace.root", || Namespace::root().map(drop)),
    ("namespaces/[method]namespace.name", || root().map(|root| root.name()).map(drop)),
    ("namespaces/[method]namespace.delete", || Namespace::open("there")?.delete()),
    ("namespaces/[method]namespace.set-id", || root()?.set_id("there", 7)),
    ("namespaces/list-names", || namespaces::list_names().map(drop)),
    ("links/[static]link.create", || Link::create(&root()?, &bridge()).map(drop)),
    ("links/[static]link.open", || link().map(drop)),
    ("links/[method]link.index", || link().map(|link| link.index()).map(|_| ())),
    ("links/[method]link.info", || link()?.info().map(drop)),
    ("links/[method]link.statistics", || link()?.statistics().map(drop)),
    ("links/[method]link.change", || link()?.change(&[Setting::Up(false)])),
    ("links/[method]link.move-to", || link()?.move_to(&root()?)),
    ("links/[method]link.delete", || link()?.delete()),
    ("links/offered", || links::offered("bridge")),
    ("links/list-all", || links::list_all(&root()?).map(drop)),
    ("addresses/put", || addresses::put(&link()?, &address(), Write::Add)),
    ("addresses/remove", || addresses::remove(&link()?, PREFIX, None)),
    ("addresses/list-all", || addresses::list_all(&root()?, None).map(drop)),
    ("routes/put", || routes::put(&root()?, &route(Some(NETWORK)), Write::Add)),
    ("routes/remove", || routes::remove(&root()?, &route(None))),
    ("routes/list-all", || routes::list_all(&root()?, Family::Ipv4).map(drop)),
    ("routes/lookup", || routes::lookup(&root()?, THERE, None).map(drop)),
    ("rules/add", || rules::add(&root()?, &rule())),
    ("rules/remove", || rules::remove(&root()?, &rule())),
    ("rules/list-all", || rules::list_all(&root()?, Family::Ipv4).map(drop)),
    ("neighbours/put", || neighbours::put(&link()?, neighbour(), Write::Add)),
    ("neighbours/remove", || neighbours::remove(&link()?, THERE, false)),
    ("neighbours/list-all", || neighbours::list_all(&root()?, None).map(drop)),
    ("fdb/put", || fdb::put(&link()?, ENTRY, Write::Add)),
    ("fdb/remove", || fdb::remove(&link()?, ENTRY)),
    ("fdb/list-all", || fdb::list_all(&link()?).map(drop)),
    ("sysctls/get", || sysctls::get(&root()?, "net.ipv4.ip_forward").map(drop)),
    ("sysctls/set", || sysctls::set(&root()?, "net.ipv4.ip_forward", "1")),
    ("batch/[constructor]batch", || said(|| drop(Batch::new()))),
    ("batch/[static]batch.apply", || apply(|batch| links::add_link(batch, None, &bridge()))),
    ("batch/[static]batch.ensure", || {
        let batch = Batch::new();
        links::add_link(&batch, None, &bridge());
        Batch::ensure(batch).map(drop).map_err(|failure| failure.error)
    }),
    ("namespaces/add-namespace", || apply(|batch| namespaces::add_namespace(batch, "knock"))),
    ("links/add-link", || apply(|batch| links::add_link(batch, None, &bridge()))),
    ("links/add-settings", || {
        apply(|batch| links::add_settings(batch, &eth1(), &[Setting::Up(false)]))
    }),
    ("addresses/add-address", || {
        apply(|batch| addresses::add_address(batch, &eth1(), &address(), Write::Add))
    }),
    ("routes/add-route", || {
        apply(|batch| routes::add_route(batch, None, &route(Some(NETWORK)), Write::Add))
    }),
    ("rules/add-rule", || apply(|batch| rules::add_rule(batch, None, &rule()))),
    ("neighbours/add-neighbour", || {
        apply(|batch| neighbours::add_neighbour(batch, &eth1(), neighbour(), Write::Add))
    }),
    ("sysctls/add-sysctl", || {
        apply(|batch| sysctls::add_sysctl(batch, None, "net.ipv4.ip_forward", "1"))
    }),
    ("qdisc/add-qdisc", || apply(|batch| qdisc::add_qdisc(batch, &eth1(), &qdisc(), Write::Add))),
    ("qdisc/add-qdisc-removal", || apply(|batch| qdisc::add_qdisc_removal(batch, &eth1()))),
    ("vlans/add-vlans", || apply(|batch| vlans::add_vlans(batch, &eth1(), &[VLAN]))),
    ("exec/run", || exec::run(&root()?, "/usr/bin/id", &[], 10).map(drop)),
    ("qdisc/put", || qdisc::put(&link()?, &qdisc(), Write::Add)),
    ("qdisc/remove", || qdisc::remove(&link()?)),
    ("qdisc/get", || qdisc::get(&link()?).map(drop)),
    ("qdisc/list-all", || qdisc::list_all(&root()?).map(drop)),
    ("qdisc/offered", || qdisc::offered("tbf")),
    ("vlans/put", || vlans::put(&link()?, VLAN)),
    ("vlans/remove", || vlans::remove(&link()?, 9, 9)),
    ("vlans/set-all", || vlans::set_all(&link()?, &[VLAN])),
    ("vlans/get", || vlans::get(&link()?).map(drop)),
    ("vlans/list-all", || vlans::list_all(&root()?).map(drop)),
    ("vlans/offered", vlans::offered),
    ("probes/ping", || probes::ping(&root()?, THERE, &ping()).map(drop)),
    ("probes/[static]pinging.start", || Pinging::start(&root()?, THERE, &ping()).map(drop)),
    ("probes/[method]pinging.finished", || {
        Pinging::start(&root()?, THERE, &ping())?.finished().map(drop)
    }),
    ("probes/arp", || probes::arp(&root()?, "eth1", THERE, 10).map(drop)),
    ("probes/tcp", || probes::tcp(&root()?, THERE, 9, &[], 0, 10).map(drop)),
    ("probes/udp", || probes::udp(&root()?, THERE, 9, b"knock", 10).map(drop)),
    ("probes/[static]listener.open", || listener().map(drop)),
    ("probes/[method]listener.port", || listener().map(|open| open.port()).map(|_| ())),
    ("probes/[method]listener.accepted", || listener().map(|open| open.accepted()).map(|_| ())),
    ("probes/wait-until", || {
        probes::wait_until(&root()?, &Condition::LinkCarrier("eth1".to_owned()), 10).map(|_| ())
    }),
    ("captures/[static]capture.start", || capture().map(drop)),
    ("captures/[method]capture.frames", || capture()?.frames(&[], 0, 1, 10).map(drop)),
    ("captures/[method]capture.counters", || capture()?.counters().map(drop)),
    ("taps/[static]tap.open", || tap().map(drop)),
    ("taps/[method]tap.receive", || tap()?.receive(1, 10).map(drop)),
    ("taps/[method]tap.send", || tap()?.send(&[vec![0; 60]]).map(drop)),
];

const THERE: IpAddress = IpAddress::Ipv4((10, 9, 0, 9));
const PREFIX: IpPrefix = IpPrefix { address: IpAddress::Ipv4((10, 9, 0, 1)), length: 24 };
const NETWORK: IpPrefix = IpPrefix { address: IpAddress::Ipv4((10, 8, 0, 0)), length: 24 };
const VLAN: Vlan = Vlan { first: 9, last: 9, pvid: false, untagged: false };
const ENTRY: Entry =
    Entry { mac: (2, 0, 0, 0, 0, 9), vlan: None, aged: false, master: false, destination: None };

/// What answers a value alone can't be denied either.
fn done<T>(_: T) -> Answer {
    Ok(())
}

/// What has no answer can't be denied.
fn said(call: impl FnOnce()) -> Answer {
    call();
    Ok(())
}

/// What comes into a batch has no answer but the batch's.
fn apply(add: impl FnOnce(&Batch)) -> Answer {
    let batch = Batch::new();
    add(&batch);
    Batch::apply(batch).map_err(|failure| failure.error)
}

fn eth1() -> LinkName {
    LinkName { namespace: None, name: "eth1".to_owned() }
}

fn root() -> std::result::Result<Namespace, Error> {
    Namespace::root()
}

fn link() -> std::result::Result<Link, Error> {
    Link::open(&root()?, "eth1")
}

fn listener() -> std::result::Result<Listener, Error> {
    Listener::open(&root()?, Transport::Tcp, 0, true)
}

fn capture() -> std::result::Result<Capture, Error> {
    Capture::start(&link()?, CaptureOptions { snap_length: None })
}

fn tap() -> std::result::Result<Tap, Error> {
    Tap::open(&link()?, TapOptions { vnet_header: false })
}

fn qdisc() -> Qdisc {
    let options = Vec::new();
    Qdisc { handle: None, kind: Discipline::Other(Other { kind: "pfifo".to_owned(), options }) }
}

fn bridge() -> Spec {
    let (kind, settings) = (Kind::Bridge(Vec::new()), Vec::new());
    Spec { name: "knock".to_owned(), kind, parent: None, settings }
}

fn address() -> Address {
    Address {
        prefix: PREFIX,
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

fn route(destination: Option<IpPrefix>) -> Route {
    let hop = NextHop { gateway: None, link: Some("eth1".to_owned()), weight: 1, onlink: false };
    Route {
        family: Family::Ipv4,
        kind: RouteKind::Unicast,
        destination,
        next_hops: vec![hop],
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
        address: THERE,
        mac: Some((2, 0, 0, 0, 0, 9)),
        state: NeighbourState::Permanent,
        proxy: false,
        router: false,
        extern_learn: false,
    }
}

fn ping() -> PingOptions {
    PingOptions { count: 1, interval_ms: 10, timeout_ms: 10, size: 56, whole: false, source: None }
}
