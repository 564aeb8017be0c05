//! Times, rates, sizes and percentages as tc(8) writes them: `100ms`, `1mbit`, `32kb`, `0.5%`.
//!
//! A time must have a unit: tc's own manual and program disagree about what a bare number is.

use std::time::Duration;

use crate::{Error, Result};

const TIMES: &[(&str, f64)] = &[
    ("s", 1e9),
    ("sec", 1e9),
    ("secs", 1e9),
    ("ms", 1e6),
    ("msec", 1e6),
    ("msecs", 1e6),
    ("us", 1e3),
    ("usec", 1e3),
    ("usecs", 1e3),
    ("ns", 1.0),
    ("nsec", 1.0),
    ("nsecs", 1.0),
];

/// Bits a second; `bps` are bytes.
const RATES: &[(&str, f64)] = &[
    ("", 1.0),
    ("bit", 1.0),
    ("kbit", 1e3),
    ("mbit", 1e6),
    ("gbit", 1e9),
    ("tbit", 1e12),
    ("kibit", 1024.0),
    ("mibit", 1_048_576.0),
    ("gibit", 1_073_741_824.0),
    ("tibit", 1_099_511_627_776.0),
    ("bps", 8.0),
    ("kbps", 8e3),
    ("mbps", 8e6),
    ("gbps", 8e9),
    ("tbps", 8e12),
    ("kibps", 8192.0),
    ("mibps", 8_388_608.0),
    ("gibps", 8_589_934_592.0),
    ("tibps", 8_796_093_022_208.0),
];

/// Bytes; with tc, `k`, `m` and `g` are powers of 1024 here.
const SIZES: &[(&str, f64)] = &[
    ("", 1.0),
    ("b", 1.0),
    ("k", 1024.0),
    ("kb", 1024.0),
    ("m", 1_048_576.0),
    ("mb", 1_048_576.0),
    ("g", 1_073_741_824.0),
    ("gb", 1_073_741_824.0),
    ("kbit", 128.0),
    ("mbit", 131_072.0),
    ("gbit", 134_217_728.0),
];

/// A number with one of the units.
fn read(text: &str, what: &str, example: &str, units: &[(&str, f64)]) -> Result<f64> {
    let fault = |rule: String| Error::invalid(format!("`{}` {rule}", text.escape_debug()));
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.to_ascii_lowercase();
    let Ok(number) = number.parse::<f64>() else {
        return Err(fault(format!("is not {what}; expected is one such as `{example}`")));
    };
    match units.iter().find(|(name, _)| *name == unit) {
        Some((_, factor)) => Ok(number * factor),
        // Nothing is nothing in every unit.
        None if unit.is_empty() && number == 0.0 => Ok(0.0),
        None if unit.is_empty() => {
            Err(fault(format!("has no unit; {what} is such as `{example}`")))
        }
        None => {
            let names = units.iter().map(|(name, _)| *name).filter(|name| !name.is_empty());
            let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
            Err(fault(format!("has an unknown unit; there are {}", names.join(", "))))
        }
    }
}

fn whole(value: f64, most: u64, text: &str) -> Result<u64> {
    let rounded = value.round();
    if rounded > most as f64 {
        return Err(Error::invalid(format!("`{}` is too large", text.escape_debug())));
    }
    Ok(rounded as u64)
}

/// Nanoseconds of a time such as `100ms`.
pub fn time(text: &str) -> Result<u64> {
    whole(read(text, "a time", "100ms", TIMES)?, i64::MAX as u64, text)
}

/// Bits a second of a rate such as `1mbit`.
pub fn rate(text: &str) -> Result<u64> {
    whole(read(text, "a rate", "1mbit", RATES)?, u64::MAX, text)
}

/// Bytes of a size such as `32kb`.
pub fn size(text: &str) -> Result<u32> {
    let bytes = whole(read(text, "a size", "32kb", SIZES)?, u32::MAX.into(), text)?;
    Ok(u32::try_from(bytes).unwrap_or(u32::MAX))
}

/// Percent, 0 to 100: `0.5%` or `0.5`.
pub fn percent(text: &str) -> Result<f64> {
    let number = text.strip_suffix('%').unwrap_or(text).parse::<f64>();
    let shown = text.escape_debug();
    match number {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        Ok(_) => Err(Error::invalid(format!("`{shown}` is out of range; 0% to 100% is possible"))),
        Err(_) => Err(Error::invalid(format!(
            "`{shown}` is not a percentage; expected is one such as `1%`"
        ))),
    }
}

/// A value in the largest unit that leaves no fraction.
fn in_units(value: u64, zero: &str, units: &[(&str, u64)]) -> String {
    let fits = units.iter().find(|(_, factor)| value != 0 && value.is_multiple_of(*factor));
    fits.map_or_else(|| zero.to_owned(), |(name, factor)| format!("{}{name}", value / factor))
}

/// Nanoseconds in words: `100ms`.
pub fn time_text(nanoseconds: u64) -> String {
    let units = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1000), ("ns", 1)];
    in_units(nanoseconds, "0ms", &units)
}

