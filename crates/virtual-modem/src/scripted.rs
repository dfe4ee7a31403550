//! A port whose other end follows a script.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::transcript::{Direction, Transcript, Turn};

mod surprise;
mod wanted;

pub use surprise::Surprise;

use surprise::Expected;
use wanted::{Fit, Wanted};

/// A port for unit tests: expects these bytes, sends those, waits, hangs up.
///
/// What the code under test writes is compared byte by byte with what the script expects; how it is cut into writes
/// does not matter. On a surprise every later read and write fails, and [`Verdict::check`] tells both sides.
/// When the script is through, reads wait for ever and every write is a surprise.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// use virtual_modem::ScriptedPort;
///
/// let mut port = ScriptedPort::new().expect("AT\r").send("\r\nOK\r\n").hang_up();
/// let verdict = port.verdict();
/// port.write_all(b"AT\r").await?;
/// let mut answer = String::new();
/// port.read_to_string(&mut answer).await?;
/// assert_eq!(answer, "\r\nOK\r\n");
/// verdict.check().unwrap();
/// # Ok(()) }
/// ```
#[derive(Debug, Default)]
pub struct ScriptedPort {
    state: Arc<Mutex<State>>,
    sleep: Option<Pin<Box<Sleep>>>,
    yielded: bool,
}

/// What became of a script; available while the code under test owns the port.
///
/// [`ScriptedPort`] has an example.
#[derive(Debug, Clone)]
pub struct Verdict {
    state: Arc<Mutex<State>>,
}

/// What a surprise shows of what was written, by what was expected and what came.
type Mask = fn(expected: &[u8], got: &[u8]) -> Bytes;

#[derive(Debug, Default)]
struct State {
    steps: VecDeque<Step>,
    mask: Option<Mask>,
    delivery: Delivery,
    /// Written by the host and not yet compared.
    incoming: BytesMut,
    /// Sent by the script and not yet read.
    outgoing: BytesMut,
    /// How many bytes were read.
    read: usize,
    waiting: bool,
    hung_up: bool,
    surprise: Option<Surprise>,
    conversation: Vec<Turn>,
    reader: Option<Waker>,
}

#[derive(Debug, Clone)]
enum Step {
    Expect(Wanted),
    Send(Bytes),
    Wait(Duration),
    HangUp,
}

#[derive(Debug, Clone, Copy, Default)]
enum Delivery {
    #[default]
    Whole,
    ByteByByte,
    SplitAt(usize),
}

impl ScriptedPort {
    /// An empty script.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The script of a transcript: what the host said is expected, what the module said is sent. Where times were
    /// recorded the module waits as long as it did then. Secrets that the transcript does not show may be any.
    #[must_use]
    pub fn from_transcript(transcript: &Transcript) -> Self {
        let mut port = Self::new();
        let mut last = None;
        for turn in &transcript.turns {
            port = match turn.direction {
                Direction::HostToModule => port.step(Step::Expect(Wanted::of(turn))),
                Direction::ModuleToHost => {
                    let pause =
                        turn.at.zip(last).and_then(|(at, last): (Duration, Duration)| at.checked_sub(last));
                    match pause.filter(|pause| !pause.is_zero()) {
                        Some(pause) => port.wait(pause),
                        None => port,
                    }
                    .send(turn.bytes.clone())
                }
            };
            last = turn.at.or(last);
        }
        port
    }

    /// Decides what a [`Surprise`] shows of what the host wrote, by what was expected of it, nothing or bytes in which
    /// asterisks stand for secrets, and by what came: the script cannot know which parts of that are secret.
    #[must_use]
    pub fn masked_by(self, mask: fn(expected: &[u8], got: &[u8]) -> Bytes) -> Self {
        self.lock().mask = Some(mask);
        self
    }

    /// Waits until the host has written exactly these bytes.
    #[must_use]
    pub fn expect(self, bytes: impl Into<Bytes>) -> Self {
        self.step(Step::Expect(Wanted::exactly(bytes.into())))
    }

    /// Makes these bytes readable.
    #[must_use]
    pub fn send(self, bytes: impl Into<Bytes>) -> Self {
        self.step(Step::Send(bytes.into()))
    }

    /// Lets time pass, by tokio's clock.
    #[must_use]
    pub fn wait(self, time: Duration) -> Self {
        self.step(Step::Wait(time))
    }

    /// Closes the port: reads return end of file, writes fail.
    #[must_use]
    pub fn hang_up(self) -> Self {
        self.step(Step::HangUp)
    }

    /// Hands out one byte per read.
    #[must_use]
    pub fn byte_by_byte(self) -> Self {
        self.lock().delivery = Delivery::ByteByByte;
        self
    }

    /// Lets one read end after this many bytes, counted from the beginning of the script.
    #[must_use]
    pub fn split_at(self, count: usize) -> Self {
        self.lock().delivery = Delivery::SplitAt(count);
        self
    }

