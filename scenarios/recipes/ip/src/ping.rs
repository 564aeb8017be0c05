//! `ip netns exec NAME ping …`: a probe made by the host (ping(8) of iputils).

use std::net::Ipv4Addr;

use netwright_sdk::wit::probes::PingOptions;
use netwright_sdk::wit::types::{Family, IpAddress};

use crate::cursor::{Cursor, Named};
use crate::fault::shown;
use crate::inet::{Families, address_word};
use crate::lex::Word;
use crate::value::{self, read_number};

#[derive(Debug, Clone, PartialEq)]
pub struct Ping {
    pub destination: IpAddress,
    pub options: PingOptions,
    /// with a deadline: how many replies are enough
    pub answered: Option<u32>,
    /// `-w`: goes on for so long, or until as many are answered
    pub deadline_ms: Option<u32>,
}

/// Without `-c` ping(8) goes on for ever, which no script can mean.
const COUNT: u32 = 3;
/// ping(8)'s own.
const INTERVAL_MS: u32 = 1000;
const TIMEOUT_MS: u32 = 10_000;
const SIZE: u16 = 56;

/// Flags of ping(8) that probes don't have.
const REFUSED: [(&str, &str); 10] = [
    ("-t", "the hop limit is the machine's: `sysctl net.ipv4.ip_default_ttl=N`"),
    ("-f", "`-i 0.01` sends as fast as is needed"),
    ("-Q", "the class of packets is not for probes; `ip rule add tos …` and routes with `tos` are"),
    ("-p", "the bytes of a probe are its own"),
    ("-b", "one station answers a probe; ask each"),
    ("-L", "groups don't answer a probe; ask each station"),
    ("-R", "routers write nothing into a probe"),
    ("-T", "routers write nothing into a probe"),
    ("-m", "marks are not for probes"),
    ("-l", "`-i 0.01` sends as fast as is needed"),
];

const FLAGS: [&str; 17] = [
    "-c", "-W", "-w", "-i", "-s", "-I", "-M", "-4", "-6", "-q", "-n", "-v", "-O", "-D", "-U", "-A",
    "-a",
];

pub(crate) fn parse(cursor: &mut Cursor<'_>, program: &Word) -> Option<Ping> {
    let mut options = PingOptions {
        count: COUNT,
        interval_ms: INTERVAL_MS,
        timeout_ms: TIMEOUT_MS,
        size: SIZE,
        whole: false,
        source: None,
    };
    let six = program.text.ends_with('6');
    let mut families = Families { chosen: six.then_some(Family::Ipv6) };
    let (mut count, mut deadline_ms) = (None, None);
    let mut destination = None;
    while let Some(word) = cursor.next() {
        if word.text.len() > 1 && word.text.starts_with('-') {
            let found = flag(cursor, word, &mut options, &mut families)?;
            count = found.count.or(count);
            deadline_ms = found.deadline_ms.or(deadline_ms);
        } else if destination.is_some() {
            let typed = shown(&word.text);
            cursor.refuse(word, format!("`{typed}` is a second destination"));
        } else {
            destination = Some(word);
        }
    }
    let Some(word) = destination else {
        cursor.refuse(program, "`ping` needs an address".to_owned());
        return None;
    };
    let destination =
        address_word(cursor, &station(word, families.chosen == Some(Family::Ipv6)), &mut families)?;
    options.count = count.unwrap_or(options.count);
    let answered = deadline_ms.and(count);
    Some(Ping { destination, options, answered, deadline_ms })
}

/// An address as ping(8) reads it, by inet_aton(3): of fewer than four numbers the last one takes all
/// bytes that are left, so that `10.2` is 10.0.0.2. Of names `localhost` is known.
fn station(word: &Word, six: bool) -> Word {
    let parts: Vec<&str> = word.text.split('.').collect();
    if word.text == "localhost" {
        let own = if six { "::1" } else { "127.0.0.1" };
        return Word { text: own.to_owned(), ..word.clone() };
    }
    let numbers: Option<Vec<u64>> = parts.iter().map(|part| read_number(part)).collect();
    let expanded = numbers.and_then(|numbers| {
        let (last, first) = numbers.split_last()?;
        let left = 4_u32.checked_sub(u32::try_from(first.len()).ok()?)?;
        let whole = first.iter().try_fold(0, |all, byte| {
            u8::try_from(*byte).ok().map(|byte| all << 8 | u64::from(byte))
        })?;
        let whole = whole << (8 * left) | Some(last).filter(|last| **last < 1 << (8 * left))?;
        u32::try_from(whole).ok().map(Ipv4Addr::from)
    });
    let text = expanded.map_or_else(|| word.text.clone(), |address| address.to_string());
    Word { text, ..word.clone() }
}

