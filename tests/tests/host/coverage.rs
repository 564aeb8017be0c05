//! What an address, a rule or a route covers is computed from what it makes the kernel do, whatever
//! its form; grants and the floor are held against that.

use netwright_tests::Host;
use std::os::unix::fs::PermissionsExt as _;

/// A machine with one uplink, an address of its own beside, and a link that a run may fill.
const MACHINE: &str = "link add eth0 type veth peer name sw0
                       link set sw0 up
                       address add 192.0.2.2/24 dev eth0
                       link set eth0 up
                       route add default via 192.0.2.1
                       address add 2001:db8:ffff::2/64 dev eth0 nodad
                       -6 route add default via 2001:db8:ffff::1 dev eth0
                       link add eth1 type veth peer name sw1
                       link set sw1 up
                       address add 10.3.0.1/16 dev eth1
                       link set eth1 up";

/// Stations that no grant of these tests names.
const ELSEWHERE: [&str; 8] = [
    "8.8.8.8",
    "11.0.0.1",
    "172.16.0.1",
    "192.0.2.77",
    "203.0.113.9",
    "127.0.0.1",
    "2001:db9::1",
    "2001:4860:4860::8888",
];

/// What the kernel says of the way to each of these, from each address of the machine.
fn ways(host: &Host, stations: &[&str]) -> String {
    let mut all = String::new();
    for station in stations {
        let sources: &[&str] = match station.contains(':') {
            true => &["", "from 2001:db8:ffff::2"],
            false if *station == "127.0.0.1" => &[""],
            false => &["", "from 192.0.2.2", "from 10.3.0.1"],
        };
        for source in sources {
            let words = format!("-o route get {station} {source}");
            let output = host.run("ip", words.split_whitespace());
            // IPv4's table local is told of once there is any rule.
            let way = output.stdout.replace(" table local", "");
            all += &format!("{station} {source}: {way}{}", output.stderr);
        }
    }
    all
}

/// Denied for this reason, with nothing altered.
#[track_caller]
fn denied(host: &Host, script: &str, grants: &[&str], session: &[(&str, &str)], why: &str) {
    let before = host.state();
    let output = host.run_ip_with(script, grants, session);
    assert_eq!(output.code, 4, "{script}: {}", output.stderr);
    assert!(output.stderr.contains(why), "{script}: {}", output.stderr);
    assert_eq!(host.differences(&before), [""; 0], "{script}");
}

/// Deployed, it sends nothing elsewhere that was not granted; it is taken back then.
#[track_caller]
fn deployed(host: &Host, script: &str, grants: &[&str]) {
    let before = ways(host, &ELSEWHERE);
    let lines: Vec<&str> = script.lines().map(str::trim).collect();
    let lines = lines.join("\n        ");
    let scenario = format!(
        "name: deployed\ntarget: host\nsteps:\n  - recipe: builtin:ip\n    params:\n      script: |\n        {lines}\n"
    );
    let file = host.session().file("deployed.yaml", scenario);
    let mut words = vec!["apply", file.to_str().expect("a path in ASCII")];
    words.extend(grants.iter().flat_map(|grant| ["--grant", *grant]));
    host.netwright(words, &[]).expect_code(0);
    assert_eq!(ways(host, &ELSEWHERE), before, "{script}");
    host.netwright(["destroy", "deployed"], &[]).expect_code(0);
}

/// Makes the link that addresses are put on.
const CABLE: &str = "ip link add lab-a type veth peer name lab-b
                     ip link set lab-a up
                     ip link set lab-b up";
const LINK: &str = "host.link.create kind=veth name=lab-*";

