//! Words of somebody's in messages: quoted, and the known one that was probably meant.

/// Longer words are cut when they are shown, and are nobody's slip.
const LONGEST: usize = 64;

/// A word in backticks: what could alter a terminal is escaped, and it is cut where it is long.
pub fn quote(word: &str) -> String {
    let mut characters = word.chars();
    let start: String = characters.by_ref().take(LONGEST).collect();
    let rest = if characters.next().is_some() { "…" } else { "" };
    format!("`{}{rest}`", start.escape_debug())
}

/// The known word nearest to a misspelt one, if any is near enough to be a slip.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Comparing costs the product of both lengths, and no known word is nearly as long.
    if word.len() > LONGEST {
        return None;
    }
    // Each letter is another flag.
    if word.starts_with('-') && word.chars().count() <= 2 {
        return None;
    }
    let lower = word.to_lowercase();
    known
        .into_iter()
        .filter(|candidate| *candidate != word)
        .map(|candidate| {
            (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate)
        })
        .filter(|(distance, candidate)| {
            let length = candidate.chars().count();
            let shorter = length.min(lower.chars().count());
            *distance <= 1 + shorter / 4 && *distance < length
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The same as a remedy.
pub fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(word, known).map(|near| format!("did you mean `{near}`?"))
}

/// A MAC address as ip-link(8) writes it.
///
/// # Errors
/// Where it is none.
pub fn mac(text: &str) -> Result<[u8; 6], String> {
    let refused = || {
        format!(
            "{} is not a MAC address; six pairs of hexadecimal digits are expected, as in 02:00:00:00:00:01",
            quote(text)
        )
    };
    let mut bytes = [0; 6];
    let mut parts = text.split([':', '-']);
    for byte in &mut bytes {
        let part = parts.next().ok_or_else(refused)?;
        if part.is_empty() || part.len() > 2 || !part.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(refused());
        }
        *byte = u8::from_str_radix(part, 16).map_err(|_| refused())?;
    }
    if parts.next().is_some() {
        return Err(refused());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::{nearest, quote};

    #[test]
    fn words_are_quoted_escaped_and_cut() {
        assert_eq!(quote("eth1"), "`eth1`");
        assert_eq!(quote("\u{1b}[2J"), "`\\u{1b}[2J`");
        assert_eq!(quote(&"é".repeat(64)), format!("`{}`", "é".repeat(64)));
        assert_eq!(quote(&"é".repeat(65)), format!("`{}…`", "é".repeat(64)));
    }

    #[test]
    fn only_slips_are_guessed() {
        let known = ["link", "address", "route", "up", "x"];
        for (word, near) in [
            ("lnik", Some("link")),
            ("LINK", Some("link")),
            ("adress", Some("address")),
            ("adrss", Some("address")),
            ("u", Some("up")),
            ("link", None),
            ("lamp", None),
            ("y", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), near, "{word}");
        }
        assert_eq!(nearest(&"x".repeat(65), ["x"]), None);
        assert_eq!(nearest("eth0", ["eth1", "eth0"]), Some("eth1"));
    }
}
