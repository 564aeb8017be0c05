//! What a run makes in a namespace of others' gives that namespace nothing but what was granted: no
//! router advertisement and no redirect is heeded on it, from its first moment on.

use std::fs;
use std::process::{Child, Command, Stdio};

use netwright_tests::Host;

const MACHINE: &str = "link add eth1 type veth peer name sw1
                       link set eth1 up
                       link set sw1 up";

/// New links would heed whatever they hear, on a host that forwards as well.
const HEEDFUL: &str = "cd /proc/sys/net
    for key in accept_ra:2 autoconf:1 accept_redirects:1; do
        echo ${key#*:} > ipv6/conf/default/${key%:*}
    done
    echo 1 > ipv4/conf/default/accept_redirects
    echo 1 > ipv4/conf/default/accept_source_route
    for link in eth1 sw1; do echo 0 > ipv6/conf/$link/accept_ra; done
    echo 1 > ipv6/conf/all/forwarding";

const GRANTS: [&str; 6] = [
    "host.link.read",
    "host.namespace name=lab-*",
    "host.link.create kind=veth,bridge,tap,tun,vxlan,macvtap name=lab-*",
    "host.link.create kind=macvlan name=lab-* parent=eth1",
    "host.link.create kind=veth,bridge name=lab-* mtu=1000-1500",
    "host.link.create kind=macvlan name=lab-* parent=eth1 mtu=1000-1500",
];

/// Tells all who hear it on a link that there is a router, until it is dropped.
struct Router(Child);

impl Router {
    fn on(host: &Host, link: &str) -> Self {
        Self::start(host, &[env!("CARGO_BIN_EXE_advertise"), link])
    }

    fn within(host: &Host, namespace: &str, link: &str) -> Self {
        let words = ["ip", "netns", "exec", namespace, env!("CARGO_BIN_EXE_advertise"), link];
        Self::start(host, &words)
    }

    fn start(host: &Host, words: &[&str]) -> Self {
        let mut inner = Command::new(words[0]);
        inner.args(&words[1..]);
        let mut command = host.command(&inner);
        Self(command.stderr(Stdio::null()).spawn().expect("nsenter is installed"))
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        // It may have ended by itself, which the test notices by its link.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn host() -> Host {
    let host = Host::with(MACHINE);
    host.run("sh", ["-ec", HEEDFUL]).expect_code(0);
    host
}

#[track_caller]
fn apply(host: &Host, steps: &str) {
    let file = host.session().path("deaf.yaml");
    let text = format!("name: deaf\ntarget: host\nsteps:\n{steps}");
    fs::write(&file, text).expect("the folder is the test's own");
    let file = file.display().to_string();
    let mut words = vec!["apply", file.as_str()];
    words.extend(GRANTS.iter().flat_map(|grant| ["--grant", grant]));
    host.netwright(words, &[]).expect_code(0);
}

/// Every setting of a link by which it would learn, and has: `lab-v ipv6/accept_ra 0`.
fn settings(host: &Host) -> Vec<String> {
    let script = "cd /proc/sys/net && for link in $(ls ipv4/conf | grep ^lab-); do
        for key in ipv6/accept_ra ipv6/autoconf ipv6/accept_redirects ipv4/accept_redirects \
                   ipv4/accept_source_route; do
            file=${key%/*}/conf/$link/${key#*/}
            if [ -e $file ]; then echo $link $key $(cat $file); fi
        done; done";
    let output = host.run("sh", ["-ec", script]).expect_code(0);
    output.stdout.lines().map(str::to_owned).collect()
}

#[track_caller]
fn nothing_was_learned(host: &Host, links: &[&str]) {
    let all = settings(host);
    let on: Vec<&String> = all.iter().filter(|line| !line.ends_with(" 0")).collect();
    assert_eq!(on, [""; 0]);
    for link in links {
        let of = format!("{link} ipv6/accept_ra 0");
        assert!(all.contains(&of), "{link}: {all:#?}");
    }
    let routes = host.run("ip", ["-6", "route", "show", "proto", "ra"]).expect_code(0);
    assert_eq!(routes.stdout, "");
    let addresses = host.run("ip", ["-6", "address", "show", "scope", "global"]).expect_code(0);
    assert_eq!(addresses.stdout, "");
}

const SCRIPT: &str = "  - recipe: builtin:ip
    params:
      script: |
        ip netns add lab-n
        ip link add lab-v up type veth peer name v0 netns lab-n
        ip -n lab-n link set v0 up
        ip link add v1 netns lab-n up type veth peer name lab-w
        ip link set lab-w up
        ip link add lab-b up type bridge
        ip tuntap add lab-t mode tap
        ip link set lab-t up
        ip tuntap add lab-u mode tun
        ip link set lab-u up
        ip link add lab-x up type vxlan id 7 dstport 4789 remote 192.0.2.7
        ip link add link eth1 name lab-m up type macvlan mode bridge
        ip -n lab-n link add lab-o type veth peer name v2
        ip -n lab-n link set v2 up
        ip -n lab-n link set lab-o netns 1
        ip link set lab-o up
        ip link add lab-s mtu 1000 up type veth peer name v3 netns lab-n
        ip -n lab-n link set v3 up
        ip link set lab-s down
        ip link set lab-s mtu 1500 up
        ip link set lab-w down
        ip link set lab-w name lab-r
        ip link set lab-r up
";

const BATCH: &str = "  - recipe: builtin:topology
    params:
      namespaces: [lab-k]
      links:
        - { name: lab-1, kind: veth, peer: lab-k/v1 }
        - { name: lab-2, kind: macvlan, mode: bridge, parent: eth1 }
        - { name: lab-3, kind: bridge, ports: [lab-4] }
        - { name: lab-4, kind: veth, peer: lab-k/v4 }
      existing: { links: [eth1] }
";

#[test]
fn what_a_run_makes_among_others_heeds_no_router() {
    let host = host();
    let before = host.state();
    let router = Router::on(&host, "sw1");
    apply(&host, SCRIPT);
    // What speaks on the other ends.
    let routers = ["v0", "v1", "v2", "v3"].map(|link| Router::within(&host, "lab-n", link));
    std::thread::sleep(std::time::Duration::from_secs(2));
    let links = ["lab-v", "lab-r", "lab-b", "lab-t", "lab-u", "lab-x", "lab-m", "lab-o", "lab-s"];
    nothing_was_learned(&host, &links);
    drop(routers);
    host.netwright(["destroy", "deaf"], &[]).expect_code(0);
    apply(&host, BATCH);
    nothing_was_learned(&host, &["lab-1", "lab-2", "lab-3", "lab-4"]);
    let ensure = BATCH.replace("      namespaces:", "      ensure: true\n      namespaces:");
    host.netwright(["destroy", "deaf"], &[]).expect_code(0);
    apply(&host, &ensure);
    nothing_was_learned(&host, &["lab-1", "lab-2", "lab-3", "lab-4"]);
    host.netwright(["destroy", "deaf"], &[]).expect_code(0);
    drop(router);
    assert_eq!(host.differences(&before), [""; 0]);
}

#[test]
fn a_link_that_is_up_is_not_given_ipv6() {
    let host = host();
    let script = "ip netns add lab-n
                  ip link add lab-v mtu 1000 up type veth peer name v0 netns lab-n
                  ip link set lab-v mtu 1500";
    let output = host.run_ip(script, &GRANTS).expect_code(5);
    assert!(output.stderr.contains("set `lab-v` down first"), "{}", output.stderr);
    // A bridge is as large as its ports: the last one that goes makes it large again.
    let ports = "  - recipe: builtin:ip
    params:
      script: |
        ip link add lab-b up type bridge
        ip link add lab-p mtu 1000 up type veth peer name lab-q
        ip link set lab-p master lab-b
        ip link set lab-p nomaster
";
    apply(&host, ports);
    nothing_was_learned(&host, &["lab-b"]);
}

#[test]
fn where_settings_can_not_be_written_no_link_is_made() {
    let host = host();
    let closed = "mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys";
    host.run("sh", ["-ec", closed]).expect_code(0);
    let before = host.state();
    for line in [
        "ip link add lab-b type bridge",
        "ip link add link eth1 name lab-m type macvlan mode bridge",
        "ip tuntap add lab-t mode tap",
    ] {
        let output = host.run_ip(line, &GRANTS).expect_code(8);
        assert!(output.stderr.contains("router advertisements"), "{line}: {}", output.stderr);
        assert!(output.stderr.contains("/proc/sys/net must be writable"), "{}", output.stderr);
    }
    assert_eq!(host.differences(&before), [""; 0]);
}

/// It hears whom it likes: the network of an uplink is what it was joined to.
#[test]
fn a_lab_heeds_its_routers() {
    let host = host();
    let router = Router::on(&host, "sw1");
    let script = "script=ip link add link eth1 name mac1 up type macvlan mode bridge";
    let grant = ["--grant", "uplink link=eth1 mode=macvlan"];
    let words = ["run", "builtin:ip", "--keep", "heeds", "-p", script];
    host.netwright(words.iter().chain(&grant), &[]).expect_code(0);
    let lab = ["exec", "heeds", "--", "cat", "/proc/sys/net/ipv6/conf/mac1/accept_ra"];
    let said = host.netwright(lab, &[]).expect_code(0);
    assert_eq!(said.stdout, "1\n");
    let route = ["exec", "heeds", "--", "ip", "-6", "route", "show", "default"];
    let patience = std::time::Instant::now()
        + netwright_tests::machine::patience(std::time::Duration::from_secs(30));
    while host.netwright(route, &[]).expect_code(0).stdout.is_empty() {
        assert!(std::time::Instant::now() < patience, "the lab never heard its router");
    }
    drop(router);
    host.netwright(["destroy", "heeds"], &[]).expect_code(0);
}
