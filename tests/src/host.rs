//! A machine's network of the test's own: `--target host` means the namespace that the program is
//! started in, and so nothing of this machine is ever touched.

use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::session::{Output, Session};

/// Mounts of its own, so that /run/netns is private; links of its own, whose addresses don't wait
/// for duplicates.
const ENTER: &str = "mount -t tmpfs none /run && ip link set lo up && \
                     echo 0 > /proc/sys/net/ipv6/conf/default/dad_transmits && \
                     echo ready && exec sleep infinity";

/// A network and a mount namespace, held by a process until this is dropped.
pub struct Host {
    holder: Child,
    /// the process whose namespaces these are
    process: u32,
    /// also has processes of its own
    processes: bool,
    session: Session,
}

impl Host {
    pub fn new() -> Self {
        Self::open(&[])
    }

    /// The same with processes of its own, all of which end with it: for daemons.
    pub fn with_processes() -> Self {
        Self::open(&["--pid", "--fork", "--kill-child", "--mount-proc"])
    }

    fn open(more: &[&str]) -> Self {
        let mut holder = Command::new("unshare");
        holder.args(["--net", "--mount", "--propagation", "private"]).args(more);
        holder.args(["sh", "-c", ENTER]);
        holder.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut holder = holder.spawn().expect("unshare is installed: cargo xtask setup");
        let mut line = String::new();
        let stdout = holder.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line of text");
        assert_eq!(line, "ready\n", "a test of the host target needs root, for namespaces");
        let id = holder.id();
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let child = children.unwrap_or_default().split_whitespace().next().map(str::to_owned);
        let process = child.filter(|_| !more.is_empty()).and_then(|child| child.parse().ok());
        Self {
            holder,
            process: process.unwrap_or(id),
            processes: !more.is_empty(),
            session: Session::new(),
        }
    }

    /// The same with what these lines of ip(8) make.
    #[track_caller]
    pub fn with(lines: &str) -> Self {
        let host = Self::new();
        host.ip_lines(lines);
        host.settle();
        host
    }

    /// Waits until links have noticed that they are up, and IPv6 addresses are no longer tentative.
    pub fn settle(&self) {
        let unsettled = crate::machine::until_empty(|| {
            let links = self.ip_json(&["address", "show"]);
            let links = links.as_array().cloned().unwrap_or_default();
            let waits = |link: &Value| {
                let flags = link["flags"].to_string();
                flags.contains("\"LOWER_UP\"")
                    && !flags.contains("LOOPBACK")
                    && (link["operstate"] != "UP"
                        || link["addr_info"].to_string().contains("tentative"))
            };
            links.iter().filter(|link| waits(link)).map(Value::to_string).collect()
        });
        assert_eq!(unsettled, [""; 0], "links that never came up");
    }

