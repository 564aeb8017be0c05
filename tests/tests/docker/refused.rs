//! A18 and its kin: conflicts are refused with a sentence that names both things, and nothing made.

use crate::engine::Engine;

const GRANTS: [&str; 6] = [
    "host.namespace name=a*,b*",
    "host.link.create kind=macvlan name=eth0,child parent=enp0s5,missing",
    "host.address.add cidr=192.168.0.0/16 link=eth0",
    "host.route.default link=eth0 table=main",
    "host.link.read",
    "uplink.passthru link=enp0s5",
];

fn scenario(steps: &[&str]) -> String {
    let mut text = "name: conflict\nsteps:\n".to_owned();
    for (place, params) in steps.iter().enumerate() {
        text += &format!(
            "  - name: s{place}\n    recipe: builtin:macvlan-network\n    params: {{ {params} }}\n"
        );
    }
    text
}

#[test]
fn conflicts_name_both_sides_and_make_nothing() {
    let engine = Engine::start();
    engine.run("stopped", &["--network", "none"]);
    engine.docker(["stop", "-t", "0", "stopped"]).expect_code(0);
    let before = engine.host.state();
    let refuse = |text: &str, grants: &[&str], code: i32, words: &[&str]| {
        let file = engine.host.session().file("conflict.yaml", text);
        let file = file.display().to_string();
        let all = [&GRANTS[..], grants].concat();
        let output = engine.netwright(&[&file], &all).expect_code(code);
        for word in words {
            assert!(output.stderr.contains(word), "no `{word}` in: {}", output.stderr);
        }
        assert_eq!(engine.host.differences(&before), [""; 0], "{text}");
    };
    let first = "name: one, subnet: 192.168.2.0/24, parent: enp0s5, endpoints: [a1]";
    let second = "name: two, subnet: 192.168.3.0/24, parent: enp0s5, endpoints: [b1]";
    let words = ["`enp0s5` is already used by network `one`", "share-parent"];
    refuse(&scenario(&[first, second]), &[], 5, &words);

    let overlapping =
        "name: two, subnet: 192.168.0.0/16, share-parent: true, parent: enp0s5, endpoints: [b1]";
    let words = ["192.168.0.0/16 of network `two` overlaps 192.168.2.0/24 of network `one`"];
    refuse(&scenario(&[first, overlapping]), &[], 5, &words);

    let outside =
        "subnet: 192.168.2.0/24, parent: enp0s5, endpoints: [{ name: a1, ip: 192.168.9.9 }]";
    let words = ["192.168.9.9 is in no subnet", "192.168.2.0/24"];
    refuse(&scenario(&[outside]), &[], 2, &words);

    let full = "subnet: 192.168.2.0/24, ip-range: 192.168.2.0/30, gateway: 192.168.2.1, parent: enp0s5, \
                endpoints: [a1, a2, a3, a4]";
    let words = ["no address is left for endpoint `a4`", "192.168.2.0/30"];
    refuse(&scenario(&[full]), &[], 2, &words);

    let missing = "subnet: 192.168.2.0/24, parent: missing, endpoints: [a1]";
    refuse(&scenario(&[missing]), &[], 5, &["no link `missing`", "item 1 of `endpoints`"]);

    let container = "subnet: 192.168.2.0/24, parent: enp0s5, \
                     endpoints: [{ name: a1, namespace: 'docker:stopped' }]";
    let words = ["container `stopped` does not run"];
    refuse(&scenario(&[container]), &["host.namespace docker=stopped"], 2, &words);
    let words = ["Docker has no container `nobody`"];
    refuse(&scenario(&[container]), &["host.namespace docker=nobody"], 2, &words);
    refuse(&scenario(&[container]), &[], 5, &["docker:stopped"]);
}

#[test]
fn a_passthru_child_tolerates_no_network_beside_it() {
    let engine = Engine::start();
    let before = engine.host.state();
    let script = "script=ip link add link enp0s5 name child type macvlan mode passthru
ip link add link enp0s5 name eth0 type macvlan mode bridge";
    let output = engine.netwright(&["builtin:ip", "-p", script], &GRANTS).expect_code(5);
    let words = "parent `enp0s5` has the passthru child `child`";
    assert!(output.stderr.contains(words), "{}", output.stderr);
    assert_eq!(engine.host.differences(&before), [""; 0]);
}
