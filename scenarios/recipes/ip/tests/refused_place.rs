//! What is refused of namespaces, programs, tuntap, and what stands before the object, with the whole message.

mod table;

const REFUSED: &str = r##"
> foo
1:1: `foo` is not known in ip(8)
> lnik add
1:1: `lnik` is not known in ip(8)
  help: did you mean `link`?
> ip
1:1: no object follows here
  help: `link`, `address`, `route`, `rule`, `neighbour`, `netns` or `tuntap`
> ip -n ns1
1:7: no object follows here
  help: `link`, `address`, `route`, `rule`, `neighbour`, `netns` or `tuntap`
> ip -n
1:4: `netns` needs a value after it
> ip -n ~1ns link
1:7: name `~1ns` must begin with a letter, a digit or `_`
> ip -x link
1:4: `-x` is not known in the options of ip(8)
> ip -f inet7 route
1:7: `family` must be one of `inet`, `inet6`, not `inet7`
  help: did you mean `inet`?
> ip -batch file
1:4: `-batch` can't be used here: a recipe reads no files
  help: put the file's lines into the script
> ip -V
1:4: `-V` is not offered here
  help: leave it out; of families `-4` and `-6` are
> ip tunnel add x
1:11: `mode` is missing
  help: as in `ip tunnel add NAME mode gre local ADDRESS remote ADDRESS`
> ip tunnel add mode gre
1:11: `add` needs the name of a tunnel
> ip tunnel add x mode gre remote 10.0.0.256
1:33: `remote` must be an IP address of its family, not `10.0.0.256`
> ip tunnel add x mode isatap
1:22: `mode isatap` is not offered here
  help: `mode sit` is
> ip tunnel add x mode ip6gre
1:22: `ip6gre` is a mode of IPv6
  help: `ip -6 tunnel …`
> ip -6 tunnel add x mode gre
1:25: `gre` is a mode of IPv4
  help: `ip tunnel …`
> ip tunnel add x mode foo
1:22: `foo` is not a mode of tunnels
  help: `ipip`, `gre`, `sit`, `vti`; with `ip -6` `ip6ip6`, `ipip6`, `any`, `ip6gre`, `vti6`
> ip tunnel 6rd dev x
1:11: `ip tunnel 6rd` is not offered here
  help: `add`, `change`, `delete` and `show` are
> ip vrf pids blue
1:8: `ip vrf pids` asks for processes, of which a recipe has none
  help: `ip vrf show` and `ip link show vrf NAME` show the rest
> ip vrf exec blue
1:8: `exec` needs a program after the VRF
> ip vrf exec blue sh -c 'ping 10.0.0.1'
1:8: `ip vrf exec blue` can't be carried into a shell
  help: put it in front of each command
> ip nexthop add id 1 via 10.0.0.1
1:4: `ip nexthop` is not offered here
  help: name the way in the route: `via` and `dev`, or `nexthop via … nexthop via …` for several
> ip xfrm policy
1:4: `ip xfrm` is not offered here
  help: IPsec is set up in a kept lab, by `netwright exec`
> ip netns pids n1
1:10: `ip netns pids` is not offered here
  help: a recipe starts no processes, so of its own there are none
> ip neigh add 10.0.0.1 dev x managed
1:29: `managed` is not offered here
  help: the kernel would look for the station by itself; name it: `lladdr MAC`, or `ping` the address
> ping -t 5 10.0.0.1
1:6: `-t` of `ping` is not offered here
  help: the hop limit is the machine's: `sysctl net.ipv4.ip_default_ttl=N`
> ping -qfc1 10.0.0.1
1:7: `-f` of `ping` is not offered here
  help: `-i 0.01` sends as fast as is needed
> ip help
1:4: `help` changes nothing and is not for scripts
> ip -all link show
1:9: `-all` is for `netns exec` and `netns delete`, not `link`
> ip -all netns add x
1:15: `-all` is for `exec` and `delete`, not `add`
> ip netns ad'
1:12: this quote is not closed on its line
> ip netns add
1:10: `add` needs a value after it
> ip netns add a/b
1:14: name `a/b` must not hold `/`; letters, digits, `.`, `_`, `@`, `+` and `-` are allowed
> ip netns add x y
1:16: `y` is too much for `ip netns add`
> ip netns del
1:10: `delete` needs a value after it
> ip netns lst x
1:14: `x` is too much for `ip netns lst`
> ip netns set x
1:10: `netnsid` needs a value after it
> ip netns set x -5
1:16: `netnsid` must be a number from 0 to 2147483647, not `-5`
> ip netns attach x 1
1:10: `ip netns attach` is not offered here
  help: `ip netns exec pid:NUMBER ip …` reaches the namespace of a process
