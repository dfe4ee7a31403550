//! A line that harms what the module says, byte by byte where a test wants it.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::time::{Sleep, sleep};

/// What happens to a byte on its way from the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    /// It and those behind it are lost, so many in all.
    Lose(usize),
    /// These bits of it are turned.
    Flip(u8),
    /// It comes twice.
    Double,
    /// These bytes come before it.
    Insert(&'static [u8]),
    /// It and all that is behind it comes this much later.
    Stall(Duration),
    /// It and all that comes later has its highest bit set: the wrong baud rate.
    Garble,
    /// It and all that comes later is lost.
    Mute,
    /// The port ends before it: `Ok(0)` for ever.
    End,
    /// Reads fail before it, for ever.
    Fail(io::ErrorKind),
}

/// The line: what the host reads and writes.
pub struct Wire {
    inner: DuplexStream,
    state: Arc<Mutex<State>>,
    ready: VecDeque<u8>,
    /// What came from the module and is not looked at yet, because the line stalls.
    waiting: VecDeque<u8>,
    stall: Option<Pin<Box<Sleep>>>,
    /// What comes when the stall is over.
    stalled: VecDeque<u8>,
}

/// The test's hand on the line.
#[derive(Clone, Default)]
pub struct Hand(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// What the module has said since the harms were set.
    heard: Vec<u8>,
    /// How much of the host's bytes passed since the harms were set.
    written: usize,
    /// Harms at their places, counted from the moment they were set.
    placed: Vec<(usize, Harm)>,
    /// Harms that wait for these bytes, and strike so many bytes behind them.
    marked: Vec<(Vec<u8>, usize, Harm)>,
    losing: usize,
    garbled: bool,
    muted: bool,
    end: Option<End>,
    /// The line takes so many bytes more from the host, and then none.
    room: Option<(usize, Option<io::ErrorKind>)>,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

#[derive(Clone, Copy)]
enum End {
    Eof,
    Fails(io::ErrorKind),
}

impl Hand {
    /// A line to `inner` that this hand is on.
    pub fn wire(&self, inner: DuplexStream) -> Wire {
        let state = Arc::clone(&self.0);
        let (ready, waiting, stalled) = Default::default();
        Wire { inner, state, ready, waiting, stall: None, stalled }
    }

    /// Sets the harms, each at the byte with this number, counted from now.
    pub fn harm(&self, harms: impl IntoIterator<Item = (usize, Harm)>) {
        let mut state = self.lock();
        state.placed = harms.into_iter().collect();
        state.heard.clear();
        (state.written, state.losing) = (0, 0);
    }

    /// Does this harm once, so many bytes behind the next occurrence of `mark`.
    pub fn harm_behind(&self, mark: &[u8], bytes: usize, harm: Harm) {
        let mut state = self.lock();
        state.placed.clear();
        state.heard.clear();
        state.marked.push((mark.to_vec(), bytes, harm));
    }

    /// What the module has said since the harms were set, before they were done.
    pub fn heard(&self) -> Vec<u8> {
        self.lock().heard.clone()
    }

    /// The line takes so many bytes more from the host; then writes wait for ever, or fail.
    pub fn stop_writes_after(&self, bytes: usize, with: Option<io::ErrorKind>) {
        let mut state = self.lock();
        state.room = Some((bytes, with));
        state.written = 0;
    }

    /// The line takes what it is given again.
    pub fn go_on(&self) {
        let mut state = self.lock();
        state.room = None;
        if let Some(writer) = state.writer.take() {
            writer.wake();
        }
    }

    /// How many bytes the host has written since the harms were set.
    pub fn written(&self) -> usize {
        self.lock().written
    }

    /// The port ends at once, as if it had been pulled out.
    pub fn pull(&self, with: Option<io::ErrorKind>) {
        let mut state = self.lock();
        state.end = Some(with.map_or(End::Eof, End::Fails));
        state.room = Some((0, Some(with.unwrap_or(io::ErrorKind::BrokenPipe))));
        for waker in [state.reader.take(), state.writer.take()].into_iter().flatten() {
            waker.wake();
        }
    }

    /// Nothing passes in this direction any more.
    pub fn mute(&self) {
        self.lock().muted = true;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }
}

impl State {
    /// Takes one byte of the module and says how long the line stalls before it.
    fn take(&mut self, byte: u8, out: &mut VecDeque<u8>) -> Option<Duration> {
        let at = self.heard.len();
        self.heard.push(byte);
        let mut stall = None;
        if self.losing > 0 {
            self.losing -= 1;
            self.mark();
            return None;
        }
        let mut byte = byte;
        let mut count = 1;
        for (_, harm) in self.placed.iter().copied().filter(|(place, _)| *place == at).collect::<Vec<_>>() {
            match harm {
                Harm::Lose(bytes) => (self.losing, count) = (bytes.saturating_sub(1), 0),
                Harm::Flip(bits) => byte ^= bits,
                Harm::Double => count = 2,
                Harm::Insert(bytes) => out.extend(bytes),
                Harm::Stall(time) => stall = Some(time),
                Harm::Garble => self.garbled = true,
                Harm::Mute => self.muted = true,
                Harm::End => self.end = Some(End::Eof),
                Harm::Fail(kind) => self.end = Some(End::Fails(kind)),
            }
        }
        if self.muted || self.end.is_some() {
            count = 0;
        }
        let byte = if self.garbled { byte | 0x80 } else { byte };
        out.extend(std::iter::repeat_n(byte, count));
        self.mark();
        stall
    }

    /// Gives the harms their places whose mark was just heard.
    fn mark(&mut self) {
        let heard = &self.heard;
        let (found, rest) =
            std::mem::take(&mut self.marked).into_iter().partition::<Vec<_>, _>(|it| heard.ends_with(&it.0));
        self.marked = rest;
        self.placed.extend(found.into_iter().map(|(_, bytes, harm)| (heard.len() + bytes, harm)));
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            if !this.ready.is_empty() {
                let count = buf.remaining().min(this.ready.len());
                buf.put_slice(&this.ready.drain(..count).collect::<Vec<_>>());
                return Poll::Ready(Ok(()));
            }
            if let Some(stall) = &mut this.stall {
                ready!(stall.as_mut().poll(cx));
                this.stall = None;
                this.ready.append(&mut this.stalled);
                continue;
            }
            let mut state = this.state.lock().unwrap();
            while this.stall.is_none() {
                let Some(byte) = this.waiting.pop_front() else { break };
                let before = this.ready.len();
                if let Some(time) = state.take(byte, &mut this.ready) {
                    this.stalled = this.ready.split_off(before);
                    this.stall = Some(Box::pin(sleep(time)));
                }
            }
            if !this.ready.is_empty() || this.stall.is_some() {
                continue;
            }
            state.reader = Some(cx.waker().clone());
            match state.end {
                Some(End::Eof) => return Poll::Ready(Ok(())),
                Some(End::Fails(kind)) => return Poll::Ready(Err(kind.into())),
                None => drop(state),
            }
            let mut bytes = [0; 1024];
            let mut taken = ReadBuf::new(&mut bytes);
            ready!(Pin::new(&mut this.inner).poll_read(cx, &mut taken))?;
            if taken.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            this.waiting.extend(taken.filled());
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let mut state = this.state.lock().unwrap();
        state.writer = Some(cx.waker().clone());
        let room = match state.room {
            None => buf.len(),
            Some((0, None)) => return Poll::Pending,
            Some((0, Some(kind))) => return Poll::Ready(Err(kind.into())),
            Some((room, _)) => room.min(buf.len()),
        };
        let count = ready!(Pin::new(&mut this.inner).poll_write(cx, &buf[..room]))?;
        state.written += count;
        if let Some((room, _)) = &mut state.room {
            *room -= count;
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_shutdown(cx)
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}
