//! Values of options: numbers, switches, names, stations.

use std::ops::RangeInclusive;

use netwright_sdk::wit::types::{Attribute, MacAddress};

use crate::cursor::{Cursor, Named};
use crate::fault::shown;
use crate::lex::Word;
use netwright_network::text::suggestion;

pub(crate) const LONGEST_NAME: usize = netwright_network::names::LONGEST_LINK;
/// IFALIASZ less its NUL.
const LONGEST_ALIAS: usize = 255;

/// A number as strtoul(3) with base 0 reads it: decimal, `0x` hexadecimal, `0` octal.
pub(crate) fn read_number(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let (digits, base) = match lower.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None if lower.len() > 1 && lower.starts_with('0') => (&lower[1..], 8),
        None => (lower.as_str(), 10),
    };
    let plain = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_alphanumeric());
    if plain { u64::from_str_radix(digits, base).ok() } else { None }
}

pub(crate) fn number(
    cursor: &mut Cursor<'_>,
    option: Named<'_>,
    range: RangeInclusive<u64>,
) -> Option<u64> {
    let word = cursor.value(option)?;
    let found = read_number(&word.text).filter(|number| range.contains(number));
    if found.is_none() {
        let (least, most, typed) = (range.start(), range.end(), shown(&word.text));
        let name = option.name;
        cursor.refuse(
            word,
            format!("`{name}` must be a number from {least} to {most}, not `{typed}`"),
        );
    }
    found
}

pub(crate) fn number32(cursor: &mut Cursor<'_>, option: Named<'_>) -> Option<u32> {
    number_within(cursor, option, 0..=u64::from(u32::MAX))
}

/// As [`number`], where the range is within the smaller type's.
pub(crate) fn number_within<T: TryFrom<u64>>(
    cursor: &mut Cursor<'_>,
    option: Named<'_>,
    range: RangeInclusive<u64>,
) -> Option<T> {
    T::try_from(number(cursor, option, range)?).ok()
}

/// How a short word was understood, which surprises where it was meant as the name of a link.
pub(crate) fn reading(option: Named<'_>) -> Option<String> {
    let (typed, name) = (shown(&option.word.text), option.name);
    let surprising = typed != name && typed.len() < 4;
    surprising.then(|| {
        format!("`{typed}` is read as `{name}`; after `dev` it would be the name of a link")
    })
}

pub(crate) fn switch(cursor: &mut Cursor<'_>, option: Named<'_>) -> Option<bool> {
    let word = cursor.value(option)?;
    match word.text.as_str() {
        "on" => Some(true),
        "off" => Some(false),
        typed => {
            let (name, typed) = (option.name, shown(typed));
            let message = format!("`{name}` must be `on` or `off`, not `{typed}`");
            cursor.fault(word, message, reading(option));
            None
        }
    }
}

