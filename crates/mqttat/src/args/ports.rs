//! `mqttat ports`

use super::Verbosity;

/// List the serial ports of this computer, with USB names where they have one
///
/// Modules show up as several USB ports; --probe finds out which of them takes AT commands. Ports that are neither
/// USB nor built in, such as /dev/wwan0at0 and pseudo terminals, are not listed but can be named and used.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mqttat ports\n  mqttat ports --probe --json\n  mqttat ports --probe /dev/wwan0at0"
)]
pub(crate) struct Ports {
    /// Ports to look at [default: those that the system lists]
    #[arg(value_name = "PORT")]
    pub(crate) ports: Vec<String>,

    /// Ask each port who is behind it; devices that are no modules get AT commands, too
    #[arg(long)]
    pub(crate) probe: bool,

    /// How long each port may take to answer
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 5,
        value_parser = clap::value_parser!(u64).range(1..=600)
    )]
    pub(crate) wait: u64,

    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
}
