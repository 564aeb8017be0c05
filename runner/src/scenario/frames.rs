//! Frames in a scenario: which links are captured, and what must hold of the frames seen.

use std::fmt;
use std::time::Duration;

use netwright_frames::{Filter, KEYS, PROTOCOLS};
use schemars::JsonSchema;

use super::check::{ArpCheck, Check, PingCheck, TcpCheck};
use super::check_read::{name, needed_name, read_probe, times};
use super::check_show::In;
use crate::change::Name;
use crate::document::{Fields, Node, Reader, Span, Value, suggestion};

/// A link that is captured from the start of the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// none is the root namespace
    pub namespace: Option<Name>,
    pub link: Name,
    /// bytes kept of each frame; none: all of them
    pub snap_length: Option<u32>,
}

/// How many of the frames that a filter means there must be.
#[derive(Debug, Clone, PartialEq)]
pub struct FramesCheck {
    pub namespace: Option<Name>,
    pub link: Name,
    pub filter: Filter,
    pub at_least: u64,
    pub at_most: Option<u64>,
    /// what each of them must be, too
    pub every: Option<Filter>,
    /// the probe during which they are counted; without one, since the start of the run
    pub during: Option<Check>,
    pub within: Option<Duration>,
    pub stays: Option<Duration>,
}

/// The check as the file has it, for its schema.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case", rename = "FramesCheck")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct FramesFile {
    /// the root namespace where it is left out
    namespace: Option<String>,
    link: String,
    protocol: Option<Protocol>,
    /// the outermost tag's id, 0 to 4094, or `none` for untagged frames
    vlan: Option<Vlan>,
    direction: Option<Direction>,
    source_mac: Option<String>,
    destination_mac: Option<String>,
    /// an IP address or prefix; of ARP the sender's address
    source: Option<String>,
    /// an IP address or prefix; of ARP the target's address
    destination: Option<String>,
    /// of TCP, UDP or SCTP, at either end
    #[schemars(range(min = 1))]
    port: Option<u16>,
    #[schemars(range(min = 1))]
    source_port: Option<u16>,
    #[schemars(range(min = 1))]
    destination_port: Option<u16>,
    /// exactly so many; without any number there must be one at least
    count: Option<u32>,
    at_least: Option<u32>,
    at_most: Option<u32>,
    /// what each of these frames must be, too
    every: Option<FilterFile>,
    /// they are counted while this goes on; without it, since the start of the run
    during: Option<ProbeFile>,
    within: Option<String>,
    /// once it holds, it must go on to hold for so long
    stays: Option<String>,
}