/// One of several words.
pub(crate) fn choice<T: Copy>(
    cursor: &mut Cursor<'_>,
    option: Named<'_>,
    choices: &[(&'static str, T)],
) -> Option<T> {
    let word = cursor.value(option)?;
    let found = choices.iter().find(|(name, _)| *name == word.text);
    if found.is_none() {
        refuse_choice(cursor, word, option.name, choices.iter().map(|(name, _)| *name));
    }
    found.map(|(_, meaning)| *meaning)
}

pub(crate) fn refuse_choice(
    cursor: &mut Cursor<'_>,
    word: &Word,
    option: &str,
    choices: impl Iterator<Item = &'static str> + Clone,
) {
    let all: Vec<String> = choices.clone().map(|name| format!("`{name}`")).collect();
    let typed = shown(&word.text);
    let several = if all.len() > 1 { "one of " } else { "" };
    let message = format!("`{option}` must be {several}{}, not `{typed}`", all.join(", "));
    // The message has them all; of very short ones each is as near as the next.
    let longer = choices.filter(|choice| choice.len() > 2);
    cursor.fault(word, message, suggestion(&word.text, longer));
}

/// The name of a new link.
pub(crate) fn new_name(cursor: &mut Cursor<'_>, word: &Word) -> Option<String> {
    admit(cursor, word, netwright_network::names::link)
}

/// The name of a namespace, under the same rule whether it is new or not.
pub(crate) fn namespace_word(cursor: &mut Cursor<'_>, word: &Word) -> Option<String> {
    admit(cursor, word, netwright_network::names::namespace)
}

fn admit(
    cursor: &mut Cursor<'_>,
    word: &Word,
    grammar: fn(&str) -> Result<(), String>,
) -> Option<String> {
    match grammar(&word.text) {
        Ok(()) => Some(word.text.clone()),
        Err(message) => {
            cursor.refuse(word, message);
            None
        }
    }
}

/// The name of a link that is there already, by the kernel's own rule
/// (net/core/dev.c, `dev_valid_name`).
pub(crate) fn link_word(cursor: &mut Cursor<'_>, word: &Word) -> Option<String> {
    let name = &word.text;
    let held = |c: char| c.is_whitespace() || c.is_control() || c == '/' || c == ':';
    let possible = !name.is_empty()
        && name.len() <= LONGEST_NAME
        && name != "."
        && name != ".."
        && !name.contains(held);
    if !possible {
        let message = format!("`{}` can't be the name of a link", shown(name));
        cursor.refuse_with(word, message, "1 to 15 bytes, without `/`, `:` and white space");
        return None;
    }
    Some(name.clone())
}

/// A link of an address, route or neighbour, for which a label does as well: the kernel's look-up by
/// name heeds nothing from the colon on (net/core/dev_ioctl.c, `dev_load`; net/ipv4/devinet.c).
pub(crate) fn device(cursor: &mut Cursor<'_>, option: Named<'_>) -> Option<String> {
    let word = cursor.value(option)?;
    let label = word.text.split_once(':').filter(|(name, _)| !name.is_empty());
    let Some((name, _)) = label else { return link_word(cursor, word) };
    link_word(cursor, &Word { text: name.to_owned(), ..word.clone() })
}

pub(crate) fn link(cursor: &mut Cursor<'_>, option: Named<'_>) -> Option<String> {
    let word = cursor.value(option)?;
    link_word(cursor, word)
}

pub(crate) fn namespace(cursor: &mut Cursor<'_>, option: Named<'_>) -> Option<String> {
    let word = cursor.value(option)?;
    namespace_word(cursor, word)
}

/// A namespace that may also be a container's or a process's: `docker:NAME`, `pid:NUMBER`.
pub(crate) fn existing_namespace(cursor: &mut Cursor<'_>, word: &Word) -> Option<String> {
    let attached = word.text.starts_with("docker:") || word.text.starts_with("pid:");
    if attached && word.text.len() > 4 {
        return Some(word.text.clone());
    }
    namespace_word(cursor, word)
}

pub(crate) fn alias(cursor: &mut Cursor<'_>, option: Named<'_>) -> Option<String> {
    let word = cursor.value(option)?;
    let (length, name) = (word.text.len(), option.name);
    if length > LONGEST_ALIAS {
        let message = format!("`{name}` has {length} bytes; the kernel allows {LONGEST_ALIAS}");
        cursor.refuse(word, message);
        return None;
    }
    Some(word.text.clone())
}

/// Six bytes in hexadecimal with colons between them.
pub(crate) fn read_mac(text: &str) -> Option<MacAddress> {
    let mut parts = text.split(':').map(|part| {
        let hexadecimal =
            (1..=2).contains(&part.len()) && part.bytes().all(|digit| digit.is_ascii_hexdigit());
        if hexadecimal { u8::from_str_radix(part, 16).ok() } else { None }
    });
    let mut byte = || parts.next().flatten();
    let mac = (byte()?, byte()?, byte()?, byte()?, byte()?, byte()?);
    if parts.next().is_some() { None } else { Some(mac) }
}

const MAC_HELP: &str = "six hexadecimal bytes, as in `02:00:00:00:00:01`";

pub(crate) fn mac_word(cursor: &mut Cursor<'_>, word: &Word) -> Option<MacAddress> {
    mac_or(cursor, word, MAC_HELP.to_owned())
}

fn mac_or(cursor: &mut Cursor<'_>, word: &Word, help: String) -> Option<MacAddress> {
    let mac = read_mac(&word.text);
    if mac.is_none() {
        let message = format!("`{}` is not a MAC address", shown(&word.text));
        cursor.fault(word, message, Some(help));
    }
    mac
}

pub(crate) fn mac(cursor: &mut Cursor<'_>, option: Named<'_>) -> Option<MacAddress> {
    let word = cursor.value(option)?;
    mac_or(cursor, word, reading(option).unwrap_or_else(|| MAC_HELP.to_owned()))
}

/// An address that a station may have: neither a group's nor all zeros
/// (include/linux/etherdevice.h, `is_valid_ether_addr`).
pub(crate) fn station(cursor: &mut Cursor<'_>, option: Named<'_>) -> Option<MacAddress> {
    let word = cursor.peek();
    let mac = mac(cursor, option)?;
    admit_station(cursor, word?, mac)
}

pub(crate) fn station_word(cursor: &mut Cursor<'_>, word: &Word) -> Option<MacAddress> {
    let mac = mac_word(cursor, word)?;
    admit_station(cursor, word, mac)
}

fn admit_station(cursor: &mut Cursor<'_>, word: &Word, mac: MacAddress) -> Option<MacAddress> {
    if mac.0 & 1 == 1 {
        let message = format!("`{}` is a multicast address; a station's is unicast", word.text);
        cursor.refuse_with(word, message, "the lowest bit of the first byte must be 0");
        return None;
    }
    if mac == (0, 0, 0, 0, 0, 0) {
        cursor.refuse(word, "a station's address must not be all zeros".to_owned());
        return None;
    }
    Some(mac)
}

pub(crate) fn attribute(name: &str, value: impl ToString) -> Attribute {
    Attribute { name: name.to_owned(), value: value.to_string() }
}

#[cfg(test)]
mod tests {
    use super::{read_mac, read_number};

    #[test]
    fn numbers_are_read_in_three_bases() {
        for (text, number) in [
            ("0", Some(0)),
            ("42", Some(42)),
            ("0x2a", Some(42)),
            ("0X2A", Some(42)),
            ("052", Some(42)),
            ("08", None),
            ("", None),
            ("-1", None),
            ("+1", None),
            ("1k", None),
            ("0x", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(read_number(text), number, "{text}");
        }
    }

    #[test]
    fn macs_have_six_bytes() {
        assert_eq!(read_mac("2:0:0:0:0:a"), Some((2, 0, 0, 0, 0, 10)));
        assert_eq!(read_mac("02:00:5e:10:00:FF"), Some((2, 0, 0x5e, 0x10, 0, 0xff)));
        for text in [
            "",
            "02:00:00:00:00",
            "02:00:00:00:00:00:00",
            "02-00-00-00-00-00",
            "g2:0:0:0:0:0",
            "002:0:0:0:0:0",
            ":::::",
        ] {
            assert_eq!(read_mac(text), None, "{text}");
        }
    }
}
