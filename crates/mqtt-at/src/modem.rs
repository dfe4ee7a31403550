//! The modem: a module on its port, ready for MQTT.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use at_port::transport::{self, Address};
use at_port::{Channel, Driver, Lane, LinkState, Operation, Port, PortError, PortEvent, PortOptions, Reply};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{broadcast, watch};

use crate::bringup::{self, NetworkStatus};
use crate::client::Client;
use crate::command::Command;
use crate::connect::ConnectOptions;
use crate::detect;
use crate::dialect::{self, Connecting, Dialect, ModemPort};
use crate::discovery;
use crate::error::{Error, InputError, Result};
use crate::event::LossCause;
use crate::identity::Identity;
use crate::limits::Limits;
use crate::link::{Inbound, Links};
use crate::mark::FileMark;
use crate::metrics::Meters;
use crate::options::{ModemOptions, Progress};
use crate::quirk::Quirks;
use crate::reporting;
use crate::urc::Urcs;
use crate::vendor::Vendor;

/// A module on its port, identified, attached to the network and ready for MQTT. Clones share it.
///
/// The port closes when the last clone and the last [`Client`] are gone, or with [`close`](Self::close).
#[derive(Clone)]
pub struct Modem {
    shared: Arc<Shared>,
}

struct Shared {
    port: ModemPort,
    dialect: Box<dyn Dialect>,
    identity: Identity,
    links: Arc<Links>,
    slots: Mutex<BTreeMap<u8, Slot>>,
    progress: Option<Progress>,
}

/// A client of the module, as far as this process is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    Used,
    /// Free, but perhaps not closed on the module.
    Dirty,
}

impl Modem {
    /// Opens a port (`/dev/ttyUSB2`, `COM5`, `tcp://host:port`), finds the vendor and attaches to the network.
    ///
    /// The port's driver is spawned on the current Tokio runtime and ends with the last handle.
    ///
    /// # Errors
    ///
    /// The port cannot be opened, nothing answers within about 40 s, the vendor is unknown, or SIM, registration
    /// or data connection are not as they must be; [`Error::remedy`] says what can be done.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the port after the command in flight.
    pub async fn open(device: &str) -> Result<Self> {
        Self::open_with(device, ModemOptions::new()).await
    }

    /// Opens a port with options.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    ///
    /// # Cancel safety
    ///
    /// As [`open`](Self::open).
    pub async fn open_with(device: &str, mut options: ModemOptions) -> Result<Self> {
        let address: Address = device.parse()?;
        let connection = transport::open(&address, options.line).await?;
        let mark = options.state_dir.take().map(|directory| FileMark::new(&directory, device));
        options.name.get_or_insert_with(|| device.to_owned());
        let (opening, driver) = Self::start(connection, options, mark);
        tokio::spawn(driver);
        opening.await
    }

