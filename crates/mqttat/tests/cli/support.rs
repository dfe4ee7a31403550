//! Processes around the tests.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use tempfile::TempDir;

/// What may take long on a machine that is busy, and never does otherwise.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The binary, with none of the environment's settings.
pub(crate) fn mqttat() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mqttat"));
    command
        .env_remove("MQTTAT_DEVICE")
        .env_remove("MQTTAT_SIM_PIN")
        .env_remove("NO_COLOR")
        .stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Output {
    command.output().unwrap()
}

/// Runs a command that must succeed; its stdout.
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = run(command);
    assert!(output.status.success(), "{command:?}: {output:?}");
    assert!(output.stderr.is_empty(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command that must fail; its one line on stderr.
pub(crate) fn fail(code: i32, command: &mut Command) -> String {
    let output = run(command);
    assert_eq!(output.status.code(), Some(code), "{command:?}: {output:?}");
    let line = String::from_utf8(output.stderr).unwrap();
    assert!(line.ends_with('\n') && line.lines().count() == 1, "{command:?}: not one line: {line:?}");
    assert!(line.starts_with("mqttat: "), "{line}");
    assert!(output.stdout.is_empty(), "{command:?} printed {:?}", String::from_utf8_lossy(&output.stdout));
    line
}

/// `mqttat sim` on a pseudo terminal, until it is dropped.
pub(crate) struct Sim {
    pub(crate) child: Child,
    /// The line with READY.
    pub(crate) ready: String,
    pub(crate) link: PathBuf,
    folder: TempDir,
}

impl Sim {
    /// With a broker of its own, and these options.
    pub(crate) fn start(options: &[&str]) -> Self {
        Self::with_broker("embedded", options)
    }

    pub(crate) fn with_broker(broker: &str, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("module");
        let mut child = mqttat()
            .args(["sim", "--broker", broker, "--link"])
            .arg(&link)
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut ready).unwrap();
        Self { child, ready, link, folder }
    }

    /// The command line on this module.
    pub(crate) fn mqttat(&self) -> Command {
        let mut command = mqttat();
        command.arg("--device").arg(&self.link).arg("--state-dir").arg(self.folder.path());
        command
    }

    /// `pub` to a host that the module's broker stands in for.
    pub(crate) fn publish(&self, topic: &str) -> Command {
        let mut command = self.mqttat();
        command.args(["pub", "-h", "broker.example.com", "-t", topic]);
        command
    }

    /// `sub`, likewise.
    pub(crate) fn subscribe(&self, filter: &str) -> Command {
        let mut command = self.mqttat();
        command.args(["sub", "-h", "broker.example.com", "-W", "30", "-t", filter]);
        command
    }

    /// A file in a folder that goes with the module.
    pub(crate) fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        // A module that has ended already is what some tests want.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until a file holds a text.
pub(crate) fn wait_for_text(path: &Path, text: &str) -> String {
    let start = Instant::now();
    loop {
        let content = std::fs::read_to_string(path).unwrap_or_default();
        if content.contains(text) {
            return content;
        }
        assert!(start.elapsed() < PATIENCE, "{text:?} did not come: {content}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A broker that answers CONNECT with this return code and refuses every subscription.
pub(crate) fn refusing_broker(connack: u8) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // The connection ends as its other end likes.
            std::thread::spawn(move || while refuse(&mut stream, connack).is_some() {});
        }
    });
    address
}

/// Answers one packet, whose remaining length must be below 128 bytes.
fn refuse(stream: &mut (impl Read + Write), connack: u8) -> Option<()> {
    let mut head = [0; 2];
    stream.read_exact(&mut head).ok()?;
    let mut body = vec![0; head[1].into()];
    stream.read_exact(&mut body).ok()?;
    match head[0] >> 4 {
        1 => stream.write_all(&[0x20, 2, 0, connack]).ok()?,
        8 => stream.write_all(&[0x90, 3, body[0], body[1], 0x80]).ok()?,
        _ => {}
    }
    Some(())
}

/// A pseudo terminal behind which nobody is.
pub(crate) fn mute_terminal() -> (OwnedFd, String) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    (master, name.to_str().unwrap().to_owned())
}
