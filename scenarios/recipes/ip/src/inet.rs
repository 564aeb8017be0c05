//! Internet addresses and prefixes, read as iproute2 reads them (lib/utils.c).

use std::net::{Ipv4Addr, Ipv6Addr};

use netwright_sdk::wit::types::{Family, IpAddress, IpPrefix};

use crate::cursor::{Cursor, Named};
use crate::fault::shown;
use crate::lex::Word;
use crate::value::read_number;

/// `default`, `any` and `all` stand for no address at all.
pub(crate) fn is_any(text: &str) -> bool {
    matches!(text, "default" | "any" | "all")
}

/// Whether a word chooses nothing where addresses or routes are chosen: without a family `all` and
/// `any` stand for both of them, unlike `default`, which is IPv4's (lib/utils.c, `get_prefix_1`).
pub(crate) fn chooses_nothing(word: &Word, families: &Families) -> bool {
    families.chosen.is_none() && matches!(word.text.as_str(), "all" | "any")
}

pub(crate) fn family_of(address: &IpAddress) -> Family {
    match address {
        IpAddress::Ipv4(_) => Family::Ipv4,
        IpAddress::Ipv6(_) => Family::Ipv6,
    }
}

/// The length of a whole address.
pub(crate) fn bits(family: Family) -> u8 {
    match family {
        Family::Ipv4 => 32,
        Family::Ipv6 => 128,
    }
}

pub(crate) fn from_v4(address: Ipv4Addr) -> IpAddress {
    let [a, b, c, d] = address.octets();
    IpAddress::Ipv4((a, b, c, d))
}

pub(crate) fn from_v6(address: Ipv6Addr) -> IpAddress {
    let [a, b, c, d, e, f, g, h] = address.segments();
    IpAddress::Ipv6((a, b, c, d, e, f, g, h))
}

/// In network order, the four bytes of IPv4 at the low end.
pub(crate) fn value_of(address: &IpAddress) -> u128 {
    match *address {
        IpAddress::Ipv4((a, b, c, d)) => u128::from(u32::from_be_bytes([a, b, c, d])),
        IpAddress::Ipv6((a, b, c, d, e, f, g, h)) => Ipv6Addr::new(a, b, c, d, e, f, g, h).into(),
    }
}

pub(crate) fn text_of(address: &IpAddress) -> String {
    match *address {
        IpAddress::Ipv4((a, b, c, d)) => Ipv4Addr::new(a, b, c, d).to_string(),
        IpAddress::Ipv6((a, b, c, d, e, f, g, h)) => {
            Ipv6Addr::new(a, b, c, d, e, f, g, h).to_string()
        }
    }
}

pub(crate) fn is_multicast(address: &IpAddress) -> bool {
    match *address {
        IpAddress::Ipv4((first, ..)) => (224..=239).contains(&first),
        IpAddress::Ipv6((first, ..)) => first >> 8 == 0xff,
    }
}

/// Whether the prefix holds the address.
pub(crate) fn holds(prefix: &IpPrefix, address: &IpAddress) -> bool {
    let family = family_of(&prefix.address);
    let free = u32::from(bits(family).saturating_sub(prefix.length));
    let network = |address: &IpAddress| value_of(address).checked_shr(free).unwrap_or(0);
    family == family_of(address) && network(&prefix.address) == network(address)
}

/// An address; `any` is that of all zeros. IPv4 may stop after any byte: `10.1` is 10.1.0.0.
pub(crate) fn read_address(text: &str, family: Option<Family>) -> Option<IpAddress> {
    if is_any(text) {
        return Some(match family {
            Some(Family::Ipv6) => from_v6(Ipv6Addr::UNSPECIFIED),
            Some(Family::Ipv4) | None => from_v4(Ipv4Addr::UNSPECIFIED),
        });
    }
    if text.contains(':') {
        return text.parse().ok().map(from_v6);
    }
    let mut bytes = [0; 4];
    let mut parts = text.split('.');
    for byte in &mut bytes {
        let Some(part) = parts.next() else { break };
        *byte = u8::try_from(read_number(part)?).ok()?;
    }
    if parts.next().is_some() { None } else { Some(from_v4(bytes.into())) }
}

/// A length, or for IPv4 a netmask of which all ones come first.
fn read_length(text: &str, family: Family) -> Option<u8> {
    if let Some(length) = read_number(text) {
        return u8::try_from(length).ok().filter(|length| *length <= bits(family));
    }
    if family != Family::Ipv4 || !text.contains('.') {
        return None;
    }
    let mask = u32::from(text.parse::<Ipv4Addr>().ok()?);
    (mask.leading_ones() + mask.trailing_zeros() >= 32)
        .then(|| u8::try_from(mask.leading_ones()).ok())
        .flatten()
}

/// Without a length it is that of the whole address.
pub(crate) fn read_prefix(text: &str, family: Option<Family>) -> Option<IpPrefix> {
    if is_any(text) {
        return Some(IpPrefix { address: read_address(text, family)?, length: 0 });
    }
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (read_address(address, family)?, Some(length)),
        None => (read_address(text, family)?, None),
    };
    let found = family_of(&address);
    let length = match length {
        Some(length) => read_length(length, found)?,
        None => bits(found),
    };
    Some(IpPrefix { address, length })
}

/// The family of a command: given, or that of the first address.
#[derive(Clone, Copy)]
pub(crate) struct Families {
    pub(crate) chosen: Option<Family>,
}