/// Keys that tell frames apart
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case", rename = "Filter")]
#[expect(dead_code, reason = "only its schema is used")]
struct FilterFile {
    protocol: Option<Protocol>,
    vlan: Option<Vlan>,
    direction: Option<Direction>,
    source_mac: Option<String>,
    destination_mac: Option<String>,
    source: Option<String>,
    destination: Option<String>,
    #[schemars(range(min = 1))]
    port: Option<u16>,
    #[schemars(range(min = 1))]
    source_port: Option<u16>,
    #[schemars(range(min = 1))]
    destination_port: Option<u16>,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its schema is used")]
enum Protocol {
    Arp,
    Icmp,
    Icmp6,
    Ipv4,
    Ipv6,
    Tcp,
    Udp,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its schema is used")]
enum Direction {
    Incoming,
    Outgoing,
}

#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum Vlan {
    Id(#[schemars(range(max = 4094))] u16),
    Untagged(Untagged),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
#[expect(dead_code, reason = "only its schema is used")]
enum Untagged {
    None,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase", rename = "Probe")]
#[expect(dead_code, reason = "only its schema is used")]
enum ProbeFile {
    Ping(PingCheck),
    Arp(ArpCheck),
    Tcp(TcpCheck),
}

/// Reads `captures`.
pub(super) fn captures(node: &Node, reader: &mut Reader) -> Vec<Capture> {
    let items = reader.list(node).unwrap_or_default();
    let mut captures: Vec<Capture> = Vec::new();
    for item in items {
        let Some(mut fields) = reader.map(item, "a capture") else { continue };
        let namespace = name(&mut fields, reader, "namespace");
        let link = needed_name(&mut fields, reader, "link");
        let snap_length =
            fields.get("snap-length").and_then(|node| reader.integer(node, 64, 262_144));
        reader.close(fields);
        let Some(link) = link else { continue };
        let capture = Capture { namespace, link, snap_length };
        if captures.iter().any(|other| other.is_of(&capture.namespace, &capture.link)) {
            let place = In(&capture.namespace);
            reader.fault(&item.span, format!("link `{}`{place} is captured twice", capture.link));
        }
        captures.push(capture);
    }
    captures
}

impl Capture {
    fn is_of(&self, namespace: &Option<Name>, link: &Name) -> bool {
        self.namespace == *namespace && self.link == *link
    }
}

/// What the file names, and what its checks look back on.
pub(super) fn all_captures(mut named: Vec<Capture>, checks: &[(Check, Span)]) -> Vec<Capture> {
    for (check, _) in checks {
        let Check::Frames(check) = check else { continue };
        let FramesCheck { namespace, link, during, .. } = &**check;
        if during.is_none() && !named.iter().any(|capture| capture.is_of(namespace, link)) {
            let (namespace, link) = (namespace.clone(), link.clone());
            named.push(Capture { namespace, link, snap_length: None });
        }
    }
    named
}

/// Reads a `frames` check.
pub(super) fn check(fields: &mut Fields<'_>, reader: &mut Reader) -> Option<Check> {
    let namespace = name(fields, reader, "namespace");
    let link = needed_name(fields, reader, "link");
    let filter = filter(fields, reader);
    let (at_least, at_most) = bounds(fields, reader);
    let every = fields.get("every").and_then(|node| every(node, reader));
    let during = fields.get("during").and_then(|node| read_probe(node, reader));
    let (within, stays) = times(fields, reader);
    Some(Check::Frames(Box::new(FramesCheck {
        namespace,
        link: link?,
        filter,
        at_least,
        at_most,
        every,
        during,
        within,
        stays,
    })))
}

/// The keys of a filter that stand among others.
fn filter(fields: &mut Fields<'_>, reader: &mut Reader) -> Filter {
    let mut filter = Filter::default();
    let before = reader.faults.len();
    for (key, what) in KEYS {
        let Some(node) = fields.get(key) else { continue };
        match &node.value {
            Value::Text(_) | Value::Integer(_) => {
                let text = node.to_parameter();
                let set = filter.set(key, text.trim()).map_err(|rule| with_near(rule, key, &text));
                reader.accept(&node.span, set);
            }
            _ => {
                let _: Option<()> = reader.wrong(node, what);
            }
        }
    }
    if reader.faults.len() == before
        && let Some(contradiction) = filter.contradiction()
    {
        reader.fault(fields.span(), contradiction);
    }
    filter
}

/// A rule with the word that a mistyped protocol was meant to be.
fn with_near(rule: String, key: &str, text: &str) -> String {
    let near = suggestion(text, PROTOCOLS.iter().copied()).filter(|_| key == "protocol");
    match near {
        Some(near) if !rule.contains("help:") => format!("{rule}\n  help: {near}"),
        Some(_) | None => rule,
    }
}

fn every(node: &Node, reader: &mut Reader) -> Option<Filter> {
    let mut fields = reader.map(node, "`every`")?;
    let every = filter(&mut fields, reader);
    reader.close(fields);
    if every.is_empty() {
        reader.fault(&node.span, "`every` names nothing that the frames must be");
    }
    Some(every)
}

/// The least number of frames, and the greatest.
fn bounds(fields: &mut Fields<'_>, reader: &mut Reader) -> (u64, Option<u64>) {
    let mut number = |key: &'static str| {
        let node = fields.get(key)?;
        let number = reader.integer(node, 0_u32, u32::MAX)?;
        Some((node, u64::from(number)))
    };
    let (count, least, most) = (number("count"), number("at-least"), number("at-most"));
    if let Some((_, count)) = count {
        if let Some((node, _)) = least.or(most) {
            reader.fault(&node.span, "`count` says the number already");
        }
        return (count, Some(count));
    }
    if let (Some((node, least)), Some((_, most))) = (least, most)
        && least > most
    {
        reader.fault(&node.span, format!("at least {least} frames can't be at most {most}"));
    }
    let default = if most.is_some() { 0 } else { 1 };
    (least.map_or(default, |(_, least)| least), most.map(|(_, most)| most))
}

/// `frames of switch0 in switch (icmp): exactly 4 during ping 10.0.0.2 from ns1 is answered`
impl fmt::Display for FramesCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "frames of {}{}", self.link, In(&self.namespace))?;
        if !self.filter.is_empty() {
            write!(f, " ({})", self.filter)?;
        }
        match (self.at_least, self.at_most) {
            (_, Some(0)) => f.write_str(": none")?,
            (least, Some(most)) if least == most => write!(f, ": exactly {least}")?,
            (0, Some(most)) => write!(f, ": at most {most}")?,
            (least, Some(most)) => write!(f, ": {least} to {most}")?,
            (least, None) => write!(f, ": at least {least}")?,
        }
        if let Some(every) = &self.every {
            write!(f, ", every one {every}")?;
        }
        self.during.as_ref().map_or(Ok(()), |probe| write!(f, ", during {probe}"))
    }
}
