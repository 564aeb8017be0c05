//! The scripts, each with what it is about. Those whose lines begin without `ip` are batch files.

pub(crate) const CASES: &str = r#"
== the tutorial's practice
ip link add enp0s8 type veth peer name switch0
ip link set enp0s8 up
ip link set switch0 up
ip link add link enp0s8 dev mac1 type macvlan mode bridge
ip link add link enp0s8 dev mac2 type macvlan mode bridge
ip netns add ns1
ip netns add ns2
ip link set mac1 netns ns1
ip link set mac2 netns ns2
ip netns exec ns1 ip address add 192.168.56.122/24 dev mac1
ip netns exec ns1 ip link set mac1 up
ip netns exec ns2 ip address add 192.168.56.123/24 dev mac2
ip netns exec ns2 ip link set mac2 up

== every mode of macvlan
ip link add p0 type veth peer name q0
ip link add m1 link p0 type macvlan
ip link add m2 link p0 type macvlan mode private
ip link add m3 link p0 type macvlan mode vepa bcqueuelen 2000
ip link add m4 link p0 type macvlan mode bridge
ip link add m5 link p0 type macvlan mode source macaddr set 02:00:00:00:00:05 02:00:00:00:00:06
ip link add m6 link q0 type macvlan mode passthru

== passthru without promiscuity
ip link add p0 type veth peer name q0
ip link set p0 up
ip link add m0 link p0 type macvlan mode passthru nopromisc
ip link set m0 up
ip link add m1 link q0 type macvlan mode passthru
ip link set q0 up
ip link set m1 up

== every mode of macvtap
ip link add p0 type veth peer name q0
ip link add m1 link p0 type macvtap mode private
ip link add m2 link p0 type macvtap mode bridge
ip link add m3 link p0 type macvtap mode source
ip link add m4 link p0 name m4 type macvtap mode vepa
ip link add m5 link q0 type macvtap mode passthru nopromisc
ip link set p0 up
ip link set m2 up

== macvlan altered in place
ip link add p0 type veth peer name q0
ip link add m1 link p0 type macvlan mode vepa
ip link set m1 type macvlan mode bridge
ip link add m2 link p0 type macvlan mode source
ip link set m2 type macvlan macaddr add 02:00:00:00:00:01
ip link set m2 type macvlan macaddr add 02:00:00:00:00:02
ip link set m2 type macvlan macaddr del 02:00:00:00:00:01
ip link add m3 link p0 type macvlan mode source macaddr set 02:00:00:00:00:03
ip link set m3 type macvlan macaddr flush
ip link add m4 link p0 type macvlan mode private
ip link set m4 type macvlan bcqueuelen 3000

== macvlan on macvlan
ip link add p0 type veth peer name q0
ip link add m1 link p0 type macvlan mode bridge
ip link add m2 link m1 type macvlan mode bridge

== born in a namespace, parent outside
ip netns add ns1
ip link add p0 type veth peer name q0
ip link add m1 link p0 netns ns1 type macvlan mode bridge
ip -n ns1 link set m1 up
ip -n ns1 address add 10.0.0.1/24 dev m1

== a veth across namespaces
ip netns add a1
ip netns add b1
ip link add v0 netns a1 type veth peer name v0 netns b1
ip -n a1 link set v0 up
ip -n b1 link set v0 up
ip -n a1 address add 10.1.0.1/24 dev v0
ip -n b1 address add 10.1.0.2/24 dev v0

== one end here, one there
ip netns add ns1
ip link add v0 type veth peer name v1 netns ns1
ip link add w0 netns ns1 type veth peer name w1
ip link set v0 up mtu 1400

== a veth whose ends have options
ip link add v0 mtu 1400 address 02:00:00:00:00:01 txqueuelen 55 up type veth peer name v1 mtu 1300 address 02:00:00:00:00:02
ip link add numtxqueues 4 numrxqueues 4 name v2 type veth peer name v3 numtxqueues 2 numrxqueues 2

== names chosen by the kernel
ip link add type veth
ip link add type veth peer name other
ip link add type bridge
ip link add link veth0 type macvlan
ip link add name named type veth

== moved and renamed
ip netns add ns1
ip link add v0 type veth peer name v1
ip link set v0 netns ns1 name inner
ip -n ns1 link set inner up
ip link set v1 name outer
ip link set outer up

