//! What is understood: abbreviations as iproute2 takes them, the seed, batch files.

mod table;

/// Each line is a command as it may be typed, and the same one in full.
const SAME: &str = "
# objects
l set x up                                  = ip link set dev x up
li set x up                                 = ip link set dev x up
a add 10.0.0.1/24 dev x                     = ip address add 10.0.0.1/24 dev x
ad add 10.0.0.1/24 dev x                    = ip address add 10.0.0.1/24 dev x
addr add 10.0.0.1/24 dev x                  = ip address add 10.0.0.1/24 dev x
r add default dev x                         = ip route add default dev x
ro add default dev x                        = ip route add default dev x
ru add pref 5                               = ip rule add priority 5
n add 10.0.0.2 lladdr 2:0:0:0:0:1 dev x     = ip neighbour add 10.0.0.2 lladdr 2:0:0:0:0:1 dev x
ne add 10.0.0.2 lladdr 2:0:0:0:0:1 dev x    = ip neighbour add 10.0.0.2 lladdr 2:0:0:0:0:1 dev x
neigh del 10.0.0.2 dev x                    = ip neighbour delete 10.0.0.2 dev x
neighbor del 10.0.0.2 dev x                 = ip neighbour delete 10.0.0.2 dev x
net add ns1                                 = ip netns add ns1
netn a ns1                                  = ip netns add ns1
tunt add x mode tun                         = ip tuntap add dev x mode tun
tap add x mode tap                          = ip tuntap add name x mode tap
/sbin/ip link set x up                      = ip link set x up
$ ip link set x up                          = ip link set x up
# what stands before the object
ip -d -s -p -c link                         = ip link show
ip -o link                                  = ip -oneline link show
ip -br -d addr                              = ip -brief address
ip -h -iec -r -t -ts -N -echo a             = ip address
ip -color=always -details -statistics a     = ip address
ip -fo -l 5 -rc 1024 link                   = ip link
ip -f inet6 route                           = ip -6 route
ip -family inet address                     = ip -4 address
ip -n ns1 link set x up                     = ip netns exec ns1 ip link set x up
ip -netns ns1 a                             = ip netns exec ns1 ip address
ip -- link set x up                         = ip link set x up
ip -n a -n b link                           = ip -n b link
ip -n a netns exec b ip link                = ip -n b link
ip netns e ns1 /bin/ip l                    = ip -n ns1 link
ip -6 netns exec ns1 ip address             = ip -n ns1 address
ip -a netns e ip link set lo up             = ip -all netns exec ip link set lo up
ip tunnel add t0 mode gre local 192.0.2.1 remote 192.0.2.2 ttl 64 key 5 = ip link add t0 type gre local 192.0.2.1 remote 192.0.2.2 ttl 64 key 5
ip tunl a t1 mode ipip remote 192.0.2.3 local any tos 4 = ip link add t1 type ipip ttl inherit remote 192.0.2.3 tos 4
ip tunnel add mode sit name t2 remote any local 192.0.2.1 dev e0 nopmtudisc = ip link add t2 type sit ttl inherit local 192.0.2.1 dev e0 nopmtudisc
ip tunnel add v0 mode vti key 7             = ip link add v0 type vti key 7
ip -6 tunnel add t3 mode ip6ip6 local fd00::1 hoplimit 9 = ip link add t3 type ip6tnl mode ip6ip6 local fd00::1 ttl 9
ip -6 tunnel add t4 mode ip6gre local fd00::1 = ip link add t4 type ip6gre local fd00::1
ip tunnel change t0 mode gre ttl 5          = ip link set t0 type gre ttl 5
ip tunnel del t1 mode ipip                  = ip link delete t1
ip tunnel                                   = ip tunnel show
ip vrf                                      = ip vrf list
ip vrf exec blue ip link                    = ip link
ip vrf exec blue ping 10.0.0.1              = ping -I blue 10.0.0.1
# labels, and names of tables
ip addr add 10.0.0.1/24 dev lo:1            = ip addr add 10.0.0.1/24 dev lo
ip route add 10.0.0.0/8 dev eth0:7          = ip route add 10.0.0.0/8 dev eth0
ip neigh show dev eth0:7                    = ip neigh show dev eth0
ip rule show all                            = ip rule show
ip rule add type unicast table 7            = ip rule add table 7
ip route flush metric 9                     = ip route flush priority 9
ip route flush preference 9                 = ip route flush metric 0x9
ip route add vrf blue default dev x         = ip route add default dev x vrf blue
ping -qc1 10.0.0.1                          = ping -q -c 1 10.0.0.1
ping -nc 2 localhost                        = ping -n -c 2 127.0.0.1
ping -6 localhost                           = ping -6 ::1
# link
ip l a x type dummy                         = ip link add name x type dummy
ip l add dev x type dummy                   = ip link add name x type dummy
ip link ad y name x type dummy              = ip link add x type dummy
ip l s x up                                 = ip link set dev x up
ip link set up x                            = ip link set x up
ip link set up dev x                        = ip link set x up
ip link se x d on                           = ip link set x dynamic on
ip link c x up                              = ip link set x up
ip link change x up                         = ip link set x up
ip link d x                                 = ip link delete dev x
ip link del x type veth                     = ip link delete x
ip link ls up                               = ip link show up
ip link sh dev x                            = ip link show x
ip link lst group default                   = ip link show group 0
ip link show vrf blue                       = ip l sh vrf blue
ip link set x addr 2:0:0:0:0:1              = ip link set x address 02:00:00:00:00:01
ip link set x brd ff:ff:ff:ff:ff:ff         = ip link set x broadcast FF:FF:FF:FF:FF:FF
ip link set x txq 5                         = ip link set x txqueuelen 5
ip link set x qlen 5                        = ip link set x txqueuelen 5
ip link set x txql 0x5                      = ip link set x txqueuelen 5
ip link set x mast br0                      = ip link set x master br0
ip link set x m br0                         = ip link set x master br0
ip link set x vrf blue                      = ip l s x vrf blue
ip link set x nom                           = ip link set x nomaster
ip link set x al 'two words'                = ip link set x alias \"two words\"
ip link set x addrg none                    = ip link set x addrgenmode none
ip link set x group default                 = ip link set x group 0
ip link add x numt 2 numr 2 ty dummy        = ip link add x numtxqueues 2 numrxqueues 2 type dummy
ip link add l e x ty macvlan m bridge       = ip link add link e name x type macvlan mode bridge
ip link add li e x ty macvtap m source fl nodst      = ip link add link e x type macvtap mode source nodst
ip link add link e x type macvlan mode passthru nop = ip link add link e x type macvlan mode passthru flag nopromisc
ip link add link e x type macvlan bcq 9     = ip link add link e x type macvlan bcqueuelen 9
ip link set x type macvlan macaddr del 2:0:0:0:0:1 = ip link set x type macvlan maca del 02:00:00:00:00:01
ip link add v0 type veth peer v1            = ip link add v0 type veth peer name v1
ip link add v0 type veth peer dev v1        = ip link add v0 type veth peer name v1
ip link add x type bridge stp 1 ag 500 v 1  = ip link add x type bridge stp_state 1 ageing_time 500 vlan_filtering 1
ip link add x type bridge mcast_s 0         = ip link add x type bridge mcast_snooping 0
ip link set x type bridge_slave hair on fl off = ip link set x type bridge_slave hairpin on flood off
ip link add link e x.5 type vlan i 5 prot 802.1q = ip link add link e x.5 type vlan id 5
ip link add link e x.5 type vlan id 5 r off = ip link add link e x.5 type vlan id 5 reorder_hdr off
ip link add link e x.5 type vlan id 5 e 1:2 3:4 = ip link add link e x.5 type vlan id 5 egress-qos-map 0x1:2 3:4
ip link add x type vxlan vni 5 dstp 4789    = ip link add x type vxlan id 5 dstport 4789
ip link add x type vxlan id 5 l 10.0.0.1    = ip link add x type vxlan id 5 local 10.0.0.1
ip link add x type vxlan id 5 d e hop 9 nol = ip link add x type vxlan id 5 dev e ttl 9 nolearning
ip link add x type vxlan id 5 port 1 2      = ip link add x type vxlan id 5 srcport 1 2
ip link add x type vxlan id 5 remote any    = ip link add x type vxlan id 5
ip link add x type vxlan id 5 gpe           = ip link add x type vxlan id 5 gpe dstport 4790
ip link add x type vxlan ext                = ip link add x type vxlan external nolearning
ip link add link e x type ipvlan m l2 pri   = ip link add link e x type ipvlan mode l2 private
ip link add x type vrf t main               = ip link add x type vrf table 254
# address
ip a a 10.0.0.1/24 dev x                    = ip address add local 10.0.0.1/24 dev x
ip addr chg 10.0.0.1/24 dev x               = ip address change 10.0.0.1/24 dev x
ip addr ch 10.0.0.1/24 dev x                = ip address change 10.0.0.1/24 dev x
ip addr r 10.0.0.1/24 dev x                 = ip address replace 10.0.0.1/24 dev x
ip addr d 10.0.0.1/24 dev x                 = ip address delete 10.0.0.1/24 dev x
ip addr add 10.0.0.1 dev x                  = ip address add 10.0.0.1/32 dev x
ip addr add 10.0.0.1/255.255.255.0 dev x    = ip address add 10.0.0.1/24 dev x
ip addr add 10.1/16 dev x                   = ip address add 10.1.0.0/16 dev x
ip addr add 10.0.0.9/24 brd + dev x         = ip address add 10.0.0.9/24 broadcast 10.0.0.255 dev x
ip addr add 10.0.0.9/24 b - dev x           = ip address add 10.0.0.9/24 broadcast 10.0.0.0 dev x
ip addr add 10.0.0.9/31 brd + dev x         = ip address add 10.0.0.9/31 dev x
ip addr add 10.0.0.9 peer 10.0.0.1/30 brd + dev x = ip address add 10.0.0.9 remote 10.0.0.1/30 brd 10.0.0.3 dev x
ip addr add 10.0.0.9/24 scope link dev x    = ip address add 10.0.0.9/24 scope 253 dev x
ip addr add 127.0.0.2/8 dev lo              = ip address add 127.0.0.2/8 scope host dev lo
ip addr add 10.0.0.9/24 p 5 dev x           = ip address add 10.0.0.9/24 metric 5 dev x
ip addr add 10.0.0.9/24 pref 5 dev x        = ip address add 10.0.0.9/24 metric 5 dev x
ip addr add 10.0.0.9/24 met 5 dev x         = ip address add 10.0.0.9/24 preference 5 dev x
ip addr add 10.0.0.9/24 val forever preferr forever dev x = ip address add 10.0.0.9/24 dev x
ip addr add 10.0.0.9/24 valid 60 preferred 30 dev x = ip address add 10.0.0.9/24 valid_lft 60 preferred_lft 30 dev x
ip a s x                                    = ip address show dev x
ip a l up                                   = ip address list up
ip a f dev x                                = ip address flush dev x
# route
ip r a 10/8 via 10.0.0.1                    = ip route add to 10.0.0.0/8 via 10.0.0.1
ip route a unicast default dev x            = ip route add default dev x
ip route add 0/0 dev x                      = ip route add default dev x
ip route add all dev x                      = ip route add default dev x
ip -6 route add default dev x               = ip -6 route add ::/0 dev x
ip route add bl 10/8                        = ip route add blackhole 10.0.0.0/8
ip route add u 10/8                         = ip route add unreachable 10.0.0.0/8
ip route add th 10/8                        = ip route add throw 10.0.0.0/8
ip route add brd 10.0.0.255 dev x           = ip route add broadcast 10.0.0.255/32 dev x
ip route add default oif x                  = ip route add default dev x
ip route add default dev x t 5              = ip route add default dev x table 5
ip route add default dev x tab local        = ip route add default dev x table 255
ip route add default dev x m 5              = ip route add default dev x metric 5
ip route add default dev x prio 5           = ip route add default dev x metric 5
ip route add default dev x preference 5     = ip route add default dev x metric 5
ip route add default dev x pro static       = ip route add default dev x protocol 4
ip route add default dev x ds 10            = ip route add default dev x tos 0x10
ip route add default dev x tos CS1          = ip route add default dev x tos 0x20
ip route add default dev x win 5 cw 5       = ip route add default dev x window 5 cwnd 5
ip route add default dev x initc 5 initr 5  = ip route add default dev x initcwnd 5 initrwnd 5
ip route add default dev x q 1              = ip route add default dev x quickack 1
ip route add default nexthop dev x nexthop dev y weight 1 = ip route add default nexthop dev x weight 1 nexthop dev y
ip route ch default dev x                   = ip route change default dev x
ip route rep default dev x                  = ip route replace default dev x
ip route app default dev x                  = ip route append default dev x
ip route pre default dev x                  = ip route prepend default dev x
ip r d default                              = ip route delete default
ip r l                                      = ip route show table main
ip r s 10/8                                 = ip route show exact 10.0.0.0/8
ip r s m 10.0.0.1                           = ip route show match 10.0.0.1
ip r f dev x                                = ip route flush dev x
ip r g 10.0.0.1                             = ip route get to 10.0.0.1/32
# rule
ip ru a from 10/8 ta 5                      = ip rule add from 10.0.0.0/8 lookup 5
ip ru a from 10/8 t 5                       = ip rule add from 10.0.0.0/8 tun_id 5
ip rule add from all                        = ip rule add table main
ip rule add p 5 tab main                    = ip rule add priority 5 table 254
ip rule add o 5                             = ip rule add preference 5
ip rule add dev x                           = ip rule add iif x
ip rule add fwmark 16                       = ip rule add fwmark 0x10/0xffffffff
ip rule add sup_pl 0                        = ip rule add suppress_prefixlength 0
ip rule add ipproto tcp dport 80            = ip rule add ipproto 6 dport 80
ip rule add n                               = ip rule add nop
ip rule add g 5                             = ip rule add goto 5
ip rule add unreach                         = ip rule add type unreachable
ip rule d p 5                               = ip rule delete priority 5
ip rule l                                   = ip rule show
ip rule f                                   = ip rule flush
# neighbour
ip n a 10.0.0.2 ll 2:0:0:0:0:1 dev x        = ip neigh add to 10.0.0.2 lladdr 2:0:0:0:0:1 nud permanent dev x
ip n r 10.0.0.2 ll 2:0:0:0:0:1 nud reach dev x = ip neigh replace 10.0.0.2 lladdr 2:0:0:0:0:1 nud reachable dev x
ip n ch 10.0.0.2 ll 2:0:0:0:0:1 dev x       = ip neigh chg 10.0.0.2 lladdr 2:0:0:0:0:1 dev x
ip n a pr 10.0.0.2 dev x                    = ip neigh add proxy 10.0.0.2 dev x
ip n a 10.0.0.2 ll 2:0:0:0:0:1 ext dev x    = ip neigh add 10.0.0.2 lladdr 2:0:0:0:0:1 extern_learn dev x
ip n s dev x                                = ip neigh show dev x
ip n f dev x nud stale                      = ip neigh flush nud stale dev x
# netns and tuntap
ip netns a x                                = ip netns add x
ip netns d x                                = ip netns delete x
ip netns l                                  = ip netns
ip netns sh                                 = ip netns list
ip tunt a x m ta us 5 g 5 vn mu o p         = ip tuntap add dev x mode tap user 5 group 5 vnet_hdr multi_queue one_queue pi
ip tunt d x m tu                            = ip tuntap delete dev x mode tun
ip tunt add x mode tun user root            = ip tuntap add x mode tun user 0
# ping
ip -n ns1 netns exec ns1 ping 10.0.0.1      = ip netns exec ns1 ping -c 3 -W 10 -i 1 -s 56 10.0.0.1
ip netns exec ns1 ping6 -c 1 fd00::1        = ip netns exec ns1 ping -6 -c1 -q -n fd00::1
/bin/ping -c1 10.0.0.1                      = ping -c 1 10.0.0.1
ping -c1 10.2                               = ping -c 1 10.0.0.2
ping -c1 10.1.300                           = ping -c 1 10.1.1.44
ping -c1 127.1                              = ping -c 1 127.0.0.1
ping -c1 0x0a000001                         = ping -c 1 10.0.0.1
# sysctl
sysctl net.ipv4.ip_forward=1                = /sbin/sysctl -w net.ipv4.ip_forward=1
sysctl -w 'net.ipv4.ip_forward=1'           = sysctl --write net.ipv4.ip_forward=1
ip netns exec ns1 sysctl -q net.core.somaxconn=9 = ip netns exec ns1 sysctl net.core.somaxconn=9 --quiet
";

