//! The one way out to people. Whatever a text holds that could steer a terminal or mislead the eye
//! becomes an escape here, whoever wrote it, and whether or not its writer thought of it; only the
//! program's own styles pass.

use std::fmt::Display;
use std::io::{self, IsTerminal as _};

use anstyle::Style;

use super::out::{ERROR, OUTPUT};
use crate::exit::{Exit, Failure};
use crate::text::is_harmless;

/// A line in the making.
#[derive(Debug, Default)]
pub(crate) struct Line(String);

impl Line {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// More of this one line: a text can't begin another.
    pub(crate) fn text(mut self, text: impl Display) -> Self {
        tame(&text.to_string(), &[], &mut self.0);
        self
    }

    /// The same, in a style.
    pub(crate) fn styled(mut self, style: Style, text: impl Display) -> Self {
        self.0.push_str(&style.to_string());
        self = self.text(text);
        self.0.push_str(&format!("{style:#}"));
        self
    }

    /// A message whose remedy is on a line of its own.
    pub(crate) fn message(mut self, text: impl Display) -> Self {
        tame(&text.to_string(), &['\n'], &mut self.0);
        self
    }

    #[cfg(fuzzing)]
    pub(crate) fn shown(&self) -> &str {
        &self.0
    }

    /// Standard output. A closed or full one is no reason to stop an undo, so that a failure to
    /// write is passed over.
    pub(crate) fn say(self) {
        let _ = OUTPUT.write(&(self.0 + "\n"));
    }

    /// Standard error; where that is closed there is nobody to tell.
    pub(crate) fn complain(self) {
        let _ = ERROR.write(&(self.0 + "\n"));
    }
}

/// The text for a document that keeps its lines, such as XML, which has no place for some characters,
/// and none where they would be escapes.
pub(super) fn tamed_lines(text: &str) -> String {
    let mut tamed = String::with_capacity(text.len());
    tame(text, &['\n', '\t'], &mut tamed);
    tamed
}

/// Appends the text, with escapes in place of what isn't harmless; these are let through.
fn tame(text: &str, but: &[char], into: &mut String) {
    for character in text.chars() {
        if is_harmless(character) || but.contains(&character) {
            into.push(character);
        } else {
            into.extend(character.escape_unicode());
        }
    }
}

/// What ended a command. Faults have their places, in colour on a terminal.
pub fn complain(failure: &Failure) {
    if failure.message.is_empty() {
        return;
    }
    match &failure.faults {
        // Its renderer takes out of strangers' text what isn't harmless, and adds its colours.
        Some(faults) => {
            let _ = ERROR.write(&format!("{}\n", faults.styled()));
        }
        None if failure.message.starts_with("error") => {
            Line::new().message(&failure.message).complain();
        }
        None => Line::new().text("error: ").message(&failure.message).complain(),
    }
}

/// Asks on the terminal; no new line behind it.
pub(crate) fn ask(text: &str) {
    let mut tamed = String::new();
    tame(text, &['\n'], &mut tamed);
    // Where it is gone the answer is no.
    let _ = ERROR.write_bytes(tamed.as_bytes());
}

/// Prints a command's answer on standard output: lines, and columns with tabs between.
pub fn print(text: &str) -> Result<Exit, Failure> {
    let mut tamed = String::with_capacity(text.len());
    tame(text, &['\n', '\t'], &mut tamed);
    print_bytes(tamed.as_bytes())
}

/// Prints lines, none of which can be two.
pub(crate) fn print_lines<T: Display>(lines: impl IntoIterator<Item = T>) -> Result<Exit, Failure> {
    let mut tamed = String::new();
    for line in lines {
        tame(&line.to_string(), &['\t'], &mut tamed);
        tamed.push('\n');
    }
    print_bytes(tamed.as_bytes())
}

/// Prints an answer in the one form or the other.
pub fn answer(json: bool, text: &str) -> Result<Exit, Failure> {
    if json { print_json(text) } else { print(text) }
}

/// The same for JSON, whose own escapes mean the same to whoever reads it.
pub fn print_json(text: &str) -> Result<Exit, Failure> {
    print_bytes(json(text).as_bytes())
}

/// Text that the program made for other programs, such as a shell's completions.
pub fn print_bytes(bytes: &[u8]) -> Result<Exit, Failure> {
    match OUTPUT.write_bytes(bytes) {
        Ok(()) => Ok(Exit::Done),
        // Whoever reads has seen enough, as `head` has.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Exit::Done),
        Err(error) => Err(Failure::new(Exit::Broken, format!("can't write the answer: {error}"))),
    }
}

/// Written without spaces or with them, JSON has such characters inside of strings alone.
pub(super) fn json(text: &str) -> String {
    let mut tamed = String::with_capacity(text.len());
    for character in text.chars() {
        if is_harmless(character) || character == '\n' {
            tamed.push(character);
        } else {
            let units = character.encode_utf16(&mut [0; 2]).to_vec();
            tamed.extend(units.iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    tamed
}

/// Whether somebody sits at both ends of a question.
pub(crate) fn is_terminal() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

#[cfg(test)]
mod tests {
    use super::{Line, json};

    #[test]
    fn a_text_can_begin_no_line_and_steer_nothing() {
        let line = Line::new().text("a\nb\x1b[2J\u{202e}");
        assert_eq!(line.0, "a\\u{a}b\\u{1b}[2J\\u{202e}");
        assert_eq!(Line::new().message("a\n  help: b\r").0, "a\n  help: b\\u{d}");
    }

    #[test]
    fn json_stays_what_it_was() {
        let value = serde_json::json!({ "a\u{9b}": "\x1b\u{202e}\u{e0001}\n网" });
        let text = json(&value.to_string());
        assert_eq!(text, "{\"a\\u009b\":\"\\u001b\\u202e\\udb40\\udc01\\n网\"}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).expect("JSON"), value);
    }
}
