//! `ip neighbour` (ip/ipneigh.c).

use netwright_network::text::suggestion;
use netwright_sdk::wit::neighbours::{Neighbour, NeighbourState};
use netwright_sdk::wit::types::{Family, IpAddress, IpPrefix, MacAddress, Write};

use crate::command::Context;
use crate::cursor::{Cursor, Named};
use crate::fault::shown;
use crate::inet::{Families, address, address_word, prefix, prefix_word};
use crate::keyword::{Keyword, begins, exact, find, names, short};
use crate::lex::Word;
use crate::value::{device, link, mac_word};

#[derive(Debug, Clone, PartialEq)]
pub enum NeighbourCommand {
    Put { link: String, neighbour: Neighbour, how: Write },
    Remove { link: String, address: IpAddress, proxy: bool },
    Show(NeighbourFilter),
    Flush(NeighbourFilter),
    Get { link: String, address: IpAddress, proxy: bool },
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct NeighbourFilter {
    pub family: Option<Family>,
    pub link: Option<String>,
    pub to: Option<IpPrefix>,
    pub proxy: bool,
    pub master: Option<String>,
    /// of the master it is said that it is a VRF
    pub vrf: bool,
    pub nomaster: bool,
    /// none: what the verb itself leaves out
    pub states: Option<Vec<NeighbourState>>,
}

#[derive(Clone, Copy)]
enum Verb {
    Put(Write),
    Remove,
    Show,
    Flush,
    Get,
}

const VERBS: &[Keyword<Verb>] = &[
    short("add", Verb::Put(Write::Add)),
    short("change", Verb::Put(Write::Change)),
    exact("chg", Verb::Put(Write::Change)),
    short("replace", Verb::Put(Write::Replace)),
    short("delete", Verb::Remove),
    short("get", Verb::Get),
    short("show", Verb::Show),
    short("lst", Verb::Show),
    short("list", Verb::Show),
    short("flush", Verb::Flush),
];

pub(crate) fn parse(cursor: &mut Cursor<'_>, context: &Context) -> Option<NeighbourCommand> {
    let families = Families { chosen: context.family };
    let Some(word) = cursor.next() else {
        let filter = NeighbourFilter { family: context.family, ..NeighbourFilter::default() };
        return Some(NeighbourCommand::Show(filter));
    };
    let Some((name, verb)) = find(VERBS, &word.text) else {
        cursor.unknown(word, "`ip neighbour`", names(VERBS));
        return None;
    };
    let verb_word = Named { word, name };
    match verb {
        Verb::Put(how) => put(cursor, verb_word, families, how),
        Verb::Remove => {
            let words = read(cursor, verb_word, families)?;
            let (link, address) = (words.link?, words.address?);
            Some(NeighbourCommand::Remove { link, address, proxy: words.proxy })
        }
        Verb::Get => {
            let words = read(cursor, verb_word, families)?;
            let (link, address) = (words.link?, words.address?);
            Some(NeighbourCommand::Get { link, address, proxy: words.proxy })
        }
        Verb::Show => filter(cursor, families).map(NeighbourCommand::Show),
        Verb::Flush => {
            if cursor.peek().is_none() {
                let message = "`flush` needs to know what".to_owned();
                cursor.refuse_with(word, message, "as in `ip neighbour flush dev DEVICE`");
            }
            filter(cursor, families).map(NeighbourCommand::Flush)
        }
    }
}

const STATES: &[Keyword<NeighbourState>] = &[
    short("permanent", NeighbourState::Permanent),
    short("reachable", NeighbourState::Reachable),
    exact("noarp", NeighbourState::Noarp),
    exact("none", NeighbourState::None),
    exact("stale", NeighbourState::Stale),
    exact("incomplete", NeighbourState::Incomplete),
    exact("delay", NeighbourState::Delay),
    exact("probe", NeighbourState::Probe),
    short("failed", NeighbourState::Failed),
];

fn state(cursor: &mut Cursor<'_>, named: Named<'_>) -> Option<NeighbourState> {
    let word = cursor.value(named)?;
    let found = find(STATES, &word.text);
    if found.is_none() {
        let message = format!("`{}` is not a state of neighbours", shown(&word.text));
        cursor.fault(word, message, suggestion(&word.text, names(STATES)));
    }
    found.map(|(_, state)| state)
}

#[derive(Clone, Copy)]
enum NeighbourOption {
    Mac,
    State,
    Proxy,
    Router,
    ExternLearn,
    Device,
    To,
    Refused(&'static str),
}

const RESOLVING: &str =
    "the kernel would look for the station by itself; name it: `lladdr MAC`, or `ping` the address";
const PROTOCOL: &str = "leave it out: it is a note of who made the neighbour, and alters nothing";

const OPTIONS: &[Keyword<NeighbourOption>] = &[
    short("lladdr", NeighbourOption::Mac),
    exact("nud", NeighbourOption::State),
    short("proxy", NeighbourOption::Proxy),
    exact("router", NeighbourOption::Router),
    exact("use", NeighbourOption::Refused(RESOLVING)),
    exact("managed", NeighbourOption::Refused(RESOLVING)),
    short("extern_learn", NeighbourOption::ExternLearn),
    exact("dev", NeighbourOption::Device),
    short("protocol", NeighbourOption::Refused(PROTOCOL)),
    exact("to", NeighbourOption::To),
];

#[derive(Default)]
struct NeighbourWords<'a> {
    address: Option<IpAddress>,
    address_word: Option<&'a Word>,
    link: Option<String>,
    mac: Option<MacAddress>,
    mac_word: Option<&'a Word>,
    state: Option<NeighbourState>,
    proxy: bool,
    router: bool,
    extern_learn: bool,
}

fn read<'a>(
    cursor: &mut Cursor<'a>,
    verb: Named<'_>,
    mut families: Families,
) -> Option<NeighbourWords<'a>> {
    let mut words = NeighbourWords::default();
    let before = cursor.faults();
    while let Some(word) = cursor.next() {
        match find(OPTIONS, &word.text) {
            Some((name, option)) => {
                words.option(cursor, Named { word, name }, option, &mut families)?;
            }
            None if words.address_word.is_none() && !begins("help", &word.text) => {
                words.address_word = Some(word);
                words.address = address_word(cursor, word, &mut families);
            }
            None => {
                cursor.unknown(word, "`ip neighbour`", names(OPTIONS));
                return None;
            }
        }
    }
    if cursor.faults() == before {
        if words.address.is_none() {
            cursor.refuse(verb.word, format!("`{}` needs an address", verb.name));
        }
        if words.link.is_none() {
            cursor.refuse(verb.word, "`dev` is missing".to_owned());
        }
    }
    Some(words)
}

