//! What a run may use up.

use std::time::Duration;

use super::units;
use crate::document::{Fields, Node, Reader, Span};

/// The limits of one run; where the file is silent the default holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// wall clock of the recipes and checks together
    pub time: Duration,
    /// bytes of linear memory for each recipe
    pub memory: u64,
    /// elements in each table of functions
    pub table: u64,
    /// bytes that one call of a recipe may bring to the host
    pub call_bytes: u64,
    /// handles that a recipe holds at a time
    pub handles: u32,
    /// namespaces made by the run
    pub namespaces: u32,
    /// links made by the run, veth peers included
    pub links: u32,
    /// bytes of log and report; a recipe with more to say is stopped
    pub log: u64,
    /// bytes of frames that captures hold at a time
    pub captured: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(60),
            memory: 64 << 20,
            table: 100_000,
            call_bytes: 16 << 20,
            handles: 16_384,
            namespaces: 4_096,
            links: 16_384,
            log: 1 << 20,
            captured: 16 << 20,
        }
    }
}

/// A day.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// What one recipe can address.
const MOST_MEMORY: u64 = 4 << 30;

impl Limits {
    pub(crate) fn read(node: &Node, reader: &mut Reader) -> Self {
        let mut limits = Self::default();
        let Some(mut fields) = reader.map(node, "`limits`") else { return limits };
        if let Some(node) = fields.get("time") {
            limits.time = time(node, reader).unwrap_or(limits.time);
        }
        bytes(&mut fields, reader, "memory", (64 << 10, MOST_MEMORY), &mut limits.memory);
        bytes(&mut fields, reader, "call-bytes", (1 << 10, 1 << 40), &mut limits.call_bytes);
        bytes(&mut fields, reader, "log", (0, 1 << 30), &mut limits.log);
        bytes(&mut fields, reader, "captured", (0, 1 << 30), &mut limits.captured);
        if let Some(node) = fields.get("table") {
            let table =
                reader.integer(node, 1, 10_000_000).and_then(|n: i64| u64::try_from(n).ok());
            limits.table = table.unwrap_or(limits.table);
        }
        count(&mut fields, reader, "handles", &mut limits.handles);
        count(&mut fields, reader, "namespaces", &mut limits.namespaces);
        count(&mut fields, reader, "links", &mut limits.links);
        reader.close(fields);
        limits
    }
}

fn time(node: &Node, reader: &mut Reader) -> Option<Duration> {
    let time = reader.parsed(node, units::duration)?;
    in_range(
        reader,
        &node.span,
        (Duration::from_millis(1)..=LONGEST).contains(&time),
        "1ms to 24h",
    )?;
    Some(time)
}

fn bytes(
    fields: &mut Fields<'_>,
    reader: &mut Reader,
    key: &'static str,
    (least, most): (u64, u64),
    into: &mut u64,
) {
    let Some(node) = fields.get(key) else { return };
    let Some(size) = reader.parsed(node, units::size) else { return };
    let range = format!("{} to {}", shown(least), shown(most));
    if in_range(reader, &node.span, (least..=most).contains(&size), &range).is_some() {
        *into = size;
    }
}

fn count(fields: &mut Fields<'_>, reader: &mut Reader, key: &'static str, into: &mut u32) {
    if let Some(node) = fields.get(key) {
        *into = reader.integer(node, 0, 1_000_000).unwrap_or(*into);
    }
}

fn in_range(reader: &mut Reader, span: &Span, fits: bool, range: &str) -> Option<()> {
    if !fits {
        reader.fault(span, format!("out of range; {range} is possible"));
    }
    fits.then_some(())
}

/// In the largest unit that divides it.
fn shown(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let unit = units.iter().find(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(*unit));
    unit.map_or_else(|| format!("{bytes}B"), |(unit, name)| format!("{}{name}", bytes / unit))
}
