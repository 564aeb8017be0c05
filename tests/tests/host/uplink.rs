//! A lab is joined to a network that the machine is on, where the operator says so.

use netwright_tests::{Host, Output};

const NIC: &str = "link add eth1 type veth peer name sw1
                   link set eth1 up
                   link set sw1 up
                   address add 10.9.0.1/24 dev sw1
                   link add eth2 type veth peer name sw2
                   link add docker0 type bridge";

const CHILD: &str =
    "ip link add link eth1 name mac1 address 02:00:00:00:00:07 type macvlan mode bridge
                     ip address add 10.9.0.2/24 dev mac1
                     ip link set mac1 up
                     ip netns add n1
                     ip link add link eth1 name eth0 netns n1 up type macvlan mode bridge
                     ip -n n1 address add 10.9.0.3/24 dev eth0";

fn run(host: &Host, script: &str, grants: &[&str]) -> Output {
    let lines: Vec<&str> = script.lines().map(str::trim).collect();
    let script = format!("script={}", lines.join("\n"));
    let mut words = vec!["run", "builtin:ip", "-p", &script];
    words.extend(grants.iter().flat_map(|grant| ["--grant", grant]));
    host.netwright(words, &[])
}

#[test]
fn a_lab_reaches_the_network_of_its_uplink_and_leaves_nothing_there() {
    let host = Host::with(NIC);
    let before = host.state();
    let grants = ["uplink link=eth1 mode=macvlan,macvtap"];
    let pings = "ip netns exec n1 ping -c 1 10.9.0.1
                 ip netns exec n1 ping -c 1 10.9.0.2";
    let script = format!("{CHILD}\n{pings}");
    run(&host, &script, &grants).expect_code(0);
    assert_eq!(host.differences(&before), [""; 0]);
    let failing = format!("{CHILD}\nip link set nobody up");
    run(&host, &failing, &grants).expect_code(5);
    assert_eq!(host.differences(&before), [""; 0]);
}

#[test]
fn an_uplink_is_the_link_and_the_way_that_the_operator_names() {
    let host = Host::with(NIC);
    let before = host.state();
    let child = |parent: &str, kind: &str| format!("ip link add link {parent} name m1 type {kind}");
    let grants = ["uplink link=eth1,docker0 mode=macvlan"];
    for (script, grants, code, words) in [
        (child("eth1", "macvlan"), &[][..], 5, "no link `eth1`"),
        (child("eth2", "macvlan"), &grants[..], 5, "no link `eth2`"),
        (child("eth1", "macvtap"), &grants[..], 4, "mode=macvtap"),
        (child("eth1", "macvlan mode passthru"), &grants[..], 4, "uplink.passthru"),
        (child("docker0", "macvlan"), &grants[..], 4, "Docker looks after it"),
    ] {
        let output = run(&host, &script, grants).expect_code(code);
        assert!(output.stderr.contains(words), "{script}: {}", output.stderr);
        assert_eq!(host.differences(&before), [""; 0], "{script}");
    }
}

/// A link of the lab's own comes before the host's.
#[test]
fn a_link_of_the_lab_hides_the_uplink_of_its_name() {
    let host = Host::with(NIC);
    let script = "ip link add eth1 type veth peer name other
                  ip link set eth1 up
                  ip link set other up
                  ip link add link eth1 name mac1 up type macvlan mode bridge
                  ip address add 10.9.0.2/24 dev mac1
                  ip netns add n1
                  ip link set other netns n1
                  ip -n n1 link set other up
                  ip -n n1 address add 10.9.0.1/24 dev other
                  ip netns exec n1 ping -c 1 10.9.0.2";
    run(&host, script, &["uplink link=eth1 mode=macvlan"]).expect_code(0);
}