== moved out again
ip netns add ns1
ip link add v0 type veth peer name v1
ip link set v0 netns ns1
ip netns exec ns1 ip link set v0 netns 1

== general settings
ip link add v0 type veth peer name v1
ip link set v0 mtu 1280 txqueuelen 77 address 02:00:00:00:00:01
ip link set dev v0 alias "the first of two"
ip link set v0 group 42
ip link set v1 promisc on
ip link set v1 allmulticast on
ip link set v1 multicast off
ip link set v1 arp off
ip link set v1 gso_max_size 30000 gso_max_segs 100

== flags on and off again
ip link add v0 type veth peer name v1
ip link set v0 up promisc on allmulticast on
ip link set v0 promisc off
ip link set v0 down
ip link set v0 dynamic on
ip link set v1 up
ip link set v1 arp off
ip link set v1 arp on

== no link-local address
ip link add v0 type veth peer name v1
ip link set v0 addrgenmode none
ip link set v1 addrgenmode random
ip link set v0 up
ip link set v1 up

== carrier and protocol down
ip link add p0 type veth peer name q0
ip link set q0 up
ip link add m0 link p0 type macvlan mode bridge
ip link set p0 up
ip link set m0 up
ip link set m0 protodown on

== a group of links
ip link add v0 group 7 type veth peer name v1 group 7
ip link set group 7 up
ip link set group 7 mtu 1300

== a group deleted
ip link add v0 group 7 type veth peer name v1
ip link add br0 type bridge
ip link set br0 group 7
ip link add keep type bridge
ip link delete group 7

== deleted one by one
ip netns add ns1
ip netns add ns2
ip link add v0 type veth peer name v1
ip link add br0 type bridge
ip link add br1 type bridge
ip link del v1
ip link delete dev br0
ip netns del ns2

== a bridge with ports
ip link add br0 type bridge
ip link add v0 type veth peer name v1
ip link add w0 type veth peer name w1
ip link set v0 master br0
ip link set w0 master br0
ip link set br0 address 02:00:00:00:00:10
ip link set br0 up
ip link set v0 up
ip link set w0 up
ip link set v1 up
ip link set w1 up
ip link set w0 nomaster

== options of a bridge
ip link add br0 type bridge forward_delay 400 hello_time 100 max_age 1000 ageing_time 5000 priority 4096
ip link add br1 type bridge stp_state 1 mcast_snooping 0
ip link add br2 type bridge group_fwd_mask 8 mcast_router 2 nf_call_iptables 1
ip link set br0 type bridge ageing 6000 prio 8192
ip link set br1 type bridge stp_state 0
ip link add br3 type bridge mcast_query_interval 6000 mcast_last_member_count 3 mcast_startup_query_count 4
ip link set br3 type bridge no_linklocal_learn 1 group_address 01:80:c2:00:00:05

== options of a bridge's port
ip link add br0 address 02:00:00:00:00:10 type bridge
ip link add v0 address 02:00:00:00:00:01 type veth peer name v1
ip link add w0 address 02:00:00:00:00:02 type veth peer name w1
ip link set v0 master br0
ip link set w0 master br0
ip link set v0 type bridge_slave hairpin on guard on cost 50 priority 20
ip link set v0 type bridge_slave learning off flood off mcast_flood off bcast_flood off
ip link set w0 type bridge_slave isolated on root_block on fastleave on neigh_suppress on
ip link set w0 type bridge_slave mcast_to_unicast on proxy_arp on group_fwd_mask 8 locked on
ip link set w0 type bridge_slave backup_port v0
ip link set v0 type bridge_slave mcast_router 2

== a reflecting switch
ip link add br0 type bridge
ip link add p0 type veth peer name s0
ip link set s0 master br0
ip link set br0 up
ip link set s0 up
ip link set p0 up
ip link set dev s0 type bridge_slave hairpin on
ip link add m0 link p0 type macvlan mode vepa
ip link set m0 up

