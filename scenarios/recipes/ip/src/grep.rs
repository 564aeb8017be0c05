//! `… | grep WORD`: whether what is shown has a line with a word, and which.

use crate::fault::{Fault, shown};
use crate::lex::Word;

/// One grep(1) behind a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    pub(crate) pattern: String,
    quiet: bool,
    inverted: bool,
    any_case: bool,
    counts: bool,
    /// `.`, `^` and `$` are themselves
    plain: bool,
}

impl Filter {
    /// The words behind `grep`.
    pub(crate) fn read(program: &Word, words: &[Word]) -> Result<Self, Fault> {
        let mut filter = Self {
            pattern: String::new(),
            quiet: false,
            inverted: false,
            any_case: false,
            counts: false,
            plain: false,
        };
        let (mut extended, mut pattern) = (false, None);
        for word in words {
            let flags = word.text.strip_prefix('-').filter(|flags| !flags.is_empty());
            let Some(flags) = flags.filter(|_| pattern.is_none()) else {
                if pattern.replace(word).is_some() {
                    let message = format!("`{}` is a file for `grep`", shown(&word.text));
                    return Err(fault(word, message, "a recipe reads none: leave it out"));
                }
                continue;
            };
            for flag in flags.chars() {
                match flag {
                    'q' => filter.quiet = true,
                    'v' => filter.inverted = true,
                    'i' => filter.any_case = true,
                    'c' => filter.counts = true,
                    'F' => filter.plain = true,
                    'E' => extended = true,
                    _ => {
                        let message = format!("`-{flag}` of `grep` is not taken here");
                        return Err(fault(
                            word,
                            message,
                            "`-q`, `-v`, `-i`, `-c`, `-E` and `-F` are",
                        ));
                    }
                }
            }
        }
        let Some(word) = pattern else {
            return Err(fault(
                program,
                "`grep` needs a word to look for".to_owned(),
                "`grep WORD`",
            ));
        };
        let special = |c: char| "\\[]*".contains(c) || (extended && "+?(){}|".contains(c));
        if !filter.plain && word.text.contains(special) {
            let message = format!("`{}` is more than a word for `grep`", shown(&word.text));
            return Err(fault(
                word,
                message,
                "of expressions `.`, `^` and `$` are taken; `-F` takes all signs",
            ));
        }
        filter.pattern.clone_from(&word.text);
        Ok(filter)
    }

    /// What is left of a text; none where no line is.
    pub(crate) fn apply(&self, text: &str) -> Option<String> {
        let left: Vec<&str> =
            text.lines().filter(|line| self.holds(line) != self.inverted).collect();
        let found = match (self.quiet, self.counts) {
            (true, _) => String::new(),
            (false, true) => left.len().to_string(),
            (false, false) => left.join("\n"),
        };
        if left.is_empty() { None } else { Some(found) }
    }

    fn holds(&self, line: &str) -> bool {
        let fold = |text: &str| if self.any_case { text.to_lowercase() } else { text.to_owned() };
        let (line, pattern) = (fold(line), fold(&self.pattern));
        if self.plain {
            return line.contains(&pattern);
        }
        let (pattern, from) = match pattern.strip_prefix('^') {
            Some(pattern) => (pattern.to_owned(), true),
            None => (pattern, false),
        };
        let (pattern, to) = match pattern.strip_suffix('$') {
            Some(pattern) => (pattern.to_owned(), true),
            None => (pattern, false),
        };
        let line: Vec<char> = line.chars().collect();
        let pattern: Vec<char> = pattern.chars().collect();
        let last = line.len().checked_sub(pattern.len());
        let fits = |place: usize| {
            let part = line.iter().skip(place).zip(&pattern);
            part.into_iter().all(|(found, wanted)| *wanted == '.' || found == wanted)
        };
        last.is_some_and(|last| {
            (0..=last).any(|place| (!from || place == 0) && (!to || place == last) && fits(place))
        })
    }
}

fn fault(word: &Word, message: String, help: &str) -> Fault {
    Fault { line: word.line, column: word.column, message, help: Some(help.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::Filter;
    use crate::lex::lines;

    fn left(grep: &str, text: &str) -> Option<String> {
        let lines = lines(grep, &mut Vec::new());
        let (program, words) = lines[0].words.split_first().expect("grep");
        Filter::read(program, words).expect(grep).apply(text)
    }

    #[test]
    fn lines_are_left_as_grep_leaves_them() {
        let text = "1: lo: UP\n2: e0: DOWN\n3: e1: up";
        for (grep, wanted) in [
            ("grep lo", Some("1: lo: UP")),
            ("grep -v lo", Some("2: e0: DOWN\n3: e1: up")),
            ("grep -i up", Some("1: lo: UP\n3: e1: up")),
            ("grep -q e0", Some("")),
            ("grep -c e", Some("2")),
            ("grep '^2'", Some("2: e0: DOWN")),
            ("grep 'e.: up$'", Some("3: e1: up")),
            ("grep -F 'e.:'", None),
            ("grep '^lo'", None),
            ("grep -qi nothing", None),
        ] {
            assert_eq!(left(grep, text).as_deref(), wanted, "{grep}");
        }
    }
}
