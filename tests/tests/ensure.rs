//! What shall be there, rather than what shall be done: twice is once, what differs is changed, and
//! what the kernel accepts without doing it is told.

use std::sync::atomic::{AtomicUsize, Ordering};

use netwright_tests::{Host, Output, Session, workspace};
use serde_json::{Value, json};

static NUMBER: AtomicUsize = AtomicUsize::new(0);

/// Values in other spellings than the kernel's: an upper-case Ethernet address, a route with host
/// bits, an IPv6 address spelled out.
fn ensured(parameters: &str) -> String {
    let recipe = workspace().join("target/recipes/components/ensured.wasm");
    // Steps have names of their own.
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("  - {{ name: s{number}, recipe: {}, params: {{ {parameters} }} }}\n", recipe.display())
}

/// Two parents in a lab, and steps.
fn lab(steps: &[String]) -> Value {
    let session = Session::new();
    let start = "\
name: twice
steps:
  - recipe: builtin:ip
    params:
      script: |
        ip link add eth8 up type veth peer name sw8
        ip link set sw8 up
        ip link add eth9 up type veth peer name sw9
        ip link set sw9 up
";
    let scenario = session.file("twice.yaml", start.to_owned() + &steps.concat());
    session
        .netwright(["run".as_ref(), "--json".as_ref(), scenario.as_os_str()])
        .expect_code(0)
        .json()
}

/// The changes of a step.
fn changes(run: &Value, step: usize) -> Vec<&str> {
    let changes = run["steps"][step]["changes"].as_array().expect("a list");
    changes.iter().filter_map(|change| change["change"].as_str()).collect()
}

#[test]
fn twice_is_once_however_it_is_written() {
    let run = lab(&[ensured("parent: eth9"), ensured("parent: eth9")]);
    assert_eq!(
        changes(&run, 1),
        [
            "link add link eth9 name en0 mtu 1400 address 02:aa:bb:cc:dd:0e up type macvlan mode bridge",
            "address add 10.99.0.5/24 dev en0",
            "address add 2001:db8::5/64 dev en0",
            "route add 10.98.0.0/16 via 10.99.0.1 dev en0",
        ]
    );
    assert_eq!(changes(&run, 2), [""; 0]);
}

#[test]
fn what_differs_is_changed_in_place_and_nothing_else() {
    let run = lab(&[ensured("parent: eth9"), ensured("parent: eth9, mode: private, mtu: 1300")]);
    assert_eq!(changes(&run, 2), ["link set en0 type macvlan mode private mtu 1300"]);
}

#[test]
fn what_cant_be_changed_is_made_anew_with_all_that_was_on_it() {
    let steps = ["parent: eth9", "parent: eth8", "parent: eth8"].map(ensured);
    let run = lab(&steps);
    let made = changes(&run, 2);
    assert_eq!(made[0], "link delete en0");
    assert!(made[1].starts_with("link add link eth8 name en0"), "{made:?}");
    assert_eq!(made.len(), 5, "{made:?}");
    assert_eq!(changes(&run, 3), [""; 0]);
}

#[test]
fn a_topology_is_ensured_whole() {
    let topology = "  - name: STEP
    recipe: builtin:topology
    params:
      ensure: true
      namespaces: [ns1]
      existing: { links: [eth9, sw9] }
      links:
        - { name: mac1, namespace: ns1, kind: macvlan, mode: MODE, parent: eth9, addresses: [10.1.0.1/16] }
        - { name: br0, kind: bridge, ports: [sw9], addresses: ['2001:0DB8:0001::0001/64'] }
      routes:
        - { namespace: ns1, destination: 10.2.0.0/16, gateway: 10.1.0.2 }
";
    let step = |name, mode| topology.replace("STEP", name).replace("MODE", mode);
    let steps = [step("a", "bridge"), step("b", "bridge"), step("c", "private")];
    let run = lab(&steps);
    assert!(changes(&run, 1).len() > 5, "{run:#}");
    assert_eq!(changes(&run, 2), [""; 0]);
    assert_eq!(changes(&run, 3), ["-n ns1 link set mac1 type macvlan mode private"]);
}

const MACHINE: &str = "link add eth9 type veth peer name sw9
                       link set sw9 up
                       link set eth9 up";

const GRANTS: [&str; 4] = [
    "host.link.read",
    "host.link.create kind=macvlan name=en0 parent=eth9 mtu=1280-1500",
    "host.address.add cidr=10.99.0.0/24,2001:db8::/64 link=en0",
    "host.route.add cidr=10.98.0.0/16 link=en0",
];

