//! A byte of a journal was altered: nothing of what it tells is lost in silence, and nothing is taken
//! back that nobody asked for.

use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use netwright_tests::Host;

use super::{MACHINE, SCRIPT, deploy, journal};

/// Bytes that are tried for real; all of them are in the model.
const TRIED: usize = 24;

fn flip(file: &Path, at: u64, mask: u8) {
    let file = File::options().read(true).write(true).open(file).expect("it is there");
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).expect("it is that long");
    file.write_all_at(&[byte[0] ^ mask], at).expect("it is that long");
}

/// What the deployment has made and altered.
fn is_there(host: &Host) -> [bool; 4] {
    let mtu = host.ip_json(&["link", "show", "eth0"])[0]["mtu"] == 1400;
    let link = host.run("ip", ["link", "show", "lab-a"]).code == 0;
    let rule = host.ip_json(&["rule"]).to_string().contains("10.1.0.0");
    let namespace = host.run("ip", ["netns", "exec", "lab-n", "true"]).code == 0;
    [mtu, link, rule, namespace]
}

#[test]
fn a_byte_that_was_altered_loses_nothing() {
    let host = Host::with(MACHINE);
    deploy(&host, "dep", &SCRIPT);
    host.settle();
    let file = journal(&host);
    let whole = fs::read(&file).expect("it is there");
    let length = whole.iter().rposition(|byte| *byte != 0).expect("it is not empty") + 1;
    let deployed = host.state();
    // A byte of the space behind it as well.
    let places =
        (0..TRIED).map(|number| number * length / TRIED).chain([length - 1, length, length + 99]);
    for (number, at) in places.enumerate() {
        let mask = [0x20, 0x01, 0x80, 0xff][number % 4];
        flip(&file, at as u64, mask);
        let output = host.netwright(["gc"], &[]).expect_code(6);
        assert!(output.stdout.contains("its journal is damaged at byte"), "{at}: {output:#?}");
        assert!(output.stdout.contains("netwright gc --forget"), "{at}: {output:#?}");
        assert_eq!(host.differences(&deployed), [""; 0], "{at}");
        flip(&file, at as u64, mask);
        assert_eq!(fs::read(&file).expect("it stays"), whole, "{at}");
    }
    host.netwright(["gc"], &[]).expect_code(0);
}

#[test]
fn what_can_be_read_is_taken_back_for_who_asks() {
    for part in 0..8 {
        let host = Host::with(MACHINE);
        deploy(&host, "dep", &SCRIPT);
        let file = journal(&host);
        let whole = fs::read(&file).expect("it is there");
        let length = whole.iter().rposition(|byte| *byte != 0).expect("it is not empty") + 1;
        let at = part * length / 8 + 11;
        flip(&file, at as u64, 0x20);
        let damaged = fs::read(&file).expect("it is there");
        let run = file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let run = run.unwrap_or_default();
        let output = host.netwright(["destroy", &run], &[]).expect_code(6);
        assert!(output.stderr.contains("its journal is damaged at byte"), "{at}: {output:#?}");
        assert_eq!(fs::read(&file).expect("it stays"), damaged, "{at}");
        let [mtu, link, _, namespace] = is_there(&host);
        // The head says where all of it is. What carries the mark is found whatever else is lost, and
        // of the rest at most what one record told is left.
        match part {
            0 => assert!(mtu && link && namespace, "{at}: {output:#?}"),
            _ => assert!(!link && !namespace, "{at}: {output:#?}"),
        }
        host.netwright(["gc", "--forget", &run], &[]).expect_code(0);
        assert!(host.journals().is_empty());
    }
}