/// Kinds of children that this kernel lacks are there on the second one.
#[test]
fn a_lab_is_joined_by_every_kind_of_child_that_the_kernel_has() {
    let complete = netwright_tests::is_complete_kernel();
    let kinds = ["macvlan", "macvtap", "ipvlan", "ipvtap", "vlan"];
    for kind in &kinds[..if complete { 5 } else { 2 }] {
        let host = Host::with(NIC);
        let options = match *kind {
            "vlan" => " id 7",
            // The kernel's own choice is l3, which asks for no MAC address.
            "ipvlan" | "ipvtap" => " mode l2",
            _ => "",
        };
        if *kind == "vlan" {
            host.ip_lines(
                "link add link sw1 name sw1.7 up type vlan id 7
                 address del 10.9.0.1/24 dev sw1
                 address add 10.9.0.1/24 dev sw1.7",
            );
            host.settle();
        }
        let before = host.state();
        let mut script = format!(
            "ip netns add n1
             ip link add link eth1 name eth0 netns n1 up type {kind}{options}
             ip -n n1 address add 10.9.0.3/24 dev eth0"
        );
        // What a tap receives is for who opened it.
        if !kind.ends_with("tap") {
            script += "\nip netns exec n1 ping -c 1 10.9.0.1";
        }
        let joined = run(&host, &script, &[&format!("uplink link=eth1 mode={kind}")]);
        assert_eq!(joined.code, 0, "{kind}: {joined:#?}");
        assert_eq!(host.differences(&before), [""; 0], "{kind}");
    }
}

const SWITCH: &str = "link add sw7 type bridge
                      link set sw7 up
                      address add 10.8.0.1/24 dev sw7
                      link add far7 type veth peer name port7
                      link set port7 up master sw7
                      link set far7 up
                      link add eth1 type veth peer name far1
                      link add docker0 type bridge";

/// In ip(8)'s words, and as a topology.
const STATION: &str = "ip netns add n1
                       ip link add link sw7 name eth0 netns n1 mtu 1400 up type veth
                       ip -n n1 address add 10.8.0.2/24 dev eth0
                       ip netns exec n1 ping -c 1 10.8.0.1";
const TOPOLOGY: &str = "name: port
steps:
  - name: station
    recipe: builtin:topology
    params:
      namespaces: [n1]
      existing: { links: [sw7] }
      links: [{ name: eth0, namespace: n1, kind: veth, parent: sw7, addresses: [10.8.0.2/24] }]
checks:
  - ping: { from: n1, to: 10.8.0.1 }
";

#[test]
fn a_lab_gets_a_port_of_a_bridge_and_leaves_none_there() {
    let host = Host::with(SWITCH);
    host.settle();
    let before = host.state();
    let mac = || host.ip_json(&["link", "show", "sw7"])[0]["address"].clone();
    let own = mac();
    let grants = ["uplink link=sw7 mode=port"];
    run(&host, STATION, &grants).expect_code(0);
    assert_eq!(host.differences(&before), [""; 0]);
    let failing = format!("{STATION}\nip link set nobody up");
    run(&host, &failing, &grants).expect_code(5);
    assert_eq!(host.differences(&before), [""; 0]);
    let file = host.session().file("port.yaml", TOPOLOGY).display().to_string();
    let words = ["run", &file, "--keep", "port", "--grant", grants[0]];
    host.netwright(words, &[]).expect_code(0);
    let ports = host.ip_json(&["link", "show", "master", "sw7"]);
    let names = ports.as_array().into_iter().flatten().filter_map(|port| port["ifname"].as_str());
    let ours: Vec<&str> = names.filter(|name| name.starts_with("nw")).collect();
    assert_eq!(ours.len(), 1, "{ports}");
    assert_eq!(mac(), own);
    host.netwright(["destroy", "port"], &[]).expect_code(0);
    assert_eq!(host.differences(&before), [""; 0]);
}

