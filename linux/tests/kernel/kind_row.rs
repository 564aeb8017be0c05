//! One row of the table of link kinds: a link made as `ip` makes it, changed in its place, undone,
//! and gone; on a kernel without the kind, refused by the names of its option and module.

use std::sync::LazyLock;

use netwright_linux::change::{Change, Kind, Options, Setting};
use serde_json::Value;

use crate::lab::{Lab, assert_same, create, option, options, set};
use crate::twins::{steady, twins};

/// One row: a link in `ip`'s words and in ours, and what can be changed while it is there.
pub(crate) struct Row<'a> {
    pub(crate) kind: &'a str,
    /// what the kernel must have been built with
    pub(crate) provider: (&'a str, &'a str),
    /// run in both namespaces beforehand
    pub(crate) prepared: &'a [&'a str],
    /// after `ip link add name x0`
    pub(crate) words: &'a str,
    pub(crate) made: Kind,
    pub(crate) parent: Option<&'a str>,
    pub(crate) settings: &'a [Setting],
    /// members of `info_data` in `ip -j -d link`
    pub(crate) seen: Value,
    /// `ip link set x0 type KIND` and these
    pub(crate) options: &'a [&'a [(&'a str, &'a str)]],
    /// others, as `ip`'s words after `ip link set` and as a change of a link
    pub(crate) changes: &'a [(&'a str, &'a str, Setting)],
}

/// Whether this kernel must have every kind; see docs/adding.md, a test for the second kernel.
static COMPLETE: LazyLock<bool> =
    LazyLock::new(|| std::env::var_os("NETWRIGHT_COMPLETE_KERNEL").is_some());

/// Without the link's own address of IPv6, which is another in each namespace.
fn quiet() -> Setting {
    Setting::Other(option("addrgenmode", "none"))
}

impl Row<'_> {
    pub(crate) fn run(&self) {
        let mut lab = twins();
        // What a kind's module brings with it, such as gre0 in every namespace, and the rule of the
        // first vrf, is there before the comparison.
        let known = ["ours", "theirs"].iter().all(|space| {
            let output = lab.run(space, &format!("ip link add name x0 {}", self.words));
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let lacks = said.contains("Unknown device type") || said.contains("not supported");
            assert!(output.status.success() || lacks, "{}: {said}", self.words);
            output.status.success() && {
                lab.output(space, "ip link delete x0");
                true
            }
        });
        for words in self.prepared {
            lab.output("ours", words);
            lab.output("theirs", words);
        }
        if known {
            self.compare(&mut lab);
        } else {
            assert!(!*COMPLETE, "this kernel is to have every kind, and lacks {}", self.kind);
            self.refused(&mut lab);
        }
    }

    fn refused(&self, lab: &mut Lab) {
        let before = lab.state("ours");
        let (option, module) = self.provider;
        assert_eq!(
            lab.refused(create("ours/x0", self.made.clone(), self.parent, self.settings)),
            format!(
                "not supported here: links of kind `{}`: the kernel lacks {option} (module {module})\n  \
                 help: modprobe {module} as root, or run it on a kernel that has it",
                self.kind
            )
        );
        assert_eq!(lab.state("ours"), before);
    }

    fn compare(&self, lab: &mut Lab) {
        let before = state(lab, "ours");
        lab.output("theirs", &format!("ip link add name x0 {}", self.words));
        lab.output("theirs", "ip link set x0 addrgenmode none");
        let mut settings = self.settings.to_vec();
        settings.push(quiet());
        let made = lab.apply(create("ours/x0", self.made.clone(), self.parent, &settings));
        same(lab, self.words);
        self.seen(lab);
        let index = lab.link("ours", "x0")["ifindex"].clone();
        let mut undo = Vec::new();
        for (words, change) in self.changes() {
            let earlier = state(lab, "ours");
            lab.output("theirs", &format!("ip link set {words}"));
            undo.push((words.clone(), earlier, lab.apply(change)));
            same(lab, &words);
        }
        assert_eq!(lab.link("ours", "x0")["ifindex"], index, "changed in its place");
        for (words, earlier, one) in undo.into_iter().rev() {
            assert_eq!(lab.kernel_revert(&one), Ok(()), "undoing {words}");
            let when = format!("after undoing {words}");
            assert_same(|| state(lab, "ours"), || earlier.clone(), &when);
        }
        lab.revert(&made);
        assert_same(|| state(lab, "ours"), || before.clone(), "at the end");
        assert!(!lab.names("ours").contains(&"x0".to_owned()));
    }

    fn seen(&self, lab: &Lab) {
        let info = lab.link("ours", "x0")["linkinfo"].clone();
        assert_eq!(info["info_kind"], self.kind);
        for (name, value) in self.seen.as_object().expect("members") {
            assert_eq!(info["info_data"][name], *value, "{name} of {info}");
        }
    }

    /// All changes in `ip`'s words and in ours.
    fn changes(&self) -> Vec<(String, Change)> {
        let of_kind = self.options.iter().map(|given| {
            let words: Vec<String> =
                given.iter().map(|(name, value)| format!("{name} {value}")).collect();
            let all = Options { kind: self.kind.to_owned(), options: options(given) };
            let words = format!("x0 type {} {}", self.kind, words.join(" "));
            (words, set("ours/x0", &[Setting::Options(all)]))
        });
        let others = self.changes.iter().map(|(link, words, setting)| {
            (
                format!("dev {link} {words}"),
                set(&format!("ours/{link}"), std::slice::from_ref(setting)),
            )
        });
        of_kind.chain(others).collect()
    }
}

