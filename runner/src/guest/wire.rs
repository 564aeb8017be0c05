//! What crosses between the broker and a guest's process: values as postcard, each message with its
//! length before it. What comes from a guest is bounded before anything is made of it.

use std::io;
use std::os::fd::AsFd;

use postcard::de_flavors::Flavor;
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use rustix::thread::sched_yield;
use serde::de::{DeserializeOwned, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wasmtime::component::Resource;

use crate::host::bindings::netwright::host::addresses::AddressFlags;
use crate::host::bindings::netwright::host::types;
use crate::host::{Host, MOST_PARTS, Refusal, Weight};

/// Bytes of a message's length.
const HEAD: usize = 4;

/// How often is looked before it is waited: some fifty microseconds.
const LOOKS: usize = 100;

/// A value that crosses as it is.
pub(super) trait Plain: Serialize + DeserializeOwned {}

/// A value of the contract, as it crosses.
pub(super) trait Cross {
    type Wire: Serialize + DeserializeOwned;
    fn outward(self) -> Self::Wire;
    fn inward(wire: Self::Wire) -> Self;
}

impl<T: Plain> Cross for T {
    type Wire = Self;
    fn outward(self) -> Self {
        self
    }
    fn inward(wire: Self) -> Self {
        wire
    }
}

/// A handle is a number, which means something to the broker's table alone: that looks up whether
/// there is such a one, and of which kind.
impl<T: 'static> Cross for Resource<T> {
    type Wire = u32;
    fn outward(self) -> u32 {
        self.rep()
    }
    fn inward(wire: u32) -> Self {
        Self::new_own(wire)
    }
}

impl Cross for Vec<u8> {
    type Wire = Bytes;
    fn outward(self) -> Bytes {
        Bytes(self)
    }
    fn inward(wire: Bytes) -> Self {
        wire.0
    }
}

impl Cross for Vec<Vec<u8>> {
    type Wire = Vec<Bytes>;
    fn outward(self) -> Vec<Bytes> {
        self.into_iter().map(Bytes).collect()
    }
    fn inward(wire: Vec<Bytes>) -> Self {
        wire.into_iter().map(|bytes| bytes.0).collect()
    }
}

/// Bytes that cross in one piece.
#[derive(Debug, PartialEq)]
pub(super) struct Bytes(pub(super) Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Piece;
        impl Visitor<'_> for Piece {
            type Value = Bytes;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }
        }
        deserializer.deserialize_byte_buf(Piece)
    }
}

/// The generator of the bindings derives nothing for flags.
const ADDRESS_FLAGS: [AddressFlags; 6] = [
    AddressFlags::NODAD,
    AddressFlags::HOME,
    AddressFlags::MNGTMPADDR,
    AddressFlags::NOPREFIXROUTE,
    AddressFlags::AUTOJOIN,
    AddressFlags::OPTIMISTIC,
];

impl Serialize for AddressFlags {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ADDRESS_FLAGS.map(|flag| self.contains(flag)).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for AddressFlags {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let set = <[bool; ADDRESS_FLAGS.len()]>::deserialize(deserializer)?;
        let flags = ADDRESS_FLAGS.into_iter().zip(set).filter(|(_, set)| *set);
        Ok(flags.fold(Self::empty(), |flags, (flag, _)| flags | flag))
    }
}

/// What a function of the contract answers, as it crosses.
pub(super) trait Reply: Sized {
    type Wire: Serialize + DeserializeOwned;
    /// The broker's side; what stops the recipe doesn't cross.
    fn outward(self, host: &mut Host) -> wasmtime::Result<Self::Wire>;
    fn inward(wire: Self::Wire) -> Self;
    /// Instead of an answer: the way to the broker is lost.
    fn lost(error: wasmtime::Error) -> Self;
}

