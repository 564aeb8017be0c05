//! Words that somebody pastes into a shell: names, paths and settings are other people's, and a
//! shell must make of them what they are and nothing else.

use std::fmt::{self, Formatter, Result, Write as _};

use crate::raw;

/// A word as sh(1) reads it back, in quotes where it needs them; it steers no terminal.
#[derive(Debug, Clone, Copy)]
pub struct Word<'a>(pub &'a str);

/// The same in quotes in any case: for what is more than a name, such as a grant.
#[derive(Debug, Clone, Copy)]
pub struct Quoted<'a>(pub &'a str);

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self(text) = self;
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-:/@%+=,".contains(c);
        let bare = !text.is_empty() && !text.starts_with('-') && text.chars().all(plain);
        if bare { f.write_str(text) } else { Quoted(text).fmt(f) }
    }
}

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self(text) = self;
        if text.chars().all(is_drawn) {
            return write!(f, "'{}'", text.replace('\'', "'\\''"));
        }
        // `$(…)` takes new lines from the end. IFS begins with a space and a tab, and a shell never
        // takes it from its environment.
        let kept = text.trim_end_matches('\n');
        coded(f, kept)?;
        (kept.len()..text.len()).try_for_each(|_| f.write_str("\"${IFS#??}\""))
    }
}

/// By printf(1), with bytes that need it in octal.
fn coded(f: &mut Formatter<'_>, text: &str) -> Result {
    f.write_str("\"$(printf '")?;
    // What begins with it would be an option.
    for (place, byte) in raw::to_kernel(text).into_iter().enumerate() {
        let plain = byte.is_ascii_alphanumeric() || b" ._:/@+=,[]()<>;&|*?#~{}^-".contains(&byte);
        if plain && !(place == 0 && byte == b'-') {
            f.write_char(char::from(byte))?;
        } else {
            write!(f, "\\{byte:03o}")?;
        }
    }
    f.write_str("')\"")
}

/// Whether a character is drawn, by itself, as what it is. Fillers of Hangul are letters that are
/// not drawn.
fn is_drawn(character: char) -> bool {
    let filler = matches!(character, '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}');
    let itself = matches!(character, '\'' | '"' | '\\');
    itself || (!filler && character.escape_debug().len() == 1)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{Quoted, Word};

    #[test]
    fn words_are_quoted_where_a_shell_would_do_something_else() {
        let shown = |text| Word(text).to_string();
        assert_eq!(shown("eth0.5@x"), "eth0.5@x");
        assert_eq!(shown("a$(id)"), "'a$(id)'");
        assert_eq!(shown("-rf"), "'-rf'");
        assert_eq!(shown(""), "''");
        assert_eq!(shown("it's"), "'it'\\''s'");
        assert_eq!(shown("网 卡"), "'网 卡'");
        assert_eq!(shown("e\u{1b}[31m\u{202e}"), "\"$(printf 'e\\033[31m\\342\\200\\256')\"");
        assert_eq!(shown("a\n"), "\"$(printf 'a')\"\"${IFS#??}\"");
        assert_eq!(Quoted("eth0").to_string(), "'eth0'");
        let raw = crate::raw::from_kernel(b"\xff9");
        assert_eq!(shown(&raw), "\"$(printf '\\3779')\"");
    }

    #[test]
    fn a_shell_reads_every_word_back() {
        let mut words = vec![
            "a'; touch x;'".to_owned(),
            "`id`$(id)${HOME}!touch\\".to_owned(),
            "-n".to_owned(),
            "-n\u{1}".to_owned(),
            "%s%n\\012\u{1b}".to_owned(),
            "\n".to_owned(),
            "a\n\n".to_owned(),
            "\na\n b\t\n".to_owned(),
            "~root/*".to_owned(),
            "é\u{301}\u{3164}\u{feff}\u{e000}\u{ffff}".to_owned(),
        ];
        words.extend((1..=0x7f_u8).map(|byte| format!("a{}b", char::from(byte))));
        for word in words {
            for quoted in [Word(&word).to_string(), Quoted(&word).to_string()] {
                assert!(!quoted.contains(char::is_control), "{quoted:?}");
                let script = format!("printf '%s|' {quoted}");
                let read = Command::new("sh").arg("-c").arg(&script).output().expect("sh(1)");
                assert_eq!(String::from_utf8_lossy(&read.stdout), format!("{word}|"), "{script}");
            }
        }
    }
}
