//! `AT+CMQTTSTART` and `AT+CMQTTSTOP`: the module's MQTT service [A7600 MQTT 1.00 §2.1.1, §2.1.2].

use at_codec::CommandLine;
use at_port::{Exchange, Operation, Refusal, Reply};

use super::result::{self, ResultCode, result_of};
use crate::command::{Command, Unreadable};
use crate::dialect::simcom::facts::{self, timeout};
use crate::error::{Error, InputError};

const START: &str = "+CMQTTSTART";
const STOP: &str = "+CMQTTSTOP";

/// Starts the MQTT service, and with it a data connection, which may take 120 s [A7600 MQTT 1.00 §2.1.1].
///
/// A service that is started already refuses with `ERROR`; some firmware gives the code
/// [`ResultCode::STARTED_ALREADY`] as well. The result may come before the `OK`.
///
/// ```
/// use mqtt_at::{Command, simcom::CmqttStart};
///
/// let command = CmqttStart;
/// assert_eq!(command.operation()?.to_string(), "AT+CMQTTSTART");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct CmqttStart;

impl Command for CmqttStart {
    type Answer = ResultCode;

    fn operation(&self) -> Result<Operation, InputError> {
        let exchange = Exchange::new(CommandLine::execute(START)).timeout(timeout::START);
        Ok(exchange.deferred(result::deferred(&[START], [], timeout::START)))
    }

    fn read(&self, reply: &Reply) -> Result<ResultCode, Unreadable> {
        result_of(reply)
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal)
    }
}

/// Stops the MQTT service. All clients must have been released; a service that is not started refuses
/// [A7600 MQTT 1.00 §2.1.2].
///
/// ```
/// use mqtt_at::{Command, simcom::CmqttStop};
///
/// let command = CmqttStop;
/// assert_eq!(command.operation()?.to_string(), "AT+CMQTTSTOP");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct CmqttStop;

impl Command for CmqttStop {
    type Answer = ResultCode;

    fn operation(&self) -> Result<Operation, InputError> {
        let exchange = Exchange::new(CommandLine::execute(STOP)).timeout(timeout::STOP);
        Ok(exchange.deferred(result::deferred(&[STOP], [], timeout::STOP)))
    }

    fn read(&self, reply: &Reply) -> Result<ResultCode, Unreadable> {
        result_of(reply)
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        facts::explain(refusal)
    }
}