/// What a flag says beside the options of the probe.
#[derive(Default)]
struct Said {
    count: Option<u32>,
    deadline_ms: Option<u32>,
}

/// A flag with its value, which may be written onto it: `-c3`.
fn flag(
    cursor: &mut Cursor<'_>,
    word: &Word,
    options: &mut PingOptions,
    families: &mut Families,
) -> Option<Said> {
    let Some(name) = FLAGS.into_iter().find(|flag| word.text.starts_with(flag)) else {
        if let Some((name, instead)) = REFUSED.iter().find(|row| word.text.starts_with(row.0)) {
            let message = format!("`{name}` of `ping` is not offered here");
            cursor.refuse_with(word, message, instead);
            return None;
        }
        cursor.unknown(word, "`ping`", FLAGS.into_iter());
        return None;
    };
    let attached = &word.text[name.len()..];
    let split =
        Word { text: attached.to_owned(), line: word.line, column: word.column + 2, sign: false };
    let takes_value = matches!(name, "-c" | "-W" | "-w" | "-i" | "-s" | "-I" | "-M");
    if !takes_value {
        match name {
            "-4" => families.chosen = Some(Family::Ipv4),
            "-6" => families.chosen = Some(Family::Ipv6),
            _output => {}
        }
        if attached.is_empty() {
            return Some(Said::default());
        }
        // Several in one word, as `-qc1`.
        let column = word.column + 1;
        let rest = Word { text: format!("-{attached}"), column, ..word.clone() };
        return flag(cursor, &rest, options, families);
    }
    let value = if attached.is_empty() { cursor.value(Named { word, name })? } else { &split };
    Some(set(cursor, name, value, options))
}

fn set(cursor: &mut Cursor<'_>, name: &str, value: &Word, options: &mut PingOptions) -> Said {
    let mut said = Said::default();
    match name {
        "-c" => said.count = number(cursor, name, value, 1, 10_000),
        "-s" => {
            let size = number(cursor, name, value, 0, 65_507);
            options.size = size.and_then(|size| u16::try_from(size).ok()).unwrap_or(SIZE);
        }
        "-w" => said.deadline_ms = seconds(cursor, name, value),
        "-W" => options.timeout_ms = seconds(cursor, name, value).unwrap_or(TIMEOUT_MS),
        "-i" => options.interval_ms = seconds(cursor, name, value).unwrap_or(INTERVAL_MS),
        "-M" => options.whole = whole(cursor, value),
        _source => options.source = Some(value.text.clone()),
    }
    said
}

fn number(cursor: &mut Cursor<'_>, name: &str, value: &Word, least: u32, most: u32) -> Option<u32> {
    let number = value.text.parse().ok().filter(|number| (least..=most).contains(number));
    if number.is_none() {
        let typed = shown(&value.text);
        let message = format!("`{name}` must be a number from {least} to {most}, not `{typed}`");
        cursor.refuse(value, message);
    }
    number
}

/// Seconds with a fraction, in milliseconds.
fn seconds(cursor: &mut Cursor<'_>, name: &str, value: &Word) -> Option<u32> {
    let plain = value.text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let seconds: Option<f64> = if plain { value.text.parse().ok() } else { None };
    let Some(seconds) = seconds.filter(|seconds| (0.001..=3600.0).contains(seconds)) else {
        let typed = shown(&value.text);
        cursor.refuse(value, format!("`{name}` must be 0.001 to 3600 seconds, not `{typed}`"));
        return None;
    };
    let milliseconds = std::time::Duration::from_secs_f64(seconds).as_millis();
    u32::try_from(milliseconds).ok()
}

/// `do` forbids that the packet is cut into fragments.
fn whole(cursor: &mut Cursor<'_>, value: &Word) -> bool {
    let choices = ["do", "want", "dont"];
    if !choices.contains(&value.text.as_str()) {
        value::refuse_choice(cursor, value, "-M", choices.into_iter());
    }
    value.text == "do"
}
