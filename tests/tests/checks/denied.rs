//! Checks on the host, where what may be read is granted.

use netwright_tests::{Host, Output};

use super::verdicts;

const HOST: &str = "\
link add eth1 type veth peer name u1
link add lab-x type bridge
link set eth1 up
link set u1 up
address add 192.0.2.2/24 dev u1
address add 192.0.2.1/24 dev eth1
route add 198.51.100.0/24 via 192.0.2.9 dev eth1
neighbour add 192.0.2.7 lladdr 02:00:00:00:00:07 dev eth1
";

fn run(host: &Host, checks: &[&str], grants: &[&str]) -> Output {
    let mut text = "name: denied\ntarget: host\nsteps: [{ recipe: builtin:topology, params: { namespaces: [] } }]\nchecks:\n".to_owned();
    for check in checks {
        text += &format!("  - {check}\n");
    }
    let file = host.session().file("host.yaml", text);
    let mut arguments = vec!["run".to_owned(), "--json".to_owned(), file.display().to_string()];
    for grant in grants {
        arguments.extend(["--grant".to_owned(), (*grant).to_owned()]);
    }
    host.netwright(arguments, &[])
}

/// One denial with its grant, exit code 4, at once: no waiting makes it right.
#[test]
fn what_may_not_be_read_is_denied_once() {
    let host = Host::with(HOST);
    for check in [
        "link: { name: eth1, within: 30min }",
        "link: { name: eth9, exists: false, within: 30min }",
        "address: { link: eth1, is: 192.0.2.2/24, within: 30min }",
        "address: { link: eth1, is: 192.0.2.77/24, absent: true, within: 30min }",
        "route: { destination: 192.0.2.0/24, link: eth1, within: 30min }",
        "route: { destination: default, absent: true, within: 30min }",
        "neighbour: { address: 192.0.2.7, within: 30min }",
        "neighbour: { address: 192.0.2.7, absent: true, within: 30min }",
        "sysctl: { key: net.ipv4.ip_forward, is: 0, within: 30min }",
    ] {
        let output = run(&host, &[check], &[]).expect_code(4);
        assert_eq!(output.stderr.matches("denied: ").count(), 1, "{check}: {output:#?}");
        assert!(output.stderr.contains("  help: "), "{check}: {output:#?}");
        let verdicts = verdicts(&output);
        assert_eq!((verdicts[0].0.as_str(), verdicts[0].1.as_str()), ("fail", "not-granted"));
        assert_eq!(output.json()["denials"].as_array().map(Vec::len), Some(1), "{check}");
    }
}

/// What a check would send or watch in the machine's namespace is denied before the first step, all
/// of it at once.
#[test]
fn what_may_not_be_probed_is_denied_before_anything_runs() {
    let host = Host::with(HOST);
    let check =
        "frames: { link: eth1, count: 0, during: { ping: { to: 192.0.2.1 } }, within: 30min }";
    let output = run(&host, &[check], &[]).expect_code(4);
    let denials = [
        "denied: host.probe for `a check that watches eth1`: nothing grants it\n  \
         help: --grant 'host.probe link=eth1'",
        "denied: host.probe for `a check that asks 192.0.2.1`: nothing grants it\n  \
         help: --grant 'host.probe cidr=192.0.2.1/32'",
    ];
    assert_eq!(output.json()["denials"], serde_json::json!(denials), "{output:#?}");
    assert_eq!(verdicts(&output).len(), 0, "{output:#?}");
}

/// A right to read some links does not show what others have.
#[test]
fn what_the_grants_hide_is_not_missing() {
    let host = Host::with(HOST);
    let grants = ["host.link.read name=lab-*"];
    for check in [
        "link: { name: eth1, exists: false }",
        "address: { link: eth1, is: 192.0.2.1/24, absent: true }",
        "route: { destination: 198.51.100.0/24, absent: true }",
        "neighbour: { address: 192.0.2.7, absent: true }",
        "neighbour: { address: 192.0.2.7, link: eth1, absent: true }",
    ] {
        let output = run(&host, &[check], &grants).expect_code(4);
        assert_eq!(verdicts(&output)[0].0, "fail", "{check}: {output:#?}");
    }
    let allowed = ["link: { name: lab-y, exists: false }", "link: { name: lab-x, kind: bridge }"];
    run(&host, &allowed, &grants).expect_code(0);
    let all = ["route: { destination: 203.0.113.0/24, absent: true }"];
    run(&host, &all, &["host.link.read"]).expect_code(0);
}

/// All that is denied is told in one run, and the others are not waited for.
#[test]
fn one_run_tells_all_denials() {
    let host = Host::with(HOST);
    let checks = [
        "link: { name: lab-x, mtu: 9999, within: 30min }",
        "link: { name: eth1 }",
        "link: { name: u1 }",
        "link: { name: lab-x }",
    ];
    let output = run(&host, &checks, &["host.link.read name=lab-*"]).expect_code(4);
    assert_eq!(output.stderr.matches("denied: ").count(), 2, "{output:#?}");
    let words: Vec<String> = verdicts(&output).into_iter().map(|(verdict, ..)| verdict).collect();
    assert_eq!(words, ["skip", "fail", "fail", "pass"], "{output:#?}");
}
