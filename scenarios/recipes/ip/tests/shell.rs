//! What a shell does around commands: lists, redirections, `sudo`, its own commands, programs that are not
//! carried out.

mod table;

use netwright_sdk::testing::MemoryHost;
use netwright_sdk::wit::types::{Denial, Error as Cause};
use recipe_ip::RECIPE;

const SAME: &str = r"
sudo ip link set x up                         = ip link set x up
sudo -n ip link set x up                      = ip link set x up
sudo -E -u root /sbin/ip link set x up        = ip link set x up
sudo -- sysctl -w net.ipv4.ip_forward=1       = sysctl -w net.ipv4.ip_forward=1
doas ip link set x up                         = ip link set x up
doas -u root tc qdisc show                    = tc qdisc show
ip netns exec ns1 sudo ip link set lo up      = ip -n ns1 link set lo up
sudo ip netns exec ns1 ping 10.0.0.1          = ip netns exec ns1 ping 10.0.0.1
nsenter --net=/run/netns/ns1 ip link          = ip -n ns1 link
nsenter --net=/var/run/netns/ns1 ip link      = ip -n ns1 link
nsenter -t 4711 -n ip link                    = ip netns exec pid:4711 ip link
$ ip link                                     = ip link
root@h1:~# ip link                            = ip link
[root@h1 ~]# ip link                          = ip link
user@h1:~$ sudo ip link                       = ip link
ip link 2>/dev/null                           = ip link
ip link >/dev/null 2>&1                       = ip link
ip link &>/dev/null                           = ip link
ip link > /dev/null                           = ip link
ip link ; ip address                          = ip link;ip address
echo 1 > /proc/sys/net/ipv4/ip_forward        = sysctl -q net/ipv4/ip_forward=1
echo 1 | sudo tee /proc/sys/net/ipv4/ip_forward = echo 1 > /proc/sys/net/ipv4/ip_forward
echo 1 | tee /proc/sys/net/ipv4/ip_forward >/dev/null = echo 1 > /proc/sys/net/ipv4/ip_forward >/dev/null
true                                          = :
ip netns exec ns1 true                        = ip netns exec ns1 :
set -x                                        = true
set -o pipefail                               = true
set -euo pipefail                             = set -e
sleep 1                                       = sleep 1s
sleep 0.5m                                    = sleep 30
echo -n a  b                                  = echo 'a b'
ip netns exec ns1 sh -c 'ip link; ip route'   = ip netns exec ns1 bash -c 'ip link;ip route'
";

#[test]
fn what_stands_around_a_command_leaves_its_meaning() {
    table::same(SAME);
}

const REFUSED: &str = r##"
> ip link del x ||
1:15: `||` has no command at its side
> && ip link
1:1: `&&` has no command at its side
> ip link; ; ip route
1:8: `;` has no command at its side
> ip link show x | grep -o mtu
1:23: `-o` of `grep` is not taken here
  help: `-q`, `-v`, `-i`, `-c`, `-E` and `-F` are
> ip link show x | grep 'a*'
1:23: `a*` is more than a word for `grep`
  help: of expressions `.`, `^` and `$` are taken; `-F` takes all signs
> ip link | grep
1:11: `grep` needs a word to look for
  help: `grep WORD`
> ip link | grep a file
1:18: `file` is a file for `grep`
  help: a recipe reads none: leave it out
> ip link set x up | grep x
1:1: `grep` has nothing to read of this
  help: commands that show are: `show`, `get`, `sysctl`, `echo`
> ip link show x | awk '{print}'
1:16: `|` hands what is shown to `awk`, which can't run in a recipe's sandbox
  help: leave out what begins with `|`; checks of a scenario ask what there is
> ip link set x up &
1:18: `&` would carry on before the command has ended
  help: leave it out: the lines are carried out one after the other
> ip link > links.txt
1:9: a recipe writes no file, so not `links.txt` either
  help: `/dev/null`, or leave it out
> ip link < links.txt
1:9: `<` reads a file, and a recipe reads none
  help: write what it holds into the script
> ip link 2>
1:9: `2>` needs a file after it
> ip link > /proc/sys/net/ipv4/ip_forward
1:11: a recipe writes no file, so not `/proc/sys/net/ipv4/ip_forward` either
  help: `echo VALUE > /proc/sys/net/…` is read as `sysctl`
> echo 1 > /proc/sys/kernel/panic
1:10: `/proc/sys/kernel/panic` is no setting of a namespace
  help: those are below /proc/sys/net
> sudo
1:1: `sudo` needs a command after it
> sudo -u nobody ip link
1:9: a script is carried out as no other user than root
  help: leave `sudo` out, or name `root`
> sudo -i
1:6: `-i` of `sudo` is not taken here
  help: leave it out: a script needs no other user
> nsenter -t 1 ip link
1:1: `nsenter` needs a network namespace
  help: `--net=/run/netns/NAME`, or `-n -t PID`
> nsenter --net=/proc/1/ns/net ip link
1:9: `/proc/1/ns/net` is no file of a namespace with a name
  help: those are /run/netns/NAME
