//! The root queueing discipline of a link: put, changed in place, replaced, removed.

use std::collections::HashMap;
use std::sync::Arc;

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};

use super::Netlink;
use super::explain::{explain, explain_with};
use super::find::on_link;
use super::qdisc_message as message;
use super::qdisc_told::alike;
use super::queueing::Loss;
use super::socket::{Failure, Refusal, Request};
use super::space::Space;
use crate::change::{
    Applied, Backlog, Chance, Change, Discipline, Distribution, Feature, LinkRef, Made,
    NamespaceRef, Netem, Qdisc, Tbf, Undo, Write,
};
use crate::kernel::Error;

/// By the namespace's cookie and the link's index: the handle, and which table it was given.
pub(super) type Tables = HashMap<(u64, u32), (u16, Distribution)>;

impl Netlink {
    pub(super) fn put_qdisc(
        &mut self,
        change: &Change,
        link: &LinkRef,
        (qdisc, how): (&Qdisc, Write),
        undoing: bool,
    ) -> Result<Applied, Error> {
        check(qdisc, how)?;
        let (space, raw) = self.resolve(link)?;
        let index = raw.index;
        let full = LinkRef { namespace: space.reference(), index: Some(index), ..link.clone() };
        let before = self.explicit(&space, index)?;
        let mut wanted = qdisc.clone();
        if let (Write::Change, Some(before)) = (how, &before) {
            wanted.discipline = over(wanted.discipline, &before.discipline);
        }
        whole(&wanted.discipline)?;
        let same = before.as_ref().filter(|before| {
            how == Write::Change
                || how == Write::Replace
                    && (qdisc.handle.is_none() || before.handle == qdisc.handle)
                    && before.discipline.kind() == qdisc.discipline.kind()
        });
        if undoing && before.as_ref().is_some_and(|before| is_back(before, qdisc)) {
            return Ok(Applied { made: Made::Nothing, undo: Undo::default() });
        }
        // A lab's new link has what the kernel gave it.
        if let Some(loss) = loss(how, same, &wanted)
            && (self.host.is_some() || how != Write::Add)
        {
            self.may_lose(&space, &raw, loss, undoing)?;
        }
        let afresh = before.as_ref().filter(|before| undoing && takes_over(before, &wanted));
        let sent = match same.filter(|_| afresh.is_none()) {
            Some(before) => put_in_place(&space, index, before, &wanted),
            None if afresh.is_some() => put_anew(&space, index, &wanted),
            None => space.execute(&message::put(index, &wanted, flags(how))),
        };
        sent.map_err(|failure| self.qdisc_error(failure, change, &space, &full, (qdisc, how)))?;
        self.remember_table(&space, index, &wanted.discipline);
        Ok(Applied { made: Made::Nothing, undo: back(full, before) })
    }

    pub(super) fn remove_qdisc(
        &mut self,
        change: &Change,
        link: &LinkRef,
        undoing: bool,
    ) -> Result<Applied, Error> {
        let (space, raw) = self.resolve(link)?;
        let index = raw.index;
        let before = self.explicit(&space, index)?;
        self.may_lose(&space, &raw, Loss::Root, undoing)?;
        let full = LinkRef { namespace: space.reference(), index: Some(index), ..link.clone() };
        space.execute(&message::delete(index)).map_err(|failure| match failure {
            Failure::Refused(Refusal { errno: libc::ENOENT | libc::EINVAL, .. })
                if before.is_none() =>
            {
                let hint = format!("`{}` has only the one that the kernel gave it", link.name);
                explain_with(failure, change, |_| Some(hint))
            }
            other => on_link(other, &space, &full, change),
        })?;
        self.tables.remove(&(space.cookie, index));
        let undo = before.map_or_else(Undo::default, |before| back(full, Some(before)));
        Ok(Applied { made: Made::Nothing, undo })
    }

    pub(super) fn qdisc(&self, link: &LinkRef) -> Result<Option<Qdisc>, Error> {
        let (space, index) = self.index_of(link)?;
        self.root_of(&space, index)
    }

    pub(super) fn qdiscs(&self, namespace: &NamespaceRef) -> Result<Vec<(String, Qdisc)>, Error> {
        let space = self.spaces.find(namespace)?;
        let failed = |failure| explain(failure, &"qdisc show");
        let links = space.links().map_err(failed)?;
        let parts = super::queueing::all(&space)?;
        let root = |link: &super::raw_link::RawLink| {
            let found = parts.iter().find_map(|part| message::read_root(part, link.index))?;
            Some((link.name.clone(), self.with_table(&space, link.index, found)))
        };
        Ok(links.iter().filter_map(root).collect())
    }

