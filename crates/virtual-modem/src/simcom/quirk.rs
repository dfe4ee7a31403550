//! Where SIMCom's modules differ from their manual, as switches.

use std::fmt;

/// A way in which a SIMCom module differs from what its manual says, as [`Quirk::SimCom`](crate::Quirk::SimCom).
///
/// The names for the command line begin with `simcom-`. Some things that were seen need no switch: a result code out of
/// turn (2.2, 2.11) is [`Action::Code`](crate::Action::Code), an `AT+CCERTDOWN` that never ends (2.15) is
/// [`Action::Silence`](crate::Action::Silence) before its final result.
///
/// [`Builder`](crate::Builder) has an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SimComQuirk {
    /// The results of `AT+CMQTTSTART` and `AT+CMQTTSTOP` come before `OK` (2.1, SIM7600).
    ServiceResultFirst,
    /// `AT+CMQTTSTART` of a service that runs answers `+CMQTTSTART: 23` before `ERROR` (2.2).
    StartTwiceHasCode,
    /// Whatever fails behind its `OK` prints its result and `ERROR` instead, and never `OK` (2.3, 2.5, 2.14).
    FailureIsError,
    /// `AT+CMQTTSUB` and `AT+CMQTTUNSUB` of one topic print their result, and the loss of the connection if there is
    /// one, before `OK` (2.4, SIM7600).
    OneTopicOkLast,
    /// The result of `AT+CMQTTSUB` comes 20 ms late, behind the retained messages (2.4).
    RetainedFirst,
    /// Empty lines stand between the parts of a received message (2.6, ambiguity U10).
    BlankLinesBetweenParts,
    /// The counted bytes of a received message are followed by the next header at once; only a continued topic has a
    /// line end before it (ambiguity U10, the manual's formal text).
    PackedParts,
    /// An unsolicited line comes between the topic and the payload of a received message (ambiguity U11).
    UrcBetweenParts,
    /// Parts of received messages come 5 ms apart, those of two clients in turns.
    InterleavedParts,
    /// Topics and payloads of received messages come in parts of at most so many bytes (the default is 1500).
    PartSize(u32),
    /// Topics and payloads of received messages come in parts of random sizes.
    RandomParts,
    /// `AT+CMQTTCFG` knows `argtopic` and `version`, and `AT+CMQTTACCQ` a version (2.7, 2.12).
    ArgTopic,
    /// The loss of the network is reported as `+CMQTTCONNLOST: i,3` for each client and then as `+CMQTTNONET`; clients
    /// and service are gone (2.8).
    NoNetAfterLosses,
    /// The loss of the network is reported as `+CMQTTNONET` only; clients and service are gone (2.8).
    NoNetOnly,
    /// An unanswered keep-alive is reported as `+CMQTTPING: i,1` only (2.9, newer manuals).
    PingReport,
    /// `AT+CMQTTPAYLOAD` takes at most so many bytes (2.22; SIM7022: 1024).
    PayloadLimit(u32),
    /// Payloads and will messages that are not UTF-8 are refused as topics are, unless `checkUTF8` is off.
    PayloadsAreText,
    /// `AT+NETOPEN` succeeds although the network refuses the context (0.7).
    NetopenAlwaysSucceeds,
    /// The first boot line is `RDY`, not `*ATREADY: 1` (2.20, SIM7600).
    BootsWithRdy,
    /// Lines of the SIM toolkit and of the network come between the boot lines, and `SMS DONE` never does (2.20).
    BootChatter,
}

/// Quirks without a value, and their names.
const PLAIN: &[(&str, SimComQuirk)] = &[
    ("simcom-service-result-first", SimComQuirk::ServiceResultFirst),
    ("simcom-start-twice-has-code", SimComQuirk::StartTwiceHasCode),
    ("simcom-failure-is-error", SimComQuirk::FailureIsError),
    ("simcom-one-topic-ok-last", SimComQuirk::OneTopicOkLast),
    ("simcom-retained-first", SimComQuirk::RetainedFirst),
    ("simcom-blank-lines-between-parts", SimComQuirk::BlankLinesBetweenParts),
    ("simcom-packed-parts", SimComQuirk::PackedParts),
    ("simcom-urc-between-parts", SimComQuirk::UrcBetweenParts),
    ("simcom-interleaved-parts", SimComQuirk::InterleavedParts),
    ("simcom-random-parts", SimComQuirk::RandomParts),
    ("simcom-arg-topic", SimComQuirk::ArgTopic),
    ("simcom-no-net-after-losses", SimComQuirk::NoNetAfterLosses),
    ("simcom-no-net-only", SimComQuirk::NoNetOnly),
    ("simcom-ping-report", SimComQuirk::PingReport),
    ("simcom-payloads-are-text", SimComQuirk::PayloadsAreText),
    ("simcom-netopen-always-succeeds", SimComQuirk::NetopenAlwaysSucceeds),
    ("simcom-boots-with-rdy", SimComQuirk::BootsWithRdy),
    ("simcom-boot-chatter", SimComQuirk::BootChatter),
];

const PART_SIZE: &str = "simcom-part-size";
const PAYLOAD_LIMIT: &str = "simcom-payload-limit";

impl SimComQuirk {
    /// The names, in the order of the variants; those that take a value end in an equals sign.
    pub(crate) fn names() -> impl Iterator<Item = String> {
        let plain = PLAIN.iter().map(|(name, _)| (*name).to_owned());
        plain.chain([PART_SIZE, PAYLOAD_LIMIT].map(|name| format!("{name}=")))
    }

    /// The quirk with this name, and this value if there is one.
    pub(crate) fn named(name: &str, value: Option<u32>) -> Option<Self> {
        match (name, value) {
            (PART_SIZE, Some(size)) => Some(Self::PartSize(size)),
            (PAYLOAD_LIMIT, Some(limit)) => Some(Self::PayloadLimit(limit)),
            (name, None) => PLAIN.iter().find(|(known, _)| *known == name).map(|(_, quirk)| *quirk),
            _ => None,
        }
    }
}

impl fmt::Display for SimComQuirk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PartSize(size) => write!(f, "{PART_SIZE}={size}"),
            Self::PayloadLimit(limit) => write!(f, "{PAYLOAD_LIMIT}={limit}"),
            plain => {
                f.write_str(PLAIN.iter().find(|(_, quirk)| quirk == plain).map_or("?", |(name, _)| *name))
            }
        }
    }
}
