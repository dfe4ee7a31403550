//! The decoder and encoder of an AT command port.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use tokio_util::codec::{Decoder, Encoder};

use crate::data_echo::{Compared, DataEcho};
use crate::skip::{CR, LF, Skip, Skipped, line_end};
use crate::{CommandLine, Damage, DamageKind, Extent, Frame, Framing, Limits, Overrun};

/// Cuts the bytes of an AT command port into [`Frame`]s, and writes [`CommandLine`]s and data.
///
/// It is a state machine over the caller's buffer and holds no bytes of its own. Lines and counted elements are
/// split off that buffer without a copy: as long as no frame of it is kept, `BytesMut::reserve` finds the buffer
/// unshared and uses it again, so that a frame costs no allocation. Keep a copy of what is to be kept long.
///
/// # Rules
///
/// - A line ends at CRLF. CRs before it are trimmed (`OK\r\r\n`), other CRs and LFs are bytes of the line, unless
///   [`Limits::lone_line_feed`] is set. CRs and LFs at the start of a line are blank lines and ignored.
/// - Until the first line end after [`AtCodec::new`] or [`AtCodec::reset`], NULs and bytes from 0x80 at the start
///   of a line are noise of the power-up and ignored.
/// - `>` at the start of a line is a [`Frame::Prompt`] if a prompt is armed, at once; one space behind it belongs to
///   it, whenever that comes. Unarmed it is a byte like any other.
/// - Data that comes back behind a prompt ([`AtCodec::expect_echo`]) is dropped, and never looked at as lines.
/// - All else is measured by the [`Framing`] rule. Counted bytes are never looked at as lines, not even when the
///   element turns out to be broken.
/// - A line beyond [`Limits::max_line`] is skipped to its end, never taken up again in its middle.
///
/// Frames do not depend on how the bytes were cut into reads.
///
/// The [crate's page](crate) has an example.
#[derive(Debug, Clone)]
pub struct AtCodec<F> {
    framing: F,
    limits: Limits,
    armed: Option<PromptKind>,
    noisy: bool,
    echo: Option<DataEcho>,
    /// Whether the module has been seen to repeat data.
    repeats: bool,
    state: State,
}

/// The form of a prompt that asks for data.
///
/// ```
/// use at_codec::{AtCodec, Frame, Limits, LinesOnly, PromptKind};
/// use bytes::BytesMut;
/// use tokio_util::codec::Decoder;
///
/// let mut codec = AtCodec::new(LinesOnly, Limits::default());
/// codec.arm_prompt(Some(PromptKind::Data));
/// assert_eq!(codec.decode(&mut BytesMut::from(&b"\r\n> "[..]))?, Some(Frame::Prompt));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PromptKind {
    /// `>` at the start of a line.
    Data,
}

/// What an unfinished element is, for the caller's silence timer. The set is complete.
///
/// ```
/// use at_codec::{AtCodec, Limits, LinesOnly, Pending};
/// use bytes::BytesMut;
/// use tokio_util::codec::Decoder;
///
/// let mut codec = AtCodec::new(LinesOnly, Limits::default());
/// let mut buffer = BytesMut::from(&b"\r\nhalf a li"[..]);
/// assert_eq!(codec.decode(&mut buffer)?, None);
/// assert_eq!(codec.pending(), Pending::Line);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pending {
    /// Nothing is unfinished.
    None,
    /// An ordinary line without its end.
    Line,
    /// An element whose [`Framing`] rule waits for more bytes.
    Counted,
    /// Bytes are skipped up to the next line end.
    Skipping,
}

/// Where in the stream the codec stands. All offsets count from the start of the caller's buffer, which is the
/// start of the element.
#[derive(Debug, Clone, Copy)]
enum State {
    LineStart,
    /// Behind a prompt, where one space belongs to it.
    PromptTail,
    /// Where the data may come back; `begun` if some of it has.
    DataEcho {
        begun: bool,
    },
    /// The rule wants to see at least `hint` bytes.
    Measuring {
        resume: usize,
        hint: usize,
    },
    /// No line end among the first `scanned` bytes.
    Line {
        scanned: usize,
    },
    /// The first `need` bytes are the element.
    Counted {
        need: usize,
    },
    /// A broken element, not yet reported because its head is still incomplete.
    Condemned {
        kind: DamageKind,
        skip: usize,
        need: usize,
    },
    Skipping(Skip),
}

