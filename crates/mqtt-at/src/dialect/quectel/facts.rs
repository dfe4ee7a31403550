//! What the manual says about limits, times and result codes.

use std::ops::RangeInclusive;
use std::time::Duration;

use at_codec::Charset;

use crate::dialect::Facts;
pub(super) use crate::dialect::ranges::{in_range, whole_seconds};
use crate::error::{InputError, ModuleError};
use crate::event::LossCause;
use crate::vendor::Vendor;

/// The numbers of the clients [EC200x MQTT 1.0 §3.2.1].
pub(super) const CLIENTS: RangeInclusive<u8> = 0..=5;

/// The slots in which messages wait for `AT+QMTRECV` [EC200x MQTT 1.0 §3.2.9].
pub(super) const SLOTS: RangeInclusive<u8> = 0..=4;

/// The numbers of the TLS settings, `<SSL_ctx_idx>` [EC200x MQTT 1.0 §3.2.1].
pub(super) const TLS_CONTEXTS: RangeInclusive<u8> = 0..=5;

/// The PDP contexts that MQTT can use [EC200x MQTT 1.0 §3.2.1].
pub(super) const PDP_CONTEXTS: RangeInclusive<u8> = 1..=15;

/// The longest host name, in bytes [EC200x MQTT 1.0 §3.2.2].
pub(super) const HOST: usize = 100;

/// The longest topic of a will, in bytes [EC200x MQTT 1.0 §3.2.1].
pub(super) const WILL_TOPIC: usize = 256;

/// The longest message of a will, in bytes [EC200x MQTT 1.0 §3.2.1].
pub(super) const WILL_MESSAGE: usize = 256;

/// The keep-alive interval in seconds, 0 for none [EC200x MQTT 1.0 §3.2.1].
pub(super) const KEEP_ALIVE: RangeInclusive<u64> = 0..=3600;

/// How long the module waits for an answer of the broker, in seconds [EC200x MQTT 1.0 §3.2.1].
pub(super) const PACKET_TIMEOUT: RangeInclusive<u64> = 1..=60;

/// How often the module sends a packet again [EC200x MQTT 1.0 §3.2.1].
pub(super) const RETRIES: RangeInclusive<u8> = 0..=10;

/// The interval of `qmtping`, in seconds [EC200x MQTT 1.0 §3.2.1].
pub(super) const PING_INTERVAL: RangeInclusive<u64> = 5..=60;

/// The longest payload to publish, in bytes [EC200x MQTT 1.0 §3.2.8 note 2].
pub(super) const PAYLOAD: usize = 1500;

/// The longest topic name or filter in a command, in bytes.
///
/// The manual gives no limit, and a command that the module finds too long is refused before its payload is asked
/// for; this bound keeps a command line within what the codec reads back as its echo.
pub(super) const TOPIC: usize = 1024;

/// The longest client identifier, in bytes; the manual gives no limit, see [`TOPIC`].
pub(super) const CLIENT_IDENTIFIER: usize = 256;

/// The longest user name, in bytes; Quectel's later notes say 512.
pub(super) const USER: usize = 512;

/// The longest password, in bytes; Quectel's later notes say 512.
pub(super) const PASSWORD: usize = 512;

/// The longest product key, device name, access key and the like, in bytes; the manual gives no limit.
pub(super) const CLOUD_TEXT: usize = 256;

/// The longest payload that is believed to be announced by a received message.
///
/// The 1500 bytes of [`PAYLOAD`] bind what a host sends; a broker may deliver more, and later firmware passes
/// it on. The codec's limit for a whole element, 16 KiB unless configured, is the bound that matters.
pub(super) const RECEIVED_PAYLOAD: usize = 16 * 1024;

/// What strings in a command may hold: all bytes but control characters and quotes. The manual knows no escapes.
pub(super) const TEXT: Charset = Charset::UTF8;

/// The report that ends a connection [EC200x MQTT 1.0 §4.1].
pub(super) const QMTSTAT: &str = "+QMTSTAT";

/// What this kind of module can do.
pub(super) static FACTS: Facts = Facts {
    vendor: Vendor::Quectel,
    clients: CLIENTS,
    // [EC200x MQTT 1.0 §3.2.8 note 1]
    window: 5,
    filters: 5,
    max_payload: PAYLOAD,
    // The manual gives no smallest `<length>`. A module that asked for the data of an empty payload and waited
    // for its first byte would publish the next command instead, so it is not tried.
    empty_payload: false,
    max_topic: TOPIC,
    payload_patience: PAYLOAD_PATIENCE,
    reports: &["+QIURC", "+QIND", "+QUSIM"],
};

/// Times to wait. The manual's maximum is half again as long here, because its figures are the module's own and
/// leave out what the line and other work of the module add.
pub(super) mod timeout {
    use std::time::Duration;

