//! What a shell does around commands: `;`, `&&`, `||`, and where their output goes.

use crate::fault::{Fault, shown};
use crate::grep::Filter;
use crate::lex::Word;

/// When a command is carried out, by how the one before it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// on a line of its own or behind `;`
    Always,
    /// behind `&&`
    AfterSuccess,
    /// behind `||`
    AfterFailure,
}

/// What becomes of the script when a command fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// it ends, with that error
    Ends,
    /// `||` follows
    Answered,
    /// its errors are thrown away, `2>/dev/null`: nobody wants to know
    Unheard,
}

/// One command of a line, cut out of what a shell reads around it.
pub(crate) struct Simple<'w> {
    pub(crate) words: Vec<Word>,
    pub(crate) joined: Joined,
    pub(crate) failure: Failure,
    /// what it prints is thrown away
    pub(crate) silent: bool,
    /// what is left of what it prints: `| grep`
    pub(crate) filters: Vec<Filter>,
    /// the file below /proc/sys that its output is written to
    pub(crate) file: Option<&'w Word>,
}

/// `… | sudo tee /proc/sys/…` writes what a redirection to that file would write.
pub(crate) fn without_tee(words: &[Word]) -> Vec<Word> {
    let mut left = Vec::new();
    let mut rest = words;
    while let Some((word, behind)) = rest.split_first() {
        rest = behind;
        let text = |place: usize| behind.get(place).map_or("", |word: &Word| word.text.as_str());
        let place = usize::from(matches!(name(text(0)), "sudo" | "doas"));
        let teed = name(text(place)) == "tee" && text(place + 1).starts_with("/proc/sys/");
        if word.sign && word.text == "|" && teed {
            left.push(Word { text: ">".to_owned(), ..word.clone() });
            rest = behind.get(place + 1..).unwrap_or_default();
        } else {
            left.push(word.clone());
        }
    }
    left
}

/// Cuts a line into its commands. `strict`: `set -e` stood before.
pub(crate) fn cut<'w>(words: &'w [Word], strict: bool, faults: &mut Vec<Fault>) -> Vec<Simple<'w>> {
    let mut all = Vec::new();
    let mut joined = Joined::Always;
    let mut rest = words;
    loop {
        let end = rest.iter().position(|word| word.sign && !redirects(word)).unwrap_or(rest.len());
        let (own, after) = rest.split_at(end);
        let before = words.get((words.len() - rest.len()).wrapping_sub(1));
        if own.is_empty() && (joined != Joined::Always || !after.is_empty()) {
            let sign = before.or(after.first());
            faults.extend(sign.map(lonely));
            return all;
        }
        let mut simple = simple(own, joined, strict, faults);
        let after = filtered(&mut simple, after, faults);
        all.extend(simple);
        let Some((sign, behind)) = after.split_first() else { break };
        joined = match sign.text.as_str() {
            ";" => Joined::Always,
            "&&" => Joined::AfterSuccess,
            "||" => Joined::AfterFailure,
            _other => {
                faults.push(not_taken(sign, behind));
                break;
            }
        };
        rest = behind;
    }
    answer(&mut all);
    all
}

/// Takes each `| grep …` that follows; what is behind them is left.
fn filtered<'w>(
    command: &mut Option<Simple<'w>>,
    mut after: &'w [Word],
    faults: &mut Vec<Fault>,
) -> &'w [Word] {
    while let [sign, program, behind @ ..] = after {
        if sign.text != "|" || program.sign || name(&program.text) != "grep" {
            break;
        }
        let end = behind.iter().position(|word| word.sign && !redirects(word));
        let (own, rest) = behind.split_at(end.unwrap_or(behind.len()));
        after = rest;
        // The program itself stands for a command of no other words.
        let own: Vec<Word> = std::iter::once(program).chain(own).cloned().collect();
        let Some(grep) = simple(&own, Joined::Always, false, faults) else { continue };
        match Filter::read(program, grep.words.get(1..).unwrap_or_default()) {
            Ok(filter) => {
                if let Some(command) = command {
                    command.filters.push(filter);
                    command.silent = grep.silent;
                }
            }
            Err(fault) => faults.push(fault),
        }
    }
    after
}

