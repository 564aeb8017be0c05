//! The edge between the contract's types and ours: what comes in is parsed once, here.

mod link;
mod qdisc;
mod route;

pub(super) use link::{link_info, settings, spec};
pub(super) use qdisc::{qdisc, qdisc_out, vlan, vlan_out};
pub(super) use route::{
    address, address_info, entry, entry_out, neighbour, neighbour_out, route, route_out, rule,
    rule_out,
};

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use netwright_network::refusal::MISSING;

use crate::change::{Attribute, Family, LinkRef, MacAddress, Name, NamespaceRef, Prefix, Write};
use crate::host::bindings::netwright::host::links::LinkName;
use crate::host::bindings::netwright::host::types as wit;
use crate::kernel::Error;
use crate::text::{help, own_lines, tamed};

/// The longest text of a recipe's that becomes part of a message or request.
const LONGEST_TEXT: usize = 4096;

/// All options of one thing: the kernel takes them in one attribute, whose length has 16 bits.
const LONGEST_OPTIONS: usize = 0xffff;

pub(super) type Parsed<T> = Result<T, Error>;

pub(super) fn name(text: &str) -> Parsed<Name> {
    text.parse().map_err(Error::Invalid)
}

pub(super) fn new_namespace(text: &str) -> Parsed<Name> {
    Name::new_namespace(text).map_err(Error::Invalid)
}

/// Names the namespace by its own, for the run's root namespace has none.
pub(super) fn namespace_name(text: Option<&str>) -> Parsed<Option<Name>> {
    text.map(|text| Name::of_namespace(text).map_err(Error::Invalid)).transpose()
}

/// A link's name as the kernel has it: looked up, never made, so wider than [`Name`].
pub(super) fn existing_link(text: &str) -> Parsed<String> {
    let printable = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if text.len() <= netwright_network::names::LONGEST_LINK && printable && !text.contains('/') {
        return Ok(text.to_owned());
    }
    let shown = crate::change::shown(text);
    Err(Error::Invalid(format!(
        "`{shown}` can't be the name of a link: 1 to 15 visible characters without `/`"
    )))
}

/// A namespace of a batch; none is the run's root.
pub(super) fn named_namespace(name: Option<String>) -> Parsed<NamespaceRef> {
    let named = name.as_deref().filter(|name| !name.is_empty());
    Ok(NamespaceRef::named(namespace_name(named)?))
}

/// A link of a batch.
pub(super) fn named_link(name: LinkName) -> Parsed<LinkRef> {
    Ok(LinkRef {
        namespace: named_namespace(name.namespace)?,
        name: existing_link(&name.name)?,
        index: None,
    })
}

pub(super) fn text(text: String, what: &str) -> Parsed<String> {
    if text.len() > LONGEST_TEXT {
        return Err(Error::Invalid(format!(
            "{what} has {} bytes; {LONGEST_TEXT} are allowed",
            text.len()
        )));
    }
    if text.contains('\0') {
        return Err(Error::Invalid(format!("{what} must not hold a NUL")));
    }
    Ok(text)
}

pub(super) fn attributes(list: Vec<wit::Attribute>) -> Parsed<Vec<Attribute>> {
    let bytes: usize = list.iter().map(|each| 4 + each.name.len() + each.value.len()).sum();
    if bytes > LONGEST_OPTIONS {
        return Err(Error::Invalid(format!(
            "options of {bytes} bytes in all; {LONGEST_OPTIONS} are allowed"
        )));
    }
    list.into_iter()
        .map(|each| {
            Ok(Attribute {
                name: text(each.name, "an option's name")?,
                value: text(each.value, "an option's value")?,
            })
        })
        .collect()
}

pub(super) fn attributes_out(list: Vec<Attribute>) -> Vec<wit::Attribute> {
    list.into_iter().map(|each| wit::Attribute { name: each.name, value: each.value }).collect()
}

pub(super) fn mac((a, b, c, d, e, f): wit::MacAddress) -> MacAddress {
    MacAddress([a, b, c, d, e, f])
}

