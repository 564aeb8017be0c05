//! The recipes that come with the program: components like any other, with no more rights.

/// The component of `builtin:NAME`; none where there is no such recipe.
pub(crate) fn find(name: &str) -> Option<&'static [u8]> {
    RECIPES.iter().find(|(known, _)| *known == name).map(|(_, component)| *component)
}

/// What can follow `builtin:`, for suggestions and listings.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    RECIPES.iter().map(|(name, _)| *name)
}

/// Whether this program was built where they could not be, which its build warned of.
pub(crate) fn are_missing() -> bool {
    RECIPES.is_empty()
}

/// What is said then.
pub(crate) const MISSING: &str = "this program was built without the built-in recipes\n  \
    help: `rustup target add wasm32-unknown-unknown`, and build it again";

/// Names and components, as the build script left them.
static RECIPES: &[(&str, &[u8])] = &include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

#[cfg(test)]
mod tests {
    use super::{find, names};

    #[test]
    fn every_built_in_recipe_is_a_component() {
        let mut found = Vec::new();
        for name in names() {
            let component = find(name).expect("a name that is listed");
            // The component model's Binary.md: magic, version 0x0d, layer 1.
            assert_eq!(&component[..8], b"\0asm\x0d\0\x01\0", "{name}");
            found.push(name);
        }
        assert_eq!(found, ["ip", "topology", "macvlan-network"]);
    }

    #[test]
    fn an_unknown_name_finds_nothing() {
        assert_eq!(find("ip.wasm"), None);
        assert_eq!(find(""), None);
    }
}
