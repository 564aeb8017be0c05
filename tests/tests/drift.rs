//! What is a difference from a scenario and what is not: what somebody put by hand is mended, what
//! the kernel and daemons do by themselves is left alone.

use netwright_tests::{Lab, Output, Session, has_bonds};

fn scenario(name: &str) -> String {
    format!(
        "\
name: {name}
steps:
  - recipe: builtin:topology
    params:
      namespaces: [a]
      links:
        - {{ name: lo, namespace: a }}
        - {{ name: e, namespace: a, kind: veth, peer: ep, addresses: [10.0.1.2/24, 'fd00:1::2/64'] }}
        - {{ name: br0, namespace: a, kind: bridge, addresses: [10.0.2.2/24] }}
        - {{ name: br1, namespace: a, kind: bridge, up: false }}
      routes:
        - {{ namespace: a, destination: 10.1.0.0/16, gateway: 10.0.1.1 }}
        - {{ namespace: a, destination: 10.2.0.0/16, gateway: 10.0.1.1, metric: 50, table: 9 }}
        - {{ namespace: a, destination: 'fd00:2::/64', gateway: 'fd00:1::1' }}
      rules:
        - {{ namespace: a, from: 10.0.1.0/24, table: 9, priority: 100 }}
      neighbours:
        - {{ namespace: a, link: e, address: 10.0.1.9, mac: '02:00:00:00:00:09' }}
"
    )
}

fn plan(session: &Session) -> Output {
    session.netwright(["plan", "scenario.yaml", "--exit-code"])
}

fn by_hand(lab: &Lab<'_>, line: &str) {
    lab.exec(Some("a"), ["sh", "-ec", line]).expect_code(0);
}

/// By hand: what iproute2 can put where a scenario made something, in each of its forms.
const BY_HAND: &[&str] = &[
    // routes by objects, alone, in groups and of a blackhole
    "ip nexthop add id 7 via 10.0.1.1 dev e; ip route add 10.9.0.0/16 nhid 7",
    "ip nexthop add id 7 via fd00:1::1 dev e; ip -6 route add fd00:9::/64 nhid 7",
    "ip nexthop add id 7 via 10.0.1.1 dev e; ip nexthop add id 8 via 10.0.1.3 dev e; \
     ip nexthop add id 9 group 7/8,3; ip route add 10.9.0.0/16 nhid 9 metric 5 table 77",
    "ip nexthop add id 7 blackhole; ip route add 10.9.0.0/16 nhid 7",
    "ip nexthop add id 7 via fd00:1::1 dev e; ip route add 10.9.0.0/16 nhid 7",
    "ip nexthop add id 7 dev e; ip route add 10.9.0.0/16 nhid 7 proto static",
    // routes of every form
    "ip route add 10.9.0.0/16 nexthop via 10.0.1.1 weight 3 nexthop via 10.0.1.3 dev e",
    "ip -6 route add fd00:9::/64 nexthop via fd00:1::1 weight 3 nexthop via fd00:1::3",
    "ip route add 10.9.0.0/16 via inet6 fd00:1::1 dev e",
    "ip route add 10.9.0.0/16 via 10.77.0.1 dev e onlink",
    "ip route add 10.9.0.0/16 via 10.0.1.1 mtu lock 1400 advmss 1300 initcwnd 20 hoplimit 7",
    "ip route add 10.9.0.0/16 via 10.0.1.1 congctl reno rto_min 300ms quickack 1",
    "ip route add 10.9.0.0/16 via 10.0.1.1 metric 7; ip route add 10.9.0.0/16 via 10.0.1.3 metric 8",
    "ip route append 10.1.0.0/16 via 10.0.1.3",
    "ip route add 10.9.0.0/16 via 10.0.1.1 tos 0x10 src 10.0.1.2 proto static",
    "ip route add 10.9.0.0/16 dev e scope link table 4000",
    "ip route add blackhole 10.9.0.0/16; ip route add unreachable 10.8.0.0/16 metric 3; \
     ip route add prohibit 10.7.0.0/16; ip route add throw 10.6.0.0/16 table 9",
    "ip -6 route add blackhole fd00:9::/64; ip -6 route add unreachable fd00:8::/64 metric 3",
    "ip route add local 10.9.0.0/16 dev lo; ip route add broadcast 10.8.0.255 dev e; \
     ip route add multicast 239.0.0.0/8 dev e",
    "ip -6 route add fd00:9::/64 via fd00:1::1 pref high expires 9000",
    "ip route add default via 10.0.1.1; ip -6 route add default via fd00:1::1 metric 3",
    "ip route replace 10.1.0.0/16 via 10.0.1.3; ip route del 10.2.0.0/16 table 9",
    "ip route change 10.1.0.0/16 via 10.0.1.1 mtu 1300",
    "ip route flush table all proto boot; ip -6 route flush proto boot",
    // neighbours of a link that goes down again, with which the kernel forgets them
    "ip link set br1 up; ip neigh add 10.0.3.8 lladdr 02:00:00:00:00:08 dev br1 nud permanent; \
     ip neigh add proxy 10.0.3.7 dev br1",
    "ip link set br1 up; ip neigh add fd00:3::8 lladdr 02:00:00:00:00:08 dev br1 nud permanent",
    // addresses
    "ip addr add 10.0.1.3/24 dev e; ip addr add 10.5.0.1 peer 10.5.0.2 dev e; \
     ip addr add fd00:5::1/64 dev e nodad; ip addr add 10.6.0.1/32 dev lo",
    "ip addr del 10.0.1.2/24 dev e; ip addr add 10.0.1.2/24 brd + label e:1 dev e",
    "ip addr del 10.0.1.2/24 dev e; ip addr add 10.0.1.2/24 scope link metric 77 dev e",
    "ip addr change 10.0.1.2/24 dev e metric 77",
    "ip addr flush dev e",
    "ip addr add 10.0.1.2 peer 10.0.9.0/24 dev br0",
    // rules and neighbours
    "ip rule add from 10.7.0.0/16 table 9; ip -6 rule add fwmark 5/7 table 9; \
     ip rule add blackhole to 10.8.0.0/16; ip rule add iif e oif br0 uidrange 0-5 lookup 9; \
     ip rule del priority 100",
    "ip neigh add 10.0.1.8 lladdr 02:00:00:00:00:08 dev e; ip neigh add proxy 10.0.1.7 dev e; \
     ip neigh replace 10.0.1.9 lladdr 02:00:00:00:00:19 dev e",
    "ip neigh del 10.0.1.9 dev e",
    // links
    "ip link add x0 type veth peer name x1; ip link add x2 link e type macvlan mode bridge; \
     ip link set x0 master br0; ip link set x0 up",
    "ip link set e mtu 1400 txqueuelen 7 alias moved; ip link set e promisc on allmulticast on",
    "ip link set br0 type bridge stp_state 1 forward_delay 900 ageing_time 100",
    "ip addr flush dev e; ip link set e master br0; ip link set e type bridge_slave hairpin on",
    "ip link set e down",
    "ip link set lo down",
    "ip addr flush dev br0; ip link set br0 down; ip link set lo mtu 1400",
    "ip link set e group 5 arp off",
    // a rule in the place of one that the kernel takes for the same
    "ip rule del pref 100; ip rule add not from 10.0.1.0/24 table 9 pref 100",
    "ip rule del pref 100; ip rule add from 10.0.1.0/24 goto 32766 pref 100",
];

