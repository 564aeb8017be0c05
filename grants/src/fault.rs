//! What is wrong with a grant, and where.

use netwright_network::text::nearest;
pub(crate) use netwright_network::text::quote;

/// One thing that is wrong; `P` is how its source names places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault<P> {
    pub place: P,
    pub message: String,
    pub help: Option<String>,
}

/// The rule that a value breaks, before anybody knows where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl Broken {
    pub(crate) fn rule(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None }
    }

    pub(crate) fn with(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: Some(help.into()) }
    }

    pub(crate) fn at<P>(self, place: P) -> Fault<P> {
        Fault { place, message: self.message, help: self.help }
    }
}

/// What was probably meant, or else all that there is behind `otherwise`.
pub(crate) fn suggest<'a>(
    written: &str,
    known: impl Iterator<Item = &'a str> + Clone,
    otherwise: &str,
) -> String {
    match nearest(written, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("{otherwise} {}", known.collect::<Vec<_>>().join(", ")),
    }
}
