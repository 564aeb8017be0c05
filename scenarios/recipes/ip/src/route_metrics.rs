//! Metrics of a route: hints for the protocols above (rtnetlink(7), RTAX_).

use netwright_sdk::wit::types::Attribute;

use crate::cursor::{Cursor, Named};
use crate::fault::shown;
use crate::value::{choice, number, number_within, number32, read_number};

#[derive(Clone, Copy)]
pub(crate) enum Metric {
    Number,
    /// a number of one byte
    Small,
    /// 0 or 1
    Bit,
    Time,
    /// a time that the kernel must keep to, said or not
    LockedTime,
    Name,
    Features,
    Preference,
    /// seconds until the route goes
    Expires,
}

/// The metric as the host takes it, `lock` as part of its name.
pub(crate) fn metric(cursor: &mut Cursor<'_>, named: Named<'_>, kind: Metric) -> Option<Attribute> {
    let lockable = match kind {
        Metric::Number | Metric::Small | Metric::Time | Metric::Name => true,
        Metric::Bit
        | Metric::LockedTime
        | Metric::Features
        | Metric::Preference
        | Metric::Expires => false,
    };
    let locked = lockable && cursor.take("lock");
    let value = match kind {
        Metric::Number => number32(cursor, named).map(|number| number.to_string()),
        Metric::Small => number(cursor, named, 0..=255).map(|number| number.to_string()),
        Metric::Bit => number(cursor, named, 0..=1).map(|number| number.to_string()),
        Metric::Time | Metric::LockedTime => time(cursor, named),
        Metric::Name => cursor.value(named).map(|word| word.text.clone()),
        Metric::Features => choice(cursor, named, &[("ecn", "ecn")]).map(str::to_owned),
        Metric::Preference => preference(cursor, named),
        Metric::Expires => {
            let seconds: Option<u32> = number_within(cursor, named, 1..=u64::from(u32::MAX));
            seconds.map(|seconds| seconds.to_string())
        }
    }?;
    let name = if locked { format!("{} lock", named.name) } else { named.name.to_owned() };
    Some(Attribute { name, value })
}

/// Milliseconds with `ms`, seconds with `s`, otherwise the kernel's own unit; a fraction only
/// with a unit.
fn time(cursor: &mut Cursor<'_>, named: Named<'_>) -> Option<String> {
    let word = cursor.value(named)?;
    let text = word.text.as_str();
    let lower = text.to_ascii_lowercase();
    let digits = ["msecs", "msec", "ms", "secs", "sec", "s"]
        .into_iter()
        .find_map(|unit| lower.strip_suffix(unit));
    let fraction = |digits: &str| {
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        plain && digits.parse::<f64>().is_ok_and(|value| value <= 4_294_967.0)
    };
    let good = match digits {
        Some(digits) => fraction(digits),
        None => read_number(text).is_some_and(|number| number <= u64::from(u32::MAX)),
    };
    if !good {
        let (name, typed) = (named.name, shown(text));
        let message = format!("`{name}` must be a time, not `{typed}`");
        cursor.refuse_with(word, message, "as in `200ms` or `1.5s`");
        return None;
    }
    Some(lower)
}

fn preference(cursor: &mut Cursor<'_>, named: Named<'_>) -> Option<String> {
    choice(cursor, named, &[("low", "low"), ("medium", "medium"), ("high", "high")])
        .map(str::to_owned)
}
