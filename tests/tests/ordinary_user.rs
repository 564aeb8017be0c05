//! What a user without any rights can do: everything, but for opening a macvtap's frames.

use std::fs;

use netwright_tests::{Session, workspace};

const ANSWER: &str = "target/recipes/components/macvtap-answer.wasm";

#[test]
fn every_scenario_passes_as_an_ordinary_user() {
    let session = Session::as_ordinary_user();
    let mut run = 0;
    for entry in fs::read_dir(workspace().join("scenarios")).expect("the scenarios are here") {
        let name = entry.expect("a readable folder").file_name().into_string().expect("ASCII");
        if name.ends_with(".yaml") {
            let file = session.bring(&format!("scenarios/{name}"));
            let output = session.netwright(["run".as_ref(), file.as_os_str()]);
            assert_eq!(output.code, 0, "{name}: {output:#?}");
            run += 1;
        }
    }
    assert!(run >= 20, "{run} scenarios were found");
}

#[test]
fn a14_a_recipe_answers_arp_and_echo_itself_through_a_macvtap() {
    let session = Session::new();
    session.bring(ANSWER);
    let output = session.netwright(["run", "./macvtap-answer.wasm"]).expect_code(0);
    for line in [
        "  | ok the component answers echo requests (3 of 3)",
        "  | ok the neighbour receives the answers (3 of 3)",
    ] {
        assert!(output.stdout.lines().any(|seen| seen == line), "{output:#?}");
    }
}

#[test]
fn only_the_character_device_of_a_macvtap_is_refused_with_the_reason() {
    let session = Session::as_ordinary_user();
    session.bring(ANSWER);
    let output = session.netwright(["run", "./macvtap-answer.wasm"]).expect_code(8);
    assert_eq!(
        output.stderr,
        "error: recipe `macvtap-answer` failed: not supported here: the character device of `tap0` belongs to the machine's root\n  help: run netwright as root, or use a tap in place of the macvtap\n"
    );
    assert!(output.stdout.contains("lacking: 0 checks, 5 changes, 5 undone, "), "{output:#?}");
}
