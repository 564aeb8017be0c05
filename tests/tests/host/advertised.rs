//! Default routes that routers advertised, which the kernel forgets when any link becomes a router's.

use std::process::{Child, Command, Stdio};

use netwright_tests::{Host, machine};

const MACHINE: &str = "link add eth0 type veth peer name sw0
                       link set sw0 up
                       link set eth0 up
                       link add eth1 type veth peer name sw1
                       link set sw1 up
                       link set eth1 up";

const GRANTS: [&str; 4] = [
    "host.link.read",
    "host.link.create kind=veth name=lab-*",
    "host.forwarding key=net.ipv6.conf.all.forwarding,net.ipv6.conf.eth1.forwarding",
    "host.forwarding key=net.ipv6.conf.lab-a.forwarding",
];

/// Speaks until it is dropped.
struct Router(Child);

impl Router {
    fn on(host: &Host, link: &str) -> Self {
        let mut inner = Command::new(env!("CARGO_BIN_EXE_advertise"));
        inner.arg(link);
        let mut command = host.command(&inner);
        Self(command.stderr(Stdio::null()).spawn().expect("nsenter is installed"))
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        // It may have ended by itself, which the test notices by what it didn't say.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The default routes that were advertised.
fn learned(host: &Host) -> usize {
    let routes = host.run("ip", ["-6", "route", "show", "default", "proto", "ra"]).expect_code(0);
    routes.stdout.lines().count()
}

/// A machine that has heard a router, which is silent since.
fn machine() -> Host {
    let host = Host::with(MACHINE);
    let router = Router::on(&host, "sw0");
    let unheard = machine::until_empty(|| match learned(&host) {
        1 => Vec::new(),
        count => vec![format!("{count} routes")],
    });
    drop(router);
    assert_eq!(unheard, [""; 0]);
    host
}

const KEYS: [&str; 5] = [
    "sysctl -w net.ipv6.conf.all.forwarding=1",
    "sysctl -w net.ipv6.conf.eth1.forwarding=1",
    "sysctl -w net/ipv6/conf/eth1/forwarding=1",
    "ip link add lab-a type veth peer name lab-b\nsysctl -w net.ipv6.conf.lab-a.forwarding=1",
    "ip link add lab-a type veth peer name lab-b\nsysctl -w net/ipv6/conf/lab-a/forwarding=2",
];

#[test]
fn an_advertised_route_is_there_again_when_a_router_is_none_any_more() {
    for script in KEYS {
        let host = machine();
        let script = format!("script={script}");
        let mut words = vec!["run", "builtin:ip", "-p", &script, "--target", "host"];
        words.extend(["--keep", "router"]);
        words.extend(GRANTS.iter().flat_map(|grant| ["--grant", grant]));
        host.netwright(words, &[]).expect_code(0);
        assert_eq!(learned(&host), 0, "{script}");
        host.netwright(["destroy", "router"], &[]).expect_code(0);
        assert_eq!(learned(&host), 1, "{script}");
        // What was put back ends when it would have, unless the router says more.
        let routes = host.run("ip", ["-6", "route", "show", "default"]).expect_code(0).stdout;
        assert!(routes.contains(" expires 1"), "{script}: {routes}");
    }
}

#[test]
fn an_advertised_route_outlasts_an_undo_that_makes_a_router_again() {
    let host = Host::with(MACHINE);
    host.run("sysctl", ["-w", "net.ipv6.conf.eth1.forwarding=1"]).expect_code(0);
    let router = Router::on(&host, "sw0");
    let unheard = machine::until_empty(|| match learned(&host) {
        1 => Vec::new(),
        count => vec![format!("{count} routes")],
    });
    drop(router);
    assert_eq!(unheard, [""; 0]);
    host.run_ip("sysctl -w net.ipv6.conf.eth1.forwarding=0", &GRANTS).expect_code(0);
    assert_eq!(learned(&host), 1);
}

#[test]
fn a_session_by_an_advertised_route_forbids_any_router() {
    let host = machine();
    host.ip_lines("address add 2001:db8:9::2/64 dev eth0 nodad");
    let session = ("SSH_CONNECTION", "2001:db8:ffff::9 50000 2001:db8:9::2 22");
    for script in KEYS {
        let output = host.run_ip_with(script, &GRANTS, &[session]).expect_code(4);
        assert!(output.stderr.contains("no grant allows this"), "{script}: {}", output.stderr);
        assert_eq!(learned(&host), 1, "{script}");
    }
}
