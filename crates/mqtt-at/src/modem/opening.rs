//! From a byte stream to a modem: what is needed once, and again whenever the port is opened anew.

use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use async_trait::async_trait;
use at_port::{Driver, Listeners, PayloadMark, Port, PortError, PortOptions, SessionOptions, Tap, TapEntry};
use futures::channel::mpsc;
use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::driver::ModemDriver;
use super::shared::Shared;
use super::supervisor::Supervisor;
use super::{Modem, port_gone};
use crate::bringup;
use crate::detect;
use crate::dialect::{self, Dialect, ModemPort};
use crate::discovery;
use crate::error::{Error, InputError, Outcome, Result};
use crate::identity::Identity;
use crate::link::{Inbound, Links};
use crate::mark::{FileMark, OwedMark};
use crate::metrics::Meters;
use crate::options::ModemOptions;
use crate::quirk::Quirks;
use crate::reporting;
use crate::supervision::ModemState;
use crate::vendor::Vendor;
use crate::watched::Watched;

/// Opens the port again.
#[async_trait]
pub(super) trait Reopen: Send {
    /// A new port over a new byte stream, of which nothing is known yet.
    async fn reopen(&mut self) -> Result<ModemPort>;

    /// Whether the last port ended while the module waited for a payload.
    fn owes_payload(&self) -> bool;

    /// The module has been reset, and waits for nothing any more.
    fn forget_payload(&self);
}

/// What every port of a modem is made with.
pub(super) struct Setup {
    name: String,
    session: SessionOptions,
    lane_capacity: usize,
    tap: Option<SharedTap>,
    /// A directory, and the device by whose name the mark goes in it.
    mark: Option<(PathBuf, String)>,
    /// Whether the last port ended while the module waited for a payload.
    owed: OwedMark,
    links: Arc<Links>,
    listeners: Listeners<Inbound>,
}

impl Setup {
    /// Takes from the options what concerns the port.
    pub(super) fn of(options: &mut ModemOptions, device: Option<&str>) -> Self {
        let name = options.name.take().or_else(|| device.map(str::to_owned)).unwrap_or_default();
        Self {
            links: Arc::new(Links::new(Meters::of(&name))),
            name,
            session: std::mem::take(&mut options.session),
            lane_capacity: options.lane_capacity,
            tap: options.tap.take().map(|tap| SharedTap(Arc::new(Mutex::new(tap)))),
            mark: options.state_dir.take().zip(device.map(str::to_owned)),
            owed: OwedMark::default(),
            listeners: Listeners::new(options.channel_capacity),
        }
    }

    fn file_mark(&self) -> Option<FileMark> {
        self.mark.as_ref().map(|(directory, device)| FileMark::new(directory, device))
    }

    /// A port and its driver.
    fn port<IO: AsyncRead + AsyncWrite + Unpin>(&self, io: IO) -> (ModemPort, Driver<IO, Inbound>) {
        let mut options = PortOptions::default();
        options.name = self.name.clone();
        options.meter = self.links.meters().for_port();
        options.session = self.session.clone();
        options.lane_capacity = self.lane_capacity;
        options.tap = self.tap.clone().map(|tap| Box::new(tap) as Box<dyn Tap>);
        let file = self.file_mark();
        if let Some(owed) = self.owed.owed().or_else(|| file.as_ref()?.owed()) {
            options.session.hold_off = discovery::longest_payload_patience();
            options.session.owed = owed;
        }
        options.payload_mark = Some(Box::new(self.owed.and(file)));
        // Even a chosen vendor is read by the rules of all until the module has said who it is.
        Port::with_listeners(io, discovery::rules(&self.links), options, &self.listeners)
    }
}

/// One witness of several ports, one after the other.
#[derive(Clone)]
struct SharedTap(Arc<Mutex<Box<dyn Tap>>>);

impl Tap for SharedTap {
    fn note(&mut self, entry: TapEntry<'_>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).note(entry);
    }
}

/// Makes ports over what a function connects.
struct Reopener<IO, C> {
    setup: Setup,
    connect: C,
    drivers: mpsc::UnboundedSender<Box<Driver<IO, Inbound>>>,
}

#[async_trait]
impl<IO, C, F> Reopen for Reopener<IO, C>
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    C: FnMut() -> F + Send,
    F: Future<Output = Result<IO>> + Send,
{
    async fn reopen(&mut self) -> Result<ModemPort> {
        let io = (self.connect)().await?;
        let (port, driver) = self.setup.port(io);
        self.drivers.unbounded_send(Box::new(driver)).map_err(|_| port_gone(PortError::DriverGone))?;
        Ok(port)
    }

    fn owes_payload(&self) -> bool {
        self.setup.owed.owed().is_some()
    }

    fn forget_payload(&self) {
        self.setup.owed.and(self.setup.file_mark()).clear();
    }
}

/// What comes of a port that is to become a modem's.
pub(super) struct Opening {
    port: Option<ModemPort>,
    reopen: Option<Box<dyn Reopen>>,
    options: ModemOptions,
    links: Arc<Links>,
    listeners: Listeners<Inbound>,
    tasks: mpsc::UnboundedSender<BoxFuture<'static, ()>>,
}

