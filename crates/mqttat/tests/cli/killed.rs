//! A program that is killed in the middle of a payload, and the next one that finds the module so.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, QueueSelector, ioctl_tiocnxcl, tcflush, tcgetattr, tcsetattr};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use virtual_modem::{Broker, MemoryBroker, Quirk, Vendor, VirtualModem};

use crate::support::{PATIENCE, mqttat};

/// What is being published when the program is killed.
const PAYLOAD: &[u8; 64] = b"sixty-four bytes that nobody else says: 0123456789abcdefghijklmn";

/// When the module gives a payload up: the limit of the one manual that has one [Neoway MQTT 1.2 §5.7]. Modules of
/// the others were seen to wait for 27 s.
const GIVES_UP: Duration = Duration::from_secs(30);

/// Processes that may start at once on a machine that is shared.
const AT_ONCE: usize = 6;

/// A pseudo terminal of which the test is the wire: what the host has written is in the system's hands, and reaches
/// the module only as far as the test lets it.
struct Wire {
    master: File,
    /// Keeps the terminal alive between two hosts, and is where its state can be reset.
    spare: File,
    path: PathBuf,
    from_host: mpsc::UnboundedReceiver<Vec<u8>>,
}

impl Wire {
    fn new() -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let mut mode = tcgetattr(&master).unwrap();
        mode.make_raw();
        tcsetattr(&master, OptionalActions::Now, &mode).unwrap();
        let path = PathBuf::from(ptsname(&master, Vec::new()).unwrap().into_string().unwrap());
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let spare = File::from(rustix::fs::open(&path, flags, Mode::empty()).unwrap());
        let (to_test, from_host) = mpsc::unbounded_channel();
        let mut reader = File::from(master.try_clone().unwrap());
        // It ends when the test lets go of the wire.
        std::thread::spawn(move || {
            let mut bytes = [0; 1024];
            while let Ok(count @ 1..) = reader.read(&mut bytes) {
                if to_test.send(bytes[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { master: File::from(master), spare, path, from_host }
    }

    /// Carries bytes both ways until `limit` bytes of the payload have arrived; the rest stays with the system.
    async fn carry_until(&mut self, module: &mut tokio::io::DuplexStream, limit: usize) {
        let mut heard = Vec::new();
        let mut carried = 0;
        loop {
            let begin = heard.windows(8).position(|part| part == &PAYLOAD[..8]);
            let end = begin.map_or(heard.len(), |begin| heard.len().min(begin + limit));
            module.write_all(&heard[carried..end]).await.unwrap();
            carried = end;
            if begin.is_some_and(|begin| heard.len() >= begin + PAYLOAD.len()) {
                return;
            }
            self.step(module, &mut heard).await;
        }
    }

    /// Carries everything both ways, for ever.
    async fn carry(&mut self, module: &mut tokio::io::DuplexStream) {
        loop {
            let mut heard = Vec::new();
            self.step(module, &mut heard).await;
            module.write_all(&heard).await.unwrap();
        }
    }

    async fn step(&mut self, module: &mut tokio::io::DuplexStream, heard: &mut Vec<u8>) {
        let mut bytes = [0; 1024];
        tokio::select! {
            from_host = self.from_host.recv() => heard.extend(from_host.unwrap()),
            count = module.read(&mut bytes) => self.master.write_all(&bytes[..count.unwrap()]).unwrap(),
        }
    }

    /// What the system does with a port when its only user has died: it is free again, and what was not sent is lost.
    fn abandon(&mut self) {
        while self.from_host.try_recv().is_ok() {}
        tcflush(&self.spare, QueueSelector::IOFlush).unwrap();
        ioctl_tiocnxcl(&self.spare).unwrap();
    }
}

fn publish(device: &Path, state: &Path, payload: &str) -> Child {
    let mut command = mqttat();
    command.arg("--device").arg(device).arg("--state-dir").arg(state);
    command.args(["pub", "-h", "broker.example.com", "-i", "gateway", "-t", "t", "-q", "1", "-m", payload]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

async fn ended(child: Child) -> Output {
    tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap()
}

/// Kills the first program when so many bytes of its payload have arrived, and runs a second one to its end.
async fn kill_at(vendor: Vendor, arrived: usize, gives_up: bool, places: Arc<Semaphore>) {
    let case = format!("{vendor}, {arrived} bytes had arrived, gives up: {gives_up}");
    let broker = MemoryBroker::new();
    let mut builder = VirtualModem::builder(vendor).broker(Broker::Memory(broker.clone()));
    if gives_up {
        builder = builder.quirk(Quirk::PromptTimeout(GIVES_UP));
    }
    let module = builder.build().unwrap();
    let mut module_end = module.duplex();
    let (mut wire, state) = (Wire::new(), tempfile::tempdir().unwrap());

    let place = places.acquire().await.unwrap();
    let mut first = publish(&wire.path, state.path(), std::str::from_utf8(PAYLOAD).unwrap());
    let carried = timeout(PATIENCE, wire.carry_until(&mut module_end, arrived)).await;
    carried.unwrap_or_else(|_| panic!("{case}: the first program does not get to its payload"));
    first.kill().unwrap();
    let output = ended(first).await;
    assert!(!output.status.success(), "{case}: it was not killed in time: {output:?}");
    wire.abandon();
    drop(place);

    let second = publish(&wire.path, state.path(), "after");
    let output = tokio::select! {
        output = timeout(2 * PATIENCE, ended(second)) => output,
        () = wire.carry(&mut module_end) => unreachable!(),
    };
    let output = output.unwrap_or_else(|_| panic!("{case}: the second program does not end"));
    assert!(output.status.success(), "{case}: {output:?}");
    // That something stood in for the payload is told without being asked for.
    let told = String::from_utf8(output.stderr).unwrap();
    let is_told = told.starts_with("mqttat: the module may have waited for the rest of a payload, and got ");
    assert!(is_told || gives_up && told.is_empty(), "{case}: {told}");
    let ledger = broker.ledger();
    let accepted: Vec<_> = ledger.accepted.iter().map(|message| message.payload.to_vec()).collect();
    // A module that never gives up publishes what stands for the rest of the payload: no command.
    let is_rest = |payload: &[u8]| {
        let rest = payload.strip_prefix(&PAYLOAD[..arrived]).and_then(|rest| rest.strip_prefix(b"?"));
        !gives_up && rest.is_some_and(|rest| rest.iter().all(|byte| *byte == b'\r'))
    };
    let is_foreign =
        |payload: &&Vec<u8>| payload[..] != PAYLOAD[..] && *payload != b"after" && !is_rest(payload);
    let foreign = accepted.iter().find(is_foreign).map(|payload| payload.escape_ascii().to_string());
    assert_eq!(foreign, None, "{case}");
    assert_eq!(accepted.iter().filter(|payload| *payload == b"after").count(), 1, "{case}");
    let whole = accepted.iter().any(|payload| payload[..] == PAYLOAD[..]);
    assert!(arrived == PAYLOAD.len() || !whole, "{case}: and it was published");
}

#[test]
fn t3_f30_nothing_is_published_that_a_killed_program_did_not_mean() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let every_byte = (0..=PAYLOAD.len()).map(|arrived| (Vendor::Quectel, arrived, true));
    let others = [Vendor::SimCom, Vendor::Fibocom, Vendor::Neoway];
    let some_bytes =
        others.into_iter().flat_map(|vendor| [0, 1, 31, 63, 64].map(|arrived| (vendor, arrived, true)));
    let without_end =
        [Vendor::Quectel, Vendor::SimCom, Vendor::Fibocom].into_iter().map(|vendor| (vendor, 31, false));
    let places = Arc::new(Semaphore::new(AT_ONCE));
    runtime.block_on(async {
        let cases = every_byte.chain(some_bytes).chain(without_end);
        let running: Vec<_> = cases
            .map(|(vendor, arrived, gives_up)| {
                tokio::spawn(kill_at(vendor, arrived, gives_up, Arc::clone(&places)))
            })
            .collect();
        for case in running {
            case.await.unwrap();
        }
    });
}