#[test]
fn every_address_that_gets_a_route_is_held_against_the_grant() {
    let host = Host::with(MACHINE);
    let grants = [
        LINK,
        "host.link.read",
        "host.link.modify name=eth1",
        "host.address.add cidr=10.0.0.0/24,2001:db8::/64 link=lab-*,eth1",
    ];
    for (address, uncovered) in [
        ("10.0.0.1/24 broadcast 8.8.8.8", "cidr=8.8.8.8/32"),
        ("10.0.0.1/24 broadcast 10.0.1.255", "cidr=10.0.1.255/32"),
        ("10.0.0.1/24 broadcast 127.0.0.1", "cidr=127.0.0.1/32"),
        ("10.0.0.1/24 noprefixroute broadcast 8.8.8.8", "cidr=8.8.8.8/32"),
        ("10.0.0.1/24 label lab-a:1 broadcast 8.8.8.8", "cidr=8.8.8.8/32"),
        ("10.0.0.1/23", "cidr=10.0.0.0/23"),
        ("10.0.0.1/0", "cidr=0.0.0.0/0"),
        ("10.0.0.1/16 noprefixroute", "cidr=10.0.0.0/16"),
        ("10.0.0.1 peer 8.8.8.8", "cidr=8.8.8.8/32"),
        ("10.0.0.1 peer 10.0.0.2/16", "cidr=10.0.0.0/16"),
        ("8.8.8.8 peer 10.0.0.2/24", "cidr=8.8.8.8/32"),
        ("224.0.0.5/32 autojoin", "cidr=224.0.0.5/32"),
        ("2001:db8::1/48", "cidr=2001:db8::/48"),
        ("2001:db8::1/0", "cidr=::/0"),
        ("2001:db8::1 peer 2001:db8::2/32", "cidr=2001:db8::/32"),
        ("2001:db8::1 peer 2001:db9::2", "cidr=2001:db9::2/128"),
        ("2001:db9::1/128", "cidr=2001:db9::1/128"),
    ] {
        let script = format!("{CABLE}\nip address add {address} dev lab-a");
        denied(&host, &script, &grants, &[], uncovered);
        // The same on somebody else's link, and put in place of what is there.
        if address.contains("broadcast 8.8.8.8") && !address.contains("label") {
            let script = format!("ip address replace {address} dev eth1");
            denied(&host, &script, &grants, &[], uncovered);
        }
    }
    for address in [
        "10.0.0.1/24",
        "10.0.0.1/24 broadcast +",
        "10.0.0.1/24 broadcast 255.255.255.255",
        "10.0.0.1/25 broadcast 10.0.0.255 label lab-a:x",
        "10.0.0.1 peer 10.0.0.2",
        "10.0.0.1/24 noprefixroute metric 7",
        "2001:db8::1/64 nodad",
        "2001:db8::1 peer 2001:db8::2/64 nodad",
    ] {
        deployed(&host, &format!("{CABLE}\nip address add {address} dev lab-a"), &grants);
    }
}

