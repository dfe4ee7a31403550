//! `mqttat demo`

use virtual_modem::Vendor;

use super::Verbosity;

/// Show a virtual module, a broker and a client at work, all in this process
///
/// Prints the AT conversation (>> to the module, << from the module) and checks that messages of each quality of
/// service arrive byte for byte. Needs no hardware, no network and nothing installed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  mqttat demo\n  mqttat demo quectel --record demo.at")]
pub(crate) struct Demo {
    /// Whose module it is
    #[arg(value_name = "VENDOR", default_value = "quectel")]
    pub(crate) module: Vendor,

    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
}
