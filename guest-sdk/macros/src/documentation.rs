//! What the macros take over from the source: doc comments and names, and how JSON writes them.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// A doc comment as one text; paragraphs stay apart, the lines of one are joined.
pub(crate) fn of(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(line);
    let mut text = String::new();
    for line in lines {
        let line = line.trim().to_owned();
        if line.is_empty() {
            text.push('\n');
        } else {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push(' ');
            }
            text.push_str(&line);
        }
    }
    text.trim().to_owned()
}

fn line(attribute: &Attribute) -> Option<String> {
    let Meta::NameValue(pair) = &attribute.meta else { return None };
    let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &pair.value else { return None };
    pair.path.is_ident("doc").then(|| text.value())
}

/// A JSON string, with its quotes: RFC 8259, section 7.
pub(crate) fn json(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            control if control < ' ' => quoted.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// `ip_range` and `IpRange` as `ip-range`.
pub(crate) fn kebab(name: &str) -> String {
    let mut words = String::new();
    for character in name.chars() {
        match character {
            '_' => words.push('-'),
            upper if upper.is_uppercase() => {
                if !words.is_empty() && !words.ends_with('-') {
                    words.push('-');
                }
                words.extend(upper.to_lowercase());
            }
            other => words.push(other),
        }
    }
    words
}