== vxlan
ip link add p0 type veth peer name q0
ip link set p0 up
ip address add 10.9.0.1/24 dev p0
ip link add x0 type vxlan id 100 dstport 4789 remote 10.9.0.2 local 10.9.0.1 dev p0
ip link add x1 type vxlan id 101 dstport 4789 group 239.1.1.1 dev p0 ttl 5
ip link add x2 type vxlan id 102 dstport 4790 nolearning proxy l2miss l3miss rsc
ip link add x3 type vxlan external dstport 4791
ip link set x0 up

== more of vxlan
ip link add x0 type vxlan id 1 dstport 5000 srcport 6000 7000 ttl 64 tos 0x10 df set
ip link add x1 type vxlan id 2 dstport 5001 ageing 100 maxaddress 50 noudpcsum
ip link add x2 type vxlan id 3 dstport 5002 udp6zerocsumtx udp6zerocsumrx remote fd00::1 local fd00::2 flowlabel 5
ip link add x3 type vxlan id 4 dstport 5003 gbp tos inherit ttl inherit
ip link add x4 type vxlan id 5 remcsumtx remcsumrx dstport 5004
ip link set x1 type vxlan ageing 200

== ifb
ip link add ifb0 type ifb
ip link add name other numtxqueues 3 type ifb
ip link set ifb0 up

== tun and tap
ip tuntap add dev tun0 mode tun
ip tuntap add dev tap0 mode tap
ip tuntap add tap1 mode tap user 0 group 0 vnet_hdr pi
ip tuntap add name tap2 mode tap multi_queue
ip link set tap0 up
ip address add 10.7.0.1/24 dev tun0
ip tuntap add dev gone mode tun
ip tuntap del dev gone mode tun

== addresses of IPv4
ip link add v0 type veth peer name v1
ip link set v0 up
ip address add 10.0.0.1/24 dev v0
ip address add 10.0.0.2/24 brd + dev v0
ip address add 10.0.1.1/24 brd 10.0.1.200 dev v0
ip address add 10.0.2.1/24 brd - dev v0
ip address add 10.0.3.1 dev v0
ip address add 10.0.4.1/24 label v0:4 dev v0
ip address add 10.0.5.1/24 scope link dev v0
ip address add 10.0.6.1/24 metric 600 dev v0
ip address add 10.0.7.1/24 noprefixroute dev v0

== point to point
ip link add v0 type veth peer name v1
ip link set v0 up
ip address add 10.0.0.1 peer 10.0.0.2 dev v0
ip address add 10.0.1.1 peer 10.0.2.0/24 dev v0
ip address add fd00::1 peer fd00::2 dev v0 nodad

== lifetimes of addresses
ip link add v0 type veth peer name v1
ip link set v0 up
ip address add 10.0.0.1/24 valid_lft 6000 preferred_lft 3000 dev v0
ip address add 10.0.0.9/24 valid_lft forever preferred_lft 3000 dev v0
ip address add fd00::1/64 valid_lft 6000 preferred_lft 0 nodad dev v0

== addresses of IPv6
ip link add v0 type veth peer name v1
ip link set v0 up
ip link set v1 up
ip -6 address add fd00:1::1/64 dev v0 nodad
ip address add fd00:2::1/64 dev v0 noprefixroute nodad
ip address add fd00:3::1/128 dev v0 nodad
ip address add fd00:4::1/64 metric 55 dev v0 nodad
ip address add fd00:5::1/64 home nodad dev v0
ip address add fe80::1/64 dev v1 nodad

== loopback
ip link set lo up
ip address add 127.0.0.2/8 dev lo
ip address add 10.99.0.1/32 dev lo
ip address add fd00::99/128 dev lo

== addresses changed and deleted
ip link add v0 type veth peer name v1
ip link set v0 up
ip address add 10.0.0.1/24 dev v0
ip address add 10.0.0.2/24 dev v0
ip address add 10.0.1.1/24 dev v0
ip address replace 10.0.1.1/24 metric 50 dev v0
ip address del 10.0.0.2/24 dev v0
ip address add 10.0.2.1/24 dev v0
ip address del 10.0.2.1 dev v0
ip address add fd00::1/64 nodad dev v0
ip address change fd00::1/64 dev v0 valid_lft 6000 preferred_lft 3000 nodad
ip address add fd00::2/64 nodad dev v0
ip address del fd00::2/64 dev v0