    fn root_of(&self, space: &Space, index: u32) -> Result<Option<Qdisc>, Error> {
        let parts = space.dump(&message::dump());
        let parts = parts.map_err(|failure| explain(failure, &"qdisc show"))?;
        let found = parts.iter().find_map(|part| message::read_root(part, index));
        Ok(found.map(|found| self.with_table(space, index, found)))
    }

    /// The one that somebody put there.
    pub(super) fn explicit(&self, space: &Space, index: u32) -> Result<Option<Qdisc>, Error> {
        Ok(self.root_of(space, index)?.filter(|found| found.handle.is_some()))
    }

    pub(super) fn with_table(&self, space: &Space, index: u32, mut qdisc: Qdisc) -> Qdisc {
        if let (Discipline::Netem(netem), Some((handle, table))) =
            (&mut qdisc.discipline, self.tables.get(&(space.cookie, index)))
            && qdisc.handle == Some(*handle)
        {
            netem.distribution = Some(*table);
        }
        qdisc
    }

    fn remember_table(&mut self, space: &Space, index: u32, discipline: &Discipline) {
        let key = (space.cookie, index);
        self.tables.remove(&key);
        let Discipline::Netem(Netem { distribution: Some(table), .. }) = discipline else { return };
        if let Ok(Some(Qdisc { handle: Some(handle), .. })) = self.root_of(space, index) {
            self.tables.insert(key, (handle, *table));
        }
    }

    pub(super) fn qdisc_error(
        &self,
        failure: Failure,
        change: &Change,
        space: &Arc<Space>,
        link: &LinkRef,
        (qdisc, how): (&Qdisc, Write),
    ) -> Error {
        if matches!(&failure, Failure::Refused(Refusal { errno: libc::ENODEV, .. })) {
            return on_link(failure, space, link, change);
        }
        if matches!(&failure, Failure::Refused(Refusal { errno: libc::ENOENT, .. }))
            && how != Write::Change
        {
            let feature = Feature::Discipline(qdisc.discipline.kind().to_owned());
            return Error::Unsupported(super::offered::lacking(&feature));
        }
        let there = link.index.and_then(|index| self.explicit(space, index).ok().flatten());
        explain_with(failure, change, |refusal| match refusal.errno {
            libc::EEXIST => {
                let there = there?;
                Some(format!("`{}` has `{there}` already; change or replace it", link.name))
            }
            libc::ENOENT => Some(format!("`{}` has none yet; add it", link.name)),
            libc::EINVAL => {
                let there = there.filter(|there| {
                    how == Write::Change && there.discipline.kind() != qdisc.discipline.kind()
                })?;
                Some(format!("`{}` has `{there}`; replace it", link.name))
            }
            _ => None,
        })
    }
}

fn flags(how: Write) -> u16 {
    match how {
        Write::Add => NLM_F_CREATE | NLM_F_EXCL,
        Write::Change => 0,
        // With NLM_F_EXCL always a new one, even of the same kind (tc_modify_qdisc,
        // net/sched/sch_api.c): an old table or queue does not live on in it.
        Write::Replace | Write::Append | Write::Prepend => {
            NLM_F_CREATE | NLM_F_REPLACE | NLM_F_EXCL
        }
    }
}

/// Alters a discipline under its handle. A table can't be taken away in place, so that then a new
/// one takes over.
fn put_in_place(space: &Space, index: u32, before: &Qdisc, wanted: &Qdisc) -> Result<(), Failure> {
    let handle = wanted.handle.or(before.handle);
    let wanted = Qdisc { handle, discipline: wanted.discipline.clone() };
    if message::has_table(&before.discipline) && !message::has_table(&wanted.discipline) {
        return put_anew(space, index, &wanted);
    }
    space.execute(&message::put(index, &wanted, flags(Write::Change)))
}

/// Whether a discipline is there as it was.
pub(super) fn is_back(now: &Qdisc, before: &Qdisc) -> bool {
    (before.handle.is_none() || now.handle == before.handle)
        && alike(&now.discipline, &before.discipline)
}

/// What puts the former state of a link back.
pub(super) fn back(link: LinkRef, before: Option<Qdisc>) -> Undo {
    let step = match before {
        Some(qdisc) => Change::PutQdisc { link, qdisc, how: Write::Replace },
        None => Change::RemoveQdisc { link },
    };
    Undo { steps: vec![step] }
}

