//! What `ip route show` and `flush` choose routes by.

use netwright_network::change::TABLE_MAIN;
use netwright_network::text::suggestion;
use netwright_sdk::wit::routes::RouteKind;
use netwright_sdk::wit::types::{Family, IpAddress, IpPrefix};

use crate::cursor::{Cursor, Named};
use crate::fault::shown;
use crate::inet::{Families, address, chooses_nothing, family_of, prefix_word};
use crate::keyword::{Keyword, begins, exact, find, names, short};
use crate::lex::Word;
use crate::names::{protocol, scope, service, table};
use crate::route_options::{kind_of, kinds};
use crate::value::{device, link, number32};

#[derive(Debug, Clone, Default, PartialEq)]
pub struct RouteFilter {
    pub family: Option<Family>,
    /// none: of every table
    pub table: Option<u32>,
    pub destination: Destinations,
    pub link: Option<String>,
    pub gateway: Option<IpAddress>,
    pub source: Option<IpAddress>,
    pub protocol: Option<u8>,
    pub scope: Option<u8>,
    pub kind: Option<RouteKind>,
    pub type_of_service: Option<u8>,
    pub metric: Option<u32>,
    /// whose table it is, which only the link itself knows
    pub vrf: Option<String>,
    /// of the cache, and not of any table
    pub cached: bool,
}

/// How a route's destination is compared.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Destinations {
    #[default]
    Any,
    Exact(IpPrefix),
    /// within the prefix
    Root(IpPrefix),
    /// holding the prefix
    Match(IpPrefix),
}

impl RouteFilter {
    pub(crate) fn main(family: Option<Family>) -> Self {
        Self { family, table: Some(TABLE_MAIN), ..Self::default() }
    }
}

#[derive(Clone, Copy)]
enum FilterWord {
    Table,
    Cached,
    Vrf,
    Metric,
    Service,
    Protocol,
    Scope,
    Type,
    Device,
    Via,
    Source,
    To,
    Refused,
}

/// In iproute2's order (ip/iproute.c, `iproute_list_flush_or_save`).
const WORDS: &[Keyword<FilterWord>] = &[
    short("table", FilterWord::Table),
    exact("vrf", FilterWord::Vrf),
    short("cached", FilterWord::Cached),
    short("cloned", FilterWord::Cached),
    exact("tos", FilterWord::Service),
    short("dsfield", FilterWord::Service),
    short("protocol", FilterWord::Protocol),
    short("scope", FilterWord::Scope),
    short("type", FilterWord::Type),
    exact("dev", FilterWord::Device),
    exact("oif", FilterWord::Device),
    exact("iif", FilterWord::Refused),
    exact("mark", FilterWord::Refused),
    exact("metric", FilterWord::Metric),
    exact("priority", FilterWord::Metric),
    exact("preference", FilterWord::Metric),
    exact("via", FilterWord::Via),
    exact("src", FilterWord::Source),
    short("realms", FilterWord::Refused),
    short("from", FilterWord::Refused),
    short("to", FilterWord::To),
];

/// Before a prefix: how it is compared.
#[derive(Clone, Copy)]
enum How {
    Root,
    Match,
    Exact,
}

const HOW: &[Keyword<How>] =
    &[short("root", How::Root), short("match", How::Match), short("exact", How::Exact)];

pub(crate) fn parse_filter(cursor: &mut Cursor<'_>, families: Families) -> Option<RouteFilter> {
    let mut filter = RouteFilter::main(families.chosen);
    let mut families = families;
    while let Some(word) = cursor.next() {
        match find(WORDS, &word.text) {
            Some((name, FilterWord::To)) => {
                let word = cursor.value(Named { word, name })?;
                filter.destination(cursor, word, &mut families)?;
            }
            Some((name, meaning)) => {
                filter.word(cursor, Named { word, name }, meaning, &mut families)?;
            }
            None => filter.destination(cursor, word, &mut families)?,
        }
    }
    filter.family = families.chosen;
    Some(filter)
}

impl RouteFilter {
    fn word(
        &mut self,
        cursor: &mut Cursor<'_>,
        named: Named<'_>,
        meaning: FilterWord,
        families: &mut Families,
    ) -> Option<()> {
        match meaning {
            FilterWord::Table if cursor.take("all") => self.table = None,
            FilterWord::Table if cursor.take("cache") => self.cached = true,
            FilterWord::Table => self.table = Some(table(cursor, named)?),
            FilterWord::Vrf => self.vrf = Some(link(cursor, named)?),
            FilterWord::Metric => self.metric = Some(number32(cursor, named)?),
            FilterWord::Cached => self.cached = true,
            FilterWord::Service => self.type_of_service = Some(service(cursor, named)?),
            FilterWord::Protocol if cursor.take("all") => self.protocol = None,
            FilterWord::Protocol => self.protocol = Some(protocol(cursor, named)?),
            FilterWord::Scope if cursor.take("all") => self.scope = None,
            FilterWord::Scope => self.scope = Some(scope(cursor, named)?),
            FilterWord::Type => self.kind = Some(kind(cursor, named)?),
            FilterWord::Device => self.link = Some(device(cursor, named)?),
            FilterWord::Via => self.gateway = Some(address(cursor, named, families)?),
            FilterWord::Source => self.source = Some(address(cursor, named, families)?),
            FilterWord::To => {}
            FilterWord::Refused => {
                let message = format!("routes can't be chosen by `{}` here", named.name);
                let help = "`dev`, `via`, `src`, `proto`, `scope`, `type`, `table`, `vrf` and `metric` choose";
                cursor.refuse_with(named.word, message, help);
                return None;
            }
        }
        Some(())
    }

    fn destination(
        &mut self,
        cursor: &mut Cursor<'_>,
        word: &Word,
        families: &mut Families,
    ) -> Option<()> {
        let (how, word) = match find(HOW, &word.text) {
            Some((name, how)) => (how, cursor.value(Named { word, name })?),
            None => (How::Exact, word),
        };
        if self.destination != Destinations::Any || begins("help", &word.text) {
            cursor.unknown(word, "the choice of routes", names(WORDS).chain(names(HOW)));
            return None;
        }
        if chooses_nothing(word, families) {
            return Some(());
        }
        let prefix = prefix_word(cursor, word, families)?;
        families.chosen = Some(families.chosen.unwrap_or(family_of(&prefix.address)));
        self.destination = match how {
            How::Root => Destinations::Root(prefix),
            How::Match => Destinations::Match(prefix),
            How::Exact => Destinations::Exact(prefix),
        };
        Some(())
    }
}

fn kind(cursor: &mut Cursor<'_>, named: Named<'_>) -> Option<RouteKind> {
    let word = cursor.value(named)?;
    let kind = kind_of(&word.text);
    if kind.is_none() {
        let message = format!("`{}` is not a type of route", shown(&word.text));
        cursor.fault(word, message, suggestion(&word.text, kinds()));
    }
    kind
}
