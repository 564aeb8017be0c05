//! `ip vrf` (ip/ipvrf.c).

use crate::command::{Command, Context, Places, command};
use crate::cursor::{Cursor, Named};
use crate::fault::shown;
use crate::keyword::{Keyword, find, names, short};
use crate::link_show::Style;
use crate::value::link;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VrfCommand {
    /// all of them, or one
    Show { link: Option<String> },
}

#[derive(Clone, Copy)]
enum Verb {
    Identify,
    Pids,
    Exec,
    Show,
}

/// In iproute2's order.
const VERBS: &[Keyword<Verb>] = &[
    short("identify", Verb::Identify),
    short("pids", Verb::Pids),
    short("exec", Verb::Exec),
    short("show", Verb::Show),
    short("lst", Verb::Show),
    short("list", Verb::Show),
];

pub(crate) fn parse(cursor: &mut Cursor<'_>, context: Context) -> Option<(Places, Command)> {
    let Some(word) = cursor.next() else {
        return Some((context.places, Command::Vrf(VrfCommand::Show { link: None })));
    };
    let Some((name, verb)) = find(VERBS, &word.text) else {
        cursor.unknown(word, "`ip vrf`", names(VERBS));
        return None;
    };
    match verb {
        Verb::Show => {
            let named = Named { word, name };
            let link = if cursor.peek().is_some() { Some(link(cursor, named)?) } else { None };
            cursor.end("`ip vrf show`");
            Some((context.places, Command::Vrf(VrfCommand::Show { link })))
        }
        Verb::Exec => exec(cursor, Named { word, name }, context),
        Verb::Identify | Verb::Pids => {
            let message = format!("`ip vrf {name}` asks for processes, of which a recipe has none");
            cursor.refuse_with(
                word,
                message,
                "`ip vrf show` and `ip link show vrf NAME` show the rest",
            );
            None
        }
    }
}

/// What ip(8) and the others do by netlink is the same in every VRF; a `ping` leaves by the VRF's link.
fn exec(cursor: &mut Cursor<'_>, named: Named<'_>, context: Context) -> Option<(Places, Command)> {
    let vrf = link(cursor, named)?;
    if cursor.peek().is_none() {
        cursor.refuse(named.word, "`exec` needs a program after the VRF".to_owned());
        return None;
    }
    let context = Context { family: None, all: false, style: Style::Full, ..context };
    let (places, mut found) = command(cursor, context, false)?;
    match &mut found {
        Command::Ping(ping) => {
            ping.options.source.get_or_insert(vrf);
        }
        Command::Shell(_) => {
            let message = format!("`ip vrf exec {}` can't be carried into a shell", shown(&vrf));
            let help = "put it in front of each command";
            cursor.refuse_with(named.word, message, help);
        }
        _by_netlink => {}
    }
    Some((places, found))
}
