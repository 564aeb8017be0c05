//! What a child of a link of others' is known by on that link's network: by no address that somebody
//! has there. The kernel would give it his frames, and keep from the machine those that he sends.

use netwright_tests::{Host, Output, is_complete_kernel};

/// The machine's session goes by eth0 to a router, and by eth1 to what is behind a bridge of it: the
/// stations' addresses are known as they would be, had they been heard (of what it has heard itself the
/// kernel forgets some where the whole machine knows of many).
const MACHINE: &str = "link add eth0 address 02:00:00:00:00:02 type veth peer name sw0
                       link set sw0 up
                       link set eth0 up
                       address add 192.0.2.2/24 dev eth0
                       address add 2001:db8:a::2/64 dev eth0 nodad
                       route add default via 192.0.2.1
                       neighbour add 192.0.2.1 lladdr 02:00:00:00:01:01 nud stale extern_learn dev eth0
                       neighbour add 192.0.2.9 lladdr 02:00:00:00:01:09 nud permanent dev eth0
                       -6 neighbour add 2001:db8:a::1 lladdr 02:00:00:00:01:06 nud stale extern_learn dev eth0
                       link add link eth0 mv0 address 02:00:00:00:00:22 type macvlan mode private
                       link add br0 address 02:00:00:00:00:30 type bridge
                       link add eth1 address 02:00:00:00:00:31 type veth peer name sw1
                       link set eth1 up master br0
                       link set sw1 up
                       link set br0 up
                       netns add c1
                       link add eth5 address 02:00:00:00:00:51 netns c1 type veth peer name sw5
                       link set sw5 up
                       -n c1 link set eth5 up
                       -n c1 address add 10.5.0.2/24 dev eth5
                       -n c1 neighbour add 10.5.0.1 lladdr 02:00:00:00:05:01 nud stale extern_learn dev eth5";
const SESSION: (&str, &str) = ("SSH_CONNECTION", "203.0.113.9 50000 192.0.2.2 22");

const GRANTS: [&str; 6] = [
    "host.link.create kind=macvlan,macvtap,ipvlan,ipvtap,vlan parent=eth0,eth1,br0,eth5,eth6 name=lab-*",
    "host.namespace name=lab-*,c1",
    "host.link.modify name=mv0",
    "host.address.add cidr=10.0.0.0/8,192.0.2.0/24 link=lab-*",
    "uplink.passthru link=eth1,eth5,eth6",
    "host.link.read name=lab-*,mv0",
];

/// The addresses that somebody has on the network of eth0, and of br0.
const ON_ETH0: [&str; 5] = [
    "02:00:00:00:01:01",
    "02:00:00:00:01:09",
    "02:00:00:00:01:06",
    "02:00:00:00:00:02",
    "02:00:00:00:00:22",
];
const ON_BR0: [&str; 3] = ["02:00:00:00:03:01", "02:00:00:00:00:30", "02:00:00:00:00:31"];

fn machine() -> Host {
    let host = Host::with(MACHINE);
    let entry = "fdb add 02:00:00:00:03:01 dev eth1 master dynamic";
    host.run("bridge", entry.split(' ')).expect_code(0);
    host
}

/// Refused whatever for; the operator is told whose the address is.
#[track_caller]
fn refused(host: &Host, script: &str, words: &str) {
    let before = host.state();
    let output = host.run_ip_with(script, &GRANTS, &[SESSION]).expect_code(4);
    assert!(output.stderr.contains("no grant allows this"), "{script}: {}", output.stderr);
    assert!(output.stderr.contains(words), "{script}: {}", output.stderr);
    assert_eq!(host.differences(&before), [""; 0], "{script}");
}

#[track_caller]
fn allowed(host: &Host, script: &str) {
    let before = host.state();
    host.run_ip_with(script, &GRANTS, &[SESSION]).expect_code(0);
    assert_eq!(host.differences(&before), [""; 0], "{script}");
}

/// The ways in which a child of a link gets a MAC address.
fn ways(parent: &str, kind: &str, mac: &str) -> Vec<String> {
    vec![
        format!("ip link add lab-a link {parent} address {mac} type {kind}"),
        format!(
            "ip link add lab-a link {parent} type {kind}
             ip link set lab-a address {mac}"
        ),
        format!(
            "ip netns add lab-n
             ip link add lab-a link {parent} netns lab-n address {mac} type {kind}"
        ),
        format!(
            "ip link add lab-a link {parent} type {kind}
             ip netns add lab-n
             ip link set lab-a netns lab-n
             ip -n lab-n link set lab-a name lab-b
             ip -n lab-n link set lab-b address {mac}"
        ),
        format!(
            "ip link add lab-a link {parent} type {kind}
             ip link add lab-b link lab-a address {mac} type {kind}"
        ),
    ]
}

