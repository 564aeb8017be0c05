//! `doctor`: what the machine can and can't do, each with one remedy, and in agreement with what ip(8)
//! can do here.

use std::process::Command;

use netwright_tests::Session;
use serde_json::Value;

/// What it finds, as lines and as JSON.
fn examined(session: &Session) -> (String, Vec<Value>) {
    let text = session.netwright(["doctor"]).expect_code(0).stdout;
    let json = session.netwright(["doctor", "--json"]).expect_code(0).json();
    (text, json["findings"].as_array().expect("a list").clone())
}

#[test]
fn each_line_is_a_finding_or_the_one_remedy_of_what_is_missing() {
    for session in [Session::new(), Session::as_ordinary_user()] {
        let (text, findings) = examined(&session);
        let mut lines = text.lines();
        for finding in &findings {
            let line = lines.next().expect("a line for each");
            let about = finding["about"].as_str().expect("text");
            let sign = if finding["ok"] == true { "ok " } else { "no " };
            assert!(line.starts_with(&format!("{sign} {about}")), "{line}");
            assert_eq!(finding["ok"] == true, finding.get("remedy").is_none(), "{finding:#}");
            if let Some(remedy) = finding.get("remedy") {
                let remedy = remedy.as_str().expect("text");
                assert_eq!(lines.next(), Some(format!("      help: {remedy}").as_str()), "{text}");
            }
        }
        assert_eq!(lines.next(), None, "{text}");
        assert!(findings.len() > 20, "{text}");
    }
}

#[test]
fn a_kind_of_link_is_there_where_ip_can_make_one() {
    let (_, findings) = examined(&Session::new());
    for kind in ["dummy", "ifb", "vrf", "bridge", "vlan", "wireguard"] {
        let about = format!("links of kind {kind}");
        let found = findings.iter().find(|finding| finding["about"] == *about);
        let ok = &found.unwrap_or_else(|| panic!("nothing about {kind}"))["ok"];
        let make = match kind {
            "vrf" => "ip link add x type vrf table 7".to_owned(),
            "vlan" => "ip link add p type bridge && ip link add link p x type vlan id 7".to_owned(),
            _ => format!("ip link add x type {kind}"),
        };
        let made = Command::new("unshare").args(["--net", "sh", "-c", &make]).output();
        let made = made.expect("unshare is installed: cargo xtask setup").status.success();
        assert_eq!(*ok, Value::Bool(made), "{kind}");
    }
}
