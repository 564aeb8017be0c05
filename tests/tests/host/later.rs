//! What somebody puts beside a deployment, after it.

use std::fs;

use netwright_tests::{Host, Output};

#[track_caller]
fn apply(host: &Host, script: &str, grants: &[&str], verb: &str) -> Output {
    let file = host.session().path("later.yaml");
    let lines: Vec<String> = script.lines().map(|line| format!("        {line}\n")).collect();
    let text = format!(
        "name: later\ntarget: host\nsteps:\n  - recipe: builtin:ip\n    params:\n      script: |\n{}",
        lines.concat()
    );
    fs::write(&file, text).expect("the folder is the test's own");
    let file = file.display().to_string();
    let mut words = vec![verb, file.as_str()];
    words.extend((verb == "plan").then_some("--exit-code"));
    words.extend(grants.iter().flat_map(|grant| ["--grant", grant]));
    host.netwright(words, &[])
}

#[test]
fn what_others_put_beside_a_deployment_is_no_drift_of_it() {
    let host = Host::with(
        "link add eth1 type veth peer name sw1
         link set sw1 up
         link set eth1 up",
    );
    let script = "ip address add 10.9.9.5/24 dev eth1\nip address add fd00:9::5/64 dev eth1\n\
                  ip route add 10.50.0.0/16 via 10.9.9.1\n\
                  ip link add lab-a up type veth peer name lab-b\nip link set lab-b up";
    let narrow = [
        "host.link.create kind=veth name=lab-*",
        "host.link.read",
        "host.address.add cidr=10.9.9.0/24,fd00:9::/64 link=eth1",
        "host.route.add cidr=10.50.0.0/16 link=eth1",
    ];
    let wide = [&narrow[..], &["host.link.modify name=eth1"]].concat();
    apply(&host, script, &narrow, "apply").expect_code(0);
    host.ip_lines(
        "address add 10.9.9.6/24 dev eth1
         address add fd00:9::6/64 dev eth1 nodad
         address add 10.77.0.1/24 dev eth1
         route add 10.40.0.0/16 dev eth1
         route add 10.41.0.0/16 via 10.9.9.1
         route add 10.42.0.0/16 via 10.9.9.1 src 10.9.9.6
         neighbour add 10.9.9.7 lladdr 02:00:00:00:00:07 dev eth1 nud permanent",
    );
    host.ip_lines(
        "link add link lab-a name mac1 type macvlan mode bridge
         address add 10.78.0.1/24 dev mac1
         link set mac1 up
         route add 10.43.0.0/16 dev lab-a",
    );
    let more = "bridge fdb add 02:00:00:00:00:08 dev eth1 self
                tc qdisc add dev eth1 root pfifo limit 7
                sysctl -q -w net.ipv4.conf.eth1.arp_ignore=1 net.ipv4.tcp_keepalive_time=77";
    host.run("sh", ["-ec", more]).expect_code(0);
    host.settle();
    let before = host.state();
    for grants in [&narrow[..], &wide[..]] {
        apply(&host, script, grants, "plan").expect_code(0);
        apply(&host, script, grants, "apply").expect_code(0);
        assert_eq!(host.differences(&before), [""; 0]);
    }
    let shown = "tc qdisc show dev eth1; sysctl net.ipv4.conf.eth1.arp_ignore";
    let shown = host.run("sh", ["-ec", shown]).expect_code(0).stdout;
    assert!(shown.contains("limit 7p") && shown.contains("arp_ignore = 1"), "{shown}");
    // What is its own is still demanded.
    host.ip_lines("route delete 10.50.0.0/16");
    let plan = apply(&host, script, &narrow, "plan").expect_code(3);
    assert!(plan.stdout.contains("10.50.0.0/16"), "{}", plan.stdout);
    apply(&host, script, &narrow, "apply").expect_code(0);
    assert_eq!(host.differences(&before), [""; 0]);
    // What its scenario has no longer goes, and nothing else.
    let shorter = script.replace("ip route add 10.50.0.0/16 via 10.9.9.1\n", "");
    apply(&host, &shorter, &narrow, "apply").expect_code(0);
    let routes = host.run("ip", ["route", "show"]).expect_code(0).stdout;
    assert!(!routes.contains("10.50.0.0/16"), "{routes}");
    for kept in ["10.40.0.0/16", "10.41.0.0/16", "10.42.0.0/16", "10.43.0.0/16"] {
        assert!(routes.contains(kept), "{kept}: {routes}");
    }
}
