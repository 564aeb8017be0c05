//! Recipes are made, built and given manifests by the program itself, and looked at as a stranger's
//! before they are written.

use std::path::Path;
use std::process::Command;

use netwright_tests::component::{StringEncoding, from_text_in, module_from_text};
use netwright_tests::{Output, Session, workspace};

/// One that does nothing, as text of WebAssembly.
const IDLE: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
    (func (export "netwright:host/guest@0.2.0#check") (result i32) (i32.const 0))
    (func (export "netwright:host/guest@0.2.0#run") (result i32) (i32.const 0)))"#;

const MANIFEST: &str = r#"{ "name": "idle", "version": "1.2.3", "api": "0.2.0",
    "parameters": [{ "name": "mtu", "type": "integer", "range": [68, 9000], "required": true }] }"#;

/// With cargo's own folders, and with everything that is built in one place of the workspace, so that
/// the standard library is compiled once.
fn at_home(command: &mut Command) -> &mut Command {
    let home = std::env::var_os("HOME").expect("whoever runs tests has a home");
    command.env("HOME", home).env("CARGO_TARGET_DIR", workspace().join("target/new-recipe"))
}

fn words(session: &Session, words: &[&str]) -> Output {
    let mut command = session.command(words);
    at_home(&mut command).output().expect("the program is there").into()
}

#[test]
fn a_new_recipe_passes_its_tests_is_built_and_runs() {
    let session = Session::new();
    let folder = session.path("two-stations");
    let made = words(&session, &["recipe", "new", "two-stations"]).expect_code(0);
    assert!(made.stdout.starts_with("two-stations: a recipe in src/lib.rs"), "{made:#?}");
    // The versions that the SDK is tested with.
    let lock = "Cargo.lock";
    std::fs::copy(workspace().join(lock), folder.join(lock)).expect("it can be copied");

    let mut tests = Command::new(std::env::var_os("CARGO").expect("cargo runs the tests"));
    let tests = at_home(tests.arg("test").current_dir(&folder)).output().expect("cargo starts");
    let tests = Output::from(tests).expect_code(0);
    assert!(tests.stdout.contains("2 passed"), "{tests:#?}");

    let built = words(&session, &["recipe", "build", "two-stations"]).expect_code(0);
    let first = "two-stations/two-stations.wasm: two-stations 0.1.0, ";
    assert!(built.stdout.starts_with(first), "{built:#?}");
    session.netwright(["run", "two-stations/scenario.yaml"]).expect_code(0);
    let refused = session.netwright(["run", "two-stations/scenario.yaml", "-p", "mtu=100"]);
    assert!(refused.expect_code(2).stderr.contains("1280"), "the manifest has the range");

    // What is there stays.
    let again = words(&session, &["recipe", "new", "two-stations"]).expect_code(2);
    assert!(again.stderr.contains("can't make `two-stations`: File exists"), "{again:#?}");
    assert!(folder.join("two-stations.wasm").is_file());
}

#[test]
fn the_sdk_that_the_program_carries_is_the_workspaces_own() {
    let session = Session::new();
    let told = session.netwright(["recipe", "sdk", "sdk"]).expect_code(0).stdout;
    assert!(told.ends_with("netwright-sdk = { path = \"sdk/guest-sdk\" }\n"), "{told}");
    let members =
        ["guest-sdk/src", "guest-sdk/wit", "guest-sdk/macros", "grants/src", "frames/src"];
    for member in members.into_iter().chain(["network/src"]) {
        let (ours, copy) = (workspace().join(member), session.path("sdk").join(member));
        let compared = Command::new("diff").arg("-r").args([ours, copy]).output();
        let differences = Output::from(compared.expect("diff is installed")).expect_code(0);
        assert_eq!(differences.stdout, "", "{member}");
    }
    let manifest = std::fs::read_to_string(session.path("sdk/Cargo.toml")).expect("it is written");
    assert!(!manifest.contains("wasmtime ="), "what the SDK doesn't need is left out: {manifest}");
    // What is there stays.
    let again = session.netwright(["recipe", "sdk", "sdk"]).expect_code(2);
    assert_eq!(again.stderr, "error: can't make `sdk`: File exists (os error 17)\n");

    // Another one is named instead of copied, by where it is from anywhere.
    session.netwright(["recipe", "new", "mine", "--sdk", "sdk/guest-sdk"]).expect_code(0);
    let manifest = std::fs::read_to_string(session.path("mine/Cargo.toml")).expect("it is written");
    let place = session.path("sdk/guest-sdk").canonicalize().expect("it is there");
    assert!(manifest.contains(&format!("netwright-sdk = {{ path = {place:?} }}")), "{manifest}");
    assert!(!session.path("mine/sdk").exists());
    let none = session.netwright(["recipe", "new", "other", "--sdk", "mine"]).expect_code(2);
    assert!(none.stderr.contains("does not name `netwright-sdk`"), "{none:#?}");
}

