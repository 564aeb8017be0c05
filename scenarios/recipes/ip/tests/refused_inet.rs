//! What is refused of `ip address`, `route`, `rule` and `neighbour`, with the whole message.

mod table;

const REFUSED: &str = r##"
> ip address add
1:12: `add` needs an address
1:12: `dev` is missing
> ip address add 10.0.0.1/24
1:12: `dev` is missing
> ip address add dev x
1:12: `add` needs an address
> ip address add 10.0.0.256/24 dev x
1:16: `10.0.0.256/24` is not an internet address or prefix
> ip address add 10.0.0.1/33 dev x
1:16: the length of `10.0.0.1/33` is wrong; IPv4 has 0 to 32
> ip address add 10.0.0.1/24 dev x dev
1:34: `dev` needs a value after it
> ip address add foo dev x
1:16: `foo` is not an internet address or prefix
> ip address add 10.0.0.1/24 10.0.0.2/24 dev x
1:28: `10.0.0.2/24` is not known in `ip address`
> ip address add fd00::1/129 dev x
1:16: the length of `fd00::1/129` is wrong; IPv6 has 0 to 128
> ip -4 address add fd00::1/64 dev x
1:19: `fd00::1/64` is IPv6, where IPv4 is expected
> ip address add 10.0.0.1/24 peer fd00::2 dev x
1:33: `fd00::2` is IPv6, where IPv4 is expected
> ip address add fd00::1/64 brd + dev x
1:27: only IPv4 networks have a broadcast address
> ip address add 10.0.0.1/24 brd 10.0.0.255/24 dev x
1:32: `10.0.0.255/24` is not an internet address
  help: this place takes an address without a length
> ip address add 10.0.0.1/24 scope galaxy dev x
1:34: `galaxy` is not a scope; that is a name or a number up to 255
> ip address add 10.0.0.1/24 label y dev x
1:34: a label must begin with the link's name, `x`
> ip address add 10.0.0.1/24 label x:12345678901234 dev x
1:34: a label has at most 15 bytes
> ip address add 10.0.0.1/24 valid_lft 0 preferred_lft 0 dev x
1:28: `valid_lft` must not be 0
> ip address add 10.0.0.1/24 valid_lft 10 preferred_lft 20 dev x
1:41: `preferred_lft` must not be longer than `valid_lft`
  help: without `preferred_lft` it is for ever
> ip address add 10.0.0.1/24 valid_lft soon dev x
1:38: `valid_lft` must be a number from 0 to 4294967295, not `soon`
> ip address add 10.0.0.1/24 autojoin dev x
1:16: `autojoin` needs a multicast address
> ip address add 10.0.0.1/24 nodat dev x
1:28: `nodat` is not known in `ip address`
  help: did you mean `nodad`?
> ip address flush
1:12: `flush` needs to know what
  help: as in `ip address flush dev DEVICE`
> ip address save
1:12: `ip address save` is not offered here
  help: a recipe reads and writes no files; `show` prints, and `netwright inspect` shows a kept lab
> ip address show foo bar
1:21: `bar` is not known in the choice of links
> ip route add
1:10: `add` needs a destination
  help: a prefix such as `10.0.0.0/8`, or `default`
> ip route add default
1:10: the route leads nowhere
  help: `via ADDRESS`, `dev DEVICE` or `nexthop …`
> ip route add 10.0.0.0/8 dev
1:25: `dev` needs a value after it
> ip route add 10.0.0.5/8 dev x
1:14: `10.0.0.5/8` has bits right of its length
  help: the network is `10.0.0.0/8`
> ip route add fd00::/64 via 10.0.0.1
1:28: `10.0.0.1` is IPv4, where IPv6 is expected
> ip -6 route add 10.0.0.0/8 dev x
1:17: `10.0.0.0/8` is IPv4, where IPv6 is expected
> ip route add defualt via 10.0.0.1
1:14: `defualt` is not known in `ip route`
  help: did you mean `default`?
> ip route add blackhole
1:14: `blackhole` needs a destination after it
  help: it is the route's type; a prefix or `default` follows
> ip route add any dev x
1:14: `any` needs a destination after it
  help: it is the route's type; a prefix or `default` follows
> ip route add blackhole 10.0.0.0/8 via 10.0.0.1
1:14: `blackhole` leads nowhere, so it takes no `via`
> ip route add 10.0.0.0/8 10.1.0.0/16 dev x
1:25: `10.1.0.0/16` is not known in `ip route`
> ip route add 10.0.0.0/8 dev x table foo
1:37: table `foo` has its number in /etc/iproute2/rt_tables
  help: a recipe reads no files: say the number; `local`, `main` and `default` are known
> ip route add 10.0.0.0/8 dev x table mian
1:37: `mian` is not a table; that is a name or a number up to 4294967295
  help: did you mean `main`?
> ip route add 10.0.0.0/8 dev x metric -1
1:38: `metric` must be a number from 0 to 4294967295, not `-1`
> ip route add 10.0.0.0/8 dev x proto foo
1:37: `foo` is not a protocol; that is a name or a number up to 255
> ip route add 10.0.0.0/8 dev x scope foo
1:37: `foo` is not a scope; that is a name or a number up to 255
> ip route add 10.0.0.0/8 dev x hoplimit 256
1:40: `hoplimit` must be a number from 0 to 255, not `256`
> ip route add 10.0.0.0/8 dev x rtt fast
1:35: `rtt` must be a time, not `fast`
  help: as in `200ms` or `1.5s`
