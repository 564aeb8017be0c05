//! Makes a stranger's text harmless to a terminal and to whoever reads it.

use std::path::Path;

use unicode_general_category::{GeneralCategory, get_general_category};

/// As many characters of one text as are shown.
pub const LONGEST_SHOWN: usize = 2000;

/// Shows what could alter a terminal or mislead the eye as an escape, so that what is shown is what
/// was said.
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

/// The same of a text that is shown whole.
pub fn tamed(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
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

/// Whether a character is shown as itself. By Unicode's general category those are not that control,
/// format, join or reverse others, end lines, have no meaning that anybody agreed on, or never will
/// have one; nor are letters and marks that nothing is drawn for (Default_Ignorable_Code_Point).
pub fn is_harmless(character: char) -> bool {
    use GeneralCategory::{
        Control, Format, LineSeparator, ParagraphSeparator, PrivateUse, Surrogate, Unassigned,
    };
    if matches!(character, ' '..='~') {
        return true;
    }
    match get_general_category(character) {
        Control | Format | LineSeparator | ParagraphSeparator | PrivateUse | Surrogate => false,
        // Letters of a later Unicode may be drawn; these never are.
        Unassigned => !is_noncharacter(character) && !is_ignorable(character),
        _ => !is_ignorable(character),
    }
}

/// U+FDD0 to U+FDEF and the last two of each plane (Unicode, 23.7). XML has no place for some.
fn is_noncharacter(character: char) -> bool {
    let number = u32::from(character);
    number & 0xfffe == 0xfffe || (0xfdd0..=0xfdef).contains(&number)
}

/// What of Default_Ignorable_Code_Point is of no category above.
fn is_ignorable(character: char) -> bool {
    matches!(character,
        '\u{034f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{2065}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}'
        | '\u{e0000}'..='\u{e0fff}')
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

    /// By Unicode's own table, and by its list of characters that nothing is drawn for.
    #[test]
    fn nothing_that_steers_hides_or_means_nothing_is_shown_as_itself() {
        use unicode_general_category::GeneralCategory as Category;
        for character in '\0'..=char::MAX {
            let category = unicode_general_category::get_general_category(character);
            let harmful = matches!(
                category,
                Category::Control
                    | Category::Format
                    | Category::LineSeparator
                    | Category::ParagraphSeparator
                    | Category::PrivateUse
            );
            let shown = escape(&character.to_string());
            assert!(!harmful || shown.is_ascii(), "{shown:?} {category:?}");
            assert!(shown.len() <= 10);
        }
        for character in [
            '\u{600}',
            '\u{6dd}',
            '\u{890}',
            '\u{110bd}',
            '\u{13430}',
            '\u{e000}',
            '\u{fdd0}',
            '\u{fffe}',
            '\u{ffff}',
            '\u{1ffff}',
            '\u{10fffe}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{e0100}',
            '\u{2028}',
            '\u{85}',
            '\u{7f}',
        ] {
            let text = format!("\\u{{{:x}}}", u32::from(character));
            assert_eq!(escape(&character.to_string()), text);
        }
    }

    #[test]
    fn ordinary_text_of_any_script_is_left_alone() {
        assert_eq!(escape("网卡 é 100 % <ok> नमस्ते 😀"), "网卡 é 100 % <ok> नमस्ते 😀");
    }

    #[test]
    fn long_text_is_cut_off() {
        assert_eq!(escape(&"x".repeat(3000)).len(), 2000 + " … cut off".len());
    }
}
