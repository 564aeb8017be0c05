//! What a run may use up.

use std::time::Duration;

use netwright_network::units;

use crate::document::{Fields, Node, Reader, Span};

/// The limits of one run. A scenario sets all but the last; where it is silent, or there is none,
/// the default holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// wall clock of the recipes and checks together
    pub time: Duration,
    /// bytes of a recipe's linear memory, all memories together
    pub memory: usize,
    /// elements of a recipe's tables of functions, all tables together
    pub table_elements: usize,
    /// bytes that one call of a recipe may bring to the host
    pub call_bytes: usize,
    /// handles that a recipe holds at a time
    pub handles: usize,
    /// namespaces of the run's that there are at a time
    pub namespaces: usize,
    /// links of the run's that there are at a time, each end of a veth counted
    pub links: usize,
    /// bytes of log, report and print; a recipe with more to say is stopped
    pub log_bytes: usize,
    /// bytes of frames that captures hold at a time, all together
    pub captured_bytes: usize,
    /// bytes of one recipe file
    pub recipe_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(60),
            memory: 64 << 20,
            table_elements: 100_000,
            call_bytes: 16 << 20,
            handles: 16_384,
            namespaces: 4_096,
            links: 16_384,
            log_bytes: 1 << 20,
            captured_bytes: 16 << 20,
            recipe_bytes: 64 << 20,
        }
    }
}

/// Changes that any run may ask for.
const LEAST_CHANGES: usize = 65_536;

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
        bytes(&mut fields, reader, "log", (0, 1 << 30), &mut limits.log_bytes);
        bytes(&mut fields, reader, "captured", (0, 1 << 30), &mut limits.captured_bytes);
        count(&mut fields, reader, "table", (1, 10_000_000), &mut limits.table_elements);
        count(&mut fields, reader, "handles", (0, 1_000_000), &mut limits.handles);
        count(&mut fields, reader, "namespaces", (0, 1_000_000), &mut limits.namespaces);
        count(&mut fields, reader, "links", (0, 1_000_000), &mut limits.links);
        reader.close(fields);
        limits
    }

    /// Changes that are asked for, whether they are made or refused: each is kept, with what undoes
    /// it. Where more objects are allowed, each may have its address and its route.
    pub(crate) fn changes(&self) -> usize {
        LEAST_CHANGES.max(3 * (self.namespaces + self.links))
    }

    /// What holds where a key is left out, as a scenario would write it.
    pub(super) fn defaults() -> [(&'static str, String); 9] {
        let usual = Self::default();
        [
            ("time", format!("{}s", usual.time.as_secs())),
            ("memory", shown(usual.memory as u64)),
            ("table", usual.table_elements.to_string()),
            ("call-bytes", shown(usual.call_bytes as u64)),
            ("handles", usual.handles.to_string()),
            ("namespaces", usual.namespaces.to_string()),
            ("links", usual.links.to_string()),
            ("log", shown(usual.log_bytes as u64)),
            ("captured", shown(usual.captured_bytes as u64)),
        ]
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
    into: &mut usize,
) {
    let Some(node) = fields.get(key) else { return };
    let Some(size) = reader.parsed(node, units::size) else { return };
    let range = format!("{} to {}", shown(least), shown(most));
    if in_range(reader, &node.span, (least..=most).contains(&size), &range).is_some() {
        *into = usize::try_from(size).unwrap_or(usize::MAX);
    }
}

fn count(
    fields: &mut Fields<'_>,
    reader: &mut Reader,
    key: &'static str,
    (least, most): (u32, u32),
    into: &mut usize,
) {
    let Some(node) = fields.get(key) else { return };
    *into = reader.integer(node, least, most).map_or(*into, |count| count as usize);
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
