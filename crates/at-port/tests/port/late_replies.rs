//! No answer is ever given to a command that did not cause it, however late answers are.
//!
//! A model of a module answers in order, one answer per command; each answer bears the number of its command.
//! The port is tried against it with one answer late by everything from −5 ms to +8 s, with and without stalls.
//! Ways that other hosts go after a timeout are tried on the same model, and have to fail.

use std::time::Duration;

use at_port::{Answer, Deferred, Exchange, OperationError, PlainRules, Port, PortError, PortOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::common::{ms, write};

/// How long a host waits for an answer.
const TIMEOUT: Duration = Duration::from_millis(300);
/// How many numbered commands a host sends.
const COMMANDS: i64 = 6;
/// The command whose answer is late.
const LATE: &str = "2";

/// One course of events.
#[derive(Debug, Clone, Copy)]
struct Plan {
    delay: Duration,
    /// Seeds the stalls; without it there are none.
    stalls: Option<u64>,
    order: Order,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Order {
    Kept,
    /// From the late answer on, each command brings the answer of the one before it.
    OneBehind,
}

/// Steps of 1 ms around the deadline, and wider ones up to 8 s behind it.
fn plans() -> impl Iterator<Item = Plan> {
    let near = (295..=320).step_by(1);
    let far = (325..=8300).step_by(25);
    near.chain(far).flat_map(|delay| {
        [None, Some(delay), Some(delay + 1_000_003)].map(|stalls| Plan {
            delay: ms(delay),
            stalls,
            order: Order::Kept,
        })
    })
}

/// The model: it reads at once and answers in order.
async fn module(io: DuplexStream, plan: Plan) {
    let (mut reader, mut writer) = tokio::io::split(io);
    let (queue, mut commands) = mpsc::unbounded_channel();
    let listener = async move {
        let mut line = String::new();
        while let Ok(byte) = reader.read_u8().await {
            if byte != b'\r' {
                line.push(char::from(byte));
            } else if queue.send((Instant::now(), std::mem::take(&mut line))).is_err() {
                break;
            }
        }
    };
    let speaker = async move {
        let mut random = plan.stalls;
        let mut behind = None;
        while let Some((arrived, line)) = commands.recv().await {
            let number = line.strip_prefix("AT+CX=");
            let delay = if number == Some(LATE) { plan.delay } else { ms(10) };
            sleep_until(arrived + delay).await;
            tokio::time::sleep(stall(&mut random)).await;
            let mut answer = match number {
                Some(number) => format!("\r\n+CX: {number}\r\n\r\nOK\r\n\r\n+CXR: {number},0\r\n"),
                None => answer_of(&line).to_owned(),
            };
            if plan.order == Order::OneBehind && (behind.is_some() || number == Some(LATE)) {
                answer = behind.replace(answer).unwrap_or_default();
            }
            if writer.write_all(answer.as_bytes()).await.is_err() {
                break;
            }
        }
    };
    tokio::join!(listener, speaker);
}

fn answer_of(line: &str) -> &'static str {
    match line {
        "AT" => "\r\nOK\r\n",
        "AT+CMEE?" => "\r\n+CMEE: 0\r\n\r\nOK\r\n",
        "AT+CGATT?" => "\r\n+CGATT: 1\r\n\r\nOK\r\n",
        "AT+CCLK?" => "\r\n+CCLK: \"\"\r\n\r\nOK\r\n",
        "AT+CSQ" => "\r\n+CSQ: 1,1\r\n\r\nOK\r\n",
        _ => "\r\nERROR\r\n",
    }
}

/// One service in ten takes 0.3 to 6 s longer.
fn stall(random: &mut Option<u64>) -> Duration {
    let Some(state) = random else { return Duration::ZERO };
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^= mixed >> 31;
    if mixed.is_multiple_of(10) { ms(300 + (mixed >> 8) % 5700) } else { Duration::ZERO }
}

/// What became of one course.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Tally {
    right: usize,
    wrong: usize,
    gave_up: usize,
}