pub(super) fn mac_out(MacAddress([a, b, c, d, e, f]): MacAddress) -> wit::MacAddress {
    (a, b, c, d, e, f)
}

pub(super) fn ip(address: wit::IpAddress) -> IpAddr {
    match address {
        wit::IpAddress::Ipv4((a, b, c, d)) => Ipv4Addr::new(a, b, c, d).into(),
        wit::IpAddress::Ipv6((a, b, c, d, e, f, g, h)) => {
            Ipv6Addr::new(a, b, c, d, e, f, g, h).into()
        }
    }
}

pub(super) fn ip_out(address: IpAddr) -> wit::IpAddress {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            wit::IpAddress::Ipv4((a, b, c, d))
        }
        IpAddr::V6(address) => {
            let [a, b, c, d, e, f, g, h] = address.segments();
            wit::IpAddress::Ipv6((a, b, c, d, e, f, g, h))
        }
    }
}

pub(super) fn prefix(prefix: wit::IpPrefix) -> Parsed<Prefix> {
    let address = ip(prefix.address);
    let longest = if address.is_ipv4() { 32 } else { 128 };
    if prefix.length > longest {
        return Err(Error::Invalid(format!(
            "prefix `{address}/{}` is longer than the {longest} bits of its address",
            prefix.length
        )));
    }
    Ok(Prefix { address, length: prefix.length })
}

pub(super) fn prefix_out(prefix: Prefix) -> wit::IpPrefix {
    wit::IpPrefix { address: ip_out(prefix.address), length: prefix.length }
}

pub(super) fn family(family: wit::Family) -> Family {
    match family {
        wit::Family::Ipv4 => Family::Ipv4,
        wit::Family::Ipv6 => Family::Ipv6,
    }
}

pub(super) fn family_out(family: Family) -> wit::Family {
    match family {
        Family::Ipv4 => wit::Family::Ipv4,
        Family::Ipv6 => wit::Family::Ipv6,
    }
}

pub(super) fn write(how: wit::Write) -> Write {
    match how {
        wit::Write::Add => Write::Add,
        wit::Write::Change => Write::Change,
        wit::Write::Replace => Write::Replace,
        wit::Write::Append => Write::Append,
        wit::Write::Prepend => Write::Prepend,
    }
}

/// What the recipe is told of a failure.
pub(super) fn error_out(error: Error) -> wit::Error {
    let error = match error {
        Error::Denied(denial) => Error::Denied(denial.as_told()),
        other => other,
    };
    let line = |text: &String| own_lines(text);
    match error {
        Error::Denied(denial) => {
            // Whoever passes it on passes on a remedy of ours.
            let _ = help(&denial.hint);
            let (capability, target) = (denial.capability, line(&denial.target));
            wit::Error::Denied(wit::Denial { capability, target, hint: tamed(&denial.hint) })
        }
        Error::Kernel(error) => {
            let _ = error.hint.as_ref().map(help);
            wit::Error::Kernel(wit::KernelError {
                name: error.name(),
                errno: error.errno,
                operation: line(&error.operation),
                text: error.text.as_ref().map(line),
                hint: error.hint.as_deref().map(tamed),
                extra: Vec::new(),
            })
        }
        Error::Gone(what) => wit::Error::Gone(line(&what)),
        Error::Invalid(rule) => wit::Error::Invalid(line(&rule)),
        // Recipes tell it from other faults by the attribute.
        Error::Missing(sentence) => wit::Error::Other(wit::Detail {
            message: line(&sentence),
            extra: vec![wit::Attribute { name: MISSING.to_owned(), value: String::new() }],
        }),
        Error::Timeout(milliseconds) => wit::Error::Timeout(milliseconds),
        Error::Limit(which) => wit::Error::Limit(line(&which)),
        Error::Unsupported(what) => wit::Error::Unsupported(line(&what)),
        // It is stopped before it hears of that.
        Error::Halted(halted) => wit::Error::Limit(halted.to_string()),
    }
}
