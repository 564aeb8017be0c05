//! The language, rule by rule.

use super::{Capability, Class, Facts, Grants, Key, Omitted, Request, Rule, Whose};

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// `message | help` of every fault, with the part of the line that it is about.
fn faults(line: &str) -> Vec<String> {
    let faults = Rule::grant(line, "--grant").expect_err("it is wrong");
    faults
        .into_iter()
        .map(|fault| {
            let help = fault.help.map(|help| format!(" | {help}")).unwrap_or_default();
            format!("{:?}: {}{help}", &line[fault.place], fault.message)
        })
        .collect()
}

fn given(rules: &[&str]) -> Grants {
    let rule = |line: &&str| Rule::grant(line, "--grant").expect("a grant");
    Grants::given(rules.iter().map(rule).collect(), Vec::new())
}

fn macvlan(name: &str, parent: &str) -> Request {
    let facts =
        Facts { kind: text("macvlan"), name: text(name), parent: text(parent), ..Facts::default() };
    Request::new(Capability::HostLinkCreate, facts)
}

fn address(cidr: &str, link: &str) -> Request {
    let facts = Facts { cidr: cidr.parse().ok(), link: text(link), ..Facts::default() };
    assert!(facts.cidr.is_some());
    Request::new(Capability::HostAddressAdd, facts)
}

#[test]
fn a_grant_is_shown_as_it_is_written() {
    for line in [
        "host.link.create kind=macvlan,vlan name=lab-* parent=eth1 vlan=100-200,300 mtu=1400-1500 max=8",
        "host.link.read",
        "host.link.read name=eth1,lab-*",
        "host.address.add cidr=192.168.56.0/24,2001:db8::/32 link=lab-*",
        "host.route.add cidr=10.0.0.0/8 table=100",
        "host.namespace docker=web",
        "host.namespace pid=4711",
        "uplink link=eth1 mode=macvlan,port",
        "artifacts path=/var/lib/lab",
        "exec program=/usr/bin/ping",
        "host.route.default link=eth1 table=254",
        "host.sysctl key=net.ipv4.conf.eth0/100.forwarding",
    ] {
        assert_eq!(Rule::grant(line, "--grant").map(|rule| rule.to_string()), Ok(line.to_owned()));
    }
}

#[test]
fn keys_come_back_in_one_order_and_names_of_tables_as_numbers() {
    let shown = |line| Rule::grant(line, "--grant").map(|rule| rule.to_string());
    assert_eq!(
        shown("host.link.create max=8 name=a kind=macvlan"),
        Ok("host.link.create kind=macvlan name=a max=8".to_owned())
    );
    assert_eq!(
        shown("host.route.default table=main link=eth1"),
        Ok("host.route.default link=eth1 table=254".to_owned())
    );
}

#[test]
fn unknown_names_are_errors_with_what_was_meant() {
    assert_eq!(
        faults("host.lnk.create kind=macvlan"),
        [
            "\"host.lnk.create\": unknown capability `host.lnk.create` | did you mean `host.link.create`?"
        ]
    );
    assert_eq!(
        faults("host.link.create knid=macvaln kind=macvaln name=a vlan=0 extra"),
        [
            "\"knid\": `host.link.create` has no key `knid` | did you mean `kind`?",
            "\"macvaln\": unknown kind `macvaln` | did you mean `macvlan`?",
            "\"0\": `0` is no vlan; a whole number from 1 to 4094 is expected",
            "\"extra\": `extra` is not KEY=VALUE",
        ]
    );
    assert_eq!(
        faults("uplink link=eth1 mode=bridge"),
        [
            "\"bridge\": unknown mode `bridge` | there are macvlan, macvtap, ipvlan, ipvtap, vlan, port"
        ]
    );
}

