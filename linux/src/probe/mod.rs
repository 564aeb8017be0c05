//! Probes: what the host asks inside a namespace for a recipe, without external programs.
//!
//! Every probe opens its sockets on a short-lived thread inside the namespace, to which they then
//! belong for ever, and uses them on the runtime. All need a tokio runtime with time and I/O.

mod arp;
mod connect;
mod datagrams;
mod ear;
mod echo;
mod icmp;
mod listener;
mod monitor;
mod ping;
mod socket;
mod told;
mod wait;
mod watch;

pub use arp::arp;
pub use connect::{Connection, connects, tcp, udp};
pub use ear::Ear;
pub use echo::Echo;
pub use listener::{Listener, Transport};
pub use monitor::Monitor;
pub use ping::{Options, Pinging, Source, ping, ping_and_why};
pub use socket::check_destination;
pub(crate) use socket::{bind_to_link, check_link_name, inside, on_runtime, refused};
pub use told::{Complaint, Told};
pub use wait::{Condition, wait_until};

/// The most bytes that one TCP probe sends, and the most that it takes.
pub const MOST_BYTES: usize = 1 << 20;
