//! What is wrong with a scenario, where, and what would help.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet, normalize_untrusted_str};

use crate::text::{escape, is_harmless};

pub(crate) use netwright_network::text::{quote, suggestion};

/// More faults than these are counted, not shown.
pub(super) const MOST_SHOWN: usize = 50;

/// Where something stands: bytes of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    /// place in [`Sources`]
    pub(crate) source: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Span {
    pub(crate) fn new(source: usize, range: Range<usize>) -> Self {
        Self { source, start: range.start, end: range.end.max(range.start) }
    }
}

/// A text that faults point into: the scenario file, or what a `-p` flag gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    /// as the user named it
    pub(crate) name: String,
    pub(crate) text: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sources(Vec<Source>);

impl Sources {
    /// The place of the new source.
    pub(crate) fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> usize {
        self.0.push(Source { name: name.into(), text: text.into() });
        self.0.len() - 1
    }

    pub(crate) fn source(&self, index: usize) -> &str {
        self.0.get(index).map_or("", |source| &source.text)
    }

    pub(crate) fn locate(&self, span: &Span) -> Location {
        Walk::default().to(self, span)
    }
}

/// A way through the sources from place to place, none of which is counted twice where they come in
/// their order.
#[derive(Default)]
struct Walk {
    source: usize,
    offset: usize,
    line: usize,
    column: usize,
}

impl Walk {
    fn to(&mut self, sources: &Sources, span: &Span) -> Location {
        let Some(source) = sources.0.get(span.source) else {
            return Location { source: String::new(), line: 1, column: 1 };
        };
        let end = floor(&source.text, span.start);
        if self.source != span.source || end < self.offset {
            *self = Self { source: span.source, ..Self::default() };
        }
        let passed = &source.text[self.offset..end];
        self.line += passed.matches('\n').count();
        let line = match passed.rfind('\n') {
            Some(newline) => {
                self.column = 0;
                &passed[newline + 1..]
            }
            None => passed,
        };
        let begins = self.column == 0;
        let line = if begins { line.trim_start_matches('\u{feff}') } else { line };
        self.column += line.chars().count();
        self.offset = end;
        Location { source: source.name.clone(), line: self.line + 1, column: self.column + 1 }
    }
}

/// The nearest place at or before `offset` that doesn't split a character.
fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// A place as people name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// the file as it was named, or the flag
    pub source: String,
    /// from 1
    pub line: usize,
    /// characters from 1
    pub column: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.source, self.line, self.column)
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub(crate) span: Span,
    /// the rule that was broken: lower case, names in backticks
    pub message: String,
    pub help: Option<String>,
}

/// All that is wrong, in the order of the file.
///
/// `Display` shows each with its line of the source, without colours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    pub(crate) sources: Sources,
    pub(crate) faults: Vec<Fault>,
}

impl Faults {
    pub(crate) fn new(sources: Sources, mut faults: Vec<Fault>) -> Self {
        faults.sort_by(|a, b| {
            (a.span.source, a.span.start, &a.message).cmp(&(
                b.span.source,
                b.span.start,
                &b.message,
            ))
        });
        faults.dedup();
        Self { sources, faults }
    }

    /// A fault of something that could not be read at all, which has no places, and which the
    /// message names.
    pub(crate) fn unread(message: String) -> Self {
        let fault = Fault { span: Span::new(0, 0..0), message, help: None };
        Self { sources: Sources::default(), faults: vec![fault] }
    }

    /// Each with its place.
    pub fn iter(&self) -> impl Iterator<Item = (Location, &Fault)> {
        let mut walk = Walk::default();
        self.faults.iter().map(move |fault| (walk.to(&self.sources, &fault.span), fault))
    }

    pub fn len(&self) -> usize {
        self.faults.len()
    }