impl<T: Cross> Reply for wasmtime::Result<T> {
    type Wire = T::Wire;
    fn outward(self, _: &mut Host) -> wasmtime::Result<Self::Wire> {
        self.map(T::outward)
    }
    fn inward(wire: Self::Wire) -> Self {
        Ok(T::inward(wire))
    }
    fn lost(error: wasmtime::Error) -> Self {
        Err(error)
    }
}

impl<T: Cross> Reply for Result<T, Refusal> {
    type Wire = Result<T::Wire, types::Error>;
    fn outward(self, host: &mut Host) -> wasmtime::Result<Self::Wire> {
        match self {
            Ok(value) => Ok(Ok(value.outward())),
            Err(refusal) => host.told(refusal).map(Err),
        }
    }
    fn inward(wire: Self::Wire) -> Self {
        wire.map(T::inward).map_err(Refusal::Told)
    }
    fn lost(error: wasmtime::Error) -> Self {
        Err(Refusal::Trap(error))
    }
}

/// Writes a message behind what the buffer holds.
pub(super) fn encode<T: Serialize>(value: &T, mut buffer: Vec<u8>) -> io::Result<Vec<u8>> {
    let start = buffer.len();
    buffer.extend([0; HEAD]);
    let mut buffer = postcard::to_extend(value, buffer).map_err(io::Error::other)?;
    let length = u32::try_from(buffer.len() - start - HEAD)
        .map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
    buffer[start..start + HEAD].copy_from_slice(&length.to_ne_bytes());
    Ok(buffer)
}

/// Bytes as they come, until they are a message.
#[derive(Default)]
pub(super) struct Inbox {
    buffer: Vec<u8>,
    /// where what was read begins and ends
    start: usize,
    end: usize,
}

/// A message is longer than may be.
#[derive(Debug)]
pub(super) struct TooLong;

impl Inbox {
    const ROOM: usize = 16 << 10;

    /// The next whole message, if it has come.
    pub(super) fn take(&mut self, longest: usize) -> Result<Option<&[u8]>, TooLong> {
        let there = &self.buffer[self.start..self.end];
        let Some((head, rest)) = there.split_first_chunk::<HEAD>() else { return Ok(None) };
        let length = u32::from_ne_bytes(*head) as usize;
        if length > longest {
            return Err(TooLong);
        }
        if rest.len() < length {
            return Ok(None);
        }
        let from = self.start + HEAD;
        self.start = from + length;
        Ok(Some(&self.buffer[from..from + length]))
    }

    /// Where more can be read to. It grows with what comes, never with what is announced.
    pub(super) fn room(&mut self) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        if self.buffer.len() < self.end + Self::ROOM {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            let room = self.end.max(Self::ROOM);
            self.buffer.resize(self.end + room, 0);
        }
        &mut self.buffer[self.end..]
    }

    pub(super) fn came(&mut self, bytes: usize) {
        self.end += bytes;
    }
}

