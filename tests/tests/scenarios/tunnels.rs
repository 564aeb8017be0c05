//! Bonds and tunnels, on a kernel that has them; elsewhere each of these scenarios must say what the
//! kernel lacks before it has made a link.

use netwright_tests::{Session, has_bonds, has_tunnels};

use crate::{counted, file, keep, link, reaches};

#[track_caller]
fn is_refused(session: &Session, name: &str, words: &str) {
    let output = session.netwright(["run", &file(name)]).expect_code(8);
    assert!(output.stderr.contains(words), "{}", output.stderr);
}

#[test]
fn a_bond_goes_over_to_the_cable_that_works() {
    let session = Session::new();
    if !has_bonds() {
        is_refused(&session, "bond", "the kernel lacks CONFIG_BONDING (module bonding)");
        return;
    }
    let lab = keep(&session, "bond", "bond", &[]);
    let bond = || link(&lab, Some("node1"), "bond0")["linkinfo"]["info_data"].clone();
    assert_eq!(bond()["mode"], "active-backup");
    assert_eq!(bond()["active_slave"], "eth1");
    for port in ["eth0", "eth1"] {
        assert_eq!(link(&lab, Some("node1"), port)["master"], "bond0");
    }
    lab.exec(None, ["ip", "link", "set", "port1", "up"]).expect_code(0);
    lab.exec(None, ["ip", "link", "set", "port2", "down"]).expect_code(0);
    assert!(reaches(&lab, "node1", "10.0.0.2"));
    assert_eq!(bond()["active_slave"], "eth0");
}

/// Bonding takes ports that are down, and links of a topology are up unless it says otherwise.
#[test]
fn a_bond_takes_the_ports_that_a_topology_gives_it() {
    let session = Session::new();
    let text = "
name: bonded
steps:
  - recipe: builtin:topology
    params:
      namespaces: [host, sw]
      links:
        - { name: eth1, namespace: host, kind: veth, peer: sw/p1, master: bond0 }
        - { name: eth2, namespace: host, kind: veth, peer: sw/p2, master: bond0 }
        - { name: bond0, namespace: host, kind: bond, options: { mode: active-backup, miimon: 100 } }
        - { name: br0, namespace: sw, kind: bridge, ports: [p1, p2] }
";
    let file = session.file("bonded.yaml", text).display().to_string();
    if !has_bonds() {
        let output = session.netwright(["run", &file]).expect_code(8);
        assert!(output.stderr.contains("CONFIG_BONDING"), "{}", output.stderr);
        return;
    }
    let lab = session.keep("bonded", [file]);
    for port in ["eth1", "eth2"] {
        let port = link(&lab, Some("host"), port);
        assert_eq!(port["master"], "bond0");
        assert!(port["flags"].to_string().contains("\"UP\""), "{port}");
    }
}

#[test]
fn each_tunnel_carries_what_its_sites_say() {
    let session = Session::new();
    if !has_tunnels() {
        is_refused(&session, "tunnels", "links of kind `gre`: the kernel lacks CONFIG_NET_IPGRE");
        return;
    }
    let lab = keep(&session, "tunnels", "tunnels", &[]);
    for (name, kind, far) in [
        ("gre1", "gre", "10.1.0.2"),
        ("tap1", "gretap", "10.2.0.2"),
        ("ipip1", "ipip", "10.3.0.2"),
        ("gnv1", "geneve", "10.4.0.2"),
        ("vx1", "vxlan", "10.5.0.2"),
    ] {
        assert_eq!(link(&lab, Some("site1"), name)["linkinfo"]["info_kind"], kind);
        let packets = || counted(&lab, Some("site2"), name, "packets").0;
        let before = packets();
        assert!(reaches(&lab, "site1", far), "{name}");
        assert!(packets() > before, "{name}");
    }
}
