//! What each noun has to show: by the compiler's list, so that a new one without a case is none that
//! compiles.

use netwright::state::Kind;
use netwright_tests::{has_bridge_vlans, has_netem, is_complete_kernel};

/// What every scenario here has.
pub(crate) const BASE: &str = "\
ip link add lab-e type veth peer name lab-f
ip link add lab-b type bridge
ip link set lab-e master lab-b
ip link set lab-e up
ip link set lab-f up
ip link set lab-b up
ip address add 10.0.1.2/24 dev lab-b nodad
ip link add lab-x type vxlan id 7 dstport 4799
";

/// One of a noun, made, altered, altered by hand, and no longer wanted; after each the lines that a
/// plan of the next one has.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// the lines that make it
    pub made: &'static str,
    pub missing: &'static str,
    /// instead of those
    pub altered: &'static str,
    pub other: &'static str,
    /// for a shell, then
    pub by_hand: &'static str,
    pub drifted: &'static str,
    /// where the altered lines are gone
    pub extra: &'static str,
    /// how another tool tells of it
    pub shown: &'static str,
    /// in place; else a new deployment takes its place
    pub is_mended: bool,
    /// else only a lab has it: on a host each route and rule has netwright's number
    pub is_on_host: bool,
}

const USUAL: Case = Case {
    made: "",
    missing: "",
    altered: "",
    other: "",
    by_hand: "true",
    drifted: "",
    extra: "",
    shown: "true",
    is_mended: true,
    is_on_host: true,
};

/// What is told of a noun on this kernel: on the second one, which is slow, what others may lack.
pub(crate) fn cases(kind: Kind) -> Vec<Case> {
    let (usual, rare) = all(kind);
    if is_complete_kernel() { rare } else { [usual, rare].concat() }
}

/// What every kernel has, and what this one has of the rest.
fn all(kind: Kind) -> (Vec<Case>, Vec<Case>) {
    let (usual, rare) = match kind {
        Kind::Namespace => (vec![NAMESPACE], None),
        Kind::Link => (vec![LINK], None),
        Kind::Address => (vec![ADDRESS], None),
        Kind::Route => (vec![ROUTE, DAEMONS_ROUTE], None),
        Kind::Rule => (vec![RULE, DAEMONS_RULE], None),
        Kind::Neighbour => (vec![NEIGHBOUR], None),
        Kind::Fdb => (vec![BRIDGED, OF_ITS_OWN, OF_A_BRIDGE, REMOTE], None),
        Kind::Sysctl => (vec![STACK, OF_A_LINK, WORDS], None),
        Kind::Qdisc => (vec![FIFO], has_netem().then_some(NETEM)),
        Kind::PortVlans => (Vec::new(), has_bridge_vlans().then_some(VLANS)),
    };
    (usual, rare.into_iter().collect())
}

const NAMESPACE: Case = Case {
    made: "ip netns add lab-n\n",
    missing: "+ namespace lab-n\n",
    altered: "ip netns add lab-n\nip netns add lab-o\n",
    other: "+ namespace lab-o\n",
    by_hand: "ip netns delete lab-o",
    drifted: "+ namespace lab-o\n",
    extra: "- namespace lab-n\n- namespace lab-o\n",
    shown: "ip netns list | cut -d' ' -f1 | sort",
    is_mended: false,
    ..USUAL
};

const LINK: Case = Case {
    made: "ip link set lab-f mtu 1400\n",
    missing: "~ link lab-f: mtu 1500 -> 1400\n",
    altered: "ip link set lab-f mtu 1300\n",
    other: "~ link lab-f: mtu 1400 -> 1300\n",
    by_hand: "ip link set lab-f mtu 1290",
    drifted: "~ link lab-f: mtu 1290 -> 1300\n",
    extra: "~ link lab-f: mtu 1300 -> 1500\n",
    shown: "ip -o link show lab-f | grep -o 'mtu [0-9]*'",
    ..USUAL
};

