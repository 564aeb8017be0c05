//! A lab for one test: namespaces made by iproute2, not by the code that is tested.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use netwright_linux::kernel::netns;
use netwright_linux::tap::Opener;
use rustix::mount::{MountFlags, mount};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use rustix::thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid};

use crate::User;

const NOBODY: u32 = 65534;

pub(crate) struct Lab {
    pub(crate) opener: Option<Opener>,
}

impl Lab {
    pub(crate) fn enter(user: User) -> Self {
        match user {
            User::Root => {}
            User::Nobody => become_nobody(),
            User::Outside => return Self { opener: None },
        }
        let opener = Opener::start().expect("the opener starts");
        netns::enter_lab().expect("a lab can be entered");
        mount("tmpfs", "/run", "tmpfs", MountFlags::empty(), None).expect("/run of the lab");
        Self { opener }
    }

    /// Two namespaces, each with a link `eth0` to the other: 10.0.0.1 and fd00::1 in `a`,
    /// 10.0.0.2 and fd00::2 in `b`.
    pub(crate) fn pair(&self) -> (OwnedFd, OwnedFd) {
        let (a, b) = (self.namespace("a"), self.namespace("b"));
        ip("link add eth0 netns a address 02:00:00:00:00:0a type veth \
            peer name eth0 netns b address 02:00:00:00:00:0b");
        for (namespace, station) in [("a", 1), ("b", 2)] {
            ip(&format!("-n {namespace} address add 10.0.0.{station}/24 dev eth0"));
            ip(&format!("-n {namespace} address add fd00::{station}/64 dev eth0 nodad"));
            ip(&format!("-n {namespace} link set lo up"));
            ip(&format!("-n {namespace} link set eth0 up"));
        }
        (a, b)
    }

    /// The same, when IPv6 is ready too. The kernel hears of a carrier up to a second late
    /// (net/core/link_watch.c) and gives addresses to a link only then.
    pub(crate) fn settled_pair(&self) -> (OwnedFd, OwnedFd) {
        let pair = self.pair();
        for namespace in ["a", "b"] {
            while !ip(&format!("-n {namespace} link show dev eth0")).contains("state UP") {
                thread::sleep(Duration::from_millis(20));
            }
        }
        pair
    }

    pub(crate) fn namespace(&self, name: &str) -> OwnedFd {
        ip(&format!("netns add {name}"));
        File::open(format!("/run/netns/{name}")).expect("ip made its name").into()
    }
}

fn become_nobody() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let (user, group) = (rustix::fs::Uid::from_raw(NOBODY), rustix::fs::Gid::from_raw(NOBODY));
    set_thread_groups(&[]).expect("no groups");
    set_thread_res_gid(group, group, group).expect("group nobody");
    set_thread_res_uid(user, user, user).expect("user nobody");
    // The files of a process that changed its user belong to root until it says otherwise.
    set_dumpable_behavior(DumpableBehavior::Dumpable).expect("an ordinary process");
}

/// Runs an ip(8) command and returns what it printed.
pub(crate) fn ip(words: &str) -> String {
    let output = Command::new("ip")
        .args(words.split_whitespace())
        .stdin(Stdio::null())
        .output()
        .expect("iproute2 is installed");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ip {words}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs it in a moment, from another thread.
pub(crate) fn ip_later(words: &'static str) -> JoinHandle<()> {
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(100));
        ip(words);
    })
}

pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(future)
}
