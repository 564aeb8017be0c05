//! The words for networks, which the host, its recipes and its grants share: plain values and their
//! texts, without any I/O.

pub mod change;
pub mod kind;
pub mod names;
pub mod raw;
pub mod refusal;
pub mod setting;
pub mod shell;
pub mod text;
pub mod units;
