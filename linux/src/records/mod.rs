//! What a run writes down of what it does, and what whoever reads that learns: plain data, of which the
//! kernel layer tells what is a run's own after the run has ended.

mod borrowed;
mod claim;
mod history;
mod links;
mod reading;
mod record;

pub use borrowed::{Borrowed, of as borrowed_by};
pub use claim::{Claim, Claimed, Nature};
pub use history::{Entry, Fate, History, SCHEMA};
pub use links::MadeLinks;
pub use reading::{Flaw, Label, Reading, decode, known, read};
pub use record::{Head, Kept, NamedFolder, Parameter, Record, Remembered, encode};
