//! A host that says exactly this and hears exactly that.

#![allow(dead_code, reason = "each test file uses its part")]

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

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
    pub(crate) async fn hear_some(&mut self, count: usize) -> Vec<u8> {
        let mut heard = vec![0; count];
        timeout(PATIENCE, self.io.read_exact(&mut heard)).await.unwrap().unwrap();
        heard
    }

    pub(crate) fn into_inner(self) -> T {
        self.io
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
