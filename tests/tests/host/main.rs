//! The host target, in networks of the tests' own.

mod advertised;
mod beside;
mod bundle;
mod coverage;
mod deaf;
mod fail;
mod floor;
mod grants;
mod later;
mod lifetime;
mod objects;
mod operator;
mod place;
mod probe;
mod queueing;
mod returning;
mod routers;
mod somebodys_routes;
mod strangers;
mod third_kernel;
mod told;
mod undo;
mod uplink;
mod upper;
mod vrf;
