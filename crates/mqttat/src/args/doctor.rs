//! `mqttat doctor`

use super::Verbosity;
use super::connection::Connection;

/// Go through everything that a module needs to speak MQTT, and say what is wrong and what to do
///
/// A checklist from the port to the data connection, and with -h on to the broker's login; nothing is published. A
/// step that fails makes the exit code 1, a warning does not. What does not depend on a failed step is looked at all
/// the same. --no-attach looks at SIM and network without touching them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mqttat --device /dev/ttyUSB2 doctor
  mqttat --device /dev/ttyUSB2 doctor -h broker.example.com -p 8883 --cafile ca.pem -u user -P password
  mqttat --device sim:quectel doctor --json")]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) connection: Connection,

    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
}
