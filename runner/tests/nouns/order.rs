//! What of a mend needs what: whatever a scenario says in its order, `apply` does in one that the
//! kernel takes.

use netwright_tests::Session;

use crate::{NAME, Place};

/// Two states of one noun, between which a lab goes in place, both ways.
struct Pair {
    one: &'static str,
    other: &'static str,
    shown: &'static str,
}

const ROUTES: &str = "ip route show table all proto boot; ip -6 route show table all proto boot";
/// Of carriers, and addresses that the kernel made up, nothing.
const LINKS: &str = "ip -o link show | awk '{ split($2, name, /[@:]/); mac = \"\"; \
    for (i = 1; i < NF; i++) { if ($i == \"mtu\") mtu = $(i + 1); \
    if ($(i + 1) ~ /^02:00:00:00:00:/) mac = $(i + 1) } \
    print name[1], $3 ~ /[<,]UP[,>]/, mtu, mac }'";
const ADDRESSES: &str =
    "ip -o address show scope global; ip neigh show nud permanent; ip neigh show proxy";

const PAIRS: [Pair; 11] = [
    // A gateway that is reached by a route that comes along, whatever their names.
    Pair {
        one: "ip route add 10.5.0.0/16 via 10.0.1.9\n",
        other: "ip route add 10.9.9.9/32 dev lab-b\nip route add 10.5.0.0/16 via 10.9.9.9\nip route add 10.4.0.0/16 via 10.9.9.9\n",
        shown: ROUTES,
    },
    Pair {
        one: "",
        other: "ip address add 2001:db8::1/64 dev lab-b nodad\nip route add 2001:db8:9::9/128 dev lab-b\nip route add 2001:db8:1::/48 via 2001:db8:9::9\nip route add 10.4.0.0/16 via inet6 2001:db8::9 dev lab-b\n",
        shown: ROUTES,
    },
    // By a rule that comes along, or in spite of one.
    Pair {
        one: "",
        other: "ip route add 10.7.7.7/32 dev lab-b table 9\nip rule add to 10.7.7.7 table 9 priority 90\nip route add 10.4.0.0/16 via 10.7.7.7\n",
        shown: ROUTES,
    },
    Pair {
        one: "",
        other: "ip route add 10.4.0.0/16 via 10.0.1.7\nip rule add to 10.0.1.7 blackhole priority 90\n",
        shown: ROUTES,
    },
    // Several at one place, in their order.
    Pair {
        one: "ip route add 10.5.0.0/16 via 10.0.1.4\n",
        other: "ip route add 10.5.0.0/16 via 10.0.1.9\nip route append 10.5.0.0/16 via 10.0.1.4\nip route append 10.5.0.0/16 via 10.0.1.3\n",
        shown: ROUTES,
    },
    // Addresses that change hands, in a circle.
    Pair {
        one: "ip link add link lab-f dev lab-1 address 02:00:00:00:00:01 up type macvlan mode bridge\nip link add link lab-f dev lab-2 address 02:00:00:00:00:02 up type macvlan mode bridge\nip link set lab-f address 02:00:00:00:00:03\n",
        other: "ip link set lab-f address 02:00:00:00:00:01\nip link add link lab-f dev lab-1 address 02:00:00:00:00:02 up type macvlan mode bridge\nip link add link lab-f dev lab-2 address 02:00:00:00:00:03 up type macvlan mode bridge\n",
        shown: LINKS,
    },
    // One goes down with an address that another one goes up with.
    Pair {
        one: "ip link add link lab-f dev lab-1 address 02:00:00:00:00:01 up type macvlan mode bridge\nip link add link lab-f dev lab-2 address 02:00:00:00:00:02 type macvlan mode bridge\n",
        other: "ip link add link lab-f dev lab-1 address 02:00:00:00:00:02 type macvlan mode bridge\nip link add link lab-f dev lab-2 address 02:00:00:00:00:01 up type macvlan mode bridge\n",
        shown: LINKS,
    },
    // Links are as wide as those that they stand on, at most.
    Pair {
        one: "ip link set lab-f mtu 1300\nip link add link lab-f dev lab-1 mtu 1300 up type macvlan mode bridge\n",
        other: "ip link set lab-f mtu 3000\nip link add link lab-f dev lab-1 mtu 2900 type macvlan mode bridge\n",
        shown: LINKS,
    },
    // What goes along with an address: the others of its subnet, and neighbours.
    Pair {
        one: "ip address add 10.0.3.1/24 dev lab-f\nip address add 10.0.3.2/24 dev lab-f\nip neigh add 10.0.3.9 lladdr 02:00:00:00:00:09 dev lab-f\nip neigh add proxy 10.0.3.8 dev lab-f\n",
        other: "",
        shown: ADDRESSES,
    },
    // Of a vxlan as a port the bridge has an entry that nobody asked for.
    Pair {
        one: "",
        other: "ip link set lab-x master lab-b\n",
        shown: "bridge link show | cut -d' ' -f2-3",
    },
    Pair {
        one: "ip address add 2001:db8::1/64 dev lab-b nodad\n",
        other: "sysctl net.ipv6.conf.lab-b.disable_ipv6=1\n",
        shown: "ip -o -6 address show dev lab-b scope global",
    },
];

/// As in a lab that never was another one.
fn fresh(lines: &str, shown: &str) -> String {
    let session = Session::new();
    let lab = session.deployed(NAME);
    let place = Place::Lab(&session, lab);
    place.write(lines);
    place.apply();
    place.shell(shown).expect_code(0).stdout
}

#[test]
fn a_lab_is_mended_in_an_order_that_the_kernel_takes() {
    for pair in &PAIRS {
        let session = Session::new();
        let lab = session.deployed(NAME);
        let place = Place::Lab(&session, lab);
        place.write(pair.one);
        place.apply();
        let shown = || place.shell(pair.shown).expect_code(0).stdout;
        let one = shown();
        for (lines, wanted) in [(pair.other, fresh(pair.other, pair.shown)), (pair.one, one)] {
            place.write(lines);
            let planned = place.netwright(&["plan"], &[]).expect_code(0).stdout;
            assert!(planned.contains(", mended in place by "), "{lines}{planned}");
            place.apply();
            assert_eq!(shown(), wanted, "{lines}{planned}");
        }
    }
}

/// What no order helps is told, and all is as it was.
#[test]
fn a_mend_that_the_kernel_never_takes_leaves_all_as_it_was() {
    let session = Session::new();
    let lab = session.deployed(NAME);
    let place = Place::Lab(&session, lab);
    place.write("");
    place.apply();
    place.write("ip route add 10.5.0.0/16 via 10.0.1.9\nip link set lab-f mtu 1400\n");
    // Nothing goes there any more, whatever the routes say.
    place.shell("ip rule add blackhole priority 1 protocol bird").expect_code(0);
    let told = place.netwright(&["apply"], &[]).expect_code(5);
    assert!(told.stderr.contains("Nexthop has invalid gateway"), "{told:#?}");
    assert_eq!(place.shell("ip route show 10.5.0.0/16").stdout, "");
    assert!(place.shell("ip link show lab-f").stdout.contains("mtu 1500"));
    place.shell("ip rule delete priority 1").expect_code(0);
    place.apply();
}