== addresses flushed
ip link add v0 type veth peer name v1
ip link set v0 up
ip address add 10.0.0.1/24 dev v0
ip address add 10.0.0.2/24 dev v0
ip address add 10.1.0.1/24 label v0:1 dev v0
ip address add fd00::1/64 nodad dev v0
ip address add 10.2.0.1/24 dev v1
ip -4 address flush dev v0 to 10.0.0.0/24
ip address flush dev v1
ip -4 address flush label "v0:*"

== routes of IPv4
ip link add v0 type veth peer name v1
ip link set v0 up
ip link set v1 up
ip address add 10.0.0.1/24 dev v0
ip route add default via 10.0.0.254
ip route add 10.1.0.0/16 via 10.0.0.2 dev v0 metric 50
ip route add 10.2.0.0/16 dev v0 scope link src 10.0.0.1
ip route add 10.3.0.0/16 dev v0 proto static table 100
ip route add 10.4/16 via 10.0.0.2 table local
ip route add 10.5.0.0/16 via 10.9.9.9 dev v0 onlink
ip route add 10.6.0.0/16 dev v0 tos 0x10
ip route add default via 10.0.0.253 metric 10

== types of routes
ip link set lo up
ip link add v0 type veth peer name v1
ip link set v0 up
ip route add blackhole 10.1.0.0/16
ip route add unreachable 10.2.0.0/16 metric 5
ip route add prohibit 10.3.0.0/16 table 7
ip route add throw 10.4.0.0/16
ip route add local 10.5.0.0/16 dev lo
ip route add broadcast 10.6.0.255 dev v0
ip route add multicast 239.0.0.0/8 dev v0
ip route add unreachable default metric 9000
ip -6 route add blackhole fd00:1::/64
ip -6 route add unreachable fd00:2::/64 metric 5
ip -6 route add prohibit fd00:3::/64

== metrics of routes
ip link add v0 type veth peer name v1
ip link set v0 up
ip address add 10.0.0.1/24 dev v0
ip route add 10.1.0.0/16 via 10.0.0.2 mtu 1400 advmss 1300
ip route add 10.2.0.0/16 via 10.0.0.2 mtu lock 1400 hoplimit 5
ip route add 10.3.0.0/16 via 10.0.0.2 rtt 100ms rttvar 50ms rto_min 200ms
ip route add 10.4.0.0/16 via 10.0.0.2 window 5000 cwnd 10 initcwnd 20 initrwnd 30
ip route add 10.5.0.0/16 via 10.0.0.2 ssthresh 40 reordering 5 quickack 1
ip route add 10.6.0.0/16 via 10.0.0.2 features ecn congctl cubic
ip route add 10.7.0.0/16 via 10.0.0.2 congctl lock reno rtt 1.5s fastopen_no_cookie 1

== several ways
ip link add v0 type veth peer name v1
ip link set v0 up
ip link set v1 up
ip address add 10.0.0.1/24 dev v0
ip address add 10.0.1.1/24 dev v1
ip route add 10.1.0.0/16 nexthop via 10.0.0.2 weight 3 nexthop via 10.0.1.2
ip route add default nexthop via 10.0.0.2 nexthop dev v1 weight 256
ip route add 10.2.0.0/16 metric 7 nexthop via 10.9.0.1 dev v0 onlink nexthop via 10.0.1.2
ip address add fd00::1/64 dev v0 nodad
ip address add fd01::1/64 dev v1 nodad
ip -6 route add fd05::/64 nexthop via fd00::2 weight 2 nexthop via fd01::2

== routes of IPv6
ip link add v0 type veth peer name v1
ip link set v0 up
ip link set v1 up
ip address add fd00::1/64 dev v0 nodad
ip -6 route add default via fd00::ff
ip route add fd01::/64 via fd00::2 metric 50
ip route add fd02::/64 dev v0 mtu 1400 pref high
ip route add fd03::/64 via fe80::55 dev v0 proto static
ip route add fd04::/64 dev v0 table 100
ip -6 route add fd05::/64 via fd00::2 pref low hoplimit 3
ip -6 route add fd06::/64 dev v0 expires 6000

== IPv4 by way of IPv6
ip link add v0 type veth peer name v1
ip link set v0 up
ip link set v1 up
ip address add 10.0.0.1/32 dev v0
ip route add 10.1.0.0/16 via inet6 fe80::9 dev v0

