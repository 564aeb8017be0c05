//! Scripts that fail half-way: by iproute2 and by netwright, which says where and takes back.

use libtest_mimic::{Failed, Trial};
use netwright_tests::Session;
use std::sync::Arc;

use crate::observe::fails_by_iproute2;

/// A script, the line that fails, and what is said of it; with `line` in front of a command that has
/// its line not for itself.
const FAILURES: [(&str, usize, &str); 30] = [
    ("ip link add br0 type bridge\nip link add br0 type bridge", 2, "File exists"),
    ("ip link set nope up", 1, "no link `nope`"),
    (
        "ip link add type veth\nip link set veth0 mtu 9000\nip link add mac link veth1 mtu 9000 type macvlan",
        3,
        "above the 1500 of its parent",
    ),
    (
        "ip link add v0 type veth peer name v1\n\
         ip link add x0 link v0 type macvlan mode passthru\n\
         ip link add x1 link v0 type macvlan mode bridge",
        3,
        "EINVAL",
    ),
    (
        "ip link add v0 type veth peer name v1\n\
         ip link add x0 link v0 type macvlan mode vepa\n\
         ip link set x0 type macvlan mode passthru",
        3,
        "can't become passthru",
    ),
    (
        "ip link set lo up\nip address add 10.0.0.1/24 dev lo\nip address add 10.0.0.1/24 dev lo",
        3,
        "Address already assigned",
    ),
    ("ip address del 10.0.0.9/24 dev lo", 1, "Address not found"),
    ("ip route add 10.0.0.0/8 via 10.0.0.1", 1, "Nexthop has invalid gateway"),
    ("ip link set lo up\nip route del default", 2, "No such process"),
    ("ip rule del priority 77", 1, "No such file or directory"),
    ("ip rule add priority 5\nip rule add priority 5", 2, "File exists"),
    ("ip neighbour get 10.0.0.1 dev lo", 1, "Neighbour entry not found"),
    ("ip netns exec nowhere ip link", 1, "there is no namespace `nowhere`"),
    ("ip route get 10.9.9.9", 1, "Network is unreachable"),
    ("ip route flush dev nosuch", 1, "no link `nosuch`"),
    ("ip -6 route show dev nosuch", 1, "no link `nosuch`"),
    ("ip neigh flush dev nosuch", 1, "no link `nosuch`"),
    ("ip neigh show dev nosuch nud all", 1, "no link `nosuch`"),
    ("ip link show master nosuch", 1, "no link `nosuch`"),
    ("ip addr show master nosuch", 1, "no link `nosuch`"),
    ("ip addr show vrf nosuch", 1, "no link `nosuch`"),
    ("ip addr flush master nosuch", 1, "no link `nosuch`"),
    ("ip link add br0 type bridge\nip link show vrf br0", 2, "`br0` is a bridge and no vrf"),
    (
        "ip link add br0 type bridge\nip link add e0 type veth peer name e1\nip link set e0 vrf br0",
        3,
        "`br0` is a bridge and no vrf",
    ),
    (
        "ip link add br0 type bridge\nip link add e0 vrf br0 type veth peer name e1",
        2,
        "`br0` is a bridge and no vrf",
    ),
    ("ip link add q link-netns 11 type bridge", 1, "there is no namespace `11`"),
    ("ip link add q link-netns nosuch type veth", 1, "there is no namespace `nosuch`"),
    ("ip link set lo up; ip link set nope up || ip link del nope", 1, "line 1: ip link del nope: "),
    (
        "set -e\nip link set lo up\nip link set nope up 2>/dev/null",
        3,
        "line 3: ip link set nope up: ",
    ),
    (
        "ip netns add a\nip netns exec a sh -c 'ip link set lo up; ip link set nope up'",
        2,
        "line 2: ip link set nope up: ",
    ),
];

pub(crate) fn trials(session: &Arc<Session>) -> Vec<Trial> {
    let trial = |(place, (script, line, words)): (usize, (&'static str, usize, &'static str))| {
        let session = session.clone();
        Trial::test(format!("failure_{place}_at_line_{line}"), move || {
            fails(&session, place, script, line, words)
        })
    };
    FAILURES.into_iter().enumerate().map(trial).collect()
}

fn fails(
    session: &Session,
    place: usize,
    script: &str,
    line: usize,
    words: &str,
) -> Result<(), Failed> {
    if !fails_by_iproute2(script) {
        return Err("iproute2 carries it out".into());
    }
    let file = session.file(&format!("failure{place}.script"), script);
    let parameter = format!("script=@{}", file.display());
    let output = session.netwright(["run", "builtin:ip", "-p", &parameter]);
    if output.code != 5 {
        return Err(format!("exit code {}\n{}", output.code, output.stderr).into());
    }
    let text = script.lines().nth(line - 1).unwrap_or_default();
    let alone = !words.starts_with("line ");
    let place = format!("line {line}: {}", if alone { text } else { "" });
    for wanted in [place.as_str(), words] {
        if !output.stderr.contains(wanted) {
            return Err(format!("`{wanted}` is not said:\n{}", output.stderr).into());
        }
    }
    Ok(())
}