#[test]
fn a_port_is_one_of_a_bridge_that_the_operator_names() {
    let host = Host::with(SWITCH);
    host.settle();
    let before = host.state();
    let port = |bridge: &str| format!("ip link add link {bridge} name p1 type veth");
    let grants = ["uplink link=sw7,eth1,docker0 mode=port"];
    for (script, grants, code, words) in [
        (port("sw7"), &[][..], 5, "--grant 'uplink link=sw7 mode=port'"),
        (port("sw7"), &["uplink link=sw7 mode=macvlan"][..], 4, "mode=port"),
        (port("eth1"), &grants[..], 5, "`eth1` is no bridge"),
        (port("docker0"), &grants[..], 4, "Docker looks after it"),
        (format!("ip link add sw7 type bridge\n{}", port("sw7")), &grants[..], 5, "no other link"),
    ] {
        let output = run(&host, &script, grants).expect_code(code);
        assert!(output.stderr.contains(words), "{script}: {}", output.stderr);
        assert_eq!(host.differences(&before), [""; 0], "{script}");
    }
}

#[test]
fn an_ordinary_user_is_told_what_an_uplink_needs() {
    let session = netwright_tests::Session::as_ordinary_user();
    let words = ["run", "builtin:ip", "-p", "script=ip netns add a", "--grant"];
    let output = session.netwright(words.into_iter().chain(["uplink link=eth1 mode=macvlan"]));
    let output = output.expect_code(8);
    assert!(output.stderr.contains("needs CAP_NET_ADMIN"), "{}", output.stderr);
}

/// Writes the policy of whoever runs the program.
fn forbid(host: &Host, rule: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = host.session().path("home/.config/netwright");
    std::fs::create_dir_all(&folder).expect("the home is the test's own");
    let file = folder.join("policy.yaml");
    std::fs::write(&file, format!("deny:\n  - {rule}\n")).expect("the folder is ours");
    let only_ours = |mode| std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(&folder, only_ours(0o700)).expect("it is ours");
    std::fs::set_permissions(&file, only_ours(0o600)).expect("it is ours");
}

/// What is forbidden is forbidden, whatever way leads there, and whoever is asked.
#[test]
fn what_a_policy_forbids_of_an_uplink_stays_forbidden() {
    let grants = ["uplink link=eth1 mode=macvlan,macvtap", "uplink.passthru link=eth1"];
    let passthru = "ip link add link eth1 name m1 type macvlan mode passthru";
    let taken = [
        passthru,
        "ip link add link eth1 name m1 type macvtap mode passthru",
        "ip link add link eth1 name m1 type macvlan mode source",
        "ip link add link eth1 name m1 type macvlan mode bridge
         ip link set m1 type macvlan mode source",
        // A macvlan on a child is one of the host's link.
        "ip link add link eth1 name m1 type macvlan mode bridge
         ip link add link m1 name m2 type macvlan mode source",
        "ip link add link eth1 name m1 type macvlan mode bridge
         ip link add link m1 name m2 type macvlan mode bridge
         ip link set m2 name m3
         ip link set m3 type macvlan mode source",
        "ip netns add n1
         ip link add link eth1 name m1 type macvlan mode bridge
         ip link set m1 netns n1
         ip -n n1 link set m1 type macvlan mode source",
    ];
    for rule in
        ["uplink.passthru", "uplink.passthru: { link: eth1 }", "uplink.passthru: { link: e* }"]
    {
        let host = Host::with(NIC);
        forbid(&host, rule);
        let before = host.state();
        for script in taken {
            let output = run(&host, script, &grants).expect_code(4);
            assert!(output.stderr.contains("uplink.passthru"), "{script}: {}", output.stderr);
            assert_eq!(host.differences(&before), [""; 0], "{script}");
        }
        let plain = "ip link add link eth1 name m1 type macvlan mode bridge";
        run(&host, plain, &grants).expect_code(0);
    }
    let host = Host::with(NIC);
    run(&host, passthru, &grants).expect_code(0);
    forbid(&host, "uplink: { mode: macvtap }");
    let tap = "ip link add link eth1 name m1 type macvtap mode bridge";
    let output = run(&host, tap, &grants).expect_code(4);
    assert!(output.stderr.contains("uplink"), "{}", output.stderr);
}

