//! Goes through the words of one command and keeps what is wrong with them.

use crate::command::Before;
use crate::fault::{Fault, shown};
use crate::keyword::begins;
use crate::lex::Word;
use netwright_network::text::suggestion;

pub(crate) struct Cursor<'a> {
    words: &'a [Word],
    next: usize,
    faults: &'a mut Vec<Fault>,
    before: &'a Before,
    /// programs that stand in front of one another
    programs: usize,
}

/// An option: the word as it was typed, and its full name.
#[derive(Clone, Copy)]
pub(crate) struct Named<'a> {
    pub(crate) word: &'a Word,
    pub(crate) name: &'static str,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(words: &'a [Word], faults: &'a mut Vec<Fault>, before: &'a Before) -> Self {
        Self { words, next: 0, faults, before, programs: 0 }
    }

    /// Whether the script has made a namespace of this name before.
    pub(crate) fn made(&self, name: &str) -> bool {
        self.before.made.iter().any(|made| made == name)
    }

    pub(crate) fn next(&mut self) -> Option<&'a Word> {
        let word = self.words.get(self.next)?;
        self.next += 1;
        Some(word)
    }

    pub(crate) fn peek(&self) -> Option<&'a Word> {
        self.words.get(self.next)
    }

    /// Whether one more program may stand in front of the next one.
    pub(crate) fn enter(&mut self) -> bool {
        const MOST: usize = 16;
        self.programs += 1;
        self.programs <= MOST
    }

    /// Gives the last word back.
    pub(crate) fn back(&mut self) {
        self.next = self.next.saturating_sub(1);
    }

    /// All that is left.
    pub(crate) fn rest(&self) -> &'a [Word] {
        self.words.get(self.next..).unwrap_or_default()
    }

    /// For commands within a word of this one.
    pub(crate) fn inner(&mut self) -> (&mut Vec<Fault>, Before) {
        (self.faults, self.before.clone())
    }

    /// The word before the next one, the first where there is none.
    pub(crate) fn last(&self) -> Option<&'a Word> {
        self.words.get(self.next.saturating_sub(1))
    }

    /// Takes the next word if it is this one.
    pub(crate) fn take(&mut self, text: &str) -> bool {
        let found = self.peek().is_some_and(|word| word.text == text);
        self.next += usize::from(found);
        found
    }

    /// The value of an option.
    pub(crate) fn value(&mut self, option: Named<'_>) -> Option<&'a Word> {
        let value = self.next();
        if value.is_none() {
            self.refuse(option.word, format!("`{}` needs a value after it", option.name));
        }
        value
    }

    pub(crate) fn refuse(&mut self, word: &Word, message: String) {
        self.fault(word, message, None);
    }

    pub(crate) fn refuse_with(&mut self, word: &Word, message: String, help: &str) {
        self.fault(word, message, Some(help.to_owned()));
    }

    pub(crate) fn fault(&mut self, word: &Word, message: String, help: Option<String>) {
        self.faults.push(Fault { line: word.line, column: word.column, message, help });
    }

    /// A word that the place doesn't know. What follows can't be told apart any more.
    pub(crate) fn unknown<'n>(
        &mut self,
        word: &Word,
        place: &str,
        known: impl Iterator<Item = &'n str>,
    ) {
        let typed = shown(&word.text);
        if begins("help", &word.text) && word.text.len() > 1 {
            self.refuse(word, format!("`{typed}` changes nothing and is not for scripts"));
            return;
        }
        let help = suggestion(&word.text, known);
        self.fault(word, format!("`{typed}` is not known in {place}"), help);
    }

    /// A second use of what can be said once.
    pub(crate) fn twice(&mut self, option: Named<'_>) {
        self.refuse(option.word, format!("`{}` is given twice", option.name));
    }

    /// Refuses whatever is left.
    pub(crate) fn end(&mut self, place: &str) {
        if let Some(word) = self.peek() {
            let message = format!("`{}` is too much for {place}", shown(&word.text));
            self.refuse(word, message);
        }
    }

    pub(crate) fn faults(&self) -> usize {
        self.faults.len()
    }
}
