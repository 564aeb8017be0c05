//! From a script to lines of words, each word with its place.

use std::iter::Peekable;
use std::str::Chars;

use crate::fault::Fault;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) text: String,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// One command, without its comment; never empty.
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

    /// The command as it is repeated in messages and reports.
    pub(crate) fn text(&self) -> String {
        let words: Vec<String> = self.words.iter().map(quoted).collect();
        words.join(" ")
    }
}

fn quoted(word: &Word) -> String {
    let plain = !word.text.is_empty() && !word.text.contains([' ', '\t', '"', '\'', '#', '\\']);
    if plain { word.text.clone() } else { format!("{:?}", word.text) }
}

/// Cuts a script into its commands: one a line, `#` begins a comment, a backslash at the end
/// of a line continues it, quotes hold a word together, a prompt `$` in front is left out.
pub(crate) fn lines(script: &str, faults: &mut Vec<Fault>) -> Vec<Line> {
    let mut lexer = Lexer { rest: script.chars().peekable(), line: 1, column: 1 };
    let mut lines = Vec::new();
    while lexer.rest.peek().is_some() {
        let mut words = lexer.line(faults);
        if words.first().is_some_and(|word| word.text == "$") {
            words.remove(0);
        }
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
        let mut words = Vec::new();
        while let Some(&next) = self.rest.peek() {
            match next {
                '\n' => {
                    self.take();
                    break;
                }
                '#' => self.skip_comment(),
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
        let mut word = Word { text: String::new(), line: self.line, column: self.column };
        while let Some(&next) = self.rest.peek() {
            match next {
                space if space.is_whitespace() => break,
                '\'' | '"' => self.quote(&mut word.text, faults),
                '\\' if self.continues() => {}
                '\\' => {
                    self.take();
                    match self.take() {
                        Some(escaped) => word.text.push(escaped),
                        None => word.text.push('\\'),
                    }
                }
                _ => {
                    self.take();
                    word.text.push(next);
                }
            }
        }
        word
    }

    /// What stands between two quotes; within double ones a backslash escapes.
    fn quote(&mut self, text: &mut String, faults: &mut Vec<Fault>) {
        let (line, column) = (self.line, self.column);
        let mark = self.take();
        while let Some(&next) = self.rest.peek() {
            if next == '\n' {
                break;
            }
            self.take();
            if Some(next) == mark {
                return;
            }
            let escaped = next == '\\'
                && mark == Some('"')
                && self.rest.peek().is_some_and(|&after| matches!(after, '"' | '\\' | '$'));
            let kept = if escaped { self.take().unwrap_or(next) } else { next };
            text.push(kept);
        }
        faults.push(Fault {
            line,
            column,
            message: "this quote is not closed on its line".to_owned(),
            help: None,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::lines;

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
        let script = "ip link add\n\n  # nothing\n$ link  set a up # bring up\r\n";
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
    fn a_line_is_repeated_with_its_quotes() {
        let lines = lines("$ ip link set a  alias 'x y'  # why", &mut Vec::new());
        assert_eq!(lines[0].text(), r#"ip link set a alias "x y""#);
    }
}
