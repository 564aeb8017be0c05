//! Kinds of links that only the third kernel has. On others they are told to be missing.

use netwright_tests::{Host, Output};
use serde_json::Value;

/// Whether this is the machine with the third kernel.
fn has_hsr() -> bool {
    std::env::var_os("NETWRIGHT_THIRD_KERNEL").is_some()
}

/// Links of the host that have the indexes of the first two links in any new namespace: where a
/// parent is elsewhere, the kernel looks for the numbers elsewhere.
const NICS: &str = "link add eth0 index 2 type veth peer name wire0 index 12
                    link add eth1 index 3 type veth peer name wire1 index 13";

const PORTS: &str = "ip netns add lab-n
                     ip link add lab-a type veth peer name lab-b
                     ip -n lab-n link add d0 type veth peer name d1";

fn keep(host: &Host, last: &str) -> Output {
    let lines: Vec<&str> = PORTS.lines().chain([last]).map(str::trim).collect();
    let script = format!("script={}", lines.join("\n"));
    let grants = ["host.link.create kind=veth name=lab-*", "host.namespace name=lab-*"];
    let mut words = vec!["run", "builtin:ip", "-p", &script, "--target", "host", "--keep", "third"];
    words.extend(grants.iter().flat_map(|grant| ["--grant", grant]));
    host.netwright(words, &[])
}

#[test]
fn ports_of_an_hsr_are_links_of_the_namespace_that_it_is_made_in() {
    let host = Host::with(NICS);
    let before = host.state();
    let own = keep(&host, "ip -n lab-n link add name hsr0 type hsr slave1 d0 slave2 d1");
    if !has_hsr() {
        let refused = own.expect_code(8);
        assert!(refused.stderr.contains("CONFIG_HSR"), "{}", refused.stderr);
        return;
    }
    own.expect_code(0);
    let made = host.ip_json(&["-n", "lab-n", "-d", "link", "show", "hsr0"]);
    let ports = &made[0]["linkinfo"]["info_data"];
    assert_eq!((&ports["slave1"], &ports["slave2"]), (&"d0".into(), &"d1".into()), "{made}");
    host.netwright(["destroy", "third"], &[]).expect_code(0);
    assert_eq!(host.differences(&before), [""; 0]);
}

#[test]
fn a_parent_elsewhere_makes_no_ports_of_the_hosts_links() {
    let host = Host::with(NICS);
    let before = host.state();
    for line in [
        "ip link add link lab-a name hsr0 netns lab-n type hsr slave1 d0 slave2 d1",
        "ip link add link lab-a name lab-h type hsr slave1 eth0 slave2 eth1",
        "ip link add name lab-h type hsr slave1 eth0 slave2 eth1",
    ] {
        let output = keep(&host, line);
        assert_ne!(output.code, 0, "{line}: {}", output.stdout);
        for name in ["eth0", "eth1"] {
            let link = host.ip_json(&["-d", "link", "show", name]);
            assert_eq!(link[0]["promiscuity"], Value::from(0), "{line}: {link}");
        }
        assert_eq!(host.differences(&before), [""; 0], "{line}");
    }
}