/// What one step of the state machine came to.
enum Step {
    Frame(Frame),
    Again,
    Starved,
}

impl<F: Framing> AtCodec<F> {
    /// A codec at the start of a stream, where noise of the power-up may precede the first line.
    pub const fn new(framing: F, limits: Limits) -> Self {
        Self {
            framing,
            limits,
            armed: None,
            noisy: true,
            echo: None,
            repeats: false,
            state: State::LineStart,
        }
    }

    /// The rule in use.
    pub const fn framing(&self) -> &F {
        &self.framing
    }

    /// The rule in use, to tell it what it has to know. A rule that is told something new in the middle of an
    /// element is not asked again about bytes it has seen.
    pub const fn framing_mut(&mut self) -> &mut F {
        &mut self.framing
    }

    /// Puts another rule in place and returns the former one. The new rule starts afresh with an element that was
    /// still being measured.
    pub fn replace_framing(&mut self, framing: F) -> F {
        if let State::Measuring { .. } = self.state {
            self.state = State::Measuring { resume: 0, hint: 1 };
        }
        std::mem::replace(&mut self.framing, framing)
    }

    /// Says whether a prompt is expected, from the next line start on. A prompt that comes disarms itself. Data is not
    /// expected back any more.
    pub fn arm_prompt(&mut self, armed: Option<PromptKind>) {
        self.armed = armed;
        self.forget_echo();
    }

    /// Says which data answers the prompt that has just come, because the module may repeat it while it takes it.
    ///
    /// `certain` says that the module is known to repeat what it reads. Otherwise data is taken for an echo only right
    /// behind the prompt, and not if it begins with a line end, as every answer does, before the module has been seen to
    /// repeat other data.
    pub fn expect_echo(&mut self, data: Bytes, certain: bool) {
        self.echo = DataEcho::new(data, certain || self.repeats);
    }

    fn forget_echo(&mut self) {
        self.echo = None;
        if let State::DataEcho { .. } = self.state {
            self.state = State::LineStart;
        }
    }

    /// Whether a prompt is expected.
    pub const fn prompt_armed(&self) -> bool {
        self.armed.is_some()
    }

    /// Starts over, because the port was opened again or the module rebooted: forgets an unfinished element,
    /// disarms the prompt, and expects noise before the first line end.
    ///
    /// The caller's buffer is the caller's: clear it if what it holds is of the former life.
    pub fn reset(&mut self) {
        self.armed = None;
        self.echo = None;
        self.repeats = false;
        self.noisy = true;
        self.state = State::LineStart;
    }

    /// What is unfinished after [`Decoder::decode`] has returned `None`.
    pub const fn pending(&self) -> Pending {
        match self.state {
            State::LineStart | State::PromptTail | State::DataEcho { begun: false } => Pending::None,
            State::Line { .. } => Pending::Line,
            State::DataEcho { begun: true }
            | State::Measuring { .. }
            | State::Counted { .. }
            | State::Condemned { .. } => Pending::Counted,
            State::Skipping(_) => Pending::Skipping,
        }
    }

    /// Gives up an unfinished element because the port fell silent inside it.
    ///
    /// To be called after [`Decoder::decode`] has returned `None`. The element's bytes are dropped, and what comes
    /// later is skipped to the line end, counted or not. Returns `None` when nothing was unfinished or it was
    /// reported before.
    pub fn give_up(&mut self, src: &mut BytesMut) -> Option<Frame> {
        let (kind, need) = match &mut self.state {
            State::LineStart | State::PromptTail | State::DataEcho { begun: false } => return None,
            State::DataEcho { begun: true } => {
                let need = self.echo.take().map_or(0, |echo| echo.len());
                (DamageKind::Silence, need)
            }
            State::Skipping(skip) => {
                skip.forget_count();
                return None;
            }
            State::Line { .. } => (DamageKind::Silence, 0),
            State::Measuring { hint: need, .. } | State::Counted { need } => (DamageKind::Silence, *need),
            State::Condemned { kind, need, .. } => (*kind, *need),
        };
        let damage = Damage { kind, head: head_of(src), got: src.len(), need };
        self.state = State::Skipping(Skip::behind(src, 0));
        src.clear();
        Some(Frame::Damaged(damage))
    }

