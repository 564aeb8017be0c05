//! What a scenario's checks send from the machine's own namespace, or watch there, the operator
//! grants: whoever wrote the file is a stranger, too.

use netwright_tests::{Host, Output};

const NIC: &str = "link add eth1 type veth peer name sw1
                   link set eth1 up
                   link set sw1 up
                   address add 10.9.0.2/24 dev eth1
                   netns add far
                   link set sw1 netns far
                   -n far link set sw1 up
                   -n far address add 10.9.0.1/24 dev sw1";

/// Each check, with the grants that it takes.
const CHECKS: [(&str, &[&str]); 6] = [
    ("tcp: { to: 127.0.0.1, port: 9, expect: refused }", &["host.probe cidr=127.0.0.1/32"]),
    ("tcp: { to: 10.9.0.1, port: 9, expect: refused }", &["host.probe cidr=10.9.0.1/32"]),
    ("ping: { to: 10.9.0.1 }", &["host.probe cidr=10.9.0.1/32"]),
    ("ping: { to: \"::1\" }", &["host.probe cidr=::1/128"]),
    ("arp: { link: eth1, to: 10.9.0.1 }", &["host.probe cidr=10.9.0.1/32 link=eth1"]),
    (
        "frames: { link: eth1, at-least: 1, during: { ping: { to: 10.9.0.1 } } }",
        &["host.probe link=eth1", "host.probe cidr=10.9.0.1/32"],
    ),
];

fn run(host: &Host, text: &str, grants: &[&str]) -> Output {
    let step = "steps: [{ recipe: builtin:topology, params: { namespaces: [] } }]";
    let text = format!("name: scan\ntarget: host\n{step}\n{text}\n");
    let file = host.session().file("scan.yaml", text).display().to_string();
    let mut words = vec!["run", file.as_str()];
    words.extend(grants.iter().flat_map(|grant| ["--grant", grant]));
    host.netwright(words, &[])
}

/// Frames that left by the link so far, but for those of the kernel's own to groups.
fn sent(host: &Host) -> String {
    let words = ["-c", "ip neighbour show dev eth1; ss -tan | grep -c 127.0.0.1"];
    host.run("sh", words).stdout
}

#[test]
fn checks_from_the_machines_own_namespace_take_a_grant() {
    for (check, grants) in CHECKS {
        // Of one that was asked something before, the station asks back seconds later, by ARP.
        let host = Host::with(NIC);
        let before = sent(&host);
        let text = format!("checks:\n  - {check}");
        let denied = run(&host, &text, &["host.link.read"]).expect_code(4);
        for grant in grants {
            let flag = format!("--grant '{grant}'");
            assert!(denied.stderr.contains(&flag), "{check}: {}", denied.stderr);
        }
        assert_eq!(sent(&host), before, "{check}");
        let read = ["host.link.read"];
        let given: Vec<&str> = grants.iter().chain(&read).copied().collect();
        run(&host, &text, &given).expect_code(0);
    }
}

#[test]
fn frames_of_the_machines_links_are_for_whom_they_are_granted_to() {
    let host = Host::with(NIC);
    let text = "captures: [{ link: eth1 }]";
    let denied = run(&host, text, &["host.link.read"]).expect_code(4);
    assert!(denied.stderr.contains("--grant 'host.probe link=eth1'"), "{}", denied.stderr);
    run(&host, text, &["host.probe link=eth1"]).expect_code(0);
    // A neighbour's name is another one, and a station no link.
    for other in ["host.probe link=eth10", "host.probe cidr=10.9.0.0/24"] {
        run(&host, text, &[other]).expect_code(4);
    }
}
