//! Addresses of others' that are put again: as before afterwards, or refused before anything is touched.

use netwright_tests::Host;

const MACHINE: &str = "link add eth1 type veth peer name wire1
                       link set wire1 up
                       link set eth1 addrgenmode none
                       link set eth1 up
                       address add 198.51.100.2/24 dev eth1
                       address add 10.7.0.1 peer 10.7.0.2/24 dev eth1
                       address add fd00:1::1/64 dev eth1 nodad
                       address add fd00:3::1 peer fd00:3::2/64 dev eth1 nodad metric 77
                       address add fd00:4::1/64 dev eth1 nodad noprefixroute";

const GRANTS: [&str; 3] = [
    "host.link.read",
    "host.link.modify name=eth1",
    "host.address.add cidr=fd00::/16,198.51.100.0/24,10.0.0.0/8 link=eth1",
];

/// Of one address, the kernel alters what it has by another name for it.
const REFUSED: [&str; 14] = [
    "replace fd00:1::1 peer fd00:1::9/64",
    "replace fd00:1::1/128",
    "replace fd00:1::1/48 metric 5",
    "replace fd00:1::1/128 valid_lft 100 preferred_lft 100",
    "change fd00:1::1/96",
    "replace fd00:1::1/64 metric 9",
    "change fd00:1::1/64 metric 256",
    "replace fd00:3::1/64",
    "replace fd00:3::1 peer fd00:3::5/64",
    "change fd00:3::1/128 metric 5",
    "replace fd00:4::1 peer fd00:4::9/128",
    "replace 10.7.0.1/24 metric 5",
    "replace 10.7.0.1 peer 10.7.0.3/24 metric 5",
    "change 10.7.0.1/24",
];

/// What the kernel alters of these can be put back.
const ALLOWED: [&str; 9] = [
    "replace fd00:1::1/64 valid_lft 1000 preferred_lft 100",
    "replace fd00:1::1/64",
    "change fd00:3::1 peer fd00:3::2/64 metric 5",
    "replace 198.51.100.2/24 metric 5",
    "replace 198.51.100.2/25",
    "replace 10.7.0.1 peer 10.7.0.2/24 metric 9",
    "replace fd00:3::2/64",
    "add fd00:1::5/64 metric 5",
    "add fd00:4::5/64 metric 5",
];

#[test]
fn what_the_kernel_would_alter_for_good_is_refused() {
    let host = Host::with(MACHINE);
    let before = host.state();
    for line in REFUSED {
        let output = host.run_ip(&format!("ip address {line} dev eth1"), &GRANTS).expect_code(5);
        let words = ["`eth1` has ", "help: remove it first"];
        for word in words {
            assert!(output.stderr.contains(word), "{line}: {}", output.stderr);
        }
        assert_eq!(host.differences(&before), [""; 0], "{line}");
    }
    // What a run has put itself it may put again as it likes.
    for line in
        ["replace fd00:2::1/96", "replace fd00:2::1 peer fd00:2::9/64", "replace fd00:2::1/64"]
    {
        let script = format!("ip address add fd00:2::1/64 dev eth1\nip address {line} dev eth1");
        let output = host.run_ip(&script, &GRANTS);
        // The kernel alters no length, which is told.
        assert!(matches!(output.code, 0 | 1), "{line}: {output:#?}");
        assert_eq!(host.differences(&before), [""; 0], "{line}");
    }
}

#[test]
fn what_comes_back_is_allowed_and_comes_back() {
    let host = Host::with(MACHINE);
    let before = host.state();
    for line in ALLOWED {
        let place = host.run("ip", ["-6", "route"]);
        assert!(!place.stdout.contains("metric 5 "), "{line}: {place:#?}");
        let output = host.run_ip(&format!("ip address {line} dev eth1"), &GRANTS);
        assert_eq!(output.code, 0, "{line}: {output:#?}");
        assert_eq!(host.differences(&before), [""; 0], "{line}");
    }
}
