//! Grants as the operator writes them: `host.link.create kind=macvlan parent=eth1 name=lab-*`.

use std::fmt;
use std::str::FromStr;

use super::fault::{quote, suggestion};

/// A capability with its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub capability: String,
    /// key and its values; any of them is allowed
    pub limits: Vec<(String, Vec<String>)>,
}

/// Each capability with the keys that can narrow it.
const CAPABILITIES: &[(&str, &[&str])] = &[
    ("host.link.read", &["name"]),
    ("host.link.create", &["kind", "name", "parent", "vlan", "mtu", "max"]),
    ("host.link.modify", &["name"]),
    ("host.link.move", &["name"]),
    ("host.address.add", &["cidr", "link"]),
    ("host.route.add", &["cidr", "link", "table"]),
    ("host.route.default", &["link", "table"]),
    ("host.namespace", &["name", "pid", "docker"]),
    ("host.forwarding", &["key"]),
    ("host.sysctl", &["key"]),
    ("uplink", &["link", "mode"]),
    ("uplink.passthru", &["link"]),
    ("artifacts", &["path"]),
    ("exec", &["program"]),
];

impl FromStr for Grant {
    type Err = String;

    /// The error is a sentence; a line beginning with `help: ` may follow.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        let capability = words.next().ok_or("a grant begins with a capability")?;
        let names = || CAPABILITIES.iter().map(|(name, _)| *name);
        let Some((_, keys)) = CAPABILITIES.iter().find(|(name, _)| *name == capability) else {
            let help = suggestion(capability, names())
                .unwrap_or_else(|| format!("there are {}", names().collect::<Vec<_>>().join(", ")));
            return Err(format!("unknown capability {}\n  help: {help}", quote(capability)));
        };
        let mut limits: Vec<(String, Vec<String>)> = Vec::new();
        for word in words {
            let (key, values) = limit(capability, keys, word)?;
            if limits.iter().any(|(known, _)| *known == key) {
                return Err(format!(
                    "{} comes twice\n  help: several values stand in one: {key}=A,B",
                    quote(&key)
                ));
            }
            limits.push((key, values));
        }
        Ok(Self { capability: capability.to_owned(), limits })
    }
}

fn limit(capability: &str, keys: &[&str], word: &str) -> Result<(String, Vec<String>), String> {
    let Some((key, values)) = word.split_once('=') else {
        return Err(format!("{} is not KEY=VALUE", quote(word)));
    };
    if !keys.contains(&key) {
        let help = suggestion(key, keys.iter().copied())
            .unwrap_or_else(|| format!("it has {}", keys.join(", ")));
        return Err(format!("`{capability}` has no key {}\n  help: {help}", quote(key)));
    }
    let values: Vec<_> = values.split(',').map(str::to_owned).collect();
    if values.iter().any(String::is_empty) {
        return Err(format!("{} has an empty value", quote(word)));
    }
    if let Some(bad) = values
        .iter()
        .find(|value| value.trim_end_matches('*').contains('*') || value.ends_with("**"))
    {
        return Err(format!("{} has `*` elsewhere than at its end", quote(bad)));
    }
    Ok((key.to_owned(), values))
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.capability)?;
        self.limits.iter().try_for_each(|(key, values)| write!(f, " {key}={}", values.join(",")))
    }
}