#[test]
fn a_rule_needs_the_right_to_all_that_it_is_for() {
    let host = Host::with(MACHINE);
    let ten = "host.route.add cidr=10.0.0.0/8,2001:db8::/32";
    for (rule, why) in [
        ("add not to 10.1.0.0/16 blackhole", "`not` makes it a rule for all the rest"),
        ("add not from 10.1.0.0/16 blackhole", "`not` makes it a rule for all the rest"),
        ("add not from 10.1.0.0/16 to 10.2.0.0/16 prohibit", "`not` makes it"),
        ("add not to 10.1.0.0/16 iif lo unreachable", "`not` makes it"),
        ("add not fwmark 5 blackhole", "`not` makes it"),
        ("add not blackhole", "`not` makes it"),
        ("add blackhole", "cidr=0.0.0.0/0"),
        ("add to 0.0.0.0/0 blackhole", "cidr=0.0.0.0/0"),
        ("add from 0.0.0.0/0 to 0.0.0.0/0 lookup main", "cidr=0.0.0.0/0"),
        ("add fwmark 7 blackhole", "cidr=0.0.0.0/0"),
        ("add tos 0x10 blackhole", "cidr=0.0.0.0/0"),
        ("add ipproto udp dport 53 blackhole", "cidr=0.0.0.0/0"),
        ("add sport 22 prohibit", "cidr=0.0.0.0/0"),
        ("add uidrange 0-0 blackhole", "cidr=0.0.0.0/0"),
        ("add oif eth0 blackhole", "cidr=0.0.0.0/0"),
        ("add iif lo blackhole", "cidr=0.0.0.0/0"),
        ("add goto 32766", "cidr=0.0.0.0/0"),
        ("add nop", "cidr=0.0.0.0/0"),
        ("add lookup main suppress_prefixlength 0", "cidr=0.0.0.0/0"),
        ("add to 8.0.0.0/7 blackhole", "cidr=8.0.0.0/7"),
        ("add to 11.0.0.0/8 from 172.16.0.0/12 blackhole", "cidr=11.0.0.0/8"),
        ("add to 10.1.0.0/16 lookup 77", "table=77"),
        ("add to 10.1.0.0/16 lookup local", "table=255"),
        ("add to 10.1.0.0/16 l3mdev", "tables of all VRFs"),
        // All that an address of the machine sends is its link's.
        ("add from 10.3.0.1 blackhole", "host.link.modify"),
        ("add from 10.0.0.0/8 lookup main", "host.link.modify"),
        ("add pref 0 from 10.3.0.0/16 prohibit", "host.link.modify"),
    ] {
        denied(&host, &format!("ip rule {rule}"), &[ten], &[], why);
    }
    for (rule, why) in [
        ("add not to 2001:db8:1::/48 blackhole", "`not` makes it"),
        ("add blackhole", "cidr=::/0"),
        ("add from 2001:db9::/32 prohibit", "cidr=2001:db9::/32"),
    ] {
        denied(&host, &format!("ip -6 rule {rule}"), &[ten], &[], why);
    }
    let table = "host.route.add cidr=10.0.0.0/8 table=77";
    for rule in [
        "ip rule add to 10.1.0.0/16 blackhole",
        "ip rule add pref 0 to 10.1.0.0/16 blackhole",
        "ip rule add from 10.1.0.0/16 prohibit",
        "ip rule add to 10.1.0.0/16 from 172.16.0.0/12 iif eth0 goto 32766",
        "ip rule add to 10.1.0.0/16 lookup 77\nip route add blackhole 10.0.0.0/8 table 77",
        "ip rule add from 10.3.0.1 to 10.1.0.0/16 unreachable",
        "ip -6 rule add to 2001:db8:1::/48 unreachable",
        "ip -6 rule add from 2001:db8:1::/48 blackhole",
    ] {
        deployed(&host, rule, &[ten, table]);
    }
    // Whoever may alter the link may redirect what its address sends.
    let modify = [ten, "host.link.modify name=eth1"];
    host.run_ip("ip rule add from 10.3.0.1 blackhole", &modify).expect_code(0);
    // Both halves granted: all the rest is.
    let halves = ["host.route.add cidr=0.0.0.0/1,128.0.0.0/1"];
    host.run_ip("ip rule add not to 10.1.0.0/16 prohibit", &halves).expect_code(0);
}

#[test]
fn a_deny_forbids_whatever_a_rule_would_take_of_it() {
    let host = Host::with(MACHINE);
    let folder = host.session().path("home/.config/netwright");
    std::fs::create_dir_all(&folder).expect("a folder");
    let closed = |mode| std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(&folder, closed(0o700)).expect("it is ours");
    let (file, policy) =
        (folder.join("policy.yaml"), "deny:\n  - host.route.add: { cidr: 172.16.0.0/12 }\n");
    std::fs::write(&file, policy).expect("a policy");
    std::fs::set_permissions(&file, closed(0o600)).expect("it is ours");
    let given = ["host.route.add cidr=10.0.0.0/8"];
    for rule in ["from 10.1.0.0/16 blackhole", "to 10.1.0.0/16 from 172.16.5.0/24 blackhole"] {
        denied(&host, &format!("ip rule add {rule}"), &given, &[], "forbids it");
    }
    let other = "ip rule add from 10.1.0.0/16 to 192.168.0.0/16 blackhole";
    host.run_ip(other, &given).expect_code(0);
}