/// Looks for what the other end of a socket has to say, for as long as most answers take: to be
/// woken up on another processor takes longer than that, in a virtual machine many times so. `None`:
/// nothing came, and it is time to wait.
pub(super) fn look(socket: impl AsFd, room: &mut [u8]) -> io::Result<Option<usize>> {
    for _ in 0..LOOKS {
        match recv(socket.as_fd(), &mut *room, RecvFlags::DONTWAIT) {
            Ok((bytes, _)) => return Ok(Some(bytes)),
            // The other end may be waiting for this processor.
            Err(Errno::AGAIN) => sched_yield(),
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(None)
}

/// Reads a message that one of ours wrote.
pub(super) fn decode<T: DeserializeOwned>(message: &[u8]) -> io::Result<T> {
    postcard::from_bytes(message).map_err(io::Error::other)
}

/// Reads a message of a guest's: all of it, and nothing behind it. With what it weighs.
pub(super) fn decode_hostile<T: DeserializeOwned>(message: &[u8]) -> postcard::Result<(T, Weight)> {
    let counted = Counted { message, left: MOST_PARTS };
    let mut deserializer = postcard::Deserializer::from_flavor(counted);
    let value = T::deserialize(&mut deserializer)?;
    let Counted { message: behind, left } = deserializer.finalize()?;
    match behind {
        [] => Ok((value, Weight { bytes: message.len(), parts: MOST_PARTS - left })),
        _ => Err(postcard::Error::DeserializeBadEncoding),
    }
}

struct Counted<'de> {
    message: &'de [u8],
    left: usize,
}

impl<'de> Flavor<'de> for Counted<'de> {
    type Remainder = Self;
    type Source = &'de [u8];

    fn pop(&mut self) -> postcard::Result<u8> {
        self.left = self.left.checked_sub(1).ok_or(postcard::Error::DeserializeBadEncoding)?;
        let (first, rest) =
            self.message.split_first().ok_or(postcard::Error::DeserializeUnexpectedEnd)?;
        self.message = rest;
        Ok(*first)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.message.len())
    }

    fn try_take_n(&mut self, count: usize) -> postcard::Result<&'de [u8]> {
        let (taken, rest) = self
            .message
            .split_at_checked(count)
            .ok_or(postcard::Error::DeserializeUnexpectedEnd)?;
        self.message = rest;
        Ok(taken)
    }

    fn finalize(self) -> postcard::Result<Self> {
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::{ADDRESS_FLAGS, AddressFlags, Bytes, Inbox, MOST_PARTS, decode_hostile, encode};

    #[test]
    fn messages_are_whole_however_they_come() {
        let both = encode(&"first", Vec::new()).and_then(|one| encode(&"second", one));
        let both = both.expect("they are short");
        for piece in 1..both.len() {
            let mut inbox = Inbox::default();
            let mut found = Vec::new();
            for bytes in both.chunks(piece) {
                inbox.room()[..bytes.len()].copy_from_slice(bytes);
                inbox.came(bytes.len());
                while let Some(message) = inbox.take(100).expect("none is long") {
                    found.push(decode_hostile::<String>(message).expect("it is a text").0);
                }
            }
            assert_eq!(found, ["first", "second"]);
        }
    }

    #[test]
    fn what_is_announced_is_not_made_room_for() {
        let mut inbox = Inbox::default();
        let head = u32::MAX.to_ne_bytes();
        inbox.room()[..head.len()].copy_from_slice(&head);
        inbox.came(head.len());
        assert!(inbox.take(usize::MAX).is_ok_and(|message| message.is_none()));
        assert!(inbox.room().len() <= 2 * Inbox::ROOM);
        assert!(inbox.take(1 << 20).is_err());
    }

    #[test]
    fn a_message_of_too_many_parts_is_none() {
        let many = |count: usize| encode(&vec![0_u8; count], Vec::new()).expect("it fits");
        assert!(decode_hostile::<Vec<u8>>(&many(MOST_PARTS - 4)[4..]).is_ok());
        assert!(decode_hostile::<Vec<u8>>(&many(MOST_PARTS)[4..]).is_err());
        let piece = encode(&Bytes(vec![0; 2 * MOST_PARTS]), Vec::new()).expect("it fits");
        assert!(decode_hostile::<Bytes>(&piece[4..]).is_ok());
    }

    #[test]
    fn nothing_may_come_behind_a_message() {
        assert!(decode_hostile::<bool>(&[1]).is_ok());
        assert!(decode_hostile::<bool>(&[1, 0]).is_err());
        assert!(decode_hostile::<bool>(&[2]).is_err());
    }

    #[test]
    fn flags_cross_as_they_are() {
        let all = ADDRESS_FLAGS.into_iter().fold(AddressFlags::empty(), |all, each| all | each);
        assert_eq!(all, AddressFlags::all(), "each flag of the contract is listed");
        for flags in ADDRESS_FLAGS.into_iter().chain([all, AddressFlags::empty()]) {
            let message = encode(&flags, Vec::new()).expect("it fits");
            let heard = decode_hostile::<AddressFlags>(&message[4..]).map(|(flags, _)| flags);
            assert_eq!(heard, Ok(flags));
        }
    }
}
