//! The ways that are compared, and what each needs before it can be run.

use crate::program::{find, in_workspace, run, say, workspace};
use crate::recipes;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Way {
    /// bench/limit.c: the bound
    Limit,
    Netwright,
    /// bench/pyroute2_lab.py
    Pyroute2,
    /// bench/ip.sh, each link made in its namespace
    Ip,
    /// bench/ip.sh, each link moved to its namespace
    IpMoving,
}

impl Way {
    pub(super) const ALL: [Self; 5] =
        [Self::Limit, Self::Netwright, Self::Pyroute2, Self::Ip, Self::IpMoving];

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Limit => "bench/limit.c",
            Self::Netwright => "netwright, builtin:topology",
            Self::Pyroute2 => "pyroute2",
            Self::Ip => "ip -batch and ip -n",
            Self::IpMoving => "the same, links moved",
        }
    }

    /// The slow ones would take minutes, and what they show is seen before.
    pub(super) fn most_nodes(self) -> u32 {
        match self {
            Self::Limit | Self::Netwright => u32::MAX,
            Self::Pyroute2 | Self::Ip | Self::IpMoving => 200,
        }
    }
}

/// Everything built, installed and written that the ways need.
pub(super) struct Ways {
    folder: PathBuf,
    netwright: PathBuf,
    limit: PathBuf,
    python: PathBuf,
}

impl Ways {
    pub(super) fn prepare(netwright: PathBuf) -> Result<Self> {
        let folder = workspace().join("target/bench");
        std::fs::create_dir_all(folder.join("home"))
            .with_context(|| format!("`{}` can't be made", folder.display()))?;
        let limit = compile_limit(&folder)?;
        let python = install_pyroute2(&folder)?;
        Ok(Self { folder, netwright, limit, python })
    }

    pub(super) fn command(&self, way: Way, nodes: u32) -> Result<Command> {
        let count = nodes.to_string();
        Ok(match way {
            Way::Limit => sandboxed(&self.limit, &[&count]),
            Way::Netwright => self.netwright(&self.scenario(nodes)?),
            Way::Pyroute2 => sandboxed(&self.python, &["bench/pyroute2_lab.py", &count]),
            Way::Ip => sandboxed("sh".as_ref(), &["bench/ip.sh", &count]),
            Way::IpMoving => sandboxed("sh".as_ref(), &["bench/ip.sh", &count, "move"]),
        })
    }

    /// `netwright run` of the recipe that does nothing but so many calls.
    pub(super) fn nothing(&self, calls: u32) -> Command {
        let mut command = self.netwright(&recipes::folder().join("nothing.wasm"));
        command.args(["--timeout", "120", "-p", &format!("calls={calls}")]);
        command
    }

    /// With a home of its own, whose cache the first run fills.
    fn netwright(&self, what: &Path) -> Command {
        let mut command = in_workspace(&self.netwright);
        command.args(["run", "-q"]).arg(what).env("HOME", self.folder.join("home"));
        command.env_remove("XDG_CACHE_HOME");
        command
    }

    /// The scenario file for so many nodes: JSON, which is YAML.
    fn scenario(&self, nodes: u32) -> Result<PathBuf> {
        let file = self.folder.join(format!("topology-{nodes}.yaml"));
        std::fs::write(&file, scenario(nodes).to_string())
            .with_context(|| format!("`{}` can't be written", file.display()))?;
        Ok(file)
    }
}

/// The same network as bench/limit.c makes.
fn scenario(nodes: u32) -> Value {
    let names: Vec<String> = (1..=nodes).map(|node| format!("n{node}")).collect();
    let mut links = vec![json!({ "name": "p0", "kind": "veth", "peer": "p1" })];
    links.extend(names.iter().zip(1..).map(|(name, node): (_, u32)| {
        let address = format!("10.1.{}.{}/16", node / 256, node % 256);
        json!({
            "name": "eth0", "namespace": name, "kind": "macvlan", "mode": "bridge",
            "parent": "p0", "addresses": [address],
        })
    }));
    json!({
        "name": format!("topology-{nodes}"),
        "steps": [{
            "name": "nodes",
            "recipe": "builtin:topology",
            "params": { "namespaces": names, "links": links },
        }],
        "limits": { "time": "60s", "namespaces": nodes + 10, "links": nodes + 10 },
    })
}

/// Every other way does its work where netwright does: in user, network and mount namespaces of
/// its own.
fn sandboxed(program: &Path, arguments: &[&str]) -> Command {
    let mut command = in_workspace("unshare");
    command.args(["--user", "--map-root-user", "--net", "--mount"]);
    command.arg(program).args(arguments);
    command
}

fn compile_limit(folder: &Path) -> Result<PathBuf> {
    let limit = folder.join("limit");
    run(in_workspace("cc").args(["-O2", "-o"]).arg(&limit).arg("bench/limit.c"))?;
    Ok(limit)
}

/// In a virtual environment under target/, so that nothing is installed on the machine itself.
fn install_pyroute2(folder: &Path) -> Result<PathBuf> {
    let environment = folder.join("venv");
    let python = environment.join("bin/python3");
    let is_there = || {
        let import = in_workspace(&python).args(["-c", "import pyroute2"]).output();
        import.is_ok_and(|output| output.status.success())
    };
    if is_there() {
        return Ok(python);
    }
    if find("python3").is_none() {
        bail!("pyroute2 needs python3\n  help: apt-get install python3 python3-venv");
    }
    say("installing pyroute2 into target/bench/venv");
    run(in_workspace("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
    run(in_workspace(&python).args(["-m", "pip", "install", "--quiet", "pyroute2"]))?;
    Ok(python)
}
