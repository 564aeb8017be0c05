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
