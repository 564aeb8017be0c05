//! ICMP and ICMPv6 echo, as `ping`.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::str::FromStr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::net::sockopt::{
    Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, set_ip_mtu_discover, set_ipv6_mtu_discover,
};
use rustix::net::{RecvFlags, SendFlags, recvfrom, sendto};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::echo::{Echo, Tally, sum};
use super::icmp::{Conversation, Heard};
use super::socket::{check_destination, check_link_name, inside, on_runtime, refused};
use super::told::Told;
use crate::kernel::Error;

/// An echo request's sequence number has 16 bits.
pub(super) const MOST_REQUESTS: u32 = 1 << 16;
/// 65,535 bytes of an IPv4 packet less its header and that of ICMP.
const MOST_PAYLOAD: u16 = 65_507;
/// Headers in front of a payload: IPv4 with options (60 bytes) and ICMP.
const HEADERS: usize = 60 + 8;
/// Room for an error message, whatever the size of the requests: RFC 4443 section 2.4 c.
const LEAST_BUFFER: usize = 2048;

/// How requests are sent.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// requests
    pub count: u32,
    /// between one request and the next, answered or not
    pub interval: Duration,
    /// for each reply
    pub timeout: Duration,
    /// bytes of ICMP payload
    pub size: u16,
    /// don't fragment, as `ping -M do`
    pub whole: bool,
    pub source: Option<Source>,
    /// whoever answers counts, for the address of a network's broadcasts; groups are known by theirs
    pub anybody: bool,
}

impl Default for Options {
    /// One request, as `ping -c 1 -W 1`.
    fn default() -> Self {
        Self {
            count: 1,
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            size: 56,
            whole: false,
            source: None,
            anybody: false,
        }
    }
}

/// Where requests are sent from, as `ping -I`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Link(String),
    Address(IpAddr),
}

impl FromStr for Source {
    type Err = Error;

    /// An address where the text is one, else the name of a link.
    fn from_str(text: &str) -> Result<Self, Error> {
        if let Ok(address) = text.parse() {
            return Ok(Self::Address(address));
        }
        check_link_name(text)?;
        Ok(Self::Link(text.to_owned()))
    }
}

/// Sends echo requests and waits for the replies. Silence, and what the network says about
/// it (unreachable, prohibited, too big), are no replies, not errors.
///
/// # Errors
/// Invalid for options or addresses that can't be, Kernel where a socket is refused: `ENODEV` for
/// a source link, `EADDRNOTAVAIL` for a source address that the namespace doesn't have.
pub async fn ping(
    namespace: &OwnedFd,
    destination: IpAddr,
    options: &Options,
) -> Result<Echo, Error> {
    Ok(ping_and_why(namespace, destination, options).await?.0)
}

/// The same, with what was said last of a request that was not answered; none where all were, or
/// nothing was said. Errors as those of [`ping`].
pub async fn ping_and_why(
    namespace: &OwnedFd,
    destination: IpAddr,
    options: &Options,
) -> Result<(Echo, Option<Told>), Error> {
    let tally: Arc<Mutex<Tally>> = Arc::default();
    Exchange::open(namespace, destination, options, Arc::clone(&tally))?.run(false).await?;
    let told = tally.lock().unwrap_or_else(PoisonError::into_inner).told;
    Ok((sum(&tally), told))
}

/// Whether a reply comes to any of the requests; returns with the first.
pub(super) async fn answers(
    namespace: &OwnedFd,
    destination: IpAddr,
    options: &Options,
) -> Result<bool, Error> {
    let tally = Arc::default();
    Exchange::open(namespace, destination, options, Arc::clone(&tally))?.run(true).await?;
    Ok(sum(&tally).received > 0)
}

/// A ping that goes on while other things happen; dropping it ends it.
#[derive(Debug)]
pub struct Pinging {
    task: JoinHandle<Result<(), Error>>,
    tally: Arc<Mutex<Tally>>,
}

impl Pinging {
    /// Opens the socket and begins. Errors as those of [`ping`].
    pub fn start(
        namespace: &OwnedFd,
        destination: IpAddr,
        options: &Options,
    ) -> Result<Self, Error> {
        let tally = Arc::default();
        let exchange = Exchange::open(namespace, destination, options, Arc::clone(&tally))?;
        Ok(Self { task: tokio::spawn(exchange.run(false)), tally })
    }

    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    /// What came of it until now. A request under way counts as sent.
    pub fn so_far(&self) -> Echo {
        sum(&self.tally)
    }

