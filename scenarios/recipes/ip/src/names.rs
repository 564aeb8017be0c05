//! The names that iproute2 has for numbers of the routing tables (/etc/iproute2).

use crate::cursor::{Cursor, Named};
use crate::fault::shown;
use crate::value::read_number;
use netwright_network::change::TABLE_MAIN;
use netwright_network::text::suggestion;

type Names = [(&'static str, u32)];

const TABLES: &Names = &[("local", 255), ("main", TABLE_MAIN), ("default", 253), ("unspec", 0)];

const PROTOCOLS: &Names = &[
    ("unspec", 0),
    ("redirect", 1),
    ("kernel", 2),
    ("boot", 3),
    ("static", 4),
    ("gated", 8),
    ("ra", 9),
    ("mrt", 10),
    ("zebra", 11),
    ("bird", 12),
    ("dnrouted", 13),
    ("xorp", 14),
    ("ntk", 15),
    ("dhcp", 16),
    ("keepalived", 18),
    ("babel", 42),
    ("openr", 99),
    ("bgp", 186),
    ("isis", 187),
    ("ospf", 188),
    ("rip", 189),
    ("eigrp", 192),
];

const SCOPES: &Names =
    &[("global", 0), ("nowhere", 255), ("host", 254), ("link", 253), ("site", 200)];

const GROUPS: &Names = &[("default", 0)];

const SERVICES: &Names = &[
    ("default", 0),
    ("AF11", 0x28),
    ("AF12", 0x30),
    ("AF13", 0x38),
    ("AF21", 0x48),
    ("AF22", 0x50),
    ("AF23", 0x58),
    ("AF31", 0x68),
    ("AF32", 0x70),
    ("AF33", 0x78),
    ("AF41", 0x88),
    ("AF42", 0x90),
    ("AF43", 0x98),
    ("CS1", 0x20),
    ("CS2", 0x40),
    ("CS3", 0x60),
    ("CS4", 0x80),
    ("CS5", 0xa0),
    ("CS6", 0xc0),
    ("CS7", 0xe0),
    ("EF", 0xb8),
];

fn number_of(names: &Names, text: &str) -> Option<u32> {
    names.iter().find(|(name, _)| *name == text).map(|(_, number)| *number)
}

fn name_of(names: &Names, number: u32) -> String {
    let found = names.iter().find(|(_, known)| *known == number);
    found.map_or_else(|| number.to_string(), |(name, _)| (*name).to_owned())
}

/// A name or a number up to the limit.
fn read(
    cursor: &mut Cursor<'_>,
    option: Named<'_>,
    names: &'static Names,
    most: u32,
    read: fn(&str) -> Option<u64>,
) -> Option<u32> {
    let word = cursor.value(option)?;
    let number = || read(&word.text).and_then(|number| u32::try_from(number).ok());
    let found = number_of(names, &word.text).or_else(number).filter(|number| *number <= most);
    if found.is_none() {
        let (name, typed) = (option.name, shown(&word.text));
        let message = format!("`{typed}` is not a {name}; that is a name or a number up to {most}");
        cursor.fault(word, message, suggestion(&word.text, names.iter().map(|(name, _)| *name)));
    }
    found
}

fn read_hexadecimal(text: &str) -> Option<u64> {
    u64::from_str_radix(text.trim_start_matches("0x"), 16).ok()
}

/// A routing table. Only the names that every system has are known.
pub(crate) fn table(cursor: &mut Cursor<'_>, option: Named<'_>) -> Option<u32> {
    let named = Named { name: "table", ..option };
    let word = cursor.peek();
    // A name of the machine's own, of which nothing can be known here.
    if let Some(word) =
        word.filter(|word| is_name(&word.text) && number_of(TABLES, &word.text).is_none())
        && suggestion(&word.text, TABLES.iter().map(|(name, _)| *name)).is_none()
    {
        let message =
            format!("table `{}` has its number in /etc/iproute2/rt_tables", shown(&word.text));
        let help =
            "a recipe reads no files: say the number; `local`, `main` and `default` are known";
        cursor.next();
        cursor.refuse_with(word, message, help);
        return None;
    }
    read(cursor, named, TABLES, u32::MAX, read_number)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// Who made a route, rtm_protocol.
pub(crate) fn protocol(cursor: &mut Cursor<'_>, option: Named<'_>) -> Option<u8> {
    read(cursor, Named { name: "protocol", ..option }, PROTOCOLS, 255, read_number)
        .and_then(|number| u8::try_from(number).ok())
}

pub(crate) fn scope(cursor: &mut Cursor<'_>, option: Named<'_>) -> Option<u8> {
    read(cursor, Named { name: "scope", ..option }, SCOPES, 255, read_number)
        .and_then(|number| u8::try_from(number).ok())
}

/// A group of links.
pub(crate) fn group(cursor: &mut Cursor<'_>, option: Named<'_>) -> Option<u32> {
    read(cursor, Named { name: "group", ..option }, GROUPS, u32::MAX, read_number)
}

/// A type of service; numbers are hexadecimal with or without `0x`.
pub(crate) fn service(cursor: &mut Cursor<'_>, option: Named<'_>) -> Option<u8> {
    read(cursor, Named { name: "tos", ..option }, SERVICES, 255, read_hexadecimal)
        .and_then(|number| u8::try_from(number).ok())
}

pub(crate) fn table_name(table: u32) -> String {
    name_of(TABLES, table)
}

pub(crate) fn protocol_name(protocol: u8) -> String {
    name_of(PROTOCOLS, protocol.into())
}

pub(crate) fn scope_name(scope: u8) -> String {
    name_of(SCOPES, scope.into())
}

pub(crate) fn group_name(group: u32) -> String {
    name_of(GROUPS, group)
}

pub(crate) fn service_name(service: u8) -> String {
    let found = SERVICES.iter().find(|(_, known)| *known == u32::from(service));
    found.map_or_else(|| format!("{service:#04x}"), |(name, _)| (*name).to_owned())
}
