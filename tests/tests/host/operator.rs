//! The operator's session is found by its TCP connection, too: sudo clears the environment.

use netwright_tests::Host;
use std::process::{Command, Stdio};

/// Connects to itself over eth1's address, hands the connection to a child as sshd does, and lets
/// that run the command line.
const OVER_TCP: &str = "
import socket, subprocess, sys
listener = socket.socket()
listener.bind(('192.0.2.1', 2222))
listener.listen()
client = socket.create_connection(('192.0.2.1', 2222), source_address=('192.0.2.9', 0))
server, _ = listener.accept()
sys.exit(subprocess.call(sys.argv[1:], pass_fds=[server.fileno()]))
";

#[test]
fn a_connection_that_an_ancestor_holds_is_the_operators() {
    let host = Host::with(
        "link add eth1 type veth peer name sw1
         link set sw1 up
         address add 192.0.2.1/24 dev eth1
         address add 192.0.2.9/24 dev eth1
         link set eth1 up
         link add eth2 type veth peer name sw2",
    );
    let run = |link: &str, over: bool| {
        let script = format!("script=ip route add 192.0.2.9/32 dev {link}");
        let inner = host.session().command([
            "run",
            "builtin:ip",
            "--target",
            "host",
            "-p",
            &script,
            "--grant",
            "host.route.add cidr=192.0.2.0/24 link=eth1,eth2",
        ]);
        let mut outer = Command::new("python3");
        outer.args(["-c", OVER_TCP]).arg(inner.get_program()).args(inner.get_args());
        let mut command = host.command(if over { &outer } else { &inner });
        command.stdin(Stdio::null()).output().expect("python3 is installed").status.code()
    };
    assert_eq!(run("eth1", true), Some(4));
    assert_eq!(run("eth1", false), Some(0));
}
