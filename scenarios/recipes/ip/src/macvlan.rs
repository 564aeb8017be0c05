//! `type macvlan` and `type macvtap` (ip/iplink_macvlan.c).

use netwright_sdk::wit::links::{Macvlan, MacvlanChange, MacvlanMode, Setting};
use netwright_sdk::wit::types::MacAddress;

use crate::cursor::{Cursor, Named};
use crate::keyword::{Keyword, find, names, short};
use crate::lex::Word;
use crate::value::{choice, number32, read_mac, refuse_choice, station, station_word};

const MODES: [(&str, MacvlanMode); 5] = [
    ("private", MacvlanMode::Private),
    ("vepa", MacvlanMode::Vepa),
    ("bridge", MacvlanMode::Bridge),
    ("passthru", MacvlanMode::Passthru),
    ("source", MacvlanMode::Source),
];

#[derive(Clone, Copy)]
enum MacvlanOption {
    Mode,
    Flag,
    Nopromisc,
    Nodst,
    Sources,
    QueueLength,
}

const OPTIONS: &[Keyword<MacvlanOption>] = &[
    short("mode", MacvlanOption::Mode),
    short("flag", MacvlanOption::Flag),
    short("nopromisc", MacvlanOption::Nopromisc),
    short("nodst", MacvlanOption::Nodst),
    short("macaddr", MacvlanOption::Sources),
    short("bcqueuelen", MacvlanOption::QueueLength),
];

#[derive(Clone, Copy, PartialEq)]
enum FlagWord {
    Null,
    Nopromisc,
    Nodst,
}

const FLAGS: [(&str, FlagWord); 3] =
    [("null", FlagWord::Null), ("nopromisc", FlagWord::Nopromisc), ("nodst", FlagWord::Nodst)];

/// Everything that may be said, for a new link or an old one.
#[derive(Default)]
struct MacvlanWords<'a> {
    mode: Option<MacvlanMode>,
    mode_wrong: bool,
    cleared: bool,
    nopromisc: Option<&'a Word>,
    nodst: Option<&'a Word>,
    sources: Vec<(&'a Word, MacvlanChange)>,
    queue_length: Option<u32>,
}

fn read<'a>(cursor: &mut Cursor<'a>) -> Option<MacvlanWords<'a>> {
    let mut words = MacvlanWords::default();
    while let Some(word) = cursor.next() {
        let Some((name, option)) = find(OPTIONS, &word.text) else {
            cursor.unknown(word, "`type macvlan`", names(OPTIONS));
            return None;
        };
        words.option(cursor, Named { word, name }, option);
    }
    let passthru = words.mode == Some(MacvlanMode::Passthru) || words.mode_wrong;
    if let (Some(word), false) = (words.nopromisc, passthru) {
        let message = "`nopromisc` is only for `mode passthru`".to_owned();
        cursor.refuse_with(word, message, "in every other mode the lower link is not promiscuous");
    }
    Some(words)
}

impl<'a> MacvlanWords<'a> {
    fn option(&mut self, cursor: &mut Cursor<'a>, named: Named<'a>, option: MacvlanOption) {
        match option {
            MacvlanOption::Mode => {
                self.mode = choice(cursor, named, &MODES);
                self.mode_wrong = self.mode.is_none();
            }
            MacvlanOption::Flag => {
                let flag = choice(cursor, named, &FLAGS);
                self.flag(named.word, flag);
            }
            MacvlanOption::Nopromisc => self.flag(named.word, Some(FlagWord::Nopromisc)),
            MacvlanOption::Nodst => self.flag(named.word, Some(FlagWord::Nodst)),
            MacvlanOption::Sources => {
                let change = sources(cursor, named);
                self.sources.extend(change.map(|change| (named.word, change)));
            }
            MacvlanOption::QueueLength => self.queue_length = number32(cursor, named),
        }
    }

    fn flag(&mut self, word: &'a Word, flag: Option<FlagWord>) {
        match flag {
            Some(FlagWord::Null) => self.cleared = true,
            Some(FlagWord::Nopromisc) => self.nopromisc = Some(word),
            Some(FlagWord::Nodst) => self.nodst = Some(word),
            None => {}
        }
    }
}

/// `macaddr add`, `del`, `set` and `flush`: the stations that mode source lets in.
fn sources(cursor: &mut Cursor<'_>, named: Named<'_>) -> Option<MacvlanChange> {
    let verb = cursor.value(named)?;
    let option = |name| Named { word: verb, name };
    match verb.text.as_str() {
        "add" => station(cursor, option("macaddr add")).map(MacvlanChange::AddSource),
        "del" => station(cursor, option("macaddr del")).map(MacvlanChange::RemoveSource),
        "set" => Some(MacvlanChange::SetSources(stations(cursor))),
        "flush" => Some(MacvlanChange::FlushSources),
        _word => {
            refuse_choice(cursor, verb, "macaddr", ["add", "del", "set", "flush"].into_iter());
            None
        }
    }
}

fn stations(cursor: &mut Cursor<'_>) -> Vec<MacAddress> {
    let mut stations = Vec::new();
    while let Some(word) = cursor.peek() {
        if read_mac(&word.text).is_none() && !word.text.contains(':') {
            break;
        }
        cursor.next();
        stations.extend(station_word(cursor, word));
    }
    stations
}

pub(crate) fn parse_new(cursor: &mut Cursor<'_>) -> Option<Macvlan> {
    let words = read(cursor)?;
    let source = words.mode == Some(MacvlanMode::Source) || words.mode_wrong;
    if let (Some(word), false) = (words.nodst, source) {
        cursor.refuse(word, "`nodst` is only for `mode source`".to_owned());
    }
    let mut stations = Vec::new();
    for (word, change) in words.sources {
        if !source {
            cursor.refuse(word, "`macaddr` is only for `mode source`".to_owned());
        }
        match change {
            MacvlanChange::AddSource(station) => stations.push(station),
            MacvlanChange::SetSources(all) => stations = all,
            MacvlanChange::RemoveSource(_) | MacvlanChange::FlushSources => {
                let message = "a new link has no stations to take away".to_owned();
                cursor.refuse_with(word, message, "`macaddr add` or `macaddr set`");
            }
            MacvlanChange::Mode(_)
            | MacvlanChange::Nopromisc(_)
            | MacvlanChange::Nodst(_)
            | MacvlanChange::BroadcastQueueLength(_) => {}
        }
    }
    Some(Macvlan {
        mode: words.mode,
        nopromisc: words.nopromisc.is_some(),
        nodst: words.nodst.is_some(),
        sources: stations,
        broadcast_queue_length: words.queue_length,
    })
}

pub(crate) fn parse_change(cursor: &mut Cursor<'_>, kind: &Word) -> Option<Vec<Setting>> {
    let before = cursor.faults();
    let words = read(cursor)?;
    let mut changes: Vec<MacvlanChange> = words.mode.map(MacvlanChange::Mode).into_iter().collect();
    if words.cleared {
        changes.extend([MacvlanChange::Nopromisc(false), MacvlanChange::Nodst(false)]);
    }
    changes.extend(words.nopromisc.map(|_| MacvlanChange::Nopromisc(true)));
    changes.extend(words.nodst.map(|_| MacvlanChange::Nodst(true)));
    changes.extend(words.queue_length.map(MacvlanChange::BroadcastQueueLength));
    changes.extend(words.sources.into_iter().map(|(_, change)| change));
    if changes.is_empty() && cursor.faults() == before {
        cursor.refuse(kind, format!("no option of `{}` follows", kind.text));
    }
    Some(changes.into_iter().map(Setting::Macvlan).collect())
}
