//! What `AT+QMTCFG` keeps for one client.

use bytes::Bytes;

use crate::mqtt::packet::Will;

/// The settings of a client, with the manual's defaults [EC200x MQTT 1.0 §3.2.1].
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// 3 or 4. On the wire both are MQTT 3.1.1.
    pub(super) version: u8,
    pub(super) context: u8,
    /// The TLS context; `None` is plain TCP.
    pub(super) ssl: Option<u8>,
    pub(super) keep_alive: u16,
    pub(super) clean_session: bool,
    /// In seconds.
    pub(super) packet_timeout: u8,
    pub(super) retries: u8,
    pub(super) timeout_notice: bool,
    pub(super) will: Option<Will>,
    /// Messages wait in slots until they are read.
    pub(super) buffered: bool,
    pub(super) with_length: bool,
    /// Product key, device name, device secret.
    pub(super) alibaba: Option<[Bytes; 3]>,
    /// In seconds.
    pub(super) ping_interval: u8,
    pub(super) send_mode: u8,
    /// Product identifier, access key.
    pub(super) onenet: Option<[Bytes; 2]>,
    /// Device identifier, secret, and whether timestamps are checked.
    pub(super) huawei: Option<([Bytes; 2], Option<u8>)>,
    /// Product identifier, product secret, node, and whether timestamps are checked.
    pub(super) huawei_product: Option<([Bytes; 3], Option<u8>)>,
    pub(super) hex_send: bool,
    pub(super) hex_receive: bool,
    pub(super) view_mode: u8,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: 3,
            context: 1,
            ssl: None,
            keep_alive: 120,
            clean_session: true,
            packet_timeout: 5,
            retries: 3,
            timeout_notice: false,
            will: None,
            buffered: false,
            with_length: false,
            alibaba: None,
            ping_interval: 5,
            send_mode: 0,
            onenet: None,
            huawei: None,
            huawei_product: None,
            hex_send: false,
            hex_receive: false,
            view_mode: 0,
        }
    }
}

impl Settings {
    /// User name and password from the platform settings, if there are any [EC200x MQTT 1.0 §3.2.1 note 5].
    ///
    /// A real module computes the password from the secret; here it is the secret itself, so that a test sees that
    /// the setting was used.
    pub(super) fn platform_login(&self) -> Option<(Bytes, Bytes)> {
        if let Some([product, device, secret]) = &self.alibaba {
            return Some(([device.as_ref(), b"&", product.as_ref()].concat().into(), secret.clone()));
        }
        let pair = self.onenet.as_ref().or(self.huawei.as_ref().map(|(pair, _)| pair));
        if let Some([user, password]) = pair {
            return Some((user.clone(), password.clone()));
        }
        self.huawei_product.as_ref().map(|([product, secret, _], _)| (product.clone(), secret.clone()))
    }

    /// Whether payloads to publish are typed as hexadecimal digits.
    pub(super) fn sends_hex(&self) -> bool {
        self.hex_send || self.send_mode == 1
    }

    /// Names and values as `AT+QMTCFG` would print them.
    pub(super) fn dump(&self, client: usize) -> Vec<(String, String)> {
        super::cfg::KEYS
            .iter()
            .map(|key| (format!("{client}/{key}"), self.query(key).unwrap_or_default()))
            .collect()
    }

    /// What follows the key in the answer to a query; `None` for an unknown key.
    pub(super) fn query(&self, key: &str) -> Option<String> {
        Some(match key {
            "version" => self.version.to_string(),
            "pdpcid" => self.context.to_string(),
            "ssl" => self.ssl.map_or_else(|| "0".to_owned(), |context| format!("1,{context}")),
            "keepalive" => self.keep_alive.to_string(),
            "session" => u8::from(self.clean_session).to_string(),
            "timeout" => {
                format!("{},{},{}", self.packet_timeout, self.retries, u8::from(self.timeout_notice))
            }
            "will" => self.will_query(|will| format!("\"{}\"", lossy(&will.payload))),
            "willex" => self.will_query(|will| will.payload.len().to_string()),
            "recv/mode" => format!("{},{}", u8::from(self.buffered), u8::from(self.with_length)),
            "aliauth" => strings(self.alibaba.as_ref().map_or(&[], |list| list.as_slice()), 3),
            "qmtping" => self.ping_interval.to_string(),
            "send/mode" => self.send_mode.to_string(),
            "onenet" => strings(self.onenet.as_ref().map_or(&[], |list| list.as_slice()), 2),
            "hwauth" => timed(self.huawei.as_ref().map(|(list, time)| (list.as_slice(), *time)), 2),
            "hwprodid" => timed(self.huawei_product.as_ref().map(|(list, time)| (list.as_slice(), *time)), 3),
            "dataformat" => format!("{},{}", u8::from(self.hex_send), u8::from(self.hex_receive)),
            "view/mode" => self.view_mode.to_string(),
            _ => return None,
        })
    }

    fn will_query(&self, message: impl Fn(&Will) -> String) -> String {
        self.will.as_ref().map_or_else(
            || "0".to_owned(),
            |will| {
                format!(
                    "1,{},{},\"{}\",{}",
                    will.qos,
                    u8::from(will.retain),
                    lossy(&will.topic),
                    message(will)
                )
            },
        )
    }
}

fn strings(list: &[Bytes], count: usize) -> String {
    let mut texts: Vec<String> = list.iter().map(|text| format!("\"{}\"", lossy(text))).collect();
    texts.resize(count, "\"\"".to_owned());
    texts.join(",")
}

fn timed(setting: Option<(&[Bytes], Option<u8>)>, count: usize) -> String {
    let (list, time) = setting.unwrap_or((&[], None));
    let time = time.map(|time| format!(",{time}")).unwrap_or_default();
    format!("{}{time}", strings(list, count))
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
