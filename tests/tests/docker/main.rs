//! macvlan networks of netwright's beside those of a real Docker Engine, in a network, mount and
//! process namespace of the test's own: no docker0, no changed setting, no mount and no process of
//! it is ever on this machine.

mod engine;
mod refused;
mod same;
