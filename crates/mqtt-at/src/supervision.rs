//! What is done by itself when something is lost, and how fast.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::error::Error;

/// How a [`Modem`](crate::Modem) and its clients come back after a loss. It is on unless it is switched off.
///
/// What is lost is made anew from the smallest step on, each step bounded in time: ask the module whether the report of
/// a loss is true, connect the client and subscribe again, renew the data connection, prove the link, open the port
/// again, reset the module, and then go on trying slowly. [`Modem::state`](crate::Modem::state) and
/// [`Client::events`](crate::Client::events) tell what is going on.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use mqtt_at::{ModemOptions, Supervision};
///
/// let supervision = Supervision::new()
///     .delays(Duration::from_secs(2), Duration::from_secs(600))
///     .restart_module(false); // somebody else uses the module, too
/// let options = ModemOptions::new().supervision(supervision);
/// # drop(options);
/// ```
#[derive(Clone)]
pub struct Supervision {
    pub(crate) on: bool,
    pub(crate) first_delay: Duration,
    pub(crate) longest_delay: Duration,
    pub(crate) stable_after: Duration,
    pub(crate) check_every: Option<Duration>,
    pub(crate) reset: Option<Arc<dyn ResetHook>>,
    pub(crate) restart_module: bool,
    pub(crate) seed: Option<u64>,
}

impl Supervision {
    /// Supervision with the defaults that each setter names.
    pub fn new() -> Self {
        Self {
            on: true,
            first_delay: Duration::from_secs(1),
            longest_delay: Duration::from_secs(300),
            stable_after: Duration::from_secs(60),
            check_every: Some(Duration::from_secs(60)),
            reset: None,
            restart_module: true,
            seed: None,
        }
    }

    /// No supervision: a lost connection stays lost, its streams end and its publishes fail.
    pub fn off() -> Self {
        Self { on: false, ..Self::new() }
    }

    /// The delay before the second try, and the longest before any try; they double in between, and each is shortened
    /// by up to a half at random. The first try follows the loss at once, and so does each one after a reboot of the module
    /// or a loss of its port, as soon as the module is there again. Default: 1 s and 300 s.
    #[must_use]
    pub fn delays(mut self, first: Duration, longest: Duration) -> Self {
        (self.first_delay, self.longest_delay) = (first, longest);
        self
    }

    /// How long a connection has to last before the delays begin anew, so that a broker that closes each connection at
    /// once is not called every second. Default: 60 s.
    #[must_use]
    pub fn stable_after(mut self, time: Duration) -> Self {
        self.stable_after = time;
        self
    }

    /// How often the module is asked whether a connection is still there, in case the report of its loss was itself
    /// lost; `None` for never. It costs one short command. Default: 60 s.
    #[must_use]
    pub fn check_every(mut self, interval: Option<Duration>) -> Self {
        self.check_every = interval;
        self
    }

    /// Resets the module by other means than its port: a power key, the power of a USB port. It is used when everything
    /// else has failed, and at once when the port broke while the module waited for a payload, which nothing else can end
    /// without publishing something. Default: none.
    #[must_use]
    pub fn reset_hook(mut self, hook: impl ResetHook + 'static) -> Self {
        self.reset = Some(Arc::new(hook));
        self
    }

    /// Whether a cellular module that answers but does not get its data connection back may be restarted with
    /// `AT+CFUN=1,1`. Other users of the module lose their settings with it. Default: yes.
    #[must_use]
    pub fn restart_module(mut self, allowed: bool) -> Self {
        self.restart_module = allowed;
        self
    }

    /// Makes the random part of the delays the same in every run, for tests. Default: drawn.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }
}

impl Default for Supervision {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Supervision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supervision")
            .field("on", &self.on)
            .field("first_delay", &self.first_delay)
            .field("longest_delay", &self.longest_delay)
            .field("stable_after", &self.stable_after)
            .field("check_every", &self.check_every)
            .field("restart_module", &self.restart_module)
            .finish_non_exhaustive()
    }
}

/// Resets a module that cannot be reached or helped through its port.
///
/// # Examples
///
/// ```
/// use mqtt_at::ResetHook;
///
/// struct PowerKey;
///
/// #[async_trait::async_trait]
/// impl ResetHook for PowerKey {
///     async fn reset(&self) -> std::io::Result<()> {
///         std::fs::write("/sys/class/gpio/gpio17/value", "1")?;
///         tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
///         std::fs::write("/sys/class/gpio/gpio17/value", "0")
///     }
/// }
/// ```
#[async_trait]
pub trait ResetHook: Send + Sync {
    /// Resets the module, and returns when it may be spoken to again. It is given up after 60 s.
    async fn reset(&self) -> io::Result<()>;
}

/// What a modem is doing.
///
/// ```no_run
/// use mqtt_at::ModemState;
///
/// # async fn example(modem: mqtt_at::Modem) {
/// let mut state = modem.state();
/// while state.changed().await.is_ok() {
///     println!("{:?}", *state.borrow());
/// }
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ModemState {
    /// The module is set up and has its data connection, as far as it has said.
    Ready,
    /// Something is being made anew.
    Recovering(Recovery),
    /// Everything has been tried. It is tried again, slowly.
    Down(Error),
    /// The port is closed for good.
    Closed,
}

/// A step of recovery, from the smallest to the largest.
///
/// [`ModemState`] has an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recovery {
    /// The module has started anew: its settings are made again.
    Settings,
    /// The data connection is renewed.
    DataConnection,
    /// The port is opened again.
    Port,
    /// The module is being reset.
    Reset,
}

impl fmt::Display for ModemState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ready => f.write_str("ready"),
            Self::Recovering(recovery) => write!(f, "recovering: {recovery}"),
            Self::Down(error) => write!(f, "down: {error}"),
            Self::Closed => f.write_str("closed"),
        }
    }
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Settings => "setting the module up again",
            Self::DataConnection => "renewing the data connection",
            Self::Port => "opening the port again",
            Self::Reset => "resetting the module",
        })
    }
}
