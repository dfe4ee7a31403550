//! Who the module is.

use std::fmt;
use std::str::FromStr;

use at_codec::CommandLine;
use at_port::{Operation, Reply};

use super::answer;
use crate::command::{Command, Unreadable};
use crate::error::InputError;

/// `AT+CGMI`: the manufacturer [27.007 §5.1], as the module writes it: `SIMCOM INCORPORATED`, or `INCORPORATED`.
///
/// ```
/// use mqtt_at::{Command, common::Manufacturer};
///
/// let command = Manufacturer;
/// assert_eq!(command.operation()?.to_string(), "AT+CGMI");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manufacturer;

impl Command for Manufacturer {
    type Answer = String;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(answer::text(CommandLine::execute("+CGMI")))
    }

    fn read(&self, reply: &Reply) -> Result<String, Unreadable> {
        answer::one_text(reply, "+CGMI")
    }
}

/// `AT+CGMM`: the model [27.007 §5.2]: `BG96`, `SIMCOM_SIM7600EI`, `N706`.
///
/// ```
/// use mqtt_at::{Command, common::Model};
///
/// let command = Model;
/// assert_eq!(command.operation()?.to_string(), "AT+CGMM");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Model;

impl Command for Model {
    type Answer = String;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(answer::text(CommandLine::execute("+CGMM")))
    }

    fn read(&self, reply: &Reply) -> Result<String, Unreadable> {
        answer::one_text(reply, "+CGMM")
    }
}

/// `AT+CGMR`: the firmware's version [27.007 §5.3].
///
/// ```
/// use mqtt_at::{Command, common::Revision};
///
/// let command = Revision;
/// assert_eq!(command.operation()?.to_string(), "AT+CGMR");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision;

impl Command for Revision {
    type Answer = String;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(answer::text(CommandLine::execute("+CGMR")))
    }

    fn read(&self, reply: &Reply) -> Result<String, Unreadable> {
        let text = answer::one_text(reply, "+CGMR")?;
        Ok(text.strip_prefix("Revision:").map_or(text.clone(), |revision| revision.trim().to_owned()))
    }
}

/// `AT+CGSN`: the serial number, which is the IMEI [27.007 §5.4].
///
/// ```
/// use mqtt_at::{Command, common::SerialNumber};
///
/// let command = SerialNumber;
/// assert_eq!(command.operation()?.to_string(), "AT+CGSN");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SerialNumber;

impl Command for SerialNumber {
    type Answer = Imei;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(answer::text(CommandLine::execute("+CGSN")))
    }

    fn read(&self, reply: &Reply) -> Result<Imei, Unreadable> {
        let found = reply.lines.iter().find_map(|line| answer::digits(line, Imei::DIGITS..=Imei::DIGITS));
        found.and_then(|digits| digits.parse().ok()).ok_or(Unreadable)
    }
}

/// The number of a module that no other has: 15 digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Imei(u64);

impl Imei {
    const DIGITS: usize = 15;
}

impl FromStr for Imei {
    type Err = InputError;

    fn from_str(text: &str) -> Result<Self, InputError> {
        let is_number = text.len() == Self::DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = if is_number { text.parse().ok() } else { None };
        number.map(Self).ok_or(InputError::Malformed { field: "IMEI", problem: "must be 15 digits".into() })
    }
}

impl fmt::Display for Imei {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:015}", self.0)
    }
}

impl fmt::Debug for Imei {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Imei({self})")
    }
}

/// `ATI`: all that the module says about itself, in a form of its own [V.250 §6.1.3].
///
/// ```
/// use mqtt_at::{Command, common::Information};
///
/// let command = Information;
/// assert_eq!(command.operation()?.to_string(), "ATI");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Information;

impl Command for Information {
    type Answer = ModuleInformation;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(answer::text(CommandLine::execute("I")))
    }

    fn read(&self, reply: &Reply) -> Result<ModuleInformation, Unreadable> {
        let lines = reply.lines.iter().filter(|line| answer::is_text(line));
        Ok(ModuleInformation { lines: lines.map(|line| answer::shown(line.trim_ascii())).collect() })
    }
}

/// `AT+GMR`: the versions of which the firmware is made, in a form of its own [V.250 §6.1.6].
///
/// ```
/// use mqtt_at::{Command, common::Versions};
///
/// let command = Versions;
/// assert_eq!(command.operation()?.to_string(), "AT+GMR");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versions;

impl Command for Versions {
    type Answer = ModuleInformation;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(answer::text(CommandLine::execute("+GMR")))
    }

    fn read(&self, reply: &Reply) -> Result<ModuleInformation, Unreadable> {
        Information.read(reply)
    }
}