/// Bits a second in words: `1mbit`.
pub fn rate_text(bits: u64) -> String {
    let units = [("gbit", 1_000_000_000), ("mbit", 1_000_000), ("kbit", 1000), ("bit", 1)];
    in_units(bits, "0bit", &units)
}

/// Percent in words: `0.5%`.
pub fn percent_text(percent: f64) -> String {
    let text = format!("{percent:.6}");
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A time: `"100ms"`, or a [`Duration`].
pub trait IntoTime {
    /// In nanoseconds.
    fn into_time(self) -> Result<u64>;
}

impl IntoTime for &str {
    fn into_time(self) -> Result<u64> {
        time(self)
    }
}

impl IntoTime for &String {
    fn into_time(self) -> Result<u64> {
        time(self)
    }
}

impl IntoTime for Duration {
    fn into_time(self) -> Result<u64> {
        let nanoseconds = u64::try_from(self.as_nanos());
        nanoseconds.map_err(|_| Error::invalid(format!("{self:?} is too long")))
    }
}

/// A rate: `"1mbit"`, or a number of bits a second.
pub trait IntoRate {
    /// In bits a second.
    fn into_rate(self) -> Result<u64>;
}

impl IntoRate for &str {
    fn into_rate(self) -> Result<u64> {
        rate(self)
    }
}

impl IntoRate for &String {
    fn into_rate(self) -> Result<u64> {
        rate(self)
    }
}

impl IntoRate for u64 {
    fn into_rate(self) -> Result<u64> {
        Ok(self)
    }
}

/// A size: `"32kb"`, or a number of bytes.
pub trait IntoSize {
    /// In bytes.
    fn into_size(self) -> Result<u32>;
}

impl IntoSize for &str {
    fn into_size(self) -> Result<u32> {
        size(self)
    }
}

impl IntoSize for &String {
    fn into_size(self) -> Result<u32> {
        size(self)
    }
}

impl IntoSize for u32 {
    fn into_size(self) -> Result<u32> {
        Ok(self)
    }
}

/// A percentage: `"1%"`, or a number from 0 to 100.
pub trait IntoPercent {
    /// 0 to 100.
    fn into_percent(self) -> Result<f64>;
}

impl IntoPercent for &str {
    fn into_percent(self) -> Result<f64> {
        percent(self)
    }
}

impl IntoPercent for &String {
    fn into_percent(self) -> Result<f64> {
        percent(self)
    }
}

impl IntoPercent for f64 {
    fn into_percent(self) -> Result<f64> {
        percent(&self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::{percent, percent_text, rate, rate_text, size, time, time_text};

    #[test]
    fn values_are_read_as_tc_reads_them() {
        let times = ["0", "100ms", "1.5ms", "20us", "1s", "7nsecs"].map(|text| time(text).ok());
        assert_eq!(times, [0, 100_000_000, 1_500_000, 20_000, 1_000_000_000, 7].map(Some));
        let rates = ["8000", "1mbit", "1Kbps", "2.5gbit", "1kibit"].map(|text| rate(text).ok());
        assert_eq!(rates, [8000, 1_000_000, 8000, 2_500_000_000, 1024].map(Some));
        let sizes = ["1540", "32kbit", "4k", "1mb", "10b"].map(|text| size(text).ok());
        assert_eq!(sizes, [1540, 4096, 4096, 1_048_576, 10].map(Some));
        let percents = ["1%", "0.5", "100%"].map(|text| percent(text).ok());
        assert_eq!(percents, [1.0, 0.5, 100.0].map(Some));
    }

    #[test]
    fn what_is_no_value_says_what_would_be() {
        let of = |error: crate::Error| error.to_string();
        assert_eq!(
            time("100").map_err(of),
            Err("`100` has no unit; a time is such as `100ms`".to_owned())
        );
        assert_eq!(
            time("1h").map_err(of),
            Err("`1h` has an unknown unit; there are `s`, `sec`, `secs`, `ms`, `msec`, `msecs`, `us`, `usec`, `usecs`, `ns`, `nsec`, `nsecs`".to_owned())
        );
        assert_eq!(
            rate("fast").map_err(of),
            Err("`fast` is not a rate; expected is one such as `1mbit`".to_owned())
        );
        assert_eq!(size("5gb").map_err(of), Err("`5gb` is too large".to_owned()));
        assert_eq!(
            percent("101%").map_err(of),
            Err("`101%` is out of range; 0% to 100% is possible".to_owned())
        );
    }

    #[test]
    fn values_are_shown_in_the_largest_whole_unit() {
        assert_eq!([0, 1_500_000, 100_000_000].map(time_text), ["0ms", "1500us", "100ms"]);
        assert_eq!([8, 1_000_000, 1_500_000].map(rate_text), ["8bit", "1mbit", "1500kbit"]);
        assert_eq!([1.000_000_01, 0.5, 100.0].map(percent_text), ["1%", "0.5%", "100%"]);
    }
}
