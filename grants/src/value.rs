//! The values of a key: how they are written, and which facts they cover.

use std::fmt;

use ipnet::IpNet;

use netwright_network::change::TABLE_MAIN;

use super::capability::{Capability, Class};
use super::fault::{Broken, quote, suggest};
use super::key::{Fact, Key};
use super::rule::Reading;
use netwright_network::kind;
use netwright_network::setting::SettingKey;

/// One of the values of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Exact(String),
    /// `lab-*`: names that begin so and hold nothing but letters, digits, `.`, `_` and `-`
    Prefix(String),
    /// with both ends
    Range(u32, u32),
    Network(IpNet),
}

/// How a lab is joined to a link: by a child of it, or as a port of it where it is a bridge.
const MODES: [&str; 6] = ["macvlan", "macvtap", "ipvlan", "ipvtap", "vlan", "port"];

/// Names of routing tables, /etc/iproute2/rt_tables as it is delivered.
const TABLES: [(&str, u32); 3] = [("default", 253), ("main", TABLE_MAIN), ("local", 255)];

/// The names in grants are of links and namespaces of the host.
const LONGEST_NAME: usize = netwright_network::names::LONGEST_LINK;

/// A container's name may be longer than a link's.
const LONGEST_CONTAINER: usize = 128;
const LONGEST_PATH: usize = 4096;

impl Value {
    pub(crate) fn read(
        capability: Capability,
        key: Key,
        reading: Reading,
        text: &str,
    ) -> Result<Self, Broken> {
        if text.is_empty() {
            let help = format!("write {key}=VALUE, or leave the key out");
            return Err(Broken::with(format!("`{key}` has an empty value"), help));
        }
        match key {
            Key::Kind => word(text, "kind", kind::names()),
            Key::Mode => word(text, "mode", MODES.into_iter()),
            Key::Name | Key::Parent | Key::Link => {
                name(text, takes_patterns(capability, key, reading))
            }
            Key::Docker => container(text),
            Key::Path | Key::Program => path(text),
            Key::Setting => setting(text),
            Key::Cidr => network(text),
            Key::Vlan => range(text, key, 1, 4094),
            Key::Mtu => range(text, key, 68, 65535),
            Key::Table => table(text),
            Key::Pid | Key::Max => Ok(Self::one(number(text, key, 1, i32::MAX as u32)?)),
        }
    }

    fn one(number: u32) -> Self {
        Self::Range(number, number)
    }

    /// Whether it covers the whole fact.
    pub(crate) fn covers(&self, key: Key, fact: Fact<'_>) -> bool {
        match (self, fact) {
            (Self::Exact(text), Fact::Text(fact)) if key == Key::Setting => {
                // Of one value each name is the same setting.
                let finest = |text: &str| SettingKey::of(text).map(|key| key.finest());
                finest(text).is_ok_and(|key| Ok(key) == finest(fact))
            }
            (Self::Exact(text), Fact::Text(fact)) => text == fact,
            (Self::Prefix(prefix), Fact::Text(fact)) => {
                fact.starts_with(prefix.as_str()) && is_new_name(fact)
            }
            (Self::Range(least, most), Fact::Number(fact)) => (*least..=*most).contains(&fact),
            // The whole prefix within; ipnet keeps the families apart.
            (Self::Network(network), Fact::Network(fact)) => network.contains(&fact.trunc()),
            (
                Self::Exact(_) | Self::Prefix(_) | Self::Range(..) | Self::Network(_),
                Fact::Text(_) | Fact::Number(_) | Fact::Network(_),
            ) => false,
        }
    }

    /// Whether it has anything in common with the fact: what a `deny` goes by.
    pub(crate) fn touches(&self, key: Key, fact: Fact<'_>) -> bool {
        match (self, fact) {
            (Self::Network(network), Fact::Network(fact)) => {
                network.contains(&fact.trunc()) || fact.trunc().contains(network)
            }
            (Self::Prefix(prefix), Fact::Text(fact)) => fact.starts_with(prefix.as_str()),
            (
                Self::Exact(_) | Self::Prefix(_) | Self::Range(..) | Self::Network(_),
                Fact::Text(_) | Fact::Number(_) | Fact::Network(_),
            ) => self.covers(key, fact),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(text) => f.write_str(text),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
            Self::Range(least, most) if least == most => write!(f, "{least}"),
            Self::Range(least, most) => write!(f, "{least}-{most}"),
            Self::Network(network) => write!(f, "{network}"),
        }
    }
}

/// Names of things that may not exist yet take patterns; what is taken from the host is named. A
/// `deny` may be as wide as it likes.
fn takes_patterns(capability: Capability, key: Key, reading: Reading) -> bool {
    let by_link = [Capability::HostAddressAdd, Capability::HostRouteAdd, Capability::HostProbe];
    match (reading, capability.class()) {
        (Reading::Deny, _) => true,
        (Reading::Grant | Reading::Ask, Class::Special) => false,
        (Reading::Grant | Reading::Ask, Class::Attach) => {
            key == Key::Name || (key == Key::Link && by_link.contains(&capability))
        }
    }
}

/// What a link or namespace of ours can be called there.
fn is_new_name(text: &str) -> bool {
    netwright_network::names::on_host(text).is_ok()
}

fn word(
    text: &str,
    what: &str,
    mut known: impl Iterator<Item = &'static str> + Clone,
) -> Result<Value, Broken> {
    let all = known.clone();
    if known.any(|word| word == text) {
        return Ok(Value::Exact(text.to_owned()));
    }
    let help = suggest(text, all, "there are");
    Err(Broken::with(format!("unknown {what} {}", quote(text)), help))
}