> nsenter -m --net=/run/netns/a ip link
1:9: `-m` of `nsenter` is not taken here
  help: `--net=/run/netns/NAME`, or `-n -t PID`
> sleep
1:1: `sleep` needs a time after it
> sleep soon
1:7: `sleep` must be 0 to 3600 seconds, not `soon`
  help: as in `sleep 0.5` or `sleep 2s`
> sleep 2h
1:7: `sleep` must be 0 to 3600 seconds, not `2h`
  help: as in `sleep 0.5` or `sleep 2s`
> set --
1:5: `--` is not known in `set`
  help: `set -e`, `set +e` and `set -x` are
> bash set-up.sh
1:6: `bash` reads its commands from a file here
  help: put them into the script, or behind `-c`
> sh
1:1: `sh` would wait for commands
  help: `-c 'COMMANDS'`
> ip netns exec n1 sh -c 'ip link; ip lnik'
1:37: `lnik` is not known in ip(8)
  help: did you mean `link`?
> iptables -P FORWARD DROP
1:1: `iptables` sets packet filters, which a recipe can't
  help: `ip route add blackhole PREFIX` and `ip rule add … prohibit` drop what they match; a filter is set in a kept lab, by `netwright exec`
> ip netns exec n1 sudo nft list ruleset
1:23: `nft` sets packet filters, which a recipe can't
  help: `ip route add blackhole PREFIX` and `ip rule add … prohibit` drop what they match; a filter is set in a kept lab, by `netwright exec`
> ethtool -K eth0 tx off
1:1: `ethtool` sets up drivers, which a recipe can't
  help: `ip link set` has what links have of their own: mtu, address, txqueuelen
> brctl addbr br0
1:1: `brctl` is not part of iproute2
  help: `ip link add br0 type bridge`
> sudo brctl addif br0 eth1
1:6: `brctl` is not part of iproute2
  help: `ip link set eth1 master br0`
> brctl stp br0 on
1:1: `brctl` is not part of iproute2
  help: `ip link set br0 type bridge stp_state 1`
> ifconfig eth0 10.0.0.1 up
1:1: `ifconfig` is not part of iproute2
  help: `ip address add ADDRESS/LENGTH dev DEVICE` and `ip link set DEVICE up`
> route add default gw 10.0.0.1
1:1: `route` of net-tools is not part of iproute2
  help: `ip route add PREFIX via GATEWAY`, or `dev DEVICE`
> sudo route -n
1:6: `route` of net-tools is not part of iproute2
  help: `ip route add PREFIX via GATEWAY`, or `dev DEVICE`
> modprobe dummy
1:1: `modprobe` loads modules, which a recipe can't
  help: leave it out: what the kernel lacks is told before the first line, with the module's name
> dhclient eth0
1:1: `dhclient` is a program of its own, which a recipe can't start
  help: `ip address add` and `ip route add default` say what it would find out; or start it in a kept lab, by `netwright exec`
> ip link show x || exit now
1:24: `exit` must be a number from 0 to 255, not `now`
> trap 'ip link del x' EXIT
1:1: `trap` of a shell is not taken
  help: leave it out: a command that fails ends the script, and all that it made is undone
> for i in 1 2; do
1:1: `for` of a shell is not taken
  help: write out each command that it would come to, or a recipe of your own: `netwright recipe new`
1:15: `do` of a shell is not taken
  help: write out each command that it would come to, or a recipe of your own: `netwright recipe new`
> NS=blue
1:1: `NS=blue` sets a variable, which nothing here reads
  help: write what it stands for in the place of each `$NS`
"##;

#[test]
fn what_a_shell_does_and_a_recipe_cannot_is_refused_with_what_to_write() {
    table::refused(REFUSED);
}

/// The changes that a script makes, and what it prints.
fn carried_out(script: &str) -> (Result<(), String>, Vec<String>, Vec<String>) {
    let host = MemoryHost::new();
    host.set_param("script", script);
    let answer = host.run(&RECIPE).map(|_| ()).map_err(|error| error.to_string());
    (answer, host.changes(), host.prints())
}

const BR: &str = "link add name br0 type bridge";
const UP: &str = "link set br0 up";