#[test]
fn what_is_left_out_or_empty_is_an_error() {
    assert_eq!(
        faults(""),
        ["\"\": a grant begins with a capability | such as: host.link.read name=eth1"]
    );
    assert_eq!(
        faults("host.link.create parent=eth1"),
        [
            "\"host.link.create\": `host.link.create` needs kind=… and name=… | what a grant leaves out is not granted"
        ]
    );
    assert_eq!(
        faults("host.namespace"),
        [
            "\"host.namespace\": `host.namespace` needs name=…, pid=… or docker=… | what a grant leaves out is not granted"
        ]
    );
    assert_eq!(
        faults("host.link.read name="),
        ["\"\": `name` has an empty value | write name=VALUE, or leave the key out"]
    );
    assert_eq!(
        faults("host.link.read name=a,,b"),
        ["\"\": `name` has an empty value | write name=VALUE, or leave the key out"]
    );
    assert_eq!(
        faults("host.link.read name=a name=b"),
        ["\"name\": `name` comes twice | several values stand in one: name=A,B"]
    );
}

#[test]
fn patterns_have_a_beginning_and_a_star_at_the_end() {
    assert_eq!(
        faults("host.link.read name=*"),
        ["\"*\": `*` alone names nothing | write how the names begin, as in lab-*"]
    );
    assert_eq!(
        faults("host.link.read name=a*b,*c,d**"),
        [
            "\"a*b\": `a*b` has `*` elsewhere than at its end",
            "\"*c\": `*c` has `*` elsewhere than at its end",
            "\"d**\": `d**` has `*` elsewhere than at its end",
        ]
    );
    assert_eq!(
        faults("uplink link=eth* mode=macvlan"),
        [
            "\"eth*\": `eth*` must be exact: no pattern here | write each name out, with commas between them"
        ]
    );
}

#[test]
fn special_rights_name_all_of_their_keys_and_exactly() {
    for capability in Capability::ALL {
        if capability.class() == Class::Special {
            assert!(capability.keys().iter().all(|(_, omitted)| *omitted == Omitted::Refused));
            assert_eq!(
                faults(capability.name())[0].rsplit(" | ").next(),
                Some("a special right names all of its keys")
            );
            for (key, _) in capability.keys() {
                let line = format!("{capability} {key}=a*");
                assert!(Rule::grant(&line, "--grant").is_err(), "{line}");
            }
        }
    }
}

#[test]
fn values_that_mislead_are_refused() {
    for line in [
        "host.link.read name=lab-../x",
        "host.link.read name=q%d",
        "host.link.read name=a/b",
        "host.link.read name=..",
        "host.link.read name=\u{1b}[2J",
        "host.link.read name=\u{202e}a",
        "host.link.read name=abcdefghijklmnop",
        "host.address.add link=a cidr=192.168.56.1/24",
        "host.address.add link=a cidr=0.0.0.0/0",
        "host.address.add link=a cidr=::/0",
        "host.address.add link=a cidr=192.168.56.1",
        "host.address.add link=a cidr=192.168.56.0/33",
        "host.link.create kind=vlan name=a vlan=200-100",
        "host.link.create kind=vlan name=a vlan=1-4095",
        "host.link.create kind=vlan name=a vlan=+5",
        "host.link.create kind=vlan name=a max=0",
        "host.link.create kind=vlan name=a max=1,2",
        "host.link.create kind=vlan name=a max=1-2",
        "exec program=ping",
        "exec program=/usr/../tmp/ping",
        "exec program=/usr//bin/ping",
        "exec program=/usr/bin/",
        "artifacts path=/",
        "host.sysctl key=kernel.hostname",
        "host.sysctl key=net.ipv4../x",
        "host.namespace pid=0",
        "host.namespace pid=-1",
    ] {
        assert!(Rule::grant(line, "--grant").is_err(), "{line:?} was taken");
    }
}

