//! Carries a script out, line by line, and stops at the first that fails.

use std::collections::HashMap;

use netwright_sdk::host::links::{self, Link};
use netwright_sdk::host::namespaces::{Namespace, list_names};
use netwright_sdk::host::{qdisc, vlans};
use netwright_sdk::wit::types::{Denial, Detail, Error as Cause, KernelError};
use netwright_sdk::{Error, Result, log};

use crate::bridge::BridgeCommand;
use crate::command::{Command, Place, Places, Statement};
use crate::link::LinkCommand;
use crate::netns::NetnsCommand;
use crate::output::print;
use crate::run_address::run_address;
use crate::run_bridge::run_bridge;
use crate::run_link::{run_link, run_tuntap};
use crate::run_neighbour::run_neighbour;
use crate::run_ping::run_ping;
use crate::run_route::run_route;
use crate::run_rule::run_rule;
use crate::run_sysctl::run_sysctl;
use crate::run_tc::{kind_of, run_tc};
use crate::run_vrf::run_vrf;
use crate::shell::{Failure, Joined};
use crate::shell_command::ShellCommand;
use crate::show_tunnel::show_tunnels;

/// The namespaces that are open: a script goes to the same few over and over.
#[derive(Default)]
pub(crate) struct Session {
    open: HashMap<String, Namespace>,
    /// `exit` was carried out
    pub(crate) ended: bool,
    /// the script has an answer to what fails now
    pub(crate) answered: bool,
}

/// Carries out what was parsed.
pub(crate) fn run(statements: &[Statement]) -> Result<()> {
    for statement in statements {
        ask_for(statement).map_err(|error| at_line(error, statement))?;
    }
    Session::default().perform_all(statements)
}

/// Says before anything runs what the kernel may lack.
pub(crate) fn foresee(statements: &[Statement]) {
    for statement in statements {
        // Each is answered when there is a kernel to ask.
        let _: Result<()> = ask_for(statement);
    }
}

/// What the kernel may lack is asked for before the first line is carried out.
fn ask_for(statement: &Statement) -> Result<()> {
    // What may fail, or may never be reached, is asked for at its turn.
    if statement.failure != Failure::Ends || statement.joined == Joined::AfterFailure {
        return Ok(());
    }
    if let Command::Shell(ShellCommand::Group(statements)) = &statement.command {
        return statements.iter().try_for_each(ask_for);
    }
    if let Command::Link(LinkCommand::Add { spec, .. }) = &statement.command {
        links::offered(spec.kind.word())?;
    }
    if let Command::Tc(command) = &statement.command
        && let Some(kind) = kind_of(command)
    {
        qdisc::offered(kind)?;
    } else if let Command::Bridge(
        BridgeCommand::PutVlan { .. } | BridgeCommand::RemoveVlan { .. },
    ) = &statement.command
    {
        vlans::offered()?;
    }
    Ok(())
}

impl Session {
    pub(crate) fn perform(&mut self, statement: &Statement) -> Result<()> {
        match &statement.places {
            Places::One(place) => self.command(place, statement),
            Places::Every => {
                for name in list_names()? {
                    self.command(&Place::Named(name), statement)?;
                }
                Ok(())
            }
        }
    }

    fn command(&mut self, place: &Place, statement: &Statement) -> Result<()> {
        match &statement.command {
            Command::Netns(command) => self.netns(place, command),
            Command::Link(command) => run_link(self, place, command),
            Command::Tuntap(command) => run_tuntap(self.namespace(place)?, command),
            Command::Address(command) => run_address(self.namespace(place)?, command),
            Command::Route(command) => run_route(self.namespace(place)?, command),
            Command::Rule(command) => run_rule(self.namespace(place)?, command),
            Command::Neighbour(command) => run_neighbour(self.namespace(place)?, command),
            Command::Tc(command) => run_tc(self.namespace(place)?, command),
            Command::Bridge(command) => run_bridge(self.namespace(place)?, command),
            Command::Sysctl(commands) => run_sysctl(self.namespace(place)?, commands),
            Command::Ping(ping) => {
                let counts = !self.answered;
                run_ping(self.namespace(place)?, ping, &statement.text, counts)
            }
            Command::Tunnel(filter) => show_tunnels(self.namespace(place)?, filter),
            Command::Vrf(command) => run_vrf(self.namespace(place)?, command),
            Command::Shell(command) => self.shell(place, command, statement.joined),
        }
    }

