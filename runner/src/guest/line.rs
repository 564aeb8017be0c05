//! The broker's end of the line to a guest's process.

use std::io::{self, Write as _};
use std::os::unix::net::UnixStream;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::wire::{Inbox, look};

pub(super) struct Line {
    /// until the first message there is no runtime
    idle: Option<UnixStream>,
    open: Option<tokio::net::UnixStream>,
    pub(super) inbox: Inbox,
}

impl Line {
    pub(super) fn new(socket: UnixStream) -> Self {
        Self { idle: Some(socket), open: None, inbox: Inbox::default() }
    }

    /// Sends the first message, and waits for the socket where it must.
    pub(super) fn begin(&self, message: &[u8]) -> io::Result<()> {
        match &self.idle {
            Some(socket) => {
                let mut socket: &UnixStream = socket;
                socket.write_all(message)
            }
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    pub(super) async fn send(&mut self, message: &[u8]) -> io::Result<()> {
        self.socket()?.write_all(message).await
    }

    /// Waits for more; an error too where there is no more.
    pub(super) async fn read(&mut self) -> io::Result<()> {
        self.socket()?;
        let socket = self.open.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        // What always finds something must not keep clocks and signals from being heard.
        tokio::task::coop::consume_budget().await;
        let came = match look(&*socket, self.inbox.room())? {
            Some(bytes) => bytes,
            None => socket.read(self.inbox.room()).await?,
        };
        match came {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            bytes => {
                self.inbox.came(bytes);
                Ok(())
            }
        }
    }

    fn socket(&mut self) -> io::Result<&mut tokio::net::UnixStream> {
        if let Some(idle) = self.idle.take() {
            idle.set_nonblocking(true)?;
            self.open = Some(tokio::net::UnixStream::from_std(idle)?);
        }
        self.open.as_mut().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}
