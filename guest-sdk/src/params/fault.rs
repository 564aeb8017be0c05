//! What is wrong with a parameter, and where.

use std::fmt;

use crate::Error;

/// Something wrong with a parameter: which, where in it, and what would be right.
pub type Fault = crate::wit::exports::netwright::host::guest::Fault;

impl Fault {
    /// A fault of a whole parameter; the message is lower case, with names in backticks.
    pub fn new(parameter: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            parameter: parameter.into(),
            pointer: String::new(),
            line: 0,
            column: 0,
            message: message.into(),
            help: None,
        }
    }

    pub(super) fn missing(parameter: &str) -> Self {
        Self::new(parameter, format!("parameter `{parameter}` is missing"))
            .help(format!("give it by `-p {parameter}=…` or under the step's `params`"))
    }

    /// Where in a structured parameter: a JSON pointer, RFC 6901, such as `/2/mode`.
    #[must_use]
    pub fn pointer(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = pointer.into();
        self
    }

    /// Where in a text parameter, both from 1.
    #[must_use]
    pub fn position(mut self, line: u32, column: u32) -> Self {
        (self.line, self.column) = (line, column);
        self
    }

    /// What would be right.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// `mode/2:1:5: message`, as far as it is known.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.parameter, self.pointer)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}", self.message)?;
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

/// All faults as one error, a line each.
pub(crate) fn refuse(faults: &[Fault]) -> Error {
    let lines: Vec<String> = faults.iter().map(Fault::to_string).collect();
    Error::invalid(lines.join("\n"))
}
