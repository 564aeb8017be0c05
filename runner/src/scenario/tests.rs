//! What the parser accepts, and that everything else is refused with its place.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use super::*;
use crate::document;

const GOOD: &str = "\
name: lab
description: two children
target: lab
params: { mode: bridge, count: 3, script: 'ip link', flags: [a, b] }
steps:
  - name: lan
    recipe: builtin:ip
    params:
      script: |
        ip link add mac1 type macvlan mode ${mode}
        echo $${HOME} ${count}
      count: ${count}
      flags: ${flags}
      quoted: \"a\\tb ${mode} c\"
    grants: ['uplink link=eth1,eth2 mode=macvlan']
checks:
  - link: { namespace: ns1, name: mac1, kind: macvlan, mode: '${mode}', up: true }
  - ping: { from: ns1, to: 192.168.56.9, expect: unreachable, within: 1m30s, count: '${count}' }
limits: { time: 500ms, memory: 64MiB, namespaces: 4 }
";

fn good(overrides: &[Override]) -> Scenario {
    Scenario::parse(GOOD, "good.yaml", overrides).unwrap_or_else(|faults| panic!("{faults}"))
}

/// `line:column message | help`, one a line.
fn faults_of(text: &str, overrides: &[Override]) -> String {
    let Err(faults) = Scenario::parse(text, "x.yaml", overrides) else {
        return "accepted".to_owned();
    };
    let line = |(place, fault): (Location, &Fault)| {
        let help = fault.help.as_ref().map_or(String::new(), |help| format!(" | {help}"));
        format!("{}:{} {}{help}", place.line, place.column, fault.message)
    };
    faults.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn parameters_are_put_in_and_keep_their_type() {
    let params = good(&[]).steps[0].params();
    let expected = [
        ("script", "ip link add mac1 type macvlan mode bridge\necho ${HOME} 3\n"),
        ("count", "3"),
        ("flags", "[\"a\",\"b\"]"),
        ("quoted", "a\tb bridge c"),
    ];
    let expected: Vec<_> =
        expected.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    assert_eq!(params, expected);
}

#[test]
fn the_command_line_overrides_defaults_in_their_type() {
    let overrides =
        [Override::new("mode", "vepa"), Override::new("count", "7"), Override::new("flags", "[c]")];
    let params = good(&overrides).steps[0].params();
    assert_eq!(params[0].1, "ip link add mac1 type macvlan mode vepa\necho ${HOME} 7\n");
    assert_eq!(params[1].1, "7");
    assert_eq!(params[2].1, "[\"c\"]");
}

#[test]
fn checks_read_as_they_are_reported() {
    let shown: Vec<_> = good(&[]).checks.iter().map(|placed| placed.check.to_string()).collect();
    assert_eq!(
        shown,
        [
            "link mac1 in ns1 is a macvlan, is in mode bridge, is up",
            "ping 192.168.56.9 from ns1 is not answered within 90s",
        ]
    );
}

#[test]
fn a_fault_in_a_script_is_shown_where_the_script_stands() {
    let scenario = good(&[]);
    let place = |line, column| {
        let fault =
            RecipeFault { parameter: "script".to_owned(), line, column, ..RecipeFault::default() };
        scenario.locate(0, &fault).to_string()
    };
    assert_eq!(place(1, 1), "good.yaml:10:9");
    assert_eq!(place(1, 18), "good.yaml:10:26");
    // The word came from the default of `mode`.
    assert_eq!(place(1, 36), "good.yaml:4:17");
    assert_eq!(place(1, 37), "good.yaml:4:18");
    assert_eq!(place(2, 6), "good.yaml:11:15");
    assert_eq!(place(2, 14), "good.yaml:4:32");
}

#[test]
fn a_fault_behind_an_escape_is_shown_behind_it() {
    let fault = RecipeFault {
        parameter: "quoted".to_owned(),
        line: 1,
        column: 3,
        ..RecipeFault::default()
    };
    assert_eq!(good(&[]).locate(0, &fault).to_string(), "good.yaml:14:19");
}

#[test]
fn a_fault_in_what_a_flag_gave_is_shown_in_the_flag() {
    let text = GOOD.replace("'${mode}'", "bridge");
    let scenario = Scenario::parse(&text, "x", &[Override::new("mode", "brigde")]).unwrap();
    let fault = RecipeFault {
        parameter: "script".to_owned(),
        line: 1,
        column: 36,
        message: "unknown mode `brigde`".to_owned(),
        help: Some("did you mean `bridge`?".to_owned()),
        ..RecipeFault::default()
    };
    let expected = "\
error: unknown mode `brigde`
 --> command line:1:9
  |
1 | -p mode=brigde
  |         ^^^^^^
  |
  = help: did you mean `bridge`?";
    assert_eq!(scenario.recipe_faults(0, &[fault]).to_string(), expected);
}

#[test]
fn a_pointer_leads_to_the_value_or_to_the_nearest_on_the_way() {
    let text = "\
name: x
steps:
  - recipe: builtin:topology
    params:
      links:
        - { name: p0, kind: veth, peer: p1 }
        - name: eth0
          kind: macvlan
          mode: brigde
";
    let scenario = Scenario::parse(text, "t.yaml", &[]).unwrap();
    let place = |parameter: &str, pointer: &str| {
        let fault = RecipeFault {
            parameter: parameter.to_owned(),
            pointer: pointer.to_owned(),
            ..RecipeFault::default()
        };
        scenario.locate(0, &fault).to_string()
    };
    assert_eq!(place("links", "/0/peer"), "t.yaml:6:41");
    assert_eq!(place("links", "/1/mode"), "t.yaml:9:17");
    assert_eq!(place("links", "/1/parent"), "t.yaml:7:11");
    assert_eq!(place("links", ""), "t.yaml:6:9");
    assert_eq!(place("routes", "/0"), "t.yaml:3:13");
}

#[test]
fn json_is_read_as_well() {
    let text = r#"{"name": "x", "steps": [{"recipe": "builtin:ip", "params": {"script": "ip netns add a\nip x"}}]}"#;
    let scenario = Scenario::parse(text, "x.json", &[]).unwrap();
    assert_eq!(scenario.steps[0].params()[0].1, "ip netns add a\nip x");
    let fault = RecipeFault {
        parameter: "script".to_owned(),
        line: 2,
        column: 4,
        ..RecipeFault::default()
    };
    assert_eq!(scenario.locate(0, &fault).to_string(), "x.json:1:91");
}

#[test]
fn all_faults_of_a_file_are_reported_at_once_in_its_order() {
    let text = "\
nmae: x
target: labb
steps:
  - recipe: builtin:topologi
    parms: {}
  - recipe: builtin:ip
    params: { script: 'mode ${moed}' }
checks:
  - pnig: { to: 10.0.0.1 }
  - ping: { to: 10.0.0.256, count: 0 }
limits: { time: 30 }
params: { mode: x }
";
    let expected = "\
1:1 unknown key `nmae` of a scenario | did you mean `name`?
2:9 `labb` is none of `lab`, `host` | did you mean `lab`?
4:13 unknown built-in recipe `topologi` | did you mean `topology`?
5:5 unknown key `parms` of a step | did you mean `params`?
7:29 unknown parameter `moed` | did you mean `mode`?
9:5 unknown check `pnig` | did you mean `ping`?
10:17 `10.0.0.256` is not an IPv4 or IPv6 address
10:36 0 is out of range; 1 to 1000 is possible
11:17 text is expected, this is a number | put it in quotes";
    assert_eq!(faults_of(text, &[]), expected);
}

#[test]
fn anchors_aliases_tags_and_double_keys_are_refused() {
    let text = "\
name: &n x
description: *n
name: y
steps: !list
  - { recipe: builtin:ip, recipe: builtin:ip }
";
    let expected = "\
1:7 anchors are not allowed | write the value out where it is needed, or use a parameter: `${name}`
2:14 aliases are not allowed | write the value out, or use a parameter: `${name}`
3:1 key `name` comes twice; first in line 1
4:8 tags are not allowed | leave it out; a value's type follows from how it is written
5:27 key `recipe` comes twice; first in line 5";
    assert_eq!(faults_of(text, &[]), expected);
}

#[test]
fn a_file_is_shown_with_its_line_and_what_helps() {
    let text = "name: x\nsteps:\n  - recipe: builtin:ipp # three\n";
    let faults = Scenario::parse(text, "dir/x.yaml", &[]).unwrap_err();
    let expected = "\
error: unknown built-in recipe `ipp`
 --> dir/x.yaml:3:13
  |
3 |   - recipe: builtin:ipp # three
  |             ^^^^^^^^^^^
  |
  = help: did you mean `ip`?";
    assert_eq!(faults.to_string(), expected);
}

#[test]
fn what_is_too_big_or_too_deep_is_refused() {
    let long = format!("name: {}", "x".repeat(1 << 20));
    assert_eq!(faults_of(&long, &[]), "1:1 `x.yaml` has 1048582 bytes; 1048576 are possible");
    let deep = format!("name: {}", "[".repeat(1000));
    assert_eq!(faults_of(&deep, &[]), "1:39 not YAML: lists and maps are nested too deep");
    let many = format!("name: [{}]", "a,".repeat(250_000));
    assert_eq!(faults_of(&many, &[]), "1:1 more than 200000 values in one file");
}

#[test]
fn command_line_parameters_are_checked() {
    let overrides = [Override::new("mod", "x"), Override::new("count", "many")];
    let expected = "\
1:4 unknown parameter `mod` | did you mean `mode`?
1:10 parameter `count` is a number, as its default is; this is text";
    let faults = faults_of(GOOD, &overrides);
    assert_eq!(faults, expected);
}

#[test]
fn a_parameter_without_a_default_must_be_given() {
    let text = "name: x\nparams: { who: }\nsteps: [{ recipe: builtin:ip, params: { script: '${who}' } }]\n";
    assert_eq!(
        faults_of(text, &[]),
        "2:11 parameter `who` has no value | give it one: -p who=VALUE"
    );
    let given = Scenario::parse(text, "x.yaml", &[Override::new("who", "me")]).unwrap();
    assert_eq!(given.steps[0].params()[0].1, "me");
}

#[test]
fn a_recipe_alone_takes_data_and_text_from_the_command_line() {
    let overrides =
        [Override::new("links", "[{ name: br0, kind: bridge }]"), Override::new("script", "a: b")];
    let scenario = Scenario::of_recipe("builtin:topology", &overrides).unwrap();
    assert_eq!(scenario.steps[0].params()[0].1, r#"[{"kind":"bridge","name":"br0"}]"#);
    assert_eq!(scenario.steps[0].params()[1].1, "a: b");
    let fault = RecipeFault {
        parameter: "links".to_owned(),
        pointer: "/0/kind".to_owned(),
        ..RecipeFault::default()
    };
    assert_eq!(scenario.locate(0, &fault).to_string(), "command line:1:30");
}

/// `NETWRIGHT_WRITE_SCHEMA=1 cargo test -p netwright schema` writes it anew.
#[test]
fn the_published_schema_is_that_of_the_types() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/scenario.schema.json");
    let made = serde_json::to_string_pretty(&schema::schema()).unwrap() + "\n";
    if std::env::var_os("NETWRIGHT_WRITE_SCHEMA").is_some() {
        std::fs::write(path, &made).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap_or_default();
    assert_eq!(published, made, "set NETWRIGHT_WRITE_SCHEMA=1 to write {path} anew");
}

#[test]
fn defaults_of_limits_are_the_same_in_the_page_the_schema_and_every_run() {
    let page = include_str!("../../../docs/scenarios.md");
    let schema = schema::schema();
    let keys = schema.pointer("/$defs/LimitsFile/properties").unwrap().as_object().unwrap();
    let mut all = Vec::new();
    for (key, default) in Limits::defaults() {
        let (begin, end) = (format!("| `{key}` | "), format!(" | {default} |"));
        let row = |line: &&str| line.starts_with(&begin) && line.ends_with(&end);
        assert_eq!(page.lines().filter(row).count(), 1, "docs/scenarios.md lacks {key}: {default}");
        let told = &keys[key]["anyOf"][0]["type"];
        let told = if told.is_null() { &keys[key]["type"] } else { told };
        let quote = if told == "string" { "\"" } else { "" };
        assert_eq!(keys[key]["default"].to_string(), format!("{quote}{default}{quote}"));
        all.push(format!("{key}: {default}"));
    }
    assert_eq!(all.len(), keys.len(), "a limit has no default");
    let written = format!(
        "name: x\nsteps: [{{ recipe: builtin:ip, params: {{ script: link }} }}]\nlimits: {{ {} }}\n",
        all.join(", ")
    );
    let written = Scenario::parse(&written, "x.yaml", &[]).unwrap();
    assert_eq!(written.limits, Limits::default());
    assert_eq!(Scenario::of_recipe("builtin:ip", &[]).unwrap().limits, Limits::default());
}

#[test]
fn what_the_parser_accepts_or_refuses_the_schema_does_too() {
    let validator = jsonschema::validator_for(schema::schema().as_value()).unwrap();
    let as_json = |text: &str| document::yaml(text, 0, &mut Vec::new()).unwrap().to_json();
    let good = as_json(GOOD);
    let errors: Vec<_> = validator.iter_errors(&good).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new());
    for (right, wrong) in [
        ("name: lab", "nmae: lab"),
        ("target: lab", "target: labb"),
        ("up: true", "up: 1"),
        ("kind: macvlan", "knd: macvlan"),
        ("- ping:", "- pnig:"),
        ("time: 500ms", "time: 500"),
        ("recipe: builtin:ip", "recipee: builtin:ip"),
    ] {
        let text = GOOD.replacen(right, wrong, 1);
        assert_ne!(faults_of(&text, &[]), "accepted", "{wrong}");
        assert!(!validator.is_valid(&as_json(&text)), "{wrong}");
    }
}

#[test]
fn the_schema_takes_every_scenario_that_is_shipped() {
    let validator = jsonschema::validator_for(schema::schema().as_value()).unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let value = document::yaml(&text, 0, &mut Vec::new()).unwrap().to_json();
        let errors: Vec<_> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{}", path.display());
        count += 1;
    }
    assert!(count > 20, "{count}");
}

