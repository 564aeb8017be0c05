//! The scenario files that come with the program, and what of them this kernel can carry out.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use crate::workspace;

/// Set where the kernel is to have every link kind: a test that meets one which is missing fails.
const COMPLETE: &str = "NETWRIGHT_COMPLETE_KERNEL";

/// Asked of iproute2.
static HAS_VLANS: LazyLock<bool> = LazyLock::new(|| {
    let words = "ip link add p type veth peer name q && ip link add link p name v type vlan id 5";
    let output = Command::new("unshare").args(["-r", "-n", "sh", "-c", words]).output();
    let output = output.expect("util-linux is installed; `cargo xtask setup` does that");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() || std::env::var_os(COMPLETE).is_none(), "{said}");
    assert!(output.status.success() || said.contains("Unknown device type"), "{said}");
    output.status.success()
});

/// Whether the kernel has 802.1Q.
pub fn has_vlans() -> bool {
    *HAS_VLANS
}

/// The files of `scenarios/` in order, without those that need a kind that this kernel lacks; they
/// run on the second kernel (`cargo xtask vm-test`).
pub fn scenarios_of_this_kernel() -> Vec<PathBuf> {
    let entries = fs::read_dir(workspace().join("scenarios")).expect("the scenarios are here");
    let paths = entries.map(|entry| entry.expect("a readable folder").path());
    let mut kept: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .filter(|path| {
            let text = fs::read_to_string(path).expect("a readable file");
            let vlans = text.contains("kind: vlan") || text.contains("type vlan");
            !vlans || has_vlans()
        })
        .collect();
    kept.sort();
    assert!(kept.len() > 20, "only {} scenarios were found", kept.len());
    kept
}
