//! The handle of a virtual module, and the loop that connects it to a host.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, sleep_until};

use crate::broker::Broker;
use crate::builder::Builder;
use crate::byte_link::{ByteFaults, ByteLink};
use crate::common::commands::{insert_sim, remove_sim, set_registration};
use crate::fault::{Fault, Reboot};
use crate::link::links::Links;
use crate::link::{ConnectionNo, LinkEvent};
use crate::log::{Record, Understood, understood};
use crate::machine::Machine;
use crate::machine::core::Core;
use crate::machine::firmware::Firmware;
use crate::pace::Wire;
use crate::vendor::Vendor;

/// A virtual cellular module. Clones are handles of the same module.
///
/// The module's state outlives its hosts: settings, connections and files are still there when another host is
/// served. Time passes for the module only while it is served; use [`run_unattended`](Self::run_unattended) for the
/// time between two hosts.
///
/// # Examples
///
/// ```
/// use virtual_modem::{Broker, MemoryBroker, Reboot, Vendor, VirtualModem};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), virtual_modem::BuildError> {
/// let broker = MemoryBroker::new();
/// let modem = VirtualModem::builder(Vendor::SimCom).broker(Broker::Memory(broker.clone())).build()?;
/// let port = modem.duplex(); // give it to the code under test
///
/// modem.inject_urc("+CPIN: SIM REMOVED");
/// modem.set_signal(5);
/// modem.reboot(Reboot::Loud);
/// for message in broker.ledger().accepted {
///     println!("{}: {:?}", message.topic, message.payload);
/// }
/// for understood in modem.understood() {
///     println!("{:?}", understood.command);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct VirtualModem {
    shared: Arc<Shared>,
}

struct Shared {
    vendor: Vendor,
    line: Line,
    byte_faults: Option<ByteFaults>,
    /// Locked for one step at a time, never across an await.
    machine: Mutex<Machine>,
    /// Something was done through a handle.
    disturbed: Notify,
    /// Held by whoever serves.
    network: tokio::sync::Mutex<Network>,
}

/// The far side of the module.
struct Network {
    events: mpsc::UnboundedReceiver<(ConnectionNo, LinkEvent)>,
    links: Links,
}

/// The serial line of the module.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    pub(crate) baud: Option<u32>,
    pub(crate) time_scale: u32,
}

/// Bytes that may be on their way from the host before the module stops reading, as a driver's buffer would.
const RECEIVE_BUFFER: usize = 4096;

/// Bytes per direction of a line in memory.
const DUPLEX_BUFFER: usize = 4096;

impl VirtualModem {
    /// Starts putting a module together.
    pub fn builder(vendor: Vendor) -> Builder {
        Builder::new(vendor)
    }

    pub(crate) fn new(
        vendor: Vendor,
        machine: Machine,
        line: Line,
        byte_faults: Option<ByteFaults>,
        broker: Broker,
    ) -> Self {
        let (sink, events) = mpsc::unbounded_channel();
        let network = Network { events, links: Links::new(broker, sink) };
        Self {
            shared: Arc::new(Shared {
                vendor,
                line,
                byte_faults,
                machine: Mutex::new(machine),
                disturbed: Notify::new(),
                network: tokio::sync::Mutex::new(network),
            }),
        }
    }

    /// Whose module this is.
    #[must_use]
    pub fn vendor(&self) -> Vendor {
        self.shared.vendor
    }

