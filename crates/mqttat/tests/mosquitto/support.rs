//! Real processes around the tests: mosquitto, the virtual module, the command line, mosquitto's own clients.

use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long anything may take that a machine under load does.
const PATIENCE: Duration = Duration::from_secs(60);

/// A child process that ends with the test.
pub struct Process {
    child: Child,
    lines: Receiver<String>,
}

impl Process {
    /// Starts a command and listens to what it writes to `stderr` and, if wanted, to `stdout`.
    fn start(command: &mut Command, listen_to_stdout: bool) -> Self {
        let stdout = if listen_to_stdout { Stdio::piped() } else { Stdio::null() };
        Self::run(command.stderr(Stdio::piped()).stdout(stdout))
    }

    /// Starts a command and listens to what it writes to `stdout` only.
    pub fn start_quiet(command: &mut Command) -> Self {
        Self::run(command.stderr(Stdio::null()).stdout(Stdio::piped()))
    }

    fn run(command: &mut Command) -> Self {
        command.stdin(Stdio::null());
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
        let (sender, lines) = channel();
        let outputs: [Option<Box<dyn Read + Send>>; 2] = [
            child.stdout.take().map(|it| Box::new(it) as Box<dyn Read + Send>),
            child.stderr.take().map(|it| Box::new(it) as Box<dyn Read + Send>),
        ];
        for output in outputs.into_iter().flatten() {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            });
        }
        Self { child, lines }
    }

    /// Waits for a line with this text.
    pub fn wait_for(&self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut heard = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => heard.push(line),
                Err(_) => panic!("no line with {text:?}; heard:\n{}", heard.join("\n")),
            }
        }
    }

    /// Asks the process to end, and waits for it.
    pub fn end(&mut self) {
        self.signal("TERM");
        self.child.wait().expect("it ends");
    }

    /// Does what Ctrl-C does.
    pub fn interrupt(&self) {
        self.signal("INT");
    }

    fn signal(&self, name: &str) {
        succeed(Command::new("kill").args(["-s", name, &self.child.id().to_string()]));
    }

    /// The next line that it writes. A soak waits for what is still on its way before it writes its own.
    pub fn line(&self) -> String {
        self.lines.recv_timeout(3 * PATIENCE).expect("a line comes")
    }

    /// Ends the process without letting it say goodbye.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A mosquitto of our own.
pub struct Broker {
    pub process: Process,
    pub port: u16,
    folder: tempfile::TempDir,
    mosquitto: String,
}

impl Broker {
    /// Lets everybody in.
    pub fn open() -> Self {
        Self::with("allow_anonymous true\n", |_| {})
    }

    /// With further lines of configuration; `files` may put files into the folder that the lines name as `FOLDER`.
    pub fn with(configuration: &str, files: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        files(folder.path());
        let port = free_port();
        let lines = configuration.replace("FOLDER", &folder.path().display().to_string());
        let path = folder.path().join("mosquitto.conf");
        std::fs::write(
            &path,
            format!("listener {port} 127.0.0.1\nuser root\nmax_queued_messages 0\n{lines}"),
        )
        .unwrap();
        let mosquitto = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"]
            .into_iter()
            .find(|it| Path::new(it).exists());
        let mosquitto = mosquitto.unwrap_or("mosquitto");
        let process = Self::run(mosquitto, &path, port);
        Self { process, port, folder, mosquitto: mosquitto.to_owned() }
    }

    fn run(mosquitto: &str, configuration: &Path, port: u16) -> Process {
        let process = Process::start(Command::new(mosquitto).arg("-v").arg("-c").arg(configuration), false);
        process.wait_for("running");
        TcpStream::connect(("127.0.0.1", port)).expect("mosquitto says that it is running");
        process
    }

    /// Ends mosquitto and starts it again on the same port; it remembers what its configuration has it keep.
    pub fn restart(&mut self) {
        self.process.end();
        self.process = Self::run(&self.mosquitto, &self.folder.path().join("mosquitto.conf"), self.port);
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a free port").port()
}

/// A virtual module on a PTY, whose connections all go to one broker.
pub struct Module {
    pub process: Process,
    pub link: PathBuf,
    pub state: PathBuf,
    vendor: String,
    broker_port: u16,
    _folder: tempfile::TempDir,
}

impl Module {
    pub fn start(vendor: &str, broker_port: u16) -> Self {
        Self::with_faults(vendor, broker_port, &[])
    }