fn name(text: &str, patterns: bool) -> Result<Value, Broken> {
    let Some(prefix) = text.strip_suffix('*') else {
        return exact_name(text, LONGEST_NAME);
    };
    if !patterns {
        let help = "write each name out, with commas between them";
        return Err(Broken::with(format!("{} must be exact: no pattern here", quote(text)), help));
    }
    if prefix.is_empty() {
        let help = "write how the names begin, as in lab-*";
        return Err(Broken::with("`*` alone names nothing", help));
    }
    if prefix.contains('*') {
        return Err(elsewhere(text));
    }
    match exact_name(prefix, LONGEST_NAME - 1)? {
        Value::Exact(prefix) => Ok(Value::Prefix(prefix)),
        other => Ok(other),
    }
}

fn elsewhere(text: &str) -> Broken {
    Broken::rule(format!("{} has `*` elsewhere than at its end", quote(text)))
}

fn exact_name(text: &str, longest: usize) -> Result<Value, Broken> {
    if text.contains('*') {
        return Err(elsewhere(text));
    }
    if text.len() > longest {
        let message = format!("{} has {} bytes; {longest} are possible", quote(text), text.len());
        return Err(Broken::rule(message));
    }
    plain(text, "._-:@")?;
    if matches!(text, "." | "..") {
        return Err(Broken::rule(format!("{} is no name", quote(text))));
    }
    Ok(Value::Exact(text.to_owned()))
}

/// Only ASCII letters, digits and some signs: what is shown is what is used.
fn plain(text: &str, signs: &str) -> Result<(), Broken> {
    let legal = |c: &char| c.is_ascii_alphanumeric() || signs.contains(*c);
    match text.chars().find(|c| !legal(c)) {
        None => Ok(()),
        Some(bad) => Err(Broken::rule(format!(
            "{} must not hold `{}`; letters, digits and {} are possible",
            quote(text),
            bad.escape_debug(),
            signs.chars().map(|sign| format!("`{sign}`")).collect::<Vec<_>>().join(" ")
        ))),
    }
}

fn container(text: &str) -> Result<Value, Broken> {
    if text.len() > LONGEST_CONTAINER {
        let message = format!("{} has more than {LONGEST_CONTAINER} bytes", quote(text));
        return Err(Broken::rule(message));
    }
    plain(text, "_.-")?;
    Ok(Value::Exact(text.to_owned()))
}

/// Absolute and without detours, so that equal texts are equal files.
fn path(text: &str) -> Result<Value, Broken> {
    if !text.starts_with('/') {
        return Err(Broken::rule(format!("{} is not an absolute path", quote(text))));
    }
    let odd = |part: &str| part.is_empty() || part == "." || part == "..";
    if text.len() > LONGEST_PATH || text[1..].split('/').any(odd) {
        let help = "write it out, without `.`, `..`, `//` or a `/` at its end";
        return Err(Broken::with(format!("{} is not a plain path", quote(text)), help));
    }
    if text.contains(|c: char| c == '*' || c == ',' || c.is_whitespace() || c.is_control()) {
        let message = format!("{} must not hold `*`, `,` or white space", quote(text));
        return Err(Broken::rule(message));
    }
    Ok(Value::Exact(text.to_owned()))
}

fn setting(text: &str) -> Result<Value, Broken> {
    if SettingKey::of(text).is_err() {
        let help = "write it as sysctl(8) does: net.ipv4.ip_forward";
        return Err(Broken::with(format!("{} is no setting of the network", quote(text)), help));
    }
    Ok(Value::Exact(text.to_owned()))
}

fn network(text: &str) -> Result<Value, Broken> {
    let network: IpNet = text.parse().map_err(|_| match text.parse::<std::net::IpAddr>() {
        Ok(address) => {
            let length = if address.is_ipv4() { 32 } else { 128 };
            let help = format!("for this address alone: {address}/{length}");
            Broken::with(format!("{} has no prefix length", quote(text)), help)
        }
        Err(_) => Broken::with(
            format!("{} is not a network", quote(text)),
            "write an address and a prefix length: 192.168.56.0/24",
        ),
    })?;
    if network != network.trunc() {
        let help = format!("the network is {}", network.trunc());
        let message = format!("{} has bits behind its prefix length", quote(text));
        return Err(Broken::with(message, help));
    }
    if network.prefix_len() == 0 {
        let help = "name the networks; the default route is `host.route.default`";
        return Err(Broken::with(format!("{} is every address", quote(text)), help));
    }
    Ok(Value::Network(network))
}

fn table(text: &str) -> Result<Value, Broken> {
    match TABLES.iter().find(|(name, _)| *name == text) {
        Some((_, table)) => Ok(Value::one(*table)),
        None => Ok(Value::one(number(text, Key::Table, 1, u32::MAX)?)),
    }
}

fn range(text: &str, key: Key, least: u32, most: u32) -> Result<Value, Broken> {
    let Some((from, to)) = text.split_once('-') else {
        return Ok(Value::one(number(text, key, least, most)?));
    };
    let (from, to) = (number(from, key, least, most)?, number(to, key, least, most)?);
    if from > to {
        let help = format!("write {to}-{from}");
        return Err(Broken::with(format!("range {} is empty", quote(text)), help));
    }
    Ok(Value::Range(from, to))
}

fn number(text: &str, key: Key, least: u32, most: u32) -> Result<u32, Broken> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse::<u32>() {
        Ok(number) if digits && (least..=most).contains(&number) => Ok(number),
        _ => Err(Broken::rule(format!(
            "{} is no {key}; a whole number from {least} to {most} is expected",
            quote(text)
        ))),
    }
}
