//! `AT+CSSLCFG`: how a TLS context verifies and encrypts [A7600 MQTT 1.00 §1.1, §3.3, §3.4].

use std::time::Duration;

use at_codec::{Charset, CommandLine, Fields, WriteLine};
use at_port::{Answer, Exchange, Operation, Reply};

use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::ranges::{in_range, whole_seconds};
use crate::dialect::simcom::facts::{self, timeout};
use crate::error::InputError;

const SSL: &str = "+CSSLCFG";

/// `AT+CSSLCFG`: the settings of a TLS context (0 to 9). They are gone when the module restarts.
#[derive(Debug, Clone, Copy)]
pub struct CsslCfg;

impl CsslCfg {
    /// Asks which parameters and values the firmware knows.
    pub fn test() -> TestForm {
        TestForm::of(SSL)
    }

    /// Asks for the settings of all contexts. Some firmware answers with the password of a key, too.
    pub fn read() -> ReadSsl {
        ReadSsl
    }

    /// `sslversion`: which versions are allowed.
    pub fn ssl_version(context: u8, version: SslVersion) -> SetSsl {
        SetSsl { context, setting: Setting::Version(version) }
    }

    /// `authmode`: who is verified.
    pub fn auth_mode(context: u8, mode: AuthMode) -> SetSsl {
        SetSsl { context, setting: Setting::AuthMode(mode) }
    }

    /// `ignorlocaltime`: whether dates of certificates are not checked. The parameter is spelled so in the manual.
    pub fn ignore_local_time(context: u8, ignore: bool) -> SetSsl {
        SetSsl { context, setting: Setting::IgnoreLocalTime { key: "ignorlocaltime", ignore } }
    }

    /// `ignorelocaltime`: the same, as later firmware spells it.
    pub fn ignore_local_time_spelled_out(context: u8, ignore: bool) -> SetSsl {
        SetSsl { context, setting: Setting::IgnoreLocalTime { key: "ignorelocaltime", ignore } }
    }

    /// `negotiatetime`: how long the handshake may take, 10 to 300 whole seconds.
    pub fn negotiate_time(context: u8, limit: Duration) -> SetSsl {
        SetSsl { context, setting: Setting::NegotiateTime(limit) }
    }

    /// `cacert`: the file with the certificates that are trusted, such as `ca.pem`.
    pub fn ca_cert(context: u8, file: impl Into<String>) -> SetSsl {
        SetSsl { context, setting: Setting::File { key: "cacert", name: file.into() } }
    }

    /// `clientcert`: the file with the certificate of the client.
    pub fn client_cert(context: u8, file: impl Into<String>) -> SetSsl {
        SetSsl { context, setting: Setting::File { key: "clientcert", name: file.into() } }
    }

    /// `clientkey`: the file with the private key of the client.
    pub fn client_key(context: u8, file: impl Into<String>) -> SetSsl {
        SetSsl { context, setting: Setting::File { key: "clientkey", name: file.into() } }
    }

    /// `enableSNI`: whether the server's name is sent in the handshake. The module's default is no, and cloud
    /// brokers want it. Not in the manual.
    pub fn enable_sni(context: u8, enable: bool) -> SetSsl {
        SetSsl { context, setting: Setting::EnableSni(enable) }
    }
}

/// Which versions of TLS are allowed. The set is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SslVersion {
    /// SSL 3.0 only.
    Ssl3,
    /// TLS 1.0 only.
    Tls1,
    /// TLS 1.1 only.
    Tls1_1,
    /// TLS 1.2 only.
    Tls1_2,
    /// What the server wants.
    All,
}

/// Who is verified in the handshake. The set is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMode {
    /// Nobody: the connection is encrypted, but anybody may be at its other end.
    None,
    /// The server, against the CA certificates.
    Server,
    /// The server, and the client by its certificate.
    Mutual,
    /// The client by its certificate, but not the server. Not in the MQTT manual, but in that of TLS.
    Client,
}

/// Sets something of a TLS context; see [`CsslCfg`].
///
/// ```
/// use mqtt_at::{Command, simcom::CsslCfg};
///
/// let command = CsslCfg::enable_sni(0, true);
/// assert_eq!(command.operation()?.to_string(), r#"AT+CSSLCFG="enableSNI",0,1"#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct SetSsl {
    context: u8,
    setting: Setting,
}