/// Cargo, what it compiles and runs, and whatever they have started.
#[test]
fn a_build_that_is_terminated_leaves_nothing_running() {
    const TERMINATED: i32 = 128 + 15;
    let session = Session::new();
    session.folder("slow");
    session.folder("slow/src");
    session.file("slow/src/lib.rs", "");
    let manifest = "[package]\nname = \"slow\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
                    [lib]\ncrate-type = [\"cdylib\"]\n[workspace]\n";
    session.file("slow/Cargo.toml", manifest);
    let told = session.path("told");
    let script = format!(
        "fn main() {{ std::fs::write({told:?}, std::process::id().to_string() + \".\").unwrap(); \
         std::thread::sleep(std::time::Duration::from_secs(6000)) }}"
    );
    session.file("slow/build.rs", script);
    let mut command = session.command(["recipe", "build", "slow"]);
    let mut build = at_home(&mut command).spawn().expect("the program is there");
    let number = || {
        let text = std::fs::read_to_string(&told).unwrap_or_default();
        text.strip_suffix('.').and_then(|number| number.parse::<u32>().ok())
    };
    let waits = || number().map_or(vec!["no build script yet".to_owned()], |_| Vec::new());
    assert_eq!(netwright_tests::machine::until_empty(waits), [""; 0]);
    let number = number().expect("it is told");
    let sent = Command::new("kill").args(["-TERM", &build.id().to_string()]).status();
    assert!(sent.expect("kill(1) is there").success());
    let status = build.wait().expect("it is ours");
    assert_eq!(status.code(), Some(TERMINATED));
    // What nobody waits for may be listed for a moment.
    let runs = || {
        let state = std::fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
        let over = state.is_empty() || state.contains(") Z ");
        if over { Vec::new() } else { vec![state] }
    };
    assert_eq!(netwright_tests::machine::until_empty(runs), [""; 0]);
}

#[test]
fn what_another_language_made_gets_its_manifest() {
    let session = Session::new();
    session.file("manifest.json", MANIFEST);
    let component = from_text_in(IDLE, StringEncoding::UTF8);
    let module = module_from_text(IDLE, StringEncoding::UTF8);
    for (name, bytes) in [("component.wasm", component), ("module.wasm", module)] {
        session.file(name, bytes);
        let build = ["recipe", "build", name, "--manifest", "manifest.json", "-o", "idle.wasm"];
        let built = session.netwright(build).expect_code(0);
        assert!(built.stdout.starts_with("idle.wasm: idle 1.2.3, "), "{built:#?}");
        let seen = session.netwright(["recipe", "inspect", "idle.wasm", "--json"]);
        let manifest = &seen.expect_code(0).json()["manifest"];
        assert_eq!(manifest["name"], "idle");
        assert_eq!(manifest["parameters"][0]["range"], serde_json::json!([68, 9000]));
        session.netwright(["run", "idle.wasm", "-p", "mtu=1500"]).expect_code(0);
        session.netwright(["run", "idle.wasm", "-p", "mtu=9001"]).expect_code(2);
    }
    let twice = ["recipe", "build", "idle.wasm", "--manifest", "manifest.json", "-o", "two.wasm"];
    let twice = session.netwright(twice).expect_code(2);
    assert!(twice.stderr.contains("has two manifests"), "{twice:#?}");
    assert!(!session.path("two.wasm").exists());
}

#[test]
fn what_is_no_recipe_is_not_written() {
    let session = Session::new();
    session.file("manifest.json", MANIFEST);
    session.file("broken.json", MANIFEST.replace("1.2.3", "one"));
    session.file("text.wasm", "no WebAssembly");
    session.file("empty.wasm", wat::parse_str("(component)").expect("it is text"));
    session.file("idle.wasm", from_text_in(IDLE, StringEncoding::UTF8));
    session.folder("folder");
    for (what, manifest, says) in [
        ("text.wasm", "manifest.json", "is not valid WebAssembly"),
        ("empty.wasm", "manifest.json", "`empty.wasm` exports no recipe"),
        ("idle.wasm", "broken.json", "manifest `broken.json` is broken: version `one`"),
        ("idle.wasm", "none.json", "can't read manifest `none.json`"),
        ("none.wasm", "manifest.json", "can't read `none.wasm`"),
        ("folder", "manifest.json", "`folder` is no crate: it has no Cargo.toml"),
    ] {
        let build = ["recipe", "build", what, "--manifest", manifest, "-o", "out.wasm"];
        let refused = session.netwright(build).expect_code(2);
        assert!(refused.stderr.contains(says), "{what}: {refused:#?}");
        assert!(!session.path("out.wasm").exists(), "{what}");
    }
    for name in ["Big", "with_line", "1st"] {
        let refused = session.netwright(["recipe", "new", name]).expect_code(2);
        assert!(refused.stderr.contains("can't be the name"), "{name}: {refused:#?}");
    }
    let no_sdk = session.netwright(["recipe", "new", "mine", "--sdk", "folder"]).expect_code(2);
    assert!(no_sdk.stderr.contains("`folder` holds no SDK"), "{no_sdk:#?}");
    assert!(!Path::new(&session.path("mine")).exists());
}
