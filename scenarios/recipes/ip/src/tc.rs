//! `tc qdisc` (tc/tc_qdisc.c): the root discipline of a link.

use netwright_sdk::Result;
use netwright_sdk::wit::links::Other;
use netwright_sdk::wit::qdisc::{Kind as Discipline, Qdisc};
use netwright_sdk::wit::types::Write;

use crate::command::{Command, Context, Places};
use crate::cursor::{Cursor, Named};
use crate::fault::shown;
use crate::keyword::{Keyword, exact, find, names, short};
use crate::lex::Word;
use crate::program_flags::program_option;
use crate::value::link;
use crate::{netem, tbf};

#[derive(Debug, Clone, PartialEq)]
pub enum TcCommand {
    Put { link: String, qdisc: Qdisc, how: Write },
    Remove { link: String },
    Show { link: Option<String> },
}

#[derive(Clone, Copy)]
enum Verb {
    Put(Write),
    Remove,
    Show,
    Refused,
}

/// In iproute2's order.
const VERBS: &[Keyword<Verb>] = &[
    short("add", Verb::Put(Write::Add)),
    short("change", Verb::Put(Write::Change)),
    short("replace", Verb::Put(Write::Replace)),
    short("link", Verb::Refused),
    short("delete", Verb::Remove),
    short("list", Verb::Show),
    short("show", Verb::Show),
    short("lst", Verb::Show),
    exact("ls", Verb::Show),
];

/// What to do instead, where it is not taken.
const OBJECTS: &[Keyword<Option<&'static str>>] = &[
    short("qdisc", None),
    short("class", Some(CLASSES)),
    short("filter", Some(CLASSES)),
    short("chain", Some(CLASSES)),
    short("actions", Some(CLASSES)),
    short("monitor", Some("captures and checks of a scenario see what happens")),
    short("exec", Some(CLASSES)),
];

const CLASSES: &str = "`tc qdisc add dev DEVICE root tbf …` or `netem …` shapes all of a link; one link for each class, else";

/// What follows the program's own name.
pub(crate) fn tc(cursor: &mut Cursor<'_>, mut context: Context) -> Option<(Places, Command)> {
    while let Some(word) = cursor.peek().filter(|word| word.text.starts_with('-')) {
        cursor.next();
        program_option(cursor, word, &mut context, "tc(8)")?;
    }
    let Some(word) = cursor.next() else {
        if let Some(last) = cursor.last() {
            cursor.refuse_with(last, "no object follows here".to_owned(), "`qdisc`");
        }
        return None;
    };
    match find(OBJECTS, &word.text) {
        Some((_, None)) => Some((context.places, Command::Tc(qdisc(cursor)?))),
        Some((name, Some(instead))) => {
            cursor.refuse_with(word, format!("`tc {name}` is not offered here"), instead);
            None
        }
        None => {
            cursor.unknown(word, "tc(8)", ["qdisc"].into_iter());
            None
        }
    }
}

fn qdisc(cursor: &mut Cursor<'_>) -> Option<TcCommand> {
    let Some(word) = cursor.next() else { return Some(TcCommand::Show { link: None }) };
    let Some((name, verb)) = find(VERBS, &word.text) else {
        cursor.unknown(word, "`tc qdisc`", names(VERBS));
        return None;
    };
    let verb_word = Named { word, name };
    match verb {
        Verb::Put(how) => {
            let (link, handle, kind) = place(cursor, verb_word)?;
            let Some(kind) = kind else {
                cursor.refuse_with(word, format!("`{name}` needs a kind"), "`netem` or `tbf`");
                return None;
            };
            let discipline = discipline(cursor, kind, how)?;
            Some(TcCommand::Put { link, qdisc: Qdisc { handle, kind: discipline }, how })
        }
        Verb::Remove => {
            // What follows the kind of a discipline that goes is not looked at by tc either.
            let (link, _, _) = place(cursor, verb_word)?;
            Some(TcCommand::Remove { link })
        }
        Verb::Show => show(cursor),
        Verb::Refused => {
            let message = format!("`tc qdisc {name}` is not offered here");
            cursor.refuse_with(
                word,
                message,
                "`add`, `change`, `replace`, `delete` and `show` are",
            );
            None
        }
    }
}

