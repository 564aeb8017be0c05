//! What a user without any rights can do: everything, but for opening a macvtap's frames.

use std::ffi::OsString;

use netwright_tests::{Session, scenarios_of_this_kernel, workspace};

const ANSWER: &str = "target/recipes/components/macvtap-answer.wasm";
/// The one scenario that opens the character device of a macvtap.
const NEEDS_ROOT: &str = "macvtap-answer.yaml";

#[test]
fn every_scenario_passes_as_an_ordinary_user() {
    let session = Session::as_ordinary_user();
    // Two scenarios name them by their path from the scenario's folder.
    for recipe in [ANSWER, "target/recipes/components/macvlan-lan.wasm"] {
        session.bring_in_place(recipe);
    }
    let mut run = 0;
    for path in scenarios_of_this_kernel() {
        let name = path.file_name().and_then(|name| name.to_str()).expect("ASCII");
        let file = session.bring_in_place(&format!("scenarios/{name}"));
        let output = session.netwright(["run".as_ref(), file.as_os_str()]);
        let expected = if name == NEEDS_ROOT { 8 } else { 0 };
        assert_eq!(output.code, expected, "{name}: {output:#?}");
        run += 1;
    }
    assert!(run >= 20, "{run} scenarios were found");
}

#[test]
fn a14_a_recipe_answers_arp_and_echo_itself_through_a_macvtap() {
    let session = Session::new();
    let output = session.netwright([OsString::from("run"), scenario()]).expect_code(0);
    for line in [
        "  | ok the component answers echo requests (3 of 3)",
        "  | ok the neighbour receives the answers (3 of 3)",
    ] {
        assert!(output.stdout.lines().any(|seen| seen == line), "{output:#?}");
    }
}

/// Frames of 9,000 bytes come whole, and headers of virtual machines stand before them where they
/// were asked for: nothing is shifted by their 10 bytes.
#[test]
fn a15_long_frames_pass_a_macvtap_whole_with_and_without_virtual_headers() {
    for (mtu, size) in [("1500", "1472"), ("9000", "8972")] {
        for header in ["false", "true"] {
            let parameters =
                [format!("mtu={mtu}"), format!("size={size}"), format!("vnet-header={header}")];
            let mut arguments = vec![OsString::from("run"), scenario()];
            for parameter in parameters {
                arguments.extend(["-p".into(), parameter.into()]);
            }
            let output = Session::new().netwright(arguments).expect_code(0);
            assert!(output.stdout.contains("ok the neighbour receives the answers (3 of 3)"));
        }
    }
}

fn scenario() -> OsString {
    workspace().join("scenarios").join(NEEDS_ROOT).into_os_string()
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