impl<'a> NeighbourWords<'a> {
    fn option(
        &mut self,
        cursor: &mut Cursor<'a>,
        named: Named<'a>,
        option: NeighbourOption,
        families: &mut Families,
    ) -> Option<()> {
        match option {
            NeighbourOption::Mac => {
                if self.mac_word.is_some() {
                    cursor.twice(named);
                }
                self.mac_word = Some(named.word);
                let word = cursor.value(named)?;
                self.mac = if word.text == "null" { None } else { mac_word(cursor, word) };
            }
            NeighbourOption::State => self.state = state(cursor, named),
            NeighbourOption::Proxy | NeighbourOption::To => {
                self.proxy |= matches!(option, NeighbourOption::Proxy);
                if self.address_word.is_some() {
                    cursor.refuse(named.word, "a second address is given here".to_owned());
                }
                self.address_word = Some(named.word);
                self.address = address(cursor, named, families);
            }
            NeighbourOption::Router => self.router = true,
            NeighbourOption::ExternLearn => self.extern_learn = true,
            NeighbourOption::Device => self.link = device(cursor, named),
            NeighbourOption::Refused(why) => {
                cursor.refuse_with(
                    named.word,
                    format!("`{}` is not offered here", named.name),
                    why,
                );
                return None;
            }
        }
        Some(())
    }
}

fn put(
    cursor: &mut Cursor<'_>,
    verb: Named<'_>,
    families: Families,
    how: Write,
) -> Option<NeighbourCommand> {
    let words = read(cursor, verb, families)?;
    Some(NeighbourCommand::Put {
        link: words.link?,
        neighbour: Neighbour {
            address: words.address?,
            mac: words.mac,
            state: words.state.unwrap_or(NeighbourState::Permanent),
            proxy: words.proxy,
            router: words.router,
            extern_learn: words.extern_learn,
        },
        how,
    })
}

#[derive(Clone, Copy)]
enum FilterWord {
    Device,
    State,
    Proxy,
    To,
    Master,
    Vrf,
    Nomaster,
    Refused,
}

const FILTER: &[Keyword<FilterWord>] = &[
    exact("dev", FilterWord::Device),
    exact("master", FilterWord::Master),
    exact("vrf", FilterWord::Vrf),
    exact("nomaster", FilterWord::Nomaster),
    exact("unused", FilterWord::Refused),
    exact("nud", FilterWord::State),
    exact("proxy", FilterWord::Proxy),
    exact("to", FilterWord::To),
    short("protocol", FilterWord::Refused),
];

fn filter(cursor: &mut Cursor<'_>, mut families: Families) -> Option<NeighbourFilter> {
    let mut filter = NeighbourFilter::default();
    while let Some(word) = cursor.next() {
        match find(FILTER, &word.text) {
            Some((name, meaning)) => {
                filter.word(cursor, Named { word, name }, meaning, &mut families)?;
            }
            None if filter.to.is_none() => {
                filter.to = Some(prefix_word(cursor, word, &mut families)?);
            }
            None => {
                cursor.unknown(word, "the choice of neighbours", names(FILTER));
                return None;
            }
        }
    }
    filter.family = families.chosen;
    Some(filter)
}

impl NeighbourFilter {
    fn word(
        &mut self,
        cursor: &mut Cursor<'_>,
        named: Named<'_>,
        meaning: FilterWord,
        families: &mut Families,
    ) -> Option<()> {
        match meaning {
            FilterWord::Device => self.link = Some(device(cursor, named)?),
            FilterWord::Proxy => self.proxy = true,
            FilterWord::Nomaster => self.nomaster = true,
            FilterWord::Master | FilterWord::Vrf => {
                self.vrf |= matches!(meaning, FilterWord::Vrf);
                self.master = Some(link(cursor, named)?);
            }
            FilterWord::To => self.to = Some(prefix(cursor, named, families)?),
            FilterWord::State if cursor.take("all") => {
                self.states = Some(STATES.iter().map(Keyword::meaning).collect());
            }
            FilterWord::State => {
                let state = state(cursor, named)?;
                self.states.get_or_insert_default().push(state);
            }
            FilterWord::Refused => {
                let message = format!("neighbours can't be chosen by `{}` here", named.name);
                cursor.refuse(named.word, message);
                return None;
            }
        }
        Some(())
    }
}
