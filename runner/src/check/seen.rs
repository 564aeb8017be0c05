//! What one look at a check's object shows.

use crate::kernel::{Denial, Error};
use crate::scenario::Because;

/// Where it holds what was seen, where it does not what differs.
pub(super) type Seen = Result<Said, Miss>;

/// A text, and why nothing answered, where nothing did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) text: String,
    pub(super) cause: Option<Cause>,
    /// A router said so. It may not say it again soon: Linux answers one station with five errors,
    /// and then with one a second (net/ipv4/route.c ip_error, net/ipv4/icmp.c icmpv4_xrlim_allow).
    pub(super) by_router: bool,
}

impl From<String> for Said {
    fn from(text: String) -> Self {
        Self { text, ..Self::default() }
    }
}

/// Why a check does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Miss {
    /// it may yet hold
    Yet(Said),
    /// the question itself is wrong, or nothing that comes can mend it
    Never(Said),
    /// it may not be asked
    Denied(Said),
}

impl Miss {
    pub(super) fn yet(text: impl Into<String>) -> Self {
        Self::Yet(text.into().into())
    }

    pub(super) fn never(text: impl Into<String>) -> Self {
        Self::Never(text.into().into())
    }

    pub(super) fn said(&self) -> &Said {
        match self {
            Self::Yet(said) | Self::Never(said) | Self::Denied(said) => said,
        }
    }

    /// Of a question that was refused and can't become right.
    pub(super) fn wrong(error: Error) -> Self {
        match Self::from(error) {
            Self::Yet(said) => Self::Never(said),
            other @ (Self::Never(_) | Self::Denied(_)) => other,
        }
    }
}

impl From<Error> for Miss {
    fn from(error: Error) -> Self {
        match error {
            // The report has told the whole of it, with the grant that would allow it.
            Error::Denied(Denial { capability, target, .. }) => {
                let text = format!("not granted: {capability} for {target}");
                Self::Denied(Said { text, cause: Some(Cause::NotGranted), by_router: false })
            }
            Error::Kernel(_)
            | Error::Gone(_)
            | Error::Invalid(_)
            | Error::Missing(_)
            | Error::Timeout(_)
            | Error::Limit(_)
            | Error::Halted(_)
            | Error::Unsupported(_) => Self::yet(error.to_string()),
        }
    }
}

/// Whatever the kernel layer says to another question than the one asked.
pub(super) fn mistaken() -> Miss {
    Miss::never("the kernel layer mistook the question")
}

/// Why nothing answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    NoReply,
    NoNeighbour,
    HostUnreachable,
    PortUnreachable,
    TooBig,
    Expired,
    NoRoute,
    LinkDown,
    NoCarrier,
    Prohibited,
    LoopbackDown,
    Unsent,
    NotSettled,
    NotGranted,
    Limit,
}

impl Cause {
    /// As results have it.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::NoReply => "no-reply",
            Self::NoNeighbour => "no-neighbour",
            Self::HostUnreachable => "host-unreachable",
            Self::PortUnreachable => "port-unreachable",
            Self::TooBig => "too-big",
            Self::Expired => "expired",
            Self::NoRoute => "no-route",
            Self::LinkDown => "link-down",
            Self::NoCarrier => "no-carrier",
            Self::Prohibited => "prohibited",
            Self::LoopbackDown => "lo-down",
            Self::Unsent => "unsent",
            Self::NotSettled => "not-settled",
            Self::NotGranted => "not-granted",
            Self::Limit => "limit",
        }
    }

    /// What of `because` it is; none for what is no reason of the network's.
    pub(super) fn because(self) -> &'static [Because] {
        match self {
            Self::NoReply
            | Self::NoNeighbour
            | Self::HostUnreachable
            | Self::PortUnreachable
            | Self::TooBig
            | Self::Expired => &[Because::NoReply],
            Self::NoRoute => &[Because::NoRoute],
            // The kernel takes the routes of a link that is down away.
            Self::LinkDown => &[Because::NoRoute, Because::NoCarrier],
            Self::NoCarrier | Self::LoopbackDown => &[Because::NoCarrier],
            Self::Prohibited => &[Because::Prohibited],
            Self::Unsent | Self::NotSettled | Self::NotGranted | Self::Limit => &[],
        }
    }
}
