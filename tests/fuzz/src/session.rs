//! The session of the port, without task and clock: callers, a module that answers in order, and a bad line.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use at_codec::{CommandLine, Extent, Framing};
use at_port::{
    Answer, Channel, Deferred, Exchange, FinalResult, Operation, OperationError, PromptForm, Reaction, Reply,
    Rules, Session, SessionOptions, Ticket,
};
use bytes::Bytes;
use tokio::time::Instant;

use super::source::Source;

struct Vocabulary;

impl Framing for Vocabulary {
    fn measure(&mut self, _head: &[u8], _resume: &mut usize) -> Extent {
        Extent::Line
    }
}

impl Rules for Vocabulary {
    type Urc = Bytes;

    fn is_unsolicited(&self, line: &[u8]) -> bool {
        line.starts_with(b"+URC: ") || line == b"RDY"
    }

    fn unsolicited(&mut self, line: &Bytes) -> Reaction<Bytes> {
        let mut reaction = Reaction::deliver(Channel::Modem, line.clone());
        reaction.reboot = line == "RDY";
        reaction
    }
}

type Outcomes = Arc<Mutex<Vec<(u32, Result<Reply, OperationError>)>>>;

struct Caller {
    number: u32,
    outcomes: Outcomes,
}

impl Ticket for Caller {
    fn wanted(&self) -> bool {
        true
    }

    fn settle(self, outcome: Result<Reply, OperationError>) {
        self.outcomes.lock().unwrap().push((self.number, outcome));
    }
}

/// What no line that a fault made could be by accident: the number and its seal.
fn sealed(number: u32) -> String {
    format!("{number},{:08x}", number.wrapping_add(1).wrapping_mul(0x9E37_79B1))
}

/// The number of a line with an intact seal.
fn number_of(line: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(line).ok()?;
    let (_, rest) = text.split_once(": ")?;
    let number = rest.split(',').next()?.parse().ok()?;
    rest.starts_with(&sealed(number)).then_some(number)
}

/// A module that answers in order. A command that asks for data takes it for what it is.
#[derive(Default)]
struct Module {
    heard: Vec<u8>,
    saying: VecDeque<u8>,
    owed: Vec<String>,
    /// The bytes that are awaited behind a prompt, and what to answer then.
    data: Option<(usize, String)>,
}

impl Module {
    fn hear(&mut self, bytes: &[u8]) {
        self.heard.extend_from_slice(bytes);
        loop {
            if let Some((count, _)) = &self.data {
                if self.heard.len() < *count {
                    return;
                }
                let (count, answer) = self.data.take().unwrap();
                self.heard.drain(..count);
                self.saying.extend(answer.bytes());
                continue;
            }
            let Some(end) = self.heard.iter().position(|byte| *byte == b'\r') else { return };
            let line: Vec<u8> = self.heard.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line[..end]).into_owned();
            if let Some(arguments) = line.strip_prefix("AT+CX=") {
                let number = arguments.split(',').next().and_then(|it| it.parse().ok()).unwrap_or(0);
                if arguments.ends_with(",1") {
                    self.owed.push(sealed(number));
                }
                self.saying.extend(format!("\r\n+CX: {}\r\n\r\nOK\r\n", sealed(number)).bytes());
            } else if let Some(number) = line.strip_prefix("AT+CD=") {
                let number = number.parse().unwrap_or(0);
                self.data =
                    Some((sealed(number).len(), format!("\r\n+CD: {}\r\n\r\nOK\r\n", sealed(number))));
                self.saying.extend(b"\r\n> ");
            } else {
                let name = line.trim_start_matches("AT").trim_end_matches('?');
                self.saying.extend(format!("\r\n{name}: 0\r\n\r\nOK\r\n").bytes());
            }
        }
    }
}

