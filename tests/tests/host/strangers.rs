//! Links of somebody else's in the run's places: under its mark, its index, in its namespace; and its own
//! in somebody else's.

use netwright_tests::{Host, Output};

const GRANTS: [&str; 6] = [
    "host.link.read",
    "host.namespace name=lab-*",
    "host.link.create kind=bridge,veth name=lab-*",
    "host.link.create kind=macvlan name=lab-* parent=eth1",
    "host.link.modify name=eth1,eth7",
    "host.address.add cidr=10.0.0.0/8 link=lab-*",
];
const MACHINE: &str = "link add eth1 type veth peer name sw1
                       link set sw1 up
                       link set eth1 up
                       netns add c1
                       netns add c2";

fn words(script: &str) -> Vec<String> {
    let lines: Vec<&str> = script.lines().map(str::trim).collect();
    let script = format!("script={}", lines.join("\n"));
    let words = ["run", "builtin:ip", "-p", &script, "--target", "host", "--keep", "one"];
    let mut words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    words.extend(GRANTS.iter().flat_map(|grant| ["--grant".to_owned(), (*grant).to_owned()]));
    words
}

fn keep(host: &Host, script: &str) {
    host.netwright(words(script), &[]).expect_code(0);
}

fn destroy(host: &Host) -> Output {
    host.netwright(["destroy", "one"], &[])
}

/// What else than `lo` a namespace holds.
fn links_of(host: &Host, namespace: &str) -> Vec<String> {
    let all = host.ip_json(&["-n", namespace, "link", "show"]);
    let names = all.as_array().into_iter().flatten().filter_map(|link| link["ifname"].as_str());
    names.filter(|name| *name != "lo").map(str::to_owned).collect()
}

#[test]
fn a_link_of_the_runs_goes_wherever_somebody_moved_it() {
    for (made, moved) in [
        ("ip link add link eth1 lab-a type macvlan mode bridge", "link set lab-a netns c1"),
        (
            "ip link add lab-a type veth peer name lab-b",
            "link set lab-a netns c1
             link set lab-b netns c2",
        ),
        (
            "ip link add lab-a type veth peer name lab-b",
            "link set lab-a netns c1
             link set lab-b netns c1
             -n c1 link set lab-a name other0
             -n c1 link set lab-b name other1",
        ),
        // Moved by the run first.
        (
            "ip netns add lab-n
             ip link add lab-a type veth peer name lab-b
             ip link set lab-a netns lab-n",
            "-n lab-n link set lab-a netns c1 name other0",
        ),
        (
            "ip netns add lab-n
             ip link add lab-a type veth peer name lab-b
             ip link set lab-a netns lab-n",
            "-n lab-n link set lab-a name other0
             link set lab-b netns c1",
        ),
        (
            "ip netns add lab-n
             ip link add lab-a type veth peer name lab-b
             ip link set lab-a netns lab-n",
            "-n lab-n link delete lab-a",
        ),
        // And deleted by it.
        (
            "ip netns add lab-n
             ip link add lab-a type veth peer name lab-b
             ip link set lab-a netns lab-n
             ip -n lab-n link delete lab-a",
            "",
        ),
        (
            "ip netns add lab-n
             ip link add lab-a type veth peer name lab-b
             ip link set lab-a netns lab-n
             ip link delete lab-b",
            "",
        ),
    ] {
        let host = Host::with(MACHINE);
        let before = host.state();
        keep(&host, made);
        host.ip_lines(moved);
        destroy(&host).expect_code(0);
        assert_eq!(links_of(&host, "c1"), [""; 0], "{made}; {moved}");
        assert_eq!(links_of(&host, "c2"), [""; 0], "{made}; {moved}");
        assert_eq!(host.differences(&before), [""; 0], "{made}; {moved}");
    }
}