#[test]
fn what_a_plan_promises_apply_does() {
    let session = Session::new();
    session.file("scenario.yaml", scenario("promised"));
    session.netwright(["apply", "scenario.yaml", "-q"]).expect_code(0);
    let lab = session.deployed("promised");
    lab.settle();
    assert_eq!(plan(&session).expect_code(0).stdout, "promised: 0 changes\n");
    let mut broken = Vec::new();
    for line in BY_HAND {
        by_hand(&lab, line);
        let planned = plan(&session).expect_code(3).stdout;
        let applied = session.netwright(["apply", "scenario.yaml"]);
        let then = plan(&session);
        if !planned.contains("mended in place")
            || (applied.code, then.stdout.as_str()) != (0, "promised: 0 changes\n")
        {
            let Output { code, stderr, .. } = applied;
            broken.push(format!("{line}\n{planned}{code} {stderr}{}", then.stdout));
            session.netwright(["destroy", "promised"]).expect_code(0);
            session.netwright(["apply", "scenario.yaml", "-q"]).expect_code(0);
        }
        // Objects that routes lead by are nothing that a scenario has.
        by_hand(&lab, "ip nexthop flush 2>/dev/null");
    }
    assert!(broken.is_empty(), "{}", broken.join("\n---\n"));
}

#[test]
fn what_daemons_and_the_kernel_put_is_left_alone() {
    let session = Session::new();
    session.file("scenario.yaml", scenario("daemons"));
    session.netwright(["apply", "scenario.yaml", "-q"]).expect_code(0);
    let lab = session.deployed("daemons");
    by_hand(
        &lab,
        "ip nexthop add id 7 via 10.0.1.1 dev e proto zebra
         ip route add 10.11.0.0/16 nhid 7 proto ospf metric 20
         ip route add 10.12.0.0/16 via 10.0.1.1 proto zebra
         ip route add 10.13.0.0/16 via 10.0.1.1 proto bird
         ip route add default via 10.0.1.1 proto dhcp metric 100
         ip route add 10.14.0.0/16 via 10.0.1.1 proto 77
         ip -6 route add fd00:11::/64 via fd00:1::1 proto bgp
         ip -6 route add default via fd00:1::1 proto ra expires 1800
         ip -6 route append fd00:1::/64 dev e proto ra
         ip rule add from 10.15.0.0/16 table 9 protocol zebra
         ip addr add 10.0.1.50/24 dev e valid_lft 3600 preferred_lft 3600
         ip addr add fd00:1::50/64 dev e valid_lft 3600 preferred_lft 3600 nodad
         ip neigh add 10.0.1.60 lladdr 02:00:00:00:00:60 nud reachable dev e
         ip neigh add 10.0.1.61 lladdr 02:00:00:00:00:61 nud stale extern_learn dev e
         ip -6 neigh add fd00:1::60 lladdr 02:00:00:00:00:60 nud stale router dev e",
    );
    assert_eq!(plan(&session).expect_code(0).stdout, "daemons: 0 changes\n");
    session.netwright(["apply", "scenario.yaml"]).expect_code(0);
    let left = lab.exec(Some("a"), ["ip", "route", "show", "10.11.0.0/16"]).expect_code(0).stdout;
    assert!(left.contains("nhid 7"), "{left}");
}

