//! What `ip address show` and `flush` choose addresses by.

use netwright_sdk::wit::addresses::AddressFlags;
use netwright_sdk::wit::types::{Family, IpPrefix};

use crate::cursor::{Cursor, Named};
use crate::inet::{Families, chooses_nothing, prefix_word};
use crate::keyword::{Keyword, exact, find};
use crate::lex::Word;
use crate::link_show::{LinkFilter, Style};
use crate::names::scope;

#[derive(Debug, Clone, Default, PartialEq)]
pub struct AddressFilter {
    pub links: LinkFilter,
    pub family: Option<Family>,
    pub scope: Option<u8>,
    pub to: Option<IpPrefix>,
    pub label: Option<String>,
    /// each must be so
    pub states: Vec<(State, bool)>,
}

/// Properties of an address that it is given by the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Dynamic,
    Secondary,
    Tentative,
    Deprecated,
    Duplicate,
    /// one of those that are said of an address when it is added
    Flag(AddressFlags),
}

#[derive(Clone, Copy)]
enum FilterWord {
    Scope,
    To,
    Label,
    State(State, bool),
}

const WORDS: &[Keyword<FilterWord>] = &[
    exact("scope", FilterWord::Scope),
    exact("to", FilterWord::To),
    exact("label", FilterWord::Label),
    exact("dynamic", FilterWord::State(State::Dynamic, true)),
    exact("permanent", FilterWord::State(State::Dynamic, false)),
    exact("secondary", FilterWord::State(State::Secondary, true)),
    exact("temporary", FilterWord::State(State::Secondary, true)),
    exact("primary", FilterWord::State(State::Secondary, false)),
    exact("tentative", FilterWord::State(State::Tentative, true)),
    exact("-tentative", FilterWord::State(State::Tentative, false)),
    exact("deprecated", FilterWord::State(State::Deprecated, true)),
    exact("-deprecated", FilterWord::State(State::Deprecated, false)),
    exact("dadfailed", FilterWord::State(State::Duplicate, true)),
    exact("-dadfailed", FilterWord::State(State::Duplicate, false)),
    exact("home", FilterWord::State(State::Flag(AddressFlags::HOME), true)),
    exact("nodad", FilterWord::State(State::Flag(AddressFlags::NODAD), true)),
    exact("mngtmpaddr", FilterWord::State(State::Flag(AddressFlags::MNGTMPADDR), true)),
    exact("noprefixroute", FilterWord::State(State::Flag(AddressFlags::NOPREFIXROUTE), true)),
    exact("autojoin", FilterWord::State(State::Flag(AddressFlags::AUTOJOIN), true)),
];

impl AddressFilter {
    pub(crate) fn of(family: Option<Family>, style: Style) -> Self {
        let links = LinkFilter { style, ..LinkFilter::default() };
        Self { links, family, ..Self::default() }
    }

    fn word(
        &mut self,
        cursor: &mut Cursor<'_>,
        word: &Word,
        families: &mut Families,
    ) -> Option<bool> {
        let Some((name, meaning)) = find(WORDS, &word.text) else { return Some(false) };
        let named = Named { word, name };
        match meaning {
            FilterWord::Scope if cursor.take("all") => self.scope = None,
            FilterWord::Scope => self.scope = Some(scope(cursor, named)?),
            FilterWord::To => {
                let word = cursor.value(named)?;
                let nothing = chooses_nothing(word, families);
                self.to = if nothing { None } else { Some(prefix_word(cursor, word, families)?) };
            }
            FilterWord::Label => self.label = Some(cursor.value(named)?.text.clone()),
            FilterWord::State(state, wanted) => self.states.push((state, wanted)),
        }
        Some(true)
    }
}

pub(crate) fn parse_filter(
    cursor: &mut Cursor<'_>,
    mut families: Families,
    style: Style,
) -> Option<AddressFilter> {
    let mut filter = AddressFilter::of(None, style);
    while let Some(word) = cursor.next() {
        let taken = filter.word(cursor, word, &mut families)? || filter.links.word(cursor, word)?;
        if !taken {
            filter.links.device(cursor, word)?;
        }
    }
    filter.family = families.chosen;
    Some(filter)
}
