//! The process that opens character devices for a lab.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use netwright_linux::tap::{Opener, Tap};

use crate::lab::{Lab, ip, run};
use crate::tap::{PLAIN, open};
use crate::{Test, User, tests};

pub(crate) fn all() -> Vec<Test> {
    let mut all = tests![Root:
        opener::the_opener_opens_nothing_else,
        opener::the_opener_ends_in_order,
        opener::root_of_a_user_namespace_is_told_the_remedy,
    ];
    all.extend(tests![Outside:
        opener::the_opener_ends_with_its_owner_and_leaves_nothing,
    ]);
    all
}

pub(crate) fn the_opener_opens_nothing_else(lab: Lab) {
    let opener = lab.opener.as_ref().expect("tests run as root");
    // /dev/null, /dev/kmsg and the first disk of virtio.
    for (major, minor) in [(1, 3), (1, 11), (254, 0)] {
        let refused = opener.open(rustix::fs::makedev(major, minor)).unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::EPERM), "{major}:{minor}");
    }
    // A macvtap's number that no link has.
    let devices = fs::read_to_string("/proc/devices").unwrap();
    let line = devices.lines().find(|line| line.ends_with(" macvtap")).unwrap();
    let major = line.split_whitespace().next().unwrap().parse().unwrap();
    let missing = opener.open(rustix::fs::makedev(major, 0xf_fff0)).unwrap_err();
    assert_eq!(missing.raw_os_error(), Some(libc::ENODEV));
}

pub(crate) fn the_opener_ends_in_order(mut lab: Lab) {
    let mut opener = lab.opener.take().expect("tests run as root");
    assert_eq!(opener.end().unwrap(), Some(0));
}

/// As in a container.
pub(crate) fn root_of_a_user_namespace_is_told_the_remedy(lab: Lab) {
    let opener = Opener::start().unwrap().expect("it is root, if only here");
    // Two of one index: only one of them can have the node in /dev.
    let namespaces = ["a", "b"].map(|name| {
        let namespace = lab.namespace(name);
        ip(&format!("-n {name} link add parent type veth peer name out"));
        ip(&format!("-n {name} link add link parent index 7000 name mac0 type macvtap"));
        namespace
    });
    run(async {
        let refused = Tap::open(&namespaces[1], "mac0", PLAIN, Some(&opener)).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "not supported here: the character device of `mac0` belongs to the machine's root\n  \
             help: run netwright as root, or use a tap in place of the macvtap"
        );
    });
}

/// Set for the process that is killed.
const OWNER: &str = "NETWRIGHT_PROBE_OWNER";
/// No other test's link has it.
const INDEX: u32 = 7777;

pub(crate) fn the_opener_ends_with_its_owner_and_leaves_nothing(_outside: Lab) {
    if std::env::var_os(OWNER).is_some() {
        own_an_opener();
    }
    let node = format!("/dev/tap{INDEX}");
    let before = nodes();
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .env(OWNER, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(owner.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let opener: u32 = line.trim().parse().unwrap();
    assert!(fs::exists(format!("/proc/{opener}")).unwrap());
    assert!(fs::exists(&node).unwrap());
    owner.kill().unwrap();
    assert_eq!(owner.wait().unwrap().signal(), Some(libc::SIGKILL));
    let deadline = Instant::now() + Duration::from_secs(10);
    while !has_ended(opener) || fs::exists(&node).unwrap() {
        assert!(Instant::now() < deadline, "process {opener} or {node} is left");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(nodes(), before);
}

/// Opens two macvtaps of one index, one of them by its node in /dev, the other by the opener.
fn own_an_opener() -> ! {
    let lab = Lab::enter(User::Root);
    run(async {
        let mut taps = Vec::new();
        for name in ["a", "b"] {
            let namespace = lab.namespace(name);
            ip(&format!("-n {name} link add parent type veth peer name out"));
            ip(&format!("-n {name} link add link parent index {INDEX} name mac0 type macvtap"));
            taps.push(open(&lab, &namespace, "mac0", PLAIN).unwrap());
        }
        println!("{}", lab.opener.as_ref().unwrap().process_id());
        tokio::time::sleep(Duration::from_secs(60)).await;
    });
    panic!("should have been killed");
}

/// All of /dev but what the kernel puts there for the links of other tests.
fn nodes() -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
    let names = fs::read_dir("/dev").unwrap().map(|entry| name(entry).into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| !name.starts_with("tap")).collect();
    names.sort();
    names
}

/// A zombie has ended too; who adopted it may be slow to look.
fn has_ended(process: u32) -> bool {
    fs::read_to_string(format!("/proc/{process}/stat"))
        .map_or(true, |stat| stat.rsplit(')').next().unwrap().trim().starts_with('Z'))
}
