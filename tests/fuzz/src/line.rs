//! A line into which bytes can be spliced that the module did not say.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

/// The host's end.
pub struct Line {
    inner: DuplexStream,
    splice: Splice,
}

/// Where the spliced bytes go in; each piece is one read.
#[derive(Clone, Default)]
pub struct Splice(Arc<Mutex<Waiting>>);

/// The pieces that are not read yet, and who waits for them.
type Waiting = (VecDeque<Vec<u8>>, Option<Waker>);

impl Splice {
    pub fn line(&self, inner: DuplexStream) -> Line {
        Line { inner, splice: self.clone() }
    }

    pub fn put(&self, pieces: &[&[u8]]) {
        let mut splice = self.0.lock().unwrap();
        splice.0.extend(pieces.iter().map(|piece| piece.to_vec()));
        if let Some(waker) = splice.1.take() {
            waker.wake();
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut splice = self.splice.0.lock().unwrap();
        if let Some(mut piece) = splice.0.pop_front().filter(|piece| !piece.is_empty()) {
            let count = piece.len().min(buf.remaining());
            buf.put_slice(&piece[..count]);
            if count < piece.len() {
                splice.0.push_front(piece.split_off(count));
            }
            return Poll::Ready(Ok(()));
        }
        splice.1 = Some(cx.waker().clone());
        drop(splice);
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
