//! The session alone, under random interleavings of callers, module and time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use at_port::{
    Answer, Deferred, Delivery, Exchange, LinkState, Operation, OperationError, PortEvent, Reply, Session,
    SessionOptions, Ticket,
};
use bytes::Bytes;
use proptest::prelude::*;
use tokio::time::Instant;

use crate::common::{TestRules, Witness, ms, write};

/// What can happen next.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// A caller asks, with or without a deferred result.
    Ask { deferred: bool },
    /// The module says so many bytes of what it has to say.
    Say { bytes: usize },
    /// The module finds a report to say between two answers.
    Report,
    /// The deferred result that was announced so many results ago is known.
    Result { back: usize },
    /// The port takes so many bytes.
    Take { bytes: usize },
    /// Time passes.
    Wait { milliseconds: u64 },
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        2 => any::<bool>().prop_map(|deferred| Event::Ask { deferred }),
        6 => (1_usize..80).prop_map(|bytes| Event::Say { bytes }),
        1 => Just(Event::Report),
        2 => (0_usize..4).prop_map(|back| Event::Result { back }),
        5 => (1_usize..40).prop_map(|bytes| Event::Take { bytes }),
        4 => prop_oneof![0_u64..60, 200_u64..700].prop_map(|milliseconds| Event::Wait { milliseconds }),
    ]
}

type Outcomes = Arc<Mutex<Vec<(i64, Result<Reply, OperationError>)>>>;

struct Caller {
    number: i64,
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

/// A module that answers in order, as fast or as slow as the events let it.
#[derive(Default)]
struct Model {
    heard: String,
    saying: VecDeque<u8>,
    owed: Vec<String>,
}

impl Model {
    fn hear(&mut self, bytes: &[u8]) {
        self.heard.push_str(std::str::from_utf8(bytes).unwrap());
        while let Some(end) = self.heard.find('\r') {
            let line = self.heard[..end].to_owned();
            self.heard.drain(..=end);
            let answer = if let Some(number) = line.strip_prefix("AT+CX=") {
                self.owed.push(number.to_owned());
                format!("\r\n+CX: {number}\r\n\r\nOK\r\n")
            } else {
                let name = line.trim_start_matches("AT").trim_end_matches('?');
                format!("\r\n{name}: 0\r\n\r\nOK\r\n")
            };
            self.saying.extend(answer.bytes());
        }
    }
}

/// How it went.
struct Course {
    /// The operations without a deferred result, as they were asked for.
    without_deferred: Vec<i64>,
    outcomes: Vec<(i64, Result<Reply, OperationError>)>,
    /// Whether an answer was broken by a silence in it.
    damaged: bool,
}

/// Plays the events and then lets everything come to its end.
fn play(events: &[Event]) -> Course {
    let mut now = Instant::now();
    let outcomes = Outcomes::default();
    let mut options = SessionOptions::default();
    options.start_within = Duration::from_secs(100_000);
    let mut session: Session<Bytes, Caller> = Session::new(Box::new(TestRules), options, now);
    let mut model = Model::default();
    let mut without_deferred = Vec::new();
    let mut number = 0;
    let mut damaged = false;
    let ending = [Event::Take { bytes: 99 }, Event::Say { bytes: 999 }, Event::Wait { milliseconds: 50 }];
    for event in events.iter().chain(ending.iter().cycle().take(1200)) {
        match *event {
            Event::Ask { deferred } => {
                number += 1;
                let exchange =
                    Exchange::new(write("+CX", number)).answer(Answer::Named("+CX")).timeout(ms(1000));
                let operation = match deferred {
                    true => exchange.deferred(Deferred::new(&["+CXR"], [number], ms(2000))),
                    false => {
                        without_deferred.push(number);
                        Operation::from(exchange)
                    }
                };
                session.submit(now, operation, Some(Caller { number, outcomes: Arc::clone(&outcomes) }));
            }
            Event::Say { bytes } => {
                let said: Vec<u8> = model.saying.drain(..bytes.min(model.saying.len())).collect();
                session.inbox().extend_from_slice(&said);
                session.handle_input(now);
            }
            Event::Report => model.saying.extend(b"\r\n+URC: 1\r\n"),
            Event::Result { back } => {
                if let Some(position) = model.owed.len().checked_sub(back + 1) {
                    let result = format!("\r\n+CXR: {},0\r\n", model.owed.remove(position));
                    model.saying.extend(result.bytes());
                }
            }
            Event::Take { bytes } => {
                let taken = session.transmit(now).map(|unsent| unsent[..bytes.min(unsent.len())].to_vec());
                if let Some(taken) = taken {
                    session.handle_sent(now, taken.len());
                    model.hear(&taken);
                }
            }
            Event::Wait { milliseconds } => now += ms(milliseconds),
        }
        while let Some(delivery) = session.poll_delivery() {
            damaged |= matches!(delivery, Delivery::Event(PortEvent::Damaged { .. }));
        }
        if session.deadline().is_some_and(|due| due <= now) {
            session.handle_timeout(now);
        }
    }
    let outcomes = outcomes.lock().unwrap().split_off(0);
    Course { without_deferred, outcomes, damaged }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_reply_goes_to_the_ticket_that_caused_it_and_in_order(events in proptest::collection::vec(event(), 1..150)) {
        let Course { without_deferred: asked, outcomes, damaged } = play(&events);
        for (number, outcome) in &outcomes {
            if let Ok(reply) = outcome {
                let expected = format!("+CX: {number}");
                prop_assert!(reply.lines.iter().all(|line| *line == expected), "{number} got {reply:?}");
                match &reply.deferred {
                    Some(result) => prop_assert_eq!(result, &format!("+CXR: {number},0")),
                    None => prop_assert!(reply.lines.len() == 1 || damaged, "{number} got {reply:?}"),
                }
            }
        }
        let settled: Vec<i64> =
            outcomes.iter().map(|(number, _)| *number).filter(|number| asked.contains(number)).collect();
        prop_assert_eq!(settled, asked);
    }
}

#[test]
fn an_undisturbed_course_succeeds() {
    let Course { outcomes, .. } = play(&[Event::Ask { deferred: false }, Event::Ask { deferred: false }]);
    assert!(outcomes.len() == 2 && outcomes.iter().all(|(_, outcome)| outcome.is_ok()), "{outcomes:?}");
}

/// A caller who writes down where the witness does, too.
struct Beside(Witness);

impl Ticket for Beside {
    fn wanted(&self) -> bool {
        true
    }

