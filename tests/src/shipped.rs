//! The scenario files that come with the program, and what of them this kernel can carry out.

use std::fs;
use std::path::{Path, PathBuf};
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

const BONDS: Feature =
    Feature { words: &["type bond"], probe: "ip link add name p type bond mode active-backup" };
const TUNNELS: Feature = Feature {
    words: &["kind: gre"],
    probe: "for kind in gre gretap ipip; do ip link add name $kind-p type $kind || exit; done &&
            ip link add name p type geneve id 1 remote 192.0.2.1",
};
const FEATURES: [Feature; 5] = [VLANS, BRIDGE_VLANS, NETEM, BONDS, TUNNELS];

impl Feature {
    fn is_needed_by(&self, scenario: &Path) -> bool {
        let text = fs::read_to_string(scenario).expect("a readable file");
        self.words.iter().any(|word| text.contains(word))
    }

    fn is_there(&self) -> bool {
        let output = Command::new("unshare").args(["-r", "-n", "sh", "-c", self.probe]).output();
        let output = output.expect("util-linux is installed; `cargo xtask setup` does that");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() || !is_complete_kernel(), "{said}");
        let lacks = said.contains("nknown") || said.contains("not supported");
        assert!(output.status.success() || lacks, "{}: {said}", self.probe);
        output.status.success()
    }
}

static HAS_VLANS: LazyLock<bool> = LazyLock::new(|| VLANS.is_there());

static HAS_BONDS: LazyLock<bool> = LazyLock::new(|| BONDS.is_there());
static HAS_NETEM: LazyLock<bool> = LazyLock::new(|| NETEM.is_there());
static HAS_BRIDGE_VLANS: LazyLock<bool> = LazyLock::new(|| BRIDGE_VLANS.is_there());
static HAS_TUNNELS: LazyLock<bool> = LazyLock::new(|| TUNNELS.is_there());

/// Whether this is the second or third kernel, on which nothing that the tests ask for may be missing.
pub fn is_complete_kernel() -> bool {
    std::env::var_os(COMPLETE).is_some()
}

/// Whether the kernel has bonding.
pub fn has_bonds() -> bool {
    *HAS_BONDS
}

/// Whether the kernel has gre, gretap, ipip and geneve.
pub fn has_tunnels() -> bool {
    *HAS_TUNNELS
}

/// Whether the kernel has netem.
pub fn has_netem() -> bool {
    *HAS_NETEM
}

/// Whether bridges filter by VLAN.
pub fn has_bridge_vlans() -> bool {
    *HAS_BRIDGE_VLANS
}

/// Whether the kernel has 802.1Q.
pub fn has_vlans() -> bool {
    *HAS_VLANS
}

/// The files of `scenarios/` in order, without those that need what this kernel lacks; those are
/// all that the second kernel (`cargo xtask vm-test`) tries, for it is slow.
pub fn scenarios_of_this_kernel() -> Vec<PathBuf> {
    let entries = fs::read_dir(workspace().join("scenarios")).expect("the scenarios are here");
    let paths = entries.map(|entry| entry.expect("a readable folder").path());
    let mut kept: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    kept.sort();
    assert!(kept.len() > 30, "only {} scenarios were found", kept.len());
    if std::env::var_os(COMPLETE).is_some() {
        kept.retain(|path| FEATURES.iter().any(|feature| feature.is_needed_by(path)));
        assert!(kept.len() > 8, "only {} scenarios need what a kernel may lack", kept.len());
        return kept;
    }
    for feature in FEATURES.iter().filter(|feature| !feature.is_there()) {
        kept.retain(|path| !feature.is_needed_by(path));
    }
    assert!(kept.len() >= 24, "only {} scenarios are left for this kernel", kept.len());
    kept
}
