//! Write network recipes that run sandboxed under netwright.
//!
//! A recipe is a function. It is given a [`Lab`], builds links, namespaces, addresses and routes
//! in it, and asks whether what should reach each other does. Here is a whole one: two children of
//! one link in two namespaces, pinging each other.
//!
//! ```
//! use netwright_sdk::prelude::*;
//!
//! #[derive(Params)]
//! struct Lan {
//!     /// How the children see each other
//!     #[param(default = "bridge")]
//!     mode: MacvlanMode,
//! }
//!
//! /// Two macvlan children of one link, in two namespaces
//! #[recipe(name = "macvlan-lan", version = "0.1.0")]
//! fn lan(lab: &Lab, lan: Lan) -> Result<()> {
//!     let uplink = lab.veth("enp0s8").peer("switch0").create()?;
//!     for (name, address) in [("ns1", "192.168.56.122/24"), ("ns2", "192.168.56.123/24")] {
//!         lab.namespace(name)?
//!             .macvlan("mac").parent(&uplink).mode(lan.mode).address(address)
//!             .create()?;
//!     }
//!     lab.in_namespace("ns1")?.ping("192.168.56.123").expect_reply()
//! }
//! # fn main() {}
//! ```
//!
//! Its crate is a library of type `cdylib` and `rlib`, compiled for `wasm32-unknown-unknown` and
//! made a component. Outside of WebAssembly the same crate is an ordinary library, and its recipe
//! is tested by plain `cargo test`: see [`testing`].
//!
//! # What is where
//!
//! - [`Place`] has the builder of every kind of link, and those of routes and rules. A
//!   [`Namespace`] and a [`Topology`] are places, and so is the [`Lab`] itself, as its root
//!   namespace.
//! - A link in the making is a [`LinkBuilder`](link::LinkBuilder): it comes up when it is made,
//!   unless `.down()` is said.
//! - `ensure` stands beside `create`, `add` and `set`, for what may be there already: it makes and
//!   changes only what isn't so yet. [`Topology::ensure`] does that for a whole network, and tells
//!   how many changes it took.
//! - [`Namespace`] has the probes: `ping`, `tcp`, `udp`, `listen`, `wait_until`; and `capture`, which
//!   sees every frame of a link.
//! - [`Lab`] has the report: `step`, `check`, `metric`, `attach`, `print`.
//! - [`clock`] has the time as it passes, and pauses.
//! - [`wit`] holds the contract's own types, and [`host`] its functions, for whoever needs what no
//!   builder says.
#![deny(missing_docs)]
#![allow(clippy::result_large_err, reason = "the functions of the contract answer so")]

mod address;
mod capture;
pub mod clock;
mod discipline;
mod ensure;
mod error;
mod exec;
pub mod host;
mod lab;
pub mod link;
pub mod log;
mod namespace;
mod neighbour;
mod params;
mod pending;
mod place;
mod port;
mod probe;
mod qdisc;
pub mod recipe;
pub mod report;
mod route;
mod rule;
mod tap;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;
mod topology;
pub mod units;
mod words;

pub use address::{AddressBuilder, IntoAddress, IntoMac, IntoPrefix, MacAddress, Prefix};
pub use capture::{Capture, CaptureBuilder, FrameFilter};
pub use error::{Context, Error, Result};
pub use exec::{Outcome, Program};
pub use lab::Lab;
pub use link::{AnyLink, BondMode, Link, LinkReference};
pub use namespace::Namespace;
pub use neighbour::{EntryBuilder, NeighbourBuilder};
pub use netwright_sdk_macros::recipe;
pub use params::{Fault, ParamValue, Params, Values};
pub use place::Place;
pub use port::PortVlans;
pub use probe::{Condition, Listener, ListenerBuilder, Ping, Pinging, TcpProbe, UdpProbe};
pub use qdisc::{IntoChance, NetemBuilder, TbfBuilder};
pub use recipe::Recipe;
pub use route::{Destination, IntoDestination, NextHop, RouteBuilder};
pub use rule::RuleBuilder;
pub use tap::Tap;
pub use topology::{PlannedLink, PlannedNamespace, Topology};

