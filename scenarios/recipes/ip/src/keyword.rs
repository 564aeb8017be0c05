//! Tables of the words that a place takes, found as iproute2 finds them.

/// A word and what it means. Most places of ip(8) take any beginning of a word, some only the
/// whole word; where several fit, the first of the table wins.
pub(crate) struct Keyword<T: 'static> {
    name: &'static str,
    abbreviated: bool,
    means: T,
}

/// A word that must be written out.
pub(crate) const fn exact<T>(name: &'static str, means: T) -> Keyword<T> {
    Keyword { name, abbreviated: false, means }
}

/// A word of which any beginning does.
pub(crate) const fn short<T>(name: &'static str, means: T) -> Keyword<T> {
    Keyword { name, abbreviated: true, means }
}

/// The word's full name and its meaning.
pub(crate) fn find<T: Copy>(table: &[Keyword<T>], typed: &str) -> Option<(&'static str, T)> {
    table.iter().find(|keyword| keyword.fits(typed)).map(|found| (found.name, found.means))
}

impl<T: Copy> Keyword<T> {
    pub(crate) fn meaning(&self) -> T {
        self.means
    }
}

impl<T> Keyword<T> {
    fn fits(&self, typed: &str) -> bool {
        if self.abbreviated { begins(self.name, typed) } else { self.name == typed }
    }
}

/// Whether what was typed is a beginning of the word.
pub(crate) fn begins(word: &str, typed: &str) -> bool {
    !typed.is_empty() && word.starts_with(typed)
}

pub(crate) fn names<T>(table: &'static [Keyword<T>]) -> impl Iterator<Item = &'static str> {
    table.iter().map(|keyword| keyword.name)
}

#[cfg(test)]
mod tests {
    use super::{exact, find, short};

    #[test]
    fn the_first_that_fits_wins() {
        let table = [exact("name", 1), short("nomaster", 2), short("numtxqueues", 3)];
        assert_eq!(find(&table, "n"), Some(("nomaster", 2)));
        assert_eq!(find(&table, "name"), Some(("name", 1)));
        assert_eq!(find(&table, "nu"), Some(("numtxqueues", 3)));
        assert_eq!(find(&table, "nam"), None);
        assert_eq!(find(&table, ""), None);
        assert_eq!(find(&table, "nomasters"), None);
    }
}
