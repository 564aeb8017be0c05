//! The scenario files that come with the program, and what of them this kernel can carry out.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use crate::workspace;

/// Set where the kernel is to have everything: a test that meets something missing fails there.
const COMPLETE: &str = "NETWRIGHT_COMPLETE_KERNEL";

/// Something that a kernel may lack.
struct Feature {
    /// a file that has one of these words needs it
    words: &'static [&'static str],
    /// asks iproute2, in a namespace of its own
    probe: &'static str,
}

const VLANS: Feature = Feature {
    words: &["kind: vlan", "type vlan"],
    probe: "ip link add p type veth peer name q && ip link add link p name v type vlan id 5",
};
const BRIDGE_VLANS: Feature = Feature {
    words: &["name: bridge-vlans"],
    probe: "ip link add name b0 type bridge && bridge vlan add vid 5 dev b0 self",
};
const NETEM: Feature =
    Feature { words: &["netem"], probe: "tc qdisc add dev lo root netem delay 1ms" };

impl Feature {
    fn is_there(&self) -> bool {
        let output = Command::new("unshare").args(["-r", "-n", "sh", "-c", self.probe]).output();
        let output = output.expect("util-linux is installed; `cargo xtask setup` does that");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() || std::env::var_os(COMPLETE).is_none(), "{said}");
        let lacks = said.contains("nknown") || said.contains("not supported");
        assert!(output.status.success() || lacks, "{}: {said}", self.probe);
        output.status.success()
    }
}

static HAS_VLANS: LazyLock<bool> = LazyLock::new(|| VLANS.is_there());

/// Whether the kernel has 802.1Q.
pub fn has_vlans() -> bool {
    *HAS_VLANS
}

/// The files of `scenarios/` in order, without those that need what this kernel lacks; they run on
/// the second kernel (`cargo xtask vm-test`).
pub fn scenarios_of_this_kernel() -> Vec<PathBuf> {
    let entries = fs::read_dir(workspace().join("scenarios")).expect("the scenarios are here");
    let paths = entries.map(|entry| entry.expect("a readable folder").path());
    let mut kept: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    kept.sort();
    for feature in [VLANS, BRIDGE_VLANS, NETEM] {
        if !feature.is_there() {
            kept.retain(|path| {
                let text = fs::read_to_string(path).expect("a readable file");
                !feature.words.iter().any(|word| text.contains(word))
            });
        }
    }
    assert!(kept.len() > 20, "only {} scenarios were found", kept.len());
    kept
}
