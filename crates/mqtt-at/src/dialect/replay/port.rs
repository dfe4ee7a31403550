//! The host's side of the logs through a port, against a module that plays the other side.

use std::time::Duration;

use at_codec::CommandLine;
use at_port::{
    Answer, Channel, Deferred, Exchange as PortExchange, Operation, OperationError, Port, PortEvent,
    PortOptions, Probe, PromptForm, Reply,
};
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::broadcast;

use super::conversation::{Exchange, read};
use super::{CASES, Case};
use crate::dialect::ModemPort;
use crate::link::Inbound;

/// What a module says by itself, in the logs.
const REPORTS: &[&str] = &["+CGEV: ", "SMS DONE", "+CMQTTCONNLOST: "];
/// What it says when it has started.
const STARTS: &[&str] = &["RDY", "*ATREADY: 1"];

/// Longer than anything takes, in virtual time.
const LONGEST: Duration = Duration::from_secs(3600);
/// The hosts of the logs were people or took their time: the module had said all that it had to say.
const PAUSE: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn every_command_gets_the_answer_that_the_log_shows() {
    for case in CASES {
        for capacity in [1 << 16, 1] {
            let replay = tokio::time::timeout(LONGEST, replay(case, capacity));
            replay.await.unwrap_or_else(|_| panic!("{}: no end", case.name));
        }
    }
}

async fn replay(case: &Case, capacity: usize) {
    let rules = case.rules();
    let (host_end, module_end) = tokio::io::duplex(capacity);
    let module = tokio::spawn(play(case.name, rules.probes(), module_end));
    let (port, driver) = Port::new(host_end, rules, PortOptions::default());
    let (mut events, mut messages) = (port.events(), receivers(&port));
    tokio::spawn(driver);

    for exchange in read(case.name).iter().filter(|it| !it.command.is_empty() && it.is_answered()) {
        tokio::time::sleep(PAUSE).await;
        let expected = Expected::of(exchange);
        let outcome = port.run(operation(exchange, expected.end.is_deferred())).await;
        expected.check(outcome, &format!("{}: {}", case.name, exchange.command));
    }
    tokio::time::sleep(PAUSE).await;

    for receiver in &mut messages {
        assert!(matches!(receiver.try_recv(), Err(broadcast::error::TryRecvError::Empty)), "{}", case.name);
    }
    check_events(case, &mut events);
    drop(port);
    if let Err(error) = module.await {
        std::panic::resume_unwind(error.into_panic());
    }
}

fn receivers(port: &ModemPort) -> Vec<broadcast::Receiver<Inbound>> {
    (0..6).map(Channel::Client).chain([Channel::Modem]).map(|channel| port.receiver(channel)).collect()
}

/// Nothing was damaged but what the log breaks off, and no line is unknown but those that are listed.
fn check_events(case: &Case, events: &mut broadcast::Receiver<PortEvent>) {
    let mut damaged = 0;
    loop {
        match events.try_recv() {
            Ok(PortEvent::Damaged { .. }) => damaged += 1,
            Ok(PortEvent::UnknownLine { length }) => {
                let is_listed = case.unknown.iter().any(|(line, _)| line.len() == length);
                assert!(is_listed, "{}: an unknown line of {length} bytes", case.name);
            }
            Ok(event @ PortEvent::Overrun { .. }) => panic!("{}: {event:?}", case.name),
            Ok(_) => {}
            Err(broadcast::error::TryRecvError::Lagged(count)) => {
                panic!("{}: {count} events unseen", case.name)
            }
            Err(_) => break,
        }
    }
    assert_eq!(damaged, usize::from(case.unfinished.is_some()), "{}", case.name);
}

fn operation(exchange: &Exchange, is_deferred: bool) -> Operation {
    let line = CommandLine::raw(&exchange.command).unwrap();
    let mut step = PortExchange::new(line).answer(Answer::Text);
    if exchange.prompt {
        step = step.data(PromptForm::Mark, Bytes::from(exchange.data.clone()), Duration::from_secs(60));
    }
    if !is_deferred {
        return step.into();
    }
    let name: &'static str = Box::leak(exchange.name().to_owned().into_boxed_str());
    let names: &'static [&'static str] = Box::leak(Box::new([name]));
    step.deferred(Deferred::new(names, [], Duration::from_secs(150)))
}