    /// A handle that tells what became of the script.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        Verdict { state: Arc::clone(&self.state) }
    }

    fn step(self, step: Step) -> Self {
        self.lock().steps.push_back(step);
        self
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes through the script as far as possible.
    fn advance(&mut self, cx: &mut Context<'_>) {
        loop {
            if let Some(sleep) = &mut self.sleep {
                if sleep.as_mut().poll(cx).is_pending() {
                    return;
                }
                self.sleep = None;
                self.lock().waiting = false;
            }
            let pause = self.lock().advance();
            match pause {
                Some(pause) => self.sleep = Some(Box::pin(sleep(pause))),
                None => return,
            }
        }
    }
}

impl Verdict {
    /// Whether the script is through and nothing surprising happened.
    ///
    /// # Errors
    /// [`Surprise`] with what was expected, what came instead, and the conversation so far.
    pub fn check(&self) -> Result<(), Surprise> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(surprise) = &state.surprise {
            return Err(surprise.clone());
        }
        let missing = state.steps.iter().find_map(|step| match step {
            Step::Expect(wanted) => Some(Expected::Bytes(wanted.shown().clone())),
            _ => None,
        });
        let rest = (!state.steps.is_empty()).then(|| Expected::Rest(state.steps.len()));
        match missing.or(rest) {
            None => Ok(()),
            Some(expected) => Err(state.surprised(expected)),
        }
    }
}

impl State {
    /// Takes steps until one has to wait; returns the time of a pause that begins.
    fn advance(&mut self) -> Option<Duration> {
        while self.surprise.is_none() && !self.waiting {
            match self.steps.front() {
                Some(Step::Send(bytes)) => {
                    self.outgoing.extend_from_slice(bytes);
                    self.conversation.push(said(Direction::ModuleToHost, bytes.clone()));
                    self.wake_reader();
                }
                Some(Step::Wait(time)) => {
                    let time = *time;
                    self.steps.pop_front();
                    self.waiting = true;
                    return Some(time);
                }
                Some(Step::HangUp) => {
                    self.hung_up = true;
                    self.wake_reader();
                }
                Some(Step::Expect(wanted)) => match wanted.fit(&self.incoming) {
                    Fit::NotYet => return None,
                    Fit::Not => {
                        let expected = Expected::Bytes(wanted.shown().clone());
                        self.surprise = Some(self.surprised(expected));
                        self.wake_reader();
                        return None;
                    }
                    Fit::Bytes(count) => {
                        let shown = wanted.shown().clone();
                        self.incoming.advance(count);
                        self.conversation.push(said(Direction::HostToModule, shown));
                    }
                },
                None => {
                    if !self.incoming.is_empty() {
                        self.surprise = Some(self.surprised(Expected::Nothing));
                        self.wake_reader();
                    }
                    return None;
                }
            }
            self.steps.pop_front();
        }
        None
    }

    fn surprised(&self, expected: Expected) -> Surprise {
        let wanted = match &expected {
            Expected::Bytes(bytes) => &bytes[..],
            Expected::Nothing | Expected::Rest(_) => &[],
        };
        let got = match self.mask {
            Some(mask) => mask(wanted, &self.incoming),
            None => self.incoming.clone().freeze(),
        };
        Surprise { expected, got, conversation: self.conversation.clone() }
    }

