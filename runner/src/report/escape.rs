//! Makes a stranger's text harmless to a terminal and to whoever reads it.

use std::path::Path;

/// As many characters of one text as are shown.
const LONGEST_SHOWN: usize = 2000;

/// Shows what could alter a terminal or mislead the eye as an escape: control characters,
/// direction overrides, zero-width and other invisible characters (Unicode UAX #9, general
/// category Cf), so that what is shown is what was said.
pub fn escape(text: &str) -> String {
    let mut shown = String::with_capacity(text.len().min(LONGEST_SHOWN));
    for (place, character) in text.chars().enumerate() {
        if place == LONGEST_SHOWN {
            shown.push_str(" … cut off");
            break;
        }
        if is_harmless(character) {
            shown.push(character);
        } else {
            shown.extend(character.escape_unicode());
        }
    }
    shown
}

/// A path as one line of a message.
pub fn path(path: impl AsRef<Path>) -> String {
    escape(&path.as_ref().to_string_lossy())
}

/// Whether a character is shown as itself.
pub fn is_harmless(character: char) -> bool {
    !character.is_control()
        && !matches!(character,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn terminal_sequences_are_shown_not_obeyed() {
        assert_eq!(escape("\x1b[2Jok: all\r"), "\\u{1b}[2Jok: all\\u{d}");
    }

    #[test]
    fn invisible_and_reversing_characters_are_shown() {
        assert_eq!(escape("a\u{202e}b\u{200b}c"), "a\\u{202e}b\\u{200b}c");
    }

    #[test]
    fn ordinary_text_of_any_script_is_left_alone() {
        assert_eq!(escape("网卡 é 100 % <ok>"), "网卡 é 100 % <ok>");
    }

    #[test]
    fn long_text_is_cut_off() {
        assert_eq!(escape(&"x".repeat(3000)).len(), 2000 + " … cut off".len());
    }
}
