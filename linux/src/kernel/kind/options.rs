//! Options by name: finding, sending and reading them.

use netwright_options::{
    Encoder, Fault as Wrong, INET6, LINK, OPERATIONAL_STATES, Row, Wire, find as row_of, value_for,
};
pub(crate) use netwright_options::{nearest, table};

use super::words::decode;
use crate::change::Attribute;
use crate::kernel::Error;
use crate::kernel::netlink::attributes::Nest;
use crate::text::help;

/// Where one option of a kind is described; the error is a sentence.
pub(super) fn find(kind: &str, option: &Attribute) -> Result<&'static Row, String> {
    row_of(kind, &option.name, &option.value).map_err(sentence)
}

fn sentence(wrong: Wrong) -> String {
    wrong.message + &wrong.remedy.map(help).unwrap_or_default()
}

/// IFLA_INFO_DATA or IFLA_INFO_SLAVE_DATA.
pub(crate) fn encode(
    kind: &str,
    options: &[Attribute],
    index_of: &mut dyn FnMut(&str) -> Result<u32, Error>,
) -> Result<Nest, Error> {
    let mut encoder = Encoder::default();
    for option in options {
        let row = find(kind, option).map_err(Error::Invalid)?;
        let value = value_for(row, &option.value);
        encoder.add(row, value, &mut |name| index_of(name).map_err(Fault::Kernel))?;
    }
    let mut nest = Nest::new();
    for (attribute, bytes) in encoder.finish() {
        nest.put(attribute, bytes);
    }
    Ok(nest)
}

/// Whether an option is one of a tunnel's flags, or a key, which goes with a flag.
pub(crate) fn is_tunnel_flag(kind: &str, option: &Attribute) -> bool {
    find(kind, option).is_ok_and(is_flag_row)
}

fn is_flag_row(row: &Row) -> bool {
    matches!(
        row.wire,
        Wire::TunnelFlag(..) | Wire::TunnelFlagOff(_) | Wire::TunnelKey(..) | Wire::TunnelKeyOff(_)
    )
}

/// The flags and keys of a tunnel, which share attributes: so that one can be altered, all of them
/// are sent.
pub(crate) fn tunnel_flags(kind: &str, data: &[u8]) -> Vec<Attribute> {
    let mut all = read(kind, data, &mut |_| None);
    all.retain(|option| is_tunnel_flag(kind, option));
    all
}

/// The words that take all flags and keys of a tunnel away.
pub(crate) fn no_tunnel_flags(kind: &str) -> Vec<Attribute> {
    let off = |row: &&Row| matches!(row.wire, Wire::TunnelFlagOff(_) | Wire::TunnelKeyOff(_));
    let named = |row: &Row| Attribute { name: row.name.to_owned(), value: String::new() };
    table(kind).unwrap_or_default().iter().filter(off).map(named).collect()
}

/// Whether an option is one bit of an attribute that the kernel leaves out where no bit is set
/// (vlan_fill_info).
pub(crate) fn is_bit(kind: &str, name: &str) -> bool {
    let row = table(kind).into_iter().flatten().find(|row| row.name == name);
    row.is_some_and(|row| matches!(row.wire, Wire::Bit(_)))
}

/// Whether an option of which the kernel says nothing is none, which an empty value asks for.
pub(crate) fn may_be_none(kind: &str, name: &str) -> bool {
    let row = table(kind).into_iter().flatten().find(|row| row.name == name);
    kind == "bond" && row.is_some_and(|row| matches!(row.wire, Wire::Link | Wire::Ipv4List))
}

/// A sentence about a value, or why a link was not found.
enum Fault {
    Value(String),
    Kernel(Error),
}

impl From<String> for Fault {
    fn from(sentence: String) -> Self {
        Self::Value(sentence)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Value(sentence) => Self::Invalid(sentence),
            Fault::Kernel(error) => error,
        }
    }
}

/// Everything that is wrong with options, without asking the kernel for links.
pub(crate) fn faults(kind: &str, options: &[Attribute]) -> Vec<String> {
    let wrong = |one: &Attribute| netwright_options::fault(kind, &one.name, &one.value);
    options.iter().filter_map(wrong).map(sentence).collect()
}

/// A kind's data in ip(8)'s words. Where two names mean one attribute, the first is used.
pub(crate) fn read(
    kind: &str,
    data: &[u8],
    name_of: &mut dyn FnMut(u32) -> Option<String>,
) -> Vec<Attribute> {
    let mut found: Vec<Attribute> = Vec::new();
    let mut seen: Vec<u16> = Vec::new();
    for row in table(kind).unwrap_or_default() {
        let shares = matches!(row.wire, Wire::Bit(_)) || is_flag_row(row);
        if !shares && seen.contains(&row.attribute) {
            continue;
        }
        if let Some(value) = decode(row, data, name_of) {
            seen.push(row.attribute);
            found.push(Attribute { name: row.name.to_owned(), value });
        }
    }
    found
}

/// The name under which [`read`] gives what an option sets.
pub(crate) fn canonical(kind: &str, name: &str) -> Option<&'static str> {
    let rows = table(kind)?;
    let asked = rows.iter().find(|row| row.name == name)?;
    if matches!(asked.wire, Wire::Bit(_)) {
        return Some(asked.name);
    }
    rows.iter().find(|row| row.attribute == asked.attribute).map(|row| row.name)
}

/// Attributes of any link; `addrgenmode` and `index` are not among them.
pub(crate) fn link_attribute(option: &Attribute) -> Result<(u16, Vec<u8>), String> {
    general(LINK, option)
}

