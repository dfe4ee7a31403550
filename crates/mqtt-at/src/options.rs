//! How a modem is opened.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use at_port::transport::Line;
use at_port::{SessionOptions, Tap};

use crate::quirk::QuirkRule;
use crate::secret::Secret;
use crate::supervision::Supervision;
use crate::vendor::Vendor;

/// What [`Modem::open_with`](crate::Modem::open_with) needs to know.
///
/// # Examples
///
/// ```
/// use mqtt_at::ModemOptions;
/// use std::time::Duration;
///
/// let options = ModemOptions::new()
///     .baud(921_600)
///     .rts_cts(true)
///     .apn("internet")
///     .pdp_credentials("user", "secret")
///     .sim_pin("1234")
///     .attach_timeout(Duration::from_secs(180))
///     .on_step(|step| println!("{step:?}"));
/// let shown = format!("{options:?}");
/// assert!(!shown.contains("secret") && !shown.contains("1234"));
/// ```
#[derive(Default)]
pub struct ModemOptions {
    pub(crate) name: Option<String>,
    pub(crate) line: Line,
    pub(crate) vendor: Option<Vendor>,
    pub(crate) quirks: Vec<QuirkRule>,
    pub(crate) urcs: Vec<String>,
    pub(crate) former: FormerClients,
    pub(crate) attach: Attach,
    pub(crate) sim_pin: Option<Secret>,
    pub(crate) pdp: Pdp,
    pub(crate) state_dir: Option<PathBuf>,
    pub(crate) tap: Option<Box<dyn Tap>>,
    pub(crate) progress: Option<Progress>,
    pub(crate) session: SessionOptions,
    pub(crate) lane_capacity: usize,
    pub(crate) channel_capacity: usize,
    pub(crate) supervision: Supervision,
}

/// Called with each step of opening and connecting.
pub(crate) type Progress = Arc<dyn Fn(&Step) + Send + Sync>;

/// A step of bringing a modem up that may take a while.
///
/// [`ModemOptions`] has an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Waiting for the first answer of the module; up to 40 s after power-on.
    Synchronise,
    /// Asking the module who it is.
    Identify,
    /// Making the SIM ready.
    Sim,
    /// Waiting for the registration; the text is the last status.
    Register(&'static str),
    /// Activating the data connection.
    Activate,
    /// Closing clients that a former host left open.
    CleanUp,
    /// Sending a certificate to the module.
    Upload {
        /// Its name there.
        file: String,
        /// Its size in bytes.
        bytes: usize,
    },
    /// Opening the network connection to the broker.
    OpenNetwork,
    /// Waiting for the broker to accept the client.
    Connect,
    /// Connecting although the module keeps the will of a former connection, which it does not let be taken back: the
    /// broker may publish it when the connection is lost.
    FormerWill,
}

/// What becomes of the clients that a former host left open in the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum FormerClients {
    /// They are closed before anything else is done.
    #[default]
    Close,
    /// They stay as they are.
    Leave,
}

/// Whether and how the module is attached to the network.
#[derive(Debug, Clone)]
pub(crate) struct Attach {
    pub(crate) wanted: bool,
    pub(crate) timeout: Duration,
}

impl Default for Attach {
    fn default() -> Self {
        Self { wanted: true, timeout: Duration::from_secs(90) }
    }
}

/// The data connection.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pdp {
    pub(crate) apn: Option<String>,
    pub(crate) credentials: Option<(String, Secret)>,
}

impl ModemOptions {
    /// 115 200 baud, no flow control, vendor found by itself, attached to the network with what the SIM provides.
    pub fn new() -> Self {
        Self::default()
    }

    /// What traces and counters call this modem. Default: the address of the port, or nothing where there is none.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The speed of a serial port, in bits per second. Default: 115 200.
    #[must_use]
    pub fn baud(mut self, baud: u32) -> Self {
        self.line.baud = baud;
        self
    }

    /// Uses RTS/CTS flow control on port and module. Default: off, because many boards leave the pins open.
    #[must_use]
    pub fn rts_cts(mut self, on: bool) -> Self {
        self.line.rts_cts = on;
        self
    }

    /// The vendor, for modules that do not say it. Default: asked from the module.
    #[must_use]
    pub fn vendor(mut self, vendor: Vendor) -> Self {
        self.vendor = Some(vendor);
        self
    }