#[test]
fn lists_go_on_as_a_shell_goes_on() {
    let made = "ip link add br0 type bridge";
    for (script, changes) in [
        ("ip link del nope || true", &[][..]),
        ("ip link del nope || :; MADE", &[BR]),
        ("ip link del nope 2>/dev/null\nMADE", &[BR]),
        ("ip link del nope >/dev/null 2>&1; MADE", &[BR]),
        ("ip link del nope 2>/dev/null && ip link add x type bridge; MADE", &[BR]),
        ("ip link show br0 &>/dev/null || MADE", &[BR]),
        ("MADE && ip link set br0 up", &[BR, UP]),
        ("MADE || ip link set br0 up", &[BR]),
        ("false && ip link add x type bridge || MADE", &[BR]),
        ("true || ip link add x type bridge && MADE", &[BR]),
        ("MADE &&\n\n# why\n  ip link set br0 up", &[BR, UP]),
        ("sh -c 'false; ip link add x type bridge' || MADE", &[BR]),
        ("sh -c 'false || true; MADE'", &[BR]),
        ("MADE; exit 0; ip link add x type bridge", &[BR]),
        ("MADE\nexit\nip link add x type bridge", &[BR]),
        ("sh -c 'exit 3; ip link add x type bridge' || MADE", &[BR]),
        ("sh -c 'exit 0; ip link add x type bridge'; MADE", &[BR]),
        ("ip link show | grep -q br0 || MADE", &[BR]),
        ("MADE; ip link | grep br0 | grep -v nope && ip link set br0 up", &[BR, UP]),
        ("ip link show nope | grep -q UP || MADE", &[BR]),
        ("set -e\nset +e\nfalse 2>/dev/null; MADE", &[BR]),
    ] {
        let script = script.replace("MADE", made);
        let (answer, found, _) = carried_out(&script);
        assert_eq!(answer, Ok(()), "{script}");
        assert_eq!(found, changes, "{script}");
    }
}

#[test]
fn a_failure_that_nothing_answers_ends_the_script() {
    for (script, line) in [
        ("false\nMADE", "line 1: false"),
        ("false && true\nMADE", "line 1: false"),
        ("true && false; MADE", "line 1: false"),
        ("false || false\nMADE", "line 1: false"),
        ("true\nfalse || true && false; MADE", "line 2: false"),
        ("set -e\nfalse 2>/dev/null\nMADE", "line 2: false"),
        ("false 2>&1 >/dev/null\nMADE", "line 1: false"),
        ("sh -c 'true; false; true'\nMADE", "line 1: false"),
    ] {
        let script = script.replace("MADE", "ip link add br0 type bridge");
        let (answer, found, _) = carried_out(&script);
        let error = answer.expect_err(&script);
        assert_eq!(error, format!("{line}: it always fails"), "{script}");
        assert_eq!(found, [""; 0], "{script}");
    }
}

#[test]
fn exit_ends_the_script_with_its_code() {
    for (script, said) in [
        ("exit 3\nip link add br0 type bridge", "line 1: exit 3: the script ends with 3"),
        ("false || exit 1; ip link add br0 type bridge", "line 1: exit 1: the script ends with 1"),
        ("exit 1 || ip link add br0 type bridge", "line 1: exit 1: the script ends with 1"),
        ("ip link show nope || exit", "line 1: exit: the script ends with 1"),
    ] {
        let (answer, found, _) = carried_out(script);
        assert_eq!(answer, Err(said.to_owned()), "{script}");
        assert_eq!(found, [""; 0], "{script}");
    }
}

#[test]
fn what_is_denied_is_answered_by_nothing() {
    let host = MemoryHost::new();
    host.set_param("script", "ip link add br0 type bridge || true\nip netns add a");
    let denial = Denial {
        capability: "host.link.create".to_owned(),
        target: "br0".to_owned(),
        hint: String::new(),
    };
    host.refuse(BR, netwright_sdk::Error::from(Cause::Denied(denial)));
    host.run(&RECIPE).expect_err("it is denied");
    assert_eq!(host.changes(), [""; 0]);
}

#[test]
fn output_is_printed_or_thrown_away() {
    let (answer, _, prints) = carried_out(
        "echo two  'wo rds'\necho no >/dev/null\nip link show lo >/dev/null\n\
         sysctl net.ipv4.ip_forward=1 >/dev/null; sysctl -N net.ipv4.ip_forward\n\
         sysctl -n net.ipv4.ip_forward && echo done\n\
         echo a b | grep b; echo a b | grep -q b; echo c | grep c >/dev/null; echo c | grep -c c",
    );
    assert_eq!(answer, Ok(()));
    assert_eq!(prints, ["two wo rds", "net.ipv4.ip_forward", "1", "done", "a b", "1"]);
}

#[test]
fn what_would_show_more_is_told_to_show_no_more() {
    let host = MemoryHost::new();
    host.set_param(
        "script",
        "ip -d link show lo\nip -s -4 addr >/dev/null\nip -d link set lo up\ntc -s qdisc",
    );
    host.run(&RECIPE).expect("it is shown");
    let said =
        |line: u32, flag: &str| format!("line {line}: `{flag}` shows no more here than without it");
    assert_eq!(
        host.log().into_iter().map(|(_, message)| message).collect::<Vec<_>>(),
        [said(1, "-d"), said(4, "-s")]
    );
}

#[test]
fn a_ping_that_the_script_answers_is_no_failed_check() {
    let host = MemoryHost::new();
    let script = "ping -c 1 -W 1 10.0.0.9 || echo silent\nip netns add a\n\
                  sh -c 'true && ping -c 1 -W 1 10.0.0.8' || true";
    host.set_param("script", script);
    host.run(&RECIPE).expect("the script has an answer to it");
    assert_eq!(host.changes(), ["netns add a"]);
    assert_eq!(host.prints(), ["silent"]);
    assert!(host.checks().is_empty());
}
