//! A lab for one trial: changes by short words, and `ip` to look at what they made.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use netwright_linux::change::{
    Address, AddressFlags, Answer, Applied, Attribute, Change, Kind, LinkName, LinkRef, Macvlan,
    MacvlanMode, Name, NamespaceRef, Prefix, Query, Setting, Spec, Undo, Veth, Write,
};
use netwright_linux::kernel::Permitted;
use netwright_linux::kernel::netlink::Netlink;
use netwright_linux::kernel::{BatchError, Error, Kernel};
use serde_json::Value;

pub(crate) struct Lab {
    pub(crate) kernel: Netlink,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self { kernel: Netlink::for_lab().expect("the lab's kernel") }
    }

    pub(crate) fn try_apply(&mut self, change: Change) -> Result<Applied, Error> {
        self.kernel.apply(&permit(change))
    }

    pub(crate) fn apply(&mut self, change: Change) -> Undo {
        let shown = change.to_string();
        match self.try_apply(change) {
            Ok(applied) => applied.undo,
            Err(error) => panic!("`{shown}`: {error}"),
        }
    }

    /// The error's whole text.
    pub(crate) fn refused(&mut self, change: Change) -> String {
        let shown = change.to_string();
        match self.try_apply(change) {
            Ok(_) => panic!("`{shown}` was not refused"),
            Err(error) => error.to_string(),
        }
    }

    pub(crate) fn revert(&mut self, undo: &Undo) {
        self.kernel.revert(undo).expect("undone");
    }

    /// The error's text.
    pub(crate) fn kernel_revert(&mut self, undo: &Undo) -> Result<(), String> {
        self.kernel.revert(undo).map_err(|error| error.to_string())
    }

    pub(crate) fn batch(&mut self, changes: Vec<Change>) -> Result<Vec<Applied>, BatchError> {
        let changes: Vec<_> = changes.into_iter().map(permit).collect();
        self.kernel.apply_all(&changes)
    }

    pub(crate) fn namespace(&mut self, name: &str) {
        self.apply(Change::CreateNamespace { name: named(name) });
    }

    /// Runs a program inside a namespace of the lab.
    pub(crate) fn run(&self, namespace: &str, words: &str) -> Output {
        self.program(namespace, words).output().expect("a program that runs")
    }

    fn program(&self, namespace: &str, words: &str) -> Command {
        use std::os::fd::AsRawFd;
        let mut words = words.split_whitespace();
        if namespace.is_empty() {
            let mut program = Command::new(words.next().expect("a program"));
            program.args(words);
            return program;
        }
        let all = self.kernel.namespaces();
        let (_, descriptor) = all
            .iter()
            .find(|(name, _)| name.as_str() == namespace)
            .expect("a namespace of the lab");
        let path = format!("/proc/{}/fd/{}", std::process::id(), descriptor.as_raw_fd());
        let mut program = Command::new("nsenter");
        program.arg(format!("--net={path}")).args(words);
        program
    }

    /// What a program prints, which must succeed.
    pub(crate) fn output(&self, namespace: &str, words: &str) -> String {
        text(words, self.run(namespace, words))
    }

    /// The first object of `ip -j -d …`.
    pub(crate) fn ip(&self, namespace: &str, words: &str) -> Value {
        let text = self.output(namespace, &format!("ip -j -d {words}"));
        let all: Value = serde_json::from_str(&text).expect("JSON of ip");
        all[0].clone()
    }

    pub(crate) fn link(&self, namespace: &str, name: &str) -> Value {
        self.ip(namespace, &format!("link show dev {name}"))
    }

    /// Names of all links, as `ip` sees them.
    pub(crate) fn names(&self, namespace: &str) -> Vec<String> {
        let text = self.output(namespace, "ip -j link show");
        let all: Vec<Value> = serde_json::from_str(&text).expect("JSON of ip");
        all.iter().map(|link| link["ifname"].as_str().expect("a name").to_owned()).collect()
    }

    /// Waits until a veth pair's two ends know that they have each other.
    pub(crate) fn settle(&self, namespace: &str) {
        let end = Instant::now() + CARRIED;
        let up = || self.output(namespace, "ip -o link").matches("state UP").count() == 2;
        while !up() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// All that `ip` says of a namespace but for what changes by itself.
    pub(crate) fn state(&self, namespace: &str) -> String {
        const BOTH: &str = "link\naddress\nroute show table all\nrule\n\
                            neighbour show nud permanent\nneighbour show nud noarp\n\
                            neighbour show proxy\n";
        const IPV6: &str = "route show table all\nrule\n";
        let text = self.ip_batch(namespace, "ip -d -batch -", BOTH)
            + &self.ip_batch(namespace, "ip -6 -batch -", IPV6);
        // IPv6 by itself: who listens to which group is told to the neighbours of ff02::16 some time
        // after a link is up (RFC 3810), and an address is tentative for a while (RFC 4862).
        let lasting = text.lines().filter(|line| !line.starts_with("ff02::"));
        // And a link with a carrier is of unknown state until a worker of the kernel's looks at it
        // (net/core/link_watch.c).
        let settled =
            |line: &str| line.replace(" tentative", "").replace(" state UNKNOWN ", " state UP ");
        lasting.map(|line| settled(line) + "\n").collect()
    }

    /// What several commands print, read from one program's stdin: starting a program is what takes
    /// time in a virtual machine.
    fn ip_batch(&self, namespace: &str, words: &str, lines: &str) -> String {
        let mut program = self.program(namespace, words);
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = program.spawn().expect("a program that runs");
        let mut input = program.stdin.take().expect("it is a pipe");
        input.write_all(lines.as_bytes()).expect("it reads");
        drop(input);
        text(words, program.wait_with_output().expect("it ends"))
    }
}