#[test]
fn links_that_somebody_gave_the_runs_mark_are_theirs() {
    let host = Host::with(MACHINE);
    keep(&host, "ip link add lab-a type bridge");
    let group = host.ip_json(&["link", "show", "lab-a"])[0]["group"].clone();
    let group = group.as_str().map_or_else(|| group.to_string(), str::to_owned);
    for line in [
        "link add mine0 type bridge",
        "link add mine1 type veth peer name mine2",
        "-n c1 link add mine3 type bridge",
    ] {
        host.ip_lines(line);
    }
    for name in ["mine0", "mine1", "mine2"] {
        host.ip_lines(&format!("link set {name} group {group}"));
    }
    host.ip_lines(&format!("-n c1 link set mine3 group {group}"));
    destroy(&host).expect_code(0);
    let names: Vec<_> = host.ip_json(&["link", "show"]).as_array().cloned().unwrap_or_default();
    let names: Vec<_> = names.iter().filter_map(|link| link["ifname"].as_str()).collect();
    for name in ["mine0", "mine1", "mine2"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(!names.contains(&"lab-a"), "{names:?}");
    assert_eq!(links_of(&host, "c1"), ["mine3"]);
}

#[test]
fn a_link_that_got_the_index_of_a_borrowed_one_stays_as_it_is() {
    for (kind, name) in [("bridge", "eth9"), ("veth", "eth9"), ("bridge", "eth1")] {
        for script in [
            "ip link set eth1 mtu 1000",
            "ip link set eth1 down
             ip link set eth1 name eth7
             ip link set eth7 address 02:00:00:00:00:77 mtu 1000",
        ] {
            let host = Host::with(MACHINE);
            keep(&host, script);
            let now = if script.contains("eth7") { "eth7" } else { "eth1" };
            let index = host.ip_json(&["link", "show", now])[0]["ifindex"].to_string();
            host.ip_lines(&format!("link delete {now}"));
            host.ip_lines(&format!("link add {name} index {index} type {kind}"));
            host.ip_lines(&format!("link set {name} mtu 1400"));
            let before = host.state();
            destroy(&host).expect_code(0);
            assert_eq!(host.differences(&before), [""; 0], "{kind} {name}: {script}");
        }
    }
    // The same one under other names is altered back.
    let host = Host::with(MACHINE);
    keep(&host, "ip link set eth1 address 02:00:00:00:00:77 mtu 1000");
    host.ip_lines(
        "link set eth1 down
         link set eth1 name eth7",
    );
    destroy(&host).expect_code(0);
    let link = host.ip_json(&["link", "show", "eth7"]);
    assert_eq!(link[0]["mtu"], 1500, "{link}");
    assert_ne!(link[0]["address"], "02:00:00:00:00:77", "{link}");
}

#[test]
fn a_link_that_somebody_moved_into_the_runs_namespace_does_not_go_with_it() {
    let script = "ip netns add lab-n
                  ip -n lab-n link add d0 type bridge
                  ip -n lab-n link add v0 type veth peer name v1
                  ip link add lab-a type veth peer name up0 netns lab-n";
    for name in ["eth1", "d7"] {
        let host = Host::with(MACHINE);
        keep(&host, script);
        host.ip_lines("link set eth1 netns lab-n");
        host.ip_lines(&format!("-n lab-n link set eth1 name {name}"));
        for command in ["destroy", "gc", "destroy"] {
            let words: &[&str] = if command == "gc" { &["gc"] } else { &["destroy", "one"] };
            let output = host.netwright(words, &[]);
            if command == "destroy" {
                let told = output.clone().expect_code(6);
                let told = told.stdout + &told.stderr;
                assert!(told.contains(&format!("holds link `{name}`")), "{told}");
                assert!(told.contains("help: move it out"), "{told}");
            }
            assert!(links_of(&host, "lab-n").contains(&name.to_owned()), "{command}");
        }
        host.ip_lines(&format!("-n lab-n link set {name} name eth1"));
        host.ip_lines(&format!("-n lab-n link set eth1 netns {}", host.process()));
        destroy(&host).expect_code(0);
        let left = host.run("sh", ["-c", "ls /run/netns; ip -br link"]).expect_code(0).stdout;
        assert!(!left.contains("lab-") && left.contains("eth1"), "{name}: {left}");
    }
}
