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
        | GeneralCategory::Format
        | GeneralCategory::LineSeparator
        | GeneralCategory::ParagraphSeparator
        | GeneralCategory::PrivateUse => true,
        GeneralCategory::Unassigned => matches!(u32::from(character) & 0xffff, 0xfffe | 0xffff),
        _ => false,
    }
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
