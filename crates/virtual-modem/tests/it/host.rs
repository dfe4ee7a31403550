//! A host that says exactly this and hears exactly that.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::time::timeout;
use virtual_modem::{Broker, Builder, MemoryBroker, Vendor, VirtualModem};

pub(crate) struct Host<T> {
    io: T,
}

/// Longer than anything a module takes.
const PATIENCE: Duration = Duration::from_secs(300);
/// Shorter than anything a module says late, longer than it needs to say something at once.
const MOMENT: Duration = Duration::from_millis(200);

impl<T: AsyncRead + AsyncWrite + Unpin> Host<T> {
    pub(crate) fn new(io: T) -> Self {
        Self { io }
    }

    pub(crate) async fn say(&mut self, bytes: impl AsRef<[u8]>) {
        self.io.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Says a command line and hears its answer.
    pub(crate) async fn ask(&mut self, command: &str, answer: impl AsRef<[u8]>) {
        self.say(format!("{command}\r")).await;
        self.hear_after(command, answer.as_ref()).await;
    }

    /// Hears exactly these bytes next.
    pub(crate) async fn hear(&mut self, expected: impl AsRef<[u8]>) {
        self.hear_after("", expected.as_ref()).await;
    }

    /// Hears nothing for a moment.
    pub(crate) async fn silence(&mut self) {
        let mut buffer = [0; 256];
        if let Ok(count) = timeout(MOMENT, self.io.read(&mut buffer)).await {
            panic!("heard \"{}\" instead of silence", buffer[..count.unwrap()].escape_ascii());
        }
    }

    /// Everything up to and including `end`.
    pub(crate) async fn hear_until(&mut self, end: &str) -> String {
        let mut heard = Vec::new();
        while !heard.ends_with(end.as_bytes()) {
            let mut byte = [0];
            match timeout(PATIENCE, self.io.read(&mut byte)).await {
                Ok(Ok(1)) => heard.push(byte[0]),
                other => panic!("heard \"{}\" and then {other:?}, not \"{end}\"", heard.escape_ascii()),
            }
        }
        String::from_utf8(heard).unwrap()
    }

    /// The next bytes, so many of them, whatever they are.
    #[cfg(feature = "embedded-broker")]
    pub(crate) async fn hear_some(&mut self, count: usize) -> Vec<u8> {
        let mut heard = vec![0; count];
        timeout(PATIENCE, self.io.read_exact(&mut heard)).await.unwrap().unwrap();
        heard
    }

    /// These bytes and then the end.
    pub(crate) async fn hear_end(&mut self, expected: &str) {
        self.hear(expected).await;
        assert_eq!(self.io.read(&mut [0; 16]).await.unwrap(), 0);
    }

    /// Everything until it is silent for a moment.
    pub(crate) async fn hear_all(&mut self) -> Vec<u8> {
        let mut heard = Vec::new();
        let mut buffer = [0; 1024];
        while let Ok(count) = timeout(MOMENT, self.io.read(&mut buffer)).await {
            heard.extend_from_slice(&buffer[..count.unwrap()]);
        }
        heard
    }

    async fn hear_after(&mut self, command: &str, expected: &[u8]) {
        let mut heard = Vec::new();
        while heard.len() < expected.len() {
            let mut buffer = vec![0; expected.len() - heard.len()];
            match timeout(PATIENCE, self.io.read(&mut buffer)).await {
                Ok(Ok(0)) => panic!("{command}: end of file after \"{}\"", heard.escape_ascii()),
                Ok(Ok(count)) => heard.extend_from_slice(&buffer[..count]),
                Ok(Err(error)) => panic!("{command}: {error}"),
                Err(_) => break,
            }
            assert!(
                expected.starts_with(&heard),
                "{command}\nexpected \"{}\"\n   heard \"{}\"",
                expected.escape_ascii(),
                heard.escape_ascii()
            );
        }
        assert_eq!(heard.escape_ascii().to_string(), expected.escape_ascii().to_string(), "{command}");
    }
}

/// A module with an in-memory broker, as `settle` wants it; Quectel's unless another vendor is named.
pub(crate) struct Bench {
    pub(crate) host: Host<DuplexStream>,
    pub(crate) modem: VirtualModem,
    pub(crate) broker: MemoryBroker,
}

impl Bench {
    /// A module that was just opened: echo on.
    pub(crate) fn fresh(settle: impl FnOnce(Builder) -> Builder) -> Self {
        Self::fresh_of(Vendor::Quectel, settle)
    }

    pub(crate) fn fresh_of(vendor: Vendor, settle: impl FnOnce(Builder) -> Builder) -> Self {
        let broker = MemoryBroker::new();
        let builder = VirtualModem::builder(vendor).broker(Broker::Memory(broker.clone()));
        let modem = settle(builder).build().unwrap();
        Self { host: Host::new(modem.duplex()), modem, broker }
    }

    /// Echo is off.
    pub(crate) async fn quiet(settle: impl FnOnce(Builder) -> Builder) -> Self {
        Self::quiet_of(Vendor::Quectel, settle).await
    }

    pub(crate) async fn quiet_of(vendor: Vendor, settle: impl FnOnce(Builder) -> Builder) -> Self {
        let mut bench = Self::fresh_of(vendor, settle);
        bench.host.say("ATE0\r").await;
        bench.host.hear("ATE0\r\r\nOK\r\n").await;
        bench
    }

    /// Client 0 is connected, with clean session, as `c0`.
    pub(crate) async fn connected(settle: impl FnOnce(Builder) -> Builder) -> Self {
        let mut bench = Self::quiet(settle).await;
        bench.connect(0).await;
        bench
    }

    pub(crate) async fn connect(&mut self, client: usize) {
        self.ok_then(
            &format!("AT+QMTOPEN={client},\"broker.example\",1883"),
            &format!("+QMTOPEN: {client},0"),
        )
        .await;
        self.ok_then(&format!("AT+QMTCONN={client},\"c{client}\""), &format!("+QMTCONN: {client},0,0")).await;
    }

    pub(crate) async fn ok(&mut self, command: &str) {
        self.host.ask(command, "\r\nOK\r\n").await;
    }

    pub(crate) async fn error(&mut self, command: &str) {
        self.host.ask(command, "\r\nERROR\r\n").await;
    }

    /// One information line and `OK`.
    pub(crate) async fn info(&mut self, command: &str, line: &str) {
        self.host.ask(command, format!("\r\n{line}\r\n\r\nOK\r\n")).await;
    }

    /// `OK` and then a line of its own.
    pub(crate) async fn ok_then(&mut self, command: &str, line: &str) {
        self.host.ask(command, format!("\r\nOK\r\n\r\n{line}\r\n")).await;
    }

    pub(crate) async fn line(&mut self, line: &str) {
        self.host.hear(format!("\r\n{line}\r\n")).await;
    }

    /// A publish up to its prompt, and the data.
    pub(crate) async fn publish(&mut self, arguments: &str, payload: impl AsRef<[u8]>) {
        let command = format!("AT+QMTPUBEX={arguments},{}", payload.as_ref().len());
        self.host.ask(&command, "\r\n> ").await;
        self.host.say(payload).await;
    }
}
