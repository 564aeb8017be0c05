//! A Docker Engine that the test starts and ends.

use netwright_tests::{Host, Output};
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Debian's docker.io has all three; `cargo xtask setup` installs it.
const DAEMON: &str = "/usr/sbin/dockerd";
const CLIENT: &str = "/usr/bin/docker";
const BUSYBOX: &str = "/usr/bin/busybox";
/// A container's one program.
const SLEEP: [&str; 2] = ["/bin/sleep", "3600"];
const PATIENCE: Duration = Duration::from_secs(60);

/// The two nodes' NICs of the tutorial on one switch, which is the networks' gateway.
const NODE: &str = "link add sw0 type bridge
                    link add enp0s5 type veth peer name port1
                    link set port1 master sw0
                    link set sw0 up
                    link set port1 up
                    link set enp0s5 up
                    address add 192.168.2.1/24 dev sw0";

pub(crate) struct Engine {
    pub(crate) host: Host,
    daemon: Child,
    group: String,
    host_variable: String,
}

impl Engine {
    pub(crate) fn start() -> Self {
        for program in [DAEMON, CLIENT, BUSYBOX] {
            assert!(Path::new(program).is_file(), "`{program}` is missing: cargo xtask setup");
        }
        let host = Host::with_processes();
        host.ip_lines(NODE);
        host.settle();
        let socket = host.session().path("docker.sock");
        let log = fs::File::create(host.session().path("log")).expect("a session's file");
        // Its control groups are the machine's, so that they get a name of their own.
        let group = format!("netwright-test-{}", host.process());
        let mut daemon = Command::new(DAEMON);
        daemon.arg("--data-root").arg(host.session().path("data"));
        daemon.arg("--exec-root").arg(host.session().path("exec"));
        daemon.arg("--pidfile").arg(host.session().path("pid"));
        daemon.arg("--host").arg(format!("unix://{}", socket.display()));
        daemon.arg("--cgroup-parent").arg(&group);
        daemon.args(["--bridge=none", "--iptables=false", "--ip6tables=false"]);
        daemon.args(["--ip-forward=false", "--userland-proxy=false"]);
        let mut daemon = host.command(&daemon);
        daemon.stdout(log.try_clone().expect("a file")).stderr(log);
        let daemon = daemon.spawn().expect("nsenter is installed: cargo xtask setup");
        let host_variable = format!("unix://{}", socket.display());
        let engine = Self { host, daemon, group, host_variable };
        let start = Instant::now();
        while engine.docker(["version"]).code != 0 {
            let log = fs::read_to_string(engine.host.session().path("log")).unwrap_or_default();
            assert!(
                start.elapsed() < netwright_tests::machine::patience(PATIENCE),
                "the Engine does not start:\n{log}"
            );
            thread::sleep(Duration::from_millis(100));
        }
        engine.import_image();
        engine
    }

    /// `docker` with these words.
    pub(crate) fn docker<A: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = A>) -> Output {
        let mut client = Command::new(CLIENT);
        client.args(words).env("DOCKER_HOST", &self.host_variable);
        client.env("DOCKER_CONFIG", self.host.session().path("home"));
        self.host.command(&client).output().expect("nsenter is installed").into()
    }

    #[track_caller]
    fn done<A: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = A>) -> String {
        self.docker(words).expect_code(0).stdout.trim().to_owned()
    }

    /// No image can be fetched: one of busybox alone.
    fn import_image(&self) {
        let root = self.host.session().path("rootfs");
        fs::create_dir_all(root.join("bin")).expect("a session's folder");
        fs::copy(BUSYBOX, root.join("bin/busybox")).expect("a session's file");
        for applet in ["sleep", "ping", "ip"] {
            symlink("busybox", root.join("bin").join(applet)).expect("a session's file");
        }
        let archive: PathBuf = self.host.session().path("rootfs.tar");
        let tar = Command::new("tar")
            .args(["-c", "-f"])
            .arg(&archive)
            .arg("-C")
            .arg(&root)
            .arg(".")
            .status();
        assert!(tar.expect("tar is installed").success());
        let archive = archive.display().to_string();
        self.done(["import", &archive, "busybox:latest"]);
    }

    /// As the tutorial makes its network.
    #[track_caller]
    pub(crate) fn macvlan_network(&self, name: &str) {
        self.done([
            "network",
            "create",
            "-d",
            "macvlan",
            "--subnet",
            "192.168.2.0/24",
            "--gateway",
            "192.168.2.1",
            "-o",
            "parent=enp0s5",
            "-o",
            "macvlan_mode=bridge",
            name,
        ]);
    }

    /// As the tutorial runs its containers.
    #[track_caller]
    pub(crate) fn run(&self, name: &str, network: &[&str]) {
        let words = ["run", "-d", "--name", name].into_iter().chain(network.iter().copied());
        self.done(words.chain(["busybox:latest"]).chain(SLEEP));
    }

    /// The container's process, as the machine of the test numbers it.
    pub(crate) fn process(&self, name: &str) -> String {
        self.done(["inspect", "-f", "{{.State.Pid}}", name])
    }

    /// `ip -j -d` inside a container's namespace.
    #[track_caller]
    pub(crate) fn ip(&self, container: &str, words: &[&str]) -> Value {
        let process = self.process(container);
        let all = [&["-t", &process, "-n", "ip", "-j", "-d"], words].concat();
        self.host.run("nsenter", all).expect_code(0).json()
    }

    /// Whether a station answers a container.
    pub(crate) fn pings(&self, container: &str, station: &str) -> bool {
        self.docker(["exec", container, "/bin/ping", "-c", "1", "-W", "2", station]).code == 0
    }

    /// `netwright run … --target host` beside the Engine, with these grants.
    pub(crate) fn netwright(&self, words: &[&str], grants: &[&str]) -> Output {
        let mut all = ["run", "--target", "host"].to_vec();
        all.extend(words);
        all.extend(grants.iter().flat_map(|grant| ["--grant", grant]));
        self.host.netwright(all, &[("DOCKER_HOST", &self.host_variable)])
    }

    /// The same in the background: until what is returned is interrupted.
    pub(crate) fn netwright_command(&self, words: &[&str], grants: &[&str]) -> Command {
        let mut all = ["run", "--target", "host"].to_vec();
        all.extend(words);
        all.extend(grants.iter().flat_map(|grant| ["--grant", grant]));
        let mut inner = self.host.session().command(all);
        inner.env("DOCKER_HOST", &self.host_variable);
        let mut command = self.host.command(&inner);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // In order, so that its mounts and control groups go; what it leaves ends with the host.
        let containers = self.docker(["ps", "-aq"]).stdout;
        let words = ["rm", "-f"].into_iter().chain(containers.split_whitespace());
        let _ = self.docker(words);
        let pid = fs::read_to_string(self.host.session().path("pid")).unwrap_or_default();
        let _ = self.host.run("kill", [pid.trim()]);
        let _ = self.daemon.wait();
        for controller in fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten() {
            // Empty by now; a folder that isn't there is none too many.
            let _ = fs::remove_dir(controller.path().join(&self.group));
        }
        let _ = fs::remove_dir(Path::new("/sys/fs/cgroup").join(&self.group));
    }
}
