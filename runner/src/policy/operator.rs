//! The operator's own way into the machine: whoever works over a network must not be cut off by
//! the run that he started.

use std::collections::HashSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A connection that the operator works over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    pub peer: IpAddr,
    pub local: IpAddr,
}

/// TCP_ESTABLISHED of linux/tcp_states.h, as /proc/net/tcp shows it
const ESTABLISHED: &str = "01";

impl Connection {
    /// Those that sshd tells of, and the TCP connections of all processes that this one descends
    /// from: sudo(8) clears the environment. An inherited connection counts, too.
    pub fn of_operator() -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        let told = std::env::var("SSH_CONNECTION").ok().and_then(|text| Self::told(&text));
        for one in told.into_iter().chain(of_ancestors()) {
            if !found.contains(&one) && !one.peer.is_loopback() {
                found.push(one);
            }
        }
        found
    }

    /// `SSH_CONNECTION`, sshd(8): peer, its port, own address, its port.
    fn told(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        // A link-local address has its link behind a `%`.
        let mut address = || {
            let word = words.next()?;
            words.next()?;
            word.split('%').next()?.parse::<IpAddr>().ok()
        };
        Some(Self { peer: address()?.to_canonical(), local: address()?.to_canonical() })
    }
}

fn of_ancestors() -> Vec<Connection> {
    let here = fs::read_link("/proc/self/ns/net").ok();
    let mut sockets: HashSet<String> = HashSet::new();
    let mut process = std::process::id();
    while process > 1 {
        // Another namespace's connections go other ways.
        if fs::read_link(format!("/proc/{process}/ns/net")).ok() == here {
            sockets.extend(sockets_of(process));
        }
        let Some(parent) = parent(process) else { break };
        process = parent;
    }
    ["/proc/self/net/tcp", "/proc/self/net/tcp6"]
        .iter()
        .flat_map(|file| established(&fs::read_to_string(file).unwrap_or_default(), &sockets))
        .collect()
}

/// Inode numbers of a process's sockets; none where we may not look.
fn sockets_of(process: u32) -> Vec<String> {
    let Ok(entries) = fs::read_dir(format!("/proc/{process}/fd")) else { return Vec::new() };
    let target = |entry: fs::DirEntry| fs::read_link(entry.path()).ok();
    let inode = |path: std::path::PathBuf| {
        let text = path.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
        Some(text.to_owned())
    };
    entries.flatten().filter_map(target).filter_map(inode).collect()
}

fn parent(process: u32) -> Option<u32> {
    let text = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is the program's name in brackets, and may hold anything.
    let (_, after) = text.rsplit_once(')')?;
    after.split_whitespace().nth(1)?.parse().ok()
}

/// The established connections of a table in the form of proc(5), among these sockets.
fn established(table: &str, sockets: &HashSet<String>) -> Vec<Connection> {
    table
        .lines()
        .skip(1)
        .filter_map(|line| {
            let fields: Vec<_> = line.split_whitespace().collect();
            let (state, inode) = (fields.get(3)?, fields.get(9)?);
            let ours = *state == ESTABLISHED && sockets.contains(*inode);
            let address = |place: usize| hexadecimal(fields.get(place)?.split(':').next()?);
            ours.then(|| Some(Connection { local: address(1)?, peer: address(2)? }))?
        })
        .collect()
}

/// An address as proc(5) has it: words of four bytes in the machine's order.
fn hexadecimal(text: &str) -> Option<IpAddr> {
    let mut bytes = Vec::new();
    for place in (0..text.len()).step_by(8) {
        let word = u32::from_str_radix(text.get(place..place + 8)?, 16).ok()?;
        bytes.extend(word.to_ne_bytes());
    }
    match bytes.len() {
        4 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?).into()),
        16 => Some(IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?)).to_canonical()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Connection, established};
    use std::collections::HashSet;

    fn connection(peer: &str, local: &str) -> Connection {
        let parse = |text: &str| text.parse().expect("an address");
        Connection { peer: parse(peer), local: parse(local) }
    }

    #[test]
    fn sshd_tells_who_is_connected() {
        let told = Connection::told("192.0.2.9 50000 192.0.2.1 22");
        assert_eq!(told, Some(connection("192.0.2.9", "192.0.2.1")));
        let told = Connection::told("fe80::9%eth0 50000 fe80::1%eth0 22");
        assert_eq!(told, Some(connection("fe80::9", "fe80::1")));
        for broken in ["", "192.0.2.9", "somebody 1 somewhere 2"] {
            assert_eq!(Connection::told(broken), None, "{broken}");
        }
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn a_process_has_the_connections_of_its_sockets() {
        let table = "\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 010200C0:0016 090200C0:C350 01 00000000:00000000 00:00000000 00000000     0        0 77 1
   1: 010200C0:0016 080200C0:C350 01 00000000:00000000 00:00000000 00000000     0        0 78 1
   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 77 1
";
        let sockets = HashSet::from(["77".to_owned()]);
        assert_eq!(established(table, &sockets), [connection("192.0.2.9", "192.0.2.1")]);
    }
}
