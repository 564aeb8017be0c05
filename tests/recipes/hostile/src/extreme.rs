//! Arguments at and beyond the ends of what there is, each of which must be answered.

use netwright_sdk::wit::netwright::host::addresses::{self, AddressFlags};
use netwright_sdk::wit::netwright::host::links::{Kind, Link, Setting, Spec};
use netwright_sdk::wit::netwright::host::namespaces::Namespace;
use netwright_sdk::wit::netwright::host::probes::{self, PingOptions};
use netwright_sdk::wit::netwright::host::report;
use netwright_sdk::wit::netwright::host::sysctls;
use netwright_sdk::wit::netwright::host::types::{Error, IpAddress, IpPrefix, Write};

use crate::flood::address;
use crate::{Way, other, veth, wait};

pub(super) const NAMES: [&str; 24] = [
    "",
    ".",
    "..",
    "../../etc/passwd",
    "a/b",
    "/proc/1/ns/net",
    "q%d",
    "%s%n",
    "%",
    "*",
    "-rf",
    "--help",
    "$(id)",
    "`id`",
    "a b",
    "a\tb",
    "a\nb",
    "a\0b",
    "\u{1b}[2J",
    "\u{202e}0hte",
    "é",
    "sixteen-letters-",
    "all",
    "default",
];

pub(super) fn way(how: &str) -> Option<Way> {
    Some(match how {
        "names" => names,
        "mtus" => mtus,
        "extreme-addresses" => extreme_addresses,
        "junk-flags" => junk_flags,
        "sysctls" => keys,
        "extreme-pings" => extreme_pings,
        _ => return None,
    })
}

/// IFNAMSIZ and NAME_MAX, less what ends them.
const LONGEST_LINK: usize = 15;
const LONGEST_NAMESPACE: usize = 255;

/// Every one must be refused; `all` and `default` are sysctl's alone, and names like others.
fn names() -> Result<(), Error> {
    let root = Namespace::root()?;
    let refused = NAMES.iter().filter(|name| !["all", "default"].contains(name));
    for name in
        refused.map(|name| (*name).to_owned()).chain(["x".repeat(256), "x".repeat(5_000_000)])
    {
        let spec = Spec {
            name: name.clone(),
            kind: Kind::Bridge(Vec::new()),
            parent: None,
            settings: Vec::new(),
        };
        // A namespace's name may be longer than a link's.
        let long = name.len() > LONGEST_LINK && name.len() <= LONGEST_NAMESPACE;
        for (what, made) in [
            ("namespace", if long { Err(other("")) } else { Namespace::create(&name).map(drop) }),
            ("link", Link::create(&root, &spec).map(drop)),
            ("kind", probes::arp(&root, &name, wait::NOBODY, 1).map(drop)),
        ] {
            if made.is_ok() {
                return Err(other(&format!("a {what} has the name {name:?}")));
            }
        }
        drop(Namespace::open(&name).map(|open| open.delete()));
        drop(Link::open(&root, &name).map(|open| open.delete()));
    }
    Ok(())
}

fn mtus() -> Result<(), Error> {
    let link = veth("v0", "v1")?;
    for number in [0, 1, 67, 68, 1279, 65_535, 65_536, i32::MAX as u32, 1 << 31, u32::MAX] {
        for setting in
            [Setting::Mtu(number), Setting::Group(number), Setting::TransmitQueueLength(number)]
        {
            // Some of it is legal; whatever comes, the host answers.
            drop(link.change(&[setting]));
        }
    }
    report::print(&format!("the link has an MTU of {}", link.info()?.mtu));
    Ok(())
}

fn extreme_addresses() -> Result<(), Error> {
    let link = veth("v0", "v1")?;
    let v4 = |a, b, c, d| IpAddress::Ipv4((a, b, c, d));
    let v6 = |a, h| IpAddress::Ipv6((a, 0, 0, 0, 0, 0, 0, h));
    for each in [
        v4(0, 0, 0, 0),
        v4(255, 255, 255, 255),
        v4(127, 0, 0, 1),
        v4(224, 0, 0, 1),
        v6(0, 0),
        v6(0, 1),
        v6(0xff02, 1),
        v6(0xfe80, 1),
        v6(0xffff, 0xffff),
    ] {
        for length in [0, 1, 32, 33, 128, 129, 255] {
            let prefix = IpPrefix { address: each, length };
            for how in [Write::Add, Write::Change, Write::Replace, Write::Append, Write::Prepend] {
                let outcome = addresses::put(&link, &address(prefix), how);
                if outcome.is_ok()
                    && (length > 128 || matches!(each, IpAddress::Ipv4(_)) && length > 32)
                {
                    return Err(other("an address is longer than it can be"));
                }
            }
        }
    }
    Ok(())
}

fn junk_flags() -> Result<(), Error> {
    let link = veth("v0", "v1")?;
    let prefix = IpPrefix { address: IpAddress::Ipv4((10, 0, 0, 1)), length: 24 };
    let mut junk = address(prefix);
    // Six flags there are; the bits beyond them mean nothing.
    junk.flags = AddressFlags::from_bits_retain(0xc0);
    junk.label = Some("\u{1b}[2J%d".repeat(1000));
    if addresses::put(&link, &junk, Write::Add).is_ok() {
        return Err(other("a label of 8 kB was taken"));
    }
    junk.label = None;
    addresses::put(&link, &junk, Write::Add)
}

/// Nothing outside of /proc/sys/net is a sysctl of a network's.
fn keys() -> Result<(), Error> {
    let root = Namespace::root()?;
    for key in [
        "kernel.core_pattern",
        "../kernel/core_pattern",
        "net/../kernel/core_pattern",
        "net.ipv4.../../../kernel/core_pattern",
        "net/ipv4/conf/../../../kernel/core_pattern",
        "/proc/sys/kernel/core_pattern",
        "net",
        "net/",
        "",
        ".",
        "net\0/ipv4/ip_forward",
        "net/ipv4/\u{1b}[2J",
        "vm.drop_caches",
    ] {
        let read = sysctls::get(&root, key).is_ok();
        if read || sysctls::set(&root, key, "1").is_ok() {
            return Err(other(&format!("{key:?} is no sysctl of a network's")));
        }
    }
    drop(sysctls::set(&root, "net.ipv4.ip_forward", &"1".repeat(5_000_000)));
    drop(sysctls::set(&root, "net.ipv4.ip_forward", "\u{1b}[2J\0"));
    Ok(())
}

fn extreme_pings() -> Result<(), Error> {
    let root = Namespace::root()?;
    for (count, size) in [(0, 0), (u32::MAX, 0), (1, u16::MAX)] {
        let source = Some("\u{1b}%d".to_owned());
        for source in [None, source] {
            let options = PingOptions { count, size, source, ..wait::LONG_PING.clone() };
            if probes::ping(&root, IpAddress::Ipv4((255, 255, 255, 255)), &options).is_ok() {
                return Err(other("a ping that can't be was made"));
            }
        }
    }
    Ok(())
}