impl Families {
    /// Refuses an address of the other family.
    fn admit(&mut self, cursor: &mut Cursor<'_>, word: &Word, family: Family) -> bool {
        if is_any(&word.text) {
            return true;
        }
        let chosen = *self.chosen.get_or_insert(family);
        if chosen != family {
            let (found, wanted) = (family_name(family), family_name(chosen));
            let message = format!("`{}` is {found}, where {wanted} is expected", word.text);
            cursor.refuse(word, message);
        }
        chosen == family
    }

    pub(crate) fn or_ipv4(self) -> Family {
        self.chosen.unwrap_or(Family::Ipv4)
    }
}

pub(crate) fn family_name(family: Family) -> &'static str {
    match family {
        Family::Ipv4 => "IPv4",
        Family::Ipv6 => "IPv6",
    }
}

pub(crate) fn address_word(
    cursor: &mut Cursor<'_>,
    word: &Word,
    families: &mut Families,
) -> Option<IpAddress> {
    let Some(address) = read_address(&word.text, families.chosen) else {
        let message = format!("`{}` is not an internet address", shown(&word.text));
        let help = address_help(&word.text);
        cursor.fault(word, message, help.map(str::to_owned));
        return None;
    };
    families.admit(cursor, word, family_of(&address)).then_some(address)
}

fn address_help(text: &str) -> Option<&'static str> {
    if text.contains('/') { Some("this place takes an address without a length") } else { None }
}

pub(crate) fn address(
    cursor: &mut Cursor<'_>,
    option: Named<'_>,
    families: &mut Families,
) -> Option<IpAddress> {
    let word = cursor.value(option)?;
    address_word(cursor, word, families)
}

pub(crate) fn prefix_word(
    cursor: &mut Cursor<'_>,
    word: &Word,
    families: &mut Families,
) -> Option<IpPrefix> {
    let Some(prefix) = read_prefix(&word.text, families.chosen) else {
        refuse_prefix(cursor, word);
        return None;
    };
    families.admit(cursor, word, family_of(&prefix.address)).then_some(prefix)
}

fn refuse_prefix(cursor: &mut Cursor<'_>, word: &Word) {
    let typed = shown(&word.text);
    let address = word.text.split_once('/').and_then(|(address, _)| read_address(address, None));
    match address.as_ref().map(family_of) {
        Some(family) => {
            let (name, most) = (family_name(family), bits(family));
            let message = format!("the length of `{typed}` is wrong; {name} has 0 to {most}");
            cursor.refuse(word, message);
        }
        None => cursor.refuse(word, format!("`{typed}` is not an internet address or prefix")),
    }
}

pub(crate) fn prefix(
    cursor: &mut Cursor<'_>,
    option: Named<'_>,
    families: &mut Families,
) -> Option<IpPrefix> {
    let word = cursor.value(option)?;
    prefix_word(cursor, word, families)
}

#[cfg(test)]
mod tests {
    use netwright_sdk::wit::types::Family;

    use super::{holds, read_address, read_prefix, text_of};

    #[test]
    fn prefixes_are_read_as_iproute2_does() {
        for (text, shown) in [
            ("192.168.56.122/24", "192.168.56.122/24"),
            ("10.0.0.1", "10.0.0.1/32"),
            ("10/8", "10.0.0.0/8"),
            ("10.1", "10.1.0.0/32"),
            ("0x0a.1.2.3/0x18", "10.1.2.3/24"),
            ("10.0.0.1/255.255.252.0", "10.0.0.1/22"),
            ("10.0.0.1/0.0.0.0", "10.0.0.1/0"),
            ("default", "0.0.0.0/0"),
            ("fd00::1/64", "fd00::1/64"),
            ("fd00::1", "fd00::1/128"),
            ("::ffff:10.0.0.1/96", "::ffff:10.0.0.1/96"),
        ] {
            let prefix = read_prefix(text, None).expect(text);
            assert_eq!(format!("{}/{}", text_of(&prefix.address), prefix.length), shown);
        }
        for text in [
            "",
            "x",
            "10.0.0.256",
            "10.0.0.1/33",
            "10.0.0.1/",
            "/24",
            "1.2.3.4.5",
            "10..1",
            "10.0.0.1/255.0.255.0",
            "fd00::1/129",
            "fd00:::1",
            "fd00::1/ffff::",
            "10.0.0.1/24/24",
        ] {
            assert_eq!(read_prefix(text, None), None, "{text}");
        }
    }

    #[test]
    fn the_default_has_the_family_asked_for() {
        let address = read_address("default", Some(Family::Ipv6)).map(|found| text_of(&found));
        assert_eq!(address.as_deref(), Some("::"));
    }

    #[test]
    fn a_prefix_holds_what_begins_like_it() {
        let inside = |prefix: &str, address: &str| {
            let prefix = read_prefix(prefix, None).expect(prefix);
            holds(&prefix, &read_address(address, None).expect(address))
        };
        assert!(inside("10.0.0.0/8", "10.255.0.1"));
        assert!(!inside("10.0.0.0/8", "11.0.0.1"));
        assert!(inside("0.0.0.0/0", "11.0.0.1"));
        assert!(inside("::/0", "fd00::1"));
        assert!(!inside("::/0", "10.0.0.1"));
        assert!(!inside("fd00::1/128", "fd00::2"));
    }
}
