//! Parameters are read typed, and all that is wrong with them is told at once.

use std::collections::BTreeMap;

use netwright_sdk::prelude::*;
use netwright_sdk::testing::MemoryHost;

#[derive(ParamValue, Debug, PartialEq)]
enum Shape {
    FullMesh,
    Star,
}

#[derive(Params, Debug)]
struct Everything {
    /// A "quoted" text
    script: String,
    #[param(default = "star")]
    shape: Shape,
    #[param(range = 1..=4094)]
    tag: u16,
    #[param(default = -5, range = -10..0)]
    nice: i32,
    ip_range: Option<Prefix>,
    #[param(name = "macs", default = "")]
    stations: Vec<MacAddress>,
    #[param(range = 1..=3)]
    levels: Option<Vec<u8>>,
    #[param(json)]
    links: Vec<BTreeMap<String, u8>>,
    #[param(json)]
    extra: Option<BTreeMap<String, String>>,
}

/// Reads "everything"
#[recipe(
    name = "everything",
    version = "1.2.3",
    capabilities("host.link.create kind=macvlan" = "its children"),
)]
fn everything(lab: &Lab, all: Everything) -> Result<()> {
    lab.print(format!("{all:?}"));
    Ok(())
}

fn faults(values: &[(&str, &str)]) -> Vec<String> {
    let host = MemoryHost::new();
    for (name, value) in values {
        host.set_param(*name, *value);
    }
    host.check(&RECIPE).iter().map(ToString::to_string).collect()
}

#[test]
fn all_values_are_read() {
    let values = Values::new([
        ("script", "a b"),
        ("tag", "7"),
        ("ip-range", "10.0.0.0/8"),
        ("macs", "02:00:00:00:00:01, 02:00:00:00:00:02"),
        ("levels", "[1,3]"),
        ("links", r#"[{"a":1}]"#),
    ]);
    let all = Everything::read(&values).expect("all are right");
    assert_eq!((all.script.as_str(), all.tag, all.nice), ("a b", 7, -5));
    assert_eq!((all.shape, all.stations.len()), (Shape::Star, 2));
    assert_eq!(all.ip_range.map(|range| range.to_string()).as_deref(), Some("10.0.0.0/8"));
    assert_eq!((all.levels, all.extra), (Some(vec![1, 3]), None));
    assert_eq!(all.links[0]["a"], 1);
}

#[test]
fn all_faults_are_told_at_once_each_with_its_place() {
    let told = faults(&[
        ("shape", "ring"),
        ("tag", "4095"),
        ("nice", "0"),
        ("ip-range", "10.0.0.0/99"),
        ("macs", r#"["02:00:00:00:00:01","02"]"#),
        ("levels", "1,4"),
        ("links", r#"[{"a":1},{"b/c":300}]"#),
        ("extra", "{"),
    ]);
    let expected = [
        "script: parameter `script` is missing\n  help: give it by `-p script=…` or under the step's `params`",
        "shape: `ring` is none of `full-mesh`, `star`",
        "tag: `4095` is not from 1 to 4094",
        "nice: `0` is not from -10 to -1",
        "ip-range: `10.0.0.0/99` is not an address with its prefix length; expected is one such as `192.168.56.122/24`",
        "macs/1: `02` is not a MAC address; expected is one such as `02:00:00:00:00:01`",
        "levels: `4` is not from 1 to 3",
        "links/1/b~1c: invalid value: integer `300`, expected u8",
        "extra:1:1: EOF while parsing an object",
    ];
    assert_eq!(told, expected);
}

#[test]
fn the_manifest_is_json_and_says_what_is_taken() {
    let manifest: serde_json::Value = serde_json::from_str(RECIPE.manifest).expect("JSON");
    let expected = serde_json::json!({
        "schema": 1, "name": "everything", "version": "1.2.3", "api": "0.2.0",
        "description": "Reads \"everything\"",
        "parameters": [
            {"name": "script", "type": "string", "description": "A \"quoted\" text", "required": true},
            {"name": "shape", "type": "string", "description": "", "required": false,
             "default": "star", "choices": ["full-mesh", "star"]},
            {"name": "tag", "type": "integer", "description": "", "required": true, "range": [1, 4094]},
            {"name": "nice", "type": "integer", "description": "", "required": false, "default": -5,
             "range": [-10, -1]},
            {"name": "ip-range", "type": "prefix", "description": "", "required": false},
            {"name": "macs", "type": "list of mac-address", "description": "", "required": false,
             "default": ""},
            {"name": "levels", "type": "list of integer", "description": "", "required": false,
             "range": [1, 3]},
            {"name": "links", "type": "json", "description": "", "required": true},
            {"name": "extra", "type": "json", "description": "", "required": false},
        ],
        "capabilities": [
            {"capability": "host.link.create kind=macvlan", "reason": "its children"},
        ],
    });
    assert_eq!(manifest, expected);
}

#[test]
fn a_run_with_wrong_parameters_is_an_invalid_error() {
    let host = MemoryHost::new();
    let error = RECIPE.run().expect_err("parameters are missing");
    assert!(matches!(error.cause(), netwright_sdk::wit::types::Error::Invalid(_)));
    assert!(host.prints().is_empty());
}
