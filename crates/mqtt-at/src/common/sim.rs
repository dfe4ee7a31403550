//! The SIM.

use std::fmt;
use std::time::Duration;

use at_codec::{Charset, CommandLine, Fields};
use at_port::{Exchange, FinalResult, Operation, Refusal, Reply};

use super::{answer, cme};
use crate::command::{Command, Unreadable};
use crate::dialect;
use crate::error::{Error, InputError, NetworkError};
use crate::secret::Secret;

/// `AT+CPIN?`: what the SIM is waiting for [27.007 §8.3].
///
/// A refusal is a [`NetworkError`]; the codes 10, 13 and 14 are no last word for some seconds after power-on.
///
/// ```
/// use mqtt_at::{Command, common::SimState};
///
/// let command = SimState;
/// assert_eq!(command.operation()?.to_string(), "AT+CPIN?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SimState;

impl Command for SimState {
    type Answer = SimStatus;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(answer::named(CommandLine::read("+CPIN"), "+CPIN"))
    }

    /// The last line counts: the report `+CPIN: …` of a SIM that is starting has the same form.
    fn read(&self, reply: &Reply) -> Result<SimStatus, Unreadable> {
        let line = reply.lines.iter().rev().find_map(|line| Fields::of(line, "+CPIN"));
        Ok(SimStatus::read(line.ok_or(Unreadable)?.rest()))
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        Some(unusable(&refusal.result).into())
    }
}

/// What a SIM is waiting for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SimStatus {
    /// Nothing: it can be used.
    Ready,
    /// Its PIN.
    Pin,
    /// Its PUK, after three wrong PINs.
    Puk,
    /// Something else, in the module's words: `PH-NET PIN`, `SIM REMOVED`, `NOT READY`.
    Other(String),
}

impl SimStatus {
    fn read(text: &[u8]) -> Self {
        match answer::unquoted(text) {
            b"READY" => Self::Ready,
            b"SIM PIN" => Self::Pin,
            b"SIM PUK" => Self::Puk,
            other => Self::Other(answer::shown(other)),
        }
    }
}

impl fmt::Display for SimStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ready => "ready",
            Self::Pin => "asks for its PIN",
            Self::Puk => "locked, asks for its PUK",
            Self::Other(text) => text,
        })
    }
}

/// `AT+CPIN="…"`: gives the SIM its PIN [27.007 §8.3].
///
/// Three failures lock the SIM: a refused PIN must not be sent again.
///
/// ```
/// use mqtt_at::{Command, common::EnterPin};
///
/// let command = EnterPin("1234".into());
/// assert_eq!(command.operation()?.to_string(), "AT+CPIN=***");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone)]
pub struct EnterPin(pub Secret);

impl Command for EnterPin {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        const FIELD: &str = "SIM PIN";
        let pin = self.0.expose();
        if !(4..=8).contains(&pin.len()) || !pin.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InputError::Malformed { field: FIELD, problem: "must have 4 to 8 digits".into() });
        }
        let line = CommandLine::write("+CPIN").secret(FIELD, pin, Charset::ASCII, 8)?.finish();
        Ok(Exchange::new(line).timeout(Duration::from_secs(10)).into())
    }

    fn read(&self, _: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }

    fn explain(&self, refusal: &Refusal) -> Option<Error> {
        let error = match cme::cme_code(&refusal.result) {
            Some(10 | 12..=15) => unusable(&refusal.result),
            // Whatever else it says, nobody may try again without having looked.
            _ => NetworkError::PinRefused,
        };
        Some(error.into())
    }
}

/// `AT+CIMI`: the number of the SIM's contract, 15 digits at most [27.007 §5.6].
///
/// ```
/// use mqtt_at::{Command, common::Imsi};
///
/// let command = Imsi;
/// assert_eq!(command.operation()?.to_string(), "AT+CIMI");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imsi;

impl Command for Imsi {
    type Answer = String;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(answer::text(CommandLine::execute("+CIMI")))
    }

    fn read(&self, reply: &Reply) -> Result<String, Unreadable> {
        let found = reply.lines.iter().find_map(|line| answer::digits(line, 6..=15));
        found.map(str::to_owned).ok_or(Unreadable)
    }
}

/// The number of the SIM card, 18 to 22 digits. Its command has many names.
///
/// ```
/// use mqtt_at::{Command, common::Iccid};
///
/// let command = Iccid::CCID;
/// assert_eq!(command.operation()?.to_string(), "AT+CCID");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Iccid {
    name: &'static str,
}

impl Iccid {
    /// `AT+CCID`: Neoway, Fibocom, Quectel.
    pub const CCID: Self = Self { name: "+CCID" };
    /// `AT+QCCID`: Quectel.
    pub const QCCID: Self = Self { name: "+QCCID" };
    /// `AT+CICCID`: SIMCom, which answers `+ICCID: …`.
    pub const CICCID: Self = Self { name: "+CICCID" };
    /// `AT+ICCID`: Fibocom.
    pub const ICCID: Self = Self { name: "+ICCID" };
}