const ADDRESS: Case = Case {
    made: "ip address add 10.0.3.1/24 dev lab-f\n",
    missing: "+ address 10.0.3.1/24 of lab-f\n",
    altered: "ip address add 10.0.3.1/24 metric 7 dev lab-f\n",
    other: "~ address 10.0.3.1/24 of lab-f: metric none -> 7\n",
    by_hand: "ip address delete 10.0.3.1/24 dev lab-f; ip address add 10.0.3.9/24 dev lab-f",
    drifted: "+ address 10.0.3.1/24 of lab-f: metric 7\n- address 10.0.3.9/24 of lab-f\n",
    extra: "- address 10.0.3.1/24 of lab-f\n",
    shown: "ip -o address show dev lab-f | grep -o 'inet .* scope'",
    ..USUAL
};

const ROUTE: Case = Case {
    made: "ip route add 10.9.0.0/16 via 10.0.1.1\n",
    missing: "+ route 10.9.0.0/16 via 10.0.1.1 dev lab-b table 254 proto BOOT scope global\n",
    altered: "ip route add 10.9.0.0/16 via 10.0.1.3\n",
    other: "+ route 10.9.0.0/16 via 10.0.1.3 dev lab-b table 254 proto BOOT scope global\n\
            - route 10.9.0.0/16 via 10.0.1.1 dev lab-b table 254 proto BOOT scope global\n",
    by_hand: "ip route delete 10.9.0.0/16",
    drifted: "+ route 10.9.0.0/16 via 10.0.1.3 dev lab-b table 254 proto BOOT scope global\n",
    extra: "- route 10.9.0.0/16 via 10.0.1.3 dev lab-b table 254 proto BOOT scope global\n",
    shown: "ip route show 10.9.0.0/16",
    ..USUAL
};

/// With the number of a daemon, whose other routes are its own.
const DAEMONS_ROUTE: Case = Case {
    made: "ip route add 10.9.0.0/16 via 10.0.1.1 proto bird\n",
    missing: "+ route 10.9.0.0/16 via 10.0.1.1 dev lab-b table 254 proto 12 scope global\n",
    altered: "ip route add 10.9.0.0/16 via 10.0.1.3 proto bird\n",
    other: "+ route 10.9.0.0/16 via 10.0.1.3 dev lab-b table 254 proto 12 scope global\n\
            - route 10.9.0.0/16 via 10.0.1.1 dev lab-b table 254 proto 12 scope global\n",
    by_hand: "ip route delete 10.9.0.0/16 proto bird",
    drifted: "+ route 10.9.0.0/16 via 10.0.1.3 dev lab-b table 254 proto 12 scope global\n",
    extra: "- route 10.9.0.0/16 via 10.0.1.3 dev lab-b table 254 proto 12 scope global\n",
    shown: "ip route show 10.9.0.0/16",
    is_on_host: false,
    ..USUAL
};

const RULE: Case = Case {
    made: "ip rule add from 10.0.1.0/24 table 9 priority 100\n",
    missing: "+ rule from 10.0.1.0/24 priority 100 protocol BOOT lookup 9\n",
    altered: "ip rule add from 10.0.1.0/24 table 10 priority 100\n",
    other: "+ rule from 10.0.1.0/24 priority 100 protocol BOOT lookup 10\n\
            - rule from 10.0.1.0/24 priority 100 protocol BOOT lookup 9\n",
    by_hand: "ip rule delete priority 100",
    drifted: "+ rule from 10.0.1.0/24 priority 100 protocol BOOT lookup 10\n",
    extra: "- rule from 10.0.1.0/24 priority 100 protocol BOOT lookup 10\n",
    shown: "ip rule show",
    ..USUAL
};

const DAEMONS_RULE: Case = Case {
    made: "ip rule add from 10.0.1.0/24 table 9 priority 100 protocol bird\n",
    missing: "+ rule from 10.0.1.0/24 priority 100 protocol 12 lookup 9\n",
    altered: "ip rule add from 10.0.1.0/24 table 10 priority 100 protocol bird\n",
    other: "+ rule from 10.0.1.0/24 priority 100 protocol 12 lookup 10\n\
            - rule from 10.0.1.0/24 priority 100 protocol 12 lookup 9\n",
    by_hand: "ip rule delete priority 100",
    drifted: "+ rule from 10.0.1.0/24 priority 100 protocol 12 lookup 10\n",
    extra: "- rule from 10.0.1.0/24 priority 100 protocol 12 lookup 10\n",
    shown: "ip rule show",
    is_on_host: false,
    ..USUAL
};

