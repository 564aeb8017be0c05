//! C3: what is changed on a link that exists, and what needs a replacement.

use super::{ends, keep, link, run};
use netwright_tests::Session;

#[test]
fn c3_a_macvlan_changes_in_place() {
    run("macvlan-changed-in-place", &["mode=private"]);
    let session = Session::new();
    let lab = keep(&session, "c3", "macvlan-changed-in-place", &[]);
    let mac = link(&lab, Some("ns1"), "mac1");
    assert_eq!(mac["linkinfo"]["info_data"]["mode"], "bridge");
    assert_eq!((&mac["mtu"], &mac["address"]), (&1400.into(), &"02:00:00:00:00:22".into()));
    let route = lab.ip_json(Some("ns1"), ["-4", "route", "show", "default"]);
    assert_eq!(route[0]["gateway"], "192.168.57.9");
    assert_eq!(route.as_array().map(Vec::len), Some(1));
}

#[test]
fn c3_the_index_stays_and_a_failure_afterwards_puts_everything_back() {
    let session = Session::new();
    let script = |last: &str| {
        format!(
            "link add p0 type veth peer name p1\n\
             link add link p0 name mac1 type macvlan mode vepa\n\
             link show dev mac1\n\
             link set dev mac1 type macvlan mode bridge\n\
             link set dev mac1 mtu 1400 address 02:00:00:00:00:22\n\
             link show dev mac1\n{last}"
        )
    };
    let file = session.file("script.ip", script(""));
    let parameter = format!("script=@{}", file.display());
    let result =
        session.netwright(["run", "builtin:ip", "-p", &parameter, "--json"]).expect_code(0).json();
    let output = result["steps"][0]["output"].as_array().unwrap();
    let lines = output.iter().map(|line| line.as_str().unwrap());
    let indexes: Vec<_> = lines
        .filter(|line| line.contains("mac1"))
        .map(|line| line.split(':').next().unwrap().to_owned())
        .collect();
    assert!(indexes.len() == 2 && indexes[0] == indexes[1], "{result:#}");
    let file = session.file("script.ip", script("link add p0 type bridge\n"));
    let parameter = format!("script=@{}", file.display());
    let output = session.netwright(["run", "builtin:ip", "-p", &parameter, "-v"]).expect_code(5);
    let undone: Vec<_> =
        output.stdout.lines().filter(|line| line.trim_start().starts_with("- ")).collect();
    assert_eq!(undone.len(), 4, "{output:#?}");
}

#[test]
fn c3_becoming_passthru_is_refused_with_the_way_to_do_it() {
    for (from, to) in [("bridge", "passthru"), ("passthru", "vepa")] {
        let text = format!(
            "\
name: x
steps:
  - recipe: builtin:ip
    params:
      script: |
        link add p0 type veth peer name p1
        link add link p0 name mac1 type macvlan mode {from}
        link set dev mac1 type macvlan mode {to}
"
        );
        let said = ends(&text, 5);
        let refusal = format!("mode of macvlan `mac1` is {from} and can't become {to} in place");
        assert!(said.contains(&refusal), "{said}");
        let remedy = format!("delete `mac1` and make it anew with mode {to}");
        assert!(said.contains(&remedy), "{said}");
    }
}
