//! What is wrong with a parameter, and where in it.

use std::borrow::Cow;

pub use netwright_network::text::{quote, suggestion};

/// A place in the recipe's parameters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// empty where it is all of them
    pub parameter: Cow<'static, str>,
    /// RFC 6901
    pub pointer: String,
}

impl Place {
    /// All parameters together.
    pub fn everywhere() -> Self {
        Self { parameter: Cow::Borrowed(""), pointer: String::new() }
    }

    /// One step further in.
    pub fn step(&self, step: &str) -> Self {
        if self.parameter.is_empty() {
            return Self { parameter: Cow::Owned(step.to_owned()), pointer: String::new() };
        }
        let step = step.replace('~', "~0").replace('/', "~1");
        Self { parameter: self.parameter.clone(), pointer: format!("{}/{step}", self.pointer) }
    }

    /// As a person would say it: item 3 of `links`.
    pub fn item(&self) -> String {
        let index = self.pointer.split('/').nth(1).and_then(|step| step.parse::<usize>().ok());
        match index {
            Some(index) => format!("item {} of `{}`", index + 1, self.parameter),
            None => format!("`{}`", self.parameter),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub place: Place,
    pub message: String,
    pub help: Option<String>,
}
