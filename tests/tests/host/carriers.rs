//! What carries the operator's session in other namespaces than the machine's own.

use netwright_tests::Host;
use serde_json::Value;

/// The session goes by a veth into an operator's namespace with a bridge, as a container's does, and
/// by the machine's own bridge to another one.
const MACHINE: &str = "netns add sw
                       link add eth0 type veth peer name sw0 netns sw
                       -n sw link add sw1 type veth peer name up1
                       -n sw link add free0 type veth peer name free1
                       -n sw link add brs type bridge
                       -n sw link set sw0 up master brs
                       -n sw link set sw1 up master brs
                       -n sw link set up1 up
                       -n sw link set brs up
                       link set eth0 up
                       address add 192.0.2.2/24 dev eth0
                       route add default via 192.0.2.1
                       netns add c1
                       link add br0 type bridge
                       link add port1 type veth peer name c1e netns c1
                       link set port1 up master br0
                       -n c1 link set c1e up
                       link set br0 up
                       address add 198.51.100.2/24 dev br0";

const GRANTS: [&str; 4] = [
    "host.link.read",
    "host.link.modify name=sw0,sw1,brs,free0,c1e",
    "host.link.move name=sw0,sw1,brs,c1e",
    "host.namespace name=sw,c1,lab-*",
];

#[test]
fn what_the_session_goes_through_elsewhere_stays_as_it_is() {
    let host = Host::with(MACHINE);
    let session = ("SSH_CONNECTION", "203.0.113.9 50000 192.0.2.2 22");
    // What follows from a link's settings may come about a moment later.
    let links = || {
        let all = host.ip_json(&["-n", "sw", "link"]);
        let of = |link: &Value| {
            let up = link["flags"].to_string().contains("\"UP\"");
            let words = ["ifname", "mtu", "address", "master"].map(|word| link[word].to_string());
            format!("{} {up}", words.join(" "))
        };
        all.as_array().into_iter().flatten().map(of).collect::<Vec<String>>()
    };
    let before = links();
    for line in [
        "ip -n sw link set sw0 down",
        "ip -n sw link set sw0 mtu 1400",
        "ip -n sw link set sw0 nomaster",
        "ip -n sw link set sw0 address 02:00:00:00:00:07",
        "ip -n sw link set brs down",
        "ip -n sw link set sw1 down",
        "ip -n sw link delete sw0",
        "ip netns add lab-n\nip -n sw link set sw0 netns lab-n",
        "ip netns add lab-n\nip -n sw link set sw1 netns lab-n",
    ] {
        let output = host.run_ip_with(line, &GRANTS, &[session]).expect_code(4);
        assert!(output.stderr.contains("no grant allows this"), "{line}: {}", output.stderr);
        assert_eq!(links(), before, "{line}");
    }
    // What it doesn't go through is the grants' alone, and whose session goes elsewhere.
    host.run_ip_with("ip -n sw link set free0 mtu 1400", &GRANTS, &[session]).expect_code(0);
    let by_bridge = ("SSH_CONNECTION", "198.51.100.9 50000 198.51.100.2 22");
    for line in ["ip -n sw link set sw0 mtu 1400", "ip -n c1 link set c1e mtu 1400"] {
        host.run_ip_with(line, &GRANTS, &[by_bridge]).expect_code(0);
    }
}

/// Behind which port of its bridge the session's station is, the bridge knows.
#[test]
fn what_is_behind_the_port_by_which_a_bridge_hears_the_session_stays_as_it_is() {
    const OTHER: &str = "netns add c2
                         link add port2 type veth peer name c2e netns c2
                         link set port2 up master br0
                         -n c2 link set c2e up";
    const STATION: &str = "02:00:00:00:00:99";
    let grants = [&GRANTS[..], &["host.link.modify name=c2e", "host.namespace name=c2"]].concat();
    let host = Host::with(MACHINE);
    host.ip_lines(OTHER);
    let session = ("SSH_CONNECTION", "198.51.100.9 50000 198.51.100.2 22");
    let routed = ("SSH_CONNECTION", "203.0.113.9 50000 198.51.100.2 22");
    let run = |namespace: &str, session| {
        let line = format!("ip -n {namespace} link set {namespace}e mtu 1400");
        host.run_ip_with(&line, &grants, &[session]).code
    };
    let heard = |verb: &str, port: &str| {
        let line = format!("fdb {verb} {STATION} dev {port} master dynamic");
        host.run("bridge", line.split(' ')).expect_code(0);
    };
    // Nobody has spoken to it.
    assert_eq!((run("c1", session), run("c2", session)), (0, 0));
    // The machine has, and the bridge doesn't know by which port.
    host.ip_lines(&format!("neighbour add 198.51.100.9 lladdr {STATION} nud stale dev br0"));
    assert_eq!((run("c1", session), run("c2", session)), (4, 4));
    heard("add", "port1");
    assert_eq!((run("c1", session), run("c2", session)), (4, 0));
    heard("replace", "port2");
    assert_eq!((run("c1", session), run("c2", session)), (0, 4));
    // It may as well be the router to the station.
    assert_eq!(run("c2", routed), 0);
    host.ip_lines("route add 203.0.113.0/24 via 198.51.100.9");
    assert_eq!((run("c1", routed), run("c2", routed)), (0, 4));
}