const NEIGHBOUR: Case = Case {
    made: "ip neigh add 10.0.1.9 lladdr 02:00:00:00:00:09 dev lab-b\n",
    missing: "+ neighbour 10.0.1.9 of lab-b: mac 02:00:00:00:00:09\n",
    altered: "ip neigh add 10.0.1.9 lladdr 02:00:00:00:00:19 dev lab-b\n",
    other: "~ neighbour 10.0.1.9 of lab-b: mac 02:00:00:00:00:09 -> 02:00:00:00:00:19\n",
    by_hand: "ip neigh delete 10.0.1.9 dev lab-b",
    drifted: "+ neighbour 10.0.1.9 of lab-b: mac 02:00:00:00:00:19\n",
    extra: "- neighbour 10.0.1.9 of lab-b\n",
    shown: "ip neigh show nud permanent",
    ..USUAL
};

/// Of a bridge's port, and beside it what nobody asked for.
const BRIDGED: Case = Case {
    made: "bridge fdb add 02:00:00:00:00:09 dev lab-e master static\n",
    missing: "+ fdb 02:00:00:00:00:09 of lab-e: state static\n",
    altered: "bridge fdb add 02:00:00:00:00:09 dev lab-e master\n",
    other: "~ fdb 02:00:00:00:00:09 of lab-e: state static -> permanent\n",
    by_hand: "bridge fdb delete 02:00:00:00:00:09 dev lab-e master
              bridge fdb add 02:00:00:00:00:33 dev lab-e master static
              bridge fdb add 02:00:00:00:00:34 dev lab-e master dynamic
              bridge fdb add 02:00:00:00:00:35 dev lab-e master dynamic extern_learn",
    drifted: "+ fdb 02:00:00:00:00:09 of lab-e: state permanent\n\
              - fdb 02:00:00:00:00:33 of lab-e\n",
    extra: "- fdb 02:00:00:00:00:09 of lab-e\n",
    shown: "bridge fdb show dev lab-e | grep -v '0:3[45]' | grep 02:00:00:00:00 | sort",
    ..USUAL
};

/// In the filter of a link that is no bridge's.
const OF_ITS_OWN: Case = Case {
    made: "bridge fdb add 02:00:00:00:00:09 dev lab-f self\n",
    missing: "+ fdb 02:00:00:00:00:09 self of lab-f: state permanent\n",
    altered: "bridge fdb add 02:00:00:00:00:09 dev lab-e self\n",
    other: "+ fdb 02:00:00:00:00:09 self of lab-e: state permanent\n\
            - fdb 02:00:00:00:00:09 self of lab-f\n",
    by_hand: "bridge fdb delete 02:00:00:00:00:09 dev lab-e self",
    drifted: "+ fdb 02:00:00:00:00:09 self of lab-e: state permanent\n",
    extra: "- fdb 02:00:00:00:00:09 self of lab-e\n",
    shown: "bridge fdb show | grep 02:00:00:00:00 | sort",
    ..USUAL
};

const OF_A_BRIDGE: Case = Case {
    made: "bridge fdb add 02:00:00:00:00:09 dev lab-b self\n",
    missing: "+ fdb 02:00:00:00:00:09 self of lab-b: state permanent\n",
    altered: "bridge fdb add 02:00:00:00:00:19 dev lab-b self\n",
    other: "+ fdb 02:00:00:00:00:19 self of lab-b: state permanent\n\
            - fdb 02:00:00:00:00:09 self of lab-b\n",
    by_hand: "bridge fdb delete 02:00:00:00:00:19 dev lab-b self",
    drifted: "+ fdb 02:00:00:00:00:19 self of lab-b: state permanent\n",
    extra: "- fdb 02:00:00:00:00:19 self of lab-b\n",
    shown: "bridge fdb show | grep 02:00:00:00:00 | sort",
    ..USUAL
};

