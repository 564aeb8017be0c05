//! The grants language: what a run may do beyond its own lab.
//!
//! Three parties write rules in it, in the same words. A recipe's manifest and a scenario's step
//! *ask*; the operator's flags and policy files *give*; a policy file also *forbids*. What may
//! happen is what was asked for and given and not forbidden:
//!
//! ```
//! use netwright_grants::{Capability, Facts, Grants, Request, Rule, Whose};
//!
//! let given = Rule::grant("host.link.create kind=macvlan parent=eth1 name=lab-* max=2", "--grant");
//! let asked = Rule::ask("host.link.create kind=macvlan", "the manifest");
//! let given = Grants::given(vec![given.unwrap()], Vec::new());
//! let grants = given.intersect(&Grants::asked(Whose::Recipe, vec![asked.unwrap()]));
//!
//! let text = |text: &str| Some(text.to_owned());
//! let mut facts = Facts { kind: text("macvlan"), name: text("lab-a"), ..Facts::default() };
//! facts.parent = text("eth1");
//! assert!(grants.permit(&Request::new(Capability::HostLinkCreate, facts.clone())).is_ok());
//!
//! facts.parent = text("eth10");
//! let refusal = grants.permit(&Request::new(Capability::HostLinkCreate, facts)).unwrap_err();
//! let least = "--grant 'host.link.create kind=macvlan name=lab-a parent=eth10'";
//! assert_eq!(refusal.hint(), least);
//! ```

mod capability;
mod fault;
mod key;
mod refusal;
mod rule;
mod set;
mod uses;
mod value;

#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod model;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use capability::{Capability, Class, Omitted};
pub use fault::Fault;
pub use key::{Facts, Key, Request};
pub use refusal::{Reason, Refusal};
pub use rule::{Mismatch, Reading, Rule, Written, WrittenKey};
pub use set::{Grants, Whose};
pub use uses::Uses;
