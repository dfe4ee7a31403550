//! Opening the module, whether it is a real one or a virtual one in this process.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use mqtt_at::at::{SessionOptions, Tap};
use mqtt_at::{Fault, Modem, ModemOptions, Step, Supervision};
use virtual_modem::{Broker, EmbeddedBroker, VirtualModem};

use crate::args::global::Flow;
use crate::args::sim::FaultSpec;
use crate::args::{Device, Global, VendorChoice};
use crate::command::no_module;
use crate::failure::Failure;
use crate::mishaps;
use crate::progress::Progress;
use crate::transcript::{self, Recording};

mod played;

/// What a command wants of the module.
#[derive(Default)]
pub(crate) struct Wishes {
    /// SIM, registration and data connection are to be left as they are, whatever the options say.
    pub(crate) leave_network: bool,
    /// Clients that another program left open in the module are to stay so.
    pub(crate) leave_clients: bool,
    /// What is lost is to be made again, for as long as it takes.
    pub(crate) supervised: bool,
    /// A witness of the conversation besides `--record`.
    pub(crate) tap: Option<Box<dyn Tap>>,
    /// Who is told each step, besides the person who waits.
    pub(crate) on_step: Option<OnStep>,
    /// How a virtual module is to behave.
    pub(crate) behaviour: Behaviour,
}

/// How a virtual module behaves.
#[derive(Debug, Default)]
pub(crate) struct Behaviour {
    /// The network's round trip.
    pub(crate) rtt: Duration,
    /// What goes wrong.
    pub(crate) faults: Vec<FaultSpec>,
    /// Seeds what is random.
    pub(crate) seed: u64,
}

pub(crate) type OnStep = Arc<dyn Fn(&Step) + Send + Sync>;

/// An open module and what lives as long as it does.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) modem: Modem,
    broker: Option<EmbeddedBroker>,
    recording: Option<Recording>,
}

impl Wishes {
    /// Only to look at the module, or to send it commands of a person's own.
    pub(crate) fn hands_off() -> Self {
        Self { leave_network: true, leave_clients: true, ..Self::default() }
    }
}

impl Opened {
    /// Opens the module that the options name.
    pub(crate) async fn open(global: &Global, progress: &Progress, wishes: Wishes) -> Result<Self, Failure> {
        match &global.device {
            Some(Device::Port(address)) => Self::open_port(address, global, progress, wishes).await,
            Some(Device::Simulated(vendor)) => Self::simulate(*vendor, global, progress, wishes).await,
            Some(Device::Played(file)) => Self::play(file, global, progress, wishes).await,
            None => Err(no_module()),
        }
    }

    /// Makes a virtual module with a broker of its own, and opens it.
    pub(crate) async fn simulate(
        vendor: virtual_modem::Vendor,
        global: &Global,
        progress: &Progress,
        wishes: Wishes,
    ) -> Result<Self, Failure> {
        let broker = start_broker(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let Behaviour { rtt, faults, seed } = &wishes.behaviour;
        let builder = VirtualModem::builder(vendor).broker(Broker::Redirect(broker.local_addr()));
        let builder = builder.clock(SystemTime::now()).baud(global.baud).rtt(*rtt).seed(*seed);
        let builder = FaultSpec::apply(faults, *seed, builder);
        let module = builder.build().map_err(|error| Failure::caller(error.to_string()))?;
        let recording = record(global, &format!("sim:{vendor}"))?;
        let options = options(global, progress, wishes, recording.clone());
        // A line that a fault has cut can be plugged in again.
        let plug_in = move || std::future::ready(Ok(module.duplex()));
        let (opening, driver) = Modem::through(plug_in, options);
        tokio::spawn(driver);
        Ok(Self { modem: opening.await?, broker: Some(broker), recording })
    }

    /// Opens the module's side of a transcript, which hangs up when it is through.
    async fn play(
        file: &Path,
        global: &Global,
        progress: &Progress,
        wishes: Wishes,
    ) -> Result<Self, Failure> {
        let script = played::script(&transcript::load(file)?);
        let recording = record(global, &format!("play:{}", file.display()))?;
        let options = options(global, progress, wishes, recording.clone());
        let (opening, driver) = Modem::over(script, options);
        tokio::spawn(driver);
        Ok(Self { modem: opening.await?, broker: None, recording })
    }

    async fn open_port(
        address: &str,
        global: &Global,
        progress: &Progress,
        wishes: Wishes,
    ) -> Result<Self, Failure> {
        let recording = record(global, address)?;
        let mut options = options(global, progress, wishes, recording.clone());
        if let Some(directory) = state_dir(global) {
            options = options.state_dir(directory);
        }
        Ok(Self { modem: Modem::open_with(address, options).await?, broker: None, recording })
    }

    /// The broker that a virtual module brings along: whatever host is named, it is there.
    pub(crate) fn broker(&self) -> Option<SocketAddr> {
        self.broker.as_ref().map(EmbeddedBroker::local_addr)
    }

    /// Ends the use of the module; says whether the transcript is complete.
    pub(crate) fn close(self) -> Result<(), Failure> {
        self.modem.close();
        self.recording.map_or(Ok(()), |recording| recording.finish())
    }
}

/// The host to dial where none is named.
pub(crate) fn default_host(global: &Global) -> Option<&'static str> {
    matches!(global.device, Some(Device::Simulated(_) | Device::Played(_))).then_some("localhost")
}

