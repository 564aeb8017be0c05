//! A folder of journals that fills up: what was made is taken back all the same.

use netwright_tests::Host;

use super::{GRANTS, MACHINE, SCRIPT, granted, scenario, until};

/// The folder of records, of a size of its own.
const FOLDER: &str = "/run/small";

fn small() -> Host {
    let host = Host::with(MACHINE);
    let make = format!("mkdir {FOLDER} && mount -t tmpfs -o size=2m,mode=700 none {FOLDER}");
    host.run("sh", ["-ec", &make]).expect_code(0);
    host
}

fn fill(host: &Host) {
    let fill = format!(
        "dd if=/dev/zero of={FOLDER}/full bs=4096 2>/dev/null || true; df --output=avail {FOLDER} | tail -n 1"
    );
    assert_eq!(host.run("sh", ["-ec", &fill]).expect_code(0).stdout.trim(), "0");
}

#[test]
fn what_nobody_confirms_is_taken_back_in_a_full_folder() {
    let host = small();
    let before = host.state();
    let file = scenario(&host, "dep", &SCRIPT);
    let words = granted(&["apply", &file, "--confirm-within", "5s"], &GRANTS);
    let folder = ("NETWRIGHT_RUNTIME_DIR", FOLDER);
    host.netwright(&words, &[folder]).expect_code(0);
    fill(&host);
    until("the watcher takes it back", || host.differences_now(&before).is_empty());
    let listed = || host.netwright(["ls"], &[folder]).expect_code(0).stdout;
    until("it is no deployment any more", || !listed().contains("dep"));
}

#[test]
fn what_a_killed_run_left_is_taken_back_in_a_full_folder() {
    let host = small();
    let before = host.state();
    let folder = ("NETWRIGHT_RUNTIME_DIR", FOLDER);
    let victim = [("NETWRIGHT_CRASH", "both"), ("NETWRIGHT_CRASH_AT", "22"), folder];
    let output = host.run_ip_with(&SCRIPT.join("\n"), &GRANTS, &victim);
    assert_eq!(output.code, 128 + 9, "{output:#?}");
    assert_ne!(host.state(), before, "nothing was left, so that nothing is tested");
    fill(&host);
    host.netwright(["gc"], &[folder]).expect_code(0);
    assert_eq!(host.differences(&before), [""; 0]);
}
