//! What is to be said on the port: exchanges, and operations made of them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use at_codec::CommandLine;
use bytes::Bytes;

use crate::deferred::Deferred;
use crate::error::OperationError;
use crate::reply::Reply;

/// One command line and everything that belongs to its answer, up to the final result code.
///
/// The course is command line → prompt? → data? → information responses → final result.
///
/// # Examples
///
/// ```
/// use at_codec::CommandLine;
/// use at_port::{Answer, Exchange, PromptForm};
/// use std::time::Duration;
///
/// let question = Exchange::new(CommandLine::execute("+CSQ")).answer(Answer::Named("+CSQ"));
/// let upload = Exchange::new(CommandLine::write("+UPLOAD").integer(5).finish())
///     .data(PromptForm::Mark, "hello".into(), Duration::from_secs(30))
///     .timeout(Duration::from_secs(15));
/// assert_eq!(question.line().to_string(), "AT+CSQ");
/// assert_eq!(upload.line().to_string(), "AT+UPLOAD=5");
/// ```
#[derive(Debug, Clone)]
pub struct Exchange {
    pub(crate) line: CommandLine,
    pub(crate) answer: Answer,
    pub(crate) data: Option<DataPhase>,
    pub(crate) timeout: Duration,
    pub(crate) secret_answer: bool,
    condition: Option<Condition>,
}

impl Exchange {
    /// The final result is waited for this long unless [`timeout`](Self::timeout) says otherwise.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

    /// An exchange without information responses, prompt or data.
    pub fn new(line: CommandLine) -> Self {
        Self {
            line,
            answer: Answer::None,
            data: None,
            timeout: Self::DEFAULT_TIMEOUT,
            secret_answer: false,
            condition: None,
        }
    }

    /// Declares which lines before the final result are its information responses.
    #[must_use]
    pub fn answer(mut self, answer: Answer) -> Self {
        self.answer = answer;
        self
    }

    /// Waits this long for the final result, counted from the last byte written. Default: 5 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends `data` as it is when the module asks for it, and waits for that prompt at most `patience`.
    ///
    /// `patience` is the longest time for which the module may still take the data: until it is over a
    /// late prompt is answered with this very data, and nothing else is written to the port.
    #[must_use]
    pub fn data(mut self, prompt: PromptForm, data: Bytes, patience: Duration) -> Self {
        self.data = Some(DataPhase { prompt, data, patience, secret: false });
        self
    }

    /// Keeps the [`data`](Self::data) out of traces and transcripts, because it is a private key or the like.
    #[must_use]
    pub fn secret_data(mut self) -> Self {
        if let Some(data) = &mut self.data {
            data.secret = true;
        }
        self
    }

    /// Keeps the information responses out of traces and transcripts, because they hold a secret.
    #[must_use]
    pub fn secret_answer(mut self) -> Self {
        self.secret_answer = true;
        self
    }

    /// Leaves this exchange out if `is_needed` says no when its turn in a [sequence](Operation::sequence) comes.
    ///
    /// The first exchange of an operation is never left out, nor may the one be that a deferred result belongs to.
    /// `is_needed` is called on the driver's task and must not block.
    #[must_use]
    pub fn only_if(mut self, is_needed: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.condition = Some(Condition(Arc::new(is_needed)));
        self
    }

    pub(crate) fn is_needed(&self) -> bool {
        self.condition.as_ref().is_none_or(|condition| (condition.0)())
    }

    pub(crate) fn add_line_feed(&mut self) {
        self.line.add_line_feed();
    }

    /// The command line.
    pub fn line(&self) -> &CommandLine {
        &self.line
    }

    /// Makes an operation of this exchange that is complete when `deferred` has arrived, too.
    #[must_use]
    pub fn deferred(self, deferred: Deferred) -> Operation {
        Operation::from(self).deferred(deferred)
    }
}

/// Whether an exchange is needed when its turn comes.
#[derive(Clone)]
struct Condition(Arc<dyn Fn() -> bool + Send + Sync>);

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Condition")
    }
}

/// Which lines between a command and its final result are its information responses.
///
/// [`Exchange`] has an example.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Answer {
    /// None: every other line is a report.
    None,
    /// Lines `NAME: …` with this name.
    Named(&'static str),
    /// Lines `NAME: …` for which the function says yes: for a name that is also a report's, told apart by shape.
    Shaped(&'static str, fn(&[u8]) -> bool),
    /// Lines for which the function says yes, whatever their name: for answers that a report resembles in all but shape.
    Like(fn(&[u8]) -> bool),
    /// Any line that no report claims, and lines with the command's own name: free text such as the answer of `ATI`.
    Text,
}

/// How the module asks for data.
///
/// [`Exchange`] has an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PromptForm {
    /// `>` at the start of a line.
    Mark,
    /// The same behind an `OK`, which accepts the command but does not end it: that is for the result behind the data.
    MarkAfterOk,
    /// The line `CONNECT`.
    Connect,
}

impl PromptForm {
    /// Whether `>` is the prompt.
    pub(crate) const fn is_mark(self) -> bool {
        matches!(self, Self::Mark | Self::MarkAfterOk)
    }
}

