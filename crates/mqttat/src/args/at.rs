//! `mqttat at`

use super::Verbosity;

/// Send raw commands in order, and print the information responses
///
/// A refusal ends the row with exit code 1. Network and data connection are left as they are. Commands that would
/// switch the module off, brick it or lose the line are refused without --force; commands that ask for data with a
/// prompt are always refused. Answers that hold secrets are masked. Late results of a command are not waited for.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mqttat --device /dev/ttyUSB2 at ATI +CSQ
  mqttat --device sim:quectel at 'AT+QMTCFG=\"recv/mode\",0' --json")]
pub(crate) struct At {
    /// Commands; AT in front is added where it is missing
    #[arg(value_name = "COMMAND", required = true, allow_hyphen_values = false)]
    pub(crate) commands: Vec<String>,

    /// Send commands that may harm the module, too
    #[arg(long)]
    pub(crate) force: bool,

    /// How long to wait for each answer
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 10,
        value_parser = clap::value_parser!(u64).range(1..=600)
    )]
    pub(crate) wait: u64,

    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
}