    pub fn with_faults(vendor: &str, broker_port: u16, faults: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("module");
        let process = Self::run(vendor, broker_port, &link, faults);
        let state = folder.path().join("state");
        Self { process, link, state, vendor: vendor.to_owned(), broker_port, _folder: folder }
    }

    fn run(vendor: &str, broker_port: u16, link: &Path, faults: &[String]) -> Process {
        let mut command = Command::new(MQTTAT);
        command.args(["sim", "--vendor", vendor, "--broker", &format!("127.0.0.1:{broker_port}")]);
        command.args(faults.iter().flat_map(|fault| ["--fault", fault]));
        let process = Process::start(command.arg("--link").arg(link), true);
        process.wait_for("READY");
        process
    }

    /// Pulls the module out without a word and plugs it in again: another terminal, to which the same link leads, as
    /// those of /dev/serial/by-id do.
    pub fn replug(&mut self) {
        // First the link, or it would lead to whichever terminal is next to get the number of this one.
        std::fs::remove_file(&self.link).expect("the link is there");
        self.process.kill();
        self.process = Self::run(&self.vendor, self.broker_port, &self.link, &[]);
    }

    /// The command line on this module's port.
    pub fn mqttat(&self) -> Command {
        let mut command = Command::new(MQTTAT);
        command.arg("--device").arg(&self.link).arg("--state-dir").arg(&self.state);
        command
    }
}

pub const MQTTAT: &str = env!("CARGO_BIN_EXE_mqttat");

/// Runs a command to its end.
pub fn run(command: &mut Command) -> Output {
    command.stdin(Stdio::null());
    command.output().unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"))
}

/// Runs a command that must succeed, and gives what it wrote.
pub fn succeed(command: &mut Command) -> Vec<u8> {
    let output = run(command);
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} ended with {}: {complaint}", output.status);
    output.stdout
}

/// Runs a command that must fail with this exit code, and gives its one line of complaint.
pub fn fail(code: i32, command: &mut Command) -> String {
    let output = run(command);
    let complaint = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
    assert_eq!(output.status.code(), Some(code), "{command:?}: {complaint}");
    assert!(output.stdout.is_empty(), "nothing but data goes to stdout");
    if code == 1 {
        assert_eq!(complaint.lines().count(), 1, "one line: {complaint}");
    }
    complaint
}

/// mosquitto_sub, subscribed and collecting; the payload of one message comes out as it is.
pub struct Listener {
    child: Child,
}

impl Listener {
    pub fn start(broker: &Broker, filter: &str, qos: u8, extra: &[&str]) -> Self {
        let name = format!("listener-{}", free_port());
        let child = Command::new("mosquitto_sub")
            .args([
                "-h",
                "127.0.0.1",
                "-p",
                &broker.port.to_string(),
                "-i",
                &name,
                "-t",
                filter,
                "-q",
                &qos.to_string(),
            ])
            .args(["-C", "1", "-N", "-W", "50"])
            .args(extra)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("mosquitto_sub is there");
        broker.process.wait_for(&format!("Sending SUBACK to {name}"));
        Self { child }
    }

    /// The payload of the message that came.
    pub fn payload(self) -> Vec<u8> {
        let output = self.child.wait_with_output().expect("mosquitto_sub ends");
        assert!(output.status.success(), "no message came");
        output.stdout
    }
}

/// The command line, subscribed.
pub struct Subscriber {
    process: Process,
}

impl Subscriber {
    pub fn start(module: &Module, broker: &Broker, name: &str, arguments: &[&str]) -> Self {
        let mut command = module.mqttat();
        command.args(["sub", "-h", "broker.example.com", "-p", &broker.port.to_string(), "-i", name]);
        let process = Process::start(command.args(arguments), true);
        broker.process.wait_for(&format!("Sending SUBACK to {name}"));
        Self { process }
    }

    /// The same, of which only what it writes to stdout is listened to: it also tells of outages.
    pub fn quiet(module: &Module, broker: &Broker, name: &str, arguments: &[&str]) -> Self {
        let mut command = module.mqttat();
        command.args(["sub", "-h", "broker.example.com", "-p", &broker.port.to_string(), "-i", name]);
        let process = Process::start_quiet(command.args(arguments));
        broker.process.wait_for(&format!("Sending SUBACK to {name}"));
        Self { process }
    }

    /// The next line that it writes.
    pub fn line(&self) -> String {
        self.process.line()
    }

    /// Waits until it has ended, and says how.
    pub fn end(mut self) -> std::process::ExitStatus {
        self.process.child.wait().expect("the subscriber ends")
    }
}
