//! What `-v` shows on stderr.

use std::io::IsTerminal;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::args::{Args, Command};
use crate::paint;
use crate::raw;

/// Starts logging. Without `-v` nothing is logged: a failure is one line of its own.
pub(crate) fn start(args: &Args) {
    let level = match args.verbosity() {
        0 => return,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let format = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(paint::wanted(std::io::stderr().is_terminal()));
    // A second subscriber would be a fault of this program alone, and costs only the log.
    let _ = tracing_subscriber::registry().with(format).with(targets(args, level)).try_init();
}

/// The log of the library; that of other crates could show passwords.
fn targets(args: &Args, level: LevelFilter) -> Targets {
    // Only the library masks what it sends. The virtual module traces what it hears, and what a person typed is
    // traced as it is, and so is what the module answers.
    let typed_secret = match &args.command {
        Command::At(at) => at.commands.iter().any(|it| raw::has_secret(it) || raw::answers_with_secret(it)),
        // What will be typed is not known yet.
        Command::Console(_) => true,
        _ => false,
    };
    Targets::new()
        .with_target("mqttat", level)
        .with_target("mqtt_at", level)
        .with_target("at_codec", level)
        .with_target("at_port", if typed_secret { level.min(LevelFilter::DEBUG) } else { level })
        .with_target("virtual_modem", level.min(LevelFilter::DEBUG))
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use tracing::Level;

    use super::*;

    fn traces(line: &[&str], target: &str) -> bool {
        let args = Args::try_parse_from(line).unwrap();
        targets(&args, LevelFilter::TRACE).would_enable(target, &Level::TRACE)
    }

    #[test]
    fn nothing_traces_a_password() {
        assert!(traces(&["mqttat", "at", "+CSQ"], "at_port::session"));
        assert!(!traces(&["mqttat", "at", "+CSQ", "AT+CPIN=1234"], "at_port::session"));
        assert!(!traces(&["mqttat", "at", "+CMQTTCONNECT?"], "at_port::session"));
        assert!(!traces(&["mqttat", "console"], "at_port::session"));
        assert!(!traces(&["mqttat", "sim"], "virtual_modem::modem"));
        assert!(!traces(&["mqttat", "sim"], "mqtt5::broker"));
    }
}