#[test]
fn no_child_gets_the_mac_address_of_a_station() {
    let host = machine();
    for script in ways("eth0", "macvlan mode private", ON_ETH0[0]) {
        refused(&host, &script, "the neighbour 192.0.2.1 of `eth0`");
    }
    for kind in ["macvlan mode vepa", "macvlan mode bridge", "macvtap mode bridge"] {
        refused(&host, &ways("eth0", kind, ON_ETH0[0])[0], ON_ETH0[0]);
    }
    for mac in ON_ETH0 {
        refused(&host, &ways("eth0", "macvlan mode bridge", mac)[3], mac);
    }
    for mac in ON_BR0 {
        refused(&host, &ways("br0", "macvlan mode private", mac)[2], mac);
    }
    refused(&host, "ip link set mv0 address 02:00:00:00:01:01", "`eth0`");
    // Nobody's session is a reason: the frames are the machine's.
    let script = &ways("eth0", "macvlan mode bridge", ON_ETH0[1])[0];
    host.run_ip(script, &GRANTS).expect_code(4);
    // One's own it may be told again, and any that nobody has.
    allowed(&host, "ip link set mv0 address 02:00:00:00:00:22");
    for script in ways("eth0", "macvlan mode private", "02:00:00:00:07:07") {
        allowed(&host, &script);
    }
    allowed(&host, &ways("br0", "macvlan mode private", ON_ETH0[0])[0]);
}

/// It would answer who asks for the machine, or for whom the machine asks.
#[test]
fn a_macvlan_gets_no_address_of_the_machines_on_its_network() {
    let host = machine();
    host.ip_lines("address add 10.8.0.1/24 dev br0");
    let put = |address: &str, parent: &str| {
        [
            format!(
                "ip netns add lab-n
                 ip link add lab-a link {parent} netns lab-n type macvlan mode private
                 ip -n lab-n address add {address} dev lab-a"
            ),
            format!(
                "ip link add lab-a link {parent} type macvlan mode bridge
                 ip netns add lab-n
                 ip link set lab-a netns lab-n
                 ip -n lab-n address replace {address} dev lab-a"
            ),
        ]
    };
    for (address, whose) in [
        ("192.0.2.2/24", "`eth0`"),
        ("192.0.2.2/32", "`eth0`"),
        ("2001:db8:a::2/64", "`eth0`"),
        ("192.0.2.1/24", "the operator's session"),
        ("203.0.113.9/24", "the operator's session"),
    ] {
        for script in put(address, "eth0") {
            refused(&host, &script, whose);
        }
    }
    refused(&host, &put("10.8.0.1/24", "br0")[0], "`br0`");
    for script in put("192.0.2.77/24", "eth0").iter().chain(&put("192.0.2.2/24", "br0")) {
        allowed(&host, script);
    }
}

