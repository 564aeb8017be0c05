//! `type vlan` (ip/iplink_vlan.c).

use netwright_sdk::wit::links::{Vlan, VlanProtocol};
use netwright_sdk::wit::types::Attribute;

use crate::cursor::{Cursor, Named};
use crate::fault::shown;
use crate::keyword::{Keyword, find, names, short};
use crate::lex::Word;
use crate::value::{attribute, number_within, read_number, refuse_choice, switch};

#[derive(Clone, Copy)]
enum VlanOption {
    Protocol,
    Id,
    Switch,
    Map,
}

const OPTIONS: &[Keyword<VlanOption>] = &[
    short("protocol", VlanOption::Protocol),
    short("id", VlanOption::Id),
    short("reorder_hdr", VlanOption::Switch),
    short("gvrp", VlanOption::Switch),
    short("mvrp", VlanOption::Switch),
    short("loose_binding", VlanOption::Switch),
    short("bridge_binding", VlanOption::Switch),
    short("ingress-qos-map", VlanOption::Map),
    short("egress-qos-map", VlanOption::Map),
];

/// IEEE 802.1Q: 0 means no VLAN, 4095 is reserved.
const IDS: std::ops::RangeInclusive<u64> = 1..=4094;

#[derive(Default)]
struct VlanWords<'a> {
    id: Option<(&'a Word, Option<u16>)>,
    protocol: Option<(&'a Word, VlanProtocol)>,
    options: Vec<Attribute>,
}

fn read<'a>(cursor: &mut Cursor<'a>) -> Option<VlanWords<'a>> {
    let mut words = VlanWords::default();
    while let Some(word) = cursor.next() {
        let Some((name, option)) = find(OPTIONS, &word.text) else {
            cursor.unknown(word, "`type vlan`", names(OPTIONS));
            return None;
        };
        let named = Named { word, name };
        match option {
            VlanOption::Id => words.id = Some((word, number_within(cursor, named, IDS))),
            VlanOption::Protocol => {
                words.protocol = protocol(cursor, named).map(|protocol| (word, protocol));
            }
            VlanOption::Switch => {
                let on = switch(cursor, named);
                let value = on.map(|on| if on { "on" } else { "off" });
                words.options.extend(value.map(|value| attribute(name, value)));
            }
            VlanOption::Map => words.options.extend(map(cursor, named)),
        }
    }
    Some(words)
}

/// By name whatever its case, or by its EtherType.
fn protocol(cursor: &mut Cursor<'_>, named: Named<'_>) -> Option<VlanProtocol> {
    let word = cursor.value(named)?;
    match word.text.to_ascii_lowercase().as_str() {
        "802.1q" | "0x8100" => Some(VlanProtocol::Dot1q),
        "802.1ad" | "0x88a8" => Some(VlanProtocol::Dot1ad),
        _other => {
            refuse_choice(cursor, word, "protocol", ["802.1Q", "802.1ad"].into_iter());
            None
        }
    }
}

/// One or more `FROM:TO`.
fn map(cursor: &mut Cursor<'_>, named: Named<'_>) -> Option<Attribute> {
    let mut pairs = Vec::new();
    while let Some(word) = cursor.peek() {
        let Some((from, to)) = word.text.split_once(':') else { break };
        cursor.next();
        let small = |text: &str| read_number(text).filter(|number| *number <= u64::from(u32::MAX));
        let (Some(from), Some(to)) = (small(from), small(to)) else {
            let message = format!("`{}` is not `FROM:TO` in numbers", shown(&word.text));
            cursor.refuse(word, message);
            return None;
        };
        pairs.push(format!("{from}:{to}"));
    }
    if pairs.is_empty() {
        let message = format!("`{}` needs a value after it", named.name);
        cursor.refuse_with(named.word, message, "as in `1:2 3:4`");
        return None;
    }
    Some(attribute(named.name, pairs.join(" ")))
}

pub(crate) fn parse_new(cursor: &mut Cursor<'_>, kind: &Word) -> Option<Vlan> {
    let words = read(cursor)?;
    let Some((_, id)) = words.id else {
        cursor.refuse_with(kind, "`vlan` needs `id`".to_owned(), "a number from 1 to 4094");
        return None;
    };
    let protocol = words.protocol.map_or(VlanProtocol::Dot1q, |(_, protocol)| protocol);
    Some(Vlan { id: id?, protocol, options: words.options })
}

pub(crate) fn parse_change(cursor: &mut Cursor<'_>) -> Option<Vec<Attribute>> {
    let words = read(cursor)?;
    let fixed = words.id.map(|(word, _)| word).into_iter();
    for word in fixed.chain(words.protocol.map(|(word, _)| word)) {
        cursor.refuse(word, "a vlan's `id` and `protocol` can't be altered".to_owned());
    }
    Some(words.options)
}
