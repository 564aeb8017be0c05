//! Words that no file of the repository may hold: they mark work that was put off.

use crate::program::{in_workspace, output, say, workspace};
use anyhow::{Result, bail};

/// Written in two halves, for this file is searched as well.
const FORBIDDEN: [(&str, &str); 4] = [("to", "do"), ("fix", "me"), ("xx", "x"), ("db", "g!")];

/// What fuzzers made up was put off by nobody.
const MADE_UP: &str = "tests/fuzz/corpus/";

/// Every forbidden word in the files that git tracks, by file and line.
pub(crate) fn check() -> Result<()> {
    let tracked = output(in_workspace("git").args(["ls-files", "-z"]))?;
    let mut found = Vec::new();
    for name in tracked.split('\0').filter(|name| !name.is_empty() && !name.starts_with(MADE_UP)) {
        // What is not text has no words; what is deleted but not yet committed has no lines.
        let Ok(text) = std::fs::read_to_string(workspace().join(name)) else { continue };
        for (number, line) in text.lines().enumerate() {
            if let Some(word) = forbidden_in(line) {
                found.push(format!("{name}:{}: `{word}`", number + 1));
            }
        }
    }
    if found.is_empty() {
        say("no word is left that marks unfinished work");
        return Ok(());
    }
    bail!("words that mark unfinished work are left:\n  {}", found.join("\n  "))
}

/// The first forbidden word of the line; part of a longer word is none.
fn forbidden_in(line: &str) -> Option<String> {
    let line = line.to_lowercase();
    FORBIDDEN.iter().map(|(head, tail)| format!("{head}{tail}")).find(|word| {
        line.match_indices(word.as_str()).any(|(start, _)| {
            let end = start + word.len();
            !line[..start].ends_with(is_word_character)
                && (word.ends_with('!') || !line[end..].starts_with(is_word_character))
        })
    })
}

fn is_word_character(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::{FORBIDDEN, forbidden_in};

    #[test]
    fn each_forbidden_word_is_found_in_any_case_and_beside_punctuation() {
        for (head, tail) in FORBIDDEN {
            let word = format!("{head}{tail}");
            assert_eq!(forbidden_in(&format!("// {word}: later")), Some(word.clone()));
            assert_eq!(forbidden_in(&format!("({})", word.to_uppercase())), Some(word));
        }
    }

    #[test]
    fn a_forbidden_word_inside_another_word_is_not_found() {
        for (head, tail) in FORBIDDEN {
            assert_eq!(forbidden_in(&format!("a{head}{tail}")), None);
        }
        assert_eq!(forbidden_in(&format!("mktemp name.{}", "X".repeat(6))), None);
        assert_eq!(forbidden_in("mastodon and fixed methods"), None);
    }
}