    /// Adds a deviation from the manual that this version does not know; see [`QuirkRule`]. Default: none.
    ///
    /// Such a rule counts for more than what is known of the module and what it says of itself. Of several that
    /// fit and disagree the first counts.
    #[must_use]
    pub fn quirk(mut self, rule: QuirkRule) -> Self {
        self.quirks.push(rule);
        self
    }

    /// Takes lines of this name, such as `+QGPSURC` or `RING`, for reports that [`Modem::urcs`](crate::Modem::urcs)
    /// hands out, besides those that are known. Default: none.
    ///
    /// While a command is in flight whose answer has the same name, its answer is told from a report by the shape
    /// that the command declares ([`Answer::Shaped`](crate::at::Answer::Shaped)).
    #[must_use]
    pub fn urc(mut self, name: impl Into<String>) -> Self {
        self.urcs.push(name.into());
        self
    }

    /// Leaves the clients alone that a former host left open in the module. Default: they are closed, before anything else
    /// is asked of the module, so that the first [`connect`](crate::Modem::connect) finds it as it expects.
    ///
    /// For programs that only look, or that build a session with the module's own commands one after the other. What
    /// the reading of reports depends on is set all the same, such as Fibocom's `AT+MQTTCONF=1`. Messages for those
    /// clients are dropped. `connect` closes the client that it uses, whoever opened it.
    #[must_use]
    pub fn leave_former_clients(mut self, leave: bool) -> Self {
        self.former = if leave { FormerClients::Leave } else { FormerClients::Close };
        self
    }

    /// Whether SIM, registration and data connection are brought up. Default: yes.
    #[must_use]
    pub fn attach(mut self, attach: bool) -> Self {
        self.attach.wanted = attach;
        self
    }

    /// How long registration may take. Default: 90 s.
    #[must_use]
    pub fn attach_timeout(mut self, timeout: Duration) -> Self {
        self.attach.timeout = timeout;
        self
    }

    /// The PIN of the SIM. It is sent at most once: three failures lock a SIM.
    #[must_use]
    pub fn sim_pin(mut self, pin: impl Into<Secret>) -> Self {
        self.sim_pin = Some(pin.into());
        self
    }

    /// The access point name. Default: what the module or the SIM has.
    #[must_use]
    pub fn apn(mut self, apn: impl Into<String>) -> Self {
        self.pdp.apn = Some(apn.into());
        self
    }

    /// User and password of the access point, which needs an [`apn`](Self::apn). Default: none.
    #[must_use]
    pub fn pdp_credentials(mut self, user: impl Into<String>, password: impl Into<Secret>) -> Self {
        self.pdp.credentials = Some((user.into(), password.into()));
        self
    }

    /// A directory for the mark that says that a host died while the module waited for a payload. Default: none.
    ///
    /// With the mark, the next [`open`](crate::Modem::open) waits until the module has given the payload up,
    /// instead of having its first commands published.
    #[must_use]
    pub fn state_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.state_dir = Some(directory.into());
        self
    }

    /// Shows the AT conversation to a witness, with secrets masked. Default: nobody.
    #[must_use]
    pub fn tap(mut self, tap: impl Tap + 'static) -> Self {
        self.tap = Some(Box::new(tap));
        self
    }

    /// Calls this at each step that may take a while. Default: nobody.
    #[must_use]
    pub fn on_step(mut self, progress: impl Fn(&Step) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }

    /// How modem and clients come back after a loss. Default: [`Supervision::new`], which is on.
    #[must_use]
    pub fn supervision(mut self, supervision: Supervision) -> Self {
        self.supervision = supervision;
        self
    }

    /// Times and limits of the AT conversation, for unusual links and for tests.
    #[must_use]
    pub fn session(mut self, session: SessionOptions) -> Self {
        self.session = session;
        self
    }

    /// How many operations of one client may wait for the port before its calls wait themselves. Default: 32.
    #[must_use]
    pub fn queue_capacity(mut self, operations: usize) -> Self {
        self.lane_capacity = operations;
        self
    }

    /// How many messages are kept for a slow receiver before it loses the oldest, rounded up to a power of two.
    /// Default: 256.
    #[must_use]
    pub fn receive_capacity(mut self, messages: usize) -> Self {
        self.channel_capacity = messages;
        self
    }
}

impl fmt::Debug for ModemOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModemOptions")
            .field("name", &self.name)
            .field("line", &self.line)
            .field("vendor", &self.vendor)
            .field("quirks", &self.quirks)
            .field("former", &self.former)
            .field("attach", &self.attach)
            .field("sim_pin", &self.sim_pin)
            .field("pdp", &self.pdp)
            .finish_non_exhaustive()
    }
}
