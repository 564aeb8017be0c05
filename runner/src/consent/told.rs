//! What a recipe is told, and by which scenario: an answer holds for that and nothing else, for a
//! recipe may be an interpreter, as `builtin:ip` is.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::text::{LONGEST_SHOWN, escape};

/// Bytes of parameters that are remembered, to show what has changed.
const LONGEST: usize = 32 << 10;
/// Lines of one parameter that are shown.
const MOST_LINES: usize = 200;
/// Characters that are shown before a difference.
const BEFORE: usize = 40;

/// The parameters of a step, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Told(Vec<(String, String)>);

impl Told {
    pub(super) fn of(parameters: Vec<(String, String)>) -> Self {
        Self(parameters)
    }

    /// SHA-256, in hexadecimal digits.
    pub(super) fn digest(&self) -> String {
        let mut digest = Sha256::new();
        for text in self.0.iter().flat_map(|(name, value)| [name, value]) {
            digest.update((text.len() as u64).to_le_bytes());
            digest.update(text);
        }
        digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// None where it is too much to be kept.
    pub(super) fn to_keep(&self) -> Option<Self> {
        let length: usize = self.0.iter().map(|(name, value)| name.len() + value.len()).sum();
        (length <= LONGEST).then(|| self.clone())
    }

    fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (name, value) in &self.0 {
            let name = escape(name);
            let all = value.lines().count();
            let shown = value.lines().take(MOST_LINES);
            lines.extend(shown.map(|line| format!("{name} | {}", escape(line))));
            if value.is_empty() {
                lines.push(format!("{name} |"));
            }
            if all > MOST_LINES {
                lines.push(format!("{name} | … {} lines more", all - MOST_LINES));
            }
        }
        lines
    }

    /// Whether the screen shows all of it. What nobody has read in full is not allowed for good.
    pub(super) fn is_shown_whole(&self) -> bool {
        let short = |text: &str| text.chars().count() <= LONGEST_SHOWN;
        self.0.iter().all(|(name, value)| {
            let lines = value.lines().count();
            short(name) && lines <= MOST_LINES && value.lines().all(short)
        })
    }

    /// Each line as it is, the last one's end included: `lines` passes over some ends.
    fn whole(&self) -> Vec<(&str, &str)> {
        let all = self.0.iter();
        all.flat_map(|(name, value)| value.split('\n').map(|line| (name.as_str(), line))).collect()
    }

    /// What there was and isn't any more, then what is new, each in its place. All of it is compared;
    /// of a long line that is shown which is about the difference.
    pub(super) fn changes(&self, former: &Self) -> Vec<String> {
        type Line<'a> = (&'a str, &'a str);
        let (before, now) = (former.whole(), self.whole());
        let same = |(one, other): &(&Line<'_>, &Line<'_>)| one == other;
        let first = before.iter().zip(&now).take_while(same).count();
        let rest = (&before[first..], &now[first..]);
        let last = rest.0.iter().rev().zip(rest.1.iter().rev()).take_while(same).count();
        let gone = &rest.0[..rest.0.len() - last];
        let new = &rest.1[..rest.1.len() - last];
        let mut changes = signed('-', gone, new);
        changes.extend(signed('+', new, gone));
        changes
    }
}

/// Lines that only one of two texts has, each beside what the other one has in its place.
fn signed(sign: char, lines: &[(&str, &str)], others: &[(&str, &str)]) -> Vec<String> {
    let shown = lines.iter().take(MOST_LINES).enumerate().map(|(place, (name, line))| {
        let other = others.get(place).map_or("", |(_, line)| line);
        let line = about(line, other);
        format!("{sign} {} | {line}", escape(name)).trim_end().to_owned()
    });
    let more = lines.len().saturating_sub(MOST_LINES);
    let more = (more > 0).then(|| format!("{sign} … {more} lines more"));
    shown.chain(more).collect()
}

/// A line from a little before it differs, where it is too long to be shown from its start.
fn about(line: &str, other: &str) -> String {
    if line.chars().count() <= LONGEST_SHOWN {
        return escape(line);
    }
    let same = line.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
    let left_out = same.saturating_sub(BEFORE);
    let rest: String = line.chars().skip(left_out).collect();
    let start =
        if left_out > 0 { format!("… {left_out} characters … ") } else { String::new() };
    start + &escape(&rest)
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines().iter().try_for_each(|line| writeln!(f, "    {line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Told;

    fn told(script: &str) -> Told {
        Told(vec![("script".to_owned(), script.to_owned()), ("n".to_owned(), "4".to_owned())])
    }

    #[test]
    fn only_what_is_new_is_shown() {
        let (one, other) = (told("a\nb\nc"), told("a\nx\ny\nc"));
        let expected = ["- script | b", "+ script | x", "+ script | y"];
        assert_eq!(other.changes(&one), expected);
        assert!(one.changes(&one).is_empty());
        assert_ne!(one.digest(), other.digest());
    }

    #[test]
    fn a_difference_is_shown_wherever_it_is() {
        let long = "x".repeat(5000);
        let many = "y\n".repeat(500);
        for (before, now, expected) in [
            (format!("{long}a"), format!("{long}b"), "b"),
            (format!("{many}a"), format!("{many}b"), "b"),
            (many.clone(), format!("{many}evil"), "evil"),
            ("a".to_owned(), "a\n".to_owned(), "+ script |"),
            ("a\nb".to_owned(), "a\r\nb".to_owned(), "a\\u{d}"),
            (String::new(), " ".to_owned(), "+ script |"),
        ] {
            let changes = told(&now).changes(&told(&before));
            let new: Vec<_> = changes.iter().filter(|line| line.starts_with('+')).collect();
            assert!(new.iter().any(|line| line.ends_with(expected)), "{changes:?}");
            assert!(changes.iter().all(|line| line.len() < 2200), "{changes:?}");
        }
        assert!(told(&many[..300]).is_shown_whole());
        assert!(!told(&long).is_shown_whole() && !told(&many).is_shown_whole());
    }

    #[test]
    fn what_is_cut_elsewhere_is_something_else() {
        let split = |one: &str, other: &str| Told(vec![(one.to_owned(), other.to_owned())]);
        assert_ne!(split("ab", "c").digest(), split("a", "bc").digest());
    }
}