/// A vxlan's: for everybody there are several, for a station there is one.
const REMOTE: Case = Case {
    made: "bridge fdb append 00:00:00:00:00:00 dev lab-x dst 10.0.1.3\n\
           bridge fdb append 00:00:00:00:00:00 dev lab-x dst 10.0.1.4\n\
           bridge fdb add 02:00:00:00:00:09 dev lab-x dst 10.0.1.3\n",
    missing: "+ fdb 00:00:00:00:00:00 self dst 10.0.1.3 of lab-x: state permanent\n\
              + fdb 00:00:00:00:00:00 self dst 10.0.1.4 of lab-x: state permanent\n\
              + fdb 02:00:00:00:00:09 self dst 10.0.1.3 of lab-x: state permanent\n",
    altered: "bridge fdb append 00:00:00:00:00:00 dev lab-x dst 10.0.1.3\n\
              bridge fdb append 00:00:00:00:00:00 dev lab-x dst 10.0.1.5\n\
              bridge fdb add 02:00:00:00:00:09 dev lab-x dst 10.0.1.5\n",
    other: "+ fdb 00:00:00:00:00:00 self dst 10.0.1.5 of lab-x: state permanent\n\
            + fdb 02:00:00:00:00:09 self dst 10.0.1.5 of lab-x: state permanent\n\
            - fdb 00:00:00:00:00:00 self dst 10.0.1.4 of lab-x\n\
            - fdb 02:00:00:00:00:09 self dst 10.0.1.3 of lab-x\n",
    by_hand: "bridge fdb delete 00:00:00:00:00:00 dev lab-x dst 10.0.1.3",
    drifted: "+ fdb 00:00:00:00:00:00 self dst 10.0.1.3 of lab-x: state permanent\n",
    extra: "- fdb 00:00:00:00:00:00 self dst 10.0.1.3 of lab-x\n\
            - fdb 00:00:00:00:00:00 self dst 10.0.1.5 of lab-x\n\
            - fdb 02:00:00:00:00:09 self dst 10.0.1.5 of lab-x\n",
    shown: "bridge fdb show dev lab-x | grep dst | sort",
    ..USUAL
};

const STACK: Case = Case {
    made: "sysctl -w net.ipv4.tcp_keepalive_time=100\n",
    missing: "~ sysctl net.ipv4.tcp_keepalive_time: value 7200 -> 100\n",
    altered: "sysctl -w net/ipv4/tcp_keepalive_time=200\n",
    other: "~ sysctl net.ipv4.tcp_keepalive_time: value 100 -> 200\n",
    by_hand: "sysctl -q -w net.ipv4.tcp_keepalive_time=77",
    drifted: "~ sysctl net.ipv4.tcp_keepalive_time: value 77 -> 200\n",
    extra: "~ sysctl net.ipv4.tcp_keepalive_time: value 200 -> 7200\n",
    shown: "sysctl net.ipv4.tcp_keepalive_time",
    ..USUAL
};

/// Of a link that is renamed: its setting goes along.
const OF_A_LINK: Case = Case {
    made: "sysctl -w net.ipv4.conf.lab-f.arp_ignore=1\n",
    missing: "~ sysctl net.ipv4.conf.lab-f.arp_ignore: value 0 -> 1\n",
    altered: "sysctl -w net.ipv4.conf.lab-f.arp_ignore=2\n",
    other: "~ sysctl net.ipv4.conf.lab-f.arp_ignore: value 1 -> 2\n",
    by_hand: "sysctl -q -w net.ipv4.conf.lab-f.arp_ignore=0",
    drifted: "~ sysctl net.ipv4.conf.lab-f.arp_ignore: value 0 -> 2\n",
    extra: "~ sysctl net.ipv4.conf.lab-f.arp_ignore: value 2 -> 0\n",
    shown: "sysctl net.ipv4.conf.lab-f.arp_ignore",
    ..USUAL
};

