//! `mqttat`: MQTT over the AT commands of cellular modules, from the command line.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

mod args;
mod arrival;
mod command;
mod device;
mod failure;
mod format;
mod hiding;
mod interrupt;
mod logging;
mod mishaps;
mod output;
mod page;
mod paint;
mod progress;
mod raw;
mod serial_log;
mod transcript;

use crate::args::Args;
use crate::failure::Failure;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(answer) if !is_mistake(&answer) => {
            // A reader that does not want the help does not get it.
            let _ = answer.print();
            return ExitCode::from(u8::try_from(answer.exit_code()).unwrap_or(2));
        }
        Err(mistake) => return complain(&mistake.into()),
    };
    logging::start(&args);
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => complain(&failure),
    }
}

/// Whether clap's answer is an error, or a page that was asked for by an option or by giving none.
fn is_mistake(answer: &clap::Error) -> bool {
    use clap::error::ErrorKind;
    !matches!(
        answer.kind(),
        ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    )
}

fn run(args: Args) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime =
        runtime.map_err(|error| Failure::failed(format!("no runtime: {error}"), mqtt_at::Fault::Caller))?;
    let outcome = runtime.block_on(command::run(args));
    // A thread that still reads stdin must not keep the process alive.
    runtime.shutdown_background();
    outcome
}

/// The one line on stderr.
fn complain(failure: &Failure) -> ExitCode {
    // Without stderr the exit code has to do.
    let _ = writeln!(std::io::stderr(), "mqttat: {failure}");
    failure.exit_code()
}
