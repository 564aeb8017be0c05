//! The options that stand before the object of ip(8), tc(8) and bridge(8).

use netwright_sdk::wit::types::Family;

use crate::command::{Context, Place, Places};
use crate::cursor::{Cursor, Named};
use crate::fault::shown;
use crate::keyword::{Keyword, begins, exact, find, names, short};
use crate::lex::Word;
use crate::link_show::Style;
use crate::value;

/// An option before the object of tc(8) or bridge(8): of those only `-netns` matters here.
pub(crate) fn program_option(
    cursor: &mut Cursor<'_>,
    word: &Word,
    context: &mut Context,
    place: &str,
) -> Option<()> {
    let typed = word.text.trim_start_matches('-');
    let Some((name, flag)) = find(PROGRAM_FLAGS, typed) else {
        cursor.unknown(word, place, names(PROGRAM_FLAGS));
        return None;
    };
    match flag {
        ProgramFlag::Output => {}
        ProgramFlag::Json => return refuse_json(cursor, word),
        ProgramFlag::Netns => {
            let option = Named { word, name };
            context.places = Places::One(Place::Named(value::namespace(cursor, option)?));
        }
    }
    Some(())
}

#[derive(Clone, Copy)]
enum ProgramFlag {
    /// alters only what is printed
    Output,
    Json,
    Netns,
}

const PROGRAM_FLAGS: &[Keyword<ProgramFlag>] = &[
    short("statistics", ProgramFlag::Output),
    short("details", ProgramFlag::Output),
    short("raw", ProgramFlag::Output),
    short("pretty", ProgramFlag::Output),
    short("json", ProgramFlag::Json),
    short("iec", ProgramFlag::Output),
    short("Numeric", ProgramFlag::Output),
    short("netns", ProgramFlag::Netns),
    short("oneline", ProgramFlag::Output),
    short("compressvlans", ProgramFlag::Output),
    short("color", ProgramFlag::Output),
];

#[derive(Clone, Copy)]
enum Flag {
    /// alters only what is printed
    Output,
    Style(Style),
    Json,
    /// as [`Flag::Output`], with a value
    OutputValue,
    Family,
    Only(Family),
    Netns,
    Batch,
    All,
    Refused,
}

/// In iproute2's order (ip/ip.c); each with one or two hyphens.
const FLAGS: &[Keyword<Flag>] = &[
    short("loops", Flag::OutputValue),
    short("family", Flag::Family),
    exact("4", Flag::Only(Family::Ipv4)),
    exact("6", Flag::Only(Family::Ipv6)),
    exact("0", Flag::Refused),
    exact("M", Flag::Refused),
    exact("B", Flag::Refused),
    short("human-readable", Flag::Output),
    short("iec", Flag::Output),
    short("stats", Flag::Output),
    short("statistics", Flag::Output),
    short("details", Flag::Output),
    short("resolve", Flag::Output),
    short("oneline", Flag::Style(Style::OneLine)),
    short("timestamp", Flag::Output),
    short("tshort", Flag::Output),
    short("Version", Flag::Refused),
    short("force", Flag::Output),
    short("batch", Flag::Batch),
    short("brief", Flag::Style(Style::Brief)),
    short("json", Flag::Json),
    short("pretty", Flag::Output),
    short("rcvbuf", Flag::OutputValue),
    short("color", Flag::Output),
    short("help", Flag::Refused),
    short("netns", Flag::Netns),
    short("Numeric", Flag::Output),
    short("all", Flag::All),
    exact("echo", Flag::Output),
];

/// The option of a command by which more would be shown than is known here.
pub(crate) fn unheeded(words: &[Word]) -> Option<String> {
    let more = |typed: &str| {
        matches!(typed, "s" | "ss" | "d" | "stats" | "statistics" | "details" | "stat" | "det")
    };
    let found = words.iter().find(|word| {
        word.text.strip_prefix('-').is_some_and(|typed| more(typed.trim_start_matches('-')))
    });
    found.map(|word| word.text.clone())
}

/// Nothing here reads it, and a scenario's checks ask what there is.
fn refuse_json(cursor: &mut Cursor<'_>, word: &Word) -> Option<()> {
    let message = format!("`{}` would show JSON, which nothing here reads", shown(&word.text));
    cursor.refuse_with(word, message, "leave it out; checks of a scenario ask what there is");
    None
}

pub(crate) fn option(cursor: &mut Cursor<'_>, word: &Word, context: &mut Context) -> Option<()> {
    let typed = word.text.strip_prefix("--").or_else(|| word.text.strip_prefix('-'))?;
    let coloured = typed.split_once('=').filter(|(name, _)| begins("color", name));
    let typed = coloured.map_or(typed, |(name, _)| name);
    let Some((name, flag)) = find(FLAGS, typed) else {
        cursor.unknown(word, "the options of ip(8)", names(FLAGS));
        return None;
    };
    let option = Named { word, name };
    match flag {
        Flag::Output => {}
        Flag::Style(style) => context.style = style,
        Flag::Json => return refuse_json(cursor, word),
        Flag::OutputValue => {
            value::number32(cursor, option)?;
        }
        Flag::Only(family) => context.family = Some(family),
        Flag::Family => context.family = Some(family(cursor, option)?),
        Flag::Netns => {
            let word = cursor.value(option)?;
            let name = value::existing_namespace(cursor, word)?;
            context.places = Places::One(Place::Named(name));
        }
        Flag::All => context.all = true,
        Flag::Batch => {
            let message =
                format!("`{}` can't be used here: a recipe reads no files", shown(&word.text));
            cursor.refuse_with(word, message, "put the file's lines into the script");
            return None;
        }
        Flag::Refused => {
            let message = format!("`{}` is not offered here", shown(&word.text));
            cursor.refuse_with(word, message, "leave it out; of families `-4` and `-6` are");
            return None;
        }
    }
    Some(())
}

fn family(cursor: &mut Cursor<'_>, option: Named<'_>) -> Option<Family> {
    value::choice(cursor, option, &[("inet", Family::Ipv4), ("inet6", Family::Ipv6)])
}
