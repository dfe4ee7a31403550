//! What results and reports say, for those who read a conversation afterwards.

use at_codec::{Fields, name_of};

use super::facts::{self, CLOSE_RESULTS, OPEN_RESULTS, PACKET_RESULTS};
use crate::dialect::meaning::{Meaning, client_in, integers};
use crate::error::{BrokerError, ModuleError};

/// Reads a result or report.
pub(super) fn of(line: &[u8]) -> Option<Meaning> {
    let name = std::str::from_utf8(name_of(line)?).ok()?;
    let numbers = integers(line, name)?;
    let client = numbers.first().copied().and_then(client_in);
    let second = numbers.get(1).copied();
    let third = numbers.get(2).copied();
    let told = |codes, number, good: &'static str, source| match number {
        0 => Meaning::good(client, good, source),
        number => Meaning::refused(client, facts::refused(name, codes, number), source),
    };
    Some(match name {
        "+QMTOPEN" => {
            told(OPEN_RESULTS, second?, "the network connection is open", "[EC200x MQTT 1.0 §3.2.2]")
        }
        "+QMTCLOSE" => {
            told(CLOSE_RESULTS, second?, "the network connection is closed", "[EC200x MQTT 1.0 §3.2.3]")
        }
        "+QMTDISC" => told(CLOSE_RESULTS, second?, "the broker was left", "[EC200x MQTT 1.0 §3.2.5]"),
        "+QMTCONN" => connected(client, second?, third),
        "+QMTSUB" => subscribed(client, third?, numbers.get(3..).unwrap_or_default()),
        "+QMTUNS" => packet(client, third?, "the subscription has ended", "[EC200x MQTT 1.0 §3.2.7]"),
        "+QMTPUBEX" | "+QMTPUB" => packet(client, third?, "published", "[EC200x MQTT 1.0 §3.2.8]"),
        "+QIURC" => return stack(line),
        _ => return None,
    })
}

/// What the module's TCP/IP stack reports. MQTT depends on the data connection alone.
fn stack(line: &[u8]) -> Option<Meaning> {
    const SOURCE: &str = "quirk 1.22";
    let news = match Fields::of(line, "+QIURC")?.text()? {
        b"pdpdeact" => {
            let remedy = Some("activate it again, then open the connections");
            let error = ModuleError::known("+QIURC", 0, "the data connection is gone", remedy);
            return Some(Meaning::refused(None, error, SOURCE));
        }
        b"recv" => "data wait at a socket",
        b"closed" => "a socket was closed",
        b"incoming" => "somebody connected to a socket",
        b"dnsgip" => "what came of looking up a host name",
        _ => "news of the TCP/IP stack",
    };
    Some(Meaning::good(None, news, SOURCE))
}

fn connected(client: Option<u8>, result: i64, code: Option<i64>) -> Meaning {
    const SOURCE: &str = "[EC200x MQTT 1.0 §3.2.4]";
    match (result, code.and_then(|code| u16::try_from(code).ok())) {
        (0, None | Some(0)) => Meaning::good(client, "the broker accepted the client", SOURCE),
        (_, Some(code @ 1..)) => Meaning::by_broker(client, &BrokerError::connack(code), SOURCE),
        _ => packet(client, result, "the broker accepted the client", SOURCE),
    }
}

fn subscribed(client: Option<u8>, result: i64, granted: &[i64]) -> Meaning {
    const SOURCE: &str = "[EC200x MQTT 1.0 §3.2.6]";
    if result != 0 {
        return packet(client, result, "subscribed", SOURCE);
    }
    if granted.contains(&128) {
        return Meaning::by_broker(client, &BrokerError::suback("this filter"), SOURCE);
    }
    let granted: Vec<_> = granted.iter().map(ToString::to_string).collect();
    Meaning::good(client, format!("subscribed, granted QoS {}", granted.join(", ")), SOURCE)
}

/// Results of commands that send a packet: 1 says that it was sent again.
fn packet(client: Option<u8>, result: i64, good: &'static str, source: &'static str) -> Meaning {
    match result {
        0 => Meaning::good(client, good, source),
        1 => Meaning::interim(client, "sent again, because the broker has not answered yet", source),
        number => Meaning::refused(client, facts::refused("", PACKET_RESULTS, number), source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::meaning::Tone;

    #[test]
    fn results_in_words() {
        for (line, tone, words) in [
            ("+QMTOPEN: 0,0", Tone::Good, "the network connection is open"),
            ("+QMTOPEN: 0,4", Tone::Bad, "the host name could not be resolved"),
            ("+QMTCONN: 1,0,0", Tone::Good, "the broker accepted the client"),
            ("+QMTCONN: 0,0", Tone::Good, "the broker accepted the client"),
            ("+QMTCONN: 0,0,5", Tone::Bad, "the broker refused: not authorized (code 5)"),
            ("+QMTCONN: 0,2,4", Tone::Bad, "the broker refused: bad user name or password (code 4)"),
            ("+QMTCONN: 0,2", Tone::Bad, "the packet could not be sent, or was not acknowledged"),
            ("+QMTSUB: 0,1,0,1,2", Tone::Good, "subscribed, granted QoS 1, 2"),
            (
                "+QMTSUB: 0,1,0,128",
                Tone::Bad,
                "the broker refused: no subscription to this filter (code 128)",
            ),
            ("+QMTPUBEX: 0,3,1,2", Tone::Interim, "sent again, because the broker has not answered yet"),
            ("+QMTPUB: 0,0,0", Tone::Good, "published"),
            ("+QIURC: \"pdpdeact\",1", Tone::Bad, "the data connection is gone"),
            ("+QIURC: \"recv\",3", Tone::Good, "data wait at a socket"),
            ("+QIURC: \"closed\",3", Tone::Good, "a socket was closed"),
            ("+QIURC: \"dnsgip\",0,1,600", Tone::Good, "what came of looking up a host name"),
            ("+QMTUNS: 0,3,2", Tone::Bad, "the packet could not be sent, or was not acknowledged"),
        ] {
            let meaning = of(line.as_bytes()).unwrap();
            assert_eq!((meaning.tone, meaning.text.as_ref()), (tone, words), "{line}");
        }
        assert_eq!(of(b"+QMTCONN: 1,0,0").unwrap().client, Some(1));
        for line in ["+QMTOPEN: 0,\"host\",1883", "+QMTCFG: \"ssl\",0", "OK", "+QMTOPEN: "] {
            assert_eq!(of(line.as_bytes()), None, "{line}");
        }
    }
}