/// Whether a discipline is as another one asks for, in all that it names. Both are compared as what
/// is sent for them: the kernel rounds what it is told. It does not tell the table of the jitter.
pub(super) fn is_as_asked(now: &Qdisc, wanted: &Qdisc) -> bool {
    let sent = |discipline: Discipline| {
        let discipline = match discipline {
            Discipline::Netem(netem) => Discipline::Netem(Netem { distribution: None, ..netem }),
            other => other,
        };
        message::put(1, &Qdisc { handle: None, discipline }, flags(Write::Replace)).message
    };
    match &wanted.discipline {
        wanted if wanted.kind() != now.discipline.kind() => false,
        Discipline::Other { options: None, .. } => true,
        wanted => sent(over(wanted.clone(), &now.discipline)) == sent(now.discipline.clone()),
    }
}

pub(super) fn add_request(index: u32, qdisc: &Qdisc) -> Request {
    message::put(index, qdisc, flags(Write::Add))
}

/// What is known of an addition beforehand; none where more is to be done than to send it.
pub(super) fn add_applied(link: &LinkRef, qdisc: &Qdisc) -> Option<Applied> {
    let alone = !message::has_table(&qdisc.discipline) && whole(&qdisc.discipline).is_ok();
    alone.then(|| Applied { made: Made::Nothing, undo: back(link.clone(), None) })
}

/// What the link loses of what it has.
fn loss(how: Write, same: Option<&Qdisc>, wanted: &Qdisc) -> Option<Loss> {
    let Some(same) = same else {
        // What the kernel gave it may have filters by now.
        return (how != Write::Change).then_some(Loss::Root);
    };
    let tables = (message::has_table(&same.discipline), message::has_table(&wanted.discipline));
    match (&same.discipline, &wanted.discipline) {
        (Discipline::Netem(_), Discipline::Netem(_)) if tables == (true, false) => Some(Loss::Root),
        (Discipline::Netem(_), Discipline::Netem(_)) if tables.1 => Some(Loss::Table),
        (Discipline::Netem(_), Discipline::Netem(_)) | (Discipline::Tbf(_), Discipline::Tbf(_)) => {
            Some(Loss::Options)
        }
        // Nothing is sent, or the kernel's usual options, which may take bands away.
        (
            Discipline::Netem(_) | Discipline::Tbf(_) | Discipline::Other { .. },
            Discipline::Netem(_) | Discipline::Tbf(_) | Discipline::Other { .. },
        ) => Some(Loss::Root),
    }
}

/// Whether what is put back can't be made of what is there: another kind has its handle, or its
/// options can't all be altered in place (fq_codel_change and its like).
fn takes_over(there: &Qdisc, wanted: &Qdisc) -> bool {
    let alters = match (&there.discipline, &wanted.discipline) {
        (Discipline::Netem(_), Discipline::Netem(_)) | (Discipline::Tbf(_), Discipline::Tbf(_)) => {
            true
        }
        (
            Discipline::Netem(_) | Discipline::Tbf(_) | Discipline::Other { .. },
            Discipline::Netem(_) | Discipline::Tbf(_) | Discipline::Other { .. },
        ) => false,
    };
    wanted.handle == there.handle && !alters
}

/// Under a handle that is taken nothing new is made.
fn put_anew(space: &Space, index: u32, wanted: &Qdisc) -> Result<(), Failure> {
    space.execute(&message::delete(index))?;
    space.execute(&message::put(index, wanted, flags(Write::Add)))
}

/// What is asked for, with what it does not say as it was.
fn over(wanted: Discipline, before: &Discipline) -> Discipline {
    match (wanted, before) {
        (Discipline::Netem(wanted), Discipline::Netem(before)) => {
            Discipline::Netem(wanted.over(before.clone()))
        }
        (Discipline::Tbf(wanted), Discipline::Tbf(before)) => {
            Discipline::Tbf(wanted.over(before.clone()))
        }
        // Of another kind: the kernel says so.
        (wanted, _) => wanted,
    }
}

