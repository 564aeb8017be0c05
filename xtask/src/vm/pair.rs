//! The tutorial's two hosts as two machines with a cable between them: a macvlan network on a VLAN
//! of each, made on the machine's own network, whose endpoints reach each other.

use super::boot::{Machine, Patience};
use super::{Parts, folder, shown};
use crate::program::say;
use anyhow::{Context, Result, bail};
use std::fs;
use std::thread;

/// Names and last parts of addresses, as in the tutorial.
const NODES: [(&str, [(&str, &str); 8]); 2] = [
    ("node1", words(["c5", "c6"], "10", "11", ["100", "101"], ["102", "103"])),
    ("node2", words(["c7", "c8"], "11", "10", ["102", "103"], ["100", "101"])),
];

/// What the words of node.yaml mean.
const fn words(
    names: [&'static str; 2],
    host: &'static str,
    other: &'static str,
    own: [&'static str; 2],
    others: [&'static str; 2],
) -> [(&'static str, &'static str); 8] {
    [
        ("FIRST", names[0]),
        ("SECOND", names[1]),
        (".HOST", host),
        (".OTHER", other),
        (".A", own[0]),
        (".B", own[1]),
        (".C", others[0]),
        (".D", others[1]),
    ]
}

fn scenario(meanings: &[(&str, &str)]) -> String {
    let mut text = include_str!("node.yaml").to_owned();
    for (word, meaning) in meanings {
        let dot = if word.starts_with('.') { "." } else { "" };
        text = text.replace(word, &format!("{dot}{meaning}"));
    }
    text
}

/// Boots both, and wants of each that its scenario passed.
pub(super) fn run(parts: &Parts) -> Result<()> {
    let mut image = parts.image("nodes")?;
    for (name, meanings) in NODES {
        image.text(&format!("/nodes/{name}.yaml"), &scenario(&meanings))?;
    }
    let image = image.finish()?;
    let end = |name: &str| folder().join(format!("{name}.cable"));
    say("two machines with a cable between them");
    let [first, second] = NODES.map(|(name, _)| name);
    let ends = [(first, second, "02:00:00:00:05:01"), (second, first, "02:00:00:00:05:02")];
    for name in [first, second] {
        // A socket that an earlier run left can't be bound again.
        let _ = fs::remove_file(end(name));
    }
    let runs = ends.map(|(name, other, mac)| {
        let mut machine = Machine::new(&parts.kernel.image, &image, name);
        machine.connect(&end(name), &end(other), mac);
        let log = folder().join(format!("{name}.log"));
        (name, thread::spawn(move || machine.run(&log, &Patience::TESTS)))
    });
    for (name, run) in runs {
        let results = run.join().map_err(|_| anyhow::anyhow!("{name}'s thread panicked"))?;
        let log = shown(&folder().join(format!("{name}.log")));
        let results = results.with_context(|| format!("{name}, whose log is {log}"))?;
        if !results.iter().any(|line| line == "node 0") {
            bail!("{name} failed; its log is {log}");
        }
    }
    say("both reached the other's endpoints");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{NODES, scenario};

    #[test]
    fn each_node_has_its_own_addresses_and_pings_the_others() {
        let [first, second] = NODES.map(|(_, meanings)| scenario(&meanings));
        assert!(first.contains("{ name: c5, ip: 192.168.200.100 }"), "{first}");
        assert!(
            second.contains("ping: { from: c8, to: 192.168.200.100, within: 30s }"),
            "{second}"
        );
        assert!(second.contains("ip addr add 192.168.200.11/24 dev enp0s5.200"), "{second}");
    }
}