    /// Uses any byte stream as the port: the future brings the modem up while the driver is being polled.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use mqtt_at::{Modem, ModemOptions};
    ///
    /// # async fn example(stream: tokio::net::TcpStream) -> mqtt_at::Result<()> {
    /// let (opening, driver) = Modem::over(stream, ModemOptions::new());
    /// tokio::spawn(driver);
    /// let modem = opening.await?;
    /// # Ok(()) }
    /// ```
    pub fn over<IO>(
        io: IO,
        options: ModemOptions,
    ) -> (impl Future<Output = Result<Self>> + Send + use<IO>, ModemDriver<IO>)
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        Self::start(io, options, None)
    }

    fn start<IO>(
        io: IO,
        mut options: ModemOptions,
        mark: Option<FileMark>,
    ) -> (impl Future<Output = Result<Self>> + Send + use<IO>, ModemDriver<IO>)
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let name = options.name.take().unwrap_or_default();
        let meters = Meters::of(&name);
        let mut port_options = PortOptions::default();
        port_options.meter = meters.for_port();
        port_options.name = name;
        let links = Arc::new(Links::new(meters));
        port_options.session = options.session.clone();
        port_options.lane_capacity = options.lane_capacity;
        port_options.channel_capacity = options.channel_capacity;
        port_options.tap = options.tap.take();
        if let Some(mark) = mark {
            if mark.was_left() {
                port_options.session.hold_off = discovery::longest_payload_patience();
            }
            port_options.payload_mark = Some(Box::new(mark));
        }
        // Even a chosen vendor is read by the rules of all until the module has said who it is.
        let rules = discovery::rules(&links);
        let (port, driver) = Port::new(io, rules, port_options);
        let driver = ModemDriver { driver, links: Arc::clone(&links) };
        (Self::bring_up(port, links, options), driver)
    }

    async fn bring_up(port: ModemPort, links: Arc<Links>, options: ModemOptions) -> Result<Self> {
        let progress = options.progress.clone();
        let identity = bringup::identify(&port, progress.as_ref()).await?;
        if options.line.rts_cts {
            bringup::use_flow_control(&port).await?;
        }
        let vendor = options.vendor.or_else(|| detect::vendor_of(&identity));
        let vendor = vendor.ok_or_else(|| InputError::Malformed {
            field: "vendor",
            problem: format!("cannot be told from what the module says ({identity}): choose it").into(),
        })?;
        let dialect = dialect::of_module(vendor, Quirks::of(vendor, &identity, &options.quirks))?;
        port.replace_rules(reporting::rules(dialect.as_ref(), &links, &options.urcs)).map_err(port_gone)?;
        // First of all, so that no client of a former host delivers messages while we ask for other things.
        dialect.prepare(&port).await?;
        if options.attach.wanted {
            bringup::make_ready(&port, dialect.as_ref(), &options, progress.as_ref()).await?;
        }
        let slots = Mutex::default();
        Ok(Self { shared: Arc::new(Shared { port, dialect, identity, links, slots, progress }) })
    }

    /// Connects a client of the module to a broker.
    ///
    /// # Errors
    ///
    /// An option is out of the module's range or cannot be represented (nothing has been sent then), all clients
    /// of the module are in use, or module, network or broker refused.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves the module's client to be cleaned up by the next `connect`.
    pub async fn connect(&self, options: ConnectOptions) -> Result<Client> {
        options.check()?;
        self.shared.dialect.check(&options)?;
        let (lease, dirty) = self.lease(options.client_index)?;
        let index = lease.index;
        let port = self.port();
        if dirty {
            port.release(Lane::client(index)).map_err(port_gone)?;
            self.shared.dialect.close(port, index).await;
        }
        let link = self.shared.links.begin(index, !options.clean_session);
        // With a kept session the broker may send at once what it has; a receiver must be there before.
        let backlog = (!options.clean_session).then(|| port.receiver(Channel::Client(index)));
        let progress = self.shared.progress.as_ref();
        let context = Connecting { port, index, options: &options, progress };
        if let Err(error) = self.shared.dialect.connect(&context).await {
            link.close();
            return Err(error);
        }
        link.connected();
        Ok(Client::new(self.clone(), lease, link, options, backlog))
    }

    /// Sends one command of the module and reads its answer, between the commands of the clients.
    ///
    /// # Errors
    ///
    /// An argument cannot be represented or is out of range, the module refused or did not answer, or its answer
    /// is not what its manual says.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future withdraws the command if its first byte has not been written; else its answer is dropped.
    pub async fn send<C: Command + Sync>(&self, command: C) -> Result<C::Answer> {
        dialect::send(self.port(), command).await
    }

    /// Runs an operation of own making, between the commands of the clients; [`send`](Self::send) is the typed way.
    ///
    /// # Errors
    ///
    /// The module refused a command or did not answer in time, or the port is gone.
    ///
    /// # Cancel safety
    ///
    /// As [`send`](Self::send).
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use mqtt_at::at::{Answer, CommandLine, Exchange};
    ///
    /// # async fn example(modem: mqtt_at::Modem) -> mqtt_at::Result<()> {
    /// let line = CommandLine::raw("AT+QTEMP")?; // typed by a person, say
    /// let reply = modem.run(Exchange::new(line).answer(Answer::Text)).await?;
    /// # let _ = reply; Ok(()) }
    /// ```
    pub async fn run(&self, operation: impl Into<Operation>) -> Result<Reply> {
        Ok(self.port().run(operation).await?)
    }

    /// Who the module is.
    pub fn identity(&self) -> &Identity {
        &self.shared.identity
    }

    /// The vendor, whose dialect is spoken.
    pub fn vendor(&self) -> Vendor {
        self.shared.dialect.facts().vendor
    }

    /// What the module's MQTT can carry.
    pub fn limits(&self) -> Limits {
        Limits::of(self.shared.dialect.facts())
    }

    /// Signal, registration, operator and address, as far as the module tells.
    ///
    /// # Errors
    ///
    /// The port is gone.
    ///
    /// # Cancel safety
    ///
    /// As [`send`](Self::send).
    pub async fn network(&self) -> Result<NetworkStatus> {
        bringup::network_status(self.port()).await
    }

    /// How far the link to the module can be trusted, now and as it changes.
    pub fn link(&self) -> watch::Receiver<LinkState> {
        self.port().link()
    }

    /// What the port reports about itself: reboots, damaged lines, fences.
    pub fn port_events(&self) -> broadcast::Receiver<PortEvent> {
        self.port().events()
    }

    /// The reports of the module that belong to no client, from now on: news of registration, SIM, messages and calls,
    /// and whatever else [`ModemOptions::urc`] names.
    pub fn urcs(&self) -> Urcs {
        Urcs::new(self.port().receiver(Channel::Unclaimed))
    }

    /// Closes the port when the commands that are queued have been done.
    pub fn close(&self) {
        self.port().close();
    }

    pub(crate) fn port(&self) -> &ModemPort {
        &self.shared.port
    }

    pub(crate) fn dialect(&self) -> &dyn Dialect {
        self.shared.dialect.as_ref()
    }

    /// Reserves a client of the module; the second value says that it may have to be closed first.
    fn lease(&self, wanted: Option<u8>) -> Result<(Lease, bool)> {
        let clients = self.shared.dialect.facts().clients.clone();
        if let Some(index) = wanted.filter(|index| !clients.contains(index)) {
            let (min, max) = (u64::from(*clients.start()), u64::from(*clients.end()));
            return Err(
                InputError::OutOfRange { field: "the client index", got: index.into(), min, max }.into()
            );
        }
        let mut slots = self.shared.slots();
        let free = |index: &u8| slots.get(index) != Some(&Slot::Used);
        let index = match wanted {
            Some(index) => Some(index).filter(free),
            None => clients.clone().find(free),
        };
        let index = index.ok_or(InputError::NoFreeClient { clients: clients.count() })?;
        let dirty = slots.insert(index, Slot::Used) == Some(Slot::Dirty);
        drop(slots);
        Ok((Lease { modem: self.clone(), index, clean: false }, dirty))
    }
}

