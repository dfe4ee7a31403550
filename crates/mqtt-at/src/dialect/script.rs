//! A module that follows a script, for tests of flows and rules: own bytes, nothing of the codec.

use std::cell::Cell;
use std::fmt::Write as _;
use std::time::Duration;

use at_port::{Port, PortOptions, Rules};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::dialect::ModemPort;
use crate::link::Inbound;

/// Runs the host's side against a module that follows a script, which has to be followed to its end.
///
/// `>> text` is a command line that must come, with the end behind it that the port's first question has; `>= text` is
/// data that must come. `<< text` is sent as a line between CRLFs, `<= text` as it is. `\r` and `\n` stand for CR and
/// LF. `-- 50` lets so many seconds pass. Blank lines are left out. The port's first question is answered before the script begins.
pub(crate) async fn converse<T>(
    rules: Box<dyn Rules<Urc = Inbound>>,
    script: &str,
    host: impl AsyncFnOnce(ModemPort) -> T,
) -> T {
    converse_with(PortOptions::default(), rules, script, host).await
}

/// As [`converse`], over a port with options.
pub(crate) async fn converse_with<T>(
    options: PortOptions,
    rules: Box<dyn Rules<Urc = Inbound>>,
    script: &str,
    host: impl AsyncFnOnce(ModemPort) -> T,
) -> T {
    let (host_end, module_end) = tokio::io::duplex(4096);
    let probe = rules.probes()[0];
    let line = std::str::from_utf8(probe.line).unwrap();
    let (question, line_end) = line.split_at(line.trim_end().len());
    let script = format!(">> {question}\n<< {}: 0\n<< OK\n{script}", probe.name);
    let (port, driver) = Port::new(host_end, rules, options);
    tokio::spawn(driver);
    let module = tokio::spawn(follow(script, line_end, module_end));
    let outcome = tokio::time::timeout(LONGEST, host(port)).await;
    let outcome = outcome.expect("the host waits for something that does not come");
    if let Err(error) = module.await {
        std::panic::resume_unwind(error.into_panic());
    }
    outcome
}

/// Longer than anything in a script takes, in virtual time.
const LONGEST: Duration = Duration::from_secs(3600);

async fn follow(script: String, line_end: &str, mut port: DuplexStream) {
    let mut done = String::new();
    for step in script.lines().map(str::trim).filter(|step| !step.is_empty()) {
        let (kind, text) = step.split_at(2);
        let text = text.strip_prefix(' ').unwrap_or(text).replace("\\r", "\r").replace("\\n", "\n");
        if kind == "--" {
            tokio::time::sleep(Duration::from_secs(text.parse().unwrap())).await;
            continue;
        }
        let (expected, sent) = match kind {
            ">>" => (format!("{text}{line_end}"), None),
            ">=" => (text, None),
            "<<" => (String::new(), Some(format!("\r\n{text}\r\n"))),
            "<=" => (String::new(), Some(text)),
            _ => panic!("a step is >>, >=, <<, <= or --: {step}"),
        };
        if let Some(sent) = sent {
            send(&mut port, sent.as_bytes()).await;
        } else {
            let got = read(&mut port, expected.as_bytes()).await;
            assert_eq!(got, expected, "the host left the script; the conversation so far:\n{done}");
        }
        writeln!(done, "{step}").unwrap();
    }
    // Whatever else the host says is one thing too many.
    let got = read(&mut port, b"").await;
    assert_eq!(got, "", "the host went on; the conversation so far:\n{done}");
}

/// How the module's bytes are cut on their way to the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// Each step in one piece.
    Nowhere,
    /// One byte at a time.
    Everywhere,
    /// Once, behind so many bytes from the beginning of the script.
    Behind(usize),
}

thread_local! {
    static CUT: Cell<Cut> = const { Cell::new(Cut::Nowhere) };
    /// How many bytes the module has sent in the script under way.
    static SENT: Cell<usize> = const { Cell::new(0) };
}

/// Runs a conversation whole, byte by byte, and cut in two at every place.
pub(crate) async fn at_every_cut(conversation: impl AsyncFn()) {
    let bytes = run_cut(Cut::Nowhere, &conversation).await;
    assert!(bytes > 0, "the module has something to say");
    run_cut(Cut::Everywhere, &conversation).await;
    for place in 1..bytes {
        run_cut(Cut::Behind(place), &conversation).await;
    }
    CUT.set(Cut::Nowhere);
}

/// Runs it once; gives the number of bytes that the module sent.
async fn run_cut(cut: Cut, conversation: &impl AsyncFn()) -> usize {
    CUT.set(cut);
    SENT.set(0);
    conversation().await;
    SENT.get()
}

/// Sends, and lets the host read what comes before a cut.
async fn send(port: &mut DuplexStream, bytes: &[u8]) {
    let start = SENT.get();
    SENT.set(start + bytes.len());
    let pieces: Vec<&[u8]> = match CUT.get() {
        Cut::Nowhere => vec![bytes],
        Cut::Everywhere => bytes.chunks(1).collect(),
        Cut::Behind(place) => {
            let (before, behind) = bytes.split_at(place.saturating_sub(start).min(bytes.len()));
            vec![before, behind]
        }
    };
    for (number, piece) in pieces.iter().enumerate() {
        if number > 0 {
            // The driver and the host get their turns between the pieces.
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
        }
        port.write_all(piece).await.unwrap();
    }
}

/// Reads until what was read is no start of what is expected any more, or all of it; or the host has left.
async fn read(port: &mut DuplexStream, expected: &[u8]) -> String {
    let mut got = Vec::new();
    while got != expected && expected.starts_with(&got) || expected.is_empty() {
        match port.read_u8().await {
            Ok(byte) => got.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&got).into_owned()
}
