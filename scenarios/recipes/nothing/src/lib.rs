//! A recipe that does nothing, for measuring what netwright itself costs. Asked for so many
//! `calls`, it opens and drops as many handles of the root namespace: calls that are checked, and
//! that the host answers without asking the kernel.

use netwright_sdk::wit::exports::netwright::host::guest::{Error, Fault, Guest};
use netwright_sdk::wit::netwright::host::namespaces::Namespace;
use netwright_sdk::wit::netwright::host::params;

/// The recipe.
pub struct Nothing;

impl Guest for Nothing {
    fn check() -> Vec<Fault> {
        calls().err().into_iter().collect()
    }

    fn run() -> Result<(), Error> {
        let calls = calls().map_err(|fault| Error::Invalid(fault.message))?;
        for _ in 0..calls {
            Namespace::root()?;
        }
        Ok(())
    }
}

fn calls() -> Result<u32, Fault> {
    let Some(calls) = params::get("calls") else { return Ok(0) };
    calls.parse().map_err(|_| Fault {
        parameter: "calls".to_owned(),
        pointer: String::new(),
        line: 1,
        column: 1,
        message: format!("`{calls}` is not a number of calls from 0 to {}", u32::MAX),
        help: None,
    })
}

// A linker of the host takes no such names as these exports have.
#[cfg(target_arch = "wasm32")]
netwright_sdk::wit::export_recipe!(Nothing with_types_in netwright_sdk::wit);