impl Shared {
    fn slots(&self) -> MutexGuard<'_, BTreeMap<u8, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Modem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Modem").field("identity", &self.shared.identity).finish_non_exhaustive()
    }
}

/// A client of the module in use by this process. Dropping it gives it back, to be closed before its next use.
pub(crate) struct Lease {
    modem: Modem,
    pub(crate) index: u8,
    clean: bool,
}

impl Lease {
    /// The module's client has been closed; its next user need not do it.
    pub(crate) fn closed(&mut self) {
        self.clean = true;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut slots = self.modem.shared.slots();
        if self.clean {
            slots.remove(&self.index);
        } else {
            slots.insert(self.index, Slot::Dirty);
        }
    }
}

/// The future that owns the port of a [`Modem`]; it ends, with the reason, when the port does.
#[must_use = "the modem does nothing unless its driver is polled"]
pub struct ModemDriver<IO> {
    driver: Driver<IO, Inbound>,
    links: Arc<Links>,
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Future for ModemDriver<IO> {
    type Output = PortError;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<PortError> {
        let error = ready!(Pin::new(&mut self.driver).poll(cx));
        self.links.lose_all(&LossCause::PortGone);
        Poll::Ready(error)
    }
}

impl<IO> Drop for ModemDriver<IO> {
    fn drop(&mut self) {
        self.links.lose_all(&LossCause::PortGone);
    }
}

impl<IO> fmt::Debug for ModemDriver<IO> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModemDriver").finish_non_exhaustive()
    }
}

pub(crate) fn port_gone(error: PortError) -> Error {
    Error::Port { error, outcome: crate::error::Outcome::NotSent }
}
