//! `AT+QSSLCFG` [EC200x MQTT 1.0 §5.2; Quectel's SSL application notes].

use bytes::Bytes;

use super::contexts::SOCKET_CONNECT_FAILED;
use super::files::stored_name;
use super::{Obeyed, Quectel, medium, small};
use crate::link::{TlsSettings, TlsVersions};
use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;
use crate::quirk::Quirk;

/// A TLS context with the vendor's defaults: nobody is verified, no server name is sent, dates do not count
/// (quirk 1.19).
#[derive(Debug, Clone)]
pub(super) struct SslContext {
    version: u8,
    cipher_suite: u16,
    ca: String,
    certificate: String,
    key: String,
    security: u8,
    ignore_time: bool,
    negotiation: u16,
    server_name: bool,
}

impl Default for SslContext {
    fn default() -> Self {
        Self {
            version: 4,
            cipher_suite: 0xFFFF,
            ca: String::new(),
            certificate: String::new(),
            key: String::new(),
            security: 0,
            ignore_time: true,
            negotiation: 300,
            server_name: false,
        }
    }
}

/// The keys and the ranges `AT+QSSLCFG=?` prints.
const KEYS: [(&str, &str); 9] = [
    ("sslversion", "(0-4)"),
    ("ciphersuite", "(0X0035,0X002F,0X0005,0X0004,0X000A,0X003D,0XC011-0XC014,0XC027-0XC030,0XFFFF)"),
    ("cacert", "<cacertpath>"),
    ("clientcert", "<client_cert_path>"),
    ("clientkey", "<client_key_path>"),
    ("seclevel", "(0-2)"),
    ("ignorelocaltime", "(0,1)"),
    ("negotiatetime", "(10-300)"),
    ("sni", "(0,1)"),
];

const LONGEST_PATH: usize = 255;

impl SslContext {
    fn query(&self, key: &str) -> Option<String> {
        Some(match key {
            "sslversion" => self.version.to_string(),
            "ciphersuite" => format!("0X{:04X}", self.cipher_suite),
            "cacert" => format!("\"{}\"", self.ca),
            "clientcert" => format!("\"{}\"", self.certificate),
            "clientkey" => format!("\"{}\"", self.key),
            "seclevel" => self.security.to_string(),
            "ignorelocaltime" => u8::from(self.ignore_time).to_string(),
            "negotiatetime" => self.negotiation.to_string(),
            "sni" => u8::from(self.server_name).to_string(),
            _ => return None,
        })
    }

    fn set(&mut self, key: &str, command: &Command) -> Result<(), Refusal> {
        match key {
            "sslversion" => self.version = small(command.int(2, 0..=4)?),
            "ciphersuite" => self.cipher_suite = cipher_suite(command).ok_or(Refusal::Parameter)?,
            "cacert" => self.ca = path(command)?,
            "clientcert" => self.certificate = path(command)?,
            "clientkey" => self.key = path(command)?,
            "seclevel" => self.security = small(command.int(2, 0..=2)?),
            "ignorelocaltime" => self.ignore_time = command.int(2, 0..=1)? == 1,
            "negotiatetime" => self.negotiation = medium(command.int(2, 10..=300)?),
            "sni" => self.server_name = command.int(2, 0..=1)? == 1,
            _ => return Err(Refusal::Parameter),
        }
        Ok(())
    }

    /// Names and values as `AT+QSSLCFG` would print them.
    pub(super) fn dump(&self, index: usize) -> Vec<(String, String)> {
        KEYS.iter()
            .map(|(key, _)| (format!("ssl/{index}/{key}"), self.query(key).unwrap_or_default()))
            .collect()
    }
}

impl Quectel {
    pub(super) fn ssl_cfg(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => Ok(KEYS.iter().fold(Answer::ok(), |answer, (key, range)| {
                answer.with(format!("+QSSLCFG: \"{key}\",(0-5),{range}"))
            })),
            Form::Write => {
                command.at_most(3)?;
                let mut key = command.key(0)?;
                // The manual's own example spells it with three letters l [EC200x MQTT 1.0 §5.2].
                if key == "secllevel" {
                    "seclevel".clone_into(&mut key);
                }
                if key == "sni" && core.has(Quirk::NoOptionalSslKeys) {
                    return Err(Refusal::Error);
                }
                let index = usize::try_from(command.int(1, 0..=5)?).map_err(|_| Refusal::Parameter)?;
                let context = self.ssl.get_mut(index).ok_or(Refusal::Parameter)?;
                if command.args.len() == 2 {
                    let value = context.query(&key).ok_or(Refusal::Parameter)?;
                    return Ok(Answer::line(format!("+QSSLCFG: \"{key}\",{index},{value}")));
                }
                context.set(&key, command)?;
                Ok(Answer::ok())
            }
            Form::Execute | Form::Read => Err(Refusal::Error),
        }
    }

    /// What a connection with this context needs; `None` if it cannot even be tried. The reason is in the log.
    pub(super) fn tls_settings(&mut self, core: &mut Core, context: u8) -> Option<TlsSettings> {
        let exhausted = core.quirk(|quirk| match quirk {
            Quirk::TlsExhaustion(opens) => Some(*opens),
            _ => None,
        });
        self.tls_opens += 1;
        if exhausted.is_some_and(|limit| self.tls_opens > limit) {
            core.note("error 552: no TLS connection is left until the module restarts");
            return None;
        }
        let settings = self.ssl.get(usize::from(context))?.clone();
        let ca =
            if settings.security >= 1 { Some(self.required(core, "cacert", &settings.ca)?) } else { None };
        let identity = if settings.security == 2 {
            let certificate = self.required(core, "clientcert", &settings.certificate)?;
            Some((certificate, self.required(core, "clientkey", &settings.key)?))
        } else {
            None
        };
        Some(TlsSettings {
            ca,
            identity,
            server_name_indication: settings.server_name,
            ignore_time: settings.ignore_time,
            versions: match settings.version {
                0..=2 => TlsVersions::Obsolete,
                3 => TlsVersions::Tls12,
                _ => TlsVersions::All,
            },
        })
    }

    /// The content of a file that the security level demands.
    fn required(&mut self, core: &mut Core, key: &str, path: &str) -> Option<Bytes> {
        let content = stored_name(path.as_bytes()).and_then(|name| core.files.read(&name).cloned());
        if content.is_none() {
            self.last_error = SOCKET_CONNECT_FAILED;
            core.note(format!(
                "error {SOCKET_CONNECT_FAILED}: {key} names \"{path}\", and there is no such file"
            ));
        }
        content
    }
}

fn path(command: &Command) -> Result<String, Refusal> {
    let text = command.text(2, 0..=LONGEST_PATH)?;
    String::from_utf8(text.to_vec()).map_err(|_| Refusal::Parameter)
}

/// `0xFFFF`, with or without quotes: the manual's example has them, many hosts have not.
fn cipher_suite(command: &Command) -> Option<u16> {
    let text = std::str::from_utf8(command.word(2)?).ok()?;
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"))?;
    if digits.len() == 4 { u16::from_str_radix(digits, 16).ok() } else { None }
}
