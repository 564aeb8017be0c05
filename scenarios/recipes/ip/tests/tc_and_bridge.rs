//! Lines of tc(8) and bridge(8) among those of ip(8).

mod table;

use netwright_sdk::testing::MemoryHost;
use recipe_ip::RECIPE;

#[test]
fn abbreviations_are_those_of_tc_and_bridge() {
    table::same(
        "
tc q a dev x root netem del 100ms 5ms 25%       = tc qdisc add dev x root netem delay 100ms 5ms 25%
tc -s qdisc ls dev x                            = tc qdisc show dev x
tc qdisc ls                                     = tc qdisc list
bridge link                                     = bridge link show
bridge -d l sh dev p0                           = bridge link list dev p0
bridge fdb                                      = bridge fdb show
bridge f s br br0                               = bridge fdb show br br0
bridge fdb show brport p0                       = bridge fdb show dev p0
bridge fdb add to 02:00:00:00:00:01 dev p1      = bridge fdb add 02:00:00:00:00:01 dev p1
bridge vlan add dev p1 vid 5 tagged             = bridge vlan add dev p1 vid 5
/sbin/tc -s -d qdisc                            = tc qdisc show
tc qdisc change root dev x netem latency 1s     = tc qdisc change dev x root netem delay 1000ms
tc qdisc repl dev x root netem drop random 1%   = tc qdisc replace dev x root netem loss 1%
tc -n n1 qdisc del dev x root                   = ip netns exec n1 tc qdisc delete dev x root
tc qdisc add dev x root handle 1: tbf rate 1mbit buffer 4k lat 50ms = tc qdisc add dev x root handle 1:0 tbf rate 1000kbit burst 32kbit latency 50ms
tc qdisc del dev x root netem                   = tc qdisc del dev x root
bridge v a dev p1 vid 100 pvid untagged         = bridge vlan add dev p1 vid 100 pvid untagged master
bridge -n n1 vlan del vid 5-9 dev p1            = ip netns exec n1 bridge vlan delete dev p1 vid 5-9
bridge link set dev p1 hairpin on state forwarding = bridge link set dev p1 hairpin on state 3
bridge fdb add 02:00:00:00:00:01 dev p1 master temp = bridge fdb add 02:00:00:00:00:01 dev p1 master static
",
    );
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    table::refused(
        "
> tc qdisc add dev x netem delay 100ms
1:10: `add` needs to know where
  help: `root`, before the kind
> tc qdisc add dev x root netem delay 100
1:37: `100` has no unit; a time is such as `100ms`
> tc qdisc add dev x root netem dely 100ms
1:31: `dely` is not known in `netem`
  help: did you mean `delay`?
> tc qdisc add dev x root netem loss gemodel 1%
1:36: `loss gemodel` is not offered here
  help: `loss PERCENT` is
> tc qdisc add dev x root netem gap 5
1:31: `gap` needs `reorder` with its chance
> tc qdisc add dev x root tbf rate 1mbit
1:25: `tbf` needs `rate`, `burst`, and either `latency` or `limit`
> tc qdisc add dev x root tbf rate 1mbit burst 1k limit 1k latency 5ms
1:58: `limit` and `latency` say the same, one of them is given
> tc qdisc add dev x root htb default 1
1:29: options of `htb` are not offered here
  help: those of `netem` and `tbf` are
> tc qdisc add dev x parent 1: netem
1:20: `parent` is not offered here
  help: the `root` discipline of a link is
> tc class add dev x
1:4: `tc class` is not offered here
  help: `tc qdisc add dev DEVICE root tbf …` or `netem …` shapes all of a link; one link for each class, else
> bridge vlan add dev p1 vid 4095
1:28: `4095` is neither a vlan id nor a range
  help: 1 to 4094, as in `100` and `100-200`
> bridge vlan add vid 4
1:13: `dev` is missing
> bridge link set dev p1 hairpn on
1:24: `hairpn` is not known in `bridge link set`
  help: did you mean `hairpin`?
> bridge mdb show
1:8: `bridge mdb` is not offered here
  help: `ip link set BRIDGE type bridge mcast_snooping 0` floods groups to all ports
> bridge fdb append 00:00:00:00:00:00 dev vx0 dst 192.0.2.4 vni 77 port 4790
1:59: `vni` of `bridge fdb` is not offered here
  help: `dst ADDRESS` alone: what else it is sent by is the vxlan's own
> bridge fdb add 02:00:00:00:00:01 dev vx0 dst 192.0.2.6 dynamic
1:56: `dynamic` of `bridge fdb` is not offered here
  help: `static` entries are, which stay; what a bridge hears ages by itself
> bridge fdb show state reachable
1:17: entries can't be chosen by `state` here
  help: `dev`, `brport`, `br` and `vlan` choose
> bridge fdb flush dev p1
1:12: `bridge fdb flush` is not offered here
  help: `add`, `append`, `replace`, `delete` and `show` are
> bridge link foo
1:13: `foo` is not known in `bridge link`
> bridge link show p1
1:18: `p1` is not known in `bridge link show`
> bridge vlan add dev p1 vid 5 tunnel_info id 5
1:30: `tunnel_info` is not offered here
  help: one vxlan for each VLAN: `ip link add NAME type vxlan id VNI …`, each a port
> tc qdisc show dev x ingress
1:21: disciplines can't be chosen by `ingress` here
  help: those of the `root` are shown, by `dev` or all
> tc qdisc add dev x root netem rate 1mbit 20
1:42: the overhead of packets behind `rate` is not offered here
  help: `rate RATE` alone is
> tc qdisc add dev x root tbf rate 1mbit burst 32kbit latency 50ms overhead 5
1:66: `overhead` of tbf is not offered here
  help: a lower `rate` does for what each packet has besides
> bridge fdb add dev p1
1:12: `add` needs a station's address
",
    );
}

#[test]
fn lines_of_all_three_programs_are_carried_out_in_turn() {
    let host = MemoryHost::new();
    host.set_param(
        "script",
        "
        ip link add br0 type bridge vlan_filtering 1
        ip link add p1 type veth peer name p2
        ip link set p1 master br0
        tc qdisc add dev p1 root netem delay 100ms 5ms loss 1%
        tc qdisc change dev p1 root netem loss 2%
        tc qdisc show
        tc qdisc del dev p1 root
        bridge vlan del dev p1 vid 1
        bridge vlan add dev p1 vid 100 pvid untagged
        bridge vlan add dev p1 vid 200-300
        bridge vlan show
        bridge link set dev p1 hairpin on
        bridge fdb replace 02:00:00:00:00:01 dev p1 master static
        ",
    );
    host.run(&RECIPE).expect("all of it");
    assert_eq!(
        host.changes()[3..],
        [
            "qdisc add dev p1 root netem delay 100ms 5ms loss 1%",
            "qdisc change dev p1 root netem loss 2%",
            "qdisc delete dev p1 root",
            "vlan delete dev p1 vid 1",
            "vlan add dev p1 vid 100 pvid untagged",
            "vlan add dev p1 vid 200-300",
            "link set p1 type bridge_slave hairpin on",
            "fdb replace 02:00:00:00:00:01 dev p1 master static",
        ]
    );
    assert_eq!(
        host.prints(),
        [
            "qdisc netem 8001: dev p1 root delay 100ms 5ms loss 2%",
            "br0              1 PVID Egress Untagged\np1               100 PVID Egress Untagged\n                 200-300",
        ]
    );
}
