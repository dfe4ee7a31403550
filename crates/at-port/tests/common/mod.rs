//! A scripted module at the other end of the port, and rules for its small vocabulary.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use at_codec::{CommandLine, Damage, DamageKind, Extent, Framing};
use at_port::{
    Channel, Driver, Exchange, FinalResult, Lane, LinkState, Lost, OperationError, Port, PortError,
    PortEvent, PortOptions, Reaction, Rules, Tap, TapEntry,
};
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// The vocabulary of the scripted module.
///
/// `+URC: …` and `+CREG: n` are reports to the modem's channel, `+MSG: n,…` is a report with n counted bytes,
/// `+NEW: n` asks for `AT+READ=n`, `+STAT: n,…` ends the connection of client n, `RDY` tells of a reboot. `ERROR: n`
/// refuses a command, and so does `DENIED`, which is a report as well and names nobody.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TestRules;

impl Framing for TestRules {
    fn measure(&mut self, head: &[u8], _resume: &mut usize) -> Extent {
        let prefix = b"+MSG: ";
        let common = head.len().min(prefix.len());
        if head[..common] != prefix[..common] {
            return Extent::Line;
        }
        let Some(comma) = head.iter().position(|&byte| byte == b',') else {
            return if head.len() > 16 || head.contains(&b'\n') {
                Extent::Line
            } else {
                Extent::NeedMore(head.len() + 1)
            };
        };
        let count = std::str::from_utf8(&head[prefix.len()..comma]).unwrap().parse::<usize>().unwrap();
        let need = comma + 1 + count;
        match head.get(need..need + 2) {
            None => Extent::NeedMore(need + 2),
            Some(b"\r\n") => Extent::Exactly(need),
            Some(_) => Extent::Damaged { skip: need, need, kind: DamageKind::Trailer },
        }
    }
}

impl Rules for TestRules {
    type Urc = Bytes;

    fn final_result(&self, line: &Bytes, _command: &str) -> Option<FinalResult> {
        let is_result = line.starts_with(b"ERROR: ") || line == "DENIED";
        is_result.then(|| FinalResult::Vendor { line: line.clone(), success: false })
    }

    fn is_unsolicited(&self, line: &[u8]) -> bool {
        [&b"+URC: "[..], b"+MSG: ", b"+NEW: ", b"+STAT: ", b"+CREG: "].iter().any(|it| line.starts_with(it))
            || line == b"RDY"
            || line == b"DENIED"
    }

    fn unsolicited(&mut self, line: &Bytes) -> Reaction<Bytes> {
        let mut reaction = Reaction::deliver(Channel::Modem, line.clone());
        if let Some(number) = line.strip_prefix(b"+NEW: ") {
            let number: i64 = std::str::from_utf8(number).unwrap().parse().unwrap();
            reaction.follow_up =
                Some(Exchange::new(CommandLine::write("+READ").integer(number).finish()).into());
        }
        if let Some(rest) = line.strip_prefix(b"+STAT: ") {
            reaction.lost = Some(Lost::Lane(Lane::client(rest[0] - b'0')));
        }
        reaction.reboot = line == "RDY";
        reaction
    }

    fn damaged(&mut self, damage: &Damage) -> Reaction<Bytes> {
        Reaction::deliver(Channel::Modem, Bytes::from(format!("damaged {:?}", damage.kind)))
    }
}

/// The module's end of the wire: it checks what comes, byte for byte, and sends what the test says.
pub(crate) struct Module {
    pub(crate) io: DuplexStream,
    pending: Vec<u8>,
}

/// Longer than any wait of the port.
const FOR_EVER: Duration = Duration::from_secs(600);

impl Module {
    pub(crate) fn new(io: DuplexStream) -> Self {
        Self { io, pending: Vec::new() }
    }

    /// The host writes exactly these bytes next.
    pub(crate) async fn expect(&mut self, bytes: impl AsRef<[u8]>) {
        let wanted = bytes.as_ref();
        while self.pending.len() < wanted.len() {
            let mut chunk = [0; 4096];
            let read = timeout(FOR_EVER, self.io.read(&mut chunk)).await;
            let count = match read {
                Ok(count) => count.unwrap(),
                Err(_) => {
                    panic!("expected {}, got only {}", wanted.escape_ascii(), self.pending.escape_ascii())
                }
            };
            assert!(count > 0, "expected {}, but the host hung up", wanted.escape_ascii());
            self.pending.extend_from_slice(&chunk[..count]);
            let common = self.pending.len().min(wanted.len());
            assert!(
                self.pending[..common] == wanted[..common],
                "expected {}, got {}",
                wanted.escape_ascii(),
                self.pending.escape_ascii()
            );
        }
        self.pending.drain(..wanted.len());
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.io.write_all(bytes.as_ref()).await.unwrap();
    }

