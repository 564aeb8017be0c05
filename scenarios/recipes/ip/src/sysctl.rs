//! `sysctl KEY=VALUE …` and `sysctl KEY …`, sysctl(8) of procps, for a namespace's own network stack.

use netwright_network::setting::SettingKey;

use crate::cursor::Cursor;
use crate::fault;
use crate::lex::Word;

/// One word of the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SysctlCommand {
    Get { key: String, shown: Shown, may_lack: bool },
    Set { key: String, value: String, shown: Shown, may_lack: bool },
}

/// What is printed of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    Whole,
    Value,
    Name,
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flag {
    Write,
    Quiet,
    Values,
    Names,
    /// keys that there are not are no error
    Ignore,
}

const FLAGS: [(&str, Flag); 10] = [
    ("-w", Flag::Write),
    ("--write", Flag::Write),
    ("-q", Flag::Quiet),
    ("--quiet", Flag::Quiet),
    ("-n", Flag::Values),
    ("--values", Flag::Values),
    ("-N", Flag::Names),
    ("--names", Flag::Names),
    ("-e", Flag::Ignore),
    ("--ignore", Flag::Ignore),
];

/// What follows the program's name. Flags hold for all of it, wherever they stand.
pub(crate) fn parse(cursor: &mut Cursor<'_>, program: &Word) -> Option<Vec<SysctlCommand>> {
    let mut given = Vec::new();
    let mut variables: Vec<&Word> = Vec::new();
    while let Some(word) = cursor.next() {
        if word.text.starts_with('-') {
            let Some(mut flags) = flags(&word.text) else {
                refuse_flag(cursor, word);
                return None;
            };
            given.append(&mut flags);
        } else {
            variables.push(word);
        }
    }
    if variables.is_empty() {
        let help = "as in `sysctl -w net.ipv4.ip_forward=1`";
        cursor.refuse_with(program, "`sysctl` needs a variable".to_owned(), help);
        return None;
    }
    let has = |flag| given.contains(&flag);
    variables.into_iter().map(|word| variable(cursor, word, &has)).collect()
}

/// Flags that are known, and what is not.
fn refuse_flag(cursor: &mut Cursor<'_>, word: &Word) {
    let typed = fault::shown(&word.text);
    let letters = word.text.strip_prefix('-').filter(|letters| !letters.starts_with('-'));
    let has = |letter: char| letters.is_some_and(|letters| letters.contains(letter));
    let long = |names: &[&str]| names.iter().any(|name| word.text.starts_with(name));
    if has('p') || long(&["--load", "--system"]) {
        let help = "put its lines into the script, each behind `sysctl -w`";
        let message = format!("`{typed}` reads a file, and a recipe reads none");
        cursor.refuse_with(word, message, help);
    } else if has('a') || has('A') || long(&["--all"]) {
        let message = format!("`{typed}` would show every setting");
        cursor.refuse_with(word, message, "name those that are wanted");
    } else {
        cursor.unknown(word, "`sysctl`", FLAGS.into_iter().map(|(name, _)| name));
    }
}

/// One in full, or single letters together, as `-qw`.
fn flags(word: &str) -> Option<Vec<Flag>> {
    let find =
        |name: &str| FLAGS.into_iter().find(|(known, _)| *known == name).map(|(_, flag)| flag);
    if let Some(flag) = find(word) {
        return Some(vec![flag]);
    }
    let letters = word.strip_prefix('-').filter(|letters| !letters.is_empty())?;
    letters.chars().map(|letter| find(&format!("-{letter}"))).collect()
}

fn variable(
    cursor: &mut Cursor<'_>,
    word: &Word,
    has: &dyn Fn(Flag) -> bool,
) -> Option<SysctlCommand> {
    let (key, value) = match word.text.split_once('=') {
        Some((key, value)) => (key.trim_end(), Some(value.trim_start())),
        None => (word.text.as_str(), None),
    };
    if SettingKey::of(key).is_err() {
        let message = format!("`{}` is no setting of a namespace", fault::shown(key));
        cursor.refuse_with(word, message, "those begin with net: net.ipv4.ip_forward");
        return None;
    }
    let (key, may_lack) = (key.to_owned(), has(Flag::Ignore));
    let shown = if has(Flag::Quiet) && value.is_some() {
        Shown::Nothing
    } else if has(Flag::Names) {
        Shown::Name
    } else if has(Flag::Values) {
        Shown::Value
    } else {
        Shown::Whole
    };
    match value {
        Some(value) => Some(SysctlCommand::Set { key, value: value.to_owned(), shown, may_lack }),
        None if !has(Flag::Write) => Some(SysctlCommand::Get { key, shown, may_lack }),
        None => {
            let message = format!("`-w` needs a value after `{}`", fault::shown(&key));
            let help = "`KEY=VALUE` without spaces around `=`, or in quotes";
            cursor.refuse_with(word, message, help);
            None
        }
    }
}