/// All that a recipe needs: `use netwright_sdk::prelude::*`.
pub mod prelude {
    pub use std::net::IpAddr;
    pub use std::time::Duration;

    pub use crate::wit::links::{IpvlanFlag, IpvlanMode, MacvlanMode};
    pub use crate::wit::probes::Transport;
    pub use crate::wit::qdisc::Distribution;
    pub use crate::wit::types::Family;
    pub use crate::{
        AnyLink, BondMode, Capture, Condition, Context, Destination, Error, Fault, FrameFilter,
        IntoAddress, IntoMac, IntoPrefix, Lab, Link, Listener, MacAddress, Namespace, NextHop,
        ParamValue, Params, Pinging, Place, PlannedLink, PlannedNamespace, PortVlans, Prefix,
        Result, Tap, Topology, Values, clock, log, recipe,
    };
}

/// What the macros' expansions need.
#[doc(hidden)]
pub mod macro_support {
    pub use crate::params::Reader;
    pub use constcat;

    /// Whether a JSON list of words, written without spaces, holds this one with its quotes.
    pub const fn is_choice(choices: &str, quoted: &str) -> bool {
        let (list, word) = (choices.as_bytes(), quoted.as_bytes());
        let mut start = 0;
        while start + word.len() <= list.len() {
            let mut length = 0;
            while length < word.len() && list[start + length] == word[length] {
                length += 1;
            }
            if length == word.len() {
                return true;
            }
            start += 1;
        }
        false
    }

    /// Whether a default can be a value of its type: a whole number within its range where it is
    /// one, `true` or `false` where it is a boolean. `number` is none where the text is no number.
    pub const fn is_value(kind: &str, range: &str, number: Option<i128>, text: &str) -> bool {
        if !range.is_empty() {
            let (least, most) = limits(range);
            return matches!(number, Some(number) if least <= number && number <= most);
        }
        !same(kind, "boolean") || same(text, "true") || same(text, "false")
    }

    const fn same(one: &str, other: &str) -> bool {
        one.len() == other.len() && is_choice(one, other)
    }

    /// `[LEAST,MOST]`.
    const fn limits(range: &str) -> (i128, i128) {
        let text = range.as_bytes();
        let (mut limits, mut which, mut negative, mut place) = ([0; 2], 0, false, 1);
        while place + 1 < text.len() {
            match text[place] {
                b',' => (which, negative) = (1, false),
                b'-' => negative = true,
                digit => {
                    let digit = (digit - b'0') as i128;
                    limits[which] = limits[which] * 10 + if negative { -digit } else { digit };
                }
            }
            place += 1;
        }
        (limits[0], limits[1])
    }

    /// One of two texts.
    pub const fn choose(first: bool, one: &'static str, other: &'static str) -> &'static str {
        if first { one } else { other }
    }

    /// The text in an array of its length, as a section of the module needs it.
    pub const fn array<const N: usize>(text: &str) -> [u8; N] {
        let mut array = [0; N];
        let mut place = 0;
        while place < N {
            array[place] = text.as_bytes()[place];
            place += 1;
        }
        array
    }
}

/// The contract's own types, as generated from the WIT package `netwright:host`.
///
/// Its functions are in [`host`], where a test can answer them.
#[allow(missing_docs, reason = "generated; the contract documents them")]
pub mod wit {
    wit_bindgen::generate!({
        path: "wit",
        world: "recipe",
        pub_export_macro: true,
        export_macro_name: "export_recipe",
        default_bindings_module: "netwright_sdk::wit",
        additional_derives: [PartialEq],
    });

    pub use netwright::host::{
        addresses, batch, captures, clock, exec, fdb, links, log, namespaces, neighbours, notation,
        params, probes, qdisc, report, routes, rules, sysctls, taps, types, vlans,
    };
}
