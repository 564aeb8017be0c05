//! What a run may do beyond its lab: the language of `netwright-grants`, and where the operator
//! writes it down.

mod lists;
mod policy_file;
mod written;

pub use lists::PolicyLists;
pub(crate) use lists::flags;
pub use netwright_grants::{
    Capability, Class, Facts, Fault, Grants, Key, Mismatch, Omitted, Reading, Reason, Refusal,
    Request, Rule, Uses, Whose, Written, WrittenKey,
};
pub use policy_file::Policies;
pub(crate) use policy_file::own_config_folder;
pub(crate) use written::rules;
