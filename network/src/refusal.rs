//! What is said of a change that can't be, before the kernel is asked: the same on a kernel and in
//! the memory of a recipe's tests.

use crate::text::suggestion;

/// As many links are named where none is near to what was asked for.
const SHOWN: usize = 12;

/// Under this attribute of the contract's `detail` recipes know an error that says that no link or
/// namespace has a name.
pub const MISSING: &str = "missing";

/// The rule of macvlans of which the mode is to become passthru, or another one than that.
pub const PASSTHRU_STAYS: &str = "the kernel sets and clears passthru only when the link is made (drivers/net/macvlan.c, macvlan_changelink)";

/// A sentence, and what helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub sentence: String,
    pub help: Option<String>,
}

impl Refusal {
    /// As one text; `help` says how a remedy stands behind a sentence.
    pub fn told(self, help: impl FnOnce(String) -> String) -> String {
        self.sentence + &self.help.map(help).unwrap_or_default()
    }
}

/// A namespace by its name: `namespace `ns1``, or `the root namespace`.
pub fn place(name: Option<&str>) -> String {
    match name {
        Some(name) => format!("namespace `{name}`"),
        None => "the root namespace".to_owned(),
    }
}

/// No link of a place has the name; those that it has are given in the order of their indexes.
pub fn no_link(place: &str, name: &str, there: &[&str]) -> Refusal {
    let listed = || {
        let shown: Vec<_> = there.iter().take(SHOWN).map(|name| format!("`{name}`")).collect();
        let more = if there.len() > shown.len() { " …" } else { "" };
        format!("it has {}{more}", shown.join(", "))
    };
    let none = || if there.is_empty() { "it has no links".to_owned() } else { listed() };
    Refusal {
        sentence: format!("{place} has no link `{}`", name.escape_debug()),
        help: Some(suggestion(name, there.iter().copied()).unwrap_or_else(none)),
    }
}

/// No namespace of the run has the name.
pub fn no_namespace(name: &str, there: &[&str]) -> Refusal {
    Refusal {
        sentence: format!("there is no namespace `{name}`"),
        help: suggestion(name, there.iter().copied()),
    }
}

/// A child's MTU that its parent can't carry.
pub fn mtu_above_parent(link: &str, mtu: u32, parent: &str, most: u32) -> String {
    format!("mtu of `{link}` is {mtu}, above the {most} of its parent `{parent}`")
}

/// Options of a kind for a link of another one.
pub fn of_another_kind(link: &str, kind: &str, asked: &str) -> String {
    format!("`{link}` is of kind `{kind}`, not `{asked}`")
}

/// Options of a port for a link that is none.
pub fn no_port(link: &str, kind: &str) -> String {
    format!("`{link}` has no master, so it can't have options of `{kind}`")
}

/// What is settled when a link is made.
pub fn settled(what: &str, kind: &str, link: &str, now: &str, wanted: &str, rule: &str) -> Refusal {
    Refusal {
        sentence: format!(
            "{what} of {kind} `{link}` is {now} and can't become {wanted} in place: {rule}"
        ),
        help: Some(format!(
            "it needs a replacement: delete `{link}` and make it anew with {what} {wanted}"
        )),
    }
}