    /// Waits for the last reply or its timeout.
    pub async fn finish(mut self) -> Result<Echo, Error> {
        match (&mut self.task).await {
            Ok(result) => result.map(|()| sum(&self.tally)),
            Err(ended) => match ended.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // The runtime is going away under us.
                Err(_) => Ok(sum(&self.tally)),
            },
        }
    }
}

impl Drop for Pinging {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A socket and the requests on their way.
struct Exchange {
    socket: AsyncFd<OwnedFd>,
    conversation: Conversation,
    target: SocketAddr,
    options: Options,
    operation: String,
    /// oldest first, and so by their sequence numbers
    waiting: VecDeque<(u16, Instant)>,
    tally: Arc<Mutex<Tally>>,
}

impl Exchange {
    fn open(
        namespace: &OwnedFd,
        destination: IpAddr,
        options: &Options,
        tally: Arc<Mutex<Tally>>,
    ) -> Result<Self, Error> {
        check(destination, options)?;
        let operation = match &options.source {
            None => format!("ping {destination}"),
            Some(Source::Link(link)) => format!("ping -I {link} {destination}"),
            Some(Source::Address(address)) => format!("ping -I {address} {destination}"),
        };
        let socket = inside(namespace, &operation, || open_socket(destination, options))?;
        let socket = on_runtime(socket, &operation)?;
        Ok(Self {
            socket,
            conversation: Conversation {
                destination,
                identifier: next_identifier(),
                anybody: options.anybody,
            },
            target: SocketAddr::new(destination, 0),
            options: options.clone(),
            operation,
            waiting: VecDeque::new(),
            tally,
        })
    }

