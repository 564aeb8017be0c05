//! Commands of the shell itself: `echo`, `sleep`, `true`, `set`, `sh -c`.

use netwright_network::setting::SettingKey;

use crate::command::{Context, Statement, statements};
use crate::cursor::Cursor;
use crate::fault::shown;
use crate::lex::{Word, lines_at};
use crate::shell::name;
use crate::sysctl::{Shown, SysctlCommand};

#[derive(Debug, Clone, PartialEq)]
pub enum ShellCommand {
    /// `true`, `:` and whatever else changes nothing here
    Nothing,
    False,
    Echo(String),
    /// milliseconds
    Sleep(u32),
    /// `set -e` and `set +e`: whether errors that are thrown away end the script all the same
    Strict(bool),
    /// ends the script, or the commands of `sh -c`; without a number as the command before it ended
    Exit(Option<u8>),
    /// `sh -c '…'`
    Group(Vec<Statement>),
}

/// By the first word; none where it is no command of the shell.
pub(crate) fn parse(
    cursor: &mut Cursor<'_>,
    word: &Word,
    context: &Context,
) -> Option<Option<ShellCommand>> {
    Some(Some(match name(&word.text) {
        "true" | ":" => {
            while cursor.next().is_some() {}
            ShellCommand::Nothing
        }
        "false" => ShellCommand::False,
        "wait" => ShellCommand::Nothing,
        "echo" => echo(cursor),
        "sleep" => sleep(cursor, word)?,
        "exit" => exit(cursor)?,
        "set" => set(cursor, word)?,
        "sh" | "bash" | "dash" | "ash" => group(cursor, word, context)?,
        _other => return Some(None),
    }))
}

/// A shell leaves one space between words.
fn echo(cursor: &mut Cursor<'_>) -> ShellCommand {
    while cursor.peek().is_some_and(|word| matches!(word.text.as_str(), "-n" | "-e" | "-E" | "-ne"))
    {
        cursor.next();
    }
    let mut words = Vec::new();
    while let Some(word) = cursor.next() {
        words.push(word.text.as_str());
    }
    ShellCommand::Echo(words.join(" "))
}

const LONGEST_MS: f64 = 3_600_000.0;

/// sleep(1): seconds with a fraction, or with a unit.
fn sleep(cursor: &mut Cursor<'_>, program: &Word) -> Option<ShellCommand> {
    let Some(word) = cursor.next() else {
        cursor.refuse(program, "`sleep` needs a time after it".to_owned());
        return None;
    };
    let (number, unit) = match word.text.char_indices().last() {
        Some((end, 's')) => (&word.text[..end], 1_000.0),
        Some((end, 'm')) => (&word.text[..end], 60_000.0),
        Some((end, 'h')) => (&word.text[..end], 3_600_000.0),
        Some(_) | None => (word.text.as_str(), 1_000.0),
    };
    let plain = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let read: Option<f64> = if plain { number.parse().ok() } else { None };
    let milliseconds = read.map(|number| (number * unit).ceil());
    let Some(found) = milliseconds.filter(|found| (0.0..=LONGEST_MS).contains(found)) else {
        let message = format!("`sleep` must be 0 to 3600 seconds, not `{}`", shown(&word.text));
        cursor.refuse_with(word, message, "as in `sleep 0.5` or `sleep 2s`");
        return None;
    };
    cursor.end("`sleep`");
    let whole = std::time::Duration::from_secs_f64(found / 1_000.0).as_millis();
    u32::try_from(whole).ok().map(ShellCommand::Sleep)
}

fn exit(cursor: &mut Cursor<'_>) -> Option<ShellCommand> {
    let Some(word) = cursor.next() else { return Some(ShellCommand::Exit(None)) };
    let Ok(code) = word.text.parse() else {
        let message = format!("`exit` must be a number from 0 to 255, not `{}`", shown(&word.text));
        cursor.refuse(word, message);
        return None;
    };
    Some(ShellCommand::Exit(Some(code)))
}

