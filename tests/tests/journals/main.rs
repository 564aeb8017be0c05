//! Journals that can't be gone by: whose network isn't found, that another version wrote, or that are
//! damaged. What they tell of is never half taken back, and they stay until somebody says otherwise.

mod damaged;
mod full;
mod out_of_reach;
mod versions;

use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use netwright_tests::{Host, Output};

const MACHINE: &str = "link add eth0 type veth peer name wire0
                       link set wire0 up
                       address add 192.0.2.2/24 dev eth0
                       link set eth0 up
                       route add default via 192.0.2.1 dev eth0";

const SCRIPT: [&str; 4] = [
    "ip netns add lab-n",
    "ip link add lab-a type veth peer name lab-b",
    "ip link set eth0 mtu 1400",
    "ip rule add to 10.1.0.0/16 prohibit",
];

const GRANTS: [&str; 5] = [
    "host.link.read",
    "host.namespace name=lab-*",
    "host.link.create kind=veth,bridge name=lab-*",
    "host.link.modify name=eth0",
    "host.route.add cidr=10.0.0.0/8",
];

fn scenario(host: &Host, name: &str, lines: &[&str]) -> String {
    let script: String = lines.iter().map(|line| format!("        {line}\n")).collect();
    let text = format!(
        "name: {name}\ntarget: host\nsteps:\n  - recipe: builtin:ip\n    params:\n      script: |\n{script}"
    );
    host.session().file(&format!("{name}.yaml"), text).display().to_string()
}

/// Words of `netwright` with these grants.
fn granted<'a>(words: &[&'a str], grants: &[&'a str]) -> Vec<&'a str> {
    let mut all = words.to_vec();
    all.extend(grants.iter().flat_map(|grant| ["--grant", grant]));
    all
}

#[track_caller]
fn deploy(host: &Host, name: &str, lines: &[&str]) {
    let file = scenario(host, name, lines);
    host.netwright(granted(&["apply", &file], &GRANTS), &[]).expect_code(0);
}

/// The only one there is.
#[track_caller]
fn journal(host: &Host) -> PathBuf {
    match &host.journals()[..] {
        [one] => one.clone(),
        all => panic!("{} journals: {all:?}", all.len()),
    }
}

/// `netwright` by way of another program, such as unshare(1).
fn by_way_of(host: &Host, way: &[&str], words: &[&str]) -> Output {
    let inner = host.session().command(words);
    let mut command = Command::new(way[0]);
    command.args(&way[1..]).arg(inner.get_program()).args(inner.get_args());
    for (name, value) in inner.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    host.command(&command).output().expect("nsenter is installed: cargo xtask setup").into()
}

/// For a watcher to have done what it does.
#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}