    fn next_frame(&mut self, src: &mut BytesMut) -> Option<Frame> {
        loop {
            let step = match self.state {
                State::LineStart => self.line_start(src),
                State::PromptTail => self.prompt_tail(src),
                State::DataEcho { .. } => self.data_echo(src),
                State::Measuring { resume, hint } => self.measure(src, resume, hint),
                State::Line { scanned } => self.line(src, scanned),
                State::Counted { need } => self.counted(src, need),
                State::Condemned { kind, skip, need } => self.condemned(src, kind, skip, need),
                State::Skipping(skip) => self.skip(src, skip),
            };
            match step {
                Step::Frame(frame) => return Some(frame),
                Step::Again => {}
                Step::Starved => return None,
            }
        }
    }

    fn line_start(&mut self, src: &mut BytesMut) -> Step {
        let mut ignored = 0;
        for &byte in src.iter() {
            match byte {
                CR => {}
                LF => self.noisy = false,
                0 | 0x80.. if self.noisy => {}
                _ => break,
            }
            ignored += 1;
        }
        src.advance(ignored);
        if ignored > 0 && self.echo.is_some() {
            return self.enter(State::DataEcho { begun: false });
        }
        match src.first() {
            None => Step::Starved,
            Some(b'>') if self.armed.take().is_some() => {
                src.advance(1);
                self.state = State::PromptTail;
                Step::Frame(Frame::Prompt)
            }
            Some(_) => self.enter(State::Measuring { resume: 0, hint: 1 }),
        }
    }

    /// A CRLF behind the prompt needs no rule of its own: it is a blank line.
    fn prompt_tail(&mut self, src: &mut BytesMut) -> Step {
        match src.first() {
            None => return Step::Starved,
            Some(b' ') => src.advance(1),
            Some(_) => {}
        }
        self.enter(self.at_line_start())
    }

    /// The data in the middle of coming back, or something else that came first.
    fn data_echo(&mut self, src: &mut BytesMut) -> Step {
        match self.echo.as_ref().map(|echo| echo.compare(src)) {
            Some(Compared::Beginning) => {
                self.state = State::DataEcho { begun: !src.is_empty() };
                return Step::Starved;
            }
            Some(Compared::Echo(count)) => {
                src.advance(count);
                self.echo = None;
                // A few bytes may be equal by chance.
                self.repeats |= count >= 4;
            }
            Some(Compared::Other) | None => self.echo = self.echo.take().filter(DataEcho::is_certain),
        }
        self.enter(State::LineStart)
    }

    /// The state in which the next element begins.
    const fn at_line_start(&self) -> State {
        if self.echo.is_some() { State::DataEcho { begun: false } } else { State::LineStart }
    }

    fn measure(&mut self, src: &mut BytesMut, mut resume: usize, hint: usize) -> Step {
        if src.len() < hint {
            return Step::Starved;
        }
        // A rule never sees more than the limit, or a long read could let it accept what one-byte reads refuse.
        let max = self.limits.max_element.max(1);
        let head = src.get(..max).unwrap_or(src);
        let next = match self.framing.measure(head, &mut resume) {
            Extent::Line | Extent::Exactly(0) => State::Line { scanned: 0 },
            Extent::Exactly(need) if need <= max => State::Counted { need },
            Extent::NeedMore(more) if more.max(head.len() + 1) <= max => {
                State::Measuring { resume, hint: more.max(head.len() + 1) }
            }
            // What lies beyond the limit may well be counted bytes, so none of it may be looked at.
            Extent::Exactly(need) | Extent::NeedMore(need) => {
                let need = need.max(max.saturating_add(1));
                State::Condemned { kind: DamageKind::TooLong, skip: need, need }
            }
            Extent::Damaged { skip, need, kind } => State::Condemned { kind, skip, need },
        };
        self.enter(next)
    }

