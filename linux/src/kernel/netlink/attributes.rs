//! Netlink attributes as bytes, for what netlink-packet-route has no types for.

use netlink_packet_core::{DefaultNla, Emitable, NLA_F_NESTED, Nla as _, NlasIterator};

/// Attributes being written.
#[derive(Debug, Clone, Default)]
pub(crate) struct Nest(Vec<DefaultNla>);

impl Nest {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn put(&mut self, kind: u16, value: impl Into<Vec<u8>>) {
        self.0.push(DefaultNla::new(kind, value.into()));
    }

    pub(crate) fn put_u32(&mut self, kind: u16, value: u32) {
        self.put(kind, value.to_ne_bytes());
    }

    pub(crate) fn put_nest(&mut self, kind: u16, nest: &Self) {
        self.0.push(nest.attribute(kind));
    }

    /// Those of other attributes that are not here yet.
    pub(crate) fn put_missing(&mut self, others: &[u8]) {
        let missing: Vec<_> = read(others)
            .filter(|(kind, _)| !self.0.iter().any(|own| own.kind() == *kind))
            .collect();
        for (kind, value) in missing {
            self.put(kind, value);
        }
    }

    /// As one attribute that holds the others.
    pub(crate) fn attribute(&self, kind: u16) -> DefaultNla {
        DefaultNla::new(kind | NLA_F_NESTED, self.bytes())
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let all = self.0.as_slice();
        let mut bytes = vec![0; all.buffer_len()];
        all.emit(&mut bytes);
        bytes
    }
}

/// Type, without its flags, and value of each attribute; what is malformed ends it.
pub(crate) fn read(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    NlasIterator::new(bytes).map_while(Result::ok).filter_map(|attribute| {
        let (kind, length) = (attribute.kind(), usize::from(attribute.length()));
        Some((kind, attribute.into_inner().get(4..length)?))
    })
}

/// The value of the first attribute of a type.
pub(crate) fn find(bytes: &[u8], kind: u16) -> Option<&[u8]> {
    read(bytes).find(|(found, _)| *found == kind).map(|(_, value)| value)
}

pub(crate) fn u8_of(value: &[u8]) -> Option<u8> {
    value.first().copied()
}

pub(crate) fn u16_of(value: &[u8]) -> Option<u16> {
    value.get(..2)?.try_into().ok().map(u16::from_ne_bytes)
}

pub(crate) fn u32_of(value: &[u8]) -> Option<u32> {
    value.get(..4)?.try_into().ok().map(u32::from_ne_bytes)
}

pub(crate) fn u64_of(value: &[u8]) -> Option<u64> {
    value.get(..8)?.try_into().ok().map(u64::from_ne_bytes)
}

/// A string with or without its NUL; bytes that aren't UTF-8 are replaced.
pub(crate) fn text(value: &[u8]) -> String {
    let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end]).into_owned()
}