== routes changed, replaced, appended
ip link add v0 type veth peer name v1
ip link set v0 up
ip address add 10.0.0.1/24 dev v0
ip route add 10.1.0.0/16 via 10.0.0.2
ip route change 10.1.0.0/16 via 10.0.0.3
ip route replace 10.2.0.0/16 via 10.0.0.2
ip route replace 10.2.0.0/16 via 10.0.0.4
ip route add 10.3.0.0/16 via 10.0.0.2
ip route append 10.3.0.0/16 via 10.0.0.3
ip route add 10.4.0.0/16 via 10.0.0.2
ip route prepend 10.4.0.0/16 via 10.0.0.3
ip address add fd00::1/64 nodad dev v0
ip route add fd01::/64 via fd00::2
ip route append fd01::/64 via fd00::3
ip route replace fd02::/64 via fd00::2

== routes deleted
ip link add v0 type veth peer name v1
ip link set v0 up
ip address add 10.0.0.1/24 dev v0
ip route add default via 10.0.0.2
ip route add default via 10.0.0.3 metric 5
ip route add 10.1.0.0/16 via 10.0.0.2
ip route add 10.1.0.0/16 via 10.0.0.3 metric 5
ip route add blackhole 10.2.0.0/16
ip route add 10.3.0.0/16 dev v0 table 9
ip route del default via 10.0.0.2
ip route del 10.1.0.0/16 metric 5
ip route del 10.2.0.0/16
ip route del 10.3.0.0/16 table 9
ip route add unreachable fd01::/64
ip route del fd01::/64

== routes flushed
ip link add v0 type veth peer name v1
ip link set v0 up
ip address add 10.0.0.1/24 dev v0
ip route add 10.1.0.0/16 via 10.0.0.2 proto static
ip route add 10.2.0.0/16 via 10.0.0.2 table 9
ip route add blackhole 10.3.0.0/16
ip route add 10.4.0.0/16 via 10.0.0.2
ip route flush table 9
ip route flush proto static
ip route flush type blackhole
ip route flush root 10.4.0.0/14

== the cache of routes flushed
ip link add v0 type veth peer name v1
ip link set v0 up
ip link set v1 up
ip address add 10.0.0.1/24 dev v0
ip address add fd00::1/64 nodad dev v0
ip route add default via 10.0.0.254
ip route add 10.2.0.0/16 via 10.0.0.2 table 9
ip -6 route add fd01::/64 via fd00::2
ip route flush cache
ip route flush cached
ip route flush c
ip -4 route flush cloned
ip -6 route flush cache
ip route flush table cache
ip route flush table 9 cache
ip route flush dev v0 cache
ip route flush 10.0.0.0/24 cached

== routes of all and any flushed
ip netns add n1
ip netns add n2
ip netns add n3
ip link add v0 netns n1 type veth peer name v1 netns n2
ip link add v2 netns n3 type veth peer name v3
ip -n n1 link set v0 up
ip -n n2 link set v1 up
ip -n n3 link set v2 up
ip link set v3 up
ip -n n1 address add 10.0.0.1/24 dev v0
ip -n n2 address add 10.0.0.2/24 dev v1
ip -n n3 address add 10.0.0.3/24 dev v2
ip -n n3 address add fd00::3/64 nodad dev v2
ip -n n1 route add default via 10.0.0.254
ip -n n2 route add default via 10.0.0.254
ip -n n2 route add 10.9.0.0/16 via 10.0.0.254
ip -n n3 route add default via 10.0.0.254
ip -n n3 route add 10.9.0.0/16 via 10.0.0.254 table 9
ip -n n3 route add fd01::/64 via fd00::9
ip -n n1 route flush all
ip -n n2 route flush default
ip -n n3 route flush table 9 any
ip -n n3 -6 route flush root default

== routes of a family flushed by all
ip link add v0 type veth peer name v1
ip link set v0 up
ip link set v1 up
ip address add 10.0.0.1/24 dev v0
ip route add default via 10.0.0.254
ip route add 10.9.0.0/16 via 10.0.0.254
ip -4 route flush all

