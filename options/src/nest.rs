//! Attributes within an attribute, as netlink has them (struct nlattr, linux/netlink.h).

/// Type and value one after another, each filled up to four bytes.
#[derive(Default)]
pub(crate) struct Nest(Vec<u8>);

/// struct nlattr
const HEADER: usize = 4;

impl Nest {
    pub(crate) fn put(&mut self, kind: u16, value: &[u8]) {
        let length = u16::try_from(HEADER + value.len()).unwrap_or(u16::MAX);
        self.0.extend(length.to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(HEADER), 0);
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        self.0
    }
}
