//! Ways to reach the module: in memory, over a pseudo terminal, over TCP.

#[cfg(unix)]
pub(crate) mod pty;
pub(crate) mod tcp;
#[cfg(unix)]
mod watch;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Registers a descriptor with tokio's reactor.
#[cfg(unix)]
#[expect(
    deprecated,
    reason = "the newer constructor is unsafe: it asks the caller to keep the descriptor open, which \
                               an owned one is"
)]
fn registered(fd: std::os::fd::OwnedFd) -> io::Result<tokio::io::unix::AsyncFd<std::os::fd::OwnedFd>> {
    tokio::io::unix::AsyncFd::new(fd)
}

/// A host that is not there: it writes nothing and reads everything.
#[derive(Debug)]
pub(crate) struct Nobody;

impl AsyncRead for Nobody {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Poll::Pending
    }
}

impl AsyncWrite for Nobody {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