/// What a program prints, which must succeed.
fn text(words: &str, output: Output) -> String {
    assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Operational states and what hangs on them follow by work of the kernel that it puts off for up
/// to a second (net/core/link_watch.c).
const CARRIED: Duration = Duration::from_secs(4);
/// All that follows from a change, on a busy machine.
const SETTLED: Duration = Duration::from_secs(30);

/// Fails with the lines that differ alone, unless they are the same before long.
pub(crate) fn assert_same(left: impl Fn() -> String, right: impl Fn() -> String, when: &str) {
    let end = Instant::now() + SETTLED;
    let (mut one, mut other) = (left(), right());
    while one != other && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(20));
        (one, other) = (left(), right());
    }
    let only = |one: &str, other: &str| {
        let lines = one.lines().filter(|line| !other.lines().any(|there| there == *line));
        lines.collect::<Vec<_>>().join("\n")
    };
    assert!(one == other, "{when}:\n{}\nagainst:\n{}", only(&one, &other), only(&other, &one));
}

/// A lab allows everything.
pub(crate) fn permit(change: Change) -> Permitted<Change> {
    Permitted::by_policy(change, Vec::new())
}

pub(crate) fn query(kernel: &Netlink, query: Query) -> Answer {
    kernel.query(&Permitted::by_policy(query, Vec::new())).expect("an answer")
}

pub(crate) fn named(name: &str) -> Name {
    name.parse().expect("a name")
}

/// `""` is the root.
pub(crate) fn space(name: &str) -> NamespaceRef {
    NamespaceRef::named((!name.is_empty()).then(|| named(name)))
}

/// `ns1/mac1`, or `p0` in the root.
pub(crate) fn link(path: &str) -> LinkRef {
    let (namespace, name) = path.split_once('/').unwrap_or(("", path));
    LinkRef { namespace: space(namespace), name: name.to_owned(), index: None }
}

/// `/p0` is in the root, `p0` beside the link that speaks of it.
pub(crate) fn link_name(path: &str) -> LinkName {
    match path.split_once('/') {
        None => LinkName { namespace: None, name: path.to_owned() },
        Some((namespace, name)) => {
            LinkName { namespace: Some(space(namespace).name), name: name.to_owned() }
        }
    }
}

pub(crate) fn create(path: &str, kind: Kind, parent: Option<&str>, settings: &[Setting]) -> Change {
    let link = link(path);
    Change::CreateLink {
        namespace: link.namespace,
        spec: Spec {
            name: named(&link.name),
            kind,
            parent: parent.map(link_name),
            settings: settings.to_vec(),
        },
    }
}

pub(crate) fn veth(path: &str, peer: &str) -> Change {
    let kind = Kind::Veth(Veth { peer: link_name(peer), peer_settings: vec![Setting::Up(true)] });
    create(path, kind, None, &[Setting::Up(true)])
}

pub(crate) fn macvlan(mode: MacvlanMode) -> Macvlan {
    Macvlan { mode: Some(mode), ..Macvlan::default() }
}

pub(crate) fn set(path: &str, settings: &[Setting]) -> Change {
    Change::ChangeLink { link: link(path), settings: settings.to_vec() }
}

pub(crate) fn prefix(text: &str) -> Prefix {
    let (address, length) = text.split_once('/').expect("a prefix");
    Prefix {
        address: address.parse().expect("an address"),
        length: length.parse().expect("a length"),
    }
}

pub(crate) fn address(text: &str) -> Address {
    Address {
        prefix: prefix(text),
        peer: None,
        broadcast: None,
        anycast: None,
        label: None,
        scope: None,
        flags: AddressFlags::default(),
        valid_lifetime: None,
        preferred_lifetime: None,
        counted_from: None,
        metric: None,
        protocol: None,
    }
}

pub(crate) fn put(path: &str, text: &str) -> Change {
    Change::PutAddress { link: link(path), address: address(text), how: Write::Add }
}

pub(crate) fn option(name: &str, value: &str) -> Attribute {
    Attribute { name: name.to_owned(), value: value.to_owned() }
}

pub(crate) fn options(all: &[(&str, &str)]) -> Vec<Attribute> {
    all.iter().map(|(name, value)| option(name, value)).collect()
}
