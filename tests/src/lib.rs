//! What the tests of the real program share: the program run as root or as an ordinary user, the
//! kernel asked by iproute2, and the machine's state before and after.
//!
//! ```no_run
//! use netwright_tests::Session;
//!
//! let session = Session::as_ordinary_user();
//! let scenario = session.file("lan.yaml", "name: lan\nsteps: []\n");
//! let lab = session.keep("lan", [scenario]);
//! let links = lab.ip_json(Some("ns1"), ["link", "show", "mac1"]);
//! assert_eq!(links[0]["linkinfo"]["info_kind"], "macvlan");
//! ```

mod changes;
pub mod component;
pub mod host;
pub mod machine;
mod session;
mod shipped;
mod sources;

pub use changes::{made_changes, planned_changes};
pub use host::Host;
pub use session::{Lab, Output, Session, netwright, program, workspace};
pub use shipped::{
    has_bonds, has_bridge_vlans, has_netem, has_tunnels, has_vlans, is_complete_kernel,
    scenarios_of_this_kernel,
};
pub use sources::program_sources;
