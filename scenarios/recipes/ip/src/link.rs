//! `ip link`: verbs, and what is checked of a whole command.

use netwright_sdk::wit::links::{Kind, LinkName, Setting, Spec};

use crate::command::{Context, Place};
use crate::cursor::{Cursor, Named};
use crate::keyword::{Keyword, find, names, short};
use crate::kind;
use crate::lex::Word;
use crate::link_options::{LARGEST_MTU, LOOPBACK_MTU, LinkWords, words};
use crate::link_show::{LinkFilter, parse_filter};

#[derive(Debug, Clone, PartialEq)]
pub enum LinkCommand {
    /// an empty name, of the link or of a veth's peer, is chosen as the kernel would
    Add {
        spec: Spec,
        /// where it is born, if not where the command is given
        namespace: Option<Place>,
        needs: Needs,
    },
    Set {
        which: Which,
        settings: Vec<Setting>,
        /// moved there before anything is set
        namespace: Option<Place>,
        needs: Needs,
    },
    Delete(Which),
    Show(LinkFilter),
}

/// What has to be there for a command, beside what the host looks for itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// the master, of which the command says that it is a VRF
    pub vrf: Option<String>,
    /// named by `link-netns`, whether or not a link is looked for in it
    pub namespace: Option<String>,
}

/// One link, or all of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    Named(String),
    Group(u32),
}