#[test]
fn what_is_typed_means_the_same_as_what_is_written_in_full() {
    table::same(SAME);
}

/// The tutorial's commands as they are written there, for one run after the other.
const SEED: [&str; 13] = [
    "$ ip link add link enp0s8 dev mac1 type macvlan mode bridge",
    "$ ip netns add ns1",
    "$ ip link set mac1 netns ns1",
    "$ ip netns exec ns1 ip address add 192.168.56.122/24 dev mac1",
    "$ ip netns exec ns1 ip link set mac1 up",
    "$ ip netns exec ns1 ip address show mac1",
    "$ ip netns exec ns1 ping 192.168.56.123",
    "ip link add link enp0s5 dev eth0 type macvlan mode bridge",
    "$ ip link add link enp0s5 name enp0s5.200 type vlan id 200",
    "$ ip link set enp0s5.200 promisc on",
    "$ ip addr add 192.168.200.10/24 dev enp0s5.200",
    "$ ip route del default",
    "$ ip route add default via 192.168.200.1 dev enp0s5.200",
];

#[test]
fn the_tutorial_is_understood_as_it_is_written() {
    let script = SEED.join("\n\n# 创建两个 macvlan 子接口\n");
    let statements = recipe_ip::parse(&script).expect("every line is understood");
    let lines: Vec<u32> = statements.iter().map(|statement| statement.line).collect();
    let wanted: Vec<u32> = (0..13).map(|place| place * 3 + 1).collect();
    assert_eq!(lines, wanted);
    assert_eq!(statements[0].text, SEED[0].trim_start_matches("$ "));
}

