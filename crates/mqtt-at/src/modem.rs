//! The modem: a module on its port, ready for MQTT.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use at_port::transport::{self, Address};
use at_port::{Channel, Lane, LinkState, Operation, PortError, PortEvent, Reply};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{broadcast, watch};

use crate::bringup::{self, NetworkStatus};
use crate::client::Client;
use crate::command::Command;
use crate::connect::ConnectOptions;
use crate::dialect::{self, Connecting, Dialect, Subscribe};
use crate::error::{Error, Result};
use crate::identity::Identity;
use crate::limits::Limits;
use crate::network_watch::NetworkWatch;
use crate::options::ModemOptions;
use crate::qos::QoS;
use crate::supervision::ModemState;
use crate::topic::TopicFilter;
use crate::urc::Urcs;
use crate::vendor::Vendor;

mod driver;
mod opening;
mod shared;
mod supervisor;

pub use self::driver::ModemDriver;
use self::opening::Opening;
pub(crate) use self::shared::{Lease, Shared};

/// A module on its port, identified, attached to the network and ready for MQTT. Clones share it.
///
/// The port closes when the last clone and the last [`Client`] are gone, or with [`close`](Self::close).
///
/// # Examples
///
/// ```no_run
/// use mqtt_at::common::SignalQuality;
/// use mqtt_at::{ConnectOptions, Modem, ModemOptions};
///
/// # async fn example() -> mqtt_at::Result<()> {
/// let modem = Modem::open_with("/dev/ttyUSB2", ModemOptions::new().apn("internet")).await?;
/// println!("{} module: {}", modem.vendor(), modem.identity());
/// println!("payloads of up to {} bytes", modem.limits().payload);
///
/// // Two clients at once, and the module's own commands between theirs.
/// let field = modem.connect(ConnectOptions::new("gateway-7", "field.example.com", 1883)).await?;
/// let office = modem.connect(ConnectOptions::new("gateway-7", "office.example.com", 1883)).await?;
/// println!("{:?} dBm", modem.send(SignalQuality).await?.rssi_dbm);
/// println!("addresses: {:?}", modem.network().await?.addresses);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Modem {
    handle: Arc<Handle>,
}

/// What the clones of a modem share: the port closes with it.
struct Handle {
    shared: Arc<Shared>,
}

impl Modem {
    /// Opens a port (`/dev/ttyUSB2`, `COM5`, `usb:VID:PID[:SERIAL][:INTERFACE]`, `tcp://host:port`), finds the vendor and attaches to the network.
    ///
    /// The port's driver is spawned on the current Tokio runtime and ends with the last handle. What is lost later is
    /// made again, up to opening the port anew, for which links in `/dev/serial/by-id` and USB devices are looked up
    /// again; see [`Supervision`](crate::Supervision). Opening for the first time
    /// is tried once, so that a mistake is told at once.
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
    pub async fn open_with(device: &str, options: ModemOptions) -> Result<Self> {
        let address: Address = device.parse()?;
        let line = options.line;
        let connect = move || {
            let address = address.clone();
            async move { Ok(transport::open(&address, line).await?) }
        };
        let (opening, driver) = Opening::through(connect, options, Some(device));
        let driver = tokio::spawn(driver);
        let opened = opening.bring_up().await;
        if opened.is_err() {
            // Whoever is told may try again at once, and must find the port free. It has no handle any more, and ends.
            let _ = driver.await;
        }
        opened
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
        let (opening, driver) = Opening::over(io, options);
        (opening.bring_up(), driver)
    }

    /// Uses byte streams of one's own making as the port: `connect` makes the first, and another whenever the port has
    /// to be opened again.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use mqtt_at::at::OpenError;
    /// use mqtt_at::{Modem, ModemOptions};
    /// use tokio::net::TcpStream;
    ///
    /// # async fn example() -> mqtt_at::Result<()> {
    /// let connect = || async {
    ///     let failed = |source| OpenError::Io { address: "the tunnel".to_owned(), source };
    ///     Ok(TcpStream::connect("10.0.0.7:2217").await.map_err(failed)?)
    /// };
    /// let (opening, driver) = Modem::through(connect, ModemOptions::new());
    /// tokio::spawn(driver);
    /// let modem = opening.await?;
    /// # drop(modem); Ok(()) }
    /// ```
    pub fn through<IO, C, F>(
        connect: C,
        options: ModemOptions,
    ) -> (impl Future<Output = Result<Self>> + Send + use<IO, C, F>, ModemDriver<IO>)
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        C: FnMut() -> F + Send + 'static,
        F: Future<Output = Result<IO>> + Send + 'static,
    {
        let (opening, driver) = Opening::through(connect, options, None);
        (opening.bring_up(), driver)
    }