#[test]
fn no_character_of_a_file_steers_the_terminal() {
    let text = "name: x\nsteps: []\n\u{9b}2J\u{61c}\u{200b}\u{2028}é: \u{9b}1m\n";
    let faults = Scenario::parse(text, "x.yaml", &[]).unwrap_err().to_string();
    assert!(faults.contains("���"), "{faults}");
    let steers = |character: &char| *character != '\n' && !crate::text::is_harmless(*character);
    assert_eq!(faults.chars().find(steers), None, "{faults}");
    // The mark stays below what it means.
    let text = "name: x\nsteps: [é, \u{9b}, é]\n";
    let faults = Scenario::parse(text, "x.yaml", &[]).unwrap_err().to_string();
    assert!(faults.contains("\n2 | steps: [é, �, é]\n  |            ^\n"), "{faults}");
}

/// Of a line that no terminal shows, what is around each fault; places are those of the whole line.
#[test]
fn of_a_long_line_a_fault_shows_its_surroundings() {
    let keys: String = (0..3000).map(|number| format!("k{number}: 1, ")).collect();
    let text = format!("name: s\nparams: {{ {keys}k2999: 1 }}\nsteps: []\n");
    let faults = Scenario::parse(&text, "long.yaml", &[]).expect_err("a key comes twice");
    let shown = faults.to_string();
    let column = text.lines().nth(1).and_then(|line| line.rfind("k2999")).expect("it is there") + 1;
    assert!(shown.contains(&format!("long.yaml:2:{column}\n")), "{shown}");
    assert!(shown.contains("key `k2999` comes twice; first in line 2"), "{shown}");
    assert!(shown.contains("2 | …"), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() < 200), "{shown}");
    let first = faults.iter().next().map(|(place, _)| (place.line, place.column));
    assert_eq!(first, Some((2, column)));
}

#[test]
fn every_kind_of_link_can_be_checked() {
    for kind in netwright_network::kind::names() {
        let text = format!(
            "name: x\nsteps: [{{ recipe: builtin:ip, params: {{ script: link }} }}]\nchecks: [{{ link: {{ name: a, kind: {kind} }} }}]\n"
        );
        assert_eq!(faults_of(&text, &[]), "accepted", "{kind}");
    }
}
