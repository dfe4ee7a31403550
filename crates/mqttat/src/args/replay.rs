//! `mqttat replay`

use std::path::PathBuf;

use super::Verbosity;

/// Read a transcript offline, and say what each line means and what looks wrong
///
/// Transcripts come from --record. Serial logs of terminal programs, drivers and daemons are read, too: with marks that
/// say who spoke (> and <, TX and RX, SEND and RECV, ...) or without, with times or without. No module is needed. The
/// vendor is found by the commands unless --vendor names it. What is in doubt comes with the row of the known deviation
/// or the section of the vendor's manual. To let the client itself run against a transcript, use --device play:FILE with
/// any command.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mqttat --device sim:simcom --record s.at pub -t hello -m world
  mqttat replay s.at
  mqttat replay s.at --json
  mqttat replay s.at --html s.html
  mqttat replay minicom.cap --vendor quectel")]
pub(crate) struct Replay {
    /// The transcript, or a serial log; - is stdin
    pub(crate) file: PathBuf,

    /// Write one page that shows the conversation and what looks wrong, for a bug report
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
}
