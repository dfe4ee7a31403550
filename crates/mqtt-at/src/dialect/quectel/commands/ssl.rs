//! `AT+QSSLCFG`: how a TLS context verifies and encrypts [EC200x MQTT 1.0 §5.2].

use at_codec::{Charset, Fields, WriteLine};

use super::setting::{Family, Parameter, Setting, flag, text};
use crate::command::TestForm;
use crate::dialect::quectel::facts;
use crate::error::InputError;

/// The longest path of a certificate, in bytes.
const PATH: usize = 80;

/// `AT+QSSLCFG`: the parameters of a TLS context (0 to 5), each to be read or set [EC200x MQTT 1.0 §5.2].
#[derive(Debug, Clone, Copy)]
pub struct QsslCfg;

impl QsslCfg {
    /// Asks which parameters and values the firmware knows.
    pub fn test() -> TestForm {
        TestForm::of(Family::Tls.name())
    }

    /// `cacert`: the file with the certificates that are trusted, such as `UFS:ca.pem`.
    pub fn ca_cert(context: u8) -> Parameter<CaCert> {
        Parameter::new(context)
    }

    /// `clientcert`: the file with the certificate of the client.
    pub fn client_cert(context: u8) -> Parameter<ClientCert> {
        Parameter::new(context)
    }

    /// `clientkey`: the file with the private key of the client.
    pub fn client_key(context: u8) -> Parameter<ClientKey> {
        Parameter::new(context)
    }

    /// `seclevel`: who is verified.
    pub fn security_level(context: u8) -> Parameter<SecLevel> {
        Parameter::new(context)
    }

    /// `sslversion`: 0 SSL 3.0, 1 TLS 1.0, 2 TLS 1.1, 3 TLS 1.2, 4 what the server wants.
    pub fn ssl_version(context: u8) -> Parameter<SslVersion> {
        Parameter::new(context)
    }

    /// `ciphersuite`: the number of the only suite that is allowed, or 0xFFFF for all.
    pub fn cipher_suite(context: u8) -> Parameter<CipherSuite> {
        Parameter::new(context)
    }

    /// `ignorelocaltime`: whether dates of certificates are not checked; they are not unless this is set to false.
    pub fn ignore_local_time(context: u8) -> Parameter<IgnoreLocalTime> {
        Parameter::new(context)
    }

    /// `sni`: whether the server's name is sent in the handshake; it is not unless this is set. Not in the manual.
    pub fn sni(context: u8) -> Parameter<Sni> {
        Parameter::new(context)
    }
}

/// `cacert` [EC200x MQTT 1.0 §5.2].
#[derive(Debug)]
pub struct CaCert;

impl Setting for CaCert {
    const FAMILY: Family = Family::Tls;
    const KEY: &'static str = "cacert";
    type Value = String;
    type State = String;

    fn write(value: &String, line: WriteLine) -> Result<WriteLine, InputError> {
        path(value, line)
    }

    fn read(fields: &mut Fields<'_>) -> Option<String> {
        text(fields)
    }
}

/// `clientcert` [EC200x MQTT 1.0 §5.2].
#[derive(Debug)]
pub struct ClientCert;

impl Setting for ClientCert {
    const FAMILY: Family = Family::Tls;
    const KEY: &'static str = "clientcert";
    type Value = String;
    type State = String;

    fn write(value: &String, line: WriteLine) -> Result<WriteLine, InputError> {
        path(value, line)
    }

    fn read(fields: &mut Fields<'_>) -> Option<String> {
        text(fields)
    }
}

/// `clientkey` [EC200x MQTT 1.0 §5.2]. Some firmware answers with the password of the key, too.
#[derive(Debug)]
pub struct ClientKey;

impl Setting for ClientKey {
    const FAMILY: Family = Family::Tls;
    const KEY: &'static str = "clientkey";
    const SECRET: bool = true;
    type Value = String;
    type State = String;

