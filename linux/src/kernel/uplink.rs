//! The way from a lab to links of the host: a process that stayed outside makes children of those
//! that the operator named, born in the lab's namespaces.

use std::fmt::Display;
use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use serde::{Deserialize, Serialize};

use super::explain_io;
use super::{Claimed, Error};
use crate::change::Spec;

/// A spec is some kilobytes at most: its texts are bounded where they come in.
const LONGEST: usize = 1 << 17;

/// What the process outside is asked for.
#[derive(Debug, Serialize, Deserialize)]
pub enum Wish {
    /// a link in the namespace whose descriptor comes with it; the answer is its index
    Create(Spec),
    /// whether a child of a link may be known by these addresses
    Claim { link: String, claimed: Claimed },
    /// the index of a link
    Index { link: String },
}

/// A process outside, and the links that may be asked for.
#[derive(Debug)]
pub struct Uplinks {
    names: Vec<String>,
    /// the lab has children that another process of ours had made
    earlier: bool,
    /// a request and its answer belong together
    socket: Mutex<OwnedFd>,
}

impl Uplinks {
    pub fn new(names: Vec<String>, socket: OwnedFd) -> Self {
        Self { names, earlier: false, socket: Mutex::new(socket) }
    }

    /// For a lab that was kept.
    #[must_use]
    pub fn of_kept_lab(self) -> Self {
        Self { earlier: true, ..self }
    }

    pub(super) fn is_of_kept_lab(&self) -> bool {
        self.earlier
    }

    /// The link of the host that has an index, by which a child in a kept lab tells what it stands
    /// on.
    pub(super) fn parent_of_earlier(&self, index: u32) -> Option<&str> {
        let of = |name: &&String| {
            let wish = Wish::Index { link: (*name).clone() };
            self.ask(&wish, None, &"link show").is_ok_and(|found| found == index)
        };
        self.names.iter().find(of).map(String::as_str)
    }

    pub fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }

    /// Makes a link in `target` on the host's link that the spec names as its parent; its index.
    pub(super) fn create(&self, target: BorrowedFd<'_>, spec: &Spec) -> Result<u32, Error> {
        let operation = format!("link add name {} on an uplink", spec.name);
        self.ask(&Wish::Create(spec.clone()), Some(target), &operation)
    }

    /// Whether a child of the host's link may be known by these addresses: whose they are is told
    /// outside.
    pub(super) fn may_claim(&self, link: &str, claimed: &Claimed) -> Result<(), Error> {
        let wish = Wish::Claim { link: link.to_owned(), claimed: claimed.clone() };
        self.ask(&wish, None, &"an address on an uplink").map(|_| ())
    }

    fn ask(
        &self,
        wish: &Wish,
        target: Option<BorrowedFd<'_>>,
        operation: &dyn Display,
    ) -> Result<u32, Error> {
        let socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        let broken = |errno: Errno| explain_io(&errno.into(), operation);
        let text = serde_json::to_vec(wish).map_err(|error| Error::Invalid(error.to_string()))?;
        send(socket.as_fd(), &text, target).map_err(broken)?;
        let (answer, _) = receive(socket.as_fd()).map_err(broken)?;
        let answer: Result<u32, Error> = serde_json::from_slice(&answer)
            .map_err(|_| Error::Unsupported("the process that makes uplinks ended".to_owned()))?;
        answer
    }
}

/// Sends one message, with a descriptor where there is one.
pub fn send(
    socket: BorrowedFd<'_>,
    text: &[u8],
    descriptor: Option<BorrowedFd<'_>>,
) -> Result<(), Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let descriptors: Vec<BorrowedFd<'_>> = descriptor.into_iter().collect();
    if !descriptors.is_empty() {
        // The space above is for exactly this one.
        ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
    }
    sendmsg(socket, &[IoSlice::new(text)], &mut ancillary, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Receives one message; an empty one is the end.
pub fn receive(socket: BorrowedFd<'_>) -> Result<(Vec<u8>, Option<OwnedFd>), Errno> {
    let mut text = vec![0; LONGEST];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let slices = &mut [IoSliceMut::new(&mut text)];
    let received = recvmsg(socket, slices, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let descriptor = ancillary.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    text.truncate(received.bytes);
    Ok((text, descriptor))
}