/// A step that leaves a right out does without it, as its recipe's manifest would.
#[test]
fn a_step_has_of_an_uplink_what_it_asks_for() {
    let host = Host::with(NIC);
    let before = host.state();
    let scenario = |grants: &str, ensure: &str| {
        let text = format!(
            "name: up\nsteps:\n  - recipe: builtin:topology\n    params:\n      {ensure}\n      \
             links: [{{ name: m0, kind: macvlan, mode: passthru, parent: eth1 }}]\n      \
             existing: {{ links: [eth1] }}\n    grants: [{grants}]\n"
        );
        let file = host.session().file("up.yaml", text).display().to_string();
        let mut words = vec!["run", file.as_str()];
        words.extend(["--grant", "uplink link=eth1 mode=macvlan"]);
        words.extend(["--grant", "uplink.passthru link=eth1"]);
        host.netwright(words, &[])
    };
    for ensure in ["ensure: false", "ensure: true"] {
        let output = scenario("uplink link=eth1 mode=macvlan", ensure).expect_code(4);
        assert!(output.stderr.contains("uplink.passthru"), "{}", output.stderr);
        scenario("", ensure).expect_code(4);
        scenario("uplink link=eth1 mode=macvlan, uplink.passthru", ensure).expect_code(0);
        assert_eq!(host.differences(&before), [""; 0]);
    }
}

/// A plan rehearses, and touches nothing: its lab is joined to stand-ins.
#[test]
fn a_lab_with_an_uplink_is_planned_and_deployed() {
    let host = Host::with(&format!("{NIC}\nlink add br0 type bridge\nlink set sw2 master br0"));
    for (name, script, grant) in [
        (
            "child",
            "ip link add mac1 link eth1 type macvlan mode bridge",
            "uplink link=eth1 mode=macvlan",
        ),
        (
            "tap",
            "ip link add tap1 link eth1 type macvtap mode vepa",
            "uplink link=eth1 mode=macvtap",
        ),
        ("port", "ip link add eth0 link br0 type veth", "uplink link=br0 mode=port"),
    ] {
        let text = |script: &str| {
            format!(
                "name: {name}\nsteps:\n  - recipe: builtin:ip\n    params: {{ script: \"{script}\" }}\n"
            )
        };
        let file = host.session().file(&format!("{name}.yaml"), text(script));
        let file = file.display().to_string();
        let before = host.state();
        let told = |words: &[&str]| {
            let words = [words, &[&file, "--grant", grant]].concat();
            host.netwright(words, &[])
        };
        let plan = told(&["plan", "--exit-code"]).expect_code(3);
        assert!(plan.stdout.contains("1 change"), "{plan:#?}");
        assert_eq!(host.differences_now(&before), [""; 0], "{name}: a plan touches nothing");
        told(&["apply"]).expect_code(0);
        let plan = told(&["plan", "--exit-code"]).expect_code(0);
        assert!(plan.stdout.contains("0 changes"), "{plan:#?}");
        let again = told(&["apply"]).expect_code(0);
        assert!(again.stdout.contains("0 changes"), "{again:#?}");
        // One more change, of the link that the uplink made.
        let link = script.split(' ').nth(3).expect("a name");
        host.session().file(
            &format!("{name}.yaml"),
            text(&format!("{script}\\nip link set {link} mtu 1400")),
        );
        let plan = told(&["plan", "--exit-code"]).expect_code(3);
        assert!(plan.stdout.contains("mtu 1500 -> 1400"), "{plan:#?}");
        told(&["apply"]).expect_code(0);
        told(&["plan", "--exit-code"]).expect_code(0);
        host.netwright(["destroy", name], &[]).expect_code(0);
        assert_eq!(host.differences(&before), [""; 0], "{name}");
    }
    // What is not given is missing in a plan as it is in a run.
    let file = host.session().file("none.yaml", "name: none\nsteps:\n  - recipe: builtin:ip\n    params: { script: \"ip link add mac1 link eth2 type macvlan\" }\n");
    let file = file.display().to_string();
    let plan = ["plan", &file, "--grant", "uplink link=eth1 mode=macvlan"];
    let plan = host.netwright(plan, &[]).expect_code(5);
    assert!(plan.stderr.contains("has no link `eth2`"), "{}", plan.stderr);
}
