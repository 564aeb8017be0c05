//! Durations, sizes, addresses and names as text; the errors are sentences, a line `  help: …` may
//! follow.

use std::net::IpAddr;
use std::time::Duration;

use crate::change::{LinkName, MacAddress, Name, Prefix};
use crate::text::quote;

/// `500ms`, `30s`, `2m`, `1h`, or parts of it together: `1m30s`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let refused = || {
        format!(
            "{} is not a duration\n  help: write a number with its unit: 500ms, 30s, 2m, 1h",
            quote(text)
        )
    };
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(refused)?;
        let (number, behind) = rest.split_at(digits);
        let letters = behind.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(letters);
        let milliseconds = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            _ => return Err(refused()),
        };
        let number: u64 = number.parse().map_err(|_| refused())?;
        let part = number.checked_mul(milliseconds).ok_or_else(refused)?;
        total = total.checked_add(Duration::from_millis(part)).ok_or_else(refused)?;
        rest = behind;
    }
    if text.is_empty() { Err(refused()) } else { Ok(total) }
}

/// `64MiB`, `512KiB`, `1GiB`, `1000B`: bytes.
pub fn size(text: &str) -> Result<u64, String> {
    let refused = || {
        format!(
            "{} is not a size\n  help: write a number with its unit: 512KiB, 64MiB, 1GiB",
            quote(text)
        )
    };
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(refused)?;
    let (number, unit) = text.split_at(digits);
    let bytes: u64 = match unit.trim_start() {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "kB" | "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        _ => return Err(refused()),
    };
    number.parse::<u64>().ok().and_then(|number| number.checked_mul(bytes)).ok_or_else(refused)
}

/// An address without a prefix length.
pub fn address(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| {
        let help = match text.split_once('/') {
            Some((address, _)) if address.parse::<IpAddr>().is_ok() => {
                format!("\n  help: without the length: {address}")
            }
            _ => String::new(),
        };
        format!("{} is not an IPv4 or IPv6 address{help}", quote(text))
    })
}

/// An address with its prefix length.
pub fn prefix(text: &str) -> Result<Prefix, String> {
    let Some((address, length)) = text.split_once('/') else {
        return Err(match text.parse::<IpAddr>() {
            Ok(address) => {
                let length = if address.is_ipv4() { 24 } else { 64 };
                format!("{} has no prefix length\n  help: write {address}/{length}", quote(text))
            }
            Err(_) => format!("{} is not an address with a prefix length", quote(text)),
        });
    };
    let address: IpAddr = address
        .parse()
        .map_err(|_| format!("{} is not an IPv4 or IPv6 address", quote(address)))?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    match length.parse::<u8>() {
        Ok(length) if digits && length <= longest => Ok(Prefix { address, length }),
        _ => Err(format!(
            "{} is not a prefix length; an {} address has 0 to {longest}",
            quote(length),
            if address.is_ipv4() { "IPv4" } else { "IPv6" }
        )),
    }
}

/// A network: an address with its length and no bits behind it. An address alone is all of it.
pub fn network(text: &str) -> Result<Prefix, String> {
    let whole = match text.parse::<IpAddr>() {
        Ok(address) => Prefix { address, length: if address.is_ipv4() { 32 } else { 128 } },
        Err(_) => prefix(text)?,
    };
    let network = whole.network();
    if network == whole {
        return Ok(whole);
    }
    let help = format!("the network is {network}");
    Err(format!("{} has bits behind its prefix length\n  help: {help}", quote(text)))
}

/// A destination of routes: `default`, or a network.
pub fn destination(text: &str) -> Result<Option<Prefix>, String> {
    if text == "default" { Ok(None) } else { network(text).map(Some) }
}

/// A link's name.
pub fn name(text: &str) -> Result<Name, String> {
    text.parse()
}

/// A namespace's name, which may be a container's or a process's.
pub fn namespace(text: &str) -> Result<Name, String> {
    Name::of_namespace(text)
}

pub fn mac(text: &str) -> Result<MacAddress, String> {
    text.parse()
}

/// `NAME`, `NAMESPACE/NAME`, or `/NAME` in the root namespace.
pub fn link_name(text: &str) -> Result<LinkName, String> {
    let (namespace, link) = match text.split_once('/') {
        None => (None, text),
        Some(("", link)) => (Some(None), link),
        Some((space, link)) => (Some(Some(self::namespace(space)?)), link),
    };
    Ok(LinkName { namespace, name: name(link)?.into() })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{destination, duration, network, prefix, size};

    #[test]
    fn durations_and_sizes_have_units() {
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!((size("64MiB"), size("1kB"), size("0B")), (Ok(64 << 20), Ok(1000), Ok(0)));
        for wrong in ["", "30", "s", "1d", "-1s", "1.5s", "99999999999999999999s"] {
            assert!(duration(wrong).is_err() && size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn networks_have_no_bits_behind_their_length() {
        assert_eq!(network("10.1.0.0/16").map(|net| net.to_string()), Ok("10.1.0.0/16".to_owned()));
        assert_eq!(network("10.1.0.1").map(|net| net.length), Ok(32));
        assert_eq!(network("2001:db8::/32").map(|net| net.length), Ok(32));
        let refused =
            "`10.1.0.1/16` has bits behind its prefix length\n  help: the network is 10.1.0.0/16";
        assert_eq!(network("10.1.0.1/16"), Err(refused.to_owned()));
        assert_eq!(destination("default"), Ok(None));
        for wrong in ["10.1.0.0/33", "10.1.0.0/+8", "::/129", "10.1/16", "x/8", "10.1.0.0/"] {
            assert!(prefix(wrong).is_err() && network(wrong).is_err(), "{wrong}");
        }
    }
}