/// Operations of callers, pieces of what the module says with and without harm, results, reports and time, in any
/// order. No caller ever gets an intact answer of another one, and everybody is told something, once.
pub fn session_ops(data: &[u8]) {
    let mut source = Source(data);
    let mut now = Instant::now();
    let outcomes = Outcomes::default();
    let options = SessionOptions::default();
    let mut session: Session<Bytes, Caller> = Session::new(Box::new(Vocabulary), options, now);
    let mut module = Module::default();
    let mut number = 0;
    // What the fuzzer wants, and then quiet until everything has come to its end.
    let mut quiet = 0;
    while quiet < 3000 {
        let operation = if source.is_empty() {
            quiet += 1;
            [8, 2, 7][quiet % 3]
        } else {
            source.below(12)
        };
        let argument = if source.is_empty() { 250 } else { source.byte() };
        match operation {
            0 | 1 if number < 64 => {
                number += 1;
                let operation = request(number, argument);
                let caller = Caller { number, outcomes: Arc::clone(&outcomes) };
                session.submit(now, operation, Some(caller));
            }
            // The module says something, and the line may harm a byte of it.
            2..=5 => {
                let count = module.saying.len().min(usize::from(argument));
                let mut said: Vec<u8> = module.saying.drain(..count).collect();
                harm(&mut said, operation, argument);
                session.inbox().extend_from_slice(&said);
                session.handle_input(now);
            }
            6 => {
                if let Some(result) = module.owed.pop() {
                    module.saying.extend(format!("\r\n+DONE: {result}\r\n").bytes());
                }
            }
            7 => now += Duration::from_millis(u64::from(argument) * 2),
            8 | 9 => {
                let unsent =
                    session.transmit(now).map(|it| it[..it.len().min(usize::from(argument))].to_vec());
                if let Some(taken) = unsent.filter(|it| !it.is_empty()) {
                    session.handle_sent(now, taken.len());
                    module.hear(&taken);
                }
            }
            10 => module.saying.extend(b"\r\n+URC: 1\r\n"),
            11 if argument == 0 => module.saying.extend(b"\r\nRDY\r\n"),
            _ => {}
        }
        while session.poll_delivery().is_some() {}
        if session.deadline().is_some_and(|due| due <= now) {
            session.handle_timeout(now);
        }
    }
    check(&outcomes.lock().unwrap(), number, &session);
}

/// A command, one with a deferred result, or one with data.
fn request(number: u32, kind: u8) -> Operation {
    let named = |name| CommandLine::write(name).integer(i64::from(number));
    match kind % 3 {
        0 => Exchange::new(named("+CX").integer(0).finish()).answer(Answer::Named("+CX")).into(),
        1 => Exchange::new(named("+CX").integer(1).finish())
            .answer(Answer::Named("+CX"))
            .deferred(Deferred::new(&["+DONE"], [i64::from(number)], Duration::from_secs(2))),
        _ => Exchange::new(named("+CD").finish())
            .answer(Answer::Named("+CD"))
            .data(PromptForm::Mark, Bytes::from(sealed(number)), Duration::from_secs(30))
            .into(),
    }
}

fn harm(said: &mut Vec<u8>, kind: usize, argument: u8) {
    let at = usize::from(argument) % said.len().max(1);
    match kind {
        3 if !said.is_empty() => drop(said.remove(at)),
        4 if !said.is_empty() => said[at] ^= 1 << (argument % 8),
        5 if !said.is_empty() => said.insert(at, said[at]),
        _ => {}
    }
}

fn check(outcomes: &[(u32, Result<Reply, OperationError>)], asked: u32, session: &Session<Bytes, Caller>) {
    assert_eq!(outcomes.len(), asked as usize, "everybody is told, once: {session:?}");
    for (number, outcome) in outcomes {
        let Ok(reply) = outcome else { continue };
        assert!(matches!(reply.result, FinalResult::Ok), "{reply:?}");
        for line in reply.lines.iter().chain(&reply.deferred) {
            let other = number_of(line).filter(|it| it != number);
            assert_eq!(other, None, "{number} got {line:?}");
        }
    }
}
