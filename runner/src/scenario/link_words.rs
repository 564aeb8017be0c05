//! Kinds and modes of links, as checks name them.

use netwright_network::kind;

use crate::document::{Node, Reader, quote, suggestion};

/// Kinds as `ip -d link` names them; the last two are for links of which the kernel names none.
pub(crate) fn kinds() -> Vec<&'static str> {
    kind::names().chain(["device", "loopback"]).collect()
}

const MACVLAN_MODES: &[&str] = &["private", "vepa", "bridge", "passthru", "source"];
const IPVLAN_MODES: &[&str] = &["l2", "l3", "l3s"];

/// A word that must be in the list.
pub(super) fn known(
    node: &Node,
    reader: &mut Reader,
    what: &str,
    words: &[&str],
) -> Option<String> {
    let text = reader.text(node)?;
    if words.contains(&text) {
        return Some(text.to_owned());
    }
    let help = suggestion(text, words.iter().copied())
        .or_else(|| (words.len() < 10).then(|| format!("there are {}", words.join(", "))));
    reader.fault_with(&node.span, format!("unknown {what} {}", quote(text)), help);
    None
}

/// The modes of a kind; `None` where the kind has none.
fn modes(kind: Option<&str>) -> Option<Vec<&'static str>> {
    match kind {
        Some("macvlan" | "macvtap") => Some(MACVLAN_MODES.to_vec()),
        Some("ipvlan" | "ipvtap") => Some(IPVLAN_MODES.to_vec()),
        Some(_) => None,
        None => Some([MACVLAN_MODES, IPVLAN_MODES].concat()),
    }
}

pub(super) fn mode(node: &Node, kind: Option<&str>, reader: &mut Reader) -> Option<String> {
    let Some(modes) = modes(kind) else {
        let kind = kind.unwrap_or_default();
        let help = Some("macvlan, macvtap, ipvlan and ipvtap have modes".to_owned());
        reader.fault_with(&node.span, format!("a {kind} has no mode"), help);
        return None;
    };
    known(node, reader, "mode", &modes)
}
