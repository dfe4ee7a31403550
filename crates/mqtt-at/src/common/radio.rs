//! The radio: signal, operator, and whether it is switched on.

use std::fmt;
use std::time::Duration;

use at_codec::CommandLine;
use at_port::{Answer, Exchange, Operation, Reply};

use super::answer;
use crate::command::{Command, Unreadable};
use crate::error::InputError;

/// `AT+CSQ`: how well the radio receives [27.007 §8.5].
///
/// ```
/// use mqtt_at::{Command, common::SignalQuality};
///
/// let command = SignalQuality;
/// assert_eq!(command.operation()?.to_string(), "AT+CSQ");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignalQuality;

impl Command for SignalQuality {
    type Answer = Signal;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(answer::named(CommandLine::execute("+CSQ"), "+CSQ"))
    }

    fn read(&self, reply: &Reply) -> Result<Signal, Unreadable> {
        let mut fields = answer::fields(reply, "+CSQ")?;
        let rssi: i16 = answer::number(&mut fields).ok_or(Unreadable)?;
        let rssi_dbm = match rssi {
            0..=31 => Some(2 * rssi - 113),
            // The finer scale of some modules in networks other than GSM.
            100..=191 => Some(rssi - 216),
            99 | 199 => None,
            _ => return Err(Unreadable),
        };
        let bit_error_class = answer::number(&mut fields).filter(|class| *class <= 7);
        Ok(Signal { rssi_dbm, bit_error_class })
    }
}

/// The answer of [`SignalQuality`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Signal {
    /// The strength, in dBm: -113 (or less) to -51 (or more) on most modules; `None` where there is none.
    pub rssi_dbm: Option<i16>,
    /// The class of the bit error rate, 0 (best) to 7; `None` where it is not measured, as in LTE.
    pub bit_error_class: Option<u8>,
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rssi_dbm {
            Some(dbm) => write!(f, "{dbm} dBm"),
            None => f.write_str("no signal"),
        }
    }
}

/// `AT+COPS?`: the operator [27.007 §7.3].
///
/// ```
/// use mqtt_at::{Command, common::Operator};
///
/// let command = Operator;
/// assert_eq!(command.operation()?.to_string(), "AT+COPS?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operator;

impl Command for Operator {
    type Answer = SelectedOperator;

    fn operation(&self) -> Result<Operation, InputError> {
        let exchange = Exchange::new(CommandLine::read("+COPS")).answer(Answer::Named("+COPS"));
        Ok(exchange.timeout(Duration::from_secs(10)).into())
    }

    fn read(&self, reply: &Reply) -> Result<SelectedOperator, Unreadable> {
        let mut fields = answer::fields(reply, "+COPS")?;
        let mode = fields.integer().ok_or(Unreadable)?;
        fields.skip();
        let name = fields.text().map(answer::shown).filter(|name| !name.is_empty());
        let technology = answer::number(&mut fields).map(AccessTechnology);
        Ok(SelectedOperator { automatic: mode == 0, name, technology })
    }
}

/// The answer of [`Operator`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SelectedOperator {
    /// Whether the module chooses the operator.
    pub automatic: bool,
    /// The operator's name, or its number in the format that was set; `None` while there is none.
    pub name: Option<String>,
    /// The technology.
    pub technology: Option<AccessTechnology>,
}

/// The technology of a radio cell, by its number [27.007 §7.3].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AccessTechnology(pub u8);

impl fmt::Display for AccessTechnology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            0 | 1 => "GSM",
            2 => "UMTS",
            3 => "GSM with EDGE",
            4 => "UMTS with HSDPA",
            5 => "UMTS with HSUPA",
            6 => "UMTS with HSPA",
            7 => "LTE",
            // The standard's extended coverage GSM; Quectel's BG modules mean LTE-M.
            8 => "EC-GSM-IoT or LTE-M",
            9 => "NB-IoT",
            10 => "LTE at a 5G core",
            11 => "5G",
            12 => "5G core",
            13 => "LTE with 5G",
            other => return write!(f, "technology {other}"),
        })
    }
}

/// `AT+CFUN?`: whether the radio is switched on [27.007 §8.2].
///
/// ```
/// use mqtt_at::{Command, common::Functionality};
///
/// let command = Functionality;
/// assert_eq!(command.operation()?.to_string(), "AT+CFUN?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Functionality;

impl Command for Functionality {
    type Answer = FunctionalityLevel;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(answer::named(CommandLine::read("+CFUN"), "+CFUN"))
    }

    fn read(&self, reply: &Reply) -> Result<FunctionalityLevel, Unreadable> {
        Ok(match answer::number::<u8>(&mut answer::fields(reply, "+CFUN")?).ok_or(Unreadable)? {
            0 => FunctionalityLevel::Minimum,
            1 => FunctionalityLevel::Full,
            4 => FunctionalityLevel::RadioOff,
            other => FunctionalityLevel::Other(other),
        })
    }
}