/// Whether a failure is answered: by any `||` that follows before the list ends.
fn answer(all: &mut [Simple<'_>]) {
    let mut answered = false;
    for simple in all.iter_mut().rev() {
        if answered {
            simple.failure = Failure::Answered;
        }
        match simple.joined {
            Joined::AfterFailure => answered = true,
            Joined::Always => answered = false,
            Joined::AfterSuccess => {}
        }
    }
}

fn lonely(sign: &Word) -> Fault {
    let message = format!("`{}` has no command at its side", sign.text);
    Fault { line: sign.line, column: sign.column, message, help: None }
}

fn not_taken(sign: &Word, behind: &[Word]) -> Fault {
    let program = behind.first().map_or("", |word| word.text.as_str());
    let (message, help) = match sign.text.as_str() {
        "|" => (
            format!(
                "`|` hands what is shown to `{}`, which can't run in a recipe's sandbox",
                shown(program)
            ),
            "leave out what begins with `|`; checks of a scenario ask what there is",
        ),
        "&" => (
            "`&` would carry on before the command has ended".to_owned(),
            "leave it out: the lines are carried out one after the other",
        ),
        other => (format!("`{other}` is not taken here"), "one command a line"),
    };
    let help = Some(help.to_owned());
    Fault { line: sign.line, column: sign.column, message, help }
}

fn redirects(word: &Word) -> bool {
    word.text.contains(['<', '>'])
}

/// What is left of a command without the words that redirect its output.
fn simple<'w>(
    own: &'w [Word],
    joined: Joined,
    strict: bool,
    faults: &mut Vec<Fault>,
) -> Option<Simple<'w>> {
    let mut words = Vec::new();
    let mut streams = Streams { output: false, errors: false, file: None };
    let mut rest = own.iter();
    while let Some(word) = rest.next() {
        if !word.sign {
            words.push(word.clone());
            continue;
        }
        if let Err(fault) = streams.redirect(word, rest.next()) {
            faults.push(fault);
            return None;
        }
    }
    if words.is_empty() {
        return None;
    }
    let unheard = streams.errors && !strict;
    Some(Simple {
        words,
        joined,
        failure: if unheard { Failure::Unheard } else { Failure::Ends },
        silent: streams.output,
        filters: Vec::new(),
        file: streams.file,
    })
}

/// Which of the two streams are thrown away.
struct Streams<'w> {
    output: bool,
    errors: bool,
    file: Option<&'w Word>,
}

impl<'w> Streams<'w> {
    fn redirect(&mut self, sign: &Word, target: Option<&'w Word>) -> Result<(), Fault> {
        let Some(target) = target.filter(|target| !target.sign) else {
            return Err(fault(sign, format!("`{}` needs a file after it", sign.text), None));
        };
        let nowhere = target.text == "/dev/null";
        match (sign.text.as_str(), target.text.as_str()) {
            ("2>&", "1") => self.errors = self.output,
            (">&" | "1>&", "2") => self.output = self.errors,
            (">" | "1>" | ">>" | "1>>" | ">|", _) if nowhere => self.output = true,
            ("2>" | "2>>", _) if nowhere => self.errors = true,
            ("&>" | ">&", _) if nowhere => (self.output, self.errors) = (true, true),
            ("<" | "0<", _) if nowhere => {}
            (">" | "1>", path) if path.starts_with("/proc/sys/") => self.file = Some(target),
            ("<" | "0<" | "<<", _) => {
                let message = format!("`{}` reads a file, and a recipe reads none", sign.text);
                return Err(fault(sign, message, Some("write what it holds into the script")));
            }
            _file => {
                let message =
                    format!("a recipe writes no file, so not `{}` either", shown(&target.text));
                return Err(fault(sign, message, Some("`/dev/null`, or leave it out")));
            }
        }
        Ok(())
    }
}

fn fault(word: &Word, message: String, help: Option<&str>) -> Fault {
    Fault { line: word.line, column: word.column, message, help: help.map(str::to_owned) }
}

/// Leaves out the prompt of a document: `$`, `root@host:~#`, `[root@host ~]#`.
pub(crate) fn without_prompt(words: &[Word]) -> &[Word] {
    let text = |place: usize| words.get(place).map_or("", |word: &Word| word.text.as_str());
    let ends = |text: &str| text.ends_with(['#', '$', '%', '>']);
    let first = text(0);
    if matches!(first, "$" | "%") || (first.contains('@') && ends(first)) {
        return &words[1..];
    }
    let bracket = first.starts_with('[') && first.contains('@');
    if bracket && [']', '#', '$'].iter().any(|mark| text(1).contains(*mark)) && ends(text(1)) {
        return &words[2..];
    }
    words
}

/// A program's name without its folder.
pub(crate) fn name(word: &str) -> &str {
    if word.starts_with('/') { word.rsplit('/').next().unwrap_or(word) } else { word }
}
