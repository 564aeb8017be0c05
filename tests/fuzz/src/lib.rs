//! What several fuzzers ask of what they get.

use unicode_general_category::{GeneralCategory, get_general_category};

/// Insists that a text can't alter a terminal or mislead the eye: no control character, nothing
/// that reverses or joins what is around it, no second kind of line end. Line feeds are ours.
///
/// This is Unicode's own table, beside the one in the program.
pub fn harmless(text: &str) {
    let harmful = text.chars().find(|character| *character != '\n' && is_harmful(*character));
    assert!(harmful.is_none(), "{harmful:?} is shown as it is in {text:?}");
}

pub fn is_harmful(character: char) -> bool {
    match get_general_category(character) {
        GeneralCategory::Control
        | GeneralCategory::LineSeparator
        | GeneralCategory::ParagraphSeparator => true,
        GeneralCategory::Format => !is_drawn(character),
        _ => false,
    }
}

/// Marks before Arabic, Syriac and Kaithi numbers are of this category and yet drawn
/// (Prepended_Concatenation_Mark), as are the joiners of hieroglyphs between what they join.
fn is_drawn(character: char) -> bool {
    matches!(character,
        '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}'
        | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}')
}

/// The text of an input, where it is one.
pub fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// What is before the first NUL, and what is after it.
pub fn halves(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    (&bytes[..end], bytes.get(end + 1..).unwrap_or_default())
}