fn show(cursor: &mut Cursor<'_>) -> Option<TcCommand> {
    let mut device = None;
    while let Some(word) = cursor.next() {
        match word.text.as_str() {
            "dev" => device = Some(link(cursor, Named { word, name: "dev" })?),
            "root" => {}
            "ingress" | "clsact" | "parent" | "handle" | "invisible" => {
                let message = format!("disciplines can't be chosen by `{}` here", word.text);
                cursor.refuse_with(word, message, "those of the `root` are shown, by `dev` or all");
                return None;
            }
            _ => {
                cursor.unknown(word, "`tc qdisc show`", ["dev", "root"].into_iter());
                return None;
            }
        }
    }
    Some(TcCommand::Show { link: device })
}

/// The link, the handle, and the kind, which ends it.
fn place<'a>(
    cursor: &mut Cursor<'a>,
    verb: Named<'_>,
) -> Option<(String, Option<u16>, Option<&'a Word>)> {
    let (mut device, mut major, mut root, mut kind) = (None, None, false, None);
    while let Some(word) = cursor.next() {
        match word.text.as_str() {
            "dev" => device = Some(link(cursor, Named { word, name: "dev" })?),
            "handle" => major = Some(handle(cursor, Named { word, name: "handle" })?),
            "root" => root = true,
            "ingress" | "clsact" | "parent" | "stab" | "estimator" | "ingress_block"
            | "egress_block" => {
                let message = format!("`{}` is not offered here", word.text);
                cursor.refuse_with(word, message, "the `root` discipline of a link is");
                return None;
            }
            _ => {
                kind = Some(word);
                break;
            }
        }
    }
    if device.is_none() {
        cursor.refuse(verb.word, "`dev` is missing".to_owned());
    }
    if !root {
        let message = format!("`{}` needs to know where", verb.name);
        cursor.refuse_with(verb.word, message, "`root`, before the kind");
    }
    Some((device.filter(|_| root)?, major, kind))
}

/// `MAJOR:` in hexadecimal.
fn handle(cursor: &mut Cursor<'_>, named: Named<'_>) -> Option<u16> {
    let word = cursor.value(named)?;
    let major = word.text.strip_suffix(":0").or_else(|| word.text.strip_suffix(':'));
    let major = major.unwrap_or(&word.text);
    let found = u16::from_str_radix(major, 16).ok().filter(|major| *major != 0);
    if found.is_none() {
        let message = format!("`{}` is not the handle of a discipline", shown(&word.text));
        cursor.refuse_with(word, message, "a hexadecimal number and a colon, as in `1:`");
    }
    found
}

fn discipline(cursor: &mut Cursor<'_>, kind: &Word, how: Write) -> Option<Discipline> {
    match kind.text.as_str() {
        "netem" => netem::parse(cursor).map(Discipline::Netem),
        "tbf" => tbf::parse(cursor, kind, how).map(Discipline::Tbf),
        other => {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if other.len() > 15 || !other.chars().all(plain) {
                cursor.refuse(kind, format!("`{}` is no kind of discipline", shown(other)));
                return None;
            }
            if let Some(word) = cursor.peek() {
                let message = format!("options of `{other}` are not offered here");
                cursor.refuse_with(word, message, "those of `netem` and `tbf` are");
                return None;
            }
            let other = Other { kind: other.to_owned(), options: Vec::new() };
            Some(Discipline::Other(other))
        }
    }
}

/// A value with a unit, read by the SDK's function for it.
pub(crate) fn value<T>(
    cursor: &mut Cursor<'_>,
    named: Named<'_>,
    read: fn(&str) -> Result<T>,
) -> Option<T> {
    let word = cursor.value(named)?;
    match read(&word.text) {
        Ok(value) => Some(value),
        Err(error) => {
            cursor.refuse(word, error.to_string());
            None
        }
    }
}

/// A further value of the same option, which begins with a digit as all of them do.
pub(crate) fn another<T>(
    cursor: &mut Cursor<'_>,
    named: Named<'_>,
    read: fn(&str) -> Result<T>,
) -> Option<Option<T>> {
    let follows =
        cursor.peek().is_some_and(|word| word.text.starts_with(|c: char| c.is_ascii_digit()));
    if follows { value(cursor, named, read).map(Some) } else { Some(None) }
}
