//! `mqttat sim`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use virtual_modem::{
    Action, Builder, ByteFault, ByteFaults, ByteSwarm, Fault, FaultPlan, Quirk, Swarm, UnknownQuirk, Way,
};

use super::Verbosity;

/// Run a virtual module that other programs can open
///
/// Prints a line with READY and where the module is; hosts may come and go, its state stays. Ctrl-C ends it. --vendor
/// says whose module it is (quectel by default), --baud paces the line as a UART of that speed would.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = quirks())]
pub(crate) struct Sim {
    /// Offer a pseudo terminal, and link it here [default: a pseudo terminal without a link]
    #[arg(long, value_name = "PATH", conflicts_with = "tcp")]
    pub(crate) link: Option<PathBuf>,

    /// Offer a TCP port instead
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub(crate) tcp: Option<SocketAddr>,

    /// Where MQTT connections end: in a broker of its own, or at HOST:PORT [default: where the host says]
    #[arg(long, value_name = "embedded[:PORT]|HOST:PORT")]
    pub(crate) broker: Option<BrokerChoice>,

    /// The network's round trip, in milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=60_000))]
    pub(crate) rtt: u64,

    /// A way in which the module differs from its manual; may be given several times
    #[arg(long = "quirk", value_name = "NAME", value_parser = quirk)]
    pub(crate) quirks: Vec<Quirk>,

    /// A fault to suffer; may be given several times: HOOK:ACTION, HOOK:COMMAND:ACTION or
    /// HOOK:COMMAND:OCCASION:ACTION of the module, to-host@BYTE:ACTION or to-module@BYTE:ACTION of the line, or at
    /// random swarm (module) and line-swarm
    #[arg(long = "fault", value_name = "SPEC")]
    pub(crate) faults: Vec<FaultSpec>,

    /// Seeds what is random
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed: u64,

    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
}

const EXAMPLES: &str = "Examples:
  mqttat sim --link /tmp/modem0 --broker embedded:1883
  mqttat sim --tcp 127.0.0.1:7000 --broker 192.0.2.7:1883 --baud 115200 --rtt 80
  mqttat sim --link /tmp/modem0 --quirk prompt-bare --quirk boot-silence=5 --fault result:+QMTPUBEX:3:silence
  mqttat sim --link /tmp/modem0 --fault to-host@500:drop=3 --fault swarm --seed 42";

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "must be an address and a port, such as 127.0.0.1:7000")
}

/// The names of the quirks, which are too many for every error.
fn quirks() -> String {
    let names: Vec<_> = Quirk::names().collect();
    format!("{EXAMPLES}\n\nQuirks (= wants a number behind it):\n  {}", names.join(", "))
}

fn quirk(text: &str) -> Result<Quirk, String> {
    let similar = || {
        let parts: Vec<_> = text.split('-').filter(|part| part.len() > 2).collect();
        let is_similar = |name: &String| parts.iter().any(|part| name.contains(part));
        let names: Vec<_> = Quirk::names().filter(is_similar).take(5).collect();
        if names.is_empty() {
            "sim --help lists them".to_owned()
        } else {
            format!("similar: {}", names.join(", "))
        }
    };
    text.parse().map_err(|error: UnknownQuirk| format!("{error}; {}", similar()))
}

/// Something that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FaultSpec {
    /// The module does something wrong.
    Module(Fault),
    /// The line does something to a byte.
    Line(ByteFault),
    /// The module does wrong things at random.
    Swarm,
    /// The line does things to bytes at random.
    LineSwarm,
}

impl FaultSpec {
    /// Has a module and its line suffer all of these.
    pub(crate) fn apply(specs: &[Self], seed: u64, builder: Builder) -> Builder {
        let mut plan = FaultPlan::new();
        let mut line: Option<ByteFaults> = None;
        for spec in specs {
            match spec {
                Self::Module(fault) => plan.add(fault.clone()),
                // Nobody is there to switch a module on again that hangs.
                Self::Swarm => {
                    plan = plan.swarm(Swarm::new(seed).only(|_, action| !matches!(action, Action::Hang)));
                }
                Self::Line(fault) => line = Some(line.unwrap_or_default().with(fault.clone())),
                Self::LineSwarm => {
                    let ways = [(Way::ToHost, seed), (Way::ToModule, !seed)];
                    line = Some(ways.into_iter().fold(line.unwrap_or_default(), |line, (way, seed)| {
                        line.swarm(way, ByteSwarm::new(seed))
                    }));
                }
            }
        }
        let builder = builder.faults(plan);
        match line {
            Some(line) => builder.byte_faults(line),
            None => builder,
        }
    }
}

impl FromStr for FaultSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "swarm" => Ok(Self::Swarm),
            "line-swarm" => Ok(Self::LineSwarm),
            line if line.starts_with("to-") => {
                line.parse().map(Self::Line).map_err(|error: virtual_modem::BadByteFault| error.to_string())
            }
            module => {
                module.parse().map(Self::Module).map_err(|error: virtual_modem::BadFault| error.to_string())
            }
        }
    }
}

/// Where the virtual module's MQTT connections end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum BrokerChoice {
    /// In a broker in this process, on this port of the loopback address; 0 is any free one.
    Embedded(u16),
    /// At this host and port.
    At(String),
}

impl FromStr for BrokerChoice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        const WANTED: &str = "must be embedded, embedded:PORT or HOST:PORT";
        if text == "embedded" {
            return Ok(Self::Embedded(0));
        }
        let (host, port) = text.rsplit_once(':').filter(|(host, _)| !host.is_empty()).ok_or(WANTED)?;
        let port: u16 = port.parse().map_err(|_| WANTED)?;
        match (host, port) {
            ("embedded", port) => Ok(Self::Embedded(port)),
            (_, 0) => Err(WANTED),
            _ => Ok(Self::At(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_of_module_and_line_are_told_apart() {
        assert!(matches!("idle:+X:2:kick=0".parse(), Ok(FaultSpec::Module(_))));
        assert!(matches!("to-host@7:drop=2".parse(), Ok(FaultSpec::Line(_))));
        assert_eq!("swarm".parse(), Ok(FaultSpec::Swarm));
        assert_eq!("line-swarm".parse(), Ok(FaultSpec::LineSwarm));
        for bad in ["", "to-host", "to-host@7:fly", "idle", "swarms"] {
            assert!(bad.parse::<FaultSpec>().unwrap_err().contains(bad), "{bad}");
        }
    }

    #[test]
    fn brokers_are_told_apart() {
        assert_eq!("embedded".parse(), Ok(BrokerChoice::Embedded(0)));
        assert_eq!("embedded:1883".parse(), Ok(BrokerChoice::Embedded(1883)));
        assert_eq!(
            "broker.example.com:1884".parse(),
            Ok(BrokerChoice::At("broker.example.com:1884".to_owned()))
        );
        for bad in ["", "broker", "broker:", ":1883", "broker:0", "broker:65536", "embedded:x"] {
            assert!(bad.parse::<BrokerChoice>().is_err(), "{bad}");
        }
    }
}