/// What a child sent is heard at the other end of its parent's cable. Once the child is gone, nobody
/// has its address: the same run again is as good as the first one.
#[test]
fn a_station_that_was_a_child_of_the_same_link_is_gone_with_it() {
    const MAC: &str = "02:00:00:00:08:08";
    const GRANTS: [&str; 4] = [
        "host.link.create kind=macvlan parent=eth0,eth0.5,port0 name=lab-*",
        "host.namespace name=lab-*,c2",
        "host.address.add cidr=10.0.0.0/8 link=lab-*",
        "host.probe cidr=10.0.0.0/8",
    ];
    let wired = "link add eth0 type veth peer name port0
                 link set eth0 up
                 link set port0 up
                 netns add c2";
    let ends = [
        (vec!["link add sw0 type bridge", "link set port0 master sw0", "link set sw0 up"], "sw0"),
        (vec![], "port0"),
        (
            vec![
                "link add link eth0 eth0.5 type vlan id 5",
                "link set eth0.5 up",
                "link add link port0 p5 type vlan id 5",
                "link set p5 up",
            ],
            "p5",
        ),
    ];
    for (lines, end) in ends.into_iter().take(if is_complete_kernel() { 3 } else { 2 }) {
        let host = Host::with(wired);
        lines.iter().for_each(|line| host.ip_lines(line));
        host.ip_lines(&format!("address add 10.9.0.1/24 dev {end}"));
        let parent = if end == "p5" { "eth0.5" } else { "eth0" };
        let script = |netns: &str| {
            format!(
                "ip netns add lab-n
                 ip link add lab-a link {parent} netns {netns} address {MAC} type macvlan mode bridge
                 ip -n {netns} address add 10.9.0.2/24 dev lab-a
                 ip -n {netns} link set lab-a up
                 ip netns exec {netns} ping -c 1 10.9.0.1"
            )
        };
        for netns in ["lab-n", "c2", "lab-n"] {
            let output = host.run_ip(&script(netns), &GRANTS);
            assert_eq!(output.code, 0, "{end}, {netns}: {output:#?}");
            let heard = host.run("ip", ["neighbour", "show", "dev", end]).stdout;
            assert!(heard.contains(MAC), "{end}: {heard}");
        }
        // Somebody's, who is there, has it, though he says nothing.
        host.ip_lines(&format!(
            "link add theirs link eth0 netns c2 address {MAC} type macvlan mode bridge
             -n c2 link set theirs up"
        ));
        if parent == "eth0" {
            let output = host.run_ip(&script("lab-n"), &GRANTS).expect_code(4);
            assert!(output.stderr.contains(MAC), "{end}: {output:#?}");
        }
        host.ip_lines("-n c2 link del theirs");
        // At the far end, what stands there is another's.
        let script = format!("ip link add lab-a link {end} address {MAC} type macvlan mode bridge");
        if end == "port0" {
            // On a slow machine it has been asked for since, in vain.
            host.ip_lines(&format!("neighbour replace 10.9.0.2 lladdr {MAC} nud stale dev port0"));
            let output = host.run_ip(&script, &GRANTS).expect_code(4);
            let remedy = "if that station is gone: `ip neighbour delete 10.9.0.2 dev port0`";
            assert!(output.stderr.contains(remedy), "{output:#?}");
            host.ip_lines("neighbour delete 10.9.0.2 dev port0");
            host.run_ip(&script, &GRANTS).expect_code(0);
        }
    }
}

/// The recipe asked for an address; that somebody has it, it learns, and not who.
#[test]
fn a_recipe_is_not_told_whose_address_it_asked_for() {
    let host = machine();
    let script = "ip link add lab-a link eth0 address 02:00:00:00:01:01 type macvlan";
    let output = host.run_ip_with(script, &GRANTS, &[SESSION]).expect_code(4);
    assert!(output.stderr.contains("192.0.2.1"), "{}", output.stderr);
    let told = output.stdout.lines().filter(|line| line.contains("the operator is shown why"));
    for line in told {
        assert!(!line.contains("192.0.2.1"), "{line}");
    }
}

/// In whatever namespace the parent is.
#[test]
fn no_child_of_a_containers_link_gets_the_address_of_a_station_there() {
    let host = machine();
    let child = |more: &str, mac: &str| {
        format!("ip -n c1 link add lab-a link eth5 address {mac} {more} type macvlan mode private")
    };
    for mac in ["02:00:00:00:05:01", "02:00:00:00:00:51"] {
        refused(&host, &child("", mac), mac);
    }
    allowed(&host, &child("", "02:00:00:00:01:01"));
}

fn in_a_lab(host: &Host, script: &str, grant: &str) -> Output {
    let lines: Vec<&str> = script.lines().map(str::trim).collect();
    let script = format!("script={}", lines.join("\n"));
    host.netwright(["run", "builtin:ip", "-p", &script, "--grant", grant], &[SESSION])
}

#[track_caller]
fn refused_in_a_lab(host: &Host, script: &str, grant: &str, words: &str) {
    let before = host.state();
    let output = in_a_lab(host, script, grant).expect_code(4);
    assert!(output.stderr.contains("no grant allows this"), "{script}: {}", output.stderr);
    assert!(output.stderr.contains(words), "{script}: {}", output.stderr);
    assert_eq!(host.differences(&before), [""; 0], "{script}");
}

/// The lab can't see whom the machine knows: who is outside looks.
#[test]
fn no_child_of_an_uplink_gets_the_mac_address_of_a_station() {
    let host = machine();
    let grant = "uplink link=eth0,br0 mode=macvlan,macvtap";
    for script in ways("eth0", "macvlan mode private", ON_ETH0[0]) {
        refused_in_a_lab(&host, &script, grant, "the neighbour 192.0.2.1 of `eth0`");
    }
    for mac in ON_ETH0 {
        refused_in_a_lab(&host, &ways("eth0", "macvtap", mac)[1], grant, mac);
    }
    for mac in ON_BR0 {
        refused_in_a_lab(&host, &ways("br0", "macvlan mode private", mac)[0], grant, mac);
    }
    for script in ways("eth0", "macvlan mode bridge", "02:00:00:00:07:07") {
        in_a_lab(&host, &script, grant).expect_code(0);
    }
}

