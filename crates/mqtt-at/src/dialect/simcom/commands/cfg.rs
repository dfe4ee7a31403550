//! `AT+CMQTTCFG`: what is set for a client before it connects [A7600 MQTT 1.00 §2.1.17].

use std::time::Duration;

use at_codec::{CommandLine, Fields};
use at_port::{Answer, Exchange, Operation, Refusal, Reply};

use crate::command::{Command, TestForm, Unreadable};
use crate::dialect::ranges::whole_seconds;
use crate::dialect::simcom::facts::{self, timeout};
use crate::error::{Error, InputError};

const CFG: &str = "+CMQTTCFG";

/// `AT+CMQTTCFG`: the settings of a client (0 or 1), between acquiring and connecting it. Releasing the client
/// clears them [A7600 MQTT 1.00 §2.1.17].
///
/// # Examples
///
/// ```
/// use mqtt_at::{Command, simcom::CmqttCfg};
/// use std::time::Duration;
///
/// assert!(CmqttCfg::operation_timeout(0, Duration::from_secs(120)).operation().is_ok());
/// assert!(CmqttCfg::operation_timeout(0, Duration::from_secs(121)).operation().is_err());
/// ```
#[derive(Debug, Clone, Copy)]
pub struct CmqttCfg;

impl CmqttCfg {
    /// Asks for the ranges of the arguments.
    pub fn test() -> TestForm {
        TestForm::of(CFG)
    }

    /// Asks for the settings of all clients.
    pub fn read() -> ReadCfg {
        ReadCfg
    }

    /// `checkUTF8`: whether texts that are not UTF-8 are refused. The module's default: yes.
    pub fn check_utf8(client: u8, check: bool) -> SetCfg {
        SetCfg { client, setting: Setting::CheckUtf8(check) }
    }

    /// `optimeout`: how long sending or receiving may take, 20 to 120 whole seconds. The module's default: 120 s.
    pub fn operation_timeout(client: u8, limit: Duration) -> SetCfg {
        SetCfg { client, setting: Setting::OperationTimeout(limit) }
    }

    /// `argtopic`: whether topics are arguments of `AT+CMQTTPUB` and `AT+CMQTTSUB`, and received messages one line.
    /// The other commands of this library do not fit a module that is set so. Not in the manual, and not known to
    /// all firmware.
    pub fn topics_as_arguments(client: u8, on: bool) -> SetCfg {
        SetCfg { client, setting: Setting::TopicsAsArguments(on) }
    }
}

/// Sets something for a client; see [`CmqttCfg`].
///
/// ```
/// use mqtt_at::{Command, simcom::CmqttCfg};
///
/// let command = CmqttCfg::check_utf8(0, false);
/// assert_eq!(command.operation()?.to_string(), r#"AT+CMQTTCFG="checkUTF8",0,0"#);
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct SetCfg {
    client: u8,
    setting: Setting,
}

#[derive(Debug, Clone, Copy)]
enum Setting {
    CheckUtf8(bool),
    OperationTimeout(Duration),
    TopicsAsArguments(bool),
}

impl Command for SetCfg {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let client = facts::client(self.client)?;
        let line = CommandLine::write(CFG);
        let line = match self.setting {
            Setting::CheckUtf8(check) => line.literal("checkUTF8").integer(client).integer(check),
            Setting::OperationTimeout(limit) => {
                let limit = whole_seconds("the operation timeout", limit, facts::OPERATION_TIMEOUT)?;
                line.literal("optimeout").integer(client).integer(limit)
            }
            // The first flag is for publishing, the second for subscribing.
            Setting::TopicsAsArguments(on) => {
                line.literal("argtopic").integer(client).integer(on).integer(on)
            }
        };
        Ok(Exchange::new(line.finish()).answer(Answer::Named(CFG)).timeout(timeout::SETTING).into())
    }

    fn read(&self, _reply: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal)
    }
}

/// Asks for the settings of all clients; see [`CmqttCfg::read`].
///
/// ```
/// use mqtt_at::{Command, simcom::CmqttCfg};
///
/// let command = CmqttCfg::read();
/// assert_eq!(command.operation()?.to_string(), "AT+CMQTTCFG?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ReadCfg;

/// The settings of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientSettings {
    /// Its number.
    pub client: u8,
    /// Whether texts that are not UTF-8 are refused.
    pub check_utf8: bool,
    /// How long sending or receiving may take.
    pub operation_timeout: Duration,
}

impl Command for ReadCfg {
    type Answer = Vec<ClientSettings>;

    fn operation(&self) -> Result<Operation, InputError> {
        let exchange = Exchange::new(CommandLine::read(CFG)).answer(Answer::Named(CFG));
        Ok(exchange.timeout(timeout::SETTING).into())
    }

    fn read(&self, reply: &Reply) -> Result<Vec<ClientSettings>, Unreadable> {
        reply.lines.iter().map(|line| client_settings(line).ok_or(Unreadable)).collect()
    }
}

/// Reads `+CMQTTCFG: client,check,timeout`; later firmware adds more.
fn client_settings(line: &[u8]) -> Option<ClientSettings> {
    let mut fields = Fields::of(line, CFG)?;
    let client = fields.integer()?.try_into().ok()?;
    let check_utf8 = match fields.integer()? {
        0 => false,
        1 => true,
        _ => return None,
    };
    let operation_timeout = Duration::from_secs(fields.integer()?.try_into().ok()?);
    Some(ClientSettings { client, check_utf8, operation_timeout })
}