#[test]
fn near_misses_are_refused() {
    let grants = given(&[
        "host.link.create kind=macvlan parent=enp0s8 name=lab-* max=2",
        "host.address.add cidr=192.168.56.0/24 link=lab-*",
        "host.link.read name=enp0s8",
        "exec program=/usr/bin/ping",
    ]);
    let allowed = |request: &Request| grants.allows(request).is_ok();
    assert!(allowed(&macvlan("lab-a", "enp0s8")));
    for (name, parent) in [
        ("lab-a", "enp0s80"),
        ("lab-a", "enp0s"),
        ("lab-a", "ENP0S8"),
        ("lab-a", "lan"),
        ("lab-../x", "enp0s8"),
        ("lab-%d", "enp0s8"),
        ("lab-\n", "enp0s8"),
        ("lab", "enp0s8"),
        ("Lab-a", "enp0s8"),
        ("xlab-a", "enp0s8"),
        ("lab-abcdefghijkl", "enp0s8"),
    ] {
        assert!(!allowed(&macvlan(name, parent)), "{name:?} on {parent:?}");
    }
    let mut request = macvlan("lab-a", "enp0s8");
    request.facts.mtu = Some(9000);
    assert!(!allowed(&request), "an MTU that the grant doesn't name");
    request.facts.mtu = None;
    request.facts.vlan = Some(5);
    assert!(!allowed(&request), "a VLAN that the grant doesn't name");
    request.facts.vlan = None;
    request.facts.kind = text("macvtap");
    assert!(!allowed(&request), "another kind");
    request.facts.kind = None;
    assert!(!allowed(&request), "no kind at all");

    assert!(allowed(&address("192.168.56.122/24", "lab-a")));
    assert!(allowed(&address("192.168.56.122/32", "lab-a")));
    for cidr in ["192.168.56.122/23", "192.168.57.1/24", "192.168.57.1/32", "0.0.0.0/0"] {
        assert!(!allowed(&address(cidr, "lab-a")), "{cidr}");
    }
    assert!(!allowed(&address("::ffff:192.168.56.1/128", "lab-a")));
    assert!(!allowed(&address("192.168.56.122/24", "eth0")));

    let read = |name| {
        Request::new(Capability::HostLinkRead, Facts { name: text(name), ..Facts::default() })
    };
    assert!(allowed(&read("enp0s8")));
    assert!(!allowed(&read("enp0s80")));
    let program =
        |path| Request::new(Capability::Exec, Facts { program: text(path), ..Facts::default() });
    assert!(allowed(&program("/usr/bin/ping")));
    assert!(!allowed(&program("/tmp/ping")));
    assert!(!allowed(&program("/usr/bin/ping ")));
}

#[test]
fn settings_are_the_same_however_their_dots_are_written() {
    let grants = given(&["host.forwarding key=net.ipv4.conf.eth0/100.forwarding"]);
    let setting = |key| {
        let facts = Facts { key: text(key), ..Facts::default() };
        Request::new(Capability::of_sysctl(key), facts)
    };
    assert!(grants.allows(&setting("net/ipv4/conf/eth0.100/forwarding")).is_ok());
    assert!(grants.allows(&setting("net/ipv4/conf/eth0/100/forwarding")).is_err());
    assert_eq!(Capability::of_sysctl("net.ipv4.ip_forward"), Capability::HostForwarding);
    assert_eq!(Capability::of_sysctl("net.ipv4.ip_default_ttl"), Capability::HostSysctl);
}

