//! Carries out `ip vrf`, and finds the tables of VRFs.

use netwright_sdk::host::links::{Info, list_all};
use netwright_sdk::host::namespaces::Namespace;
use netwright_sdk::{Error, Result};

use crate::output::print;
use crate::run::{must_be_there, open_link};
use crate::vrf::VrfCommand;

pub(crate) fn run_vrf(namespace: &Namespace, command: &VrfCommand) -> Result<()> {
    let VrfCommand::Show { link } = command;
    let all = match link {
        Some(link) => {
            must_be_there(namespace, link, true)?;
            vec![open_link(namespace, link)?.info()?]
        }
        None => list_all(namespace)?,
    };
    let vrfs: Vec<&Info> = all.iter().filter(|info| info.kind == "vrf").collect();
    let lines = vrfs.iter().map(|info| vrf_line(info, link.is_none()));
    match vrfs.is_empty() {
        true => print("No VRF has been configured"),
        false if link.is_some() => print(&lines.collect::<String>()),
        false => print(&format!(
            "Name              Table\n-----------------------\n{}",
            lines.collect::<String>()
        )),
    }
    Ok(())
}

fn vrf_line(info: &Info, padded: bool) -> String {
    let table = table_in(info).map_or_else(|| "unknown".to_owned(), |table| table.to_string());
    if padded {
        format!("{:16}  {table:>5}\n", info.name)
    } else {
        format!("{} {table}\n", info.name)
    }
}

fn table_in(info: &Info) -> Option<u32> {
    let table = info.data.iter().find(|attribute| attribute.name == "table");
    table.and_then(|table| table.value.parse().ok())
}

/// The table of a link, which has to be a VRF.
pub(crate) fn table_of_vrf(namespace: &Namespace, name: &str) -> Result<u32> {
    must_be_there(namespace, name, true)?;
    let info = open_link(namespace, name)?.info()?;
    table_in(&info).ok_or_else(|| Error::failed(format!("vrf `{name}` has no table")))
}