== addresses flushed by what they lie in
ip link add v0 type veth peer name v1
ip link set v0 up
ip link set v1 up
ip address add 10.0.0.1/24 dev v0
ip address add 10.0.1.1/24 dev v0
ip address add 10.0.2.1/24 dev v0
ip address add 10.7.0.1 peer 10.8.0.0/24 dev v0
ip address add 10.7.0.2 peer 10.9.0.0/24 dev v1
ip address add fd00::1/64 nodad dev v0
ip address add fd01::1/64 nodad dev v0
ip address flush to 10.0.0.1
ip address flush to 10.0.1.0/30
ip address flush to 10.0.2.2/32
ip address flush to 10.8.0.0/16
ip address flush dev v1 to 10.7.0.0/16
ip -6 address flush to fd01::1

== every address flushed
ip link add v0 type veth peer name v1
ip link set v0 up
ip address add 10.0.0.1/24 dev v0
ip address add fd00::1/64 nodad dev v0
ip address flush dev v0 to all

== onlink of all hops of an IPv6 route
ip link add v0 type veth peer name v1
ip link set v0 up
ip link set v1 up
ip address add fd00::1/64 nodad dev v0
ip -6 route add fd01::/64 onlink nexthop via fd77::1 dev v0 nexthop via fd77::2 dev v1
ip -6 route add fd02::/64 nexthop via fd77::1 dev v0 onlink weight 3 nexthop via fd00::2 dev v0

== a group deleted with both ends of a veth in it
ip link add v0 group 7 type veth peer name v1 group 7
ip link add p0 group 7 type veth peer name q0
ip link add m0 link p0 group 7 type macvlan mode bridge
ip link add keep type bridge
ip link delete group 7

== names as the kernel has them
ip netns add cni-0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0
ip netns add 1
ip netns add a+b
ip netns add _x@y
ip link add 6rd type ifb
ip link add 5g0 type veth peer name 9p
ip link add _x type ifb
ip link add veth@x type ifb
ip link add a+b type ifb
ip link add m@1 link 5g0 type macvlan mode bridge
ip link set 6rd netns a+b
ip -n a+b link set 6rd up
ip link set 9p netns 1
ip netns exec 1 ip address add 10.0.0.1/24 dev 9p
ip netns exec 1 ip link set 9p up
ip link set veth@x up name new@x

== indexes of both ends of a veth
ip link add v0 index 70 type veth peer name v1 index 71
ip link add v2 type veth peer name v3 index 80
ip netns add n1
ip link add v4 index 90 type veth peer name v5 index 91 netns n1

== rules
ip rule add from 10.0.0.0/8 table 100
ip rule add to 10.1.0.0/16 lookup 100 priority 500
ip rule add fwmark 0x10/0xff table 101 pref 600
ip rule add not from 10.2.0.0/16 tos 0x10 table main
ip rule add iif lo oif lo table 102
ip rule add blackhole from 10.3.0.0/16
ip rule add type prohibit to 10.4.0.0/16
ip rule add unreachable from 10.5.0.0/16
ip rule add from all goto 32766 pref 700
ip rule add nop pref 800
ip -6 rule add from fd00::/64 table 100
ip -6 rule add from fd01::/64 table 100 pref 900

== more of rules
ip rule add uidrange 0-0 table 100
ip rule add ipproto tcp dport 80 table 100
ip rule add ipproto udp sport 1000-2000 table 100
ip rule add table main suppress_prefixlength 0
ip rule add table 300 protocol static
ip rule add table main suppress_ifgroup 5
ip rule add tun_id 5 table 100

== rules deleted and flushed
ip rule add from 10.0.0.0/8 table 100 priority 100
ip rule add from 10.1.0.0/16 table 100 priority 200
ip rule add fwmark 5 table 100 priority 300
ip rule del priority 100
ip rule del from 10.1.0.0/16
ip rule del fwmark 5 table 100
ip -6 rule add from fd00::/64 table 5
ip -6 rule flush

