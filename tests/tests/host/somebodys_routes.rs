//! Routes that somebody put come back as they were, whatever made the kernel drop or alter them:
//! those that look like the kernel's own, those that stand beside others, those that are put into
//! something, and those that go with an address of another link.

use netwright_tests::{Host, is_complete_kernel};

const GRANTS: [&str; 8] = [
    "host.link.read",
    "host.namespace name=lab-*",
    "host.link.move name=eth1",
    "host.link.modify name=eth0,eth1",
    "host.route.add cidr=10.0.0.0/8,fd00::/8",
    "host.route.add cidr=10.0.0.0/8,fd00::/8 link=eth0,eth1",
    "host.sysctl key=net.ipv6.conf.eth1.disable_ipv6",
    "host.route.default link=eth0,eth1 table=main",
];

const MACHINE: &str = "link add eth0 type veth peer name sw0
    link set sw0 up
    link set eth0 up
    address add 192.0.2.2/24 dev eth0
    address add 2001:db8:a::2/64 dev eth0 nodad
    link add eth1 type veth peer name sw1
    link set sw1 up
    link set eth1 up";

const ADDRESSES: &str = "address add 198.51.100.2/24 dev eth1
    address add fd00:1::1/64 dev eth1 nodad";

/// What takes routes of eth1 away, or alters them.
const LOSING: [&str; 8] = [
    "ip link set eth1 down",
    "ip link set eth1 down\nip link set eth1 up",
    "ip netns add lab-n\nip link set eth1 netns lab-n",
    "ip link set eth1 mtu 1000",
    "sysctl -w net.ipv6.conf.eth1.disable_ipv6=1",
    "ip address delete 198.51.100.2/24 dev eth1",
    "ip address delete fd00:1::1/64 dev eth1",
    "ip address flush dev eth1",
];

fn machine(more: &str) -> Host {
    Host::with(&format!("{MACHINE}\n{more}"))
}

/// All routes as ip(8) has them, in its order, for that is the one in which they are taken.
fn routes(host: &Host) -> Vec<String> {
    let script = "ip -4 route show table all; ip -6 route show table all";
    let output = host.run("sh", ["-c", script]).expect_code(0);
    let flags = [" linkdown", " dead"];
    let bare = |line: &str| flags.iter().fold(line.to_owned(), |line, flag| line.replace(flag, ""));
    output.stdout.lines().map(|line| bare(line).trim().to_owned()).collect()
}

#[track_caller]
fn has_its_routes(host: &Host, before: &[String], what: &str) {
    let missing = netwright_tests::machine::until_empty(|| {
        let now = routes(host);
        let lost =
            before.iter().filter(|line| !now.contains(line)).map(|line| format!("lost {line}"));
        let new =
            now.iter().filter(|line| !before.contains(line)).map(|line| format!("new {line}"));
        lost.chain(new).collect()
    });
    assert_eq!(missing, [""; 0], "{what}");
}

#[track_caller]
fn comes_back(host: &Host, script: &str) {
    let before = routes(host);
    let output = host.run_ip(script, &GRANTS);
    assert_eq!(output.code, 0, "{script}: {output:#?}");
    has_its_routes(host, &before, script);
    apply(host, script);
    let output = host.netwright(["destroy", "lent"], &[]);
    assert_eq!(output.code, 0, "{script}: {output:#?}");
    has_its_routes(host, &before, script);
}

#[track_caller]
fn apply(host: &Host, script: &str) {
    host.apply_ip("lent", script, &GRANTS, &[]).expect_code(0);
}

/// As NetworkManager leaves a link; as ip(8) alters a connected route; and others that have the
/// kernel's protocol.
const LIKE_THE_KERNELS: [&str; 3] = [
    "address add 198.51.100.2/24 dev eth1 noprefixroute
     address add fd00:1::1/64 dev eth1 noprefixroute nodad
     route add 198.51.100.0/24 dev eth1 proto kernel scope link src 198.51.100.2 metric 100
     -6 route add fd00:1::/64 dev eth1 proto kernel metric 100
     route add default via 198.51.100.9 dev eth1 metric 100
     -6 route add default via fd00:1::9 dev eth1 metric 100",
    "address add 198.51.100.2/24 dev eth1
     address add fd00:1::1/64 dev eth1 nodad
     route change 198.51.100.0/24 dev eth1 proto kernel scope link src 198.51.100.2 mtu 1300 initcwnd 30
     -6 route change fd00:1::/64 dev eth1 proto kernel metric 256 mtu 1300",
    "address add 198.51.100.2/24 dev eth1
     address add fd00:1::1/64 dev eth1 nodad
     route add 10.7.0.0/16 via 198.51.100.9 proto kernel
     route add local 10.8.0.0/24 dev eth1 proto kernel
     route add 10.9.0.1/32 dev eth1 proto kernel scope link table 9
     -6 route add fd00:7::/64 via fd00:1::9 dev eth1 proto kernel
     -6 route add fd00:8::/64 dev eth1 proto kernel metric 256",
];

#[test]
fn routes_that_only_look_like_the_kernels_come_back() {
    for more in LIKE_THE_KERNELS {
        let host = machine(more);
        for script in LOSING {
            comes_back(&host, script);
        }
    }
}

