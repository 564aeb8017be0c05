//! Reads and writes a namespace's sysctls, and prints what sysctl(8) prints.

use netwright_sdk::host::namespaces::Namespace;
use netwright_sdk::host::sysctls;
use netwright_sdk::wit::types::Error as Cause;
use netwright_sdk::{Error, Result};

use crate::output::print;
use crate::sysctl::{Shown, SysctlCommand};

/// No such file or directory.
const ENOENT: i32 = 2;
/// Is a directory.
const EISDIR: i32 = 21;

pub(crate) fn run_sysctl(namespace: &Namespace, commands: &[SysctlCommand]) -> Result<()> {
    for command in commands {
        let (key, shown, may_lack, answer) = match command {
            SysctlCommand::Get { key, shown, may_lack } => {
                (key, shown, may_lack, sysctls::get(namespace, key))
            }
            SysctlCommand::Set { key, value, shown, may_lack } => {
                let answer = sysctls::set(namespace, key, value).map(|()| value.clone());
                (key, shown, may_lack, answer)
            }
        };
        match answer.map_err(Error::from) {
            Ok(value) => show(key, &value, *shown),
            Err(error) if *may_lack && error.errno() == Some(ENOENT) => {}
            Err(error) => return Err(explained(key, error)),
        }
    }
    Ok(())
}

fn show(key: &str, value: &str, shown: Shown) {
    match shown {
        Shown::Whole => print(&format!("{key} = {value}")),
        Shown::Value => print(value),
        Shown::Name => print(key),
        Shown::Nothing => {}
    }
}

/// A folder of settings has no value; sysctl(8) would list all that is below it.
fn explained(key: &str, error: Error) -> Error {
    if error.errno() == Some(EISDIR) {
        let message = format!("`{key}` is a folder of settings and no setting; name one below it");
        return Error::from(Cause::Invalid(message));
    }
    error
}
