//! A16: what Docker makes and what `builtin:macvlan-network` makes are the same, and one network.

use crate::engine::Engine;
use serde_json::{Value, json};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// What the recipe needs on this host, for containers c9 and a namespace of its own.
const GRANTS: [&str; 8] = [
    "host.namespace docker=c9",
    "host.namespace name=n*",
    "host.link.create kind=macvlan name=eth0 parent=enp0s5",
    "host.address.add cidr=192.168.2.0/24 link=eth0",
    "host.route.default link=eth0 table=main",
    "host.route.add cidr=192.168.2.0/24 link=eth0",
    "host.link.read name=eth0",
    "host.link.read name=enp0s5",
];

const SCENARIO: &str = "
name: beside-docker
steps:
  - name: macnet
    recipe: builtin:macvlan-network
    params:
      name: macnet
      subnet: 192.168.2.0/24
      gateway: 192.168.2.1
      parent: enp0s5
      mode: bridge
      endpoints:
        - { name: c9, namespace: 'docker:c9', ip: 192.168.2.222 }
        - { name: n4, ip: 192.168.2.223 }
checks:
  - ping: { from: 'docker:c9', to: 192.168.2.220 }
  - ping: { from: n4, to: 192.168.2.220 }
  - ping: { from: n4, to: 192.168.2.222 }
";

/// A check that never holds keeps the run waiting.
const AND_WAIT: &str = "  - address: { namespace: n4, link: eth0, is: 10.0.0.1/8, within: 50s }\n";

/// Without what differs between any two links: numbers, and the mark.
fn comparable(mut link: Value, mac: &str) -> Value {
    let entries = link.as_object_mut().expect("a link");
    for name in ["ifindex", "link_index", "group", "ifalias", "addr_info", "link_netnsid"] {
        entries.remove(name);
    }
    assert_eq!(entries.remove("address"), Some(json!(mac)));
    link
}

fn addresses(link: &Value) -> Vec<Value> {
    let wanted = ["family", "prefixlen", "scope", "label"];
    let all = link["addr_info"].as_array().expect("a list of addresses");
    let four = all.iter().filter(|address| address["family"] == "inet");
    four.map(|address| wanted.iter().map(|key| address[*key].clone()).collect()).collect()
}

fn routes(routes: &Value) -> Vec<(Value, Value, Value, Value)> {
    let all = routes.as_array().expect("a list of routes");
    let one = |route: &Value| {
        let field = |name: &str| route[name].clone();
        (field("dst"), field("gateway"), field("dev"), field("scope"))
    };
    all.iter().map(one).collect()
}

#[test]
fn a_container_and_an_endpoint_of_netwright_are_alike_and_reach_each_other() {
    let engine = Engine::start();
    engine.macvlan_network("macnet");
    engine.run("c1", &["--net", "macnet", "--ip", "192.168.2.220"]);
    engine.run("c9", &["--network", "none"]);
    let before = engine.host.state();

    // It passes, and leaves nothing, in the container neither.
    let file = engine.host.session().file("pass.yaml", SCENARIO);
    let file = file.display().to_string();
    engine.netwright(&[&file], &GRANTS).expect_code(0);
    assert_eq!(engine.ip("c9", &["link", "show", "type", "macvlan"]), json!([]));
    assert_eq!(engine.host.differences(&before), [""; 0]);

    // While it runs, its endpoint is compared with Docker's.
    let file = engine.host.session().file("wait.yaml", format!("{SCENARIO}{AND_WAIT}"));
    let file = file.display().to_string();
    let mut child = engine.netwright_command(&[&file], &GRANTS).spawn().expect("nsenter");
    let start = Instant::now();
    while !engine.pings("c1", "192.168.2.222") {
        assert!(
            start.elapsed() < netwright_tests::machine::patience(Duration::from_secs(40)),
            "no answer from netwright's endpoint"
        );
        thread::sleep(Duration::from_millis(100));
    }
    assert!(engine.pings("c1", "192.168.2.223"));
    assert!(engine.pings("c9", "192.168.2.220"));
    let theirs = engine.ip("c1", &["address", "show", "dev", "eth0"])[0].take();
    let ours = engine.ip("c9", &["address", "show", "dev", "eth0"])[0].take();
    assert_eq!(addresses(&theirs), addresses(&ours));
    let parent = engine.host.ip_json(&["link", "show", "dev", "enp0s5"])[0]["ifindex"].clone();
    assert_eq!((&theirs["link_index"], &ours["link_index"]), (&parent, &parent));
    let ours = comparable(ours, "02:42:c0:a8:02:de");
    assert_eq!(comparable(theirs, "02:42:c0:a8:02:dc"), ours);
    assert_eq!(ours["linkinfo"]["info_kind"], "macvlan");
    assert_eq!(ours["linkinfo"]["info_data"]["mode"], "bridge");
    let list = ["route", "show"];
    assert_eq!(routes(&engine.ip("c1", &list)), routes(&engine.ip("c9", &list)));
    interrupt(&engine, "wait.yaml");
    child.wait().expect("it was started");
    assert_eq!(engine.ip("c9", &["link", "show", "type", "macvlan"]), json!([]));
    assert_eq!(engine.host.differences(&before), [""; 0]);
}

/// Ends the run of a file, from inside its processes: nsenter hands no signal on.
fn interrupt(engine: &Engine, file: &str) {
    let script = format!(
        "for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline 2>/dev/null | \
                          grep -q 'netwrigh[t] run.*{file}' && kill -INT ${{p#/proc/}}; done; true"
    );
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]);
    let status = engine.host.command(&shell).status().expect("nsenter is installed");
    assert!(status.success());
}

#[test]
fn a_process_is_as_good_as_its_container() {
    let engine = Engine::start();
    engine.run("c9", &["--network", "none"]);
    let process = engine.process("c9");
    let script = format!(
        "script=ip link add link enp0s5 name eth0 netns pid:{process} type macvlan mode bridge
ip -n pid:{process} address add 192.168.2.222/24 dev eth0
ip -n pid:{process} link set eth0 up
ip netns exec pid:{process} ping -c 1 192.168.2.1"
    );
    let pid = format!("host.namespace pid={process}");
    let grants = [&[pid.as_str()], &GRANTS[2..]].concat();
    // The switch's own address is behind the parent's peer, so that a child reaches it.
    engine.netwright(&["builtin:ip", "-p", &script], &grants).expect_code(0);
    engine.netwright(&["builtin:ip", "-p", &script], &GRANTS[2..]).expect_code(5);
    assert_eq!(engine.ip("c9", &["link", "show", "type", "macvlan"]), json!([]));
}
