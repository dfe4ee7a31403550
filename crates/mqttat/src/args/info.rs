//! `mqttat info`

use super::Verbosity;

/// Tell who the module is, how it is attached to the network, and what its MQTT can carry
///
/// Nothing is changed: SIM, registration and data connection stay as they are.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mqttat --device /dev/ttyUSB2 info\n  mqttat --device sim:quectel info --json"
)]
pub(crate) struct Info {
    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
}
