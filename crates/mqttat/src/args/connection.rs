//! Options of a connection to a broker, named as mosquitto's clients name them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mqtt_at::{ConnectOptions, ProtocolVersion, QoS, Secret, Tls, Will};

use super::sign_in::Identity;
use crate::failure::Failure;

/// How to connect to the broker.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// The broker's host name or address, as the module is to resolve it
    #[arg(short = 'h', long, value_name = "HOST")]
    pub(crate) host: Option<String>,

    /// The broker's port [default: 1883, with TLS 8883]
    #[arg(short = 'p', long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) port: Option<u16>,

    /// The client identifier [default: mqttat- and eight random digits]
    #[arg(short = 'i', long, value_name = "ID", allow_hyphen_values = true)]
    pub(crate) id: Option<String>,

    /// User name
    #[arg(short = 'u', long = "username", value_name = "USER", allow_hyphen_values = true)]
    pub(crate) user: Option<String>,

    /// Password
    #[arg(short = 'P', long = "pw", value_name = "PASSWORD", requires = "user", allow_hyphen_values = true)]
    pub(crate) password: Option<Secret>,

    /// Sign in to a cloud platform, of which the module makes user name and password: alibaba,PRODUCT,DEVICE,SECRET or
    /// onenet,PRODUCT,KEY or huawei,DEVICE,SECRET or huawei-product,PRODUCT,NODE,SECRET
    #[arg(
        long,
        value_name = "PLATFORM,…",
        env = "MQTTAT_SIGN_IN",
        hide_env_values = true,
        conflicts_with = "user"
    )]
    pub(crate) sign_in: Option<Identity>,

    /// Seconds of silence after which the module pings the broker; 0 is never [default: 120]
    #[arg(short = 'k', long = "keepalive", value_name = "SECONDS")]
    pub(crate) keep_alive: Option<u32>,

    /// Keep the session: the broker remembers subscriptions and waiting messages of this client identifier
    #[arg(short = 'c', long = "disable-clean-session", requires = "id")]
    pub(crate) keep_session: bool,

    /// The version of MQTT
    #[arg(short = 'V', long = "protocol-version", value_name = "VERSION", default_value = "mqttv311")]
    pub(crate) protocol: Protocol,

    /// End when the connection is lost, instead of connecting and subscribing again
    #[arg(long)]
    pub(crate) no_reconnect: bool,

    /// What the broker publishes to when the connection is lost
    #[arg(long, value_name = "TOPIC", allow_hyphen_values = true)]
    pub(crate) will_topic: Option<String>,

    /// The payload of the will [default: empty]
    #[arg(long, value_name = "TEXT", requires = "will_topic", allow_hyphen_values = true)]
    pub(crate) will_payload: Option<OsString>,

    /// The quality of service of the will
    #[arg(
        long,
        value_name = "QOS",
        requires = "will_topic",
        value_parser = super::qos,
        default_value = "0"
    )]
    pub(crate) will_qos: QoS,

    /// The broker keeps the will for later subscribers
    #[arg(long, requires = "will_topic")]
    pub(crate) will_retain: bool,

    /// Encrypt, and trust servers whose certificate chain ends in this CA certificate (PEM)
    #[arg(long, value_name = "FILE")]
    pub(crate) cafile: Option<PathBuf>,

    /// The client's certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,

    /// The private key of the client's certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,

    /// Encrypt, but trust every server: anybody on the way can read along
    #[arg(long)]
    pub(crate) insecure: bool,
}

/// A version of MQTT, as mosquitto's clients name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Protocol {
    /// MQTT 3.1
    #[value(name = "mqttv31", alias = "31")]
    V3_1,
    /// MQTT 3.1.1
    #[value(name = "mqttv311", alias = "311")]
    V3_1_1,
}

impl Connection {
    /// The library's options. `default_host` is for devices that bring their own broker.
    pub(crate) fn options(&self, default_host: Option<&str>) -> Result<ConnectOptions, Failure> {
        let host = self.host.as_deref().or(default_host);
        let host = host.ok_or_else(|| Failure::usage("the broker is missing: name it with -h HOST"))?;
        let tls = self.tls()?;
        let port = self.port.unwrap_or(if tls.is_some() { 8883 } else { 1883 });
        let id = self.id.clone().unwrap_or_else(random_identifier);
        let mut options = ConnectOptions::new(id, host, port).clean_session(!self.keep_session);
        options = options.version(match self.protocol {
            Protocol::V3_1 => ProtocolVersion::V3_1,
            Protocol::V3_1_1 => ProtocolVersion::V3_1_1,
        });
        if let Some(user) = &self.user {
            options = options.credentials(user, self.password.clone().unwrap_or_else(|| Secret::new("")));
        }
        if let Some(identity) = &self.sign_in {
            options = options.sign_in(identity.sign_in()?);
        }
        if let Some(seconds) = self.keep_alive {
            options = options.keep_alive(Duration::from_secs(seconds.into()));
        }
        if let Some(will) = self.will()? {
            options = options.will(will);
        }
        if let Some(tls) = tls {
            options = options.tls(tls);
        }
        Ok(options)
    }

