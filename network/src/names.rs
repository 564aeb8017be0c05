//! What links and namespaces may be called: one grammar for scenarios, recipes, grants and the host.
//!
//! In a lab it is nearly the kernel's own (net/core/dev.c, `dev_valid_name`; the name of a namespace
//! is a file's), without what steers a terminal, is taken for an option, or leaves the name to the
//! kernel. On the machine's own network, where others read names too, it is narrower.

/// The longest name of a link: IFNAMSIZ of linux/if.h, less its NUL.
pub const LONGEST_LINK: usize = 15;
/// NAME_MAX of linux/limits.h: `ip netns add` makes a file of this name.
pub const LONGEST_NAMESPACE: usize = 255;

/// Characters of a wrong name that are shown: a recipe's may have millions.
const LONGEST_SHOWN: usize = 64;

/// A name of somebody's for a message: escaped, and cut where it is long.
pub fn shown(text: &str) -> String {
    let mut characters = text.chars();
    let mut shown: String =
        characters.by_ref().take(LONGEST_SHOWN).flat_map(char::escape_debug).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

/// What is wrong with the name of a new link in a lab: `[A-Za-z0-9_][A-Za-z0-9._@+-]{0,14}`.
pub fn link(text: &str) -> Result<(), String> {
    filled(text)?;
    if text.len() > LONGEST_LINK {
        let (shown, length) = (shown(text), text.len());
        return Err(format!("name `{shown}` has {length} bytes; the kernel allows {LONGEST_LINK}"));
    }
    lab(text)
}

/// What is wrong with the name of a new namespace in a lab: as a link's, with up to 255 bytes.
pub fn namespace(text: &str) -> Result<(), String> {
    filled(text)?;
    if text.len() > LONGEST_NAMESPACE {
        return Err(format!(
            "name `{}` has {} bytes; a namespace's may have {LONGEST_NAMESPACE}",
            shown(text),
            text.len()
        ));
    }
    lab(text)
}

/// What is wrong with the name of something new on the machine's own network, link or namespace:
/// `[A-Za-z][A-Za-z0-9._-]{0,14}`.
pub fn on_host(text: &str) -> Result<(), String> {
    filled(text)?;
    let name = shown(text);
    if text.len() > LONGEST_LINK {
        let length = text.len();
        return Err(format!(
            "name `{name}` has {length} bytes; on the host {LONGEST_LINK} are allowed"
        ));
    }
    if !text.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Err(format!("name `{name}` must begin with a letter on the host, unlike in a lab"));
    }
    match text.chars().find(|c| !c.is_ascii_alphanumeric() && !"._-".contains(*c)) {
        Some(bad) => Err(format!(
            "name `{name}` must not hold `{}` on the host; letters, digits, `.`, `_` and `-` are allowed",
            bad.escape_debug()
        )),
        None => Ok(()),
    }
}

fn filled(text: &str) -> Result<(), String> {
    if text.is_empty() { Err("a name must not be empty".to_owned()) } else { Ok(()) }
}

fn lab(text: &str) -> Result<(), String> {
    let name = shown(text);
    if text.contains('%') {
        return Err(format!(
            "name `{name}` must not hold `%`: the kernel takes `%d` for a number that it chooses"
        ));
    }
    let begins = |first: char| first.is_ascii_alphanumeric() || first == '_';
    if !text.starts_with(begins) {
        return Err(format!("name `{name}` must begin with a letter, a digit or `_`"));
    }
    match text.chars().find(|c| !c.is_ascii_alphanumeric() && !"._@+-".contains(*c)) {
        Some(bad) => Err(format!(
            "name `{name}` must not hold `{}`; letters, digits, `.`, `_`, `@`, `+` and `-` are allowed",
            bad.escape_debug()
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_NAMESPACE, link, namespace, on_host};

    #[test]
    fn in_a_lab_names_are_nearly_as_the_kernel_has_them() {
        for name in ["6rd", "5g0", "9p", "_x", "veth@x", "a+b", "1", "enp0s5.200", "a-b_c.d@e+f"] {
            assert_eq!((link(name), namespace(name)), (Ok(()), Ok(())), "{name}");
        }
        let long = "cni-0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
        assert_eq!(namespace(long), Ok(()));
        assert_eq!(namespace(&"n".repeat(LONGEST_NAMESPACE)), Ok(()));
    }

    #[test]
    fn what_is_wrong_with_a_name_is_said() {
        let signs = "letters, digits, `.`, `_`, `@`, `+` and `-` are allowed";
        for (name, message) in [
            ("", "a name must not be empty".to_owned()),
            ("-rf", "name `-rf` must begin with a letter, a digit or `_`".to_owned()),
            (".", "name `.` must begin with a letter, a digit or `_`".to_owned()),
            ("..", "name `..` must begin with a letter, a digit or `_`".to_owned()),
            ("@x", "name `@x` must begin with a letter, a digit or `_`".to_owned()),
            (
                "v%d",
                "name `v%d` must not hold `%`: the kernel takes `%d` for a number that it chooses"
                    .to_owned(),
            ),
            ("a/b", format!("name `a/b` must not hold `/`; {signs}")),
            ("a:b", format!("name `a:b` must not hold `:`; {signs}")),
            ("a b", format!("name `a b` must not hold ` `; {signs}")),
            ("a\u{1b}b", format!("name `a\\u{{1b}}b` must not hold `\\u{{1b}}`; {signs}")),
            ("é", "name `é` must begin with a letter, a digit or `_`".to_owned()),
        ] {
            assert_eq!(link(name), Err(message.clone()), "{name}");
            assert_eq!(namespace(name), Err(message), "{name}");
        }
        assert_eq!(
            link("abcdefghijklmnop"),
            Err("name `abcdefghijklmnop` has 16 bytes; the kernel allows 15".to_owned())
        );
        let long = format!("name `{}…` has 256 bytes; a namespace's may have 255", "n".repeat(64));
        assert_eq!(namespace(&"n".repeat(256)), Err(long));
    }

    #[test]
    fn on_the_host_names_are_plainer() {
        assert_eq!(on_host("enp0s5.200"), Ok(()));
        for (name, message) in [
            ("", "a name must not be empty"),
            ("5g0", "name `5g0` must begin with a letter on the host, unlike in a lab"),
            ("_x", "name `_x` must begin with a letter on the host, unlike in a lab"),
            (
                "a@b",
                "name `a@b` must not hold `@` on the host; letters, digits, `.`, `_` and `-` are allowed",
            ),
            (
                "abcdefghijklmnop",
                "name `abcdefghijklmnop` has 16 bytes; on the host 15 are allowed",
            ),
        ] {
            assert_eq!(on_host(name), Err(message.to_owned()));
        }
    }
}