/// Every combination of the tutorial's help line.
#[test]
fn each_kind_and_mode_of_the_tutorial_is_understood() {
    for kind in ["macvlan", "macvtap"] {
        for mode in ["private", "vepa", "bridge", "passthru", "passthru nopromisc", "source"] {
            let line = format!("ip link add link e name x type {kind} mode {mode}");
            assert!(recipe_ip::parse(&line).is_ok(), "{line}");
        }
    }
}

#[test]
fn a_batch_file_needs_no_program_name() {
    let batch = "link add v0 type veth peer name v1\nlink set v0 up # one end\n\n\
                 address add 10.0.0.1/24 \\\n  dev v0\n-6 route add default dev v0\n";
    let full = "ip link add v0 type veth peer name v1\nip link set v0 up\n\n\
                ip address add 10.0.0.1/24 \\\n  dev v0\nip -6 route add default dev v0\n";
    let lines = |script| -> Vec<u32> {
        recipe_ip::parse(script).expect(script).iter().map(|statement| statement.line).collect()
    };
    assert_eq!(lines(batch), [1, 2, 4, 6]);
    assert_eq!(lines(batch), lines(full));
}

#[test]
fn every_fault_of_a_script_is_found_at_once() {
    let script = "\
ip link add x type macvaln
ip link set x up
ip address add 10.0.0.1/33 \\
  dev x scope galaxy

ip netns exec ns1 mine # no
ip link set x mtu 1 promisc maybe
";
    let faults: Vec<String> =
        recipe_ip::parse(script).expect_err("five").iter().map(ToString::to_string).collect();
    assert_eq!(
        faults.join("\n"),
        "\
1:20: `macvaln` is not a kind of link
  help: did you mean `macvlan`?
3:16: the length of `10.0.0.1/33` is wrong; IPv4 has 0 to 32
4:15: `galaxy` is not a scope; that is a name or a number up to 255
6:19: `mine` can't run in a recipe's sandbox
  help: `ip`, `tc`, `bridge`, `ping` and `sysctl` are carried out; others run in a kept lab, by `netwright exec`
7:19: `mtu` must be a number from 68 to 65536, not `1`
7:29: `promisc` must be `on` or `off`, not `maybe`"
    );
}
