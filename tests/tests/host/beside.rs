//! An address of a run's on a link that others use too: what the kernel takes along with it stays.

use netwright_tests::{Host, Output};

const GRANTS: [&str; 3] = [
    "host.link.read",
    "host.address.add cidr=10.0.0.0/8,fd00::/16 link=eth1",
    "host.route.add cidr=10.0.0.0/8 link=eth1",
];

/// A link that others have routes and a neighbour's way by, though it has no address.
const UNNUMBERED: &str = "link add eth1 type veth peer name sw1
                          link set sw1 addrgenmode none
                        link set sw1 up
                          link set eth1 addrgenmode none
                          link set eth1 up
                          route add 10.40.0.0/16 dev eth1
                          route add 10.41.0.0/16 dev eth1 table 77 proto kernel
                          route add 10.42.0.0/16 via 10.99.0.1 dev eth1 onlink metric 7";
const NUMBERED: &str = "link add eth1 type veth peer name sw1
                        link set sw1 addrgenmode none
                        link set sw1 up
                        link set eth1 addrgenmode none
                        link set eth1 up
                        address add 198.51.100.2/24 dev eth1";

fn words(name: &str, script: &str) -> Vec<String> {
    let lines: Vec<&str> = script.lines().map(str::trim).collect();
    let script = format!("script={}", lines.join("\n"));
    let words = ["run", "builtin:ip", "-p", &script, "--target", "host", "--keep", name];
    let mut words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    words.extend(GRANTS.iter().flat_map(|grant| ["--grant".to_owned(), (*grant).to_owned()]));
    words
}

fn keep(host: &Host, name: &str, script: &str) {
    host.netwright(words(name, script), &[]).expect_code(0);
}

fn destroy(host: &Host, name: &str) -> Output {
    host.netwright(["destroy", name], &[])
}

/// A deployment puts this, others that; it goes, and theirs is as it would be had they put it alone.
#[track_caller]
fn stays(machine: &str, deployed: &str, others: &str) {
    stays_where(machine, deployed, others, "0");
}

/// The same where the kernel keeps the others of a subnet by itself, or doesn't.
#[track_caller]
fn stays_where(machine: &str, deployed: &str, others: &str, promoted: &str) {
    let host = Host::with(machine);
    let setting = "net.ipv4.conf.eth1.promote_secondaries";
    host.run("sysctl", ["-qw", &format!("{setting}={promoted}")]).expect_code(0);
    keep(&host, "one", deployed);
    host.ip_lines(others);
    destroy(&host, "one").expect_code(0);
    let alone = Host::with(machine);
    alone.ip_lines(others);
    let addresses = ["-o", "address", "show", "dev", "eth1"];
    let routes = ["-o", "route", "show", "table", "all"];
    let six = ["-6", "-o", "route", "show", "table", "all"];
    for words in [&addresses[..], &routes, &six] {
        let sorted = |host: &Host| {
            let text = host.run("ip", words).expect_code(0).stdout;
            let mut lines: Vec<String> = text.lines().map(ageless).collect();
            lines.sort();
            lines
        };
        assert_eq!(sorted(&host), sorted(&alone), "{deployed}; {others}; promoting {promoted}");
    }
    let now = host.run("sysctl", ["-n", setting]).expect_code(0);
    assert_eq!(now.stdout.trim(), promoted);
    host.netwright(["gc"], &[]).expect_code(0);
}

