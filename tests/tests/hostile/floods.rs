//! More of something than anybody needs, asked of the host, and waits without an end.

use crate::row::Row;

const LOG: &str = "65536 bytes of log and report";
const TIME: &str = "limit reached: 1 s of time";

pub(crate) fn of_words() -> Vec<Row> {
    let kinds = ["steps", "checks", "metrics", "lines", "newlines", "long-line", "long-log"];
    let words = kinds.map(|how| Row::in_rust(how, 7, LOG).limits("time: 20s, log: 64KiB"));
    let denials = Row::in_rust("denials", 7, LOG).limits("time: 20s, log: 64KiB");
    let all = words.into_iter().chain([
        denials.flags(&["--target", "host"]),
        Row::in_rust("attachments", 7, "67108864 bytes of attachments").works_for(3),
        Row::in_rust("many-faults", 7, "16777216 bytes in one call"),
    ]);
    all.collect()
}

pub(crate) fn of_changes() -> Vec<Row> {
    let by_time = [
        "refusals",
        "kernel-refusals",
        "long-refusals",
        "long-options",
        "long-names",
        "changes",
        "addresses",
        "same-namespace",
        "lists",
    ];
    let by_time = by_time.map(|how| Row::in_rust(how, 7, TIME).takes_a_second());
    // They come to it after hundreds of thousands of calls, in a runner that isn't optimised.
    let by_number = [
        Row::in_rust("batch", 7, "limit reached: 65536 changes in batches"),
        Row::in_rust("batches", 7, "limit reached: 65536 changes in batches"),
        Row::in_rust("batch-of-long-names", 7, "limit reached: 16777216 bytes in batches"),
        Row::in_rust("batch-of-settings", 7, "limit reached: 4194304 values in batches"),
        Row::in_rust("dropped-batches", 0, ""),
        Row::in_rust("batch-of-bytes", 7, "16777216 bytes in one call"),
        Row::in_rust("batch-of-namespaces", 7, "limit reached: 4096 namespaces"),
        Row::in_rust("settings", 5, "200000 settings at once; 256 are allowed"),
    ];
    let by_number = by_number.map(|row| row.limits("time: 300s"));
    let all = by_time.into_iter().chain(by_number);
    all.collect()
}

pub(crate) fn of_handles() -> Vec<Row> {
    let few = "time: 20s, handles: 50";
    let hoards = [
        ("handles", "limit reached: handles"),
        ("listeners", "limit reached: 50 handles"),
        ("many-pings", "limit reached: 50 handles"),
    ];
    let hoards = hoards.map(|(how, says)| Row::in_rust(how, 7, says).limits(few));
    let captures = Row::in_rust("captures", 7, "limit reached: 64 captures at a time");
    hoards.into_iter().chain([captures]).collect()
}

pub(crate) fn waits() -> Vec<Row> {
    let waits = [
        "wait-for-a-link",
        "wait-for-a-route",
        "wait-for-an-address",
        "wait-for-an-answer",
        "ping",
        "ping-and-ask",
        "arp",
        "tcp",
        "udp",
        "frames",
        "sleep",
        "naps",
        "tap",
    ];
    waits.map(|how| Row::in_rust(how, 7, TIME).takes_a_second()).into_iter().collect()
}
