//! Which checks may be under way together. They begin in the order of the scenario, but:
//!
//! - frames and neighbours are looked at when all probes before them are decided, and no later
//!   probe begins meanwhile, for it would make more of them;
//! - a check that something isn't there, or that nothing answers, begins when all before it are
//!   decided that something is there or answers: what they wait for may bring it about;
//! - a probe that is to be answered begins when those before it that are not to be have been made
//!   once: what stations learn from its frames may let them answer;
//! - of those that want a router to say why, one is asked at a time: a router says it to a station a few
//!   times, and then seldom.
//!
//! Everything else waits side by side.

use super::{wants_a_routers_word, wants_silence};
use crate::scenario::Check;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// asks the kernel, whatever is sent meanwhile
    State,
    /// sends frames
    Probe,
    /// looks at what others sent
    Look,
    /// sends frames, and looks at them
    Alone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Waits,
    Begun,
    /// it has been answered, and waits whether that changes
    Answered,
    Decided,
}

#[derive(Debug)]
struct Entry {
    class: Class,
    negative: bool,
    /// it wants a router's word
    word: bool,
    stage: Stage,
}

/// The checks of a scenario, and how far each has come.
#[derive(Debug)]
pub(super) struct Order(Vec<Entry>);

impl Order {
    pub(super) fn new(checks: &[Check]) -> Self {
        let entry = |check| Entry {
            class: class(check),
            negative: is_negative(check),
            word: wants_a_routers_word(check),
            stage: Stage::Waits,
        };
        Self(checks.iter().map(entry).collect())
    }

    /// Those that may begin now, which count as begun.
    pub(super) fn next(&mut self) -> Vec<usize> {
        let mut begin = Vec::new();
        // Of those before it, what is undecided.
        let (mut probes, mut looks, mut alone, mut positive) = (false, false, false, false);
        let (mut silent, mut word) = (false, false);
        for (number, entry) in self.0.iter_mut().enumerate() {
            if entry.stage == Stage::Decided {
                continue;
            }
            let free = match entry.class {
                Class::State => true,
                Class::Probe => !looks && !alone && (entry.negative || !silent),
                Class::Look => !probes && !alone,
                Class::Alone => !probes && !looks && !alone,
            };
            let held_up = (entry.negative && positive) || (entry.word && word);
            if entry.stage == Stage::Waits && free && !held_up {
                entry.stage = Stage::Begun;
                begin.push(number);
            }
            match entry.class {
                Class::State => {}
                Class::Probe => {
                    probes = true;
                    silent |= entry.negative && entry.stage != Stage::Answered;
                }
                Class::Look => looks = true,
                Class::Alone => alone = true,
            }
            positive |= !entry.negative;
            word |= entry.word;
        }
        begin
    }

    /// What is to be silent was answered: later probes can't spoil it any more.
    pub(super) fn answered(&mut self, number: usize) {
        if let Some(entry) = self.0.get_mut(number).filter(|entry| entry.stage == Stage::Begun) {
            entry.stage = Stage::Answered;
        }
    }

    pub(super) fn decided(&mut self, number: usize) {
        if let Some(entry) = self.0.get_mut(number) {
            entry.stage = Stage::Decided;
        }
    }
}

fn class(check: &Check) -> Class {
    match check {
        Check::Link(_) | Check::Address(_) | Check::Route(_) | Check::Sysctl(_) => Class::State,
        Check::Ping(_) | Check::Arp(_) | Check::Tcp(_) => Class::Probe,
        Check::Neighbour(_) => Class::Look,
        Check::Frames(check) if check.during.is_none() => Class::Look,
        Check::Frames(_) => Class::Alone,
    }
}

/// Whether it holds where something is missing.
fn is_negative(check: &Check) -> bool {
    match check {
        Check::Link(check) => !check.exists,
        Check::Address(check) => check.absent,
        Check::Route(check) => check.absent,
        Check::Neighbour(check) => check.absent,
        Check::Ping(_) | Check::Arp(_) | Check::Tcp(_) => wants_silence(check),
        Check::Frames(check) => check.at_least == 0,
        Check::Sysctl(_) => false,
    }
}
