//! What is refused of `ip link`, with the whole message.

mod table;

const REFUSED: &str = r##"
> ip link ad'd
1:11: this quote is not closed on its line
> ip link sett x up
1:9: `sett` is not known in `ip link`
  help: did you mean `set`?
> ip link replace x type dummy
1:9: `ip link replace` is not offered here
  help: `add` makes it, `set` alters it
> ip link add
1:9: `type` is missing
  help: as in `type macvlan`
> ip link add x
1:9: `type` is missing
  help: as in `type macvlan`
> ip link add x type
1:15: `type` needs a value after it
> ip link add x type macvaln
1:20: `macvaln` is not a kind of link
  help: did you mean `macvlan`?
> ip link add x type bridge_slave
1:20: `bridge_slave` is the place of a port, not a kind of link
  help: `ip link set DEVICE type …` alters it
> ip link add x type tun
1:20: a tun or tap is not made by `ip link`
  help: `ip tuntap add dev NAME mode tun`
> ip link add -1x type dummy
1:13: name `-1x` must begin with a letter, a digit or `_`
> ip link add abcdefghijklmnop type dummy
1:13: name `abcdefghijklmnop` has 16 bytes; the kernel allows 15
> ip link add a/b type dummy
1:13: name `a/b` must not hold `/`; letters, digits, `.`, `_`, `@`, `+` and `-` are allowed
> ip link add veth%d type dummy
1:13: name `veth%d` must not hold `%`: the kernel takes `%d` for a number that it chooses
> ip link add $(id) type dummy
1:13: `$(id)` stays as it is written: no shell reads this script
  help: write what it stands for, or put it between `'` where the signs themselves are meant
> ip link set x alias "of $USER"
1:21: `of $USER` stays as it is written: no shell reads this script
  help: write what it stands for, or put it between `'` where the signs themselves are meant
> ip link add "" type dummy
1:13: a name must not be empty
> ip link add x type dummy foo
1:26: `foo` is too much for `type dummy`
> ip link add x y type dummy
1:15: `y` is not known in `ip link add`
> ip link add x mtu 1400 mtu 1500 type dummy
1:24: `mtu` is given twice
> ip link add x mtu type dummy
1:19: `mtu` must be a number from 68 to 65535, not `type`
1:24: `dummy` is not known in `ip link add`
> ip link add x address 02:00:00:00:00 type dummy
1:23: `02:00:00:00:00` is not a MAC address
  help: six hexadecimal bytes, as in `02:00:00:00:00:01`
> ip link add x address ff:ff:ff:ff:ff:ff type dummy
1:23: `ff:ff:ff:ff:ff:ff` is a multicast address; a station's is unicast
  help: the lowest bit of the first byte must be 0
> ip link add x address 0:0:0:0:0:0 type dummy
1:23: a station's address must not be all zeros
> ip link add m link v0 type macvlan
1:15: `link` stands where the value of `master` should
  help: `m` is read as `master`; after `dev` it would be the name of a link
> ip link add b type bridge
1:15: `type` is not a MAC address
  help: `b` is read as `broadcast`; after `dev` it would be the name of a link
> ip link add x type bridge stp_state
1:27: `stp_state` needs a value after it
> ip link add x type bridge stp_state on
1:37: `stp_state` must be a number from 0 to 1, not `on`
> ip link add x type bridge ageing 99999999999
1:34: `ageing_time` must be a number from 0 to 4294967295, not `99999999999`
> ip link add x type bridge vlan_protocol 802.1x
1:41: `vlan_protocol` must be one of `802.1Q`, `802.1ad`, not `802.1x`
  help: did you mean `802.1Q`?
> ip link add x type bridge group_address zz
1:41: `zz` is not a MAC address
  help: six hexadecimal bytes, as in `02:00:00:00:00:01`
> ip link add x type bridge foo 1
1:27: `foo` is not known in `type bridge`
> ip link add x type macvlan mode bridge
1:20: `macvlan` needs a lower link
  help: `link DEVICE` before `type`
> ip link add x link lo type macvlan
1:20: `lo` can't carry a macvlan
> ip link add x link lo type vlan id 5
1:20: `lo` can't carry a vlan
> ip link add x link e type macvlan mode
1:35: `mode` needs a value after it
> ip link add x link e type macvlan mode passthrough
1:40: `mode` must be one of `private`, `vepa`, `bridge`, `passthru`, `source`, not `passthrough`
  help: did you mean `passthru`?
> ip link add x link e type macvlan mode bridge nopromisc
1:47: `nopromisc` is only for `mode passthru`
  help: in every other mode the lower link is not promiscuous
> ip link add x link e type macvlan flag nopromisc
1:35: `nopromisc` is only for `mode passthru`
  help: in every other mode the lower link is not promiscuous
> ip link add x link e type macvlan flag foo
1:40: `flag` must be one of `null`, `nopromisc`, `nodst`, not `foo`
> ip link add x link e type macvlan bcqueuelen -1
1:46: `bcqueuelen` must be a number from 0 to 4294967295, not `-1`
> ip link add x link e type macvlan macaddr add 2:0:0:0:0:1
1:35: `macaddr` is only for `mode source`
> ip link add x link e type macvlan mode source macaddr flush
1:47: a new link has no stations to take away
  help: `macaddr add` or `macaddr set`
