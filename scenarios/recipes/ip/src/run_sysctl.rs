//! Reads and writes a namespace's sysctls, and prints what sysctl(8) prints.

use netwright_sdk::Result;
use netwright_sdk::host::namespaces::Namespace;
use netwright_sdk::host::sysctls;

use crate::run::print;
use crate::sysctl::SysctlCommand;

pub(crate) fn run_sysctl(namespace: &Namespace, commands: &[SysctlCommand]) -> Result<()> {
    for command in commands {
        match command {
            SysctlCommand::Get { key, bare } => {
                let value = sysctls::get(namespace, key)?;
                print(&if *bare { value } else { format!("{key} = {value}") });
            }
            SysctlCommand::Set { key, value, quiet } => {
                sysctls::set(namespace, key, value)?;
                if !quiet {
                    print(&format!("{key} = {value}"));
                }
            }
        }
    }
    Ok(())
}