    fn line(&mut self, src: &mut BytesMut, scanned: usize) -> Step {
        let longest = self.limits.max_line.saturating_add(2);
        let window = src.get(..longest).unwrap_or(src);
        let Some(end) = line_end(window, scanned, false, self.limits.lone_line_feed) else {
            if window.len() < longest {
                self.state = State::Line { scanned: window.len() };
                return Step::Starved;
            }
            self.state = State::Skipping(Skip::behind(window, longest));
            src.advance(longest);
            return Step::Frame(Frame::Overrun(Overrun { skipped: longest }));
        };
        self.element_done();
        let mut line = src.split_to(end);
        line.truncate(end - 1);
        let body = line.strip_suffix(&[CR]).unwrap_or(&line);
        if body.len() > self.limits.max_line {
            return Step::Frame(Frame::Overrun(Overrun { skipped: end }));
        }
        while line.last() == Some(&CR) {
            line.truncate(line.len() - 1);
        }
        Step::Frame(Frame::Line(line.freeze()))
    }

    fn counted(&mut self, src: &mut BytesMut, need: usize) -> Step {
        if src.len() < need {
            return Step::Starved;
        }
        self.element_done();
        Step::Frame(Frame::Line(src.split_to(need).freeze()))
    }

    /// Waits for the bytes of the head, so that the event shows the same however the bytes came.
    fn condemned(&mut self, src: &BytesMut, kind: DamageKind, skip: usize, need: usize) -> Step {
        let head = src.get(..skip.min(Damage::HEAD));
        let Some(head) = head.map(Bytes::copy_from_slice) else { return Step::Starved };
        self.state = State::Skipping(Skip::unseen(skip));
        Step::Frame(Frame::Damaged(Damage { kind, head, got: skip, need }))
    }

    fn skip(&mut self, src: &mut BytesMut, mut skip: Skip) -> Step {
        let skipped = skip.run(src, self.limits.lone_line_feed);
        self.state = State::Skipping(skip);
        match skipped {
            Skipped::Ended => {
                self.element_done();
                Step::Again
            }
            Skipped::Report(skipped) => Step::Frame(Frame::Overrun(Overrun { skipped })),
            Skipped::Starved => Step::Starved,
        }
    }

    fn enter(&mut self, state: State) -> Step {
        self.state = state;
        Step::Again
    }

    fn element_done(&mut self) {
        self.noisy = false;
        self.state = self.at_line_start();
    }
}

/// A copy of the first bytes of an element, for an event.
fn head_of(element: &[u8]) -> Bytes {
    Bytes::copy_from_slice(element.get(..Damage::HEAD).unwrap_or(element))
}

impl<F: Framing> Decoder for AtCodec<F> {
    type Item = Frame;
    type Error = io::Error;

    /// Takes the next frame off `src`. Never fails: what cannot be read is a frame.
    fn decode(&mut self, src: &mut BytesMut) -> io::Result<Option<Frame>> {
        Ok(self.next_frame(src))
    }

    /// As [`Decoder::decode`]; an element that the end of the stream broke off is given up.
    fn decode_eof(&mut self, src: &mut BytesMut) -> io::Result<Option<Frame>> {
        Ok(self.next_frame(src).or_else(|| self.give_up(src)))
    }
}

impl<F> Encoder<&CommandLine> for AtCodec<F> {
    type Error = io::Error;

    fn encode(&mut self, command: &CommandLine, dst: &mut BytesMut) -> io::Result<()> {
        dst.extend_from_slice(command.as_bytes());
        Ok(())
    }
}

impl<F> Encoder<Bytes> for AtCodec<F> {
    type Error = io::Error;

    /// Writes the data a prompt asked for, as it is.
    fn encode(&mut self, data: Bytes, dst: &mut BytesMut) -> io::Result<()> {
        dst.extend_from_slice(&data);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LinesOnly;

    #[test]
    fn a_waiting_line_remembers_how_far_it_was_searched() {
        let mut codec = AtCodec::new(LinesOnly, Limits::default());
        let mut buffer = BytesMut::new();
        for length in 1..=100 {
            buffer.extend_from_slice(b"x");
            assert_eq!(codec.next_frame(&mut buffer), None);
            assert!(matches!(codec.state, State::Line { scanned } if scanned == length));
        }
    }
}
