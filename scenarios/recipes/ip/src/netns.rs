//! `ip netns`: namespaces, and commands inside of them.

use crate::command::{Command, Context, Place, Places, command, program};
use crate::cursor::{Cursor, Named};
use crate::keyword::{Keyword, find, names, short};
use crate::link_show::Style;
use crate::value;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetnsCommand {
    Add(String),
    Delete(String),
    /// every one that has a name
    DeleteAll,
    /// the id by which this namespace knows another one; -1 lets the kernel choose
    SetId {
        name: String,
        id: i32,
    },
    List,
    /// prints the name of the namespace that it runs in
    Identify,
}

#[derive(Clone, Copy)]
enum Verb {
    List,
    Add,
    Set,
    Delete,
    Identify,
    Exec,
    Refused(&'static str),
}

/// In iproute2's order (ip/ipnetns.c).
const VERBS: &[Keyword<Verb>] = &[
    short("list", Verb::List),
    short("show", Verb::List),
    short("lst", Verb::List),
    short("list-id", Verb::Refused("`ip link show` tells where the other end of a link is")),
    short("add", Verb::Add),
    short("set", Verb::Set),
    short("delete", Verb::Delete),
    short("identify", Verb::Identify),
    short("pids", Verb::Refused("a recipe starts no processes, so of its own there are none")),
    short("exec", Verb::Exec),
    short("monitor", Verb::Refused("captures and checks of a scenario see what happens")),
    short(
        "attach",
        Verb::Refused("`ip netns exec pid:NUMBER ip …` reaches the namespace of a process"),
    ),
];

pub(crate) fn parse(cursor: &mut Cursor<'_>, context: Context) -> Option<(Places, Command)> {
    let Some(word) = cursor.next() else {
        return Some((context.places, Command::Netns(NetnsCommand::List)));
    };
    let Some((name, verb)) = find(VERBS, &word.text) else {
        cursor.unknown(word, "`ip netns`", names(VERBS));
        return None;
    };
    let option = Named { word, name };
    if context.all && !matches!(verb, Verb::Exec | Verb::Delete) {
        cursor.refuse(word, format!("`-all` is for `exec` and `delete`, not `{name}`"));
        return None;
    }
    let found = match verb {
        Verb::Exec => return exec(cursor, option, context),
        Verb::List => NetnsCommand::List,
        Verb::Identify => NetnsCommand::Identify,
        Verb::Add => NetnsCommand::Add(value::namespace(cursor, option)?),
        Verb::Delete if context.all => NetnsCommand::DeleteAll,
        Verb::Delete => NetnsCommand::Delete(value::namespace(cursor, option)?),
        Verb::Set => set(cursor, option)?,
        Verb::Refused(instead) => {
            cursor.refuse_with(word, format!("`ip netns {name}` is not offered here"), instead);
            return None;
        }
    };
    cursor.end(&format!("`ip netns {name}`"));
    Some((context.places, Command::Netns(found)))
}

fn set(cursor: &mut Cursor<'_>, option: Named<'_>) -> Option<NetnsCommand> {
    let name = value::namespace(cursor, option)?;
    if cursor.take("auto") {
        return Some(NetnsCommand::SetId { name, id: -1 });
    }
    let option = Named { name: "netnsid", ..option };
    let id = value::number_within(cursor, option, 0..=u64::from(i32::MAX.unsigned_abs()))?;
    Some(NetnsCommand::SetId { name, id })
}

/// A program or a command of a shell, as at the beginning of a line.
fn exec(
    cursor: &mut Cursor<'_>,
    option: Named<'_>,
    mut context: Context,
) -> Option<(Places, Command)> {
    context.places = if context.all {
        Places::Every
    } else {
        let name = cursor.value(option)?;
        if program(&name.text).is_some() {
            let message = format!("`{}` stands where the namespace should", name.text);
            cursor.refuse_with(name, message, "as in `ip netns exec NAME ip …`");
            return None;
        }
        Places::One(Place::Named(value::existing_namespace(cursor, name)?))
    };
    context.all = false;
    if cursor.peek().is_none() {
        cursor.refuse(option.word, "`exec` needs a program after the namespace".to_owned());
        return None;
    }
    // As a program of its own, so without the options given before.
    context.family = None;
    context.style = Style::Full;
    command(cursor, context, false)
}