    /// Until every request is answered or given up; or, if asked, until the first is answered.
    async fn run(mut self, until_first_reply: bool) -> Result<(), Error> {
        let payload = vec![0; usize::from(self.options.size)];
        let mut buffer = vec![0; (payload.len() + HEADERS).max(LEAST_BUFFER)];
        let mut sent = 0;
        let mut next_send = Instant::now();
        loop {
            let give_up = self.waiting.front().map(|(_, sent)| *sent + self.options.timeout);
            let send = (sent < self.options.count).then_some(next_send);
            let Some(wake) = [give_up, send].into_iter().flatten().min() else { return Ok(()) };
            tokio::select! {
                heard = receive(&self.socket, &self.conversation, &mut buffer) => {
                    let replied = self.note(heard.map_err(|e| refused(&self.operation, &e))?);
                    if replied && until_first_reply {
                        return Ok(());
                    }
                }
                () = sleep_until(wake) => {
                    self.give_up_late_ones();
                    if send.is_some_and(|due| due <= Instant::now()) {
                        // At most MOST_REQUESTS, so it can't wrap.
                        self.send(sent as u16, &payload).await?;
                        sent += 1;
                        next_send += self.options.interval;
                    }
                }
            }
        }
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(&mut self, sequence: u16, payload: &[u8]) -> Result<(), Error> {
        self.tally().sent += 1;
        let message = self.conversation.request(sequence, payload);
        let sent_at = Instant::now();
        let sent = self
            .socket
            .async_io(Interest::WRITABLE, |socket| {
                Ok(sendto(socket, &message, SendFlags::empty(), &self.target)?)
            })
            .await;
        match sent {
            Ok(_) => self.waiting.push_back((sequence, sent_at)),
            Err(error) if is_answer_of_the_network(&error) => {
                self.tally().told = error.raw_os_error().map(Told::Kernel);
            }
            Err(error) => return Err(refused(&self.operation, &error)),
        }
        Ok(())
    }

    /// Whether it was the first reply to a request that still waits.
    fn note(&mut self, heard: Heard) -> bool {
        let (Heard::Reply(sequence) | Heard::Refused(sequence, _)) = heard;
        let Ok(place) = self.waiting.binary_search_by_key(&sequence, |(sequence, _)| *sequence)
        else {
            return false;
        };
        let Some((_, sent_at)) = self.waiting.remove(place) else { return false };
        match heard {
            Heard::Refused(_, told) => {
                self.tally().told = Some(told);
                false
            }
            Heard::Reply(_) => {
                self.tally().add(sent_at.elapsed());
                true
            }
        }
    }

    fn give_up_late_ones(&mut self) {
        let now = Instant::now();
        while self.waiting.front().is_some_and(|(_, sent)| *sent + self.options.timeout <= now) {
            self.waiting.pop_front();
        }
    }
}

/// The next message that says something of our requests.
async fn receive(
    socket: &AsyncFd<OwnedFd>,
    conversation: &Conversation,
    buffer: &mut [u8],
) -> io::Result<Heard> {
    loop {
        let received = socket.async_io(Interest::READABLE, |socket| {
            Ok(recvfrom(socket, &mut *buffer, RecvFlags::empty())?)
        });
        let (length, _, from) = match received.await {
            Ok(received) => received,
            Err(error) if is_answer_of_the_network(&error) => continue,
            Err(error) => return Err(error),
        };
        let from = from.and_then(|from| SocketAddr::try_from(from).ok()).map(|from| from.ip());
        if let Some(heard) = conversation.hear(&buffer[..length], from) {
            return Ok(heard);
        }
    }
}

fn check(destination: IpAddr, options: &Options) -> Result<(), Error> {
    let scoped = matches!(options.source, Some(Source::Link(_)));
    check_destination(destination, scoped)?;
    match &options.source {
        Some(Source::Address(source)) if source.is_ipv4() != destination.is_ipv4() => {
            return Err(Error::Invalid(format!(
                "`{destination}` can't be reached from `{source}`: one is IPv4, the other IPv6"
            )));
        }
        Some(Source::Address(source)) => check_destination(*source, false)?,
        Some(Source::Link(link)) => check_link_name(link)?,
        None => {}
    }
    if options.count == 0 || options.count > MOST_REQUESTS {
        return Err(Error::Invalid(format!("a ping sends 1 to {MOST_REQUESTS} requests")));
    }
    if options.size > MOST_PAYLOAD {
        return Err(Error::Invalid(format!(
            "an echo request holds at most {MOST_PAYLOAD} bytes, not {}",
            options.size
        )));
    }
    Ok(())
}

fn open_socket(destination: IpAddr, options: &Options) -> io::Result<OwnedFd> {
    let (domain, protocol) = match destination {
        IpAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4),
        IpAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6),
    };
    let socket = Socket::new(domain, Type::RAW, Some(protocol))?;
    socket.set_nonblocking(true)?;
    socket.set_broadcast(true)?;
    match destination {
        IpAddr::V4(_) => {
            let (whole, parts) = (Ipv4PathMtuDiscovery::DO, Ipv4PathMtuDiscovery::DONT);
            set_ip_mtu_discover(&socket, if options.whole { whole } else { parts })?;
        }
        IpAddr::V6(_) => {
            let (whole, parts) = (Ipv6PathMtuDiscovery::DO, Ipv6PathMtuDiscovery::DONT);
            set_ipv6_mtu_discover(&socket, if options.whole { whole } else { parts })?;
        }
    }
    match &options.source {
        None => {}
        Some(Source::Link(link)) => socket.bind_device(Some(link.as_bytes()))?,
        Some(Source::Address(address)) => socket.bind(&SocketAddr::new(*address, 0).into())?,
    }
    Ok(socket.into())
}

/// What a ping hears instead of a reply: no route, a route that forbids it (ip-route(8):
/// prohibit gives EACCES, blackhole EINVAL), a filter (EPERM), a packet too big for the path, a
/// link that is down, a neighbour that doesn't answer, an address family without an address.
fn is_answer_of_the_network(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(
            libc::EHOSTUNREACH
                | libc::ENETUNREACH
                | libc::EACCES
                | libc::EPERM
                | libc::EINVAL
                | libc::EMSGSIZE
                | libc::ENETDOWN
                | libc::EHOSTDOWN
                | libc::ENOBUFS
                | libc::EADDRNOTAVAIL
                | libc::ECONNREFUSED
                | libc::EPROTO
        )
    )
}

/// Different for each ping of this process, and mostly between processes.
fn next_identifier() -> u16 {
    static COUNT: AtomicU16 = AtomicU16::new(0);
    let process = std::process::id() as u16;
    process.wrapping_mul(251).wrapping_add(COUNT.fetch_add(1, Ordering::Relaxed))
}