    fn new(shared: Arc<Shared>) -> Self {
        Self { handle: Arc::new(Handle { shared }) }
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
        self.check(&options)?;
        let shared = self.shared();
        let (lease, dirty) = shared.lease(options.client_index)?;
        let index = lease.index;
        // A module that is being set up again can be waited for; whatever is wrong with it then is told by itself.
        shared.usable(options.connect_timeout).await?;
        let port = shared.port();
        if dirty {
            port.release(Lane::client(index)).map_err(port_gone)?;
            self.dialect().close(&port, index).await;
        }
        let is_kept = shared.supervision.on && options.reconnect;
        let keeps_session = !options.clean_session;
        let link = match is_kept {
            true => shared.links.begin_kept(index, keeps_session),
            false => shared.links.begin(index, keeps_session),
        };
        // With a kept session the broker may send at once what it has; a receiver must be there before.
        let backlog = (!options.clean_session).then(|| shared.receiver(Channel::Client(index)));
        let progress = shared.progress.as_ref();
        let context = Connecting { port: &port, index, options: &options, progress };
        if let Err(error) = dialect::connect(self.dialect(), &context).await {
            link.close();
            return Err(error);
        }
        link.connected();
        Ok(Client::new(self.clone(), lease, link, options, backlog))
    }

    /// Checks everything that can be checked before a byte is sent.
    fn check(&self, options: &ConnectOptions) -> Result<()> {
        options.check()?;
        match &options.sign_in {
            Some(identity) if !self.dialect().signs_in(identity) => Err(Error::Unsupported {
                what: identity.what(),
                vendor: self.vendor(),
                reason:
                    "it has no command for that; compute user name and password, and give them as credentials"
                        .into(),
            }),
            _ => self.dialect().check(options),
        }
    }

    /// Checks whether the module's command can hold a topic filter, for programs that want to know it before they connect.
    /// Subscribing checks it again.
    ///
    /// # Errors
    ///
    /// The filter is none, is too long, or holds what the command cannot hold.
    pub fn check_filter(&self, filter: &str) -> Result<()> {
        let filters = [(TopicFilter::new(filter)?, QoS::AtMostOnce)];
        // Of the options only the timeouts matter, and nothing of it is sent.
        let options = ConnectOptions::new("", "", 0);
        let subscribe = Subscribe { filters: &filters, packet_id: 1, options: &options };
        self.dialect().subscribe(*self.limits().clients.start(), &subscribe).map(drop)
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
        dialect::send(&self.shared().port(), command).await
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
        Ok(self.shared().port().run(operation).await?)
    }

    /// Who the module is. It stays the same: another module on the port is not taken for this one.
    pub fn identity(&self) -> &Identity {
        &self.shared().identity
    }

    /// What the modem is doing, now and as it changes.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example(modem: mqtt_at::Modem) {
    /// let mut state = modem.state();
    /// while state.changed().await.is_ok() {
    ///     println!("{}", *state.borrow_and_update()); // "recovering: opening the port again"
    /// }
    /// # }
    /// ```
    pub fn state(&self) -> watch::Receiver<ModemState> {
        self.shared().state.subscribe()
    }

    /// The vendor, whose dialect is spoken.
    pub fn vendor(&self) -> Vendor {
        self.dialect().facts().vendor
    }

    /// What the module's MQTT can carry.
    pub fn limits(&self) -> Limits {
        Limits::of(self.dialect().facts())
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
        bringup::network_status(&self.shared().port()).await
    }

    /// How far the link to the module can be trusted, now and as it changes.
    pub fn link(&self) -> watch::Receiver<LinkState> {
        self.shared().listeners.link()
    }

    /// What the port reports about itself: reboots, damaged lines, fences.
    pub fn port_events(&self) -> broadcast::Receiver<PortEvent> {
        self.shared().listeners.events()
    }

    /// The reports of the module that belong to no client, from now on: news of registration, SIM, messages and calls,
    /// and whatever else [`ModemOptions::urc`] names.
    pub fn urcs(&self) -> Urcs {
        Urcs::new(self.shared().receiver(Channel::Unclaimed))
    }

    /// Watches signal and registration: asks every so often, and at once when the module reports a change. Several watches
    /// may go on at once, each with an interval of its own.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// # async fn example(modem: mqtt_at::Modem) -> mqtt_at::Result<()> {
    /// let mut network = modem.watch_network(Duration::from_secs(60));
    /// loop {
    ///     let coverage = network.changed().await?;
    ///     println!("{:?}, {:?}", coverage.signal, coverage.registration);
    /// }
    /// # }
    /// ```
    pub fn watch_network(&self, every: Duration) -> NetworkWatch {
        NetworkWatch::new(self.shared(), self.urcs(), every)
    }

    /// Closes the port when the commands that are queued have been done. Nothing is made again after that.
    pub fn close(&self) {
        self.handle.close();
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.handle.shared
    }

    pub(crate) fn dialect(&self) -> &dyn Dialect {
        self.shared().dialect.as_ref()
    }
}

impl Handle {
    fn close(&self) {
        self.shared.closing.cancel();
        self.shared.port().close();
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Modem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Modem").field("identity", self.identity()).finish_non_exhaustive()
    }
}

pub(crate) fn port_gone(error: PortError) -> Error {
    Error::Port { error, outcome: crate::error::Outcome::NotSent }
}