/// Starts a broker in this process.
pub(crate) async fn start_broker(address: SocketAddr) -> Result<EmbeddedBroker, Failure> {
    EmbeddedBroker::start(address).await.map_err(|error| {
        Failure::failed(format!("the embedded broker cannot listen on {address}: {error}"), Fault::Caller)
            .remedy("choose another port")
    })
}

/// Options for a port of which nothing is wanted but an answer, within this time.
pub(crate) fn line_options(global: &Global, wait: Duration) -> ModemOptions {
    let mut options =
        ModemOptions::new().rts_cts(global.flow == Flow::RtsCts).session(patient_for(wait)).attach(false);
    if let Some(baud) = global.baud {
        options = options.baud(baud);
    }
    match state_dir(global) {
        Some(directory) => options.state_dir(directory),
        None => options,
    }
}

fn options(
    global: &Global,
    progress: &Progress,
    wishes: Wishes,
    recording: Option<Recording>,
) -> ModemOptions {
    let steps = progress.clone();
    let mut options = ModemOptions::new()
        .supervision(if wishes.supervised { Supervision::new() } else { Supervision::off() })
        .attach(!(global.no_attach || wishes.leave_network))
        .leave_former_clients(wishes.leave_clients)
        .rts_cts(global.flow == Flow::RtsCts)
        .session(patient_for(Duration::from_secs(global.sync_timeout)))
        .on_step(move |step| {
            steps.step(step);
            mishaps::tell_step(step, &steps);
            if let Some(told) = &wishes.on_step {
                told(step);
            }
        });
    if let Some(baud) = global.baud {
        options = options.baud(baud);
    }
    if let VendorChoice::Named(vendor) = global.vendor {
        options = options.vendor(vendor);
    }
    if let Some(apn) = &global.apn {
        options = options.apn(apn);
    }
    if let (Some(user), Some(password)) = (&global.pdp_user, &global.pdp_password) {
        options = options.pdp_credentials(user, password.clone());
    }
    if let Some(pin) = &global.sim_pin {
        options = options.sim_pin(pin.clone());
    }
    let taps: Vec<Box<dyn Tap>> =
        recording.map(|it| Box::new(it) as Box<dyn Tap>).into_iter().chain(wishes.tap).collect();
    if taps.is_empty() { options } else { options.tap(Taps(taps)) }
}

/// Session options with which the module's first answer is waited for this long, in growing steps.
fn patient_for(limit: Duration) -> SessionOptions {
    let mut session = SessionOptions::default();
    let mut left = limit;
    let mut step = Duration::from_secs(1);
    session.first_fence.clear();
    while !left.is_zero() {
        let wait = step.min(left);
        session.first_fence.push(wait);
        left -= wait;
        step = (step * 2).min(Duration::from_secs(8));
    }
    session
}

/// Several witnesses of one conversation.
struct Taps(Vec<Box<dyn Tap>>);

impl Tap for Taps {
    fn note(&mut self, entry: mqtt_at::at::TapEntry<'_>) {
        for tap in &mut self.0 {
            tap.note(entry);
        }
    }
}

fn record(global: &Global, device: &str) -> Result<Option<Recording>, Failure> {
    global.record.as_deref().map(|path| Recording::start(path, device)).transpose()
}

/// Where is kept what outlives the program.
pub(crate) fn state_dir(global: &Global) -> Option<PathBuf> {
    global.state_dir.clone().or_else(user_state_dir)
}

/// `mqttat` in the directory for what programs remember: `$XDG_STATE_HOME`, which must be absolute to count, or
/// `~/.local/state`; on Windows `%LOCALAPPDATA%`.
fn user_state_dir() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = if cfg!(windows) {
        absolute("LOCALAPPDATA")
    } else {
        absolute("XDG_STATE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
    };
    base.map(|base| base.join("mqttat"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_answer_is_waited_for_as_long_as_was_asked() {
        for seconds in [1, 2, 3, 40, 600] {
            let limit = Duration::from_secs(seconds);
            let fence = patient_for(limit).first_fence;
            assert_eq!(fence.iter().sum::<Duration>(), limit);
            assert!(fence.iter().all(|wait| *wait <= Duration::from_secs(8) && !wait.is_zero()), "{fence:?}");
        }
    }
}
