//! Words of programs and shells that are not carried out here: what each is, and what to write instead.

use crate::cursor::Cursor;
use crate::fault::shown;
use crate::lex::Word;
use crate::shell::name;

const FILTERS: &str = "`ip route add blackhole PREFIX` and `ip rule add … prohibit` drop what they match; a filter is set in a kept lab, by `netwright exec`";
const PROBES: &str = "a scenario's checks ask it: `ping`, `tcp`, `udp`, `arp`, `frames`";
const DAEMONS: &str =
    "start it in a kept lab: `netwright run --keep LAB …`, then `netwright exec LAB …`";
const LINES: &str =
    "write out each command that it would come to, or a recipe of your own: `netwright recipe new`";
const MODULES: &str =
    "leave it out: what the kernel lacks is told before the first line, with the module's name";

pub(crate) const ADDRESSES: &str =
    "leave it out, or choose by the route: `ip route add … src ADDRESS`";
pub(crate) const FILES: &str =
    "a recipe reads and writes no files; `show` prints, and `netwright inspect` shows a kept lab";
pub(crate) const FOU: &str =
    "`ip link add NAME type vxlan …` and `type geneve` carry packets in UDP";
pub(crate) const GROUPS: &str =
    "leave it out: groups are joined by programs, and a recipe routes none";
pub(crate) const L2TP: &str = "`ip link add NAME type gretap …` and `type vxlan` carry frames";
pub(crate) const MACSEC: &str = "`ip link add … type macsec` makes the link; its keys are set in a kept lab, by `netwright exec`";
pub(crate) const METRICS: &str = "leave it out: a new lab has none";
pub(crate) const MONITOR: &str = "captures and checks of a scenario see what happens";
pub(crate) const MPTCP: &str = "`sysctl net.mptcp.enabled=1` turns it on; endpoints are set in a kept lab, by `netwright exec`";
pub(crate) const NETCONF: &str = "`sysctl net.ipv4.conf.DEVICE.forwarding` and its like show it";
pub(crate) const NEXTHOP: &str =
    "name the way in the route: `via` and `dev`, or `nexthop via … nexthop via …` for several";
pub(crate) const ROUTING: &str = "plain routes and tunnels are: `ip route add`, `ip link add`";
pub(crate) const STATS: &str =
    "`metric` lines of a recipe of your own count: `netwright recipe new`";
pub(crate) const TABLES: &str = "`sysctl net.ipv4.neigh.DEVICE.…` has the same settings";
pub(crate) const XFRM: &str = "IPsec is set up in a kept lab, by `netwright exec`";

/// The names of a kind of program, what a message calls it, and what to do instead.
type Row = (&'static [&'static str], &'static str, &'static str);

const PROGRAMS: &[Row] = &[
    (
        &[
            "iptables",
            "ip6tables",
            "iptables-legacy",
            "iptables-nft",
            "iptables-restore",
            "iptables-save",
            "ip6tables-restore",
            "ip6tables-save",
            "nft",
            "ebtables",
            "arptables",
            "ipset",
            "conntrack",
            "ufw",
            "firewall-cmd",
        ],
        "sets packet filters, which a recipe can't",
        FILTERS,
    ),
    (
        &["ethtool", "mii-tool"],
        "sets up drivers, which a recipe can't",
        "`ip link set` has what links have of their own: mtu, address, txqueuelen",
    ),
    (
        &["ifconfig", "ifup", "ifdown", "ipcalc"],
        "is not part of iproute2",
        "`ip address add ADDRESS/LENGTH dev DEVICE` and `ip link set DEVICE up`",
    ),
    (
        &["route"],
        "of net-tools is not part of iproute2",
        "`ip route add PREFIX via GATEWAY`, or `dev DEVICE`",
    ),
    (&["arp"], "is not part of iproute2", "`ip neighbour add ADDRESS lladdr MAC dev DEVICE`"),
    (
        &["vconfig"],
        "is not part of iproute2",
        "`ip link add link DEVICE name NAME type vlan id ID`",
    ),
    (
        &["tunctl", "openvpn"],
        "makes a device that needs a program",
        "`ip tuntap add dev NAME mode tap`",
    ),
    (&["iptunnel"], "is not part of iproute2", "`ip tunnel add NAME mode MODE …`"),
    (
        &["dhclient", "dhcpcd", "udhcpc", "dhcpd", "dnsmasq", "radvd"],
        "is a program of its own, which a recipe can't start",
        "`ip address add` and `ip route add default` say what it would find out; or start it in a kept lab, by `netwright exec`",
    ),
    (
        &["modprobe", "insmod", "rmmod", "lsmod", "depmod"],
        "loads modules, which a recipe can't",
        MODULES,
    ),
    (
        &[
            "arping",
            "tcpdump",
            "tshark",
            "traceroute",
            "tracepath",
            "mtr",
            "curl",
            "wget",
            "nc",
            "ncat",
            "socat",
            "iperf",
            "iperf3",
            "netperf",
            "nmap",
            "dig",
            "ss",
            "netstat",
        ],
        "is a program of its own, which a recipe can't start",
        PROBES,
    ),
    (
        &[
            "systemctl",
            "service",
            "ovs-vsctl",
            "ovs-ofctl",
            "docker",
            "podman",
            "lxc-start",
            "wg",
            "bird",
            "zebra",
            "bgpd",
            "vtysh",
            "mount",
            "umount",
            "mkdir",
            "rm",
            "cp",
            "mv",
            "ln",
            "touch",
            "chmod",
            "chown",
            "kill",
            "killall",
            "pkill",
            "python",
            "python3",
            "perl",
            "unshare",
            "timeout",
            "nohup",
            "nice",
            "screen",
            "tmux",
            "su",
            "env",
            "chroot",
            "hostname",
            "rdma",
            "devlink",
            "dcb",
            "vdpa",
            "teamd",
            "teamdctl",
            "ifenslave",
        ],
        "is a program of its own, which a recipe can't start",
        DAEMONS,
    ),
    (
        &[
            "cat", "grep", "awk", "sed", "head", "tail", "cut", "wc", "tee", "xargs", "sort",
            "printf", "test", "[",
        ],
        "reads and alters text, which nothing here needs",
        "leave it out; `echo` and the `show` commands print",
    ),
    (
        &["return", "trap"],
        "of a shell is not taken",
        "leave it out: a command that fails ends the script, and all that it made is undone",
    ),
    (
        &[
            "if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case",
            "esac", "function", "{", "}", "(", ")", "[[", "((", "!", "export", "local", "declare",
            "readonly", "unset", "read", "source", ".", "eval", "exec", "cd", "shift", "alias",
            "let", "time",
        ],
        "of a shell is not taken",
        LINES,
    ),
];

