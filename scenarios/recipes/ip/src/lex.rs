//! From a script to lines of words, each word with its place.

use std::iter::Peekable;
use std::str::Chars;

use crate::fault::{Fault, shown};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
    /// a sign of the shell, such as `&&`, and no word of a command
    pub(crate) sign: bool,
}

/// One line with its continuations, without its comment; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) words: Vec<Word>,
}

impl Line {
    pub(crate) fn number(&self) -> u32 {
        self.words.first().map_or(0, |word| word.line)
    }

    /// Whether the command reaches over this line of the script.
    pub(crate) fn covers(&self, number: u32) -> bool {
        let last = self.words.last().map_or(0, |word| word.line);
        (self.number()..=last).contains(&number)
    }
}

/// A command as it is repeated in messages and reports.
pub(crate) fn text(words: &[Word]) -> String {
    let words: Vec<String> = words.iter().map(quoted).collect();
    words.join(" ")
}

fn quoted(word: &Word) -> String {
    let plain = !word.text.is_empty() && !word.text.contains([' ', '\t', '"', '\'', '#', '\\']);
    if plain { word.text.clone() } else { format!("{:?}", word.text) }
}

/// Cuts a script into its lines: `#` begins a comment, a backslash at the end of a line continues
/// it, and so do `&&`, `||` and `|`; quotes hold a word together.
pub(crate) fn lines(script: &str, faults: &mut Vec<Fault>) -> Vec<Line> {
    // Editors of some systems begin each file with a byte order mark.
    let script = script.strip_prefix('\u{feff}').unwrap_or(script);
    lines_at(script, (1, 1), faults)
}

/// The same of what begins at that line and column.
pub(crate) fn lines_at(script: &str, place: (u32, u32), faults: &mut Vec<Fault>) -> Vec<Line> {
    let (line, column) = place;
    let mut lexer = Lexer { rest: script.chars().peekable(), line, column };
    let mut lines = Vec::new();
    while lexer.rest.peek().is_some() {
        let words = lexer.line(faults);
        if !words.is_empty() {
            lines.push(Line { words });
        }
    }
    lines
}

struct Lexer<'s> {
    rest: Peekable<Chars<'s>>,
    line: u32,
    column: u32,
}

impl Lexer<'_> {
    fn take(&mut self) -> Option<char> {
        let taken = self.rest.next()?;
        if taken == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(taken)
    }

    /// The words up to the end of the line, which is taken too.
    fn line(&mut self, faults: &mut Vec<Fault>) -> Vec<Word> {
        let mut words: Vec<Word> = Vec::new();
        let goes_on = |word: &Word| word.sign && matches!(word.text.as_str(), "&&" | "||" | "|");
        while let Some(&next) = self.rest.peek() {
            match next {
                '\n' => {
                    self.take();
                    if !words.last().is_some_and(goes_on) {
                        break;
                    }
                }
                '#' => self.skip_comment(),
                ';' | '&' | '|' | '<' | '>' => words.push(self.sign(String::new(), self.column)),
                space if space.is_whitespace() => {
                    self.take();
                }
                '\\' if self.continues() => {}
                _ => words.push(self.word(faults)),
            }
        }
        words
    }

    fn skip_comment(&mut self) {
        while self.rest.peek().is_some_and(|&next| next != '\n') {
            self.take();
        }
    }

    /// Takes a backslash with the end of the line after it, if that is what comes.
    fn continues(&mut self) -> bool {
        let mut ahead = self.rest.clone();
        ahead.next();
        let mut length = 2;
        if ahead.peek() == Some(&'\r') {
            ahead.next();
            length += 1;
        }
        if ahead.next() != Some('\n') {
            return false;
        }
        for _ in 0..length {
            self.take();
        }
        true
    }

    fn word(&mut self, faults: &mut Vec<Fault>) -> Word {
        let (line, column) = (self.line, self.column);
        let mut word = Word { text: String::new(), line, column, sign: false };
        let (mut expands, mut plain) = (false, true);
        while let Some(&next) = self.rest.peek() {
            match next {
                space if space.is_whitespace() => break,
                '<' | '>' if plain && is_number(&word.text) => return self.sign(word.text, column),
                ';' | '&' | '|' | '<' | '>' => break,
                '\'' | '"' => {
                    plain = false;
                    expands |= self.quote(&mut word.text, faults);
                }
                '\\' if self.continues() => {}
                '\\' => {
                    plain = false;
                    self.take();
                    match self.take() {
                        Some(escaped) => word.text.push(escaped),
                        None => word.text.push('\\'),
                    }
                }
                _ => {
                    expands |= self.expands(false);
                    self.take();
                    word.text.push(next);
                }
            }
        }
        if expands {
            faults.push(not_expanded(&word));
        }
        word
    }

    /// A sign of the shell; in front of `<` and `>` may stand the number of what is redirected.
    fn sign(&mut self, mut text: String, column: u32) -> Word {
        const LONGER: [&str; 9] = ["&&", "||", ";;", ">>", "<<", "&>", ">&", "<&", ">|"];
        let line = self.line;
        let first = self.take().unwrap_or_default();
        let second = self.rest.peek().copied().unwrap_or_default();
        text.push(first);
        if LONGER.contains(&format!("{first}{second}").as_str()) {
            text.extend(self.take());
        }
        Word { text, line, column, sign: true }
    }

    /// Whether a shell would put something in the place of what begins here.
    fn expands(&self, quoted: bool) -> bool {
        let mut ahead = self.rest.clone();
        match ahead.next() {
            Some('`') => true,
            Some('$') => ahead.next().is_some_and(|after| {
                // `$'…'` and `$"…"` begin outside of quotes alone.
                let begins = if quoted { "_({?@*#!$-" } else { "_({?@*#!$-'\"" };
                after.is_ascii_alphanumeric() || begins.contains(after)
            }),
            Some(_) | None => false,
        }
    }

    /// What stands between two quotes; within double ones a backslash escapes, and a shell would
    /// still expand what is there, which is what is answered.
    fn quote(&mut self, text: &mut String, faults: &mut Vec<Fault>) -> bool {
        let (line, column) = (self.line, self.column);
        let mark = self.take();
        let mut expands = false;
        while let Some(&next) = self.rest.peek() {
            if next == '\n' {
                break;
            }
            expands |= mark == Some('"') && next != '"' && self.expands(true);
            self.take();
            if Some(next) == mark {
                return expands;
            }
            let escaped = next == '\\'
                && mark == Some('"')
                && self.rest.peek().is_some_and(|&after| matches!(after, '"' | '\\' | '$' | '`'));
            let kept = if escaped { self.take().unwrap_or(next) } else { next };
            text.push(kept);
        }
        faults.push(Fault {
            line,
            column,
            message: "this quote is not closed on its line".to_owned(),
            help: None,
        });
        // One fault is enough.
        false
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit())
}

