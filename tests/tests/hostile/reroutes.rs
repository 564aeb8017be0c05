//! Hundreds of addresses, routes and rules of every form, asked for where a little is granted: what
//! the kernel says of all other ways stays as it was while all that was permitted stands.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use netwright_tests::machine::times;
use netwright_tests::{Host, workspace};

use crate::files::with_section;

/// Everything is asked for, so that it is the operator who says no.
const ASKS: &str = r#"{"name": "reroute", "version": "1.0.0", "api": "0.2.0",
    "parameters": [{"name": "how", "type": "text"}, {"name": "seed", "type": "integer"},
                   {"name": "calls", "type": "integer"}],
    "capabilities": [{"capability": "host.link.read"}, {"capability": "host.link.create"},
                     {"capability": "host.link.modify"}, {"capability": "host.namespace"},
                     {"capability": "host.address.add"},
                     {"capability": "host.route.add"}, {"capability": "host.route.default"}]}"#;

/// 10.0.0.0/8 and 2001:db8::/32, in every table; of the other grants everything but what is theirs.
const GRANTS: [&str; 7] = [
    "host.link.read",
    "host.namespace name=lab-*",
    "host.link.create kind=veth name=lab-*",
    "host.address.add cidr=10.0.0.0/8,2001:db8::/32 link=lab-*",
    "host.route.add cidr=10.0.0.0/8,2001:db8::/32",
    "host.route.add cidr=10.0.0.0/8,2001:db8::/32 table=77,local",
    "host.route.add cidr=10.0.0.0/8,2001:db8::/32 link=lab-*,eth1 table=main,77,local",
];

const MACHINE: &str = "link add eth0 type veth peer name sw0
                       link set sw0 up
                       address add 192.0.2.2/24 dev eth0
                       address add 2001:db9:a::2/64 dev eth0 nodad
                       link set eth0 up
                       route add default via 192.0.2.1
                       -6 route add default via 2001:db9:a::1 dev eth0
                       link add eth1 type veth peer name sw1
                       link set sw1 up
                       address add 198.51.100.2/24 dev eth1
                       link set eth1 up
                       route add default via 198.51.100.1 table 78
                       rule add from 198.51.100.2 lookup 78";

const SESSION: (&str, &str) = ("SSH_CONNECTION", "10.200.0.9 50000 198.51.100.2 22");

/// Ways that no grant speaks of, and the session's, of which a grant speaks.
const WAYS: [&str; 12] = [
    "8.8.8.8",
    "11.0.0.1 from 192.0.2.2",
    "172.16.0.1 mark 5",
    "172.16.0.1 tos 0x10",
    "203.0.113.9 from 198.51.100.2",
    "192.0.2.2 from 203.0.113.9 iif eth0",
    "192.0.2.77",
    "127.0.0.1",
    "127.3.0.1",
    "2001:db9:f::1",
    "2600::1 from 2001:db9:a::2",
    "10.200.0.9 from 198.51.100.2",
];

fn ways(host: &Host) -> Vec<String> {
    let ask = |way: &str| {
        let output = host.run("ip", format!("-o route get {way}").split_whitespace());
        // IPv4's table local is told of once there is any rule.
        format!("{way}: {}{}", output.stdout.replace(" table local", ""), output.stderr)
    };
    WAYS.iter().map(|way| ask(way)).collect()
}

fn reroute(seed: usize) {
    let host = Host::with(MACHINE);
    let before = ways(&host);
    let recipe = workspace().join("target/recipes/components/hostile.wasm");
    let recipe = fs::read(recipe).expect("`cargo xtask recipes` built it");
    let recipe = with_section(recipe, "netwright:manifest", ASKS.as_bytes());
    host.session().file("reroute.wasm", recipe);
    let scenario = format!(
        "name: reroute\ntarget: host\nsteps:\n  - recipe: ./reroute.wasm\n    params: {{ how: reroute, seed: {seed}, calls: 300 }}\nlimits: {{ time: 600s, log: 1GiB }}\n",
    );
    let file = host.session().file("reroute.yaml", scenario);
    let mut words = vec!["run".as_ref(), file.as_os_str()];
    words.extend(GRANTS.iter().flat_map(|grant| ["--grant", grant]).map(std::ffi::OsStr::new));
    let mut inner = host.session().command(words);
    inner.env(SESSION.0, SESSION.1);
    let mut command: Command = host.command(&inner);
    let log = fs::File::create(host.session().path("log")).expect("a file of the session's");
    command.stdout(Stdio::null()).stderr(log);
    let mut run = command.spawn().expect("nsenter is installed: cargo xtask setup");
    let start = Instant::now();
    let all = loop {
        let rules = host.run("ip", ["rule"]).stdout;
        let over = run.try_wait().expect("it is ours").is_some();
        if rules.contains("to 10.255.0.255") || over || start.elapsed() > Duration::from_secs(300) {
            break rules;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let during = ways(&host);
    run.kill().expect("it waits until it is ended");
    run.wait().expect("it is ours");
    let log = fs::read_to_string(host.session().path("log")).unwrap_or_default();
    let end = &log[log.len().saturating_sub(500)..];
    assert!(all.contains("to 10.255.0.255"), "seed {seed}: it came to no end: {end}");
    assert!(all.lines().count() > 15, "seed {seed}: next to nothing was permitted: {all}");
    assert_eq!(during, before, "seed {seed}: {all}");
}

#[test]
fn what_was_permitted_of_hundreds_sends_nothing_else_elsewhere() {
    for seed in 1..=times(3, 60) {
        reroute(seed);
    }
}