#[test]
fn every_form_of_a_route_is_held_against_the_grant() {
    let host = Host::with(MACHINE);
    let ten = "host.route.add cidr=10.0.0.0/8,2001:db8::/32";
    for (route, why) in [
        ("add blackhole 11.0.0.0/8", "cidr=11.0.0.0/8"),
        ("add blackhole 0.0.0.0/1", "cidr=0.0.0.0/1"),
        ("add unreachable 128.0.0.0/1", "cidr=128.0.0.0/1"),
        ("add prohibit 2000::/3", "cidr=2000::/3"),
        ("add throw default", "host.route.default"),
        ("add blackhole 0.0.0.0/0", "host.route.default"),
        ("append unreachable 172.16.0.0/12", "cidr=172.16.0.0/12"),
        ("prepend unreachable 172.16.0.0/12 metric 7", "cidr=172.16.0.0/12"),
        // Their table is `local` where none is said.
        ("add local 10.1.0.0/16 dev lo", "link=lo"),
        ("add broadcast 10.1.0.255/32 dev eth1", "link=eth1"),
        ("add blackhole 10.1.0.0/16 table 77", "table=77"),
        ("add blackhole 10.1.0.0/16 table local", "table=255"),
        // Each next hop's link.
        ("add 10.1.0.0/16 via 192.0.2.1", "link=eth0"),
        ("add 10.1.0.0/16 nexthop via 10.3.0.9 nexthop via 192.0.2.1", "link=eth1"),
        ("add 10.1.0.0/16 via inet6 2001:db8:ffff::1", "link=eth0"),
        ("add 10.1.0.0/16 via 8.8.8.8 dev eth1 onlink", "link=eth1"),
    ] {
        denied(&host, &format!("ip route {route}"), &[ten], &[], why);
    }
    let lo = [ten, "host.route.add cidr=10.0.0.0/8 link=lo,eth1"];
    for (route, why) in [
        ("add local 10.1.0.0/16 dev lo", "table=255"),
        ("add broadcast 10.1.0.255/32 dev eth1", "table=255"),
        ("add 10.1.0.0/16 nexthop via 10.3.0.9 nexthop via 192.0.2.1", "link=eth0"),
    ] {
        denied(&host, &format!("ip route {route}"), &lo, &[], why);
    }
    deployed(&host, "ip route add 10.1.0.0/16 nexthop via 10.3.0.9 nexthop via 10.3.0.8", &lo);
    let several = "ip route add blackhole 10.1.0.0/16
                   ip route add throw 10.2.0.0/16
                   ip route append prohibit 10.1.0.0/16 metric 9
                   ip route add prohibit 2001:db8:5::/48";
    deployed(&host, several, &[ten]);
}

#[test]
fn a_gateway_of_an_address_to_come_is_behind_that_addresss_link() {
    let host = Host::with(MACHINE);
    // One batch: there is no such address yet when it is decided about.
    let network = "params: { links: [ { name: lab-a, kind: veth, peer: lab-b, addresses: [10.8.0.1/24] } ], routes: [ { destination: 10.9.0.0/16, gateway: 10.8.0.9 } ] }";
    let scenario =
        format!("name: x\ntarget: host\nsteps:\n  - recipe: builtin:topology\n    {network}\n");
    let file = host.session().file("x.yaml", &scenario);
    let file = file.to_str().expect("a path in ASCII");
    let run = |grant: &str| {
        let grants = [LINK, "host.address.add cidr=10.8.0.0/24 link=lab-*", grant];
        let mut words = vec!["run", file];
        words.extend(grants.iter().flat_map(|grant| ["--grant", *grant]));
        host.netwright(words, &[])
    };
    let output = run("host.route.add cidr=10.9.0.0/16").expect_code(4);
    assert!(output.stderr.contains("link=lab-a"), "{}", output.stderr);
    run("host.route.add cidr=10.9.0.0/16 link=lab-*").expect_code(0);
}