> ip netns exec
1:10: `exec` needs a value after it
> ip netns exec a ip netns exec a ip netns exec a ip netns exec a ip netns exec a ip netns exec a ip netns exec a ip netns exec a ip netns exec a ip netns exec a ip netns exec a ip netns exec a ip netns exec a ip netns exec a ip netns exec a ip netns exec a ip link
1:257: `ip` stands behind too many others
  help: the last `ip netns exec` alone says where it runs
> ip netns exec ns1
1:10: `exec` needs a program after the namespace
> ip netns exec ns1 ./mine
1:19: `./mine` can't run in a recipe's sandbox
  help: `ip`, `tc`, `bridge`, `ping` and `sysctl` are carried out; others run in a kept lab, by `netwright exec`
> ip netns exec ip link
1:15: `ip` stands where the namespace should
  help: as in `ip netns exec NAME ip …`
> ip netns exec ns1 ip foo
1:22: `foo` is not known in ip(8)
> ip netns exec ns1 sysctl
1:19: `sysctl` needs a variable
  help: as in `sysctl -w net.ipv4.ip_forward=1`
> sysctl -w net.ipv4.ip_forward
1:11: `-w` needs a value after `net.ipv4.ip_forward`
  help: `KEY=VALUE` without spaces around `=`, or in quotes
> sysctl kernel.hostname=x
1:8: `kernel.hostname` is no setting of a namespace
  help: those begin with net: net.ipv4.ip_forward
> sysctl -p
1:8: `-p` reads a file, and a recipe reads none
  help: put its lines into the script, each behind `sysctl -w`
> sysctl --system
1:8: `--system` reads a file, and a recipe reads none
  help: put its lines into the script, each behind `sysctl -w`
> sysctl -ea
1:8: `-ea` would show every setting
  help: name those that are wanted
> sysctl -qx net.ipv4.ip_forward=1
1:8: `-qx` is not known in `sysctl`
  help: did you mean `-q`?
> ip netns exec ns1 ping
1:19: `ping` needs an address
> ip netns exec ns1 ping host
1:24: `host` is not an internet address
> ip netns exec ns1 ping -c 0 10.0.0.1
1:27: `-c` must be a number from 1 to 10000, not `0`
> ip netns exec ns1 ping -c
1:24: `-c` needs a value after it
> ip netns exec ns1 ping -z 10.0.0.1
1:24: `-z` is not known in `ping`
> ip netns exec ns1 ping -M never 10.0.0.1
1:27: `-M` must be one of `do`, `want`, `dont`, not `never`
> ip netns exec ns1 ping -s 70000 10.0.0.1
1:27: `-s` must be a number from 0 to 65507, not `70000`
> ip netns exec ns1 ping -i x 10.0.0.1
1:27: `-i` must be 0.001 to 3600 seconds, not `x`
> ip netns exec ns1 ping -6 10.0.0.1
1:27: `10.0.0.1` is IPv4, where IPv6 is expected
> ip netns exec ns1 ping 10.0.0.1 10.0.0.2
1:33: `10.0.0.2` is a second destination
> ip tuntap add dev x
1:11: `mode` is missing
  help: `mode tun` or `mode tap`
> ip tuntap add dev x mode tin
1:26: `mode` must be one of `tun`, `tap`, not `tin`
  help: did you mean `tun`?
> ip tuntap add dev x mode tap mode tun
1:35: a second mode is given here
> ip tuntap add dev x mode tap user nobody
1:35: `user` must be a number, not `nobody`
  help: the only name that is known everywhere is `root`
> ip tuntap del mode tap
1:11: `delete` needs `dev`
> ip tuntap add x y mode tap
1:17: `y` is not known in `ip tuntap`
"##;

#[test]
fn each_is_refused_with_its_place_and_reason() {
    table::refused(REFUSED);
}