#[test]
fn a_maximum_counts_uses_over_all_steps_of_a_run() {
    let operator = given(&["host.link.create kind=macvlan name=lab-* parent=eth1 max=3"]);
    let ask =
        || Grants::asked(Whose::Recipe, vec![Rule::ask("host.link.create", "").expect("an ask")]);
    let (first, second) = (operator.intersect(&ask()), operator.intersect(&ask()));
    assert!(first.permit(&macvlan("lab-a", "eth1")).is_ok());
    assert!(first.permit(&macvlan("lab-b", "eth9")).is_err(), "what is refused does not count");
    assert!(second.permit(&macvlan("lab-b", "eth1")).is_ok());
    assert!(second.allows(&macvlan("lab-c", "eth1")).is_ok(), "a look does not count");
    assert!(second.permit(&macvlan("lab-c", "eth1")).is_ok());
    let refusal = first.permit(&macvlan("lab-d", "eth1")).expect_err("the fourth");
    assert_eq!(
        refusal.to_string(),
        "`host.link.create kind=macvlan name=lab-* parent=eth1 max=3` of the operator has been used 3 times"
    );
}

#[test]
fn nobody_gets_what_nobody_asked_for() {
    let operator = given(&["host.link.create kind=macvlan name=lab-* parent=eth1"]);
    let granted = operator.intersect(&Grants::asked(Whose::Recipe, Vec::new()));
    let refusal = granted.permit(&macvlan("lab-a", "eth1")).expect_err("not asked for");
    assert_eq!(refusal.to_string(), "the recipe's manifest does not ask for it");
    assert_eq!(refusal.hint(), "no flag gives what a recipe's manifest does not ask for");
    assert!(Grants::default().permit(&macvlan("lab-a", "eth1")).is_err());
    // An ask among the operator's rules would be wider than it looks.
    let ask = Rule::ask("host.link.create", "").expect("an ask");
    assert!(Grants::given(vec![ask], Vec::new()).permit(&macvlan("a", "eth1")).is_err());
}

#[test]
fn names_of_one_value_are_one_setting() {
    let asked = |key: &str| {
        let facts = Facts { key: Some(key.to_owned()), ..Facts::default() };
        Request::new(Capability::HostForwarding, facts)
    };
    let grants = given(&["host.forwarding key=net.ipv4.ip_forward"]);
    assert!(grants.allows(&asked("net/ipv4/conf/all/forwarding")).is_ok());
    assert!(grants.allows(&asked("net.ipv4.conf.default.forwarding")).is_err());
    let allow = Rule::grant("host.forwarding key=net.ipv4.conf.all.forwarding", "--grant");
    let deny = Rule::deny("host.forwarding key=net.ipv4.ip_forward", "policy.yaml:3:5");
    let denied = Grants::given(vec![allow.expect("a grant")], vec![deny.expect("a deny")]);
    assert!(denied.allows(&asked("net.ipv4.conf.all.forwarding")).is_err());
}

#[test]
fn a_refusal_names_the_rule_and_the_least_grant() {
    let grants = given(&[
        "host.link.create kind=bridge name=lab-*",
        "host.link.create kind=macvlan parent=eth1 name=lab-*",
    ]);
    let refusal = grants.permit(&macvlan("lab-a", "eth10")).expect_err("another parent");
    assert_eq!(
        refusal.to_string(),
        "`host.link.create kind=macvlan name=lab-* parent=eth1` of the operator does not cover parent=eth10"
    );
    assert_eq!(refusal.hint(), "--grant 'host.link.create kind=macvlan name=lab-a parent=eth10'");
    let refusal = grants.permit(&macvlan("-rf", "e th")).expect_err("a name outside the grammar");
    assert_eq!(refusal.least, None);
    assert_eq!(refusal.hint(), "no grant can name it");
    let refusal = grants.permit(&address("10.1.2.3/16", "lab-a")).expect_err("nothing grants it");
    assert_eq!(refusal.to_string(), "nothing grants it");
    assert_eq!(refusal.hint(), "--grant 'host.address.add cidr=10.1.0.0/16 link=lab-a'");
}

