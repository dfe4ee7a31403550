//! `mqttat top`

use std::time::Duration;

use mqtt_at::QoS;

use super::Verbosity;
use super::connection::Connection;

/// Watch a module, its connection and its messages on a dashboard
///
/// Shows signal and registration over time, the client with its state, window and rates, the topics with their last
/// messages, and what module and library report. With -h it connects a client, which comes back by itself when it is
/// lost. p publishes, s subscribes, u unsubscribes, q quits.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mqttat top --device /dev/ttyUSB2
  mqttat top --device /dev/ttyUSB2 -h broker.example.com -t 'site/7/#'
  mqttat top --device sim:quectel -t '#'")]
pub(crate) struct Top {
    /// A topic filter to subscribe to; may be given several times
    #[arg(short = 't', long = "topic", value_name = "FILTER")]
    pub(crate) filters: Vec<String>,

    /// The quality of service to subscribe and publish with
    #[arg(short = 'q', long, value_name = "QOS", value_parser = super::qos, default_value = "1")]
    pub(crate) qos: QoS,

    /// How often the module is asked for signal and registration
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = super::seconds)]
    pub(crate) every: Duration,

    // The last of the options, because its heading holds for those behind it, too.
    #[command(flatten)]
    pub(crate) connection: Connection,

    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
}
