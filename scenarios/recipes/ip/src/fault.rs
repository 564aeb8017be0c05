//! What is wrong with a script, and where.

use std::fmt;

/// One fault. Lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub line: u32,
    pub column: u32,
    /// lower case, names in backticks, no full stop
    pub message: String,
    pub help: Option<String>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.message)?;
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

/// A word as it is shown in a message: control characters would let a script forge one.
pub(crate) fn shown(text: &str) -> String {
    text.escape_debug().to_string()
}