== neighbours
ip link add v0 type veth peer name v1
ip link set v0 up
ip link set v1 up
ip address add 10.0.0.1/24 dev v0
ip neighbour add 10.0.0.2 lladdr 02:00:00:00:00:02 dev v0
ip neighbour add 10.0.0.3 lladdr 02:00:00:00:00:03 nud stale dev v0
ip neighbour add 10.0.0.4 lladdr 02:00:00:00:00:04 nud noarp dev v0
ip neighbour add proxy 10.0.0.5 dev v0
ip neighbour add fd00::2 lladdr 02:00:00:00:00:02 router dev v0
ip neighbour add proxy fd00::3 dev v0
ip neighbour replace 10.0.0.2 lladdr 02:00:00:00:00:22 dev v0
ip neighbour change 10.0.0.3 lladdr 02:00:00:00:00:33 nud permanent dev v0
ip neighbour add 10.0.0.6 lladdr 02:00:00:00:00:06 extern_learn dev v0
ip neighbour add 10.0.0.7 lladdr 02:00:00:00:00:07 dev v0
ip neighbour del 10.0.0.7 dev v0
ip neighbour add proxy 10.0.0.8 dev v0
ip neighbour del proxy 10.0.0.8 dev v0

== neighbours flushed
ip link add v0 type veth peer name v1
ip link set v0 up
ip link set v1 up
ip neighbour add 10.0.0.2 lladdr 02:00:00:00:00:02 dev v0
ip neighbour add 10.0.0.3 lladdr 02:00:00:00:00:03 nud stale dev v0
ip neighbour add 10.0.0.4 lladdr 02:00:00:00:00:04 nud stale dev v1
ip neighbour flush dev v0
ip neighbour flush nud permanent dev v1

== a router between two networks
ip netns add left
ip netns add right
ip netns add router
ip link add l0 netns left type veth peer name l1 netns router
ip link add r0 netns right type veth peer name r1 netns router
ip -n left address add 10.1.0.2/24 dev l0
ip -n right address add 10.2.0.2/24 dev r0
ip -n router address add 10.1.0.1/24 dev l1
ip -n router address add 10.2.0.1/24 dev r1
ip -n left link set l0 up
ip -n right link set r0 up
ip -n router link set l1 up
ip -n router link set r1 up
ip -n left route add default via 10.1.0.1
ip -n right route add default via 10.2.0.1

== every namespace at once
ip netns add n1
ip netns add n2
ip -all netns exec ip link set lo up

== every namespace deleted
ip netns add n1
ip netns add n2
ip -n n1 link add v0 type veth peer name v1 netns n2
ip -all netns delete

== a batch file
link add v0 type veth peer name v1
netns add ns1 # a place for the other end

link set v1 netns ns1
address add 10.0.0.1/24 \
  dev v0
link set v0 up alias "with 'quotes'"
netns exec ns1 ip link set v1 up
route add 10.1.0.0/16 via 10.0.0.2
rule add from 10.0.0.0/8 table 100

== abbreviations
ip l a v0 ty veth peer v1
ip l s v0 up
ip l a br0 ty bridge
ip li set v1 up mast br0
ip a a 10.0.0.1/24 b + dev v0
ip r a 10.1/16 via 10.0.0.2 m 5
ip ru a from 10/8 t 5
ip n a 10.0.0.9 ll 2:0:0:0:0:9 dev v0
ip net a ns1
ip -n ns1 l s lo up
ip tunt a t0 m tap

== ids that the kernel chooses, and flags of sysctl together
ip netns add a
ip netns add b
ip -n a netns set b auto
ip link add v0 type veth peer name v1
ip link set v1 netns a
ip netns exec a sysctl -qw net.ipv4.ip_forward=1
ip netns exec a sysctl -wq net.ipv4.conf.v1.arp_ignore=1

== every metric of a route, locked too
ip link add e0 type veth peer name e1
ip link set e0 up
ip link set e1 up
ip addr add 10.0.0.1/24 dev e0
ip route add 10.1.0.0/16 dev e0 mtu lock 1300
ip route add 10.2.0.0/16 dev e0 rtt 100ms rttvar 50ms rto_min 20ms
ip route add 10.3.0.0/16 dev e0 cwnd lock 10 ssthresh lock 9 advmss lock 1000
ip route add 10.4.0.0/16 dev e0 congctl lock cubic
ip route add 10.5.0.0/16 dev e0 hoplimit lock 9 initrwnd 6 reordering lock 4 window lock 4000
ip route add 10.7.0.0/16 dev e0 initcwnd 5 quickack 1 features ecn fastopen_no_cookie 1
ip -6 route add fd01::/64 dev e0 mtu lock 1400 hoplimit 4
ip -6 route add fd02::/64 dev e0 mtu 1400 window lock 4000