#[derive(Clone, Copy)]
enum Verb {
    Add,
    Set,
    Delete,
    Show,
    Refused(&'static str),
}

const COUNTERS: &str = "a recipe of your own reads counters: `netwright recipe new`";

/// In iproute2's order (ip/iplink.c).
const VERBS: &[Keyword<Verb>] = &[
    short("add", Verb::Add),
    short("set", Verb::Set),
    short("change", Verb::Set),
    short("replace", Verb::Refused("`add` makes it, `set` alters it")),
    short("delete", Verb::Delete),
    short("show", Verb::Show),
    short("lst", Verb::Show),
    short("list", Verb::Show),
    short("xstats", Verb::Refused(COUNTERS)),
    short("afstats", Verb::Refused(COUNTERS)),
    short(
        "property",
        Verb::Refused("a link has one name here, of 15 bytes at most, and an `alias`"),
    ),
];

pub(crate) fn parse(cursor: &mut Cursor<'_>, context: &Context) -> Option<LinkCommand> {
    let Some(word) = cursor.next() else {
        return Some(LinkCommand::Show(LinkFilter {
            style: context.style,
            ..LinkFilter::default()
        }));
    };
    let Some((name, verb)) = find(VERBS, &word.text) else {
        cursor.unknown(word, "`ip link`", names(VERBS));
        return None;
    };
    let verb_word = Named { word, name };
    match verb {
        Verb::Add => add(cursor, verb_word, context),
        Verb::Set => set(cursor, verb_word),
        Verb::Delete => delete(cursor, verb_word),
        Verb::Show => parse_filter(cursor, context.style).map(LinkCommand::Show),
        Verb::Refused(instead) => {
            cursor.refuse_with(word, format!("`ip link {name}` is not offered here"), instead);
            None
        }
    }
}

fn add(cursor: &mut Cursor<'_>, verb: Named<'_>, context: &Context) -> Option<LinkCommand> {
    let before = cursor.faults();
    let words = words(cursor, "`ip link add`", LARGEST_MTU)?;
    let name_word = words.name.or(words.device);
    let name = match name_word {
        Some(word) => crate::value::new_name(cursor, word).unwrap_or_default(),
        None => String::new(),
    };
    let Some(kind_word) = words.kind else {
        if cursor.faults() == before {
            cursor.refuse_with(verb.word, "`type` is missing".to_owned(), "as in `type macvlan`");
        }
        return None;
    };
    let kind = kind::parse_new(cursor, kind_word, &words, context)?;
    let parent = parent(cursor, kind_word, &kind, &words, context);
    let mut settings = words.settings.clone();
    settings.extend(words.group.map(Setting::Group));
    Some(LinkCommand::Add {
        spec: Spec { name, kind, parent, settings },
        needs: words.needs(),
        namespace: words.namespace,
    })
}

/// The lower link. It is looked up where the command is given, wherever the new one is born.
fn parent(
    cursor: &mut Cursor<'_>,
    kind_word: &Word,
    kind: &Kind,
    words: &LinkWords<'_>,
    context: &Context,
) -> Option<LinkName> {
    let (needed, possible) = match kind {
        Kind::Macvlan(_) | Kind::Macvtap(_) | Kind::Ipvlan(_) | Kind::Ipvtap(_) | Kind::Vlan(_) => {
            (true, true)
        }
        // A veth's can be a bridge outside, of which it becomes a port.
        Kind::Vxlan(_) | Kind::Veth(_) | Kind::Other(_) => (false, true),
        Kind::Bridge(_) | Kind::Dummy | Kind::Ifb | Kind::Tun(_) | Kind::Tap(_) | Kind::Vrf(_) => {
            (false, false)
        }
    };
    let Some((parent_word, parent)) = &words.parent else {
        if needed {
            let message = format!("`{}` needs a lower link", kind_word.text);
            cursor.refuse_with(kind_word, message, "`link DEVICE` before `type`");
        }
        return None;
    };
    if needed && parent == "lo" {
        let message = format!("`lo` can't carry a {}", kind_word.text);
        cursor.refuse(parent_word, message);
    }
    if !possible {
        cursor.refuse(parent_word, format!("a {} has no lower link", kind_word.text));
    }
    let own = words.name.or(words.device).is_some_and(|name| name.text == *parent);
    if own && words.namespace.is_none() && words.parent_namespace.is_none() {
        cursor.refuse(parent_word, format!("`{parent}` can't be its own lower link"));
    }
    let elsewhere = words.namespace.is_some().then(|| context.namespace());
    let namespace = words.parent_namespace.clone().or(elsewhere);
    Some(LinkName { namespace, name: parent.clone() })
}

fn set(cursor: &mut Cursor<'_>, verb: Named<'_>) -> Option<LinkCommand> {
    let before = cursor.faults();
    let words = words(cursor, "`ip link set`", LOOPBACK_MTU)?;
    let mut settings = words.settings.clone();
    if let Some(word) = words.name {
        settings.push(Setting::Name(crate::value::new_name(cursor, word).unwrap_or_default()));
    }
    if let Some((word, _)) = &words.parent {
        cursor.refuse(word, "the lower link is given once, when a link is made".to_owned());
    }
    if let Some(kind_word) = words.kind {
        settings.extend(kind::parse_change(cursor, kind_word)?);
    }
    let which = which(cursor, verb, &words, &mut settings, before)?;
    if let (Which::Group(_), Some(word)) = (&which, words.name) {
        cursor.refuse(word, "a whole group can't be given one name".to_owned());
    }
    if settings.is_empty() && words.namespace.is_none() && cursor.faults() == before {
        cursor.refuse(verb.word, "nothing to set is given".to_owned());
    }
    let needs = words.needs();
    Some(LinkCommand::Set { which, settings, namespace: words.namespace, needs })
}

/// A group without a link selects, with one it is set. With faults since `before` the name may
/// have been taken for something else.
fn which(
    cursor: &mut Cursor<'_>,
    verb: Named<'_>,
    words: &LinkWords<'_>,
    settings: &mut Vec<Setting>,
    before: usize,
) -> Option<Which> {
    match (words.device, words.group) {
        (Some(device), group) => {
            settings.extend(group.map(Setting::Group));
            crate::value::link_word(cursor, device).map(Which::Named)
        }
        (None, Some(group)) => Some(Which::Group(group)),
        (None, None) if cursor.faults() > before => None,
        (None, None) => {
            cursor.refuse(verb.word, format!("`{}` needs the name of a link", verb.name));
            None
        }
    }
}

fn delete(cursor: &mut Cursor<'_>, verb: Named<'_>) -> Option<LinkCommand> {
    let before = cursor.faults();
    let words = words(cursor, "`ip link delete`", LOOPBACK_MTU)?;
    if let Some(kind_word) = words.kind {
        kind::known(cursor, kind_word)?;
        cursor.end("`ip link delete`");
    }
    let unused =
        words.first_setting.or(words.name).or(words.parent.as_ref().map(|(word, _)| *word));
    if let Some(word) = unused {
        cursor.refuse(word, format!("`{}` has no meaning in `ip link delete`", word.text));
    }
    let mut settings = Vec::new();
    which(cursor, verb, &words, &mut settings, before).map(LinkCommand::Delete)
}
