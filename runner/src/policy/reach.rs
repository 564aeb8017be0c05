//! What a scenario's checks and captures do in the machine's own namespace.

use std::net::IpAddr;

/// Something that is sent to a station from the root namespace, or by one of its links, or a link
/// of it whose frames are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    pub to: Option<IpAddr>,
    pub link: Option<String>,
}