/// IFLA_INET6_ADDR_GEN_MODE with its value.
pub(crate) fn inet6_attribute(option: &Attribute) -> Result<(u16, Vec<u8>), String> {
    general(INET6, option)
}

fn general(rows: &[Row], option: &Attribute) -> Result<(u16, Vec<u8>), String> {
    let row = rows.iter().find(|row| row.name == option.name).ok_or_else(|| {
        if option.name == "index" {
            return "the `index` of a link is chosen when it is made, and stays".to_owned();
        }
        let mut names: Vec<_> = LINK.iter().map(|row| row.name).collect();
        names.extend(INET6.iter().map(|row| row.name));
        let near = nearest(&option.name, &names);
        let help = near.map(|near| help(format!("did you mean `{near}`?"))).unwrap_or_default();
        format!("a link has no setting `{}`{help}", option.name.escape_debug())
    })?;
    let mut encoder = Encoder::default();
    encoder.add(row, &option.value, &mut |_| Err::<u32, _>(String::new()))?;
    Ok(encoder.finish().into_iter().next().unwrap_or((row.attribute, Vec::new())))
}

/// The operational state in RFC 2863's words.
pub(crate) fn operational_state(code: u8) -> String {
    let known = OPERATIONAL_STATES.iter().find(|(_, known)| *known == u64::from(code));
    known.map_or_else(|| code.to_string(), |(word, _)| (*word).to_owned())
}

/// Attributes of any link, as read back.
pub(crate) fn read_link(attributes: &[u8]) -> Vec<Attribute> {
    let mut none = |_| None;
    let shown = LINK.iter().filter(|row| row.name != "state");
    shown
        .filter_map(|row| {
            let value = decode(row, attributes, &mut none)?;
            Some(Attribute { name: row.name.to_owned(), value })
        })
        .collect()
}

/// Whether a setting of any link is one of IFLA_AF_SPEC's part for IPv6.
pub(crate) fn is_inet6(name: &str) -> bool {
    INET6.iter().any(|row| row.name == name)
}

/// A setting from IFLA_AF_SPEC's part for IPv6.
pub(crate) fn read_inet6(name: &str, attributes: &[u8]) -> Option<Attribute> {
    let row = INET6.iter().find(|row| row.name == name)?;
    let value = decode(row, attributes, &mut |_| None)?;
    Some(Attribute { name: row.name.to_owned(), value })
}

#[cfg(test)]
mod tests {
    use super::{canonical, encode, read, table};
    use crate::change::Attribute;
    use netwright_options::Wire;

    const KINDS: &[&str] = &[
        "bridge",
        "bridge_slave",
        "vlan",
        "vxlan",
        "geneve",
        "vrf",
        "bond",
        "bond_slave",
        "hsr",
        "xfrm",
        "bareudp",
        "macsec",
        "ipvlan",
        "gre",
        "erspan",
        "ip6gre",
        "ipip",
        "ip6tnl",
        "vti",
        "vti6",
    ];

    /// A value that a row takes, as it is read back.
    fn sample(wire: &Wire) -> Option<String> {
        let text = match wire {
            Wire::Number(_, range) | Wire::Network(_, range) | Wire::NumberOr(_, range, _) => {
                return Some(range.end().min(&77).max(range.start()).to_string());
            }
            Wire::Switch | Wire::Flag | Wire::Bit(_) | Wire::TunnelFlag(..) => "on",
            Wire::Fixed(_) | Wire::TunnelFlagOff(_) | Wire::TunnelKeyOff(_) => return None,
            Wire::Word(_, words) | Wire::NetworkWord(words) => words.last()?.0,
            Wire::Ipv4 => "10.0.0.9",
            Wire::Ipv6 => "2001:db8::9",
            Wire::Ip(_) => "2001:db8::8",
            Wire::Ipv4List => "10.0.0.1,10.0.0.2",
            Wire::Mac => "02:00:00:00:00:09",
            Wire::Link => "p0",
            Wire::Ports => "1000 2000",
            Wire::QosMap => "1:2 3:4",
            Wire::TunnelKey(..) => "4711",
            Wire::Hexadecimal64 => "0011223344556677",
        };
        Some(text.to_owned())
    }

    #[test]
    fn what_is_sent_is_read_back() {
        for kind in KINDS {
            assert!(kind.ends_with("_slave") || netwright_network::kind::find(kind).is_some());
            for row in table(kind).expect("a known kind") {
                let Some(value) = sample(&row.wire) else { continue };
                let option = Attribute { name: row.name.to_owned(), value: value.clone() };
                let data = encode(kind, &[option], &mut |_| Ok(5)).expect("a good value");
                let found = read(kind, &data.bytes(), &mut |_| Some("p0".to_owned()));
                let name = canonical(kind, row.name).expect("a known name");
                let wanted = |one: &Attribute| one.name == name || one.name == row.name;
                let back = found.iter().find(|one| wanted(one)).map(|one| one.value.as_str());
                assert_eq!(back, Some(value.as_str()), "{kind} {}: {found:?}", row.name);
            }
        }
    }

    #[test]
    fn options_that_share_an_attribute_are_sent_together() {
        let both = ["reorder_hdr", "loose_binding"].map(|name| Attribute {
            name: name.to_owned(),
            value: if name == "reorder_hdr" { "off" } else { "on" }.to_owned(),
        });
        let data = encode("vlan", &both, &mut |_| Ok(0)).expect("good values");
        let found = read("vlan", &data.bytes(), &mut |_| None);
        assert_eq!(found, both);
    }
}
