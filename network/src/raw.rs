//! Names and aliases that are no UTF-8: anybody may give such ones to links. Each of their bytes that
//! is none of a character is kept as one of 256 characters that are never given out (the last ones of
//! Unicode's last plane), so that no two names look the same, and each can be said to the kernel
//! again.

/// The first of them.
const FIRST: u32 = 0x10_ff00;

/// Bytes, up to the first NUL, as text.
#[must_use]
pub fn from_kernel(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let mut text = String::new();
    for chunk in bytes[..end].utf8_chunks() {
        for character in chunk.valid().chars() {
            match byte_of(character) {
                None => text.push(character),
                // One of these, which somebody gave out all the same.
                Some(_) => text.extend(character.to_string().bytes().map(character_of)),
            }
        }
        text.extend(chunk.invalid().iter().map(|byte| character_of(*byte)));
    }
    text
}

/// The bytes that a text was.
#[must_use]
pub fn to_kernel(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for character in text.chars() {
        match byte_of(character) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend(character.to_string().bytes()),
        }
    }
    bytes
}

fn character_of(byte: u8) -> char {
    char::from_u32(FIRST + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn byte_of(character: char) -> Option<u8> {
    u8::try_from(u32::from(character).checked_sub(FIRST)?).ok()
}

#[cfg(test)]
mod tests {
    use super::{from_kernel, to_kernel};

    #[test]
    fn every_name_can_be_said_again_and_no_two_look_alike() {
        let names: [&[u8]; 7] = [
            b"eth0",
            "straße".as_bytes(),
            b"\xff\xfe9",
            b"\xff\xfd9",
            "\u{fffd}\u{fffd}9".as_bytes(),
            "\u{10fffe}".as_bytes(),
            b"\xe2\x82x",
        ];
        let shown: Vec<String> = names.iter().map(|name| from_kernel(name)).collect();
        for (place, text) in shown.iter().enumerate() {
            assert_eq!(to_kernel(text), names[place], "{text:?}");
            assert!(!shown[..place].contains(text), "{text:?}");
        }
        assert_eq!(from_kernel(b"eth0\0rest"), "eth0");
    }
}
