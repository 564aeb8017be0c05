//! ICMP echo, RFC 792 and RFC 4443.

use std::cell::Cell;
use std::net::IpAddr;
use std::time::Duration;

use super::{PATIENCE, milliseconds};
use crate::host;
use crate::link::reference::namespace_words;
use crate::pending::Pending;
use crate::report;
use crate::wit::probes::{Echo, PingOptions};
use crate::{Error, IntoAddress, LinkReference, Namespace, Result};

/// Echo requests to be sent: one, unless told otherwise, each given a second for its answer.
#[derive(Debug, Clone)]
#[must_use = "a ping is sent by `run`, `expect_reply`, `expect_silence` or `start`"]
pub struct Ping {
    namespace: Namespace,
    request: Pending<Request>,
}

#[derive(Debug, Clone)]
struct Request {
    destination: IpAddr,
    options: PingOptions,
}

impl Ping {
    pub(crate) fn new(namespace: Namespace, destination: impl IntoAddress) -> Self {
        let options = PingOptions {
            count: 1,
            interval_ms: 200,
            timeout_ms: milliseconds(PATIENCE),
            size: 56,
            whole: false,
            source: None,
        };
        let destination = destination.into_address();
        let request = destination.map(|destination| Request { destination, options });
        Self { namespace, request: Pending::new(request) }
    }

    fn set(mut self, set: impl FnOnce(&mut PingOptions)) -> Self {
        self.request.set(|request| set(&mut request.options));
        self
    }

    /// How many requests. As `-c COUNT`.
    pub fn count(self, count: u32) -> Self {
        self.set(|options| options.count = count)
    }

    /// The time from one request to the next. As `-i SECONDS`.
    pub fn interval(self, interval: Duration) -> Self {
        self.set(|options| options.interval_ms = milliseconds(interval))
    }

    /// How long each reply is waited for. As `-W SECONDS`.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.set(|options| options.timeout_ms = milliseconds(timeout))
    }

    /// Bytes of payload. As `-s BYTES`.
    pub fn size(self, bytes: u16) -> Self {
        self.set(|options| options.size = bytes)
    }

    /// Forbids fragments on the way. As `-M do`.
    pub fn whole(self) -> Self {
        self.set(|options| options.whole = true)
    }

    /// From one link of the namespace. As `-I LINK`.
    pub fn from_link(mut self, link: impl LinkReference) -> Self {
        let name = link.path().and_then(|path| path.name_in(self.namespace.name(), "link"));
        self.request.put(name, |request, name| request.options.source = Some(name));
        self
    }

    /// From one address of the namespace. As `-I ADDRESS`.
    pub fn from_address(mut self, address: impl IntoAddress) -> Self {
        let address = address.into_address();
        self.request
            .put(address, |request, address| request.options.source = Some(address.to_string()));
        self
    }

    /// Sends the requests and counts the replies; that none comes is a result, not an error.
    pub fn run(self) -> Result<Echo> {
        let Request { destination, options } = self.request.finish()?;
        Ok(host::probes::ping(self.namespace.handle(), destination.into(), &options)?)
    }

    /// Sends the requests while the recipe does something else, such as answering them.
    pub fn start(self) -> Result<Pinging> {
        let Request { destination, options } = self.request.finish()?;
        let handle =
            host::probes::Pinging::start(self.namespace.handle(), destination.into(), &options)?;
        Ok(Pinging { handle, result: Cell::new(None) })
    }

    /// A check of the report: a reply comes to each request. It is an error if one doesn't.
    pub fn expect_reply(self) -> Result<()> {
        let name = self.title("reaches")?;
        let echo = self.run()?;
        let held = echo.sent > 0 && echo.received >= echo.sent;
        judge(&name, held, &words(&echo))
    }

    /// A check of the report: no reply comes to any request. It is an error if one does.
    pub fn expect_silence(self) -> Result<()> {
        let name = self.title("does not reach")?;
        let echo = self.run()?;
        judge(&name, echo.received == 0, &words(&echo))
    }

    fn title(&self, verb: &str) -> Result<String> {
        let destination = self.request.clone().finish()?.destination;
        Ok(format!("{} {verb} {destination}", namespace_words(self.namespace.name())))
    }
}

fn words(echo: &Echo) -> String {
    let replies = format!("{} of {} replies", echo.received, echo.sent);
    if echo.received == 0 { replies } else { format!("{replies}, {} us", echo.average_us) }
}

/// The verdict goes into the report; the error ends a recipe that passes it on.
pub(super) fn judge(name: &str, held: bool, detail: &str) -> Result<()> {
    report::check(name, held, detail);
    if held { Ok(()) } else { Err(Error::unmet(format!("{name}: {detail}"))) }
}

/// Echo requests under way. Dropping it stops them.
#[derive(Debug)]
pub struct Pinging {
    handle: host::probes::Pinging,
    /// the host gives the result once
    result: Cell<Option<Echo>>,
}

impl Pinging {
    /// The result, once the last reply has come or its time is over.
    pub fn finished(&self) -> Result<Option<Echo>> {
        if self.result.get().is_none() {
            self.result.set(self.handle.finished()?);
        }
        Ok(self.result.get())
    }
}
