//! How a virtual module is put together.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::broker::Broker;
use crate::byte_link::ByteFaults;
use crate::common::sim::Sim;
use crate::fault::{Fault, FaultPlan};
use crate::fibocom::Fibocom;
use crate::machine::core::Setup;
use crate::machine::firmware::Firmware;
use crate::machine::{Machine, Start};
use crate::modem::{Line, VirtualModem};
use crate::neoway::Neoway;
use crate::quectel::Quectel;
use crate::quirk::Quirk;
use crate::simcom::SimCom;
use crate::vendor::Vendor;

/// Puts a [`VirtualModem`] together; every setting has a default.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use virtual_modem::{Action, Fault, Hook, Quirk, Vendor, VirtualModem};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), virtual_modem::BuildError> {
/// let modem = VirtualModem::builder(Vendor::Quectel)
///     .baud(Some(115_200))
///     .rtt(Duration::from_millis(80))
///     .sim_pin("1234")
///     .model("EC800M")
///     .quirk(Quirk::UrcBeforePrompt)
///     .fault(Fault::new(Hook::BeforePrompt, Action::Error).command("+QMTPUBEX").occasion(3))
///     .build()?;
/// assert_eq!(modem.vendor(), Vendor::Quectel);
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use]
pub struct Builder {
    vendor: Vendor,
    broker: Broker,
    baud: Option<u32>,
    rtt: Duration,
    turnaround: Duration,
    time_scale: u32,
    quirks: Vec<Quirk>,
    faults: FaultPlan,
    byte_faults: Option<ByteFaults>,
    seed: u64,
    log_capacity: usize,
    clock: Option<SystemTime>,
    sim_pin: Option<String>,
    sim_present: bool,
    boot_banner: bool,
    manufacturer: Option<String>,
    model: Option<String>,
    revision: Option<String>,
    imei: Option<String>,
}

/// The module cannot be built.
///
/// ```
/// use virtual_modem::{Vendor, VirtualModem};
///
/// let error = VirtualModem::builder(Vendor::Neoway).sim_pin("1").build().err();
/// assert_eq!(error.map(|error| error.to_string()).as_deref(), Some("a SIM PIN has four to eight digits"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A PIN has four to eight digits.
    #[error("a SIM PIN has four to eight digits")]
    BadPin,
}

impl Builder {
    pub(crate) fn new(vendor: Vendor) -> Self {
        Self {
            vendor,
            broker: Broker::default(),
            baud: None,
            rtt: Duration::ZERO,
            turnaround: Duration::from_millis(2),
            time_scale: 1,
            quirks: Vec::new(),
            faults: FaultPlan::new(),
            byte_faults: None,
            seed: 0,
            log_capacity: 100_000,
            clock: None,
            sim_pin: None,
            sim_present: true,
            boot_banner: false,
            manufacturer: None,
            model: None,
            revision: None,
            imei: None,
        }
    }

    /// Where MQTT connections end. Default: a [`MemoryBroker`](crate::MemoryBroker) of its own.
    pub fn broker(mut self, broker: Broker) -> Self {
        self.broker = broker;
        self
    }

    /// What the module's clock shows when it is built, from the year 2000 on. Default: a fixed date, so that every run is
    /// the same.
    pub fn clock(mut self, now: SystemTime) -> Self {
        self.clock = Some(now);
        self
    }

    /// Bits per second of the serial line, ten for each byte, in both directions. Default: `None`, no time at all.
    pub fn baud(mut self, baud: Option<u32>) -> Self {
        self.baud = baud.filter(|baud| *baud > 0);
        self
    }

    /// The network's round trip, which every exchange with the broker takes (a TLS handshake two). Default: zero.
    pub fn rtt(mut self, rtt: Duration) -> Self {
        self.rtt = rtt;
        self
    }

    /// The time the module needs before each answer and each prompt. Default: 2 ms.
    pub fn turnaround(mut self, turnaround: Duration) -> Self {
        self.turnaround = turnaround;
        self
    }

    /// Multiplies every time of the module, wire and timeouts included: tokio's timers are no finer than 1 ms, which
    /// is too coarse to measure single bytes. Default: 1; 0 counts as 1.
    pub fn time_scale(mut self, factor: u32) -> Self {
        self.time_scale = factor.max(1);
        self
    }