/// How an exchange of a log ends.
#[derive(Debug)]
enum End {
    /// With `OK`, and perhaps with a deferred result behind it.
    Ok {
        deferred: Option<Vec<u8>>,
    },
    Refused {
        result: Vec<u8>,
    },
    /// The module started anew.
    Reset,
    /// The log shows no final result.
    Open,
}

impl End {
    fn is_deferred(&self) -> bool {
        matches!(self, Self::Ok { deferred: Some(_) })
    }
}

/// The answer that a log shows.
#[derive(Debug)]
struct Expected {
    lines: Vec<Vec<u8>>,
    data: Vec<u8>,
    end: End,
}

impl Expected {
    fn of(exchange: &Exchange) -> Self {
        let starts_with =
            |line: &[u8], words: &[&str]| words.iter().any(|it| line.starts_with(it.as_bytes()));
        let mut expected = Self { lines: Vec::new(), data: exchange.data.clone(), end: End::Open };
        for line in exchange.lines() {
            let is_repeated = expected.repeats(&line);
            match &mut expected.end {
                End::Ok { deferred: deferred @ None } if exchange.is_named(&line) => *deferred = Some(line),
                End::Open if exchange.is_echo(&line) || starts_with(&line, REPORTS) => {}
                End::Open if is_repeated => {}
                End::Open if line == b"OK" => expected.end = End::Ok { deferred: None },
                End::Open if starts_with(&line, &["ERROR", "+CME ERROR: "]) => {
                    expected.end = End::Refused { result: line };
                }
                End::Open if starts_with(&line, STARTS) => expected.end = End::Reset,
                End::Open => expected.lines.push(line),
                _ => {}
            }
        }
        expected
    }

    /// Some modules repeat the data, one of them as much of it as was declared. That is no answer.
    fn repeats(&self, line: &[u8]) -> bool {
        !line.is_empty() && self.data.windows(line.len()).any(|part| part == line)
    }

    fn check(&self, outcome: Result<Reply, OperationError>, which: &str) {
        match (&self.end, outcome) {
            (End::Ok { deferred }, Ok(reply)) => {
                let lines: Vec<_> = reply.lines.into_iter().filter(|line| !self.repeats(line)).collect();
                assert_eq!(lines, self.lines, "{which}");
                assert_eq!(reply.deferred.as_deref(), deferred.as_deref(), "{which}");
            }
            (End::Refused { result }, Err(OperationError::Refused(refusal))) => {
                assert_eq!(refusal.lines, self.lines, "{which}");
                assert_eq!(refusal.result.to_string().as_bytes(), result, "{which}");
            }
            (End::Reset, Err(OperationError::Reset { .. })) => {}
            (End::Open, Err(OperationError::Timeout { .. })) => {}
            (end, outcome) => panic!("{which}: {end:?} in the log, but {outcome:?}"),
        }
    }
}

/// The module: says what the log says to each command, and answers what a port asks to prove its link.
async fn play(name: &'static str, probes: &'static [Probe], mut port: DuplexStream) {
    for exchange in read(name) {
        if !exchange.command.is_empty() {
            if !exchange.is_answered() {
                continue;
            }
            let command = next_command(name, probes, &mut port, &exchange.command).await;
            assert_eq!(command.as_deref(), Some(&*exchange.command), "{name}");
        }
        port.write_all(&exchange.answer).await.unwrap();
        let mut data = vec![0; exchange.data.len()];
        port.read_exact(&mut data).await.unwrap();
        assert_eq!(data, exchange.data, "{name}: {}", exchange.command);
        port.write_all(&exchange.after_data).await.unwrap();
    }
    let surplus = next_command(name, probes, &mut port, "").await;
    assert_eq!(surplus, None, "{name}: the host went on");
}

/// The next command that is no probe, or is the expected one; `None` when the host has left.
async fn next_command(
    name: &str,
    probes: &[Probe],
    port: &mut DuplexStream,
    expected: &str,
) -> Option<String> {
    loop {
        let mut line = Vec::new();
        while line.last() != Some(&b'\r') {
            match port.read_u8().await {
                Ok(byte) => line.push(byte),
                Err(_) => return None,
            }
        }
        let text = std::str::from_utf8(&line).unwrap().trim_end();
        let probe = probes.iter().find(|probe| probe.line == line).filter(|_| text != expected);
        let Some(probe) = probe else { return Some(text.to_owned()) };
        let answer = format!("\r\n{}: 0\r\n\r\nOK\r\n", probe.name);
        port.write_all(answer.as_bytes()).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}
