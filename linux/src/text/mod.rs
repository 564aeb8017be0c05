//! Text that is shown to people: what strangers wrote, harmless; what is to be done, on a line of its
//! own.

mod escape;
mod remedy;
mod shortage;

pub use escape::{LONGEST_SHOWN, tamed};
pub use escape::{escape, is_harmless, path};
#[cfg(fuzzing)]
pub use remedy::forget;
pub use remedy::{also, help, is_own_remedy, own_lines};
pub use shortage::shortage;

/// A number with its noun, of which one only is one: `3 changes`.
pub fn counted(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        _ => format!("{number} {noun}s"),
    }
}