    /// The host writes nothing for this long.
    pub(crate) async fn expect_nothing_for(&mut self, time: Duration) {
        assert!(self.pending.is_empty(), "unexpected {}", self.pending.escape_ascii());
        let mut chunk = [0; 256];
        if let Ok(read) = timeout(time, self.io.read(&mut chunk)).await {
            panic!("expected nothing, got {}", chunk[..read.unwrap()].escape_ascii());
        }
    }

    /// One exchange, as the module sees it.
    pub(crate) async fn answer(&mut self, command: &str, answer: &str) {
        self.expect(command).await;
        self.send(answer).await;
    }

    /// The first probe of a fence is answered.
    pub(crate) async fn pass_fence(&mut self) {
        self.answer("AT+CMEE?\r", "\r\n+CMEE: 0\r\n\r\nOK\r\n").await;
    }
}

/// A port with its driver running, and the module at the other end.
pub(crate) struct Setup {
    pub(crate) port: Port<Bytes>,
    pub(crate) module: Module,
    pub(crate) driver: JoinHandle<PortError>,
    pub(crate) polls: Arc<AtomicUsize>,
}

/// A port of which nothing is known yet.
pub(crate) fn start_with(options: PortOptions, buffer: usize) -> Setup {
    let (host, module) = tokio::io::duplex(buffer);
    let (port, driver) = Port::new(host, Box::new(TestRules), options);
    let polls = Arc::new(AtomicUsize::new(0));
    let driver = tokio::spawn(Counted { driver, polls: Arc::clone(&polls) });
    Setup { port, module: Module::new(module), driver, polls }
}

/// A port that is in step.
pub(crate) async fn synced_with(options: PortOptions, buffer: usize) -> Setup {
    let mut setup = start_with(options, buffer);
    setup.module.pass_fence().await;
    setup.port.link().wait_for(|link| *link == LinkState::Synced).await.unwrap();
    setup
}

/// A port that is in step, with every option at its default.
pub(crate) async fn synced() -> Setup {
    synced_with(PortOptions::default(), 4096).await
}

impl Setup {
    /// Runs an operation on a task of its own, so that the test can play the module meanwhile.
    pub(crate) fn run(&self, operation: impl Into<at_port::Operation>) -> Running {
        let (port, operation) = (self.port.clone(), operation.into());
        tokio::spawn(async move { port.run(operation).await })
    }

    /// Proves that the port is in step: the next command gets its own answer.
    pub(crate) async fn check_in_step(&mut self) {
        let running =
            self.run(Exchange::new(CommandLine::execute("+NEXT")).answer(at_port::Answer::Named("+NEXT")));
        self.module.answer("AT+NEXT\r", "\r\n+NEXT: 1\r\n\r\nOK\r\n").await;
        assert_eq!(running.await.unwrap().unwrap().lines, ["+NEXT: 1"]);
    }

    pub(crate) fn poll_count(&self) -> usize {
        self.polls.load(Ordering::Relaxed)
    }
}

pub(crate) type Running = JoinHandle<Result<at_port::Reply, OperationError>>;

/// A driver whose polls are counted.
struct Counted {
    driver: Driver<DuplexStream, Bytes>,
    polls: Arc<AtomicUsize>,
}

impl Future for Counted {
    type Output = PortError;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<PortError> {
        self.polls.fetch_add(1, Ordering::Relaxed);
        Pin::new(&mut self.driver).poll(cx)
    }
}

/// A witness that writes everything down.
#[derive(Clone, Default)]
pub(crate) struct Witness(pub(crate) Arc<Mutex<String>>);

impl Tap for Witness {
    fn note(&mut self, entry: TapEntry<'_>) {
        let mut text = self.0.lock().unwrap();
        match entry {
            TapEntry::Command(line) => text.push_str(&format!("> {line}\n")),
            TapEntry::Echo(line) => text.push_str(&format!("echo {line}\n")),
            TapEntry::Line(line) => text.push_str(&format!("< {}\n", line.escape_ascii())),
            other => text.push_str(&format!("{other:?}\n")),
        }
    }
}

/// Everything the port has said about itself so far.
pub(crate) fn seen(events: &mut tokio::sync::broadcast::Receiver<PortEvent>) -> Vec<PortEvent> {
    std::iter::from_fn(|| events.try_recv().ok()).collect()
}

/// `AT+NAME=number`
pub(crate) fn write(name: &'static str, number: i64) -> CommandLine {
    CommandLine::write(name).integer(number).finish()
}

pub(crate) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}
