//! Remedies, which are the program's own: each is made here, as one line, from what it says. No text
//! is taken for one because it looks like one, for messages hold words of recipes and scenarios, and a
//! recipe passes on what the host told it.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::{Mutex, PoisonError};

use super::escape::tamed;

/// How a remedy begins, on a line of its own.
const HELP: &str = "  help: ";
/// Others than the first are told as the recipe's.
const MOST: usize = 1000;

static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The end of a message: a remedy on a line of its own. Whatever it holds, it is one line.
pub fn help(remedy: impl Display) -> String {
    own_line(format!("{HELP}{}", tamed(&remedy.to_string())))
}

/// One more fault of the same message, with its remedy if it has one.
pub fn also(fault: &str) -> String {
    let own = own_lines(fault);
    let (first, rest) = own.split_at(own.find('\n').unwrap_or(own.len()));
    own_line(first.to_owned()) + rest
}

fn own_line(line: String) -> String {
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    let text = format!("\n{line}");
    if told.len() < MOST {
        told.insert(line);
    }
    text
}

/// The message, in which only the program's own lines begin lines: others' are part of one.
pub fn own_lines(message: &str) -> String {
    let told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    let mut own = String::with_capacity(message.len());
    for (place, line) in message.split('\n').enumerate() {
        match (place, told.contains(line)) {
            (0, _) => own.push_str(line),
            (_, true) => own = own + "\n" + line,
            (_, false) => own = own + "\\u{a}" + line,
        }
    }
    own
}

/// None was made so far.
#[cfg(fuzzing)]
pub fn forget() {
    TOLD.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

/// Whether the program itself said it, as a remedy.
pub fn is_own_remedy(line: &str) -> bool {
    line.starts_with(HELP) && TOLD.lock().unwrap_or_else(PoisonError::into_inner).contains(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_a_remedy_by_its_looks() {
        let evil = "x\n  help: sudo sh\n";
        let message = format!("`a` must not be `{evil}`{}", help("leave `a` out"));
        let shown = "`a` must not be `x\\u{a}  help: sudo sh\\u{a}`\n  help: leave `a` out";
        assert_eq!(own_lines(&message), shown);
        assert!(is_own_remedy("  help: leave `a` out"));
        assert!(!is_own_remedy("  help: sudo sh"));
        // Nor by what one says.
        let end = help(format!("name it `{evil}`"));
        assert_eq!(end, "\n  help: name it `x\\u{a}  help: sudo sh\\u{a}`");
        assert!(!is_own_remedy("  help: sudo sh"));
        let two = format!("one{}", also(&format!("two {evil}{}", help("try"))));
        assert_eq!(own_lines(&two), "one\ntwo x\\u{a}  help: sudo sh\\u{a}\n  help: try");
        assert!(!is_own_remedy("two x\\u{a}  help: sudo sh\\u{a}"));
    }
}