/// Refuses a word that begins what is known and not carried out.
pub(crate) fn refuse(cursor: &mut Cursor<'_>, word: &Word) -> bool {
    let program = name(&word.text);
    if program == "brctl" {
        let help = bridge(cursor);
        cursor.fault(word, "`brctl` is not part of iproute2".to_owned(), Some(help));
        return true;
    }
    if let Some((_, what, instead)) = PROGRAMS.iter().find(|row| row.0.contains(&program)) {
        cursor.refuse_with(word, format!("`{}` {what}", shown(program)), instead);
        return true;
    }
    if let Some((variable, _)) = assignment(&word.text) {
        let message = format!("`{}` sets a variable, which nothing here reads", shown(&word.text));
        let help = format!("write what it stands for in the place of each `${variable}`");
        cursor.fault(word, message, Some(help));
        return true;
    }
    false
}

/// A program that nobody here knows.
pub(crate) fn refuse_unknown(cursor: &mut Cursor<'_>, program: &Word) {
    let message = format!("`{}` can't run in a recipe's sandbox", shown(&program.text));
    let help = "`ip`, `tc`, `bridge`, `ping` and `sysctl` are carried out; others run in a kept lab, by `netwright exec`";
    cursor.refuse_with(program, message, help);
}

/// `route` is ip(8)'s where its name is left out, but for words that only net-tools has.
pub(crate) fn refuse_behind(cursor: &mut Cursor<'_>, word: &Word) -> bool {
    if word.text != "route" || !net_tools(cursor) {
        return false;
    }
    refuse(cursor, word)
}

fn assignment(text: &str) -> Option<(&str, &str)> {
    let (variable, value) = text.split_once('=')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let begins = variable.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    (begins && variable.chars().all(plain)).then_some((variable, value))
}

/// `route -n`, `route add -net …`, `route add default gw …`.
fn net_tools(cursor: &Cursor<'_>) -> bool {
    let behind = cursor.rest();
    behind.iter().any(|word| matches!(word.text.as_str(), "gw" | "netmask"))
        || behind.iter().take(3).any(|word| word.text.starts_with('-'))
}

/// The command of ip(8) that a `brctl` one stands for, with its own names.
fn bridge(cursor: &Cursor<'_>) -> String {
    let words: Vec<String> = cursor.rest().iter().map(|word| shown(&word.text)).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["addbr", bridge] => format!("`ip link add {bridge} type bridge`"),
        ["delbr", bridge] => format!("`ip link delete {bridge}`"),
        ["addif", bridge, port] => format!("`ip link set {port} master {bridge}`"),
        ["delif", _, port] => format!("`ip link set {port} nomaster`"),
        ["stp", bridge, "on" | "yes" | "1"] => {
            format!("`ip link set {bridge} type bridge stp_state 1`")
        }
        ["stp", bridge, _] => format!("`ip link set {bridge} type bridge stp_state 0`"),
        ["setfd", bridge, _] => {
            format!("`ip link set {bridge} type bridge forward_delay HUNDREDTHS`")
        }
        ["setageing", bridge, _] => {
            format!("`ip link set {bridge} type bridge ageing_time HUNDREDTHS`")
        }
        ["showmacs", bridge] => format!("`bridge fdb show br {bridge}`"),
        ["show", ..] => "`bridge link show`".to_owned(),
        _other => "`ip link add NAME type bridge`, `ip link set PORT master NAME`".to_owned(),
    }
}
