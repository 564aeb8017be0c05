//! `recipe inspect`, and what a recipe says of itself: shown, checked, and never trusted.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use netwright_tests::{Host, Output, Session, component, netwright, workspace};

/// A component's custom section: its name and bytes, WebAssembly core specification 5.5.3.
fn section(name: &str, data: &[u8]) -> Vec<u8> {
    let size = u32::try_from(1 + name.len() + data.len()).unwrap();
    let mut bytes = vec![0];
    bytes.extend(leb(size));
    bytes.push(u8::try_from(name.len()).unwrap());
    bytes.extend(name.as_bytes());
    bytes.extend(data);
    bytes
}

/// An unsigned LEB128 number.
fn leb(mut number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

/// The smallest component, with these manifests.
fn component(manifests: &[&[u8]]) -> Vec<u8> {
    let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
    for manifest in manifests {
        bytes.extend(section("netwright:manifest", manifest));
    }
    bytes
}

fn inspect(manifests: &[&[u8]]) -> Output {
    let session = Session::new();
    session.file("x.wasm", component(manifests));
    session.netwright(["recipe", "inspect", "x.wasm"])
}

#[test]
fn a_recipe_is_shown_without_being_run() {
    let output = netwright(["recipe", "inspect", "builtin:macvlan-network"]).expect_code(0);
    let lines: Vec<&str> = output.stdout.lines().collect();
    assert_eq!(lines[0], "macvlan-network 0.1.0");
    assert!(lines.contains(&"host API     0.2.0"), "{}", output.stdout);
    assert!(lines.contains(&"  mode: string (bridge, vepa, private, passthru) = \"bridge\" - how the endpoints see each other"), "{}", output.stdout);
    assert!(
        lines.contains(&"  mtu: integer (68 to 65535) - of every endpoint"),
        "{}",
        output.stdout
    );
    assert!(
        lines.contains(
            &"  host.link.create kind=macvlan: an endpoint is a macvlan link on the parent"
        ),
        "{}",
        output.stdout
    );
    assert!(!output.stdout.contains("does not fit together"), "{}", output.stdout);
}

#[test]
fn the_digest_is_that_of_the_file() {
    let session = Session::new();
    let file = session.bring("target/recipes/components/macvlan-lan.wasm");
    let output = session.netwright([
        "recipe".as_ref(),
        "inspect".as_ref(),
        file.as_os_str(),
        "--json".as_ref(),
    ]);
    let shown = output.expect_code(0).json();
    let sum = std::process::Command::new("sha256sum").arg(&file).output().unwrap();
    let sum = String::from_utf8(sum.stdout).unwrap();
    let sum = sum.split_whitespace().next().unwrap();
    assert_eq!(shown["digest"], format!("sha256:{sum}"));
    assert_eq!(shown["bytes"], std::fs::metadata(&file).unwrap().len());
    assert_eq!(shown["manifest"]["name"], "macvlan-lan");
}

#[test]
fn what_is_asked_and_what_is_imported_are_compared() {
    let manifest = br#"{"name":"x","version":"1.0.0","api":"0.2.0","capabilities":[{"capability":"host.route.default","reason":"because"}]}"#;
    let output = inspect(&[manifest]).expect_code(0);
    let expected = "does not fit together\n  asks for `host.route.default`, but imports none of routes, rules, batch\n";
    assert!(output.stdout.ends_with(expected), "{}", output.stdout);
    // The bomb has no manifest and imports much.
    let session = Session::new();
    session.bring("target/recipes/components/bomb.wasm");
    let output = session.netwright(["recipe", "inspect", "bomb.wasm", "--json"]).expect_code(0);
    let mismatches = output.json()["mismatches"].to_string();
    let expected = "imports `links`, but asks for nothing that it needs on the host target";
    assert!(mismatches.contains(expected), "{mismatches}");
}

#[test]
fn broken_and_hostile_manifests_are_refused_with_a_sentence() {
    let good = br#"{"name":"x","version":"1.0.0","api":"0.2.0"}"#;
    inspect(&[good]).expect_code(0);
    let refused = |manifests: &[&[u8]], rule: &str| {
        let output = inspect(manifests).expect_code(2);
        assert_eq!(output.stderr, format!("error: {rule}\n"));
        assert!(output.stdout.is_empty());
    };
    refused(&[good, good], "recipe `x.wasm` has two manifests");
    let broken = "the manifest of recipe `x.wasm` is broken: ";
    refused(&[b"\xff\xfe"], &format!("{broken}it is not UTF-8 text: byte 1"));
    refused(&[&[b' '; 65_537]], &format!("{broken}it has 65537 bytes; 65536 are allowed"));
    refused(
        &[b"{\"name\":\"\\u001b]0;root\\u0007\",\"version\":\"1.0.0\",\"api\":\"0.2.0\"}"],
        &format!(
            "{broken}name `\\u{{1b}}]0;root\\u{{7}}` is not a letter and up to 62 letters, digits, `.`, `_` and `-`"
        ),
    );
    refused(
        &[br#"{"name":"x","version":"1.0.0","api":"0.2.0","capabilities":[{"capability":"root"}]}"#],
        "the manifest of recipe `x.wasm` asks for what there isn't: `root`: unknown capability `root`",
    );
}

#[test]
fn a_recipe_for_another_host_api_is_refused_with_both_versions() {
    for version in ["0.1.0", "1.0.0", "0.2.1"] {
        let manifest = format!(r#"{{"name":"x","version":"1.0.0","api":"{version}"}}"#);
        let output = inspect(&[manifest.as_bytes()]).expect_code(2);
        let expected = format!(
            "error: recipe `x.wasm` is made for host API {version}; this program has 0.2.0\n"
        );
        assert!(output.stderr.starts_with(&expected), "{output:?}");
    }
}

/// A recipe of a contract that is no more: whole, but for the version that its imports and exports
/// name.
#[test]
fn a_recipe_compiled_for_0_1_0_is_refused_and_makes_nothing() {
    let mut recipe = component::recipe("", "(i32.const 0)");
    let version = b"@0.2.0";
    let places: Vec<usize> =
        (0..recipe.len()).filter(|at| recipe[*at..].starts_with(version)).collect();
    assert!(!places.is_empty());
    for at in places {
        recipe[at..at + version.len()].copy_from_slice(b"@0.1.0");
    }
    let host = Host::with("link add eth1 type veth peer name sw1");
    let before = host.state();
    let file = host.session().file("old.wasm", recipe).display().to_string();
    let says =
        format!("error: recipe `{file}` is made for host API 0.1.0; this program has 0.2.0\n");
    let remedy = "help: build the recipe with the SDK of 0.2.0, or run it with the netwright that it was made for\n";
    let commands: [&[&str]; 4] =
        [&["run"], &["plan"], &["run", "--target", "host"], &["recipe", "inspect"]];
    for command in commands {
        let output = host.netwright(command.iter().chain([&file.as_str()]), &[]).expect_code(2);
        assert!(output.stderr.starts_with(&says), "{output:?}");
        assert!(output.stderr.ends_with(remedy) && output.stdout.is_empty(), "{output:?}");
    }
    assert_eq!(host.differences(&before), [""; 0]);
}

#[test]
fn parameters_are_checked_against_the_manifest_all_at_once() {
    let session = Session::new();
    session.bring("target/recipes/components/macvlan-lan.wasm");
    let scenario = "name: x\nsteps:\n  - recipe: ./macvlan-lan.wasm\n    params: { mode: brigde, hairpin: maybe, colour: red }\n";
    session.file("x.yaml", scenario);
    let output = session.netwright(["run", "x.yaml"]).expect_code(2);
    let faults: Vec<&str> =
        output.stderr.lines().filter(|line| line.starts_with("error")).collect();
    assert_eq!(
        faults,
        [
            "error: unknown mode `brigde`",
            "error: `maybe` is neither `true` nor `false`",
            "error: recipe `macvlan-lan` has no parameter `colour`",
        ]
    );
    let arguments = ["run", "builtin:macvlan-network", "-p", "mtu=20", "-p", "metric=-1"];
    let output = session.netwright(arguments).expect_code(2);
    let faults: Vec<&str> =
        output.stderr.lines().filter(|line| line.starts_with("error")).collect();
    assert_eq!(
        faults,
        [
            "error: parameter `endpoints` is missing",
            "error: parameter `parent` is missing",
            "error: parameter `subnet` is missing",
            "error: `20` is not from 68 to 65535",
            "error: `-1` is not from 0 to 4294967295",
        ]
    );
}

#[test]
fn every_recipe_of_ours_asks_for_what_it_imports() {
    for name in ["ip", "topology", "macvlan-network"] {
        let shown = netwright(["recipe", "inspect", &format!("builtin:{name}"), "--json"]);
        let shown = shown.expect_code(0).json();
        assert_eq!(shown["mismatches"], serde_json::json!([]), "{name}");
    }
    assert!(workspace().join("target/recipes/components/bomb.wasm").is_file());
}