/// `AT+CFUN=…`: switches the radio, or restarts the module [27.007 §8.2].
///
/// ```
/// use mqtt_at::{Command, common::SetFunctionality};
///
/// let command = SetFunctionality::restart();
/// assert_eq!(command.operation()?.to_string(), "AT+CFUN=1,1");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetFunctionality {
    level: FunctionalityLevel,
    restart: bool,
}

impl SetFunctionality {
    /// Changes the level.
    pub fn new(level: FunctionalityLevel) -> Self {
        Self { level, restart: false }
    }

    /// `AT+CFUN=1,1`: restarts the module, which forgets all its clients.
    pub fn restart() -> Self {
        Self { level: FunctionalityLevel::Full, restart: true }
    }
}

impl Command for SetFunctionality {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let line = CommandLine::write("+CFUN").integer(self.level.number());
        let line = if self.restart { line.integer(1) } else { line };
        // Leaving the network takes its time; Quectel gives 15 s.
        Ok(Exchange::new(line.finish()).timeout(Duration::from_secs(20)).into())
    }

    fn read(&self, _: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// How much of the module is switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum FunctionalityLevel {
    /// Neither radio nor SIM.
    Minimum,
    /// Everything.
    Full,
    /// Everything but the radio.
    RadioOff,
    /// A level of the vendor's own.
    Other(u8),
}

impl FunctionalityLevel {
    fn number(self) -> u8 {
        match self {
            Self::Minimum => 0,
            Self::Full => 1,
            Self::RadioOff => 4,
            Self::Other(number) => number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bringup::script::ask;

    #[tokio::test(start_paused = true)]
    async fn signals_are_told_in_dbm() {
        for (answer, rssi_dbm, bit_error_class) in [
            ("+CSQ: 29,99\n\nOK", Some(-55), None),
            ("+CSQ: 31, 99\nOK", Some(-51), None),
            ("+CSQ: 14,0\nOK", Some(-85), Some(0)),
            ("+CSQ: 0,7\nOK", Some(-113), Some(7)),
            ("+CSQ: 99,99\nOK", None, None),
            ("+CSQ: 146,99\nOK", Some(-70), None),
            ("+CSQ:199,99\nOK", None, None),
        ] {
            let (line, signal) = ask(SignalQuality, answer).await;
            assert_eq!(line, "AT+CSQ");
            assert_eq!(signal, Ok(Signal { rssi_dbm, bit_error_class }), "{answer}");
        }
        assert!(ask(SignalQuality, "+CSQ: 42,99\nOK").await.1.is_err());
        assert!(ask(SignalQuality, "+CSQ: -1,99\nOK").await.1.is_err());
        assert_eq!(Signal { rssi_dbm: Some(-71), bit_error_class: None }.to_string(), "-71 dBm");
        assert_eq!(Signal { rssi_dbm: None, bit_error_class: None }.to_string(), "no signal");
    }

    #[tokio::test(start_paused = true)]
    async fn operators_as_modules_name_them() {
        for (answer, name, technology) in [
            ("+COPS: 0,0,\"IND airtel airtel\",7\nOK", Some("IND airtel airtel"), Some(7)),
            ("+COPS: 0,2,\"45204\",9\nOK", Some("45204"), Some(9)),
            ("+COPS: 0,0,\"Orange F\",0\nOK", Some("Orange F"), Some(0)),
            ("+COPS: 0,0,\"CHN-UNICOM\"\nOK", Some("CHN-UNICOM"), None),
            ("+COPS: 0\nOK", None, None),
        ] {
            let (line, operator) = ask(Operator, answer).await;
            let technology = technology.map(AccessTechnology);
            let expected = SelectedOperator { automatic: true, name: name.map(str::to_owned), technology };
            assert_eq!((line.as_str(), operator), ("AT+COPS?", Ok(expected)), "{answer}");
        }
        assert!(!ask(Operator, "+COPS: 1,2,\"26201\",7\nOK").await.1.unwrap().automatic);
        assert_eq!(AccessTechnology(7).to_string(), "LTE");
        assert_eq!(AccessTechnology(77).to_string(), "technology 77");
    }

    #[tokio::test(start_paused = true)]
    async fn the_radio_is_switched() {
        for (number, level) in [
            (0, FunctionalityLevel::Minimum),
            (1, FunctionalityLevel::Full),
            (4, FunctionalityLevel::RadioOff),
            (7, FunctionalityLevel::Other(7)),
        ] {
            assert_eq!(
                ask(Functionality, &format!("+CFUN: {number}\nOK")).await,
                ("AT+CFUN?".into(), Ok(level))
            );
            assert_eq!(ask(SetFunctionality::new(level), "OK").await, (format!("AT+CFUN={number}"), Ok(())));
        }
        assert_eq!(ask(SetFunctionality::restart(), "OK").await, ("AT+CFUN=1,1".into(), Ok(())));
    }
}