    /// Runs lines of ip(8), all of which must succeed.
    #[track_caller]
    pub fn ip_lines(&self, lines: &str) {
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            self.run("ip", line.split_whitespace()).expect_code(0);
        }
    }

    /// The process whose namespaces these are.
    pub fn process(&self) -> u32 {
        self.process
    }

    pub fn session(&self) -> &Session {
        &self.session
    }

    /// A command that will run inside.
    pub fn command(&self, inner: &Command) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-t", &self.process.to_string(), "--net", "--mount"]);
        command.args(self.processes.then_some("--pid")).arg("--");
        command.arg(inner.get_program()).args(inner.get_args()).stdin(Stdio::null());
        for (name, value) in inner.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }

    /// Runs any program inside.
    pub fn run<A: AsRef<OsStr>>(
        &self,
        program: &str,
        words: impl IntoIterator<Item = A>,
    ) -> Output {
        let mut inner = Command::new(program);
        inner.args(words);
        self.command(&inner).output().expect("nsenter is installed: cargo xtask setup").into()
    }

    /// `netwright` inside, with these arguments and variables.
    pub fn netwright<A: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = A>,
        variables: &[(&str, &str)],
    ) -> Output {
        let mut inner = self.session.command(arguments);
        inner.envs(variables.iter().copied());
        self.command(&inner).output().expect("nsenter is installed: cargo xtask setup").into()
    }

    /// `netwright run --target host` of lines of ip(8), with these grants.
    pub fn run_ip(&self, script: &str, grants: &[&str]) -> Output {
        self.run_ip_with(script, grants, &[])
    }

    pub fn run_ip_with(&self, script: &str, grants: &[&str], variables: &[(&str, &str)]) -> Output {
        let lines: Vec<&str> = script.lines().map(str::trim).collect();
        let script = format!("script={}", lines.join("\n"));
        let mut words = vec!["run", "builtin:ip", "--target", "host", "--json", "-p", &script];
        words.extend(grants.iter().flat_map(|grant| ["--grant", grant]));
        self.netwright(words, variables)
    }

    /// Deploys lines of ip(8) by `apply`, in a scenario of this name.
    pub fn apply_ip(
        &self,
        name: &str,
        script: &str,
        grants: &[&str],
        variables: &[(&str, &str)],
    ) -> Output {
        let lines: String =
            script.lines().map(|line| format!("        {}\n", line.trim())).collect();
        let text = format!(
            "name: {name}\ntarget: host\nsteps:\n  - recipe: builtin:ip\n    params:\n      script: |\n{lines}"
        );
        let file = self.session.file(&format!("{name}.yaml"), text).display().to_string();
        let mut words = vec!["apply", &file];
        words.extend(grants.iter().flat_map(|grant| ["--grant", grant]));
        self.netwright(words, variables)
    }

    /// What iproute2 says inside: `ip -j -d` with these words.
    #[track_caller]
    pub fn ip_json(&self, words: &[&str]) -> Value {
        let output = self.run("ip", [&["-j", "-d"], words].concat()).expect_code(0);
        if output.stdout.trim().is_empty() { Value::Array(Vec::new()) } else { output.json() }
    }

    /// All that iproute2 and the file system tell of this network: links, addresses, routes, rules,
    /// neighbours, names of namespaces, mounts, one line each.
    pub fn state(&self) -> Vec<String> {
        let script = "ip -j -d link; ip -j address; ip -j -4 route show table all; \
                      ip -j -6 route show table all; ip -j rule; ip -j -6 rule; ip -j neighbour; \
                      bridge -j fdb; echo; ls /run; ls /run/netns 2>&1; cat /proc/self/mounts";
        let output = self.run("sh", ["-c", script]).expect_code(0);
        let mut lines = Vec::new();
        for line in output.stdout.lines().filter(|line| !line.is_empty()) {
            match serde_json::from_str::<Value>(line) {
                Ok(Value::Array(mut entries)) => {
                    entries.retain(|entry| !is_learned(entry));
                    entries.iter_mut().for_each(forget_what_ages);
                    lines.extend(entries.iter().map(Value::to_string));
                }
                _ => lines.push(line.to_owned()),
            }
        }
        lines
    }

    /// The journals of runs that are not taken back.
    pub fn journals(&self) -> Vec<PathBuf> {
        let folder = self.session().path("runtime").join("runs");
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut all: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        all.sort();
        all
    }

    /// Waits until watchers have taken everything back.
    #[track_caller]
    pub fn until_recovered(&self, within: Duration, what: &str) {
        let start = Instant::now();
        while let [first, ..] = &self.journals()[..] {
            assert!(start.elapsed() < within, "{what}: `{}` stays", first.display());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Has `gc` take back what is left, once no watcher is at it.
    #[track_caller]
    pub fn collect(&self, within: Duration) {
        let start = Instant::now();
        loop {
            let output = self.netwright(["gc"], &[]);
            if output.code == 0 {
                return;
            }
            assert!(start.elapsed() < within, "{output:#?}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// What differs from a state before, one line each, once neighbours have been forgotten: waits
    /// for there to be nothing.
    pub fn differences(&self, before: &[String]) -> Vec<String> {
        crate::machine::until_empty(|| self.differences_now(before))
    }

    /// The same without waiting, for who expects that there is something.
    pub fn differences_now(&self, before: &[String]) -> Vec<String> {
        let after = self.state();
        let new = after.iter().filter(|line| !before.contains(line));
        let lost = before.iter().filter(|line| !after.contains(line));
        let new = new.map(|line| format!("new {line}"));
        new.chain(lost.map(|line| format!("lost {line}"))).collect()
    }
}

impl Default for Host {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}

/// A neighbour, or an entry of a forwarding database, that traffic made.
fn is_learned(entry: &Value) -> bool {
    let station = entry.get("mac").or(entry.get("lladdr")).is_some();
    station && !entry["state"].to_string().to_lowercase().contains("permanent")
}

/// What time and traffic change, whatever anybody does.
fn forget_what_ages(value: &mut Value) {
    if let Value::Object(entries) = value {
        // `state` is a neighbour's, or a bridge port's on its way to forwarding. `operstate` follows
        // from the other flags, up to a second later (net/core/link_watch.c), and so does NO-CARRIER.
        let ages = [
            "valid_life_time",
            "preferred_life_time",
            "expires",
            "state",
            "operstate",
            "link_failure_count",
        ];
        entries.retain(|name, _| !ages.contains(&name.as_str()) && !name.ends_with("timer"));
        if let Some(Value::Array(flags)) = entries.get_mut("flags") {
            flags.retain(|flag| flag != "NO-CARRIER");
        }
        entries.values_mut().for_each(forget_what_ages);
    } else if let Value::Array(values) = value {
        values.iter_mut().for_each(forget_what_ages);
    }
}

/// Values for a key that takes patterns: every name that netwright accepts.
pub fn any_name() -> String {
    let letters = ('a'..='z').chain('A'..='Z').map(|letter| format!("{letter}*"));
    letters.collect::<Vec<_>>().join(",")
}

/// Enough for every shipped scenario: all that it makes, it makes itself.
pub fn wide_grants() -> Vec<String> {
    let names = any_name();
    let kinds = "bridge,dummy,gre,ifb,ipip,ipvlan,ipvtap,macvlan,macvtap,tap,tun,veth,vlan,vrf,vxlan,bond,geneve,wireguard";
    let link = format!("host.link.create name={names} kind={kinds}");
    let halves = "0.0.0.0/1,128.0.0.0/1,::/1,8000::/1";
    vec![
        format!("host.namespace name={names}"),
        link.clone(),
        format!("{link} mtu=68-65535"),
        format!("{link} vlan=1-4094"),
        format!("{link} vlan=1-4094 mtu=68-65535"),
        format!("host.address.add cidr={halves} link={names}"),
        format!("host.route.add cidr={halves} link={names}"),
        format!("host.probe cidr={halves}"),
        format!("host.probe link={names}"),
        format!("host.probe cidr={halves} link={names}"),
        "host.link.read".to_owned(),
    ]
}