/// What can be told of a discipline alone.
pub(super) fn check(qdisc: &Qdisc, how: Write) -> Result<(), Error> {
    if matches!(how, Write::Append | Write::Prepend) {
        let rule = "a queueing discipline is added, changed or replaced";
        return Err(Error::Invalid(rule.to_owned()));
    }
    match &qdisc.discipline {
        Discipline::Netem(netem) => check_netem(netem)?,
        Discipline::Tbf(tbf) => check_tbf(tbf)?,
        Discipline::Other { kind, .. } => {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            if kind.is_empty() || kind.len() > 15 || !kind.bytes().all(plain) {
                let shown = kind.escape_debug();
                let rule = format!("`{shown}` can't be a kind of queueing discipline");
                return Err(Error::Invalid(rule));
            }
        }
    }
    if how == Write::Change { Ok(()) } else { whole(&qdisc.discipline) }
}

fn invalid(sentence: &str) -> Result<(), Error> {
    Err(Error::Invalid(sentence.to_owned()))
}

fn check_netem(netem: &Netem) -> Result<(), Error> {
    let chances = [
        ("loss", netem.loss),
        ("duplicate", netem.duplicate),
        ("corrupt", netem.corrupt),
        ("reorder", netem.reorder.map(|reorder| reorder.chance)),
    ];
    for (word, chance) in chances {
        let Some(Chance { percent, correlation }) = chance else { continue };
        check_percent(word, percent)?;
        check_percent(&format!("{word}'s correlation"), correlation)?;
    }
    check_percent("delay's correlation", netem.delay_correlation.unwrap_or(0.0))?;
    if netem.reorder.is_some_and(|reorder| reorder.gap == 0) {
        return invalid("`gap` of netem must be at least 1");
    }
    if netem.rate.is_some_and(|rate| rate < 8) {
        return invalid("`rate` of netem must be at least 8 bits a second, one byte");
    }
    if netem.limit == Some(0) {
        return invalid("`limit` of netem must be at least 1 packet");
    }
    let longest = i64::MAX.unsigned_abs();
    if netem.delay.max(netem.jitter).is_some_and(|time| time > longest) {
        return invalid("a delay of netem must be less than 292 years");
    }
    Ok(())
}

fn check_percent(what: &str, percent: f64) -> Result<(), Error> {
    if (0.0..=100.0).contains(&percent) {
        return Ok(());
    }
    Err(Error::Invalid(format!("{what} of netem must be 0 to 100 percent, not {percent}")))
}

fn check_tbf(tbf: &Tbf) -> Result<(), Error> {
    if tbf.rate.is_some_and(|rate| rate < 8) {
        return invalid("`rate` of tbf must be at least 8 bits a second, one byte");
    }
    if tbf.burst == Some(0) {
        return invalid("`burst` of tbf must be at least one byte, and hold the largest packet");
    }
    if tbf.peak.is_some_and(|(_, mtu)| mtu == 0) {
        return invalid("`peakrate` of tbf needs the bytes of the largest packet, `mtu`");
    }
    Ok(())
}

/// What a discipline needs when all of it is known.
fn whole(discipline: &Discipline) -> Result<(), Error> {
    match discipline {
        Discipline::Netem(netem) => {
            let waits = netem.delay.is_some_and(|delay| delay > 0);
            if netem.reorder.is_some() && !waits {
                return invalid(
                    "`reorder` of netem needs a `delay`, which some packets don't wait for",
                );
            }
            let varies = netem.jitter.is_some_and(|jitter| jitter > 0);
            let shaped = netem.distribution.is_some_and(|one| one != Distribution::Uniform);
            if shaped && !varies {
                return invalid("`distribution` of netem is of its jitter: say `delay` and jitter");
            }
            Ok(())
        }
        Discipline::Tbf(tbf) => whole_tbf(tbf),
        Discipline::Other { .. } => Ok(()),
    }
}

fn whole_tbf(tbf: &Tbf) -> Result<(), Error> {
    let (Some(rate), Some(_), Some(backlog)) = (tbf.rate, tbf.burst, tbf.backlog) else {
        return invalid("tbf needs `rate`, `burst`, and either `latency` or `limit`");
    };
    if tbf.peak.is_some_and(|(peak, _)| peak <= rate) {
        return invalid("`peakrate` of tbf must be above its `rate`");
    }
    if message::backlog_bytes(tbf) > u64::from(u32::MAX) {
        return invalid("`latency` of tbf lets more than 4 GiB wait at this rate");
    }
    match backlog {
        Backlog::Limit(0) => invalid("`limit` of tbf must be at least one byte"),
        Backlog::Limit(_) | Backlog::Latency(_) => Ok(()),
    }
}