    fn write(value: &String, line: WriteLine) -> Result<WriteLine, InputError> {
        path(value, line)
    }

    fn read(fields: &mut Fields<'_>) -> Option<String> {
        text(fields)
    }
}

/// Who is verified in the handshake. The set is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecurityLevel {
    /// Nobody: the connection is encrypted, but anybody may be at its other end.
    None,
    /// The server, against the CA certificates.
    Server,
    /// The server, and the client by its certificate.
    Mutual,
}

/// `seclevel` [EC200x MQTT 1.0 §5.2].
#[derive(Debug)]
pub struct SecLevel;

impl Setting for SecLevel {
    const FAMILY: Family = Family::Tls;
    const KEY: &'static str = "seclevel";
    type Value = SecurityLevel;
    type State = SecurityLevel;

    fn write(value: &SecurityLevel, line: WriteLine) -> Result<WriteLine, InputError> {
        Ok(line.integer(match value {
            SecurityLevel::None => 0,
            SecurityLevel::Server => 1,
            SecurityLevel::Mutual => 2,
        }))
    }

    fn read(fields: &mut Fields<'_>) -> Option<SecurityLevel> {
        match fields.integer()? {
            0 => Some(SecurityLevel::None),
            1 => Some(SecurityLevel::Server),
            2 => Some(SecurityLevel::Mutual),
            _ => None,
        }
    }
}

/// `sslversion` [EC200x MQTT 1.0 §5.2].
#[derive(Debug)]
pub struct SslVersion;

impl Setting for SslVersion {
    const FAMILY: Family = Family::Tls;
    const KEY: &'static str = "sslversion";
    type Value = u8;
    type State = u8;

    fn write(value: &u8, line: WriteLine) -> Result<WriteLine, InputError> {
        Ok(line.integer(facts::in_range("the TLS version", *value, 0..=4)?))
    }

    fn read(fields: &mut Fields<'_>) -> Option<u8> {
        fields.integer()?.try_into().ok()
    }
}

/// `ciphersuite` [EC200x MQTT 1.0 §5.2].
#[derive(Debug)]
pub struct CipherSuite;

impl Setting for CipherSuite {
    const FAMILY: Family = Family::Tls;
    const KEY: &'static str = "ciphersuite";
    type Value = u16;
    type State = u16;

    fn write(value: &u16, line: WriteLine) -> Result<WriteLine, InputError> {
        Ok(line.quoted("the cipher suite", format!("0x{value:04X}"), Charset::ASCII, 6)?)
    }

    fn read(fields: &mut Fields<'_>) -> Option<u16> {
        let number = text(fields)?.to_ascii_lowercase();
        u16::from_str_radix(number.strip_prefix("0x")?, 16).ok()
    }
}

/// `ignorelocaltime` [EC200x MQTT 1.0 §5.2].
#[derive(Debug)]
pub struct IgnoreLocalTime;

impl Setting for IgnoreLocalTime {
    const FAMILY: Family = Family::Tls;
    const KEY: &'static str = "ignorelocaltime";
    type Value = bool;
    type State = bool;

    fn write(value: &bool, line: WriteLine) -> Result<WriteLine, InputError> {
        Ok(line.integer(*value))
    }

    fn read(fields: &mut Fields<'_>) -> Option<bool> {
        flag(fields)
    }
}

/// `sni`.
#[derive(Debug)]
pub struct Sni;

impl Setting for Sni {
    const FAMILY: Family = Family::Tls;
    const KEY: &'static str = "sni";
    type Value = bool;
    type State = bool;

    fn write(value: &bool, line: WriteLine) -> Result<WriteLine, InputError> {
        Ok(line.integer(*value))
    }

    fn read(fields: &mut Fields<'_>) -> Option<bool> {
        flag(fields)
    }
}

fn path(path: &str, line: WriteLine) -> Result<WriteLine, InputError> {
    Ok(line.quoted("the path of the certificate", path, Charset::ASCII, PATH)?)
}