    fn will(&self) -> Result<Option<Will>, Failure> {
        let Some(topic) = &self.will_topic else { return Ok(None) };
        let payload = self.will_payload.clone().unwrap_or_default().into_encoded_bytes();
        let will = Will::new(topic, payload).map_err(|error| Failure::from(error).about("--will-topic"))?;
        Ok(Some(will.qos(self.will_qos).retain(self.will_retain)))
    }

    fn tls(&self) -> Result<Option<Tls>, Failure> {
        let tls = match (&self.cafile, self.insecure) {
            (_, true) => Tls::danger_without_verification(),
            (Some(path), false) => Tls::with_ca(read_pem("--cafile", path)?),
            (None, false) if self.cert.is_some() => {
                return Err(Failure::usage("--cert and --key need --cafile, or --insecure"));
            }
            (None, false) => return Ok(None),
        };
        let (Some(cert), Some(key)) = (&self.cert, &self.key) else { return Ok(Some(tls)) };
        let certificate = read_pem("--cert", cert)?;
        let key = read_pem("--key", key)?;
        Ok(Some(tls.client_certificate(certificate, key)))
    }
}

/// Reads a PEM file: text, by definition.
fn read_pem(option: &str, path: &Path) -> Result<String, Failure> {
    let read = std::fs::read(path);
    let path = path.display();
    let bytes = read.map_err(|error| {
        Failure::caller(format!("{option} {path}: {error}")).remedy("name a readable PEM file")
    })?;
    let text = String::from_utf8(bytes).ok().filter(|text| text.contains("-----BEGIN "));
    text.ok_or_else(|| {
        let program = if option == "--key" { "pkey" } else { "x509" };
        Failure::caller(format!("{option} {path}: this is no PEM file, for no line begins with -----BEGIN"))
            .remedy(format!("`openssl {program} -inform der -in {path}` makes one of a file in DER form"))
    })
}

/// A client identifier that no other client of the broker is likely to have, short enough for every version of MQTT.
pub(crate) fn random_identifier() -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    // The standard library seeds its hasher from the system's source of randomness.
    let random = RandomState::new().build_hasher().finish();
    format!("mqttat-{:08x}", random & 0xffff_ffff)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    #[command(disable_help_flag = true)]
    struct Line {
        #[command(flatten)]
        connection: Connection,
    }

    fn parse(line: &str) -> Result<Connection, clap::Error> {
        let words = std::iter::once("test").chain(line.split(' '));
        Line::try_parse_from(words).map(|line| line.connection)
    }

    fn options(line: &str) -> String {
        format!("{:?}", parse(line).unwrap().options(None).unwrap())
    }

    #[test]
    fn options_reach_the_library() {
        let shown = options("-h broker -p 1884 -i me -u user -P open-sesame -k 30 -c -V 31");
        for part in ["\"broker\"", "1884", "\"me\"", "\"user\"", "30s", "clean_session: false", "V3_1"] {
            assert!(shown.contains(part), "{part} is missing in {shown}");
        }
        assert!(!shown.contains("open-sesame"));
        let shown = options("-h broker --sign-in alibaba,product,device,open-sesame");
        assert!(shown.contains("product_key: \"product\"") && !shown.contains("open-sesame"), "{shown}");
        let shown = options("-h broker --will-topic t --will-payload gone --will-qos 1 --will-retain");
        assert!(shown.contains("AtLeastOnce") && shown.contains("retain: true"), "{shown}");
    }

    #[test]
    fn the_port_follows_from_tls() {
        assert!(options("-h broker").contains("port: 1883"));
        assert!(options("-h broker --insecure").contains("port: 8883"));
        assert!(options("-h broker --insecure -p 1").contains("port: 1,"));
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        for line in [
            "-h b -p 0",
            "-h b -p 65536",
            "-h b -P secret",
            "-h b -c",
            "-h b --will-payload x",
            "-h b --cert c",
            "-h b --will-topic t --will-qos 3",
            "-h b -V 5",
            "-h b -u user --sign-in onenet,p,k",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
        assert!(parse("-h b --cert c --key k").unwrap().options(None).is_err());
        assert!(parse("-h b --sign-in onenet,p").unwrap().options(None).is_err());
        assert!(parse("-u x").unwrap().options(None).is_err());
        assert!(parse("-u x").unwrap().options(Some("localhost")).is_ok());
    }

    #[test]
    fn identifiers_are_random_and_short() {
        let (one, other) = (random_identifier(), random_identifier());
        assert_ne!(one, other);
        assert!(one.starts_with("mqttat-") && one.len() == 15, "{one}");
    }

    #[test]
    fn debug_output_holds_no_password() {
        let connection = parse("-h b -u user -P open-sesame").unwrap();
        assert!(!format!("{connection:?}").contains("open-sesame"));
    }
}