fn on_host(host: &Host, parameters: &[&str], variables: &[(&str, &str)]) -> Output {
    let recipe = workspace().join("target/recipes/components/ensured.wasm");
    let recipe = recipe.display().to_string();
    let mut words = vec!["run", &recipe, "--target", "host", "--json", "-p", "parent=eth9"];
    words.extend(parameters.iter().flat_map(|parameter| ["-p", parameter]));
    words.extend(GRANTS.iter().flat_map(|grant| ["--grant", grant]));
    host.netwright(words, variables)
}

#[test]
fn what_others_made_as_it_shall_be_stays_theirs() {
    let host = Host::with(MACHINE);
    host.ip_lines(
        "link add link eth9 name en0 mtu 1400 address 02:aa:bb:cc:dd:0e type macvlan mode bridge
         link set en0 up
         address add 10.99.0.5/24 dev en0
         address add 2001:db8::5/64 dev en0
         route add 10.98.0.0/16 via 10.99.0.1 dev en0",
    );
    host.settle();
    let before = host.state();
    let run = on_host(&host, &[], &[]).expect_code(0).json();
    assert_eq!(changes(&run, 0), [""; 0]);
    assert_eq!(host.differences(&before), [""; 0]);
    // It would have to be altered, and nobody granted that.
    let denied = on_host(&host, &["mtu=1300"], &[]).expect_code(4);
    assert!(denied.stdout.contains("host.link.modify"), "{denied:#?}");
    assert_eq!(host.differences(&before), [""; 0]);
}

#[test]
fn a_second_run_on_the_host_changes_nothing_of_its_own() {
    let host = Host::with(MACHINE);
    let before = host.state();
    let whole = on_host(&host, &[], &[]).expect_code(0).json();
    assert_eq!(host.differences(&before), [""; 0]);
    for k in 1..=changes(&whole, 0).len() {
        on_host(&host, &[], &[("NETWRIGHT_FAIL_AT", &k.to_string())]).expect_code(5);
        assert_eq!(host.differences(&before), [""; 0], "change {k}");
    }
}