    pub fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }

    /// As `Display`, in colour.
    pub fn styled(&self) -> String {
        self.render(&Renderer::styled())
    }

    fn render(&self, renderer: &Renderer) -> String {
        let mut text = String::new();
        for fault in self.faults.iter().take(MOST_SHOWN) {
            text += &self.render_one(renderer, fault);
            text.push_str("\n\n");
        }
        if self.faults.len() > MOST_SHOWN {
            text +=
                &format!("error: {} more faults are not shown\n\n", self.faults.len() - MOST_SHOWN);
        }
        text.truncate(text.trim_end().len());
        text
    }

    fn render_one(&self, renderer: &Renderer, fault: &Fault) -> String {
        let title = Level::ERROR.primary_title(shown(&fault.message));
        let source = self.sources.0.get(fault.span.source);
        let mut group = match source {
            Some(source) if !source.text.is_empty() => match long_line_of(source, &fault.span) {
                Some(part) => {
                    let at = self.sources.locate(&fault.span);
                    let path = shown(&source.name);
                    let at =
                        annotate_snippets::Origin::path(path).line(at.line).char_column(at.column);
                    title.element(at).element(part)
                }
                None => title.element(line_of(source, &fault.span)),
            },
            Some(source) => title.element(
                annotate_snippets::Origin::path(named(&source.name)).line(1).char_column(1),
            ),
            None => title.elements(Vec::<Snippet<'_, annotate_snippets::Annotation<'_>>>::new()),
        };
        if let Some(help) = &fault.help {
            group = group.element(Level::HELP.message(shown(help)));
        }
        renderer.render(&[group])
    }
}

/// Text that came from outside, so that it can't move the cursor or fake a line.
fn shown(text: &str) -> String {
    normalize_untrusted_str(&tame(text))
}

/// What a source is called, which is one line whatever its file is called.
fn named(name: &str) -> String {
    shown(&escape(name))
}

/// Character by character, so that places in it stay. The renderer knows of ASCII's control
/// characters and of overrides, but not of C1's (U+009B begins a sequence, as ESC [ does), marks
/// and zero widths.
fn tame(text: &str) -> String {
    let known = |character: char| character.is_ascii_control() || is_harmless(character);
    text.chars().map(|each| if known(each) { each } else { char::REPLACEMENT_CHARACTER }).collect()
}

/// Bytes of a longer line that are shown before a fault, and from its start on.
const AROUND: usize = 60;
/// No terminal has a longer line.
const LONGEST_LINE: usize = 2000;

/// Of a line that is too long to be shown, what is around a fault.
fn long_line_of<'a>(
    source: &'a Source,
    span: &Span,
) -> Option<Snippet<'a, annotate_snippets::Annotation<'a>>> {
    let text = &source.text;
    let start = floor(text, span.start);
    let before = &text[floor(text, start.saturating_sub(LONGEST_LINE))..start];
    let after = &text[start..floor(text, start + LONGEST_LINE)];
    let left = before.rfind('\n').map_or(before.len(), |newline| before.len() - newline - 1);
    let right = after.find('\n').unwrap_or(after.len());
    if left + right < LONGEST_LINE {
        return None;
    }
    let from = floor(text, start - left.min(AROUND));
    let to = floor(text, start + right.min(AROUND));
    let head = if left > AROUND { "…" } else { "" };
    let tail = if right > AROUND { "…" } else { "" };
    let marked = tame(&text[start..floor(text, span.end.min(to)).max(start)]);
    let (lead, rest) = (tame(&text[from..start]), tame(&text[start..to]));
    let place = head.len() + lead.len();
    let line = format!("{head}{lead}{rest}{tail}");
    let number = text[..start].matches('\n').count() + 1;
    let snippet = Snippet::source(line).line_start(number);
    Some(snippet.annotation(AnnotationKind::Primary.span(place..place + marked.len())))
}

/// The line that a fault begins in, with the fault's part of it marked.
fn line_of<'a>(source: &'a Source, span: &Span) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let start = floor(&source.text, span.start);
    let line_start = source.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
    let line_end = source.text[start..].find('\n').map_or(source.text.len(), |at| start + at);
    let line = &source.text[line_start..line_end];
    let line = line.strip_suffix('\r').unwrap_or(line);
    let end = floor(line, span.end.saturating_sub(line_start)).max(start - line_start);
    let marked = (start - line_start).min(line.len())..end.min(line.len());
    let marked = tame(&line[..marked.start]).len()..tame(&line[..marked.end]).len();
    Snippet::source(tame(line))
        .path(named(&source.name))
        .line_start(source.text[..line_start].matches('\n').count() + 1)
        .annotation(AnnotationKind::Primary.span(marked))
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(&Renderer::plain()))
    }
}

impl std::error::Error for Faults {}

impl Faults {
    /// The faults of several steps of one scenario as one; none where there are none.
    pub(crate) fn join(all: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut all = all.into_iter();
        let first = all.next()?;
        let faults = all.fold(first.faults, |mut faults, more| {
            faults.extend(more.faults);
            faults
        });
        Some(Self::new(first.sources, faults))
    }
}