/// Of several words, whatever stands between them.
const WORDS: Case = Case {
    made: "sysctl -w net.ipv4.ip_local_port_range='20000  30000'\n",
    missing: "~ sysctl net.ipv4.ip_local_port_range: value 32768 60999 -> 20000 30000\n",
    altered: "sysctl -w net.ipv4.ip_local_port_range='20000 40000'\n",
    other: "~ sysctl net.ipv4.ip_local_port_range: value 20000 30000 -> 20000 40000\n",
    by_hand: "sysctl -q -w net.ipv4.ip_local_port_range='1024 2048'",
    drifted: "~ sysctl net.ipv4.ip_local_port_range: value 1024 2048 -> 20000 40000\n",
    extra: "~ sysctl net.ipv4.ip_local_port_range: value 20000 40000 -> 32768 60999\n",
    shown: "sysctl net.ipv4.ip_local_port_range",
    ..USUAL
};

const FIFO: Case = Case {
    made: "tc qdisc add dev lab-f root handle 7: pfifo\n",
    missing: "+ qdisc of lab-f: handle 7:, kind pfifo, limit 1000\n",
    altered: "tc qdisc add dev lab-f root bfifo\n",
    other: "~ qdisc of lab-f: handle 7: -> none, kind pfifo -> bfifo, limit 1000 -> 1514000\n",
    by_hand: "tc qdisc replace dev lab-f root bfifo limit 9000",
    drifted: "~ qdisc of lab-f: limit 9000 -> 1514000\n",
    extra: "- qdisc of lab-f\n",
    shown: "tc qdisc show dev lab-f | sed 's/bfifo [0-9a-f]*:/bfifo/'",
    ..USUAL
};

/// Each option, and the table that the kernel tells nobody.
const NETEM: Case = Case {
    made: "tc qdisc add dev lab-f root netem delay 10ms 2ms distribution normal loss 1%\n",
    missing: "+ qdisc of lab-f: delay 10ms 2ms, distribution normal, kind netem, limit 1000, \
              loss 1%\n",
    altered: "tc qdisc add dev lab-f root netem delay 20ms 2ms distribution pareto\n",
    other: "~ qdisc of lab-f: delay 10ms 2ms -> 20ms 2ms, distribution normal -> pareto, \
            loss 1% -> none\n",
    by_hand: "tc qdisc replace dev lab-f root tbf rate 1mbit burst 10kb limit 10000",
    drifted: "~ qdisc of lab-f: burst 10240b -> none, delay none -> 20ms 2ms, \
              distribution none -> pareto, kind tbf -> netem, limit 10000b -> 1000, \
              rate 1mbit -> none\n",
    extra: "- qdisc of lab-f\n",
    shown: "tc qdisc show dev lab-f | sed 's/netem [0-9a-f]*:/netem/; s/seed.*//'",
    ..USUAL
};

const VLANS: Case = Case {
    made: "bridge vlan add dev lab-e vid 10 pvid untagged\nbridge vlan add dev lab-e vid 20-29\n",
    missing: "~ vlans of lab-e: vid 1 pvid untagged -> untagged, vid 10 none -> pvid untagged, \
              vid 20-29 none -> tagged\n",
    altered: "bridge vlan add dev lab-e vid 20-22\nbridge vlan delete dev lab-e vid 1\n\
              bridge vlan add dev lab-b vid 30 self\n",
    other: "~ vlans of lab-b: vid 30 none -> tagged\n\
            ~ vlans of lab-e: vid 1 untagged -> none, vid 10 pvid untagged -> none, \
            vid 20-22 none -> tagged, vid 20-29 tagged -> none\n",
    by_hand: "bridge vlan delete dev lab-e vid 21; bridge vlan add dev lab-e vid 40",
    drifted: "~ vlans of lab-e: vid 20 tagged -> none, vid 20-22 none -> tagged, \
              vid 22 tagged -> none, vid 40 tagged -> none\n",
    extra: "~ vlans of lab-b: vid 30 tagged -> none\n\
            ~ vlans of lab-e: vid 1 none -> pvid untagged, vid 20-22 tagged -> none\n",
    shown: "bridge vlan show",
    ..USUAL
};