> ip link add x link e type macvlan mode source macaddr put
1:55: `macaddr` must be one of `add`, `del`, `set`, `flush`, not `put`
> ip link add x link e type macvlan mode source macaddr add 1:0:0:0:0:1
1:59: `1:0:0:0:0:1` is a multicast address; a station's is unicast
  help: the lowest bit of the first byte must be 0
> ip link add x link e type macvlan mode source macaddr set 2:0:0:0:0:1 3:0:0:0:0:1
1:71: `3:0:0:0:0:1` is a multicast address; a station's is unicast
  help: the lowest bit of the first byte must be 0
> ip link add x link e type macvlan bridge
1:35: `bridge` is not known in `type macvlan`
> ip link add x link e type vlan
1:27: `vlan` needs `id`
  help: a number from 1 to 4094
> ip link add x link e type vlan id 0
1:35: `id` must be a number from 1 to 4094, not `0`
> ip link add x link e type vlan id 4095
1:35: `id` must be a number from 1 to 4094, not `4095`
> ip link add x link e type vlan id 200 protocol 802.1x
1:48: `protocol` must be one of `802.1Q`, `802.1ad`, not `802.1x`
  help: did you mean `802.1Q`?
> ip link add x link e type vlan id 200 gvrp yes
1:44: `gvrp` must be `on` or `off`, not `yes`
> ip link add x link e type vlan id 200 egress-qos-map
1:39: `egress-qos-map` needs a value after it
  help: as in `1:2 3:4`
> ip link add x link e type vlan id 200 egress-qos-map 1:x
1:54: `1:x` is not `FROM:TO` in numbers
> ip link add x type vxlan
1:20: `vxlan` needs `id`
  help: a number from 0 to 16777215
> ip link add x type vxlan id 16777216
1:29: `id` must be a number from 0 to 16777215, not `16777216`
> ip link add x type vxlan id 1 id 2
1:31: `id` is given twice
> ip link add x type vxlan id 1 external
1:26: `external` and `id` exclude each other
> ip link add x type vxlan id 1 group 10.0.0.1 dev e
1:37: `group` must be a multicast address, not `10.0.0.1`
> ip link add x type vxlan id 1 remote 239.0.0.1
1:38: `remote` must be a unicast address, not `239.0.0.1`
> ip link add x type vxlan id 1 group 239.0.0.1
1:31: `group` needs `dev`
  help: the link that it is on
> ip link add x type vxlan id 1 remote 10.0.0.1 group 239.0.0.1 dev e
1:47: `group` and `remote` exclude each other
> ip link add x type vxlan id 1 srcport 5
1:31: `srcport` needs two ports after it
> ip link add x type vxlan id 1 srcport 9 5
1:41: the second port must be 9 to 65535, not `5`
> ip link add x type vxlan id 1 learning nolearning
1:40: `nolearning` is given twice
> ip link add x type vxlan id 1 ttl 256
1:35: `ttl` must be a number from 0 to 255, not `256`
> ip link add x type vxlan id 1 df maybe
1:34: `df` must be one of `unset`, `set`, `inherit`, not `maybe`
> ip link add x type vxlan id 1 dstprot 4789
1:31: `dstprot` is not known in `type vxlan`
  help: did you mean `dstport`?
> ip link add x link e type ipvlan mode l4
1:39: `mode` must be one of `l2`, `l3`, `l3s`, not `l4`
> ip link add x link e type ipvlan private vepa
1:42: `vepa` comes after another flag; one is allowed
> ip link add x type vrf
1:20: `vrf` needs `table`
> ip link add x type vrf table foo
1:30: table `foo` has its number in /etc/iproute2/rt_tables
  help: a recipe reads no files: say the number; `local`, `main` and `default` are known
> ip link add x type veth peer name +2x
1:35: name `+2x` must begin with a letter, a digit or `_`
> ip link add x type veth pear name y
1:25: `pear` is not known in `type veth`
  help: did you mean `peer`?
> ip link add x type veth peer name y type veth
1:42: a peer has no kind of its own
> ip link add x type bond mode
1:25: `mode` has no value
  help: options of `bond` are taken as name and value by turns
> ip link add x type gre csum seq key
1:33: `key` has no value
  help: options of `gre` are taken as name and value by turns, but for words as `csum` and `external`
> ip link add x netns 77 type dummy
1:21: `77` is the number of a process
  help: namespaces go by name, also by a number that the script gave one; else `1` is the root namespace
> ip link add x netns a netns b type dummy
1:23: `netns` is given twice
> ip link add x index 0 type dummy
1:21: `index` must be a number from 1 to 2147483647, not `0`
> ip link add x xdp off type dummy
1:15: `xdp` is not offered here
  help: it loads a program into the kernel
> ip link add x vf 0 type dummy
1:15: `vf` is not offered here
  help: it is for the functions of physical cards
> ip link add x link-netnsid 1 type dummy
1:15: `link-netnsid` is not offered here
  help: name the namespace: `link-netns NAME`
