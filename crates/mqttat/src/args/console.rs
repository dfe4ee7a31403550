//! `mqttat console`

use super::Verbosity;

/// Talk AT with the module: history, completion, and reports as they come
///
/// Tab completes the vendor's commands and shows what they are for; `?` lists them. Ctrl-D, `exit` or `quit` ends it.
/// What the module reports by itself is printed above what is being typed. Passwords, keys and PINs are starred while
/// they are typed, masked in answers, and never remembered. Without a terminal the lines of stdin are sent in order.
/// Network and data connection are left as they are; what `at` refuses is refused here, too.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mqttat console --device /dev/ttyUSB2
  printf 'ATI\\n+CSQ\\n' | mqttat --device sim:quectel console")]
pub(crate) struct Console {
    /// Send commands that may harm the module, too
    #[arg(long)]
    pub(crate) force: bool,

    /// How long to wait for each answer
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 60,
        value_parser = clap::value_parser!(u64).range(1..=600)
    )]
    pub(crate) wait: u64,

    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
}
