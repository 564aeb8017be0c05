//! The door for fuzzers: arbitrary bytes as what a kernel answers. Only builds for fuzzing have it.

use std::cell::RefCell;
use std::fmt::Display;
use std::io;

use netlink_packet_core::{Emitable as _, NLMSG_DONE};
use netlink_packet_route::RouteNetlinkMessage;

use super::raw_link::{RawLink, get_link};
use super::socket::{Body, Channel, Request, Socket};
use super::{address, entry, neighbour, port_vlan, qdisc_message, route_message, rule, show};
use crate::change::{Discipline, Qdisc, Write};
use crate::kernel::kind::{self, macvlan};

/// What the kernel says, datagram after datagram; afterwards it is silent.
struct Recorded<'a>(RefCell<&'a [u8]>);

impl<'a> Recorded<'a> {
    fn of(bytes: &'a [u8]) -> Self {
        Self(RefCell::new(bytes))
    }

    /// Each has its length before it, in two bytes.
    fn next(&self) -> Option<&'a [u8]> {
        let mut rest = self.0.borrow_mut();
        let (length, after) = rest.split_first_chunk::<2>()?;
        let (one, after) =
            after.split_at_checked(u16::from_le_bytes(*length).into()).unwrap_or((after, &[]));
        *rest = after;
        Some(one)
    }
}

impl Channel for &Recorded<'_> {
    fn send(&self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn receive(&self, buffer: &mut Vec<u8>) -> io::Result<()> {
        buffer.clear();
        let next = self.next().ok_or_else(|| io::Error::from_raw_os_error(libc::EAGAIN))?;
        buffer.extend_from_slice(next);
        Ok(())
    }
}

/// The transport: a dump, a question for one object, two requests.
///
/// # Panics
/// Where a dump without an end is taken for a whole one.
pub fn converse(bytes: &[u8]) {
    let message = get_link(None, None, false);
    if Socket::over(&Recorded::of(bytes)).dump(&message).is_ok() {
        let datagrams = Recorded::of(bytes);
        let mut all = std::iter::from_fn(|| datagrams.next());
        assert!(all.any(ends), "a dump that did not end is no dump");
    }
    // The verdicts on these are the fuzzer's own bytes: any is right, but there has to be one.
    let _ = Socket::over(&Recorded::of(bytes)).get(&message);
    let request = Request { message, flags: 0 };
    let answers = Socket::over(&Recorded::of(bytes))
        .execute_all(&[request.clone(), request], &crate::halt::Halt::default());
    assert_eq!(answers.len(), 2);
}

/// Whether there could be an NLMSG_DONE in it, found without following lengths.
fn ends(datagram: &[u8]) -> bool {
    let done = NLMSG_DONE.to_ne_bytes();
    datagram.chunks(4).any(|word| word.get(..2) == Some(&done))
}

/// The bytes as one part of a dump of each kind of object. `show` gets each line that a person
/// would read of them.
pub fn decode(bytes: &[u8], show: &mut dyn FnMut(&dyn Display)) {
    let body: Body = (0, bytes.to_vec());
    let links: Vec<RawLink> = RawLink::parse(&body).into_iter().collect();
    links.iter().for_each(|link| read_link(link, show));
    let index = word(bytes, 4);
    if let Some((_, found)) = address::info(bytes, &links) {
        show(&found.address);
    }
    if let Some((_, found)) = neighbour::read(bytes) {
        show(&found);
    }
    let _entry = (entry::Row::read(bytes), index);
    if let Some(route) = route_message::read(bytes, &links) {
        show(&route);
        assert!(route_message::same(&route, &route));
    }
    if let Some(route) = route_message::read_any(bytes, &links) {
        show(&route);
    }
    rule::read(bytes).iter().for_each(|rule| show(rule));
    read_qdisc(&body, index, show);
    port_vlan::read_vlans(&[body], index).iter().for_each(|vlan| show(vlan));
}

fn read_link(raw: &RawLink, show: &mut dyn FnMut(&dyn Display)) {
    let mut name_of = |index: u32| index.is_multiple_of(2).then(|| format!("if{index}"));
    let kind = raw.kind();
    let mut data = kind::read(&kind, raw.data(), &mut name_of);
    if let Some(master) = raw.slave_kind() {
        data.extend(show::port_data(&master, raw, &mut name_of));
    }
    data.extend(show::extra(raw));
    data.iter().for_each(|attribute| show(attribute));
    let _words = (raw.flag_words(), raw.operational_state(), raw.statistics(), raw.alias());
    let _numbers = (raw.mac(), raw.broadcast(), raw.link(), raw.link_nsid(), raw.master());
    let _state = macvlan::state(raw.data());
}

/// What was read is sent again when a change is undone.
fn read_qdisc(body: &Body, index: u32, show: &mut dyn FnMut(&dyn Display)) {
    let Some(found) = qdisc_message::read_root(body, index) else { return };
    show(&found);
    let Some(bytes) = sent(index, &found) else { return };
    let again = qdisc_message::read_root(&(0, bytes.clone()), index);
    let again = again.expect("our own message is understood");
    assert_eq!(again.handle, found.handle);
    // What netem and tbf take is rounded to the kernel's ticks; where nothing was told of another one's
    // options, what it is sent is what the kernel has usually.
    if let Discipline::Other { .. } = &found.discipline {
        assert_eq!(sent(index, &again), Some(bytes));
    }
    let _rule = super::qdisc::check(&found, Write::Add);
}

fn sent(index: u32, qdisc: &Qdisc) -> Option<Vec<u8>> {
    let request = qdisc_message::put(index, qdisc, 0);
    let RouteNetlinkMessage::NewQueueDiscipline(message) = request.message else { return None };
    let mut bytes = vec![0; message.buffer_len()];
    message.emit(&mut bytes);
    Some(bytes)
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(super::attributes::u32_of).unwrap_or(0)
}