> ip link set
1:9: `set` needs the name of a link
> ip link set x
1:9: nothing to set is given
> ip link set up
1:9: `set` needs the name of a link
> ip link set x promisc true
1:23: `promisc` must be `on` or `off`, not `true`
> ip link set x arp
1:15: `arp` needs a value after it
> ip link set x pormisc on
1:15: `pormisc` is not known in `ip link set`
  help: did you mean `promisc`?
> ip link set x txqueuelen many
1:26: `txqueuelen` must be a number from 0 to 4294967295, not `many`
> ip link set x link y
1:20: the lower link is given once, when a link is made
> ip link set x name y/z
1:20: name `y/z` must not hold `/`; letters, digits, `.`, `_`, `@`, `+` and `-` are allowed
> ip link set x name lo0lo0lo0lo0lo0lo0
1:20: name `lo0lo0lo0lo0lo0lo0` has 18 bytes; the kernel allows 15
> ip link set x master a/b
1:22: `a/b` can't be the name of a link
  help: 1 to 15 bytes, without `/`, `:` and white space
> ip link set x addrgenmode foo
1:27: `addrgenmode` must be one of `eui64`, `none`, `stable_secret`, `random`, not `foo`
> ip link set x state foo
1:21: `state` must be one of `unknown`, `notpresent`, `down`, `lowerlayerdown`, `testing`, `dormant`, `up`, not `foo`
> ip link set x type macvlan
1:20: no option of `macvlan` follows
> ip link set x type macvlan mode foo nopromisc
1:33: `mode` must be one of `private`, `vepa`, `bridge`, `passthru`, `source`, not `foo`
> ip link set x type bridge
1:20: no option of `bridge` follows
> ip link set x type veth
1:20: `veth` has nothing that can be set later
> ip link set x type vlan id 5
1:25: a vlan's `id` and `protocol` can't be altered
> ip link set d up
1:15: `dynamic` must be `on` or `off`, not `up`
  help: `d` is read as `dynamic`; after `dev` it would be the name of a link
> ip link set group foo up
1:19: `foo` is not a group; that is a name or a number up to 4294967295
> ip link set group 5 name x
1:26: a whole group can't be given one name
> ip link delete
1:9: `delete` needs the name of a link
> ip link delete x up
1:18: `up` has no meaning in `ip link delete`
> ip link delete x type macvlan mode
1:31: `mode` is too much for `ip link delete`
> ip link show x y
1:16: `y` is not known in the choice of links
> ip link show type foo
1:19: `foo` is not a kind of link
> ip link property add dev x altname y
1:9: `ip link property` is not offered here
  help: a link has one name here, of 15 bytes at most, and an `alias`
> ip link add g type sit local 192.0.2.1 isatap
1:40: `isatap` of `sit` is not offered here
  help: a plain `sit` with a `remote` is
> ip link add g type sit 6rd-prefix 2001:db8::/32
1:24: `6rd-prefix` of `sit` is not offered here
  help: a route for each site: `ip -6 route add PREFIX via ::ADDRESS dev NAME`
> ip link add g type ip6gre local 2001:db8::1 tclass 4
1:45: `tclass` of `ip6gre` is not offered here
  help: leave it out: the class of packets stays 0; `flowlabel` is taken
> ip link add g type gre encap fou
1:24: `encap` of `gre` is not offered here
  help: `type vxlan` and `type geneve` carry packets in UDP
> ip link add ms0 link e0 type macsec cipher gcm-aes-256
1:37: `cipher` of `macsec` is not offered here
  help: leave it out: it is gcm-aes-128
> ip link add x mtu 65536 type dummy
1:19: `mtu` must be a number from 68 to 65535, not `65536`
> ip link set lo mtu 65537
1:20: `mtu` must be a number from 68 to 65536, not `65537`
> ip link add x link e type dummy
1:20: a dummy has no lower link
> ip link add x link x type macvlan
1:20: `x` can't be its own lower link
> ip link add x type veth peer name x
1:35: the two ends of a veth can't both be `x`
> ip link add x link e type macvlan mode bridge nodst
1:47: `nodst` is only for `mode source`
> ip link add x type vrf table 0
1:20: the table of a vrf can't be 0
> ip link set x type bridge_slave priority 64
1:42: `priority` must be a number from 0 to 63, not `64`
> ip link set x type bridge_slave hairpin yes
1:41: `hairpin` must be `on` or `off`, not `yes`
> ip link set x type bridge mcast_igmp_version 1
1:46: `mcast_igmp_version` must be a number from 2 to 3, not `1`
"##;

#[test]
fn each_is_refused_with_its_place_and_reason() {
    table::refused(REFUSED);
}

#[test]
fn every_kind_of_link_is_known() {
    for kind in netwright_network::kind::names() {
        let found = recipe_ip::parse(&format!("ip link add x type {kind}"));
        let faults = found.err().unwrap_or_default();
        let known =
            |fault: &recipe_ip::ScriptFault| !fault.message.contains("is not a kind of link");
        assert!(faults.iter().all(known), "{kind}: {faults:?}");
    }
}
