//! What stands on the command line.

use std::time::Duration;

use clap::{ArgAction, Parser, Subcommand};
use mqtt_at::QoS;

pub(crate) mod at;
pub(crate) mod bench;
pub(crate) mod connection;
pub(crate) mod console;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod generate;
pub(crate) mod global;
pub(crate) mod info;
pub(crate) mod ports;
pub(crate) mod publish;
pub(crate) mod replay;
mod sign_in;
pub(crate) mod sim;
pub(crate) mod subscribe;
#[cfg(feature = "tui")]
pub(crate) mod top;

pub(crate) use global::{Device, Global, VendorChoice, Verbosity};

/// MQTT over the AT commands of cellular modules.
#[derive(Debug, Parser)]
#[command(
    name = "mqttat",
    version,
    disable_help_flag = true,
    disable_version_flag = true,
    after_help = "Try it without hardware:\n  mqttat demo\n  mqttat --device sim:quectel pub -t hello -m world"
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,

    #[command(flatten)]
    pub(crate) verbosity: Verbosity,

    /// Print help
    // -h is the broker's host, as it is for mosquitto_pub.
    #[arg(long, action = ArgAction::Help, global = true, help_heading = "Global options", display_order = 900)]
    help: Option<bool>,

    /// Print the version
    #[arg(long, action = ArgAction::Version, help_heading = "Global options", display_order = 901)]
    version: Option<bool>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(demo::Demo),
    Ports(ports::Ports),
    Info(info::Info),
    Doctor(Box<doctor::Doctor>),
    #[command(name = "pub")]
    Publish(Box<publish::Publish>),
    #[command(name = "sub")]
    Subscribe(Box<subscribe::Subscribe>),
    At(at::At),
    Console(console::Console),
    Sim(sim::Sim),
    Bench(Box<bench::Bench>),
    Replay(replay::Replay),
    #[cfg(feature = "tui")]
    Top(Box<top::Top>),
    Completions(generate::Completions),
    Man(generate::Man),
}

impl Command {
    /// Whether it talks to no module that was named.
    pub(crate) fn is_about_this_computer(&self) -> bool {
        matches!(self, Self::Ports(_) | Self::Sim(_) | Self::Replay(_) | Self::Completions(_) | Self::Man(_))
    }

    /// Whether it cannot do without a module.
    pub(crate) fn needs_module(&self) -> bool {
        !self.is_about_this_computer() && !matches!(self, Self::Demo(_))
    }
}

impl Args {
    /// How often `-v` was given, before and after the command.
    pub(crate) fn verbosity(&self) -> u8 {
        let after = match &self.command {
            Command::Demo(demo) => demo.verbosity,
            Command::Ports(ports) => ports.verbosity,
            Command::Info(info) => info.verbosity,
            Command::Doctor(doctor) => doctor.verbosity,
            Command::Publish(publish) => publish.verbosity,
            // Behind `sub` it means what it means to mosquitto_sub.
            Command::Subscribe(_) => Verbosity::default(),
            Command::At(at) => at.verbosity,
            Command::Console(console) => console.verbosity,
            Command::Sim(sim) => sim.verbosity,
            Command::Bench(bench) => bench.verbosity,
            Command::Replay(replay) => replay.verbosity,
            #[cfg(feature = "tui")]
            Command::Top(top) => top.verbosity,
            Command::Completions(completions) => completions.verbosity,
            Command::Man(man) => man.verbosity,
        };
        self.verbosity.verbose.saturating_add(after.verbose)
    }
}

/// A quality of service.
pub(crate) fn qos(text: &str) -> Result<QoS, &'static str> {
    text.parse::<u8>().ok().and_then(|level| QoS::try_from(level).ok()).ok_or("must be 0, 1 or 2")
}

/// Seconds with a fraction, up to a day.
pub(crate) fn seconds(text: &str) -> Result<Duration, &'static str> {
    const WANTED: &str = "must be a number of seconds, 0 to 86400";
    let seconds: f64 = text.parse().map_err(|_| WANTED)?;
    if (0.0..=86_400.0).contains(&seconds) { Ok(Duration::from_secs_f64(seconds)) } else { Err(WANTED) }
}

/// A time with a unit: `90`, `90s`, `30m`, `12h`, `7d`.
pub(crate) fn duration(text: &str) -> Result<Duration, &'static str> {
    const WANTED: &str = "must be a number of seconds, or one with s, m, h or d behind it, from 1 s to 366 d";
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..) {
        Some("" | "s") => 1,
        Some("m") => 60,
        Some("h") => 3600,
        Some("d") => 86_400,
        _ => return Err(WANTED),
    };
    let seconds = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(unit)).ok_or(WANTED)?;
    if (1..=366 * 86_400).contains(&seconds) { Ok(Duration::from_secs(seconds)) } else { Err(WANTED) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_hold_together() {
        Args::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example() {
        for command in Args::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let example = format!("mqttat {}", command.get_name());
            let with_device = format!(" {} ", command.get_name());
            assert!(
                help.contains(&example) || help.contains(&with_device),
                "{}: {help:?}",
                command.get_name()
            );
        }
    }

    #[test]
    fn durations_have_units() {
        for (text, seconds) in [("90", 90), ("90s", 90), ("30m", 1800), ("12h", 43_200), ("7d", 604_800)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)));
        }
        for text in ["", "0", "m", "1.5h", "1w", "367d", "-1", "99999999999999999999d"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn v_is_counted_on_both_sides_of_the_command() {
        let verbosity = |line: &str| Args::try_parse_from(line.split(' ')).unwrap().verbosity();
        assert_eq!(verbosity("mqttat ports"), 0);
        assert_eq!(verbosity("mqttat -v ports -vv"), 3);
        assert_eq!(verbosity("mqttat -vv sub -h b -t t -v"), 2);
    }

    #[test]
    fn global_options_stand_on_both_sides_of_the_command() {
        for line in ["mqttat --device COM5 --json info", "mqttat info --json --device COM5"] {
            let args = Args::try_parse_from(line.split(' ')).unwrap();
            assert!(args.global.json);
            assert_eq!(args.global.device, Some(Device::Port("COM5".to_owned())));
        }
    }

    #[test]
    fn the_documentation_names_every_option_and_quirk() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/CLI.md");
        let text = std::fs::read_to_string(path).unwrap();
        let mut wanted: Vec<String> = virtual_modem::Quirk::names().map(|name| format!("`{name}`")).collect();
        for command in Args::command().get_subcommands() {
            wanted.push(format!("## {}\n", command.get_name()));
            for option in command.get_arguments().filter(|argument| !argument.is_positional()) {
                wanted.extend(option.get_long().map(|long| format!("--{long}")));
                wanted.extend(option.get_short().map(|short| format!("`-{short}")));
            }
        }
        wanted.extend(Args::command().get_arguments().filter_map(|it| Some(format!("--{}", it.get_long()?))));
        let missing: Vec<_> = wanted.iter().filter(|name| !text.contains(*name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