== gateways of the other family
ip link add e0 type veth peer name e1
ip link set e0 up
ip link set e1 up
ip addr add 10.0.0.1/24 dev e0
ip route add 10.6.0.0/16 via inet6 fe80::9 dev e0
ip route add 10.7.0.0/16 nexthop via inet6 fe80::1 dev e0 weight 2 nexthop dev e1
ip route add 10.8.0.0/16 via inet6 fd00::9 dev e0 onlink metric 5 mtu lock 1300

== what the kernel heeds only once a link is there
ip link add e0 type veth peer name e1
ip link set e0 alias "a 'b' c"
ip link set e1 addrgenmode none
ip link add br0 type bridge
ip link set br0 alias x addrgenmode none
ip link set br0 up
ip link set e0 up
ip link set e1 up

== an address with a peer goes without its length
ip link add e0 type veth peer name e1
ip addr add 10.0.1.1 peer 10.0.2.1/24 dev e0
ip addr add 10.0.5.1 peer 10.0.2.1 dev e0
ip addr add 10.0.6.1 peer 10.0.2.2 dev e0
ip addr add 10.0.7.1/24 dev e0
ip addr del 10.0.5.1 dev e0
ip addr del 10.0.1.1 dev e0
ip addr del 10.0.7.1 dev e0

== routes that are chosen by their metric
ip link add e0 type veth peer name e1
ip link set e0 up
ip link set e1 up
ip addr add 10.0.0.1/24 dev e0
ip route add 10.1.0.0/16 dev e0 metric 9
ip route add 10.2.0.0/16 dev e0 metric 10
ip route add 10.3.0.0/16 dev e0 metric 11
ip route flush metric 9
ip route flush table main priority 10

== labels in the place of links
ip link add e0 type veth peer name e1
ip link set e0 up
ip link set e1 up
ip addr add 192.0.2.1/32 dev lo:1
ip addr add 10.0.0.1/24 dev e0:7 label e0:7
ip addr add 10.0.1.1/24 dev e0
ip addr del 10.0.1.1/24 dev e0:9
ip route add 10.9.0.0/16 dev e0:1
ip neigh add 10.0.0.9 lladdr 2:0:0:0:0:9 dev e0:x

== rules of a type and rules that are shown
ip rule add from 10.5.0.0/16 type unicast table 7
ip rule add from 10.6.0.0/16 type prohibit priority 30
ip rule show all
ip rule list

== stations of a bridge, and what it shows
ip link add br0 type bridge
ip link add p0 type veth peer name p1
ip link set p0 master br0
bridge fdb add to 02:00:00:00:00:05 dev p0 master static
bridge fdb show br br0
bridge fdb show brport p0
bridge fdb
bridge link
bridge -d link show dev p0

== lists of a shell
ip link add e0 type veth peer name e1 && ip link set e0 up
ip link set e1 up; ip addr add 10.0.0.1/24 dev e0
ip link del nope 2>/dev/null || true
ip link show br0 >/dev/null 2>&1 || ip link add br0 type bridge
ip link show e0 >/dev/null || ip link add br1 type bridge
false && ip link add br2 type bridge || ip link add br3 type bridge
ip netns add n1; ip netns exec n1 sh -c 'ip link set lo up; ip addr add 10.9.0.1/32 dev lo'
ip netns exec n1 sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
ip link set br0 up ||
  ip link del e0
ip link show e1 >/dev/null || exit 1
ip link show e1 | grep mtu
ip link show | grep -q '^99: e1' || ip link add br4 type bridge
ip -4 addr show dev e0 | grep -c inet && ip link set br4 up
echo 1 | tee /proc/sys/net/ipv4/conf/e0/arp_ignore >/dev/null
sleep 0.01
set -e
:

== flags of sysctl
ip link set lo up
sysctl -e -q -w net.ipv4.nothing_there=1 net.ipv4.ip_forward=1
sysctl -eqw net.ipv4.conf.lo.nothing_there=1
sysctl -N net.ipv4.ip_forward net.ipv4.conf.all.rp_filter
sysctl -nq net.ipv4.ip_forward
sysctl -wq net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.lo.arp_announce=2
"#;