/// Without the seconds that are left, and without the numbers that links happen to have.
fn ageless(line: &str) -> String {
    let words = line.split_whitespace().filter(|word| !word.ends_with("sec"));
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn addresses_of_others_in_the_same_subnet_stay() {
    for others in [
        "address add 10.9.9.6/24 dev eth1",
        "address add 10.9.9.6/24 dev eth1
         address add 10.9.9.7/24 brd 10.9.9.255 dev eth1 label eth1:b
         route add 10.20.0.0/16 via 10.9.9.1 src 10.9.9.6
         route add 10.21.0.0/16 via 10.9.9.1 src 10.9.9.7 table 77
         route add default via 10.9.9.1 metric 50",
        "address add 10.9.9.6/24 dev eth1 valid_lft 900 preferred_lft 800",
        "address add 10.9.9.6/24 dev eth1 noprefixroute
         route add 10.20.0.0/16 dev eth1 src 10.9.9.6",
    ] {
        stays_where(NUMBERED, "ip address add 10.9.9.5/24 dev eth1", others, "0");
        stays_where(UNNUMBERED, "ip address add 10.9.9.5/24 dev eth1", others, "1");
    }
    // Theirs was there before, so that the deployment's is the one beside it.
    let before = format!("{NUMBERED}\naddress add 10.9.9.6/24 dev eth1");
    stays(&before, "ip address add 10.9.9.5/24 dev eth1", "address add 10.9.9.7/24 dev eth1");
}

#[test]
fn routes_of_others_by_a_link_without_another_address_stay() {
    for others in [
        "route add 10.50.0.0/16 dev eth1",
        "route add 10.50.0.0/16 dev eth1 table 78 metric 5 mtu 1400
         route add 10.50.0.0/16 dev eth1 table 78 metric 6
         route add 10.51.0.0/16 nexthop dev eth1 weight 1 nexthop dev sw1 weight 2",
    ] {
        stays(UNNUMBERED, "ip address add 10.9.9.5/24 dev eth1", others);
        stays(UNNUMBERED, "ip address add 10.9.9.5 peer 10.9.9.6 dev eth1", others);
    }
}

#[test]
fn routes_of_others_to_the_network_of_an_ipv6_address_stay() {
    for more in ["proto static", "proto kernel", "mtu 1400"] {
        let machine = format!("{UNNUMBERED}\n-6 route add fd00:9::/64 dev eth1 metric 256 {more}");
        for address in ["fd00:9::5/64 dev eth1 nodad", "fd00:9::5/64 dev eth1 nodad noprefixroute"]
        {
            stays(&machine, &format!("ip address add {address}"), "");
        }
        let others = "address add fd00:9::6/64 dev eth1 nodad
                      -6 route add fd00:77::/64 via fd00:9::1";
        stays(&machine, "ip address add fd00:9::5/64 dev eth1 nodad", others);
    }
    let others = "-6 route add fd00:9::/64 dev eth1 metric 300";
    stays(UNNUMBERED, "ip address add fd00:9::5/64 dev eth1 nodad", others);
}

#[test]
fn what_another_run_has_put_beside_stays() {
    let address = "ip address add 10.9.9.6/24 dev eth1";
    let route = "ip route add 10.50.0.0/16 via 10.9.9.9 dev eth1";
    for (machine, two) in [(NUMBERED, address), (UNNUMBERED, address), (UNNUMBERED, route)] {
        for first in ["one", "two"] {
            let host = Host::with(machine);
            let before = host.state();
            keep(&host, "one", "ip address add 10.9.9.5/24 dev eth1");
            keep(&host, "two", two);
            let (second, stays) = match first {
                "one" => ("two", if two == address { "10.9.9.6/24" } else { "10.50.0.0/16" }),
                _ => ("one", "10.9.9.5/24"),
            };
            destroy(&host, first).expect_code(0);
            let there = host.run("ip", ["-o", "address"]).expect_code(0).stdout
                + &host.run("ip", ["-o", "route"]).expect_code(0).stdout;
            assert!(there.contains(stays), "{first} went: {there}");
            destroy(&host, second).expect_code(0);
            assert_eq!(host.differences(&before), [""; 0], "{first}, then {second}");
        }
    }
}

#[test]
fn a_recipe_that_removes_its_own_address_removes_nothing_of_others() {
    for (machine, others) in
        [(UNNUMBERED, "10.40.0.0/16"), (UNNUMBERED, "10.41.0.0/16"), (UNNUMBERED, "10.42.0.0/16")]
    {
        let host = Host::with(machine);
        let before = host.state();
        let script = "ip address add 10.9.9.5/24 dev eth1
                      ip address delete 10.9.9.5/24 dev eth1";
        keep(&host, "one", script);
        let routes = host.run("ip", ["route", "show", "table", "all"]).expect_code(0).stdout;
        assert!(routes.contains(others), "{routes}");
        assert_eq!(host.differences(&before), [""; 0], "{others}, while it lasts");
        destroy(&host, "one").expect_code(0);
        assert_eq!(host.differences(&before), [""; 0], "{others}, afterwards");
    }
}

#[test]
fn what_has_the_address_for_its_source_keeps_it() {
    let host = Host::with(NUMBERED);
    let before = host.state();
    keep(&host, "one", "ip address add 10.9.9.5/24 dev eth1");
    host.ip_lines("route add 10.20.0.0/16 via 198.51.100.1 src 10.9.9.5");
    for _ in 0..2 {
        let refused = destroy(&host, "one").expect_code(6);
        let told = refused.stdout + &refused.stderr;
        assert!(told.contains("10.9.9.5/24 stays on `eth1`"), "{told}");
        assert!(told.contains("10.20.0.0/16"), "{told}");
        assert!(told.contains("help: remove that one"), "{told}");
        let route = host.run("ip", ["route", "show", "10.20.0.0/16"]).expect_code(0).stdout;
        assert!(route.contains("src 10.9.9.5"), "{route}");
    }
    host.ip_lines("route delete 10.20.0.0/16");
    destroy(&host, "one").expect_code(0);
    assert_eq!(host.differences(&before), [""; 0]);
}

#[test]
fn a_session_from_an_address_in_the_same_subnet_goes_on() {
    let host = Host::with(NUMBERED);
    keep(&host, "one", "ip address add 10.9.9.5/24 dev eth1");
    host.ip_lines(
        "address add 10.9.9.6/24 dev eth1
         route add 203.0.113.9/32 via 10.9.9.1",
    );
    let session = ("SSH_CONNECTION", "203.0.113.9 50000 10.9.9.6 22");
    host.netwright(["destroy", "one"], &[session]).expect_code(0);
    let way = host.run("ip", ["route", "get", "203.0.113.9", "from", "10.9.9.6"]);
    assert!(way.stdout.contains("via 10.9.9.1 dev eth1"), "{way:?}");
}

#[test]
fn the_watcher_and_gc_leave_what_is_beside_too() {
    for watched in [true, false] {
        let host = Host::with(UNNUMBERED);
        let before = host.state();
        let victim = if watched { "runner" } else { "both" };
        let script = "ip address add 10.9.9.5/24 dev eth1
                      ip address add fd00:9::5/64 dev eth1 nodad
                      ip address add 10.9.8.5/24 dev eth1
                      ip address add 10.9.7.5/24 dev eth1";
        let killed = [("NETWRIGHT_CRASH_AT", "8"), ("NETWRIGHT_CRASH", victim)];
        let _ = host.netwright(words("one", script), &killed);
        if !watched {
            host.netwright(["gc"], &[]).expect_code(0);
        }
        assert_eq!(host.differences(&before), [""; 0], "{victim}");
    }
}