#[derive(Debug, Clone)]
enum Setting {
    Version(SslVersion),
    AuthMode(AuthMode),
    IgnoreLocalTime { key: &'static str, ignore: bool },
    NegotiateTime(Duration),
    File { key: &'static str, name: String },
    EnableSni(bool),
}

impl Command for SetSsl {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let context = in_range("the TLS context", self.context, facts::TLS_CONTEXTS)?;
        let line = |key| CommandLine::write(SSL).literal(key).integer(context);
        let line = match &self.setting {
            Setting::Version(version) => line("sslversion").integer(match version {
                SslVersion::Ssl3 => 0,
                SslVersion::Tls1 => 1,
                SslVersion::Tls1_1 => 2,
                SslVersion::Tls1_2 => 3,
                SslVersion::All => 4,
            }),
            Setting::AuthMode(mode) => line("authmode").integer(match mode {
                AuthMode::None => 0,
                AuthMode::Server => 1,
                AuthMode::Mutual => 2,
                AuthMode::Client => 3,
            }),
            Setting::IgnoreLocalTime { key, ignore } => line(key).integer(*ignore),
            Setting::NegotiateTime(limit) => {
                let limit = whole_seconds("the time of the handshake", *limit, facts::NEGOTIATION_TIME)?;
                line("negotiatetime").integer(limit)
            }
            Setting::File { key, name } => file_name(line(key), name)?,
            Setting::EnableSni(enable) => line("enableSNI").integer(*enable),
        };
        Ok(Exchange::new(line.finish()).timeout(timeout::SETTING).into())
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// Adds the name of a file.
pub(super) fn file_name(line: WriteLine, name: &str) -> Result<WriteLine, InputError> {
    const FIELD: &str = "the file name";
    facts::length(FIELD, name.len(), facts::FILE_NAME)?;
    Ok(line.quoted(FIELD, name, Charset::ASCII, *facts::FILE_NAME.end())?)
}

/// Asks for the settings of all TLS contexts; see [`CsslCfg::read`].
///
/// ```
/// use mqtt_at::{Command, simcom::CsslCfg};
///
/// let command = CsslCfg::read();
/// assert_eq!(command.operation()?.to_string(), "AT+CSSLCFG?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ReadSsl;

/// The settings of a TLS context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsContext {
    /// Its number.
    pub context: u8,
    /// Which versions are allowed, in the module's numbers: 4 for all.
    pub version: u8,
    /// Who is verified.
    pub auth_mode: AuthMode,
    /// Whether dates of certificates are not checked.
    pub ignores_local_time: bool,
    /// How long the handshake may take.
    pub negotiate_time: Duration,
    /// The file with the certificates that are trusted; empty for none.
    pub ca_cert: String,
    /// The file with the certificate of the client; empty for none.
    pub client_cert: String,
    /// The file with the private key of the client; empty for none.
    pub client_key: String,
}

impl Command for ReadSsl {
    type Answer = Vec<TlsContext>;

    fn operation(&self) -> Result<Operation, InputError> {
        let exchange = Exchange::new(CommandLine::read(SSL)).answer(Answer::Named(SSL));
        Ok(exchange.secret_answer().timeout(timeout::SETTING).into())
    }

    fn read(&self, reply: &Reply) -> Result<Vec<TlsContext>, Unreadable> {
        reply.lines.iter().map(|line| tls_context(line).ok_or(Unreadable)).collect()
    }
}

/// Reads `+CSSLCFG: context,version,mode,ignore,time,"ca","certificate","key"`; more follows, different for each
/// firmware.
fn tls_context(line: &[u8]) -> Option<TlsContext> {
    let mut fields = Fields::of(line, SSL)?;
    let context = fields.integer()?.try_into().ok()?;
    let version = fields.integer()?.try_into().ok()?;
    let auth_mode = match fields.integer()? {
        0 => AuthMode::None,
        1 => AuthMode::Server,
        2 => AuthMode::Mutual,
        3 => AuthMode::Client,
        _ => return None,
    };
    let ignores_local_time = fields.integer()? == 1;
    let negotiate_time = Duration::from_secs(fields.integer()?.try_into().ok()?);
    let mut file = || fields.text().map(|name| String::from_utf8_lossy(name).into_owned());
    let (ca_cert, client_cert, client_key) = (file()?, file()?, file()?);
    Some(TlsContext {
        context,
        version,
        auth_mode,
        ignores_local_time,
        negotiate_time,
        ca_cert,
        client_cert,
        client_key,
    })
}