    fn wake_reader(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    /// How many bytes the next read may take.
    fn portion(&self) -> usize {
        match self.delivery {
            Delivery::Whole => usize::MAX,
            Delivery::ByteByByte => 1,
            Delivery::SplitAt(at) => at.checked_sub(self.read).filter(|left| *left > 0).unwrap_or(usize::MAX),
        }
    }
}

impl AsyncRead for ScriptedPort {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.advance(cx);
        // Between two portions the reader is sent away once, so that it sees them as two arrivals.
        let pause = {
            let state = self.lock();
            state.read > 0 && !matches!(state.delivery, Delivery::Whole) && !state.outgoing.is_empty()
        };
        if pause && !self.yielded {
            self.yielded = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.yielded = false;
        let mut state = self.lock();
        if let Some(surprise) = &state.surprise {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, surprise.clone())));
        }
        let count = buf.remaining().min(state.outgoing.len()).min(state.portion());
        if count == 0 {
            if state.hung_up || buf.remaining() == 0 {
                return Poll::Ready(Ok(()));
            }
            state.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        buf.put_slice(state.outgoing.get(..count).unwrap_or_default());
        state.outgoing.advance(count);
        state.read += count;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ScriptedPort {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        {
            let mut state = self.lock();
            if state.hung_up {
                return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
            }
            state.incoming.extend_from_slice(bytes);
        }
        self.advance(cx);
        let state = self.lock();
        Poll::Ready(match &state.surprise {
            Some(surprise) => Err(io::Error::new(io::ErrorKind::InvalidData, surprise.clone())),
            None => Ok(bytes.len()),
        })
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn said(direction: Direction, bytes: Bytes) -> Turn {
    Turn { at: None, direction, bytes, masked: Vec::new() }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::Instant;

    use super::*;

    async fn read(port: &mut ScriptedPort) -> Vec<u8> {
        let mut buffer = [0; 64];
        let count = port.read(&mut buffer).await.unwrap();
        buffer[..count].to_vec()
    }

    #[tokio::test(start_paused = true)]
    async fn a_conversation_in_order() {
        let mut port = ScriptedPort::new()
            .send("RDY\r\n")
            .expect("AT\r")
            .wait(Duration::from_secs(2))
            .send("OK\r\n")
            .expect("ATE0\r")
            .hang_up();
        let (verdict, start) = (port.verdict(), Instant::now());
        assert_eq!(read(&mut port).await, b"RDY\r\n");
        assert!(verdict.check().is_err());
        port.write_all(b"A").await.unwrap();
        port.write_all(b"T\rATE0\r").await.unwrap();
        assert_eq!(read(&mut port).await, b"OK\r\n");
        assert_eq!(start.elapsed(), Duration::from_secs(2));
        assert_eq!(read(&mut port).await, b"");
        assert_eq!(port.write_all(b"AT\r").await.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        verdict.check().unwrap();
    }

    #[tokio::test]
    async fn a_surprise_prints_both_sides() {
        let mut port = ScriptedPort::new().expect("AT\r").send("\r\nOK\r\n").expect("ATI\r").send("never");
        port.write_all(b"AT\r").await.unwrap();
        let error = port.write_all(b"ATE0\r").await.unwrap_err();
        let expected = "expected \"ATI\\r\"\n     got \"ATE0\\r\"\nso far:\n  >> AT\n  << \\r\\nOK";
        assert_eq!(error.to_string(), expected);
        assert_eq!(port.verdict().check().unwrap_err().to_string(), expected);
        assert!(port.read(&mut [0; 8]).await.is_err());
    }

    #[tokio::test]
    async fn what_comes_after_the_end_is_a_surprise() {
        let mut port = ScriptedPort::new().expect("AT\r");
        let error = port.write_all(b"AT\r\n").await.unwrap_err();
        assert_eq!(error.to_string(), "expected nothing more\n     got \"\\n\"\nso far:\n  >> AT");
    }

    #[tokio::test]
    async fn portions() {
        let mut port = ScriptedPort::new().send("abcd").send("ef").hang_up().byte_by_byte();
        for byte in *b"abcdef" {
            assert_eq!(read(&mut port).await, [byte]);
        }
        for at in 0..=7 {
            let mut port = ScriptedPort::new().send("abcd").send("ef").hang_up().split_at(at);
            let mut parts = Vec::new();
            while let part = read(&mut port).await
                && !part.is_empty()
            {
                parts.push(part.len());
            }
            let expected = if (1..6).contains(&at) { vec![at, 6 - at] } else { vec![6] };
            assert_eq!(parts, expected, "split at {at}");
        }
    }

    #[tokio::test]
    async fn secrets_may_be_any() {
        let script =
            ">> AT+QMTCONN=0,\"id\",\"user\",***\n>> AT+QFUPL=\"k\",5\n<< CONNECT\n>> \\*5*\\\n>> AT\n";
        let port = || ScriptedPort::from_transcript(&script.parse().unwrap());
        let mut good = port();
        good.write_all(b"AT+QMTCONN=0,\"id\",\"user\",\"open sesame\"\rAT+QFUPL=\"k\",5\r").await.unwrap();
        good.write_all(b"a\r\n\0bAT\r").await.unwrap();
        good.verdict().check().unwrap();
        let mut other = port();
        let error = other.write_all(b"AT+QMTCONN=0,\"id\",\"other\",\"x\"\r").await.unwrap_err();
        assert!(error.to_string().contains("other"), "{error}");
    }

    #[tokio::test]
    async fn a_surprise_shows_what_the_mask_leaves() {
        let mask = |expected: &[u8], got: &[u8]| Bytes::from(format!("{} for {}", got.len(), expected.len()));
        let mut port = ScriptedPort::new().masked_by(mask).expect("AT\r");
        let error = port.write_all(b"AT+CPIN=1234\r").await.unwrap_err();
        assert_eq!(error.to_string(), "expected \"AT\\r\"\n     got \"13 for 3\"\nso far:");
        assert!(!format!("{error:?}").contains("1234"), "{error:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn transcripts_are_scripts() {
        let transcript = "@0 >> AT\n@40 << \\r\\nOK\n".parse().unwrap();
        let mut port = ScriptedPort::from_transcript(&transcript);
        let start = Instant::now();
        port.write_all(b"AT\r").await.unwrap();
        assert_eq!(read(&mut port).await, b"\r\nOK\r\n");
        assert_eq!(start.elapsed(), Duration::from_millis(40));
        port.verdict().check().unwrap();
    }
}
