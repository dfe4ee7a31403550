//! A received message, as it is printed.

use std::io::{self, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mqtt_at::{Message, QoS, Vendor};
use serde::Serialize;

/// What is known of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival<'a> {
    pub(crate) topic: &'a str,
    pub(crate) payload: &'a [u8],
    /// With which quality of service it was delivered, if the module tells.
    pub(crate) qos: Option<u8>,
}

/// The object of `--json` and `%j`: mosquitto_sub's, with null for what the module does not tell.
#[derive(Serialize)]
struct Object<'a> {
    tst: String,
    topic: &'a str,
    qos: Option<u8>,
    retain: Option<u8>,
    payloadlen: usize,
    payload: Option<&'a str>,
    /// Only where the payload is no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    payloadhex: Option<String>,
}

impl<'a> Arrival<'a> {
    /// `granted` is the highest quality of service that the broker granted.
    pub(crate) fn of(message: &'a Message, vendor: Vendor, granted: QoS) -> Self {
        Self { topic: message.topic(), payload: message.payload(), qos: quality(message, vendor, granted) }
    }

    /// Writes it as a JSON object, which has no line feed in it.
    pub(crate) fn write_json(&self, out: &mut impl Write, now: SystemTime) -> io::Result<()> {
        let text = std::str::from_utf8(self.payload).ok();
        let hex = || self.payload.iter().map(|byte| format!("{byte:02x}")).collect();
        let object = Object {
            tst: timestamp(now),
            topic: self.topic,
            qos: self.qos,
            retain: None,
            payloadlen: self.payload.len(),
            payload: text.filter(|text| !text.is_empty()),
            payloadhex: if text.is_none() { Some(hex()) } else { None },
        };
        serde_json::to_writer(out, &object).map_err(io::Error::from)
    }
}

/// What the module tells, or what follows from what was granted: nothing comes with more. Quectel's modules give the packet
/// identifier of messages with QoS 1 and 2 [EC200x MQTT 1.0 §3.2.9], which can be told apart only where 2 was not granted.
fn quality(message: &Message, vendor: Vendor, granted: QoS) -> Option<u8> {
    match (message.qos(), granted, vendor, message.packet_identifier()) {
        (Some(told), ..) => Some(told.level()),
        (None, QoS::AtMostOnce, ..) => Some(0),
        (None, QoS::AtLeastOnce, Vendor::Quectel, Some(_)) => Some(1),
        _ => None,
    }
}

/// RFC 3339 with microseconds, in UTC.
pub(crate) fn timestamp(now: SystemTime) -> String {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let (days, seconds) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:06}Z", since.subsec_micros())
}

/// Year, month and day of so many days after 1970-01-01, in the Gregorian calendar.
///
/// Years are counted from March, so that the leap day is the last of its year; 719 468 days lie between 0000-03-01
/// and 1970-01-01, and 146 097 in each 400 years.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(payload: &[u8], qos: Option<u8>) -> String {
        let mut out = Vec::new();
        let arrival = Arrival { topic: "a/\"b", payload, qos };
        arrival.write_json(&mut out, UNIX_EPOCH + Duration::from_micros(1_795_256_668_460_846)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_object_is_mosquittos() {
        assert_eq!(
            json(b"he\"llo\n", Some(1)),
            r#"{"tst":"2026-11-21T10:24:28.460846Z","topic":"a/\"b","qos":1,"retain":null,"payloadlen":7,"payload":"he\"llo\n"}"#
        );
        assert!(json(b"", None).ends_with(r#""qos":null,"retain":null,"payloadlen":0,"payload":null}"#));
        assert!(
            json(b"x\xFF\0", Some(0)).ends_with(r#""payloadlen":3,"payload":null,"payloadhex":"78ff00"}"#)
        );
    }

    #[test]
    fn days_become_dates() {
        for (days, date) in [
            (0, (1970, 1, 1)),
            (58, (1970, 2, 28)),
            (59, (1970, 3, 1)),
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (20_778, (2026, 11, 21)),
            (47_540, (2100, 2, 28)),
            (47_541, (2100, 3, 1)),
        ] {
            assert_eq!(civil(days), date, "{days}");
        }
    }
}
