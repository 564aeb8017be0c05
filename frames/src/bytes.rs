//! The bytes of a frame, as many as were kept.

use crate::told::{Open, Told};

/// Bytes from some place in a frame on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bytes<'a> {
    kept: &'a [u8],
    /// what is missing behind them was there, and is not known
    cut: bool,
}

impl<'a> Bytes<'a> {
    /// Of a frame that had so many bytes on the wire.
    pub(crate) fn of(kept: &'a [u8], length: usize) -> Self {
        Self { kept, cut: kept.len() < length }
    }

    /// A field of fixed length.
    pub(crate) fn field<const LENGTH: usize>(self, at: usize) -> Told<[u8; LENGTH]> {
        match self.kept.get(at..).and_then(|bytes| bytes.first_chunk()) {
            Some(field) => Told::Is(*field),
            None if self.cut => Told::Open(Open::Cut),
            None => Told::Nothing,
        }
    }

    pub(crate) fn byte(self, at: usize) -> Told<u8> {
        self.field(at).map(|[byte]| byte)
    }

    pub(crate) fn number(self, at: usize) -> Told<u16> {
        self.field(at).map(u16::from_be_bytes)
    }

    /// What is behind a header of so many bytes.
    pub(crate) fn behind(self, header: usize) -> Self {
        Self { kept: self.kept.get(header..).unwrap_or_default(), cut: self.cut }
    }

    /// At most so many: what comes behind them is padding.
    pub(crate) fn at_most(self, most: usize) -> Self {
        match self.kept.get(..most) {
            Some(kept) => Self { kept, cut: false },
            None => self,
        }
    }
}