    fn settle(self, _: Result<Reply, OperationError>) {
        self.0.0.lock().unwrap().push_str("the caller knows\n");
    }
}

#[test]
fn a_witness_has_the_last_word_before_the_caller_who_may_end_with_it() {
    let witness = Witness::default();
    let mut now = Instant::now();
    let mut session: Session<Bytes, Beside> =
        Session::new(Box::new(TestRules), SessionOptions::default(), now);
    session.set_tap(Box::new(witness.clone()));
    let mut model = Model::default();
    let mut exchange = |session: &mut Session<Bytes, Beside>, now: Instant| {
        while let Some(bytes) = session.transmit(now) {
            let count = bytes.len();
            model.hear(bytes);
            session.handle_sent(now, count);
            session.inbox().extend_from_slice(model.saying.make_contiguous());
            model.saying.clear();
            session.handle_input(now);
        }
    };
    while session.link() != LinkState::Synced {
        exchange(&mut session, now);
        now = session.deadline().unwrap_or(now);
        session.handle_timeout(now);
    }
    let command = Exchange::new(write("+CX", 7)).answer(Answer::Named("+CX"));
    let deferred = Deferred::new(&["+CXR"], [7], ms(2000));
    session.submit(now, command.deferred(deferred), Some(Beside(witness.clone())));
    exchange(&mut session, now);
    session.inbox().extend_from_slice(b"\r\n+CXR: 7\r\n");
    session.handle_input(now);
    let text = witness.0.lock().unwrap().clone();
    assert!(text.ends_with("> AT+CX=7\n< +CX: 7\n< OK\n< +CXR: 7\nthe caller knows\n"), "{text}");
}
