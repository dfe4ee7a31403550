//! A module that follows a script, for tests of flows and rules: own bytes, nothing of the codec.

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
/// LF. Blank lines are left out. The port's first question is answered before the script begins.
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
        let (expected, sent) = match kind {
            ">>" => (format!("{text}{line_end}"), None),
            ">=" => (text, None),
            "<<" => (String::new(), Some(format!("\r\n{text}\r\n"))),
            "<=" => (String::new(), Some(text)),
            _ => panic!("a step is >>, >=, << or <=: {step}"),
        };
        if let Some(sent) = sent {
            port.write_all(sent.as_bytes()).await.unwrap();
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
