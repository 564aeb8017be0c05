//! What queues on a link of others', and hangs there on what queues: lost only where all of it can be
//! put back as the kernel tells it.
//!
//! netwright puts root disciplines back, and nothing that hangs on them. So whatever makes the kernel
//! drop one is refused before anything is touched, unless that one is all that there is.

use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::tc::{TcHandle, TcMessage};

use super::Netlink;
use super::explain::explain;
use super::qdisc_message as message;
use super::qdisc_told::{Told, unknown_table};
use super::raw_link::RawLink;
use super::socket::{Body, Failure, Refusal};
use super::space::Space;
use crate::change::{Change, LinkRef, Qdisc, Write};
use crate::kernel::Error;
use crate::text::help;

/// Kinds whose classes come with them, or are made by filters of theirs.
const CLASSFUL: &[&str] = &["ets", "mqprio", "taprio", "cbq", "dsmark", "atm"];

/// What a change takes from a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loss {
    /// the options of its root discipline, which stays
    Options,
    /// the same, and the table of its jitter
    Table,
    /// its root discipline, with all that hangs on it
    Root,
    /// all that queues on it, on its way in as well
    All,
}

impl Netlink {
    /// Refuses a loss that could not be made good. In a lab, and of what the run has made itself, it
    /// is only heeded what hangs there.
    pub(super) fn may_lose(
        &self,
        space: &Space,
        link: &RawLink,
        loss: Loss,
        undoing: bool,
    ) -> Result<(), Error> {
        let parts = all(space)?;
        let mine: Vec<Told<'_>> = parts.iter().filter_map(Told::of).collect();
        let mine: Vec<&Told<'_>> = mine.iter().filter(|told| told.index == link.index).collect();
        if let Some((what, why)) = hanging(space, link, &mine, loss)? {
            return Err(refusal(link, &what, &why));
        }
        let root = parts.iter().find_map(|part| message::read_root(part, link.index));
        let Some(root) = root.filter(|root| root.handle.is_some()) else { return Ok(()) };
        if undoing || !self.is_others_root(space, link, &root) {
            return Ok(());
        }
        let root = self.with_table(space, link.index, root);
        let told = mine.iter().find(|told| told.is_root());
        let why = told.and_then(|told| told.irreparable(&root)).or_else(|| match loss {
            Loss::Options => None,
            Loss::Table | Loss::Root | Loss::All => unknown_table(&root.discipline),
        });
        why.map_or(Ok(()), |why| Err(refusal(link, root.discipline.kind(), &why)))
    }

    /// Whether a link of others' has a root discipline by now that is not the run's: what the run put
    /// there, or had put back, somebody has replaced, and what they have put there stays.
    pub(super) fn was_replaced(&self, link: &LinkRef) -> bool {
        let root = || -> Option<bool> {
            let (space, raw) = self.resolve(link).ok()?;
            let root = self.explicit(&space, raw.index).ok()??;
            Some(self.is_others_root(&space, &raw, &root))
        };
        root().unwrap_or(false)
    }

    /// Whether a link is somebody else's, wherever it is.
    pub(super) fn is_of_others(&self, space: &Space, link: &RawLink) -> bool {
        let own = space.own || self.is_own(space, link);
        self.host.is_some() && (!own || self.is_borrowed(space, link))
    }

    fn is_others_root(&self, space: &Space, link: &RawLink, root: &Qdisc) -> bool {
        self.is_of_others(space, link) && !self.has_put_qdisc(space, link.index, root)
    }

    /// What puts the root discipline of a link back that the kernel drops.
    pub(super) fn queueing_back(
        &self,
        space: &Space,
        link: &RawLink,
        home: LinkRef,
    ) -> Result<Option<Change>, Error> {
        let parts = all(space)?;
        let root = parts.iter().find_map(|part| message::read_root(part, link.index));
        let root = root.filter(|root| root.handle.is_some());
        let root = root.map(|root| self.with_table(space, link.index, root));
        Ok(root.map(|qdisc| Change::PutQdisc { link: home, qdisc, how: Write::Replace }))
    }
}

/// All disciplines of a namespace; a kernel without queueing has none.
pub(super) fn all(space: &Space) -> Result<Vec<Body>, Error> {
    match space.dump(&message::dump()) {
        Err(Failure::Refused(Refusal { errno: libc::EOPNOTSUPP, .. })) => Ok(Vec::new()),
        answer => answer.map_err(|failure| explain(failure, &"qdisc show")),
    }
}

/// What hangs on a discipline that is lost, and can't be put back: the discipline's kind, and why.
fn hanging(
    space: &Space,
    link: &RawLink,
    mine: &[&Told<'_>],
    loss: Loss,
) -> Result<Option<(String, String)>, Error> {
    if let (Loss::All, Some(ingress)) = (loss, mine.iter().find(|told| told.is_ingress())) {
        let why = "netwright puts root disciplines back, and no others".to_owned();
        return Ok(Some((ingress.kind(), why)));
    }
    let Some(root) = mine.iter().find(|told| told.is_root()) else { return Ok(None) };
    let kind = root.kind();
    let below = mine.iter().find(|told| told.is_below_root() && told.is_put());
    let found = |why: String| Ok(Some((kind.clone(), why)));
    match loss {
        // A queue below takes its limit from a tbf that is altered (fifo_set_limit, net/sched).
        Loss::Options | Loss::Table if kind != "tbf" => return Ok(None),
        Loss::Options | Loss::Table | Loss::Root | Loss::All => {}
    }
    if let Some(below) = below {
        return found(format!("`{}` hangs below it", below.kind()));
    }
    if matches!(loss, Loss::Options | Loss::Table) {
        return Ok(None);
    }
    for ask in [RouteNetlinkMessage::GetTrafficFilter, RouteNetlinkMessage::GetTrafficChain] {
        if !parts_of(space, ask(about(link.index, root.handle)))?.is_empty() {
            return found("it has filters".to_owned());
        }
    }
    let classes = parts_of(space, message::dump_classes(link.index))?;
    let made = match kind.as_str() {
        // That of `hfsc` itself, which has its number, comes with it (hfsc_init_qdisc).
        "htb" | "hfsc" | "drr" | "qfq" => classes.iter().any(message::is_made_class),
        other => CLASSFUL.contains(&other),
    };
    if made { found("it has classes".to_owned()) } else { Ok(None) }
}

fn about(index: u32, parent: u32) -> TcMessage {
    let mut message = TcMessage::default();
    message.header.index = index.cast_signed();
    message.header.parent = TcHandle::from(parent);
    message
}

/// A kernel without filters or classes has none.
fn parts_of(space: &Space, message: RouteNetlinkMessage) -> Result<Vec<Body>, Error> {
    match space.dump(&message) {
        Err(Failure::Refused(Refusal { errno: libc::EOPNOTSUPP, .. })) => Ok(Vec::new()),
        answer => answer.map_err(|failure| explain(failure, &"filter show")),
    }
}

fn refusal(link: &RawLink, what: &str, why: &str) -> Error {
    let (what, name) = (what.escape_debug(), link.name.escape_debug());
    Error::Invalid(format!(
        "`{what}` of `{name}` can't be put back: {why}{}",
        help("delete it with the tool that made it")
    ))
}
