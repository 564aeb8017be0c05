//! `sysctl KEY=VALUE …` and `sysctl KEY …`, sysctl(8) of procps, for a namespace's own network stack.

use netwright_network::setting::SettingKey;

use crate::cursor::Cursor;
use crate::fault::shown;
use crate::lex::Word;

/// One word of the command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SysctlCommand {
    Get { key: String, bare: bool },
    Set { key: String, value: String, quiet: bool },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flag {
    Write,
    Quiet,
    Values,
}

const FLAGS: [(&str, Flag); 6] = [
    ("-w", Flag::Write),
    ("--write", Flag::Write),
    ("-q", Flag::Quiet),
    ("--quiet", Flag::Quiet),
    ("-n", Flag::Values),
    ("--values", Flag::Values),
];

/// What follows the program's name. Flags hold for all of it, wherever they stand.
pub(crate) fn parse(cursor: &mut Cursor<'_>, program: &Word) -> Option<Vec<SysctlCommand>> {
    let mut given = Vec::new();
    let mut variables: Vec<&Word> = Vec::new();
    while let Some(word) = cursor.next() {
        if word.text.starts_with('-') {
            let Some(mut flags) = flags(&word.text) else {
                cursor.unknown(word, "`sysctl`", FLAGS.into_iter().map(|(name, _)| name));
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
        let message = format!("`{}` is no setting of a namespace", shown(key));
        cursor.refuse_with(word, message, "those begin with net: net.ipv4.ip_forward");
        return None;
    }
    match value {
        Some(value) => Some(SysctlCommand::Set {
            key: key.to_owned(),
            value: value.to_owned(),
            quiet: has(Flag::Quiet),
        }),
        None if !has(Flag::Write) => {
            Some(SysctlCommand::Get { key: key.to_owned(), bare: has(Flag::Values) })
        }
        None => {
            let message = format!("`-w` needs a value after `{}`", shown(key));
            let help = "`KEY=VALUE` without spaces around `=`, or in quotes";
            cursor.refuse_with(word, message, help);
            None
        }
    }
}