    pub(crate) fn namespace(&mut self, place: &Place) -> Result<&Namespace> {
        let name = match place {
            Place::Root => String::new(),
            Place::Named(name) => name.clone(),
        };
        if !self.open.contains_key(&name) {
            let namespace = match place {
                Place::Root => Namespace::root()?,
                Place::Named(name) => Namespace::open(name)?,
            };
            self.open.insert(name.clone(), namespace);
        }
        let missing = || Error::from(Cause::Gone(format!("namespace `{name}`")));
        self.open.get(&name).ok_or_else(missing)
    }

    fn netns(&mut self, place: &Place, command: &NetnsCommand) -> Result<()> {
        match command {
            NetnsCommand::Add(name) => {
                let namespace = Namespace::create(name)?;
                self.open.insert(name.clone(), namespace);
            }
            NetnsCommand::Delete(name) => self.delete(name)?,
            NetnsCommand::DeleteAll => {
                for name in list_names()? {
                    self.delete(&name)?;
                }
            }
            NetnsCommand::SetId { name, id } => self.namespace(place)?.set_id(name, *id)?,
            NetnsCommand::List => {
                let names = list_names()?;
                print(&names.join("\n"));
            }
            NetnsCommand::Identify => print(&self.namespace(place)?.name()),
        }
        Ok(())
    }

    fn delete(&mut self, name: &str) -> Result<()> {
        self.namespace(&Place::Named(name.to_owned()))?.delete()?;
        self.open.remove(name);
        Ok(())
    }
}

pub(crate) fn open_link(namespace: &Namespace, name: &str) -> Result<Link> {
    Ok(Link::open(namespace, name)?)
}

/// A link that others are chosen by, or belong to, which has to be there; behind `vrf` one.
pub(crate) fn must_be_there(namespace: &Namespace, name: &str, vrf: bool) -> Result<()> {
    let link = open_link(namespace, name)?;
    if vrf {
        let kind = link.info()?.kind;
        if kind != "vrf" {
            return Err(Error::from(Cause::Invalid(format!("`{name}` is a {kind} and no vrf"))));
        }
    }
    Ok(())
}

/// Says in an error which line it comes from. What the operator acts on stays in its own field.
pub(crate) fn at_line(error: Error, statement: &Statement) -> Error {
    // Its own commands have said where they stand.
    if let Command::Shell(ShellCommand::Group(_)) = &statement.command {
        return error;
    }
    let place = format!("line {}: {}", statement.line, statement.text);
    let cause = match error.into_wit() {
        Cause::Kernel(kernel) => Cause::Kernel(KernelError { operation: place, ..kernel }),
        Cause::Denied(denial) => {
            Cause::Denied(Denial { target: format!("{}, {place}", denial.target), ..denial })
        }
        Cause::Gone(what) => Cause::Gone(format!("{place}: {what}")),
        Cause::Invalid(rule) => Cause::Invalid(format!("{place}: {rule}")),
        Cause::Limit(what) => Cause::Limit(format!("{place}: {what}")),
        Cause::Unsupported(what) => Cause::Unsupported(format!("{place}: {what}")),
        Cause::Timeout(milliseconds) => {
            log::error(&place);
            Cause::Timeout(milliseconds)
        }
        Cause::Other(detail) => {
            Cause::Other(Detail { message: format!("{place}: {}", detail.message), ..detail })
        }
    };
    Error::from(cause)
}
