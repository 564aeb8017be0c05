//! What `ip link show` and `ip address show` choose links by.

use crate::cursor::{Cursor, Named};
use crate::keyword::{Keyword, exact, find, names};
use crate::kind;
use crate::lex::Word;
use crate::names::group;
use crate::value::{link, link_word};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkFilter {
    pub device: Option<String>,
    pub group: Option<u32>,
    pub up: bool,
    pub master: Option<String>,
    /// of the master it is said that it is a VRF
    pub vrf: bool,
    pub nomaster: bool,
    pub kind: Option<String>,
    pub style: Style,
}

/// How links and addresses are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Style {
    #[default]
    Full,
    /// `-oneline`: a backslash stands for each new line within one of them
    OneLine,
    /// `-brief`
    Brief,
}

#[derive(Clone, Copy)]
pub(crate) enum FilterWord {
    Up,
    Master,
    Vrf,
    Nomaster,
    Type,
    Group,
    Device,
}

const WORDS: &[Keyword<FilterWord>] = &[
    exact("up", FilterWord::Up),
    exact("group", FilterWord::Group),
    exact("master", FilterWord::Master),
    exact("vrf", FilterWord::Vrf),
    exact("nomaster", FilterWord::Nomaster),
    exact("type", FilterWord::Type),
    exact("dev", FilterWord::Device),
];

pub(crate) fn parse_filter(cursor: &mut Cursor<'_>, style: Style) -> Option<LinkFilter> {
    let mut filter = LinkFilter { style, ..LinkFilter::default() };
    while let Some(word) = cursor.next() {
        if !filter.word(cursor, word)? {
            filter.device(cursor, word)?;
        }
    }
    Some(filter)
}

impl LinkFilter {
    /// False where the word is none of the filter's own.
    pub(crate) fn word(&mut self, cursor: &mut Cursor<'_>, word: &Word) -> Option<bool> {
        let Some((name, meaning)) = find(WORDS, &word.text) else { return Some(false) };
        let option = Named { word, name };
        match meaning {
            FilterWord::Up => self.up = true,
            FilterWord::Nomaster => self.nomaster = true,
            FilterWord::Group => self.group = Some(group(cursor, option)?),
            FilterWord::Master => self.master = Some(link(cursor, option)?),
            FilterWord::Vrf => {
                self.master = Some(link(cursor, option)?);
                self.vrf = true;
            }
            FilterWord::Device => {
                let device = cursor.value(option)?;
                self.device(cursor, device)?;
            }
            FilterWord::Type => {
                let word = cursor.value(option)?;
                kind::known(cursor, word)?;
                self.kind = Some(word.text.clone());
            }
        }
        Some(true)
    }

    pub(crate) fn device(&mut self, cursor: &mut Cursor<'_>, word: &Word) -> Option<()> {
        if self.device.is_some() {
            cursor.unknown(word, "the choice of links", names(WORDS));
            return None;
        }
        self.device = Some(link_word(cursor, word)?);
        Some(())
    }
}
