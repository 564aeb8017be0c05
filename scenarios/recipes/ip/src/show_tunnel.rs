//! Tunnels as `ip tunnel show` prints them.

use netwright_sdk::Result;
use netwright_sdk::host::links::{Info, list_all};
use netwright_sdk::host::namespaces::Namespace;

use crate::output::print;
use crate::run::must_be_there;
use crate::tunnel::TunnelFilter;

/// Kinds of tunnels, and what the tool calls them.
const FOUR: [(&str, &str); 4] =
    [("gre", "gre/ip"), ("ipip", "ip/ip"), ("sit", "ipv6/ip"), ("vti", "ip/ip")];
const SIX: [(&str, &str); 3] =
    [("ip6tnl", "ipv6/ipv6"), ("ip6gre", "gre/ipv6"), ("vti6", "ipv6/ipv6")];

pub(crate) fn show_tunnels(namespace: &Namespace, filter: &TunnelFilter) -> Result<()> {
    if let Some(name) = &filter.name {
        must_be_there(namespace, name, false)?;
    }
    let all = list_all(namespace)?;
    let wanted = |info: &&Info| filter.name.as_ref().is_none_or(|name| *name == info.name);
    let kinds: &[(&str, &str)] = if filter.six { &SIX } else { &FOUR };
    let lines = all.iter().filter(wanted).filter_map(|info| {
        let (_, protocol) = kinds.iter().find(|(kind, _)| *kind == info.kind)?;
        Some(line(info, protocol))
    });
    print(&lines.collect::<String>());
    Ok(())
}

fn line(info: &Info, protocol: &str) -> String {
    let found =
        |name: &str| info.data.iter().find(|one| one.name == name).map(|one| one.value.as_str());
    let end =
        |name: &str| found(name).filter(|end| !matches!(*end, "0.0.0.0" | "::")).unwrap_or("any");
    let mut text =
        format!("{}: {protocol} remote {} local {}", info.name, end("remote"), end("local"));
    for name in [
        "dev",
        "ttl",
        "hoplimit",
        "tos",
        "encaplimit",
        "flowlabel",
        "key",
        "ikey",
        "okey",
        "fwmark",
    ] {
        let value = found(name)
            .map(|value| if matches!((name, value), ("ttl", "0")) { "inherit" } else { value });
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            text += &format!(" {name} {value}");
        }
    }
    text + "\n"
}
