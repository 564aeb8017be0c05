//! The recipes that come with the program: components like any other, with no more rights.

/// The component of `builtin:NAME`; none where there is no such recipe.
pub(crate) fn find(name: &str) -> Option<&'static [u8]> {
    RECIPES.iter().find(|(known, _)| *known == name).map(|(_, component)| *component)
}

/// What can follow `builtin:`, for suggestions and listings.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    RECIPES.iter().map(|(name, _)| *name)
}

/// The build script says where they are, and insists on each.
macro_rules! recipe {
    ($name:literal) => {
        ($name, include_bytes!(concat!(env!("NETWRIGHT_RECIPES"), "/", $name, ".wasm")))
    };
}

static RECIPES: [(&str, &[u8]); 3] =
    [recipe!("ip"), recipe!("topology"), recipe!("macvlan-network")];

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