impl Opening {
    /// Over a given stream, which cannot be opened again.
    pub(super) fn over<IO: AsyncRead + AsyncWrite + Unpin>(
        io: IO,
        mut options: ModemOptions,
    ) -> (Self, ModemDriver<IO>) {
        let setup = Setup::of(&mut options, None);
        let (drivers, next) = mpsc::unbounded();
        let (port, driver) = setup.port(io);
        // The receiver is here.
        let _ = drivers.unbounded_send(Box::new(driver));
        Self::start(setup.links, setup.listeners, options, next, |opening| opening.port = Some(port))
    }

    /// Over streams that a function connects.
    pub(super) fn through<IO, C, F>(
        connect: C,
        mut options: ModemOptions,
        device: Option<&str>,
    ) -> (Self, ModemDriver<IO>)
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        C: FnMut() -> F + Send + 'static,
        F: Future<Output = Result<IO>> + Send + 'static,
    {
        let setup = Setup::of(&mut options, device);
        let (links, listeners) = (Arc::clone(&setup.links), setup.listeners.clone());
        let (drivers, next) = mpsc::unbounded();
        let reopener = Reopener { setup, connect, drivers };
        Self::start(links, listeners, options, next, |opening| opening.reopen = Some(Box::new(reopener)))
    }

    fn start<IO>(
        links: Arc<Links>,
        listeners: Listeners<Inbound>,
        options: ModemOptions,
        drivers: mpsc::UnboundedReceiver<Box<Driver<IO, Inbound>>>,
        fill: impl FnOnce(&mut Self),
    ) -> (Self, ModemDriver<IO>) {
        let (tasks, new_tasks) = mpsc::unbounded();
        let driver = ModemDriver::new(drivers, new_tasks, Arc::clone(&links), listeners.clone());
        let mut opening = Self { port: None, reopen: None, options, links, listeners, tasks };
        fill(&mut opening);
        (opening, driver)
    }

    /// Brings the module up for the first time.
    pub(super) async fn bring_up(self) -> Result<Modem> {
        let Self { port, mut reopen, options, links, listeners, tasks } = self;
        let mut news = listeners.restarts();
        let port = match (port, &mut reopen) {
            (Some(port), _) => port,
            (None, Some(reopen)) => reopen.reopen().await?,
            (None, None) => return Err(port_gone(PortError::Closed)),
        };
        let mut restarts = 0;
        let (identity, dialect) = loop {
            let ready = set_up(&port, &options, &links).await?;
            // A module that has started anew meanwhile without a word, which only its echo shows, has lost its settings.
            if !dialect::has_restarted(&mut news) {
                break ready;
            }
            restarts += 1;
            if restarts > RESTARTS {
                return Err(Error::Rebooted { outcome: Outcome::NotSent });
            }
        };
        let (renewals, demands) = mpsc::unbounded();
        let shared = Arc::new(Shared {
            port: RwLock::new(port),
            listeners,
            dialect,
            identity,
            links,
            slots: Mutex::default(),
            progress: options.progress.clone(),
            supervision: options.supervision.clone(),
            state: Watched::new(ModemState::Ready),
            tasks,
            renewals,
            closing: CancellationToken::new(),
        });
        if options.supervision.on {
            let supervisor = Supervisor::new(Arc::clone(&shared), reopen, options, demands);
            shared.spawn(Box::pin(Box::new(supervisor).run()));
        }
        Ok(Modem::new(shared))
    }
}

/// How often a module may start anew while it is brought up.
const RESTARTS: u32 = 3;

/// Learns who the module is, and brings it into the state that everything else relies on.
async fn set_up(
    port: &ModemPort,
    options: &ModemOptions,
    links: &Arc<Links>,
) -> Result<(Identity, Box<dyn Dialect>)> {
    let identity = meet(port, options).await?;
    let vendor = vendor_of(&identity, options)?;
    let dialect = dialect::of_module(vendor, Quirks::of(vendor, &identity, &options.quirks))?;
    port.replace_rules(reporting::rules(dialect.as_ref(), links, &options.urcs)).map_err(port_gone)?;
    // First of all, so that no client of a former host delivers messages while we ask for other things.
    dialect.prepare(port, options.former).await?;
    if options.attach.wanted {
        bringup::make_ready(port, dialect.as_ref(), options, options.progress.as_ref()).await?;
    }
    Ok((identity, dialect))
}

/// Synchronises with the module and learns who it is.
pub(super) async fn meet(port: &ModemPort, options: &ModemOptions) -> Result<Identity> {
    let identity = bringup::identify(port, options.progress.as_ref()).await?;
    if options.line.rts_cts {
        bringup::use_flow_control(port).await?;
    }
    Ok(identity)
}

fn vendor_of(identity: &Identity, options: &ModemOptions) -> Result<Vendor, Error> {
    let vendor = options.vendor.or_else(|| detect::vendor_of(identity));
    let unknown = || InputError::Malformed {
        field: "vendor",
        problem: format!("cannot be told from what the module says ({identity}): choose it").into(),
    };
    Ok(vendor.ok_or_else(unknown)?)
}