    /// Adds a quirk.
    pub fn quirk(mut self, quirk: Quirk) -> Self {
        self.quirks.push(quirk);
        self
    }

    /// Sets the plan of faults; more can be added while the module runs.
    pub fn faults(mut self, plan: FaultPlan) -> Self {
        self.faults = plan;
        self
    }

    /// Adds a fault to the plan.
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.add(fault);
        self
    }

    /// Faults of the line itself, on the module's end of it, whoever is served. A host can have its own, with
    /// [`ByteLink::at_host`](crate::ByteLink::at_host). Default: none.
    pub fn byte_faults(mut self, faults: ByteFaults) -> Self {
        self.byte_faults = Some(faults);
        self
    }

    /// Seeds everything random, for instance which characters get lost. Default: 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How many records the log keeps; older ones are dropped. Default: 100 000; 0 counts as 1.
    pub fn log_capacity(mut self, records: usize) -> Self {
        self.log_capacity = records.max(1);
        self
    }

    /// The SIM asks for this PIN, four to eight digits. Default: no PIN.
    pub fn sim_pin(mut self, pin: impl Into<String>) -> Self {
        self.sim_pin = Some(pin.into());
        self
    }

    /// Whether a SIM is in its slot. Default: it is.
    pub fn sim_present(mut self, present: bool) -> Self {
        self.sim_present = present;
        self
    }

    /// Whether the module starts when it is built, with its boot lines, or has been up for a while. Default: the
    /// latter.
    pub fn boot_banner(mut self, banner: bool) -> Self {
        self.boot_banner = banner;
        self
    }

    /// What `AT+CGMI` says. Default: the vendor's name.
    pub fn manufacturer(mut self, text: impl Into<String>) -> Self {
        self.manufacturer = Some(text.into());
        self
    }

    /// What `AT+CGMM` says. Default: a model the manual is about.
    pub fn model(mut self, text: impl Into<String>) -> Self {
        self.model = Some(text.into());
        self
    }

    /// What `AT+CGMR` says.
    pub fn revision(mut self, text: impl Into<String>) -> Self {
        self.revision = Some(text.into());
        self
    }

    /// What `AT+CGSN` says.
    pub fn imei(mut self, text: impl Into<String>) -> Self {
        self.imei = Some(text.into());
        self
    }

    /// Builds the module.
    ///
    /// # Errors
    /// [`BuildError::BadPin`] for a PIN that no SIM could have.
    pub fn build(self) -> Result<VirtualModem, BuildError> {
        let bad_pin =
            |pin: &String| !(4..=8).contains(&pin.len()) || !pin.bytes().all(|byte| byte.is_ascii_digit());
        if self.sim_pin.as_ref().is_some_and(bad_pin) {
            return Err(BuildError::BadPin);
        }
        let firmware: Box<dyn Firmware> = match self.vendor {
            Vendor::Quectel => Box::new(Quectel::default()),
            Vendor::SimCom => Box::new(SimCom::default()),
            Vendor::Fibocom => Box::new(Fibocom::default()),
            Vendor::Neoway => Box::new(Neoway::default()),
        };
        let mut identity = firmware.identity();
        let overrides = [
            (&mut identity.manufacturer, self.manufacturer),
            (&mut identity.model, self.model),
            (&mut identity.revision, self.revision),
            (&mut identity.imei, self.imei),
        ];
        for (field, text) in overrides {
            if let Some(text) = text {
                *field = text;
            }
        }
        let mut sim = Sim::new(self.sim_pin);
        sim.present = self.sim_present;
        let setup = Setup {
            identity,
            sim,
            clients: firmware.clients(),
            faults: self.faults,
            quirks: self.quirks,
            rtt: self.rtt,
            time_scale: self.time_scale,
            seed: self.seed,
            log_capacity: self.log_capacity,
            clock: self.clock,
        };
        let start = Start { turnaround: self.turnaround, banner: self.boot_banner };
        let machine = Machine::new(firmware, setup, start, Instant::now());
        let line = Line { baud: self.baud, time_scale: self.time_scale };
        Ok(VirtualModem::new(self.vendor, machine, line, self.byte_faults, self.broker))
    }
}