/// `set -e`, `set -eux`, `set -o pipefail`: of those only `e` says something here.
fn set(cursor: &mut Cursor<'_>, program: &Word) -> Option<ShellCommand> {
    let mut strict = None;
    let mut any = false;
    while let Some(word) = cursor.next() {
        any = true;
        let on = word.text.starts_with('-');
        let letters = word.text.strip_prefix(['-', '+']).filter(|letters| !letters.is_empty());
        let known = letters
            .filter(|letters| letters.chars().all(|flag| "abefhkmnptuvxBCEHPTo".contains(flag)));
        let Some(letters) = known else {
            let message = format!("`{}` is not known in `set`", shown(&word.text));
            cursor.refuse_with(word, message, "`set -e`, `set +e` and `set -x` are");
            return None;
        };
        if letters.contains('e') {
            strict = Some(on);
        }
        if letters.ends_with('o')
            && let Some(option) = cursor.next()
            && option.text == "errexit"
        {
            strict = Some(on);
        }
    }
    if !any {
        cursor.refuse(program, "`set` needs a flag, as in `set -e`".to_owned());
        return None;
    }
    Some(strict.map_or(ShellCommand::Nothing, ShellCommand::Strict))
}

/// `sh -c 'COMMANDS'`, with flags as of `set` in front or beside `c`.
fn group(cursor: &mut Cursor<'_>, program: &Word, context: &Context) -> Option<ShellCommand> {
    let mut strict = false;
    while let Some(word) = cursor.next() {
        let flags = word.text.strip_prefix('-').filter(|flags| !flags.is_empty());
        let Some(flags) = flags.filter(|flags| flags.chars().all(|flag| "ceuxl".contains(flag)))
        else {
            let message = format!("`{}` reads its commands from a file here", program.text);
            cursor.refuse_with(word, message, "put them into the script, or behind `-c`");
            return None;
        };
        strict |= flags.contains('e');
        if !flags.contains('c') {
            continue;
        }
        let Some(text) = cursor.next() else {
            cursor.refuse(word, "`-c` needs commands after it".to_owned());
            return None;
        };
        cursor.end(&format!("`{} -c`", program.text));
        return Some(ShellCommand::Group(inner(cursor, text, strict, context)));
    }
    let message = format!("`{}` would wait for commands", program.text);
    cursor.refuse_with(program, message, "`-c 'COMMANDS'`");
    None
}

/// The commands between the quotes, each with its place as far as no escapes stand before it.
fn inner(cursor: &mut Cursor<'_>, text: &Word, strict: bool, context: &Context) -> Vec<Statement> {
    let (faults, mut before) = cursor.inner();
    before.strict |= strict;
    let place = (text.line, text.column + 1);
    let lines = lines_at(&text.text, place, faults);
    statements(&lines, context, &mut before, faults)
}

/// `echo VALUE > /proc/sys/net/…`: what `sysctl -q -w` does.
pub(crate) fn written(
    cursor: &mut Cursor<'_>,
    command: &ShellCommand,
    file: &Word,
) -> Option<Vec<SysctlCommand>> {
    let path = file.text.trim_start_matches("/proc/sys/");
    let ShellCommand::Echo(value) = command else {
        let message = format!("only `echo` can write `{}` here", shown(&file.text));
        cursor.refuse_with(file, message, "as in `echo 1 > /proc/sys/net/ipv4/ip_forward`");
        return None;
    };
    if SettingKey::of(path).is_err() {
        let message = format!("`{}` is no setting of a namespace", shown(&file.text));
        cursor.refuse_with(file, message, "those are below /proc/sys/net");
        return None;
    }
    let set = SysctlCommand::Set {
        key: path.to_owned(),
        value: value.clone(),
        shown: Shown::Nothing,
        may_lack: false,
    };
    Some(vec![set])
}