/// The port against the model: an error is allowed, the answer of another command is not.
async fn with_port(plan: Plan, deferred: bool) -> Tally {
    let (host, end) = tokio::io::duplex(4096);
    let model = tokio::spawn(module(end, plan));
    let (port, driver) = Port::new(host, PlainRules::boxed(), PortOptions::default());
    let driver = tokio::spawn(driver);
    let mut tally = Tally::default();
    for number in 1..=COMMANDS {
        let exchange = Exchange::new(write("+CX", number)).answer(Answer::Named("+CX")).timeout(TIMEOUT);
        let outcome = match deferred {
            false => port.run(exchange).await,
            true => port.run(exchange.deferred(Deferred::new(&["+CXR"], [number], ms(1000)))).await,
        };
        match outcome {
            Ok(reply) => {
                let line_is_ours =
                    reply.lines == [format!("+CX: {number}")] || deferred && reply.lines.is_empty();
                let result_is_ours = reply.deferred.is_none_or(|line| line == format!("+CXR: {number},0"));
                if line_is_ours && result_is_ours { tally.right += 1 } else { tally.wrong += 1 }
            }
            Err(OperationError::Port { error: PortError::Unresponsive { .. }, .. }) => tally.gave_up = 1,
            Err(OperationError::Timeout { .. }) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    driver.abort();
    model.abort();
    tally
}

#[tokio::test(start_paused = true)]
async fn late_reply_sweep() {
    let mut sum = Tally::default();
    let mut courses = 0;
    for plan in plans() {
        for deferred in [false, true] {
            let tally = with_port(plan, deferred).await;
            assert_eq!(tally.wrong, 0, "{plan:?}");
            sum = Tally { right: sum.right + tally.right, wrong: 0, gave_up: sum.gave_up + tally.gave_up };
            courses += 1;
        }
    }
    assert!(courses > 2000, "{courses} courses");
    // The port does not buy this by giving up: most commands get their answers.
    assert!(sum.gave_up * 100 <= courses * 2, "{sum:?} of {courses} courses");
    assert!(sum.right > courses * 3, "{sum:?} of {courses} courses");
}

#[tokio::test(start_paused = true)]
async fn late_reply() {
    let plan = Plan { delay: ms(400), stalls: None, order: Order::Kept };
    assert_eq!(with_port(plan, false).await, Tally { right: 5, wrong: 0, gave_up: 0 });
}

/// A module that does not answer in order cannot be fenced; the port then gives up rather than lie.
#[tokio::test(start_paused = true)]
async fn a_module_that_is_one_behind_is_given_up() {
    for delay in [10, 290, 310, 1000, 5000] {
        let plan = Plan { delay: ms(delay), stalls: None, order: Order::OneBehind };
        let tally = with_port(plan, false).await;
        assert_eq!(tally, Tally { right: 1, wrong: 0, gave_up: 1 }, "{plan:?}");
    }
}

/// What other hosts do after a timeout.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Strategy {
    SendTheNext,
    Drain250,
    BareAtUntilOneOk,
    EightBareAtsThenDrain,
    SameProbeEachTime,
}

/// A host of the simplest kind: it takes the lines up to `OK` for the answer.
struct PlainHost {
    io: DuplexStream,
    text: String,
}

impl PlainHost {
    /// Lines up to `OK`, or nothing if it does not come in time.
    async fn answer(&mut self, deadline: Instant) -> Option<Vec<String>> {
        let mut lines = Vec::new();
        loop {
            while let Some(end) = self.text.find("\r\n") {
                let line = self.text[..end].to_owned();
                self.text.drain(..end + 2);
                match &*line {
                    "OK" => return Some(lines),
                    "" => {}
                    _ if line.starts_with("+CXR: ") => {}
                    _ => lines.push(line),
                }
            }
            let mut chunk = [0; 256];
            let count = timeout_at(deadline, self.io.read(&mut chunk)).await.ok()?.unwrap();
            self.text.push_str(std::str::from_utf8(&chunk[..count]).unwrap());
        }
    }

    async fn ask(&mut self, line: &str, timeout: Duration) -> Option<Vec<String>> {
        self.io.write_all(line.as_bytes()).await.unwrap();
        self.answer(Instant::now() + timeout).await
    }

    async fn drain(&mut self) {
        let deadline = Instant::now() + ms(250);
        while self.answer(deadline).await.is_some() {}
        self.text.clear();
    }

    /// Says whether the host goes on.
    async fn recover(&mut self, strategy: Strategy) -> bool {
        match strategy {
            Strategy::SendTheNext => true,
            Strategy::Drain250 => {
                self.drain().await;
                true
            }
            Strategy::BareAtUntilOneOk => {
                while self.ask("AT\r", ms(1000)).await.is_none() {}
                true
            }
            Strategy::EightBareAtsThenDrain => {
                for _ in 0..8 {
                    if self.ask("AT\r", ms(250)).await.is_some() {
                        self.drain().await;
                        return true;
                    }
                }
                false
            }
            Strategy::SameProbeEachTime => {
                for patience in [1000, 2000, 4000, 8000] {
                    let deadline = Instant::now() + ms(patience);
                    self.io.write_all(b"AT+CMEE?\r").await.unwrap();
                    while let Some(lines) = self.answer(deadline).await {
                        if lines.iter().any(|line| line.starts_with("+CMEE: ")) {
                            return true;
                        }
                    }
                }
                false
            }
        }
    }
}

async fn with_strategy(plan: Plan, strategy: Strategy) -> Tally {
    let (io, end) = tokio::io::duplex(4096);
    let model = tokio::spawn(module(end, plan));
    let mut host = PlainHost { io, text: String::new() };
    let mut tally = Tally::default();
    for number in 1..=COMMANDS {
        match host.ask(&format!("AT+CX={number}\r"), TIMEOUT).await {
            Some(lines) if lines == [format!("+CX: {number}")] => tally.right += 1,
            Some(_) => tally.wrong += 1,
            None if host.recover(strategy).await => {}
            None => {
                tally.gave_up = 1;
                break;
            }
        }
    }
    model.abort();
    tally
}

/// The sweep can tell right from wrong: every other way gives answers to the wrong command.
#[tokio::test(start_paused = true)]
async fn the_sweep_catches_every_losing_strategy() {
    for strategy in [
        Strategy::SendTheNext,
        Strategy::Drain250,
        Strategy::BareAtUntilOneOk,
        Strategy::EightBareAtsThenDrain,
        Strategy::SameProbeEachTime,
    ] {
        let mut wrong = 0;
        for plan in plans() {
            wrong += with_strategy(plan, strategy).await.wrong;
        }
        assert!(wrong > 0, "{strategy:?} passes the sweep");
    }
}