    /// `AT+QMTCFG` and other settings: 300 ms in the manual [EC200x MQTT 1.0 §3.2.1], but seen to be late when
    /// the module has other work, and a false alarm costs more than patience.
    pub(in super::super) const SETTING: Duration = Duration::from_secs(5);
    /// The `OK` of commands whose result comes later.
    pub(in super::super) const ACCEPTED: Duration = Duration::from_secs(15);
    /// The `OK` of `AT+QMTOPEN`: BG95 says none when opening fails, but the result and `ERROR` when it has.
    pub(in super::super) const OPEN_ACCEPTED: Duration = Duration::from_secs(60);
    /// `AT+QMTOPEN`: 120 s [EC200x MQTT 1.0 §3.2.2].
    pub(in super::super) const OPEN: Duration = Duration::from_secs(180);
    /// `AT+QMTCLOSE` and `AT+QMTDISC`: 30 s [EC200x MQTT 1.0 §3.2.3, §3.2.5].
    pub(in super::super) const CLOSE: Duration = Duration::from_secs(45);
    /// Acknowledgements with the defaults of 5 s and 3 tries [EC200x MQTT 1.0 §3.2.6 to §3.2.8].
    pub(in super::super) const ACKNOWLEDGEMENT: Duration = Duration::from_millis(27_500);
    /// `AT+QIACT`: 150 s.
    pub(in super::super) const ACTIVATE: Duration = Duration::from_secs(150);
    /// `AT+QIDEACT`: 40 s.
    pub(in super::super) const DEACTIVATE: Duration = Duration::from_secs(60);
    /// Commands on files.
    pub(in super::super) const FILE: Duration = Duration::from_secs(15);
}

/// How long the module may keep waiting for a payload. The manual gives no limit; 27 s were seen.
pub(super) const PAYLOAD_PATIENCE: Duration = Duration::from_secs(35);

/// Checks the number of a client.
pub(super) fn client(index: u8) -> Result<i64, InputError> {
    in_range("the client index", index, CLIENTS)
}

/// A result code with its meaning and what can be done about it.
pub(super) struct Code {
    pub(super) number: i64,
    pub(super) meaning: &'static str,
    pub(super) remedy: Option<&'static str>,
}

/// Results of `AT+QMTOPEN` other than 0 [EC200x MQTT 1.0 §3.2.2].
pub(super) const OPEN_RESULTS: &[Code] = &[
    Code {
        number: -1,
        meaning: "the network connection could not be opened",
        remedy: Some(
            "check host and port; with TLS also certificates, server name and the clock of the module",
        ),
    },
    Code { number: 1, meaning: "wrong parameter", remedy: Some("check host and port") },
    Code {
        number: 2,
        meaning: "the client is in use",
        remedy: Some("close it, or use another client index"),
    },
    Code {
        number: 3,
        meaning: "the data connection could not be activated",
        remedy: Some("check APN, user and password of the SIM's contract"),
    },
    Code { number: 4, meaning: "the host name could not be resolved", remedy: Some("check the host name") },
    Code {
        number: 5,
        meaning: "the broker could not be reached",
        remedy: Some("check host, port and the broker's firewall"),
    },
];

/// Results of `AT+QMTCLOSE` and `AT+QMTDISC` other than 0 [EC200x MQTT 1.0 §3.2.3, §3.2.5].
pub(super) const CLOSE_RESULTS: &[Code] =
    &[Code { number: -1, meaning: "the connection could not be closed", remedy: None }];

/// Results of the commands that send a packet, other than 0 and the notice of retransmission
/// [EC200x MQTT 1.0 §3.2.4, §3.2.6 to §3.2.8].
pub(super) const PACKET_RESULTS: &[Code] = &[Code {
    number: 2,
    meaning: "the packet could not be sent, or was not acknowledged",
    remedy: Some("check signal and registration, or allow more time"),
}];

/// The error of a result code.
pub(super) fn refused(command: &str, codes: &[Code], number: i64) -> ModuleError {
    match codes.iter().find(|code| code.number == number) {
        Some(code) => ModuleError::known(command, number, code.meaning, code.remedy),
        None => ModuleError::known(command, number, "a result that the manual does not explain", None),
    }
}

/// Why a connection ended: codes of `+QMTSTAT` [EC200x MQTT 1.0 §4.1]; 9 to 255 are reserved.
pub(super) fn loss_cause(code: i64) -> LossCause {
    match code {
        1 => LossCause::ClosedByPeer,
        2 => LossCause::KeepAlive,
        3 => LossCause::ConnectNotSent,
        4 => LossCause::ConnectNotAcknowledged,
        6 => LossCause::SendFailed,
        7 => LossCause::NetworkDown,
        5 | 8 => LossCause::ClosedByModule,
        _ => LossCause::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_meaning_of_its_own() {
        for codes in [OPEN_RESULTS, CLOSE_RESULTS, PACKET_RESULTS] {
            for code in codes {
                assert_eq!(refused("AT+X", codes, code.number).meaning, code.meaning);
            }
        }
        assert_eq!(
            refused("AT+QMTOPEN", OPEN_RESULTS, 9).to_string(),
            "AT+QMTOPEN: a result that the manual does not explain (code 9)"
        );
        let causes: Vec<_> = (1..=8).map(loss_cause).collect();
        assert_eq!(causes.iter().filter(|cause| **cause == LossCause::ClosedByModule).count(), 2);
        assert!(!causes.contains(&LossCause::Unknown) && loss_cause(9) == LossCause::Unknown);
    }
}