/// Taken as they stand such words would be other names and values than those that are meant.
fn not_expanded(word: &Word) -> Fault {
    Fault {
        line: word.line,
        column: word.column,
        message: format!(
            "`{}` stays as it is written: no shell reads this script",
            shown(&word.text)
        ),
        help: Some(
            "write what it stands for, or put it between `'` where the signs themselves are meant"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{lines, text};

    fn words(script: &str) -> Vec<String> {
        let mut faults = Vec::new();
        let shown = lines(script, &mut faults)
            .iter()
            .map(|line| {
                let words: Vec<String> = line
                    .words
                    .iter()
                    .map(|word| format!("{}:{}:{}", word.line, word.column, word.text))
                    .collect();
                words.join(" ")
            })
            .collect();
        assert_eq!(faults, []);
        shown
    }

    #[test]
    fn words_keep_their_places() {
        let script = "ip link add\n\n  # nothing\n  link  set a up # bring up\r\n";
        assert_eq!(words(script), ["1:1:ip 1:4:link 1:9:add", "4:3:link 4:9:set 4:13:a 4:15:up"]);
    }

    #[test]
    fn backslashes_continue_a_line() {
        assert_eq!(words("link add \\\n  a type\\\nx"), ["1:1:link 1:6:add 2:3:a 2:5:typex"]);
        assert_eq!(words("link \\\r\nadd"), ["1:1:link 2:1:add"]);
    }

    #[test]
    fn quotes_hold_words_together() {
        assert_eq!(
            words(r#"alias 'two words' "it\"s" a"b c"d ''"#),
            [r#"1:1:alias 1:7:two words 1:19:it"s 1:27:ab cd 1:35:"#]
        );
        assert_eq!(words("a'#'b x#y #z"), ["1:1:a#b 1:7:x#y"]);
    }

    #[test]
    fn an_open_quote_is_a_fault_at_its_mark() {
        let mut faults = Vec::new();
        lines("link set a alias 'x\nlink show", &mut faults);
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(faults, ["1:18: this quote is not closed on its line"]);
    }

    #[test]
    fn what_a_shell_would_expand_is_a_fault_but_between_single_quotes() {
        for script in [
            "alias $NS",
            "alias \"$(hostname)\"",
            "alias ${x}",
            "alias a$1",
            "alias \"a $x b\"",
            "alias `hostname`",
            "alias \"`hostname`\"",
            "alias $(ip link show)",
        ] {
            let mut faults = Vec::new();
            lines(script, &mut faults);
            let text = script.split_once(' ').map(|(_, rest)| rest).unwrap_or_default();
            let word = match text.strip_prefix('"') {
                Some(rest) => rest.trim_end_matches('"'),
                None => text.split(' ').next().unwrap_or_default(),
            };
            let expected = format!(
                "1:7: `{word}` stays as it is written: no shell reads this script\n  \
                 help: write what it stands for, or put it between `'` where the signs themselves are meant"
            );
            assert_eq!(faults.first().map(ToString::to_string), Some(expected), "{script}");
        }
        assert_eq!(
            words(r#"alias '$(hostname)' '`x`' \$x "\$x" a$ "$" "\`""#),
            ["1:1:alias 1:7:$(hostname) 1:21:`x` 1:27:$x 1:31:$x 1:37:a$ 1:40:$ 1:44:`"]
        );
    }

    #[test]
    fn signs_of_the_shell_end_words_but_in_quotes() {
        assert_eq!(
            words("a up;b&&c 2>/dev/null >&2 || d 'x;y' &>f a\\;b 1'2'>x"),
            [
                "1:1:a 1:3:up 1:5:; 1:6:b 1:7:&& 1:9:c 1:11:2> 1:13:/dev/null 1:23:>& 1:25:2 1:27:|| 1:30:d 1:32:x;y 1:38:&> 1:40:f 1:42:a;b 1:47:12 1:51:> 1:52:x"
            ]
        );
        assert_eq!(words("a &&\n\n# why\nb\nc"), ["1:1:a 1:3:&& 4:1:b", "5:1:c"]);
    }

    #[test]
    fn a_line_is_repeated_with_its_quotes() {
        let lines = lines("ip link set a  alias 'x y'  # why", &mut Vec::new());
        assert_eq!(text(&lines[0].words), r#"ip link set a alias "x y""#);
    }
}
