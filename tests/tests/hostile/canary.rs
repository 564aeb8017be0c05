//! A network that nobody may touch, and a run of somebody else's that must not notice anything.

use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use netwright_tests::{Host, Session};

/// The bridge is down, for a bridge that is up has timers, which the dump would show.
const CANARY: &str = "link add eth1 type veth peer name sw1
                      link add br0 type bridge
                      link set sw1 master br0
                      link add link eth1 name mac1 type macvlan mode bridge
                      link set eth1 up
                      link set sw1 up
                      link set mac1 up
                      address add 10.9.0.2/24 dev eth1
                      address add 2001:db8:9::2/64 dev eth1 nodad
                      address add 10.9.0.3/24 dev mac1
                      route add 10.10.0.0/16 via 10.9.0.1
                      route add blackhole 10.11.0.0/16
                      route add 2001:db8:a::/48 via 2001:db8:9::1
                      rule add from 10.12.0.0/16 table 99 priority 500
                      neighbour add 10.9.0.7 lladdr 02:00:00:00:00:07 dev eth1 nud permanent
                      netns add there
                      -n there link set lo up";

/// Every list of iproute2's, in this namespace and in the one that it has a name for.
const DUMP: &str = "for place in '' '-n there'; do \
                      for what in link address 'route show table all' '-6 route show table all' \
                                  rule '-6 rule' neighbour netns; do \
                        ip $place -j -d $what || exit 1; \
                      done; \
                    done; \
                    bridge -j -d fdb; bridge -j -d vlan; ls -lA /run/netns; cat /proc/self/mounts; \
                    cat /proc/sys/net/ipv4/ip_forward";

const NEIGHBOUR: &str = "name: neighbour
steps:
  - name: lan
    recipe: builtin:ip
    params:
      script: |
        link add p0 type veth peer name p1
        link set p0 up
        link set p1 up
        netns add n1
        netns add n2
        link add link p0 name m1 netns n1 type macvlan mode bridge
        link add link p0 name m2 netns n2 type macvlan mode bridge
        -n n1 address add 10.1.0.1/24 dev m1
        -n n2 address add 10.1.0.2/24 dev m2
        -n n1 link set m1 up
        -n n2 link set m2 up
        ip netns exec n1 ping -c 10 -i 0.1 10.1.0.2
checks:
  - link: { namespace: n1, name: m1, kind: macvlan, mode: bridge, up: true }
  - ping: { from: n1, to: 10.1.0.2 }
";

/// Its recipe is compiled once for all.
const CACHE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/neighbour");

/// Its lines as far as they hold no time.
const USUAL: [&str; 6] = [
    "neighbour (lab)",
    "  step lan builtin:ip",
    "  | ok ip netns exec n1 ping -c 10 -i 0.1 10.1.0.2 (10 packets transmitted, 10 received, ",
    "  ok link m1 in n1 is a macvlan, is in mode bridge, is up",
    "  ok ping 10.1.0.2 from n1 is answered (",
    "passed: 3 checks, 11 changes, ",
];

/// Also where the test fails in between, the neighbour ends.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

pub(crate) struct Canary {
    host: Host,
}

impl Canary {
    pub(crate) fn new() -> Self {
        Self { host: Host::with(CANARY) }
    }

    pub(crate) fn host(&self) -> &Host {
        &self.host
    }

    pub(crate) fn session(&self) -> &Session {
        self.host.session()
    }

    /// Word by word, as iproute2 writes it.
    pub(crate) fn dump(&self) -> String {
        self.host.run("sh", ["-c", DUMP]).expect_code(0).stdout
    }

    /// How long this machine takes for a recipe that does nothing, now.
    pub(crate) fn usual_time(&self) -> Duration {
        let idle = netwright_tests::component::recipe("", "(i32.const 0)");
        let idle = self.session().file("idle.wasm", idle);
        let started = Instant::now();
        self.host.netwright(["run".as_ref(), idle.as_os_str()], &[]).expect_code(0);
        started.elapsed()
    }

    /// Does something while a well-behaved run of another user's goes on, again and again; tells
    /// what that one noticed.
    pub(crate) fn beside_a_neighbour(&self, what: impl FnOnce()) -> Vec<String> {
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let neighbour = scope.spawn(|| {
                let session = Session::new();
                let file = session.file("neighbour.yaml", NEIGHBOUR);
                let mut noticed = Vec::new();
                let mut runs = 0;
                while runs < 2 || !over.load(Ordering::Relaxed) {
                    let mut run = session.command(["run".as_ref(), file.as_os_str()]);
                    run.env("XDG_CACHE_HOME", CACHE);
                    let output = self.host.command(&run).output().expect("nsenter is installed");
                    if !is_usual(&output) {
                        noticed.push(format!("the neighbour noticed something: {output:?}"));
                    }
                    runs += 1;
                }
                noticed
            });
            let ended = Over(&over);
            what();
            drop(ended);
            neighbour.join().expect("it only runs the program")
        })
    }
}

fn is_usual(output: &Output) -> bool {
    let stdout = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = stdout.lines().collect();
    let all = lines.len() == USUAL.len();
    let same = lines.iter().zip(USUAL).all(|(line, usual)| line.starts_with(usual));
    // Whoever comes first compiles, and the others say that they wait.
    let stderr = String::from_utf8_lossy(&output.stderr);
    let quiet = stderr.lines().all(|line| line.ends_with("compiles recipe `ip`: waiting"));
    output.status.success() && quiet && all && same
}