/// Of several at one place the first is taken.
#[test]
fn routes_that_stand_beside_others_come_back_in_their_order() {
    for more in [
        "route add 10.60.0.0/16 via 198.51.100.9
         route append 10.60.0.0/16 via 198.51.100.10
         route append 10.60.0.0/16 dev eth1",
        "route add 10.60.0.0/16 via 192.0.2.9\nroute append 10.60.0.0/16 via 198.51.100.9",
        "route add 10.60.0.0/16 via 198.51.100.9\nroute append 10.60.0.0/16 via 192.0.2.9",
        "-6 route add fd00:62::/64 nexthop via fd00:1::9 dev eth1 weight 5 nexthop via fe80::1 dev eth0",
        "-6 route add fd00:62::/64 nexthop via fe80::1 dev eth0 nexthop via fe80::7 dev eth1",
        "-6 route add fd00:62::/64 dev eth0 metric 5\n-6 route append fd00:62::/64 dev eth1 metric 5",
        "route add 10.60.0.0/16 nexthop via 192.0.2.9 nexthop via 198.51.100.9 weight 3",
        // By another link, from an address of this one.
        "-6 route add fd00:92::/64 dev eth0 src fd00:1::1
         -6 route add default via 2001:db8:a::1 dev eth0 src fd00:1::1
         route add 10.90.0.0/16 via 192.0.2.1 dev eth0 src 198.51.100.2",
    ] {
        let host = machine(&format!("{ADDRESSES}\n{more}"));
        for script in [LOSING[0], LOSING[2], LOSING[3], LOSING[5], LOSING[6]] {
            let order = routes(&host).into_iter().find(|line| line.starts_with("10.60"));
            comes_back(&host, script);
            let now = routes(&host).into_iter().find(|line| line.starts_with("10.60"));
            assert_eq!(now, order, "{more}: {script}");
        }
    }
}

/// What its packets are put into, ip(8) shows; this kernel may lack some of it.
#[test]
fn routes_keep_what_their_packets_are_put_into() {
    let mut met = 0;
    for line in [
        "route add 10.68.0.0/16 encap ip id 5 dst 1.2.3.4 ttl 9 dev eth1",
        "route add 10.69.0.0/16 encap ip6 id 7 dst fd00:9::1 via 198.51.100.9",
        "route add 10.70.0.0/16 encap mpls 100/200 via 198.51.100.9 dev eth1",
        "-6 route add fd00:63::/64 encap seg6 mode encap segs fd00:1::9,fd00:1::a dev eth1",
        "-6 route add fd00:64::/64 encap seg6local action End.DX6 nh6 fd00:1::9 dev eth1",
        "-6 route add fd00:65::/64 encap ip6 id 3 dst fd00:9::1 via fd00:1::9 dev eth1",
        "-6 route add fd00:66::/64 encap rpl segs fd00:1::9 dev eth1",
        "-6 route add fd00:67::/64 encap ioam6 trace prealloc type 0x800000 ns 1 size 12 dev eth1",
        "route add 10.71.0.0/16 nexthop encap ip id 1 dst 1.1.1.1 via 198.51.100.9 dev eth1 \
         nexthop encap ip id 2 dst 2.2.2.2 via 192.0.2.9 dev eth0",
        "-6 route add fd00:68::/64 nexthop encap seg6 mode encap segs fd00:1::9 via fd00:1::9 dev eth1 \
         nexthop via fe80::1 dev eth0",
    ] {
        let host = machine(ADDRESSES);
        if host.run("ip", line.split_whitespace()).code != 0 {
            continue;
        }
        met += 1;
        let before = routes(&host);
        assert!(before.iter().any(|line| line.contains("encap")), "{before:#?}");
        let (family, place) = if line.starts_with("-6") { ("-6", 3) } else { ("-4", 2) };
        let to = line.split_whitespace().nth(place).expect("a destination");
        let more = [
            format!("ip {family} route delete {to}"),
            format!("ip {family} route replace {to} dev eth1"),
        ];
        let losing = [LOSING[0], LOSING[2], LOSING[5], LOSING[6]].map(str::to_owned);
        for script in losing.iter().chain(&more) {
            comes_back(&host, script);
        }
    }
    assert!(met >= 3 || !is_complete_kernel(), "this kernel has only {met} of them");
}

/// At every moment: before the change, between it and its record, and after.
#[test]
fn routes_from_an_address_come_back_from_a_run_that_is_killed() {
    const KILLED: i32 = 128 + 9;
    for script in [LOSING[5], LOSING[6], LOSING[2]] {
        let host = machine(&format!(
            "{ADDRESSES}
             route add 10.90.0.0/16 via 192.0.2.1 dev eth0 src 198.51.100.2
             route add 10.91.0.0/16 via 192.0.2.1 dev eth0 src 198.51.100.2 table 9
             -6 route add fd00:92::/64 dev eth0 src fd00:1::1
             route add 10.60.0.0/16 via 198.51.100.9
             route append 10.60.0.0/16 via 198.51.100.10"
        ));
        let before = routes(&host);
        for moment in 3..45 {
            let variables =
                [("NETWRIGHT_CRASH", "both"), ("NETWRIGHT_CRASH_AT", &moment.to_string())];
            let output = host.run_ip_with(script, &GRANTS, &variables);
            assert!(matches!(output.code, 0 | KILLED), "{script} at {moment}: {output:#?}");
            host.netwright(["gc"], &[]).expect_code(0);
            has_its_routes(&host, &before, &format!("{script} at {moment}"));
            if output.code == 0 {
                break;
            }
        }
    }
}

/// What somebody deleted of the kernel's own is not there again.
#[test]
fn connected_routes_that_somebody_deleted_stay_so() {
    let host = machine(&format!(
        "{ADDRESSES}
         route delete 198.51.100.0/24 dev eth1
         route add 198.51.100.0/25 dev eth1"
    ));
    for script in [LOSING[0], LOSING[1], LOSING[2], LOSING[5]] {
        comes_back(&host, script);
    }
}
