//! The transport against a peer that plays the kernel, for what the real one seldom does.

use std::collections::VecDeque;
use std::io;
use std::sync::Mutex;
use std::time::Duration;

use netlink_packet_core::{
    NLM_F_ACK_TLVS, NLM_F_CAPPED, NLM_F_CREATE, NLM_F_DUMP_INTR, NLM_F_EXCL, NLMSG_DONE,
    NLMSG_ERROR,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::LinkMessage;

use super::{Channel, Failure, Messages, Refusal, Request, Socket};
use crate::halt::Halt;
use crate::kernel::netlink::attributes::Nest;

/// What the peer does on the next receive.
enum Play {
    /// answers, by the place of the request in what was sent last
    Answer(Vec<(usize, u16, u16, Vec<u8>)>),
    Fail(i32),
}

#[derive(Default)]
struct Peer {
    plays: Mutex<VecDeque<Play>>,
    /// sequence numbers of what was sent last, and how many sends there were
    sent: Mutex<(Vec<u32>, usize)>,
}

impl Channel for &Peer {
    fn send(&self, bytes: &[u8]) -> io::Result<()> {
        let mut sent = self.sent.lock().expect("one thread");
        sent.0 = Messages(bytes).map(|message| message.sequence).collect();
        sent.1 += 1;
        Ok(())
    }

    fn receive(&self, buffer: &mut Vec<u8>) -> io::Result<()> {
        buffer.clear();
        let play = self.plays.lock().expect("one thread").pop_front();
        match play.expect("nothing more is received") {
            Play::Fail(errno) => Err(io::Error::from_raw_os_error(errno)),
            Play::Answer(all) => {
                let sent = self.sent.lock().expect("one thread");
                for (place, kind, flags, payload) in all {
                    let length = 16 + payload.len() as u32;
                    buffer.extend(length.to_ne_bytes());
                    buffer.extend(kind.to_ne_bytes());
                    buffer.extend(flags.to_ne_bytes());
                    buffer.extend(sent.0[place].to_ne_bytes());
                    buffer.extend(0_u32.to_ne_bytes());
                    buffer.extend(payload);
                    buffer.resize(buffer.len().next_multiple_of(4), 0);
                }
                Ok(())
            }
        }
    }
}

impl Peer {
    fn playing(plays: Vec<Play>) -> Self {
        Self { plays: Mutex::new(plays.into()), sent: Mutex::default() }
    }

    fn sends(&self) -> usize {
        self.sent.lock().expect("one thread").1
    }
}

/// NLMSG_ERROR with the request's header behind the code.
fn answer(errno: i32) -> Vec<u8> {
    [(-errno).to_ne_bytes().to_vec(), vec![0; 16]].concat()
}

fn acknowledged(place: usize, errno: i32) -> (usize, u16, u16, Vec<u8>) {
    (place, NLMSG_ERROR, NLM_F_CAPPED, answer(errno))
}

fn text(text: &str) -> Vec<u8> {
    let mut nest = Nest::new();
    nest.put(1, [text.as_bytes(), &[0]].concat());
    nest.put(2, 28_u32.to_ne_bytes());
    nest.bytes()
}

fn create() -> Request {
    let message = RouteNetlinkMessage::NewLink(LinkMessage::default());
    Request { message, flags: NLM_F_CREATE | NLM_F_EXCL }
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Failure>) -> Refusal {
    match answer {
        Err(Failure::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

fn dump() -> RouteNetlinkMessage {
    RouteNetlinkMessage::GetLink(LinkMessage::default())
}

fn part(flags: u16) -> (usize, u16, u16, Vec<u8>) {
    (0, 16, flags, vec![7; 4])
}

fn done(errno: i32, flags: u16, more: &[u8]) -> (usize, u16, u16, Vec<u8>) {
    (0, NLMSG_DONE, flags, [&(-errno).to_ne_bytes(), more].concat())
}

#[test]
fn the_extended_text_of_a_refusal_is_passed_on() {
    let payload = [answer(libc::EINVAL), text("Unknown device type")].concat();
    let flags = NLM_F_CAPPED | NLM_F_ACK_TLVS;
    let peer = Peer::playing(vec![Play::Answer(vec![(0, NLMSG_ERROR, flags, payload)])]);
    let refusal = refused(Socket::over(&peer).execute(&create()));
    let text = Some("Unknown device type".to_owned());
    assert_eq!(refusal, Refusal { errno: libc::EINVAL, text, offset: Some(28) });
}

#[test]
fn the_extended_text_behind_a_whole_request_is_found() {
    // Without NLM_F_CAPPED the request is echoed whole: here 16 bytes of header and 8 of body.
    let mut echoed = vec![0; 24];
    echoed[..4].copy_from_slice(&24_u32.to_ne_bytes());
    let code = (-libc::EPERM).to_ne_bytes().to_vec();
    let payload = [code, echoed, text("no")].concat();
    let peer = Peer::playing(vec![Play::Answer(vec![(0, NLMSG_ERROR, NLM_F_ACK_TLVS, payload)])]);
    assert_eq!(refused(Socket::over(&peer).execute(&create())).text.as_deref(), Some("no"));
}

#[test]
fn each_of_many_requests_gets_its_own_answer() {
    let peer = Peer::playing(vec![
        Play::Answer(vec![acknowledged(0, 0), acknowledged(2, libc::EBUSY)]),
        Play::Answer(vec![acknowledged(1, 0)]),
    ]);
    let answers =
        Socket::over(&peer).execute_all(&[create(), create(), create()], &Halt::default());
    let errors: Vec<_> = answers.into_iter().map(|one| one.is_err()).collect();
    assert_eq!(errors, [false, false, true]);
    assert_eq!(peer.sends(), 1);
}

#[test]
fn nothing_more_is_sent_once_work_may_not_go_on() {
    let peer = Peer::playing(Vec::new());
    let over = Halt::within(Duration::ZERO);
    let answers = Socket::over(&peer).execute_all(&[create(), create()], &over);
    assert_eq!(answers.len(), 2);
    assert!(answers.iter().all(|answer| matches!(answer, Err(Failure::Halted(_)))));
    assert_eq!(peer.sends(), 0);
}

#[test]
fn windows_grow_where_the_kernel_is_quick_and_shrink_where_it_is_slow() {
    let peer = Peer::playing(Vec::new());
    let mut socket = Socket::over(&peer);
    for (count, took, most) in [(16, 1, 32), (7, 1, 32), (32, 20, 32), (32, 51, 16), (1, 60, 1)] {
        socket.adapt(count, Duration::from_millis(took));
        assert_eq!(socket.most, most, "{count} in {took} ms");
    }
}

#[test]
fn a_lost_acknowledgement_is_asked_for_again() {
    for (again, wanted) in [(0, None), (libc::EEXIST, None), (libc::EPERM, Some(libc::EPERM))] {
        let peer = Peer::playing(vec![
            Play::Fail(libc::ENOBUFS),
            Play::Answer(vec![acknowledged(0, again)]),
        ]);
        let answer = Socket::over(&peer).execute(&create());
        let errno = answer.err().map(|failure| refused::<()>(Err(failure)).errno);
        assert_eq!(errno, wanted);
        assert_eq!(peer.sends(), 2);
    }
}

#[test]
fn a_lost_acknowledgement_of_a_removal_is_success_when_it_is_gone() {
    let message = RouteNetlinkMessage::DelLink(LinkMessage::default());
    let peer = Peer::playing(vec![
        Play::Fail(libc::EAGAIN),
        Play::Answer(vec![acknowledged(0, libc::ENODEV)]),
    ]);
    assert!(Socket::over(&peer).execute(&Request { message, flags: 0 }).is_ok());
}

#[test]
fn what_stays_unanswered_is_unknown_and_not_failed() {
    let peer = Peer::playing(vec![Play::Fail(libc::EAGAIN), Play::Fail(libc::EAGAIN)]);
    let answer = Socket::over(&peer).execute(&create());
    assert!(matches!(answer, Err(Failure::Unknown)));
}

#[test]
fn an_answer_to_an_older_request_is_passed_over() {
    let peer = Peer::playing(vec![
        Play::Fail(libc::EAGAIN),
        Play::Fail(libc::EAGAIN),
        Play::Answer(vec![acknowledged(0, 0)]),
    ]);
    let mut socket = Socket::over(&peer);
    assert!(socket.execute(&create()).is_err());
    let stale = peer.sent.lock().expect("one thread").0.clone();
    assert!(socket.execute(&create()).is_ok());
    assert_ne!(stale, peer.sent.lock().expect("one thread").0);
}

#[test]
fn an_interrupted_dump_is_repeated() {
    let peer = Peer::playing(vec![
        Play::Answer(vec![part(NLM_F_DUMP_INTR), done(0, 0, &[])]),
        Play::Answer(vec![part(0), part(0)]),
        Play::Answer(vec![done(0, 0, &[])]),
    ]);
    let parts = Socket::over(&peer).dump(&dump()).expect("a whole dump");
    assert_eq!(parts.len(), 2);
    assert_eq!(peer.sends(), 2);
}

#[test]
fn a_dump_that_lost_a_part_is_repeated() {
    let peer = Peer::playing(vec![
        Play::Fail(libc::ENOBUFS),
        Play::Answer(vec![part(0), done(0, 0, &[])]),
        Play::Answer(vec![part(0), part(0), done(0, 0, &[])]),
    ]);
    assert_eq!(Socket::over(&peer).dump(&dump()).expect("a whole dump").len(), 2);
}

#[test]
fn a_dump_that_is_always_interrupted_ends() {
    let interrupted = || Play::Answer(vec![part(NLM_F_DUMP_INTR), done(0, 0, &[])]);
    let peer = Peer::playing((0..16).map(|_| interrupted()).collect());
    let refusal = refused(Socket::over(&peer).dump(&dump()));
    assert_eq!(refusal.text.as_deref(), Some("the dump was interrupted by changes 16 times"));
}

#[test]
fn a_dump_that_fails_at_its_end_is_no_empty_one() {
    let end = done(libc::EINVAL, NLM_F_ACK_TLVS, &text("Invalid header for dump request"));
    let peer = Peer::playing(vec![Play::Answer(vec![end])]);
    let refusal = refused(Socket::over(&peer).dump(&dump()));
    assert_eq!(refusal.errno, libc::EINVAL);
    assert_eq!(refusal.text.as_deref(), Some("Invalid header for dump request"));
}

#[test]
fn one_object_is_the_first_message_or_its_refusal() {
    let peer = Peer::playing(vec![
        Play::Answer(vec![part(0)]),
        Play::Answer(vec![acknowledged(0, libc::ENODEV)]),
    ]);
    let mut socket = Socket::over(&peer);
    assert_eq!(socket.get(&dump()).expect("an object"), (16, vec![7; 4]));
    assert_eq!(refused(socket.get(&dump())).errno, libc::ENODEV);
}

#[test]
fn what_is_malformed_is_no_message() {
    assert_eq!(Messages(&[1, 2, 3]).count(), 0);
    let mut bytes = vec![0; 16];
    bytes[..4].copy_from_slice(&400_u32.to_ne_bytes());
    assert_eq!(Messages(&bytes).count(), 0);
    bytes[..4].copy_from_slice(&3_u32.to_ne_bytes());
    assert_eq!(Messages(&bytes).count(), 0);
}