impl Command for Iccid {
    type Answer = String;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(answer::text(CommandLine::execute(self.name)))
    }

    /// A number with an odd count of digits may have an `F` behind it, because two share a byte.
    fn read(&self, reply: &Reply) -> Result<String, Unreadable> {
        let runs = reply.lines.iter().flat_map(|line| line.split(|byte| !byte.is_ascii_alphanumeric()));
        let numbers = runs.map(|run| run.strip_suffix(b"F").or(run.strip_suffix(b"f")).unwrap_or(run));
        let mut found =
            numbers.filter(|run| (18..=22).contains(&run.len()) && run.iter().all(u8::is_ascii_digit));
        found.next().map(answer::shown).ok_or(Unreadable)
    }
}

/// Why a SIM that was refused cannot be used.
fn unusable(result: &FinalResult) -> NetworkError {
    match cme::cme_code(result) {
        Some(11) => NetworkError::PinRequired,
        Some(12) => NetworkError::PukRequired,
        Some(code) => {
            NetworkError::Sim { reason: format!("{} (code {code})", cme::cme_meaning(code)).into() }
        }
        None => NetworkError::Sim { reason: dialect::meaning_of(result).1 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bringup::script::{ask, refused};

    #[tokio::test(start_paused = true)]
    async fn the_state_of_the_sim() {
        for (answer, expected) in [
            ("+CPIN: READY\n\nOK", SimStatus::Ready),
            ("+CPIN:READY\nOK", SimStatus::Ready),
            ("+CPIN: SIM PIN\nOK", SimStatus::Pin),
            ("+CPIN: \"SIM PUK\"\nOK", SimStatus::Puk),
            ("+CPIN: SIM CRASH\nOK", SimStatus::Other("SIM CRASH".into())),
            ("+CPIN: PH-NET PIN\nOK", SimStatus::Other("PH-NET PIN".into())),
            ("+CPIN: NOT READY\n+CPIN: READY\nOK", SimStatus::Ready),
        ] {
            assert_eq!(ask(SimState, answer).await, ("AT+CPIN?".into(), Ok(expected)), "{answer}");
        }
        assert!(ask(SimState, "OK").await.1.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_say_what_the_sim_wants() {
        for (answer, expected) in [
            ("+CME ERROR: 10", "the SIM is not usable: no SIM inserted (code 10)"),
            ("+CME ERROR: SIM busy", "the SIM is not usable: the SIM is busy (code 14)"),
            ("+CME ERROR: 11", "the SIM asks for its PIN"),
            ("+CME ERROR: SIM PUK required", "the SIM is locked and asks for its PUK"),
            ("+CME ERROR: operation not allowed", "the SIM is not usable: operation not allowed"),
            ("ERROR", "the SIM is not usable: the module refused the command without a reason"),
        ] {
            assert_eq!(refused(SimState, answer).await, expected, "{answer}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_pin_is_told_from_a_locked_sim() {
        let pin = || EnterPin(Secret::new("1234"));
        assert_eq!(ask(pin(), "OK").await, ("AT+CPIN=\"1234\"".into(), Ok(())));
        assert_eq!(refused(pin(), "+CME ERROR: 16").await, "the SIM refused the PIN");
        assert_eq!(refused(pin(), "+CME ERROR: incorrect password").await, "the SIM refused the PIN");
        assert_eq!(refused(pin(), "ERROR").await, "the SIM refused the PIN");
        assert_eq!(refused(pin(), "+CME ERROR: 12").await, "the SIM is locked and asks for its PUK");
        assert_eq!(
            refused(pin(), "+CME ERROR: 14").await,
            "the SIM is not usable: the SIM is busy (code 14)"
        );
    }

    #[test]
    fn a_pin_that_no_sim_can_have_is_never_sent() {
        for bad in ["", "123", "12a4", "12 4", "123456789", "1234\r", "123\""] {
            assert!(EnterPin(Secret::new(bad)).operation().is_err(), "{bad:?}");
        }
        let shown = format!("{:?}", EnterPin(Secret::new("8812")).operation().unwrap());
        assert!(!shown.contains("8812"), "{shown}");
    }

    #[tokio::test(start_paused = true)]
    async fn numbers_of_contract_and_card() {
        assert_eq!(
            ask(Imsi, "460003123456789\n\nOK").await,
            ("AT+CIMI".into(), Ok("460003123456789".into()))
        );
        for (command, line, answer) in [
            (Iccid::CCID, "AT+CCID", "+CCID: 89860012345678901234\nOK"),
            (Iccid::QCCID, "AT+QCCID", "+QCCID: 89860012345678901234F\nOK"),
            (Iccid::CICCID, "AT+CICCID", "+ICCID: 89860012345678901234\n\nOK"),
            (Iccid::ICCID, "AT+ICCID", "\"89860012345678901234\"\nOK"),
        ] {
            assert_eq!(ask(command, answer).await, (line.into(), Ok("89860012345678901234".into())));
        }
        assert!(ask(Iccid::CCID, "+CCID: none\nOK").await.1.is_err());
    }
}
