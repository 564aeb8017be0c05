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
