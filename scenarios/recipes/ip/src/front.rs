//! What stands in front of a program: `sudo`, `doas`, `nsenter`.

use crate::command::{Command, Context, Place, Places, command};
use crate::cursor::{Cursor, Named};
use crate::fault::shown;
use crate::lex::Word;
use crate::shell::name;
use crate::value::existing_namespace;

/// What stands in front of a program and alters nothing for one that is root already: `sudo`, `doas`.
pub(crate) fn skip_sudo(cursor: &mut Cursor<'_>) -> Option<()> {
    while let Some(word) = cursor.peek().filter(|word| matches!(name(&word.text), "sudo" | "doas"))
    {
        cursor.next();
        while let Some(flag) = cursor.peek().filter(|next| next.text.starts_with('-')) {
            cursor.next();
            match flag.text.as_str() {
                "--" => break,
                "-n" | "-E" | "-H" | "-S" | "-nE" | "-En" => {}
                "-uroot" | "--user=root" | "--non-interactive" | "--preserve-env" => {}
                "-u" | "--user" => root(cursor, flag)?,
                other => {
                    let message =
                        format!("`{}` of `{}` is not taken here", shown(other), word.text);
                    cursor.refuse_with(flag, message, "leave it out: a script needs no other user");
                    return None;
                }
            }
        }
        if cursor.peek().is_none() {
            cursor.refuse(word, format!("`{}` needs a command after it", word.text));
            return None;
        }
    }
    Some(())
}

fn root(cursor: &mut Cursor<'_>, flag: &Word) -> Option<()> {
    match cursor.next() {
        Some(user) if user.text == "root" => Some(()),
        user => {
            let message = "a script is carried out as no other user than root".to_owned();
            cursor.refuse_with(user.unwrap_or(flag), message, "leave `sudo` out, or name `root`");
            None
        }
    }
}

/// `nsenter --net=/run/netns/NAME PROGRAM`, `nsenter -t PID -n PROGRAM`: as `ip netns exec`.
pub(crate) fn nsenter(
    cursor: &mut Cursor<'_>,
    program: &Word,
    mut context: Context,
) -> Option<(Places, Command)> {
    let (mut namespace, mut process, mut network) = (None, None, false);
    while let Some(word) = cursor.peek().filter(|word| word.text.starts_with('-')) {
        cursor.next();
        let (flag, value) = match word.text.split_once('=') {
            Some((flag, value)) => (flag, Some(value)),
            None => (word.text.as_str(), None),
        };
        match (flag, value) {
            ("--net" | "-n", None) => network = true,
            ("--net" | "-n", Some(file)) => namespace = Some((word, of_file(cursor, word, file)?)),
            ("-t" | "--target", Some(number)) => process = Some((word, format!("pid:{number}"))),
            ("-t" | "--target", None) => {
                let number = cursor.value(Named { word, name: "--target" })?;
                process = Some((number, format!("pid:{}", number.text)));
            }
            ("--", None) => break,
            _other => {
                let message = format!("`{}` of `nsenter` is not taken here", shown(&word.text));
                cursor.refuse_with(word, message, "`--net=/run/netns/NAME`, or `-n -t PID`");
                return None;
            }
        }
    }
    let Some((word, found)) = namespace.or(process.filter(|_| network)) else {
        let message = "`nsenter` needs a network namespace".to_owned();
        cursor.refuse_with(program, message, "`--net=/run/netns/NAME`, or `-n -t PID`");
        return None;
    };
    let word = Word { text: found, ..word.clone() };
    context.places = Places::One(Place::Named(existing_namespace(cursor, &word)?));
    if cursor.peek().is_none() {
        cursor.refuse(program, "`nsenter` needs a program after the namespace".to_owned());
        return None;
    }
    command(cursor, context, false)
}

fn of_file(cursor: &mut Cursor<'_>, word: &Word, file: &str) -> Option<String> {
    let name = file.strip_prefix("/var/run/netns/").or_else(|| file.strip_prefix("/run/netns/"));
    if name.is_none() {
        let message = format!("`{}` is no file of a namespace with a name", shown(file));
        cursor.refuse_with(word, message, "those are /run/netns/NAME");
    }
    name.map(str::to_owned)
}