/// Nor in a lab that was kept, and is altered in place.
#[test]
fn no_child_in_a_kept_lab_gets_the_mac_address_of_a_station() {
    let host = machine();
    let grant = "uplink link=eth0 mode=macvlan";
    let apply = |mac: &str| {
        let script = format!(
            "ip link add mac1 link eth0 type macvlan mode private\\nip link set mac1 address {mac}"
        );
        let text = format!(
            "name: kept\nsteps:\n  - recipe: builtin:ip\n    params: {{ script: \"{script}\" }}\n"
        );
        let file = host.session().file("kept.yaml", text).display().to_string();
        host.netwright(["apply", &file, "--grant", grant], &[SESSION])
    };
    let before = host.state();
    apply("02:00:00:00:07:07").expect_code(0);
    let output = apply(ON_ETH0[0]).expect_code(4);
    assert!(output.stderr.contains("the neighbour 192.0.2.1 of `eth0`"), "{}", output.stderr);
    apply("02:00:00:00:07:08").expect_code(0);
    host.netwright(["destroy", "kept"], &[]).expect_code(0);
    assert_eq!(host.differences(&before), [""; 0]);
}

/// A bond gives its ports its own MAC address, or that of its first port.
#[test]
fn no_child_gets_the_mac_address_of_a_bond() {
    let host = machine();
    if !is_complete_kernel() {
        assert_ne!(host.run("ip", ["link", "add", "b", "type", "bond"]).code, 0);
        return;
    }
    let bond = "ip netns add lab-n
                ip -n lab-n link add lab-b address 02:00:00:00:01:01 type bond";
    let child = "ip link add lab-a link eth0 netns lab-n type macvlan mode private";
    for script in [
        format!("{bond}\n{child}\nip -n lab-n link set lab-a master lab-b"),
        format!("{bond}\n{}", child.replace("netns lab-n", "netns lab-n master lab-b")),
    ] {
        refused(&host, &script, "a bond or team");
        refused_in_a_lab(&host, &script, "uplink link=eth0 mode=macvlan", "a bond or team");
    }
}

/// The ways in which an ipvlan gets an address.
fn holders(kind: &str, address: &str) -> [String; 3] {
    let add = format!("ip -n lab-n address add {address} dev");
    [
        format!(
            "ip netns add lab-n
             ip link add lab-a link eth0 netns lab-n up type {kind}
             {add} lab-a"
        ),
        format!(
            "ip netns add lab-n
             ip link add lab-a link eth0 type {kind}
             ip link set lab-a netns lab-n
             {add} lab-a"
        ),
        format!(
            "ip netns add lab-n
             ip link add lab-b link eth0 netns lab-n type {kind}
             ip -n lab-n link set lab-b name lab-a
             {add} lab-a
             ip -n lab-n link set lab-a up"
        ),
    ]
}

/// Kinds that this kernel lacks are there on the second one.
#[test]
fn an_ipvlan_gets_no_address_of_the_machines() {
    let host = machine();
    let lab = "uplink link=eth0 mode=ipvlan,ipvtap";
    if !is_complete_kernel() {
        let script = &holders("ipvlan", "192.0.2.2/32")[0];
        host.run_ip_with(script, &GRANTS, &[SESSION]).expect_code(8);
        return;
    }
    // One link has no children of both kinds.
    host.ip_lines("link delete mv0");
    let no = |script: &str, words: &str| {
        refused(&host, script, words);
        refused_in_a_lab(&host, script, lab, words);
    };
    let taken = [
        ("192.0.2.2/32", "`eth0` has it"),
        ("2001:db8:a::2/128", "`eth0` has it"),
        ("10.7.7.7 peer 192.0.2.2", "`eth0` has it"),
        ("192.0.2.1/24", "the operator's session from 203.0.113.9"),
        ("203.0.113.9/32", "the operator's session from 203.0.113.9"),
    ];
    for (number, (address, words)) in taken.into_iter().enumerate() {
        no(&holders("ipvlan mode l2", address)[number % 3], words);
    }
    no(&holders("ipvlan mode l3", taken[0].0)[0], taken[0].1);
    for script in holders("ipvlan mode l2", "192.0.2.77/24") {
        allowed(&host, &script);
        in_a_lab(&host, &script, lab).expect_code(0);
    }
}
