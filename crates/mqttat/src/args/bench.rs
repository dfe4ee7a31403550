//! `mqttat bench`

use std::time::Duration;

use mqtt_at::QoS;

use super::Verbosity;
use super::connection::Connection;

/// Measure throughput and latency of a module
///
/// Publishes with each quality of service and each size, as many messages at once as the module takes, and prints a
/// line for each: messages and bytes per second, and how long a publish took from the call to the broker's
/// acknowledgement (with QoS 0: to the module's). --round-trip subscribes as well, and measures how long a message
/// took to come back. With --device sim:VENDOR --baud paces the line and --rtt the network.
///
/// --soak does something else: it publishes for hours while things go wrong, on purpose with --fault, and accounts for
/// every message in the end. A message that was delivered and is lost makes the exit code 1.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  mqttat --device /dev/ttyUSB2 bench -h broker.example.com -q 0,1 --size 64,1024
  mqttat --device sim:quectel --baud 115200 bench --rtt 80 --clients 2 --duration 5
  mqttat --device sim:simcom bench --round-trip --json
  mqttat --device sim:quectel bench --soak 20m --fault swarm --seed 7")]
pub(crate) struct Bench {
    /// The topic to publish to [default: mqttat/bench/ and the client identifier]
    #[arg(short = 't', long, value_name = "TOPIC")]
    pub(crate) topic: Option<String>,

    /// Qualities of service, separated by commas
    #[arg(
        short = 'q',
        long,
        value_name = "QOS",
        value_delimiter = ',',
        default_value = "0,1",
        value_parser = super::qos
    )]
    pub(crate) qos: Vec<QoS>,

    /// Sizes of payloads in bytes, separated by commas
    #[arg(
        long = "size",
        value_name = "BYTES",
        value_delimiter = ',',
        default_value = "64,512",
        value_parser = clap::value_parser!(u32).range(1..=1_048_576)
    )]
    pub(crate) sizes: Vec<u32>,

    /// How many clients of the module publish at once
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub(crate) clients: u8,

    /// How many publishes of each client are awaited at once [default: the module's window]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) in_flight: Option<u16>,

    /// Messages for each line
    #[arg(
        long,
        value_name = "N",
        default_value_t = 200,
        value_parser = clap::value_parser!(u64).range(1..=10_000_000)
    )]
    pub(crate) count: u64,

    /// Publish for so long for each line, instead of a number of messages
    #[arg(long, value_name = "SECONDS", conflicts_with = "count", value_parser = super::seconds)]
    pub(crate) duration: Option<Duration>,

    /// Subscribe as well, and measure how long messages take to come back
    #[arg(long)]
    pub(crate) round_trip: bool,

    /// The network's round trip of a virtual module, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=60_000))]
    pub(crate) rtt: u64,

    /// Publish a message every --interval for so long (90s, 30m, 12h, 7d), with the last of the qualities of service
    /// and the first of the sizes, come back from whatever happens, and account for every message
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = super::duration,
        conflicts_with_all = ["count", "duration", "round_trip", "clients", "in_flight"]
    )]
    pub(crate) soak: Option<Duration>,

    /// The time between two messages of a soak
    #[arg(long, value_name = "SECONDS", default_value = "1", requires = "soak", value_parser = super::seconds)]
    pub(crate) interval: Duration,

    /// Something that goes wrong with a virtual module, as with `sim`; may be given several times
    #[arg(long = "fault", value_name = "SPEC")]
    pub(crate) faults: Vec<super::sim::FaultSpec>,

    /// Seeds what is random in a virtual module
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,

    // The last of the options, because its heading holds for those behind it, too.
    #[command(flatten)]
    pub(crate) connection: Connection,

    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
}