/// All of a namespace but what another namespace has otherwise: the links' indices, which are the
/// kernel's choice for `ip`, random addresses, and what a module brought with it meanwhile.
fn state(lab: &Lab, space: &str) -> String {
    const FALLBACKS: [&str; 9] = [
        "tunl0", "gre0", "gretap0", "erspan0", "sit0", "ip6tnl0", "ip6gre0", "ip_vti0", "ip6_vti0",
    ];
    let text = lab.state(space);
    // The kernel lists routes in the order of their making, which undoing alters.
    let mut blocks: Vec<String> = Vec::new();
    for line in text.lines() {
        let link = line.split_once(": ").filter(|(index, _)| index.parse::<u32>().is_ok());
        let line = link.map_or(line, |(_, rest)| rest);
        let random = line.contains("link/tunnel6 ") || line.contains("link/gre6 ");
        let end = line.find(" permaddr ").filter(|_| random).unwrap_or(line.len());
        match blocks.last_mut() {
            Some(block) if line.starts_with([' ', '\t']) => *block += &line[..end],
            _ => blocks.push(line[..end].to_owned()),
        }
    }
    let fallback =
        |block: &str| FALLBACKS.iter().any(|name| block.starts_with(&format!("{name}@")));
    let mut blocks: Vec<_> =
        blocks.iter().filter(|block| !fallback(block)).map(|block| shown(block)).collect();
    blocks.sort();
    blocks.join("\n")
}

/// A link, address, route or rule. A bond takes a random address when its last port leaves, and
/// keeps that port's segment sizes (bond_release, bond_compute_features), so that it is shown
/// without.
fn shown(block: &str) -> String {
    let text = steady(block);
    if !text.starts_with("x0:") || !text.contains(" bond mode ") {
        return text;
    }
    let text = text.split(" gso_max_size").next().unwrap_or_default();
    let mac = text.split_once("link/ether ").and_then(|(_, rest)| rest.split(' ').next());
    text.replace(mac.unwrap_or("link/ether"), "")
}

fn same(lab: &Lab, when: &str) {
    assert_same(|| state(lab, "ours"), || state(lab, "theirs"), when);
}