/// The answer of [`Information`] and [`Versions`].
///
/// Some modules write `Manufacturer: …`, `Model: …`, `Revision: …`, others the same three without these words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleInformation {
    lines: Vec<String>,
}

impl ModuleInformation {
    /// The lines as they came.
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// The manufacturer.
    pub fn manufacturer(&self) -> Option<&str> {
        self.labelled("Manufacturer:").or_else(|| self.unlabelled(0))
    }

    /// The model.
    pub fn model(&self) -> Option<&str> {
        self.labelled("Model:").or_else(|| self.unlabelled(1))
    }

    /// The firmware's version.
    pub fn revision(&self) -> Option<&str> {
        self.labelled("Revision:").or_else(|| self.unlabelled(2))
    }

    fn labelled(&self, label: &str) -> Option<&str> {
        let found = self.lines.iter().find_map(|line| line.strip_prefix(label));
        found.map(str::trim).filter(|text| !text.is_empty())
    }

    /// A line by its position, unless the lines have labels.
    fn unlabelled(&self, position: usize) -> Option<&str> {
        let line = self.lines.get(position).map(String::as_str);
        line.filter(|_| self.labelled("Manufacturer:").is_none() && self.labelled("Model:").is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bringup::script::ask;

    #[tokio::test(start_paused = true)]
    async fn names_come_bare_prefixed_or_quoted() {
        for (answer, expected) in [
            ("BG770A-GL\n\nOK", "BG770A-GL"),
            ("+CGMM: N706\nOK", "N706"),
            ("+CGMM:\"L610\"\nOK", "L610"),
            ("\"A7670E-FASE\"\nOK", "A7670E-FASE"),
            ("SMS DONE\nSIMCOM_SIM7600EI\n+CGEV: EPS PDN ACT 1\nOK", "SIMCOM_SIM7600EI"),
        ] {
            assert_eq!(ask(Model, answer).await, ("AT+CGMM".into(), Ok(expected.into())), "{answer}");
        }
        assert!(ask(Model, "OK").await.1.is_err());
        assert!(ask(Model, "+CGMM: \"\"\nOK").await.1.is_err());
        assert_eq!(
            ask(Manufacturer, "SIMCOM INCORPORATED\n\nOK").await,
            ("AT+CGMI".into(), Ok("SIMCOM INCORPORATED".into()))
        );
        assert_eq!(
            ask(Revision, "Revision: EC800MCNGAR06A05M08\n\nOK").await,
            ("AT+CGMR".into(), Ok("EC800MCNGAR06A05M08".into()))
        );
    }

    #[tokio::test(start_paused = true)]
    async fn the_serial_number_has_fifteen_digits() {
        for answer in
            ["861234567890123\n\nOK", "+CGSN: 861234567890123\nOK", "+CGSN: \"861234567890123\"\nOK"]
        {
            let (line, imei) = ask(SerialNumber, answer).await;
            assert_eq!((line.as_str(), imei.unwrap().to_string().as_str()), ("AT+CGSN", "861234567890123"));
        }
        for answer in ["8612345678901234\nOK", "86123456789012A\nOK", "OK"] {
            assert!(ask(SerialNumber, answer).await.1.is_err(), "{answer}");
        }
        assert_eq!("004999010640000".parse::<Imei>().unwrap().to_string(), "004999010640000");
        assert!("+04999010640000".parse::<Imei>().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn information_comes_with_and_without_labels() {
        let quectel = "Quectel\nEC800M\nRevision: EC800MCNGAR06A05M08\n\nOK";
        let information = ask(Information, quectel).await.1.unwrap();
        assert_eq!(information.manufacturer(), Some("Quectel"));
        assert_eq!(information.model(), Some("EC800M"));
        assert_eq!(information.revision(), Some("EC800MCNGAR06A05M08"));
        assert_eq!(information.lines().len(), 3);

        let simcom = "Manufacturer: INCORPORATED\nModel: A7670E-FASE\nRevision: A011B07A7670M7_F\n\
                      IMEI: 861234567890123\n+GCAP: +CGSM,+FCLASS,+DS\n\nOK";
        let information = ask(Information, simcom).await.1.unwrap();
        assert_eq!(information.manufacturer(), Some("INCORPORATED"));
        assert_eq!(information.model(), Some("A7670E-FASE"));
        assert_eq!(information.revision(), Some("A011B07A7670M7_F"));

        let silent = ask(Information, "OK").await.1.unwrap();
        assert_eq!((silent.manufacturer(), silent.model(), silent.revision()), (None, None, None));
    }
}
