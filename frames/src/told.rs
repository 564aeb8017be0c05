//! What a frame tells of one thing, and what follows from that for a condition.

/// Why a frame leaves something open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// it was cut before that
    Cut,
    /// it is a later fragment of a datagram whose first one, which has it, was not seen
    Fragment,
}

/// Whether a filter means a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// it does
    Meant,
    /// it does not
    Other,
    /// what the filter asks for is not in what is there of the frame
    Open(Open),
}

impl Verdict {
    /// Of conditions that must all hold: one that doesn't decides, whatever the others are.
    pub(crate) fn of_all(verdicts: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::Meant;
        for verdict in verdicts {
            match verdict {
                Self::Meant => {}
                Self::Other => return Self::Other,
                Self::Open(_) => all = verdict,
            }
        }
        all
    }
}

impl From<bool> for Verdict {
    fn from(holds: bool) -> Self {
        if holds { Self::Meant } else { Self::Other }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told<T> {
    Is(T),
    /// there is none in this frame
    Nothing,
    Open(Open),
}

impl<T> Told<T> {
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Told<U> {
        self.and_then(|value| Told::Is(change(value)))
    }

    pub(crate) fn and_then<U>(self, next: impl FnOnce(T) -> Told<U>) -> Told<U> {
        match self {
            Self::Is(value) => next(value),
            Self::Nothing => Told::Nothing,
            Self::Open(open) => Told::Open(open),
        }
    }

    /// Whether it is there and fits.
    pub(crate) fn fits(self, fits: impl FnOnce(T) -> bool) -> Verdict {
        match self {
            Self::Is(value) => fits(value).into(),
            Self::Nothing => Verdict::Other,
            Self::Open(open) => Verdict::Open(open),
        }
    }
}