> ip route add 10.0.0.0/8 dev x quickack 2
1:40: `quickack` must be a number from 0 to 1, not `2`
> ip route add 10.0.0.0/8 dev x features foo
1:40: `features` must be `ecn`, not `foo`
> ip route add 10.0.0.0/8 dev x pref best
1:36: `pref` must be one of `low`, `medium`, `high`, not `best`
> ip route add 10.0.0.0/8 dev x mtu lock
1:31: `mtu` needs a value after it
> ip route add 10.0.0.0/8 dev x gateway 10.0.0.1
1:31: `gateway` is not known in `ip route`
> ip route add 10.0.0.0/8 from 10.1.0.0/16 dev x
1:25: routes of IPv4 don't choose by source
  help: `ip rule add from PREFIX table …`
> ip route add 10.0.0.0/8 nexthop
1:25: `nexthop` needs `via` or `dev`
> ip route add 10.0.0.0/8 nexthop dev x weight 0
1:46: `weight` must be a number from 1 to 256, not `0`
> ip route add 10.0.0.0/8 nexthop dev x weight 257
1:46: `weight` must be a number from 1 to 256, not `257`
> ip route add 10.0.0.0/8 nexthop dev x foo
1:39: `foo` is not known in `nexthop`
> ip route add 10.0.0.0/8 via 10.0.0.1 nexthop dev x
1:10: `via` and `dev` before `nexthop` have no meaning
> ip route add 10.0.0.0/8 encap mpls 5 dev x
1:25: `encap` is not offered here
  help: a tunnel is a link here: `ip link add NAME type vxlan …`, then `dev NAME`
> ip route add 10.0.0.0/8 nhid 5
1:25: `nhid` is not offered here
  help: say where the route leads: `via` and `dev`, or `nexthop via … nexthop via …` for several
> ip route prepend fd00::/64 dev x
1:10: IPv6 routes can't be prepended
> ip route flush
1:10: `flush` needs to know what
  help: as in `ip route flush table main`
> ip route get
1:10: `get` needs an address
> ip route get 10.0.0.1 mark 5
1:23: `mark` is not offered in `ip route get`
  help: it asks by the destination, and by `from ADDRESS`; `ip route show` and `ip rule show` have the rest
> ip route show type foo
1:20: `foo` is not a type of route
> ip route save table 10
1:10: `ip route save` is not offered here
  help: a recipe reads and writes no files; `show` prints, and `netwright inspect` shows a kept lab
> ip rule add from 10.0.0.0/40
1:18: the length of `10.0.0.0/40` is wrong; IPv4 has 0 to 32
> ip rule add from fd00::/64
1:18: `fd00::/64` is IPv6, where IPv4 is expected
> ip rule add look 5
1:13: `look` is not known in `ip rule`
  help: did you mean `lookup`?
> ip rule add table foo
1:19: table `foo` has its number in /etc/iproute2/rt_tables
  help: a recipe reads no files: say the number; `local`, `main` and `default` are known
> ip rule add fwmark x
1:20: `x` is not a mark
  help: as in `0x10` or `0x10/0xff`
> ip rule add uidrange 5
1:22: `uidrange` must be a range up to 4294967295, not `5`
  help: as in `1000-1999`
> ip rule add uidrange 9-5
1:22: `uidrange` must be a range up to 4294967295, not `9-5`
  help: as in `1000-1999`
> ip rule add sport 99999
1:19: `sport` must be a number or a range up to 65535, not `99999`
  help: as in `1000-1999`
> ip rule add ipproto foo
1:21: `foo` is not an IP protocol
  help: a name such as `tcp`, or a number up to 255
> ip rule add type foo
1:18: `foo` is not known in `type`
> ip rule add realms 5
1:13: `realms` is not offered here
  help: realms, classes of routes, are not among what a recipe can set; leave them out
> ip rule delete
1:9: `delete` needs to know which rule
  help: as in `ip rule delete priority 100`
> ip rule save
1:9: `ip rule save` is not offered here
  help: a recipe reads and writes no files; `show` prints, and `netwright inspect` shows a kept lab
> ip neigh add 10.0.0.1 lladdr 2:0:0:0:0:1
1:10: `dev` is missing
> ip neigh add lladdr 2:0:0:0:0:1 dev x
1:10: `add` needs an address
> ip neigh add 10.0.0.1/24 lladdr 2:0:0:0:0:1 dev x
1:14: `10.0.0.1/24` is not an internet address
  help: this place takes an address without a length
> ip neigh add 10.0.0.1 lladdr foo dev x
1:30: `foo` is not a MAC address
  help: six hexadecimal bytes, as in `02:00:00:00:00:01`
> ip neigh add 10.0.0.1 lladdr 2:0:0:0:0:1 nud forever dev x
1:46: `forever` is not a state of neighbours
> ip neigh flush
1:10: `flush` needs to know what
  help: as in `ip neighbour flush dev DEVICE`
> ip neigh show foo
1:15: `foo` is not an internet address or prefix
"##;

#[test]
fn each_is_refused_with_its_place_and_reason() {
    table::refused(REFUSED);
}