    /// Runs the module on `io` until the host hangs up (end of file) or a fault closes the port.
    ///
    /// Writes are not flushed: `io` should not buffer. While one host is served a second call waits.
    ///
    /// # Errors
    /// Errors of `io`.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the module as it is, but bytes that are on the wire in either direction are lost.
    pub async fn serve<T>(&self, io: T) -> io::Result<()>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let mut network = self.shared.network.lock().await;
        let outcome = match &self.shared.byte_faults {
            None => self.exchange(&mut network, io).await,
            Some(faults) => {
                let broken = self.exchange(&mut network, ByteLink::at_module(io, faults.clone())).await;
                // A line that breaks on purpose is closed, and that is all.
                broken.or_else(|error| if error.raw_os_error().is_some() { Ok(()) } else { Err(error) })
            }
        };
        self.lock().host_left();
        outcome
    }

    /// A line to the module in memory, served by a task of its own until the host's end is dropped.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn duplex(&self) -> DuplexStream {
        let (host, module) = tokio::io::duplex(DUPLEX_BUFFER);
        let modem = self.clone();
        tokio::spawn(async move { modem.serve(module).await });
        host
    }

    /// Lets the module's time pass without a host; what it says is lost. Never returns.
    ///
    /// # Cancel safety
    /// Can be dropped at any time.
    pub async fn run_unattended(&self) {
        loop {
            // Nobody ever hangs up, so that this ends only by a fault that closes the port.
            let _ = self.serve(crate::front::Nobody).await;
        }
    }

    async fn exchange<T>(&self, network: &mut Network, io: T) -> io::Result<()>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let (mut reader, mut writer) = tokio::io::split(io);
        let Line { baud, time_scale } = self.shared.line;
        let start = Instant::now();
        let mut from_host = Wire::new(baud, time_scale, start);
        let mut to_host = Wire::new(baud, time_scale, start);
        let mut outgoing = Bytes::new();
        let mut buffer = [0; 1024];
        loop {
            let now = Instant::now();
            let (requests, deadline, hang_up) = {
                let mut machine = self.lock();
                let received = from_host.arrived(now);
                if !received.is_empty() {
                    machine.host_bytes(now, &received);
                }
                machine.advance(now);
                while let Some(piece) = machine.take_output() {
                    to_host.push(now, piece.pause, piece.bytes);
                }
                (machine.take_requests(), machine.deadline(), machine.take_hang_up())
            };
            for (connection, request) in requests {
                network.links.carry_out(connection, request);
            }
            if outgoing.is_empty() {
                outgoing = to_host.arrived(now);
            }
            if hang_up {
                writer.write_all(&outgoing).await?;
                return Ok(());
            }
            let next_write = if outgoing.is_empty() { to_host.next_arrival() } else { None };
            let wake_up = deadline.into_iter().chain(from_host.next_arrival()).chain(next_write).min();
            tokio::select! {
                biased;
                () = self.shared.disturbed.notified() => {}
                Some((connection, event)) = network.events.recv() => {
                    self.lock().link_event(Instant::now(), connection, event);
                }
                () = sleep_until(wake_up.unwrap_or(now)), if wake_up.is_some() => {}
                written = writer.write(&outgoing), if !outgoing.is_empty() => {
                    let written = written?;
                    if written == 0 {
                        return Ok(());
                    }
                    outgoing.advance(written);
                }
                count = reader.read(&mut buffer), if from_host.len() < RECEIVE_BUFFER => {
                    match buffer.get(..count?) {
                        None | Some([]) => return Ok(()),
                        Some(bytes) => {
                            from_host.push(Instant::now(), std::time::Duration::ZERO, Bytes::copy_from_slice(bytes));
                        }
                    }
                }
            }
        }
    }

    /// Everything that happened so far, as far as the log reaches back.
    #[must_use]
    pub fn log(&self) -> Vec<Record> {
        self.lock().core.records.iter().cloned().collect()
    }

    /// The commands that were understood so far, each with the data that followed its prompt.
    #[must_use]
    pub fn understood(&self) -> Vec<Understood> {
        understood(&self.lock().core.records)
    }

    /// Settings of the vendor's commands by name, for instance `0/keepalive` and `120`.
    #[must_use]
    pub fn settings(&self) -> Vec<(String, String)> {
        self.lock().settings()
    }

    /// The content of a file in the module's store.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<Bytes> {
        self.lock().core.files.read(name).cloned()
    }

    /// Prints an unsolicited line, without its line ends, as soon as it splits nothing.
    pub fn inject_urc(&self, line: impl Into<Bytes>) {
        let line = line.into();
        self.disturb(|core, _| core.urc(line));
    }

    /// Prints unsolicited bytes as they are, as soon as they split nothing.
    pub fn inject_raw(&self, bytes: impl Into<Bytes>) {
        let bytes = bytes.into();
        self.disturb(|core, _| core.raw(bytes));
    }

    /// Adds a fault to the plan.
    pub fn inject_fault(&self, fault: Fault) {
        self.disturb(|core, _| core.faults.add(fault));
    }

    /// Takes all faults out of the plan, random ones included. What they have done stays done.
    pub fn clear_faults(&self) {
        self.disturb(|core, _| core.faults.clear());
    }

    /// How often each action has struck at each hook so far, under names such as `before-final:delay`.
    #[must_use]
    pub fn struck(&self) -> Vec<(String, u64)> {
        let machine = self.lock();
        let struck = machine.core.faults.struck();
        struck.iter().map(|((hook, action), count)| (format!("{hook}:{action}"), *count)).collect()
    }

    /// Restarts the module, also one that hangs or was switched off.
    pub fn reboot(&self, how: Reboot) {
        self.disturb(|core, _| core.restart_in(std::time::Duration::ZERO, how));
    }

    /// The broker closes the connection of this client (an index as the machine counts them, from 0).
    pub fn kick(&self, client: usize) {
        self.disturb(|core, _| core.break_connection(client));
    }

    /// The network takes all data contexts down.
    pub fn drop_pdp(&self) {
        self.disturb(|core, _| core.lose_contexts());
    }

    /// Whether the network refuses to activate data contexts from now on.
    pub fn refuse_pdp(&self, refuse: bool) {
        self.disturb(|core, _| core.network.refuses_contexts = refuse);
    }

    /// Takes the SIM out of its slot: registration and contexts are lost.
    pub fn remove_sim(&self) {
        self.disturb(|core, _| remove_sim(core));
    }

    /// Puts the SIM back.
    pub fn insert_sim(&self) {
        self.disturb(|core, _| insert_sim(core));
    }

    /// The registration status of `AT+CREG`: 0 none, 1 home, 2 searching, 3 denied, 5 roaming.
    pub fn set_registration(&self, status: u8) {
        self.disturb(|core, _| set_registration(core, status));
    }

    /// The signal strength of `AT+CSQ`, 0 to 31 or 99.
    pub fn set_signal(&self, strength: u8) {
        self.disturb(|core, _| core.network.signal = strength);
    }

    /// While set, the network swallows every packet in both directions; connections stay open.
    pub fn black_hole(&self, swallow: bool) {
        self.disturb(|core, _| core.black_hole = swallow);
    }

    fn disturb<T>(&self, act: impl FnOnce(&mut Core, &mut dyn Firmware) -> T) -> T {
        let outcome = self.lock().disturb(Instant::now(), act);
        self.shared.disturbed.notify_one();
        outcome
    }

    fn lock(&self) -> MutexGuard<'_, Machine> {
        // A panic of another holder is that test's failure; the machine itself is still whole.
        self.shared.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for VirtualModem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualModem").field("vendor", &self.shared.vendor).finish_non_exhaustive()
    }
}
