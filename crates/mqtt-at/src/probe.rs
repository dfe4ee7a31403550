//! Asking a port who is behind it.

use std::sync::Arc;

use at_port::transport::{self, Address};
use at_port::{Port, PortOptions};

use crate::bringup;
use crate::discovery;
use crate::error::{Error, Outcome, Result};
use crate::identity::Identity;
use crate::link::Links;
use crate::mark::FileMark;
use crate::modem::Modem;
use crate::options::ModemOptions;

impl Modem {
    /// Asks who is behind a port, and closes the port again.
    ///
    /// Nothing else is touched: a module that another program uses through another of its ports keeps its clients
    /// and its network. On this port echo is switched off and errors are told by number. Of the options those
    /// count that concern line, conversation and state directory; with the default ones a port behind which nobody
    /// is takes about 40 s.
    ///
    /// # Errors
    ///
    /// The port cannot be opened, or nobody behind it answers to AT commands.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the port at once.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn example() -> mqtt_at::Result<()> {
    /// use mqtt_at::{Modem, ModemOptions};
    ///
    /// let identity = Modem::probe("/dev/ttyUSB2", ModemOptions::new()).await?;
    /// println!("{identity}, to be spoken to as {:?}", identity.vendor());
    /// # Ok(()) }
    /// ```
    pub async fn probe(device: &str, options: ModemOptions) -> Result<Identity> {
        let address: Address = device.parse()?;
        let connection = transport::open(&address, options.line).await?;
        let mut port_options = PortOptions::default();
        port_options.session = options.session;
        port_options.tap = options.tap;
        // Whoever waits for a payload would publish the questions.
        if let Some(owed) = options.state_dir.and_then(|directory| FileMark::new(&directory, device).owed()) {
            port_options.session.hold_off = discovery::longest_payload_patience();
            port_options.session.owed = owed;
        }
        let rules = discovery::rules(&Arc::new(Links::default()));
        let (port, driver) = Port::new(connection, rules, port_options);
        tokio::select! {
            identity = bringup::identify(&port, options.progress.as_ref()) => identity,
            error = driver => Err(Error::Port { error, outcome: Outcome::NotSent }),
        }
    }
}
