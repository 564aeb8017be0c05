//! Frames told apart: what a frame says of itself, and a small typed filter over that. One
//! meaning for the host, its checks and the host in memory that recipes are tested with.
#![deny(missing_docs)]

mod bytes;
mod datagram;
mod filter;
mod headers;
mod packet;
mod told;

pub use datagram::Datagrams;
pub use filter::{Filter, KEYS, PROTOCOLS};
pub use packet::{Direction, Frame, Layer, Packet};
pub use told::{Open, Verdict};