/// The data of an exchange and the prompt that asks for it.
#[derive(Clone)]
pub(crate) struct DataPhase {
    pub(crate) prompt: PromptForm,
    pub(crate) data: Bytes,
    pub(crate) patience: Duration,
    pub(crate) secret: bool,
}

impl fmt::Debug for DataPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, {} bytes, {:?}", self.prompt, self.data.len(), self.patience)
    }
}

/// One or more exchanges that nothing can come between, and the deferred result that may complete them.
///
/// The exchanges run in order; the first refusal or timeout ends the operation. The port is free again
/// after the last final result: a deferred result is waited for apart, so that operations overlap.
///
/// # Examples
///
/// ```
/// use at_codec::{Charset, CommandLine};
/// use at_port::{Exchange, Operation};
///
/// let quiet = Exchange::new(CommandLine::execute("E0"));
/// let pin = CommandLine::write("+CPIN").secret("the PIN", "1234", Charset::ASCII, 8)?.finish();
/// let both = Operation::sequence([quiet, Exchange::new(pin)]);
/// assert_eq!(both.to_string(), "ATE0\nAT+CPIN=***");
/// # Ok::<(), at_codec::ArgumentError>(())
/// ```
pub struct Operation {
    /// Apart from the others, so that an operation of one exchange needs no list.
    pub(crate) first: Option<Exchange>,
    pub(crate) later: Vec<Exchange>,
    pub(crate) deferred: Option<Deferred>,
    pub(crate) lane: Lane,
    pub(crate) start_within: Option<Duration>,
    pub(crate) on_conclusion: Option<Conclude>,
}

/// Called with the outcome of an operation.
pub(crate) type Conclude = Box<dyn FnOnce(&Result<Reply, OperationError>) + Send>;

impl Operation {
    /// An operation of several exchanges, in this order. One without any completes at once.
    pub fn sequence(steps: impl IntoIterator<Item = Exchange>) -> Self {
        let mut steps = steps.into_iter();
        Self {
            first: steps.next(),
            later: steps.collect(),
            deferred: None,
            lane: Lane::COMMON,
            start_within: None,
            on_conclusion: None,
        }
    }

    fn steps(&self) -> impl Iterator<Item = &Exchange> {
        self.first.iter().chain(&self.later)
    }

    /// Completes the operation with a deferred result of its last exchange.
    #[must_use]
    pub fn deferred(mut self, deferred: Deferred) -> Self {
        self.deferred = Some(deferred);
        self
    }

    /// Has the exchanges of another operation run first. Its deferred result, if it has one, is not waited for.
    #[must_use]
    pub fn preceded_by(mut self, first: Self) -> Self {
        let own = self.first.take().into_iter().chain(std::mem::take(&mut self.later));
        let mut steps = first.first.into_iter().chain(first.later).chain(own);
        (self.first, self.later) = (steps.next(), steps.collect());
        self
    }

    /// Puts the operation into a lane of the queue. Default: [`Lane::COMMON`].
    #[must_use]
    pub fn lane(mut self, lane: Lane) -> Self {
        self.lane = lane;
        self
    }

    /// Gives the operation up unless its first byte is written within this time. Default: the port's option.
    #[must_use]
    pub fn start_within(mut self, timeout: Duration) -> Self {
        self.start_within = Some(timeout);
        self
    }

    /// Calls `conclude` with the outcome, also when the caller no longer waits for it.
    ///
    /// It is called on the driver's task and must not block. An operation that was withdrawn before its
    /// first byte drops `conclude` uncalled.
    #[must_use]
    pub fn on_conclusion(
        mut self,
        conclude: impl FnOnce(&Result<Reply, OperationError>) + Send + 'static,
    ) -> Self {
        self.on_conclusion = Some(Box::new(conclude));
        self
    }
}

impl From<Exchange> for Operation {
    fn from(exchange: Exchange) -> Self {
        Self::sequence([exchange])
    }
}

/// The command lines, one below the other, as they are written: secrets are `***`, and data is left out.
impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.steps().enumerate() {
            let line_end = if number == 0 { "" } else { "\n" };
            write!(f, "{line_end}{}", step.line)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation")
            .field("steps", &self.steps().collect::<Vec<_>>())
            .field("deferred", &self.deferred)
            .field("lane", &self.lane)
            .finish_non_exhaustive()
    }
}

/// A lane of the port's queue: order is kept inside a lane, and lanes take turns.
///
/// ```
/// use at_codec::CommandLine;
/// use at_port::{Exchange, Lane, Operation};
///
/// let operation = Operation::from(Exchange::new(CommandLine::execute("+CSQ"))).lane(Lane::client(0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lane(u8);

impl Lane {
    /// Goes before every other lane: closing and recovering must not wait behind bulk.
    pub const CONTROL: Self = Self(0);
    /// For everything that belongs to no client.
    pub const COMMON: Self = Self(1);
    /// How many clients have a lane of their own.
    pub const CLIENTS: u8 = 8;
    /// How many lanes there are.
    pub(crate) const COUNT: usize = 2 + Self::CLIENTS as usize;

    /// The lane of a client; clients past [`CLIENTS`](Self::CLIENTS) share lanes.
    pub const fn client(number: u8) -> Self {
        Self(2 + number % Self::CLIENTS)
    }

    pub(crate) const fn position(self) -> usize {
        self.0 as usize
    }
}
