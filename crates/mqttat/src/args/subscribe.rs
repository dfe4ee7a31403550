//! `mqttat sub`

use std::time::Duration;

use mqtt_at::QoS;

use super::connection::Connection;
use crate::format::Format;

/// Print messages as they come; the options are mosquitto_sub's
///
/// Ends with Ctrl-C, after -C messages, or when -W has run out (exit code 27). The log level, -v elsewhere, is given
/// before `sub`: behind it -v prints topics.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mqttat --device /dev/ttyUSB2 sub -h broker.example.com -t 'site/7/#' -q 1 -v
  mqttat sub -h broker.example.com -t site/7/cmd -C 1 -W 60
  mqttat sub -h broker.example.com -t '#' -F '%t %l %x'

Format letters of -F:
  %t topic      %p payload      %l length of the payload     %x payload in hexadecimal
  %q quality of service, %r retained: - where the module does not tell
  %j all of it as a JSON object                              %% a percent sign
  \\\\ \\0 \\a \\e \\n \\r \\t \\v as in mosquitto_sub")]
pub(crate) struct Subscribe {
    /// A topic filter; may be given several times
    #[arg(short = 't', long = "topic", value_name = "FILTER", required = true, allow_hyphen_values = true)]
    pub(crate) filters: Vec<String>,

    /// The highest quality of service to receive with
    #[arg(short = 'q', long, value_name = "QOS", value_parser = super::qos, default_value = "0")]
    pub(crate) qos: QoS,

    /// Print the topic before the payload
    #[arg(short = 'v', long)]
    pub(crate) verbose: bool,

    /// End after this many messages
    #[arg(short = 'C', value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,

    /// End this long after connecting began, with exit code 27
    #[arg(short = 'W', value_name = "SECONDS", value_parser = super::seconds)]
    pub(crate) wait: Option<Duration>,

    /// Print no line feed after a message
    #[arg(short = 'N')]
    pub(crate) no_line_feed: bool,

    /// Drop what comes within a second after the subscription: modules do not say which messages were retained
    #[arg(short = 'R')]
    pub(crate) no_retained: bool,

    /// How to print a message
    #[arg(short = 'F', value_name = "FORMAT", conflicts_with = "verbose", allow_hyphen_values = true)]
    pub(crate) format: Option<Format>,

    // The last of the options, because its heading holds for those behind it, too.
    #[command(flatten)]
    pub(crate) connection: Connection,
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use mqtt_at::QoS;

    use crate::args::{Args, Command};

    fn parse(line: &str) -> Result<super::Subscribe, clap::Error> {
        let args = Args::try_parse_from(line.split(' '))?;
        let Command::Subscribe(subscribe) = args.command else { panic!("{line} is no sub") };
        Ok(*subscribe)
    }

    #[test]
    fn filters_add_up() {
        let subscribe = parse("mqttat sub -h b -t a/# -t b -q 2 -v -C 3 -W 1.5 -N -R").unwrap();
        assert_eq!(subscribe.filters, ["a/#", "b"]);
        assert!(subscribe.verbose && subscribe.no_line_feed && subscribe.no_retained);
        assert_eq!((subscribe.qos, subscribe.count), (QoS::ExactlyOnce, Some(3)));
        assert_eq!(subscribe.wait, Some(std::time::Duration::from_millis(1500)));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for options in ["", "-t a -q 3", "-t a -C 0", "-t a -F %z", "-t a -W x", "-t a -v -F %p"] {
            assert!(parse(format!("mqttat sub -h b {options}").trim_end()).is_err(), "{options}");
        }
    }
}
