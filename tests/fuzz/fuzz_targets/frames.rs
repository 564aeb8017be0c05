//! Frames that anybody can have sent, and filters over them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use netwright_frames::{Direction, Filter, Frame, Layer, Packet, Verdict};
use netwright_fuzz::{halves, harmless, text};

// The first byte says what the frame begins with, which way it goes, and whether more of it was cut
// off; then `KEY=VALUE` of a
// filter, one a line; behind a NUL, the frame.
fuzz_target!(|bytes: &[u8]| {
    let [how, rest @ ..] = bytes else { return };
    let layer = if how & 1 == 0 { Layer::Ethernet } else { Layer::Ip };
    let direction = if how & 2 == 0 { Direction::Incoming } else { Direction::Outgoing };
    let (conditions, frame) = halves(rest);
    let length = frame.len() as u32 + u32::from(how >> 2);
    let packet = Packet::read(&Frame { data: frame, length, layer, direction });
    assert!(Filter::default().matches(&packet), "an empty filter means every frame");
    let Some(conditions) = text(conditions) else { return };
    let mut filter = Filter::default();
    for (key, value) in conditions.lines().filter_map(|line| line.split_once('=')) {
        if let Err(rule) = filter.set(key, value) {
            harmless(&rule);
        }
        let matched = filter.matches(&packet);
        // One more condition never means more frames.
        let mut narrower = filter.clone();
        if narrower.set("direction", "incoming").is_ok() && direction == Direction::Incoming {
            assert!(matched || !narrower.matches(&packet) || direction_of(&filter));
        }
        if filter.contradiction().is_some() {
            assert!(!matched, "{filter} is of no frame");
            let whole = Packet::read(&Frame { data: frame, length: 0, layer, direction });
            assert!(filter.judge(&whole) != Verdict::Meant, "{filter} is of no frame");
        }
    }
    harmless(&filter.to_string());
});

/// Whether the filter says a direction, which the narrower one then replaced.
fn direction_of(filter: &Filter) -> bool {
    let shown = filter.to_string();
    shown.contains("incoming") || shown.contains("outgoing")
}
