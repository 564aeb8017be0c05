//! `builtin:ip`: a script of ip(8), tc(8), bridge(8), ping(8) and sysctl(8) commands, understood as iproute2 understands it and carried
//! out by the host, one line after the other.

mod address;
mod address_show;
mod bridge;
mod command;
mod cursor;
mod fault;
mod fdb;
mod foreign;
mod front;
mod grep;
mod inet;
mod keyword;
mod kind;
mod kind_tables;
mod lex;
mod link;
mod link_options;
mod link_show;
mod macvlan;
mod names;
mod neighbour;
mod netem;
mod netns;
mod object;
mod options;
mod output;
mod ping;
mod program_flags;
mod route;
mod route_metrics;
mod route_options;
mod route_show;
mod rule;
mod run;
mod run_address;
mod run_bridge;
mod run_link;
mod run_neighbour;
mod run_ping;
mod run_route;
mod run_rule;
mod run_shell;
mod run_sysctl;
mod run_tc;
mod run_vrf;
mod shell;
mod shell_command;
mod show_link;
mod show_route;
mod show_tunnel;
mod sysctl;
mod tbf;
mod tc;
mod tunnel;
mod tuntap;
mod value;
mod vlan;
mod vrf;
mod vxlan;

use netwright_sdk::prelude::*;

use command::commented;
pub use command::{Command, Place, Places, Statement, parse};
pub use fault::Fault as ScriptFault;
pub use grep::Filter;
pub use shell::{Failure, Joined};

/// What the recipe takes.
#[derive(Params)]
pub struct Script {
    /// commands of ip(8), one a line, as in a batch file; a line that begins with `tc`, `bridge`,
    /// `ping` or `sysctl` is one of that program
    script: String,
}

/// Carries out ip(8) commands, line by line, and stops at the first that fails
#[recipe(
    name = "ip",
    version = "0.1.0",
    check = check,
    capabilities(
        "host.link.read" = "`show` commands, and the links that commands name",
        "host.link.create" = "`link add`",
        "host.link.modify" = "`link set`, `neighbour` and bridge settings of links that were there",
        "host.link.move" = "`link set … netns`",
        "host.address.add" = "`address add`",
        "host.route.add" = "`route add` and `rule add`",
        "host.route.default" = "`route add default`",
        "host.namespace" = "`netns add`, and commands inside a namespace",
        "host.forwarding" = "`sysctl` commands that make a router",
        "host.sysctl" = "`sysctl` commands",
        "uplink" = "links on a link of the host, from inside a lab",
        "uplink.passthru" = "`link add … mode passthru` on a link that was there",
    )
)]
fn ip(_lab: &Lab, params: Script) -> Result<()> {
    match parse(&params.script) {
        Ok(statements) => {
            if statements.is_empty() {
                warn_of_prompts(&params.script);
            }
            run::run(&statements)
        }
        Err(faults) => {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            Err(Error::invalid(faults.join("\n")))
        }
    }
}

/// In documents `#` is root's prompt as well; here it begins a comment, always.
fn warn_of_prompts(script: &str) {
    if let Some((line, command)) = commented(script) {
        log::warn(format!(
            "the script has comments alone, so nothing is done; line {line} looks like a command behind root's prompt: `# {command}`; leave out the `#` in front of what is to be carried out"
        ));
    }
}

fn check(params: &Script) -> Vec<Fault> {
    match parse(&params.script) {
        Ok(statements) => {
            run::foresee(&statements);
            Vec::new()
        }
        Err(faults) => faults.into_iter().map(in_script).collect(),
    }
}

fn in_script(fault: ScriptFault) -> Fault {
    let place = Fault::new("script", fault.message).position(fault.line, fault.column);
    match fault.help {
        Some(help) => place.help(help),
        None => place,
    }
}
