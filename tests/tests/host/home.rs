//! A link of others' that the run moves comes home as it was, whatever became of its index there, and
//! is one run's wherever it is.

use netwright_tests::{Host, Output};

const MOVE: [&str; 4] = [
    "host.link.read",
    "host.namespace name=lab-*",
    "host.namespace name=c1",
    "host.link.move name=eth1",
];
const MODIFY: &str = "host.link.modify name=eth1";

const LINKS: &str = "link add eth1 type veth peer name sw1
    link set sw1 up
    address add 192.0.2.1/24 dev eth1
    -6 address add 2001:db8::1/64 dev eth1 nodad
    link set eth1 up
    route add 10.0.0.0/8 via 192.0.2.9
    neighbour add 192.0.2.9 lladdr 02:00:00:00:00:09 dev eth1 nud permanent
    netns add c1";

const AWAY: &str = "ip netns add lab-n\nip link set eth1 netns lab-n";

fn apply(host: &Host, name: &str, script: &str, grants: &[&str]) -> Output {
    host.apply_ip(name, script, grants, &[])
}

/// The link, but for its index: addresses, routes, neighbours and settings.
fn about(host: &Host) -> String {
    let script = "ip -o link show eth1 | sed 's/^[0-9]*: //; s/@if[0-9]*//; s/@[a-z0-9]*//'
        ip -o address show dev eth1 | sed 's/^[0-9]*: //'
        ip route show dev eth1; ip -6 route show dev eth1
        ip neighbour show dev eth1 nud permanent
        cat /proc/sys/net/ipv4/conf/eth1/rp_filter";
    host.run("sh", ["-c", script]).expect_code(0).stdout
}

fn index(host: &Host) -> u64 {
    host.ip_json(&["link", "show", "eth1"])[0]["ifindex"].as_u64().expect("an index")
}

#[test]
fn a_link_whose_index_was_given_away_is_as_before() {
    let taking: [fn(&Host, u64); 3] = [
        |host, old| {
            host.ip_lines(&format!("link add strange index {old} type bridge"));
        },
        // Somebody brings it home by hand, and somebody else has the index.
        |host, old| {
            host.ip_lines(&format!(
                "link add strange index {old} type veth peer name strange2
                 -n lab-n link set eth1 netns {}",
                host.process()
            ));
        },
        |host, _| host.ip_lines(&format!("-n lab-n link set eth1 netns {}", host.process())),
    ];
    for taken in taking {
        let host = Host::with(LINKS);
        host.run("sh", ["-c", "echo 2 > /proc/sys/net/ipv4/conf/eth1/rp_filter"]).expect_code(0);
        let (before, old) = (about(&host), index(&host));
        let script = format!("ip link set eth1 mtu 1400\n{AWAY}");
        apply(&host, "lent", &script, &[&MOVE[..], &[MODIFY]].concat()).expect_code(0);
        taken(&host, old);
        host.netwright(["destroy", "lent"], &[]).expect_code(0);
        let after = netwright_tests::machine::until_empty(|| match about(&host) == before {
            true => Vec::new(),
            false => vec![about(&host)],
        });
        assert_eq!(after, [""; 0], "{before}");
        let strange = host.run("ip", ["link", "show", "strange"]);
        assert!(strange.code != 0 || !strange.stdout.contains("192.0.2"), "{strange:#?}");
    }
}

#[test]
fn a_moved_link_is_one_runs_wherever_it_is() {
    let host = Host::with(LINKS);
    let before = host.state();
    let grants = [&MOVE[..], &[MODIFY, "host.link.create kind=macvlan parent=eth1 name=lab-*"]];
    let grants = grants.concat();
    apply(&host, "first", "ip link set eth1 netns c1", &grants).expect_code(0);
    for script in [
        "ip -n c1 link set eth1 mtu 1400",
        "ip -n c1 link set eth1 alias bb up",
        "ip netns add lab-n\nip -n c1 link set eth1 netns lab-n",
        "ip -n c1 link add lab-m link eth1 type macvlan mode bridge",
        "ip -n c1 neighbour add 192.0.2.77 lladdr 02:00:00:00:00:77 dev eth1 nud permanent",
    ] {
        let output = apply(&host, "second", script, &grants);
        assert!(!matches!(output.code, 0 | 6), "{script}: {output:#?}");
        assert!(output.stderr.contains("first"), "{script}: {output:#?}");
    }
    host.netwright(["destroy", "first"], &[]).expect_code(0);
    assert_eq!(host.differences(&before), [""; 0]);
}

/// What the run set on it in a namespace of its own would be set on it at home.
#[test]
fn a_link_goes_home_altered_only_by_the_right_to_alter_it() {
    let host = Host::with(LINKS);
    let before = host.state();
    let home = "ip -n lab-n link set eth1 netns 1";
    let back = |script: &str, more: &[&str]| {
        let script = format!("{AWAY}\n{script}\n{home}");
        host.run_ip(&script, &[&MOVE[..], more].concat())
    };
    for script in [
        "ip -n lab-n link set eth1 mtu 700",
        "ip -n lab-n link set eth1 address 02:00:00:00:ee:ee",
        "ip -n lab-n link set eth1 alias evil",
        "ip -n lab-n link set eth1 promisc on",
        "ip -n lab-n link set eth1 arp off",
        "ip -n lab-n link set eth1 multicast off",
        "ip -n lab-n link set eth1 txqueuelen 7",
        "ip -n lab-n link set eth1 mtu 700\nip -n lab-n link set eth1 up",
    ] {
        let output = back(script, &[]);
        assert_eq!(output.code, 4, "{script}: {output:#?}");
        assert_eq!(host.differences(&before), [""; 0], "{script}");
        let output = back(script, &[MODIFY]);
        assert_eq!(output.code, 0, "{script}: {output:#?}");
        assert_eq!(host.differences(&before), [""; 0], "{script}");
    }
    let output = back("ip -n lab-n link show", &[]);
    assert_eq!(output.code, 0, "{output:#?}");
    assert_eq!(host.differences(&before), [""; 0]);
}