#[test]
fn a_deny_wins_and_is_as_wide_as_it_is_short() {
    let allow = |line| Rule::grant(line, "--grant").expect("a grant");
    let deny = |line| Rule::deny(line, "/etc/netwright/policy.yaml:3:5").expect("a deny");
    let allowed = vec![
        allow("host.link.create kind=macvlan name=lab-* parent=eth0,eth1"),
        allow("host.address.add cidr=10.0.0.0/8 link=lab-*"),
    ];
    let grants = Grants::given(
        allowed.clone(),
        vec![deny("host.link.create parent=eth0*"), deny("host.address.add cidr=10.1.0.0/16")],
    );
    assert!(grants.allows(&macvlan("lab-a", "eth1")).is_ok());
    let refusal = grants.allows(&macvlan("lab-a", "eth0")).expect_err("denied");
    assert_eq!(refusal.to_string(), "`deny host.link.create parent=eth0*` forbids it");
    assert_eq!(
        refusal.hint(),
        "a `deny` wins over every grant; it is in /etc/netwright/policy.yaml:3:5"
    );
    assert!(grants.allows(&address("10.2.0.1/16", "lab-a")).is_ok());
    assert!(grants.allows(&address("10.1.9.1/24", "lab-a")).is_err(), "inside");
    assert!(grants.allows(&address("10.0.0.1/9", "lab-a")).is_err(), "around");
    let all = Grants::given(allowed, vec![deny("host.link.create")]);
    assert!(all.allows(&macvlan("lab-a", "eth1")).is_err());
    assert!(Rule::deny("host.link.create max=3", "").is_err());
}

#[test]
fn every_capability_reads_back_from_its_name() {
    for capability in Capability::ALL {
        assert_eq!(capability.name().parse(), Ok(capability));
        assert!(!capability.meaning().is_empty());
        assert!(capability.keys().iter().any(|(key, _)| *key != Key::Max));
    }
}

/// The table of docs/grants.md is the table of the code.
#[test]
fn the_documented_keys_are_those_that_there_are() {
    let document = include_str!("../../docs/grants.md");
    for capability in Capability::ALL {
        let start = format!("| `{capability}` |");
        let row = document.lines().find(|line| line.starts_with(&start)).expect("a row");
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let class = match capability.class() {
            Class::Attach => "attach",
            Class::Special => "special",
        };
        assert_eq!(cells[2], class, "{capability}");
        let (mut needed, mut others) = (Vec::new(), Vec::new());
        for (key, omitted) in capability.keys() {
            let list = if *omitted == Omitted::Refused { &mut needed } else { &mut others };
            list.push(format!("`{key}`"));
        }
        if capability == Capability::HostNamespace {
            assert_eq!(cells[3], format!("one of {}", others.join(" ")));
            continue;
        }
        assert_eq!(cells[3], needed.join(" "), "{capability}");
        let written = cells[4].split(';').next().unwrap_or_default();
        assert_eq!(written, others.join(" "), "{capability}");
    }
}

#[test]
fn what_was_used_is_the_least_policy() {
    let uses = super::Uses::default();
    assert_eq!(uses.policy(), "allow: []\n");
    let operator = given(&[
        "host.link.create kind=macvlan name=lab-* parent=eth1",
        "host.link.read",
        "host.address.add cidr=10.0.0.0/8 link=lab-*",
    ]);
    let asked = ["host.link.create", "host.link.read", "host.address.add"];
    let asked = asked.map(|line| Rule::ask(line, "").expect("an ask")).to_vec();
    let granted = operator.noted_in(uses.clone()).intersect(&Grants::asked(Whose::Recipe, asked));
    assert!(granted.permit(&macvlan("lab-b", "eth1")).is_ok());
    assert!(granted.permit(&macvlan("lab-a", "eth1")).is_ok());
    assert!(granted.permit(&macvlan("lab-a", "eth1")).is_ok());
    assert!(granted.permit(&macvlan("lab-c", "eth0")).is_err());
    assert!(granted.permit(&address("10.1.2.3/16", "lab-a")).is_ok());
    for name in ["eth1", "eth0"] {
        let facts = Facts { name: text(name), ..Facts::default() };
        assert!(granted.allows(&Request::new(Capability::HostLinkRead, facts)).is_ok());
    }
    assert_eq!(
        uses.policy(),
        "allow:
  - host.link.read name=eth0,eth1
  - host.link.create kind=macvlan name=lab-a parent=eth1 max=2
  - host.link.create kind=macvlan name=lab-b parent=eth1 max=1
  - host.address.add cidr=10.1.0.0/16 link=lab-a
# refused in this run:
#  - host.link.create kind=macvlan name=lab-c parent=eth0
"
    );
}

