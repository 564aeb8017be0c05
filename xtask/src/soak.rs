//! `cargo xtask soak`: makes a network and takes it back, over and over, in a lab and on a host of
//! its own in turn, and shows what the machine holds before and after.

use crate::guest;
use crate::program::{output, say};
use crate::{recipes, runner};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const HOST: &str = "mount -t tmpfs none /run && ip link add eth1 type veth peer name sw1 && \
                    ip link set eth1 up && ip netns add other && echo ready && exec sleep infinity";

const SCRIPT: &str = "script=netns add n1
link add link eth1 name lab-m netns n1 type macvlan mode bridge
-n n1 address add 10.9.0.1/24 dev lab-m
-n n1 link set lab-m up
link set eth1 mtu 1400";

const GRANTS: [&str; 5] = [
    "host.link.read",
    "host.namespace name=n1",
    "host.link.create kind=macvlan name=lab-* parent=eth1",
    "host.address.add cidr=10.9.0.0/16 link=lab-*",
    "host.link.modify name=eth1",
];

/// The kernel takes namespaces apart in the background.
const REST: Duration = Duration::from_secs(5);
/// What the first runs fill, caches above all, is no leak.
const WARM_UP: u32 = 20;

pub(crate) fn run(times: u32) -> Result<()> {
    recipes::build(&guest::find_or_install()?)?;
    let program = runner::build("dev")?;
    let host = Host::open()?;
    (0..WARM_UP).try_for_each(|number| host.once(&program, number))?;
    let before = host.figures()?;
    let start = Instant::now();
    for number in 0..times {
        host.once(&program, number)?;
        if number > 0 && number % 1000 == 0 {
            say(format_args!("{number} runs, {} s", start.elapsed().as_secs()));
        }
    }
    let took = start.elapsed().as_secs();
    let after = host.figures()?;
    println!("{times} runs in {took} s, in labs and on a host in turn\n");
    println!("| of the machine | before | after |\n|---|---|---|");
    for ((name, before), (_, after)) in before.iter().zip(&after) {
        println!("| {name} | {before} | {after} |");
    }
    Ok(())
}

/// Namespaces that are a machine's network; they go with this.
struct Host {
    holder: Child,
}

impl Host {
    fn open() -> Result<Self> {
        let mut holder = Command::new("unshare");
        holder.args(["--net", "--mount", "--propagation", "private", "sh", "-c", HOST]);
        let mut holder = holder.stdout(Stdio::piped()).spawn().context("unshare did not start")?;
        let mut line = String::new();
        let stdout = holder.stdout.take().context("it is piped")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let host = Self { holder };
        ensure!(line == "ready\n", "a host of its own needs root, for namespaces");
        Ok(host)
    }

    fn inside(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.holder.id().to_string(), "--net", "--mount", "--"]);
        command.arg(program);
        command
    }

    /// One network, made and taken back.
    fn once(&self, program: &Path, number: u32) -> Result<()> {
        let mut run = self.inside(program);
        run.args(["run", "builtin:ip", "-q", "-p"]);
        if number.is_multiple_of(2) {
            run.args([SCRIPT, "--target", "host"]);
            run.args(GRANTS.iter().flat_map(|grant| ["--grant", grant]));
        } else {
            run.arg(SCRIPT.replace("script=", "script=link add eth1 type veth peer name sw1\n"));
        }
        output(&mut run).map(drop)
    }

    fn figures(&self) -> Result<Vec<(&'static str, u64)>> {
        thread::sleep(REST);
        let links = output(self.inside("ip").args(["-o", "link"]))?.lines().count() as u64;
        let mounts = fs::read_to_string(format!("/proc/{}/mountinfo", self.holder.id()))?;
        let runs = output(self.inside("ls").arg("/run/netwright/runs"))?;
        let kernel = ["Slab:", "KernelStack:", "PageTables:", "Percpu:"];
        Ok(vec![
            ("open files", number("/proc/sys/fs/file-nr", |text| text.split_whitespace().next())?),
            ("threads", number("/proc/loadavg", |text| text.split(['/', ' ']).nth(4))?),
            ("links of the host", links),
            ("mounts of the host", mounts.lines().count() as u64),
            ("journals", runs.lines().count() as u64),
            ("resident memory of all processes, KiB", resident()),
            ("kernel memory, KiB", kernel.iter().map(|key| memory(key)).sum::<Result<u64>>()?),
        ])
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It has ended already where this fails.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

fn number(file: &str, find: impl Fn(&str) -> Option<&str>) -> Result<u64> {
    let text = fs::read_to_string(file)?;
    let found = find(&text).with_context(|| format!("{file} holds no such number"))?;
    found.parse().with_context(|| format!("{file}: `{found}` is no number"))
}

/// A line of /proc/meminfo, in KiB (proc(5)).
fn memory(key: &str) -> Result<u64> {
    number("/proc/meminfo", |text| {
        text.lines().find_map(|line| line.strip_prefix(key))?.split_whitespace().next()
    })
}

/// Pages of all processes' statm, of 4 KiB each (proc(5)); who ends meanwhile has none.
fn resident() -> u64 {
    let pages = |entry: fs::DirEntry| {
        let text = fs::read_to_string(entry.path().join("statm")).ok()?;
        text.split_whitespace().nth(1)?.parse::<u64>().ok()
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter_map(pages).sum::<u64>() * 4
}
