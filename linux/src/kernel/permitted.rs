//! What the policy let through: the kernel layer takes nothing else.

use crate::change::LinkRef;

/// A change or query that the policy let through. Nothing else reaches the kernel.
#[derive(Debug, Clone, PartialEq)]
pub struct Permitted<T>(T, Vec<LinkRef>);

impl<T> Permitted<T> {
    /// Says that a change may happen, with the links of others that it may touch by name. The policy of
    /// the runner alone says so, and trials in a lab of their own: `tests/tests/rooms.rs` holds that, for
    /// no type can.
    pub fn by_policy(value: T, links: Vec<LinkRef>) -> Self {
        Self(value, links)
    }

    pub fn get(&self) -> &T {
        &self.0
    }

    /// The links of others that it may touch by name, as they were when it was permitted.
    pub fn links(&self) -> &[LinkRef] {
        &self.1
    }
}