/// br_multicast_set_query_intvl (net/bridge/br_multicast.c) takes 0.1 s for 1 s, and says yes.
#[test]
fn what_the_kernel_accepts_and_does_not_do_is_told() {
    let host = Host::with(MACHINE);
    let before = host.state();
    let script = "link add lab-br type bridge mcast_query_interval 10";
    let grants = ["host.link.create kind=bridge name=lab-*"];
    let run = host.run_ip(script, &grants).expect_code(1).json();
    let check = &run["checks"][0];
    assert_eq!(check["verdict"], "fail", "{run:#}");
    let detail = check["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("`lab-br` has") && detail.contains("mcast_query_interval"), "{detail}");
    assert_eq!(run["left"], json!([]), "{run:#}");
    assert_eq!(host.differences(&before), [""; 0]);
    host.run_ip("link add lab-br type bridge mcast_query_interval 200", &grants).expect_code(0);
}

/// A network of before, and a topology that is ensured in it twice: what the first time took, and what
/// iproute2 shows of it then. The second time takes nothing.
fn ensured_over(before: &str, wanted: &str, question: &[&str]) -> (u64, String) {
    let session = Session::new();
    let lines: String = before.lines().map(|line| format!("        {}\n", line.trim())).collect();
    let step = |name: &str| {
        format!(
            "  - {{ name: {name}, recipe: 'builtin:topology', params: {{ ensure: true, existing: {{ links: [e0] }}, {wanted} }} }}\n"
        )
    };
    let text = format!(
        "name: over\nsteps:\n  - recipe: builtin:ip\n    params:\n      script: |\n        ip link add e0 type veth peer name e1\n        ip link set e0 up\n        ip link set e1 up\n        ip address add 10.0.0.1/24 dev e0\n{lines}{}{}",
        step("first"),
        step("second")
    );
    let file = session.file("over.yaml", text);
    let run = ["run".as_ref(), "--json".as_ref(), "--keep=over".as_ref(), file.as_os_str()];
    let run = session.netwright(run).expect_code(0).json();
    let lab = session.deployed("over");
    assert_eq!(changes(&run, 2), [""; 0], "{before}: {wanted}");
    let shown = lab.exec(None, question).expect_code(0).stdout;
    (changes(&run, 1).len() as u64, shown)
}

/// A state that lasts is a neighbour's as much as its MAC address; one that comes and goes is what it
/// was asked to be when it was asked.
#[test]
fn neighbours_get_the_state_that_was_asked_for() {
    let states = ["permanent", "noarp", "reachable", "stale"];
    for wanted in states {
        for there in states {
            let before =
                format!("ip neigh add 10.0.0.6 lladdr 02:00:00:00:00:06 dev e0 nud {there}");
            let asked = format!(
                "neighbours: [{{ link: e0, address: 10.0.0.6, mac: '02:00:00:00:00:06', state: {wanted} }}]"
            );
            let question = ["ip", "neigh", "show", "10.0.0.6", "nud", "all"];
            let (took, shown) = ensured_over(&before, &asked, &question);
            assert_eq!(took, u64::from(wanted != there), "{there} to {wanted}");
            assert!(shown.contains(&wanted.to_uppercase()), "{there} to {wanted}: {shown}");
        }
    }
}

/// What the kernel takes for the same address goes, for the kernel would not add another one.
#[test]
fn addresses_with_another_peer_or_network_are_made_anew() {
    for (there, wanted, shown) in [
        (
            "10.1.0.1 peer 10.1.0.2/24",
            "address: 10.1.0.1/24, peer: 10.1.0.3/24",
            "10.1.0.1 peer 10.1.0.3/24",
        ),
        ("10.1.0.1/24", "address: 10.1.0.1/24, peer: 10.1.0.3/24", "10.1.0.1 peer 10.1.0.3/24"),
        ("10.1.0.1 peer 10.1.0.2/24", "address: 10.1.0.1/24", "10.1.0.1/24"),
        ("fd00::1/64", "address: 'fd00::1/128', nodad: true", "fd00::1/128"),
        ("fd00::1 peer fd00::2", "address: 'fd00::1/64', nodad: true", "fd00::1/64"),
    ] {
        let before = format!("ip address add {there} dev e0");
        let asked = format!("links: [{{ name: e0, addresses: [10.0.0.1/24, {{ {wanted} }}] }}]");
        let question = ["ip", "address", "show", "dev", "e0"];
        let (took, all) = ensured_over(&before, &asked, &question);
        assert_eq!(took, 2, "{there} to {wanted}");
        assert!(all.contains(&format!(" {shown} ")), "{there} to {wanted}: {all}");
        assert!(!all.contains(&format!(" {there} ")), "{there} to {wanted}: {all}");
    }
    // Another one beside it, which the kernel takes, stays.
    let asked = "links: [{ name: e0, addresses: [10.0.0.1/24, 10.1.0.1/16] }]";
    let question = ["ip", "address", "show", "dev", "e0"];
    let (took, all) = ensured_over("ip address add 10.1.0.1/24 dev e0", asked, &question);
    assert_eq!(took, 1);
    assert!(all.contains("10.1.0.1/24") && all.contains("10.1.0.1/16"), "{all}");
}

/// The kernel takes a rule and its `not` for the same, and doesn't ask who made it.
#[test]
fn rules_whose_twin_is_there_are_made_anew() {
    for (there, wanted, shown) in [
        (
            "not to 10.0.0.0/8 pref 78 prohibit",
            "priority: 78, to: 10.0.0.0/8, action: prohibit",
            "78:\tfrom all to 10.0.0.0/8 prohibit",
        ),
        (
            "not from 10.0.0.0/8 pref 77 table 77",
            "priority: 77, from: 10.0.0.0/8, table: 77",
            "77:\tfrom 10.0.0.0/8 lookup 77",
        ),
    ] {
        let before = format!("ip rule add {there}");
        let question = ["ip", "rule", "show"];
        let (took, all) = ensured_over(&before, &format!("rules: [{{ {wanted} }}]"), &question);
        assert_eq!(took, 2, "{there} to {wanted}");
        assert!(all.contains(shown) && !all.contains("not "), "{there} to {wanted}: {all}");
    }
    // One that the kernel has room for beside it stays.
    let asked = "rules: [{ priority: 79, to: 10.0.0.0/8, action: prohibit }]";
    let before = "ip rule add not to 10.0.0.0/8 pref 78 prohibit";
    let (took, all) = ensured_over(before, asked, &["ip", "rule", "show"]);
    assert!(took == 1 && all.contains("78:\tnot from all to 10.0.0.0/8"), "{all}");
}
