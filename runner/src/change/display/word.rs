//! A word as a shell reads it back, whatever it holds: link names, aliases and settings are other
//! programs' and other people's.

use std::fmt::{self, Formatter, Result, Write as _};

use crate::report::is_harmless;

/// Shown so that sh(1) makes of it the word again, and so that it steers no terminal.
pub(crate) struct Word<'a>(pub(crate) &'a str);

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self(text) = self;
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-:/@%+=,".contains(c);
        if !text.is_empty() && !text.starts_with('-') && text.chars().all(plain) {
            return f.write_str(text);
        }
        if text.chars().all(is_harmless) {
            return write!(f, "'{}'", text.replace('\'', "'\\''"));
        }
        // `$(…)` takes new lines from the end.
        if text.ends_with('\n') {
            return coded(f, text, "$'", "'");
        }
        coded(f, text, "\"$(printf '", "')\"")
    }
}

/// Bytes that need it in octal, as printf(1) and `$'…'` of POSIX.1-2024 take them.
fn coded(f: &mut Formatter<'_>, text: &str, before: &str, after: &str) -> Result {
    f.write_str(before)?;
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b" ._:/@+=,[]()<>;&|*?#~!{}^".contains(&byte) {
            f.write_char(char::from(byte))?;
        } else {
            write!(f, "\\{byte:03o}")?;
        }
    }
    f.write_str(after)
}

#[cfg(test)]
mod tests {
    use super::Word;

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
        assert_eq!(shown("a\n"), "$'a\\012'");
    }
}
