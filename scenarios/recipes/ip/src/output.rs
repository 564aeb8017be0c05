//! Where what commands print goes.

use std::cell::{Cell, RefCell};

thread_local! {
    /// Whether it is thrown away: `>/dev/null`. A recipe has one thread.
    static SILENT: Cell<bool> = const { Cell::new(false) };
    /// What is printed while somebody else reads it: `| grep`.
    static READ: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Carries out a command of which nothing may be printed, if so.
pub(crate) fn silently<T>(silent: bool, run: impl FnOnce() -> T) -> T {
    let before = SILENT.replace(silent || SILENT.get());
    let answer = run();
    SILENT.set(before);
    answer
}

/// Carries out a command whose output is not printed, but answered.
pub(crate) fn read<T>(run: impl FnOnce() -> T) -> (T, String) {
    let outside = READ.replace(Some(String::new()));
    let answer = run();
    (answer, READ.replace(outside).unwrap_or_default())
}

/// Prints what a `show` found; nothing found prints nothing, as ip(8).
pub(crate) fn print(text: &str) {
    let text = text.trim_end();
    let taken = READ.with_borrow_mut(|read| {
        read.as_mut().map(|read| read.extend([&without_tabs(text), "\n"])).is_some()
    });
    if !taken && !text.is_empty() && !SILENT.get() {
        netwright_sdk::report::print(&without_tabs(text));
    }
}

/// Tabs as a terminal has them: the host shows control characters as what they are.
fn without_tabs(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut column = 0;
    for character in text.chars() {
        match character {
            '\t' => {
                let spaces = 8 - column % 8;
                shown.extend(std::iter::repeat_n(' ', spaces));
                column += spaces;
            }
            '\n' => {
                shown.push('\n');
                column = 0;
            }
            other => {
                shown.push(other);
                column += 1;
            }
        }
    }
    shown
}
