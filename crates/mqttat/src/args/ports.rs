//! `mqttat ports`

use super::Verbosity;

/// List the serial ports of this computer, with USB names where they have one
///
/// Modules show up as several USB ports; the AT port is often the third. Ports that are neither USB nor built in,
/// such as /dev/wwan0at0 and pseudo terminals, are not listed but can be used.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  mqttat ports\n  mqttat ports --json")]
pub(crate) struct Ports {
    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
}
