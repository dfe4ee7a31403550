//! `mqttat pub`

use std::ffi::OsString;
use std::path::PathBuf;

use clap::ArgGroup;
use mqtt_at::QoS;

use super::Verbosity;
use super::connection::Connection;

/// Publish messages; the options are mosquitto_pub's
///
/// With QoS 1 and 2 a message counts as published when the broker has acknowledged it, with QoS 0 when the module
/// has sent it. Messages of -l and --repeat overlap, up to the module's window, and keep their order.
#[derive(Debug, clap::Args)]
#[command(
    group(ArgGroup::new("payload").required(true)),
    after_help = "Examples:
  mqttat --device /dev/ttyUSB2 pub -h broker.example.com -t site/7/up -m hello -q 1
  mqttat --device sim:quectel pub -t site/7/image -f part-1.bin -q 2
  journalctl -f | mqttat pub -h broker.example.com -t site/7/log -l"
)]
pub(crate) struct Publish {
    /// The topic to publish to
    #[arg(short = 't', long, value_name = "TOPIC", allow_hyphen_values = true)]
    pub(crate) topic: String,

    /// The payload, as text
    #[arg(short = 'm', long, value_name = "TEXT", group = "payload", allow_hyphen_values = true)]
    pub(crate) message: Option<OsString>,

    /// The payload is the content of this file, any bytes
    #[arg(short = 'f', long, value_name = "FILE", group = "payload")]
    pub(crate) file: Option<PathBuf>,

    /// The payload is the whole of stdin, any bytes
    #[arg(short = 's', long = "stdin-file", group = "payload")]
    pub(crate) stdin: bool,

    /// Each line of stdin is a message, without its line feed
    #[arg(short = 'l', long = "stdin-line", group = "payload")]
    pub(crate) lines: bool,

    /// The payload is empty
    #[arg(short = 'n', long = "null-message", group = "payload")]
    pub(crate) empty: bool,

    /// Quality of service: 0 at most once, 1 at least once, 2 exactly once
    #[arg(short = 'q', long, value_name = "QOS", value_parser = super::qos, default_value = "0")]
    pub(crate) qos: QoS,

    /// The broker keeps the message for later subscribers
    #[arg(short = 'r', long)]
    pub(crate) retain: bool,

    /// Publish the message this often
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(1..),
        default_value_t = 1,
        conflicts_with = "lines"
    )]
    pub(crate) repeat: u32,

    /// Wait this long between repetitions
    #[arg(long, value_name = "SECONDS", requires = "repeat", value_parser = super::seconds)]
    pub(crate) repeat_delay: Option<std::time::Duration>,

    // The last of the options, because its heading holds for those behind it, too.
    #[command(flatten)]
    pub(crate) connection: Connection,

    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::args::{Args, Command};

    fn parse(line: &str) -> Result<super::Publish, clap::Error> {
        let args = Args::try_parse_from(line.split(' '))?;
        let Command::Publish(publish) = args.command else { panic!("{line} is no pub") };
        Ok(*publish)
    }

    #[test]
    fn exactly_one_payload_is_wanted() {
        for source in ["-m x", "-f x", "-s", "-l", "-n", "-m -5"] {
            assert!(parse(&format!("mqttat pub -h b -t t {source}")).is_ok(), "{source}");
        }
        for source in
            ["-q 1", "-m x -n", "-s -l", "-m x -f y", "-l --repeat 3", "-m x --repeat 0", "-m x -q 3"]
        {
            assert!(parse(&format!("mqttat pub -h b -t t {source}")).is_err(), "{source}");
        }
        assert!(parse("mqttat pub -h b -m x").is_err(), "a topic is wanted");
    }

    #[test]
    fn a_delay_may_be_a_fraction_of_a_second() {
        let publish = parse("mqttat pub -h b -t t -m x --repeat 3 --repeat-delay 0.25").unwrap();
        assert_eq!(publish.repeat_delay, Some(std::time::Duration::from_millis(250)));
        for bad in ["-1", "inf", "NaN", "x", "1e30"] {
            assert!(
                parse(&format!("mqttat pub -h b -t t -m x --repeat 3 --repeat-delay={bad}")).is_err(),
                "{bad}"
            );
        }
    }
}
