//! `AT+CSSLCFG` [A7600 MQTT 1.00 §1.1, §3.3, §3.4].

use bytes::Bytes;

use super::certificates::file_name;
use super::refused::{Code, Refused};
use super::{Obeyed, SSL_CONTEXTS, SimCom, medium, small};
use crate::link::{TlsSettings, TlsVersions};
use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;

/// A TLS context with the defaults that were seen on real modules: nobody is verified, no server name is sent, dates
/// do not count.
#[derive(Debug, Clone)]
pub(super) struct SslContext {
    version: u8,
    /// 0 nobody is verified, 1 the server is, 2 both are, 3 the client is.
    authentication: u8,
    ignore_time: bool,
    /// In seconds.
    negotiation: u16,
    ca: String,
    certificate: String,
    key: String,
    server_name: bool,
}

impl Default for SslContext {
    fn default() -> Self {
        Self {
            version: 4,
            authentication: 0,
            ignore_time: true,
            negotiation: 300,
            ca: String::new(),
            certificate: String::new(),
            key: String::new(),
            server_name: false,
        }
    }
}

/// The keys and the ranges `AT+CSSLCFG=?` prints.
const KEYS: [(&str, &str); 8] = [
    ("sslversion", "(0-4)"),
    ("authmode", "(0-3)"),
    ("ignorlocaltime", "(0,1)"),
    ("negotiatetime", "(10-300)"),
    ("cacert", "(5-108)"),
    ("clientcert", "(5-108)"),
    ("clientkey", "(5-108)"),
    ("enableSNI", "(0,1)"),
];

impl SslContext {
    fn set(&mut self, key: &str, command: &Command) -> Result<(), Refusal> {
        match key {
            "sslversion" => self.version = small(command.int(2, 0..=4)?),
            "authmode" => self.authentication = small(command.int(2, 0..=3)?),
            // The MQTT manual spells it the first way, most modules and hosts the second.
            "ignorlocaltime" | "ignorelocaltime" => self.ignore_time = command.int(2, 0..=1)? == 1,
            "negotiatetime" => self.negotiation = medium(command.int(2, 10..=300)?),
            "cacert" => self.ca = file_name(command, 2)?,
            "clientcert" => self.certificate = file_name(command, 2)?,
            "clientkey" => self.key = file_name(command, 2)?,
            "enablesni" => self.server_name = command.int(2, 0..=1)? == 1,
            _ => return Err(Refusal::Parameter),
        }
        Ok(())
    }

    /// What stands behind the index in the answer to a query; the last two fields are a key's password and the cipher
    /// suites, which cannot be set here.
    fn shown(&self) -> String {
        format!(
            "{},{},{},{},\"{}\",\"{}\",\"{}\",{},\"\",0x0",
            self.version,
            self.authentication,
            u8::from(self.ignore_time),
            self.negotiation,
            self.ca,
            self.certificate,
            self.key,
            u8::from(self.server_name)
        )
    }

    /// Names and values for assertions.
    pub(super) fn dump(&self, index: usize) -> Vec<(String, String)> {
        let values = [
            self.version.to_string(),
            self.authentication.to_string(),
            u8::from(self.ignore_time).to_string(),
            self.negotiation.to_string(),
            self.ca.clone(),
            self.certificate.clone(),
            self.key.clone(),
            u8::from(self.server_name).to_string(),
        ];
        KEYS.iter().zip(values).map(|((key, _), value)| (format!("ssl/{index}/{key}"), value)).collect()
    }
}

impl SimCom {
    pub(super) fn ssl_cfg(&mut self, command: &Command) -> Obeyed {
        let last = SSL_CONTEXTS - 1;
        match command.form {
            Form::Test => Ok(KEYS.iter().fold(Answer::ok(), |answer, (key, range)| {
                answer.with(format!("+CSSLCFG: \"{key}\",(0-{last}),{range}"))
            })),
            Form::Read => {
                let lines = self.ssl.iter().enumerate();
                Ok(lines
                    .map(|(index, context)| format!("+CSSLCFG: {index},{}", context.shown()))
                    .fold(Answer::ok(), Answer::with))
            }
            Form::Write => {
                let only_index = command.args.len() == 1;
                let index = command.int(usize::from(!only_index), 0..=i64::try_from(last).unwrap_or(0))?;
                let context = usize::try_from(index).ok().and_then(|index| self.ssl.get_mut(index));
                let context = context.ok_or(Refused::ERROR)?;
                if only_index {
                    return Ok(Answer::line(format!("+CSSLCFG: {index},{}", context.shown())));
                }
                command.at_most(3)?;
                context.set(&command.key(0)?, command)?;
                Ok(Answer::ok())
            }
            Form::Execute => Err(Refused::ERROR),
        }
    }

    /// What a connection with this context needs. The reason of a failure is in the log.
    pub(super) fn tls_settings(&self, core: &mut Core, context: usize) -> Result<TlsSettings, Code> {
        let settings = self.ssl.get(context).ok_or(Code::FAILED)?;
        let ca = match settings.authentication {
            1 | 2 => Some(required(core, "cacert", &settings.ca)?),
            _ => None,
        };
        let identity = match settings.authentication {
            2 | 3 => {
                let certificate = required(core, "clientcert", &settings.certificate)?;
                Some((certificate, required(core, "clientkey", &settings.key)?))
            }
            _ => None,
        };
        Ok(TlsSettings {
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
}

/// The content of a file that the authentication mode demands.
fn required(core: &mut Core, key: &str, name: &str) -> Result<Bytes, Code> {
    if name.is_empty() {
        core.note(format!("error {}: {key} is not set", Code::CERTIFICATE_NOT_SET));
        return Err(Code::CERTIFICATE_NOT_SET);
    }
    let content = core.files.read(name).cloned();
    content.ok_or_else(|| {
        core.note(format!(
            "error {}: {key} names \"{name}\", and there is no such certificate",
            Code::OPEN_SESSION_FAILED
        ));
        Code::OPEN_SESSION_FAILED
    })
}