#[test]
fn more_grants_do_not_start_the_count_anew() {
    let operator = given(&["host.link.create kind=macvlan name=lab-* parent=eth1 max=1"]);
    let read = Rule::grant("host.link.read", "").expect("a grant");
    let wider = operator.with(vec![read]);
    assert!(wider.permit(&macvlan("lab-a", "eth1")).is_ok());
    assert!(operator.permit(&macvlan("lab-a", "eth1")).is_err(), "it was given once");
    assert!(wider.allows(&Request::new(Capability::HostLinkRead, Facts::default())).is_ok());
}

#[test]
fn a_grant_for_children_without_a_parent_covers_nothing() {
    let covers = |text: &str| Rule::grant(text, "").expect("a grant").covers_something();
    for kind in ["macvlan", "macvtap", "ipvlan", "ipvtap", "vlan", "macvlan,vlan"] {
        assert!(!covers(&format!("host.link.create kind={kind} name=a")), "{kind}");
    }
    assert!(!covers("host.link.create kind=vlan name=a parent=eth1"));
    assert!(covers("host.link.create kind=vlan name=a parent=eth1 vlan=1-9"));
    assert!(covers("host.link.create kind=macvlan name=a parent=eth1"));
    assert!(covers("host.link.create kind=macvlan,bridge name=a"));
    assert!(covers("host.link.read"));
}

#[test]
fn a_hint_is_pasted_into_a_shell_and_gives_just_what_was_asked_for() {
    let programs = [
        "/bin/true';touch$IFS/run/x;'",
        "/bin/$(id)",
        "/bin/`id`\"|&",
        "/bin/é\u{202e}!x",
        "/bin/\\;#~",
        "/bin/\u{feff}\u{e000}",
    ];
    for program in programs {
        let request = || {
            let facts = Facts { program: text(program), ..Facts::default() };
            Request::new(Capability::Exec, facts)
        };
        let refusal = Grants::given(Vec::new(), Vec::new())
            .allows(&request())
            .expect_err("nothing is granted");
        let hint = refusal.hint();
        let words = shell(&hint);
        assert_eq!(words[0], "--grant", "{hint}");
        assert_eq!(words.len(), 2, "{hint}");
        let granted = Grants::given(vec![Rule::grant(&words[1], "").expect("a grant")], Vec::new());
        assert_eq!(granted.allows(&request()), Ok(()), "{hint}");
    }
    // Into a list of YAML.
    let facts = Facts { program: text("/bin/a\\': #\"x"), ..Facts::default() };
    let none = Grants::given(Vec::new(), Vec::new());
    let refusal = none.allows(&Request::new(Capability::Exec, facts));
    assert_eq!(refusal.expect_err("as above").hint(), "no grant can name it");
}

/// The words that sh(1) makes of it.
fn shell(line: &str) -> Vec<String> {
    let script = format!("printf '%s\\0' {line}");
    let output = std::process::Command::new("sh").arg("-c").arg(script).output().expect("sh(1)");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.trim_end_matches('\0').split('\0').map(str::to_owned).collect()
}

#[test]
fn every_kind_of_link_can_be_granted() {
    for kind in netwright_network::kind::names() {
        let line = format!("host.link.create kind={kind} name=a");
        assert!(Rule::grant(&line, "--grant").is_ok(), "{line}");
    }
}
