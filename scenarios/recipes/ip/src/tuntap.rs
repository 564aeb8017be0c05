//! `ip tuntap` (ip/iptuntap.c).

use netwright_sdk::wit::links::{Kind, Spec, Tuntap};

use crate::cursor::{Cursor, Named};
use crate::fault::shown;
use crate::keyword::{Keyword, begins, find, names, short};
use crate::lex::Word;
use crate::value::{new_name, read_number, refuse_choice};

#[derive(Debug, Clone, PartialEq)]
pub enum TuntapCommand {
    /// an empty name is chosen as the kernel would
    Add(Spec),
    Delete(String),
    Show,
}

#[derive(Clone, Copy)]
enum Verb {
    Add,
    Delete,
    Show,
}

const VERBS: &[Keyword<Verb>] = &[
    short("add", Verb::Add),
    short("delete", Verb::Delete),
    short("show", Verb::Show),
    short("lst", Verb::Show),
    short("list", Verb::Show),
];

pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Option<TuntapCommand> {
    let Some(word) = cursor.next() else { return Some(TuntapCommand::Show) };
    let Some((name, verb)) = find(VERBS, &word.text) else {
        cursor.unknown(word, "`ip tuntap`", names(VERBS));
        return None;
    };
    let verb_word = Named { word, name };
    match verb {
        Verb::Show => Some(TuntapCommand::Show),
        Verb::Add => {
            let words = read(cursor, verb_word)?;
            let kind = match words.mode? {
                Mode::Tun => Kind::Tun(words.tuntap),
                Mode::Tap => Kind::Tap(words.tuntap),
            };
            let name = words.name.unwrap_or_default();
            Some(TuntapCommand::Add(Spec { name, kind, parent: None, settings: Vec::new() }))
        }
        Verb::Delete => {
            let words = read(cursor, verb_word)?;
            if words.name.is_none() {
                cursor.refuse(word, "`delete` needs `dev`".to_owned());
            }
            words.name.map(TuntapCommand::Delete)
        }
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Tun,
    Tap,
}

const MODES: &[Keyword<Mode>] = &[short("tun", Mode::Tun), short("tap", Mode::Tap)];

#[derive(Clone, Copy)]
enum TuntapOption {
    Mode,
    User,
    Group,
    PacketInformation,
    OneQueue,
    VnetHeader,
    MultiQueue,
    Name,
}

const OPTIONS: &[Keyword<TuntapOption>] = &[
    short("mode", TuntapOption::Mode),
    short("user", TuntapOption::User),
    short("group", TuntapOption::Group),
    short("pi", TuntapOption::PacketInformation),
    short("one_queue", TuntapOption::OneQueue),
    short("vnet_hdr", TuntapOption::VnetHeader),
    short("multi_queue", TuntapOption::MultiQueue),
    short("dev", TuntapOption::Name),
    short("name", TuntapOption::Name),
];

struct TuntapWords {
    name: Option<String>,
    mode: Option<Mode>,
    tuntap: Tuntap,
}

fn read(cursor: &mut Cursor<'_>, verb: Named<'_>) -> Option<TuntapWords> {
    let tuntap = Tuntap {
        packet_information: false,
        vnet_header: false,
        multi_queue: false,
        one_queue: false,
        user: None,
        group: None,
    };
    let mut words = TuntapWords { name: None, mode: None, tuntap };
    let before = cursor.faults();
    while let Some(word) = cursor.next() {
        match find(OPTIONS, &word.text) {
            Some((name, option)) => words.option(cursor, Named { word, name }, option)?,
            None if words.name.is_none() && !begins("help", &word.text) => {
                words.name = Some(new_name(cursor, word)?);
            }
            None => {
                cursor.unknown(word, "`ip tuntap`", names(OPTIONS));
                return None;
            }
        }
    }
    if words.mode.is_none() && cursor.faults() == before {
        cursor.refuse_with(verb.word, "`mode` is missing".to_owned(), "`mode tun` or `mode tap`");
    }
    Some(words)
}

impl TuntapWords {
    fn option(
        &mut self,
        cursor: &mut Cursor<'_>,
        named: Named<'_>,
        option: TuntapOption,
    ) -> Option<()> {
        match option {
            TuntapOption::Mode => self.mode = self.mode(cursor, named),
            TuntapOption::User => self.tuntap.user = owner(cursor, named),
            TuntapOption::Group => self.tuntap.group = owner(cursor, named),
            TuntapOption::PacketInformation => self.tuntap.packet_information = true,
            TuntapOption::OneQueue => self.tuntap.one_queue = true,
            TuntapOption::VnetHeader => self.tuntap.vnet_header = true,
            TuntapOption::MultiQueue => self.tuntap.multi_queue = true,
            TuntapOption::Name => {
                if self.name.is_some() {
                    cursor.twice(named);
                }
                let word = cursor.value(named)?;
                self.name = Some(new_name(cursor, word)?);
            }
        }
        Some(())
    }

    fn mode(&self, cursor: &mut Cursor<'_>, named: Named<'_>) -> Option<Mode> {
        let word: &Word = cursor.value(named)?;
        let Some((_, mode)) = find(MODES, &word.text) else {
            refuse_choice(cursor, word, "mode", ["tun", "tap"].into_iter());
            return None;
        };
        if self.mode.is_some_and(|before| before != mode) {
            cursor.refuse(word, "a second mode is given here".to_owned());
        }
        Some(mode)
    }
}

/// By number: a recipe can't read the machine's list of users.
fn owner(cursor: &mut Cursor<'_>, named: Named<'_>) -> Option<u32> {
    let word = cursor.value(named)?;
    if word.text == "root" {
        return Some(0);
    }
    let found = read_number(&word.text).and_then(|number| u32::try_from(number).ok());
    if found.is_none() {
        let (name, typed) = (named.name, shown(&word.text));
        let message = format!("`{name}` must be a number, not `{typed}`");
        cursor.refuse_with(word, message, "the only name that is known everywhere is `root`");
    }
    found
}