/// Frames that tc(8) hands to another link go by that one.
#[test]
fn what_the_sessions_frames_are_redirected_to_stays_as_it_is() {
    const MACHINE: &str = "link add eth0 type veth peer name sw0
                           link set eth0 up
                           link set sw0 up
                           address add 192.0.2.2/24 dev eth0";
    const GRANTS: [&str; 2] = ["host.link.read", "host.link.modify name=ifb7,ifb8"];
    let host = Host::with(MACHINE);
    for name in ["ifb7", "ifb8"] {
        host.ip_lines(&format!("link add {name} type ifb\nlink set {name} up"));
    }
    let tc = |line: &str| host.run("tc", line.split_whitespace());
    tc("qdisc add dev eth0 handle ffff: ingress").expect_code(0);
    let session = ("SSH_CONNECTION", "192.0.2.9 50000 192.0.2.2 22");
    let before = host.state();
    let lines = |link: &str| {
        [format!("ip link set {link} down"), format!("tc qdisc replace dev {link} root pfifo")]
    };
    for line in lines("ifb7") {
        host.run_ip_with(&line, &GRANTS, &[session]).expect_code(0);
    }
    for line in [
        "filter add dev eth0 parent ffff: protocol all u32 match u32 0 0 action mirred egress redirect dev ifb7",
        "filter add dev eth0 parent ffff: protocol all prio 2 u32 match u32 0 0 action mirred egress mirror dev ifb8",
    ] {
        tc(line).expect_code(0);
    }
    for line in lines("ifb7") {
        let output = host.run_ip_with(&line, &GRANTS, &[session]).expect_code(4);
        assert!(output.stderr.contains("it carries the operator's session"), "{output:#?}");
        host.run_ip(&line, &GRANTS).expect_code(0);
    }
    // A copy is nothing that the session needs.
    for line in lines("ifb8") {
        host.run_ip_with(&line, &GRANTS, &[session]).expect_code(0);
    }
    assert_eq!(host.differences(&before), [""; 0]);
}

/// Rules may send the session elsewhere than other packets between the same stations.
#[test]
fn the_way_that_rules_by_ports_marks_and_users_give_the_session_is_guarded() {
    const MACHINE: &str = "link add eth0 type veth peer name sw0
                           link set sw0 up
                           link set eth0 up
                           address add 192.0.2.2/24 dev eth0
                           address add 2001:db8:a::2/64 dev eth0 nodad
                           link add eth2 type veth peer name sw2
                           link set sw2 up
                           link set eth2 up
                           address add 198.51.100.2/24 dev eth2
                           address add 2001:db8:b::2/64 dev eth2 nodad
                           route add default via 198.51.100.1 table 99
                           -6 route add default via 2001:db8:b::1 table 99";
    const GRANTS: [&str; 2] = ["host.link.read", "host.link.modify name=eth2"];
    let host = Host::with(MACHINE);
    let before = host.state();
    let sessions = [
        ("", "SSH_CONNECTION", "203.0.113.9 50000 192.0.2.2 22"),
        ("-6 ", "SSH_CONNECTION", "2001:db8:99::9 50000 2001:db8:a::2 22"),
    ];
    for (family, name, session) in sessions {
        for chosen in [
            "ipproto tcp sport 22",
            "ipproto tcp sport 20-30",
            "sport 22",
            "ipproto tcp dport 50000",
            "ipproto tcp",
            "fwmark 7",
            "fwmark 0x10/0xf0 ipproto tcp",
            "uidrange 0-0",
        ] {
            let line = "ip link set eth2 mtu 1400";
            host.run_ip_with(line, &GRANTS, &[(name, session)]).expect_code(0);
            host.ip_lines(&format!("{family}rule add {chosen} lookup 99"));
            let output = host.run_ip_with(line, &GRANTS, &[(name, session)]).expect_code(4);
            let why = "it carries the operator's session";
            assert!(output.stderr.contains(why), "{family}{chosen}: {output:#?}");
            host.ip_lines(&format!("{family}rule delete {chosen} lookup 99"));
        }
    }
    assert_eq!(host.differences(&before), [""; 0]);
}