/// A scenario's own word for a protocol makes those routes its own.
#[test]
fn routes_of_a_protocol_that_the_scenario_names_are_its_own() {
    let session = Session::new();
    let script = "ip link add e type veth peer name f; ip link set e up; ip address add 10.0.1.2/24 dev e; \
                  ip route add 10.1.0.0/16 via 10.0.1.1 proto bgp";
    let script = script.replace("; ", "\n        ");
    let text = format!(
        "name: named\nsteps:\n  - recipe: builtin:ip\n    params:\n      script: |\n        {script}\n"
    );
    session.file("scenario.yaml", text);
    session.netwright(["apply", "scenario.yaml", "-q"]).expect_code(0);
    let lab = session.deployed("named");
    let line = "ip route del 10.1.0.0/16; ip route add 10.2.0.0/16 via 10.0.1.1 proto bgp; \
                ip route add 10.3.0.0/16 via 10.0.1.1 proto ospf";
    lab.exec(None, ["sh", "-ec", line]).expect_code(0);
    let planned = plan(&session).expect_code(3).stdout;
    assert!(planned.contains("2 differences, mended in place by 2 changes"), "{planned}");
    session.netwright(["apply", "scenario.yaml"]).expect_code(0);
    assert_eq!(plan(&session).expect_code(0).stdout, "named: 0 changes\n");
}

/// On a kernel without bonds the scenario itself must say so.
#[test]
fn a_bond_that_failed_over_is_no_drift() {
    let session = Session::new();
    let text = "\
name: failed-over
steps:
  - recipe: builtin:topology
    params:
      namespaces: [host, sw]
      links:
        - { name: eth1, namespace: host, kind: veth, peer: sw/p1, master: bond0, up: false }
        - { name: eth2, namespace: host, kind: veth, peer: sw/p2, master: bond0, up: false }
        - { name: bond0, namespace: host, kind: bond, options: { mode: active-backup, miimon: 100 } }
";
    session.file("scenario.yaml", text);
    let applied = session.netwright(["apply", "scenario.yaml", "-q"]);
    if !has_bonds() {
        assert!(applied.expect_code(8).stderr.contains("the kernel lacks CONFIG_BONDING"));
        return;
    }
    applied.expect_code(0);
    let lab = session.deployed("failed-over");
    let active = "ip -n host -d link show bond0 | grep -o 'active_slave [a-z0-9]*'";
    let wait = |link: &str| {
        let script = format!("until {active} | grep -q {link}; do sleep 0.2; done");
        lab.exec(None, ["sh", "-c", &script]).expect_code(0);
    };
    wait("eth");
    let first = lab.exec(None, ["sh", "-c", active]).expect_code(0).stdout;
    let (used, other) = if first.contains("eth1") { ("p1", "eth2") } else { ("p2", "eth1") };
    lab.exec(Some("sw"), ["ip", "link", "set", used, "down"]).expect_code(0);
    wait(other);
    lab.exec(Some("sw"), ["ip", "link", "set", used, "up"]).expect_code(0);
    assert_eq!(plan(&session).expect_code(0).stdout, "failed-over: 0 changes\n");
}
