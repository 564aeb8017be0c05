//! What a recipe is told, and by which scenario: an answer holds for that and nothing else, for a
//! recipe may be an interpreter, as `builtin:ip` is.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::report::escape;

/// Bytes of parameters that are remembered, to show what has changed.
const LONGEST: usize = 32 << 10;
/// Lines of one parameter that are shown.
const MOST_LINES: usize = 200;

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

    /// What there was and isn't any more, then what is new, each in its place.
    pub(super) fn changes(&self, former: &Self) -> Vec<String> {
        let (before, now) = (former.lines(), self.lines());
        let same = |(one, other): &(&String, &String)| one == other;
        let first = before.iter().zip(&now).take_while(same).count();
        let rest = (&before[first..], &now[first..]);
        let last = rest.0.iter().rev().zip(rest.1.iter().rev()).take_while(same).count();
        let gone = &rest.0[..rest.0.len() - last];
        let new = &rest.1[..rest.1.len() - last];
        let gone = gone.iter().map(|line| format!("- {line}"));
        gone.chain(new.iter().map(|line| format!("+ {line}"))).collect()
    }
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
    fn what_is_cut_elsewhere_is_something_else() {
        let split = |one: &str, other: &str| Told(vec![(one.to_owned(), other.to_owned())]);
        assert_ne!(split("ab", "c").digest(), split("a", "bc").digest());
    }
}
