//! The registration at the network.

use std::fmt;
use std::time::Duration;

use at_codec::{CommandLine, Fields};
use at_port::{Answer, Exchange, Operation, Reply};

use super::{AccessTechnology, answer};
use crate::command::{Command, Unreadable};
use crate::error::InputError;

/// `AT+CREG?`, `AT+CGREG?`, `AT+CEREG?`: whether the module is registered [27.007 §7.2, §10.1.20, §10.1.22].
///
/// ```
/// use mqtt_at::{Command, common::{Domain, Registration}};
///
/// let command = Registration(Domain::Eps);
/// assert_eq!(command.operation()?.to_string(), "AT+CEREG?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registration(pub Domain);

impl Command for Registration {
    type Answer = RegistrationStatus;

    /// Neoway answers `AT+CREG?` with `+CEREG: …` [Neoway MQTT 1.2 §3], so that the name does not tell the answer.
    fn operation(&self) -> Result<Operation, InputError> {
        Ok(Exchange::new(CommandLine::read(self.0.name())).answer(Answer::Like(is_status)).into())
    }

    fn read(&self, reply: &Reply) -> Result<RegistrationStatus, Unreadable> {
        let own_name = [self.0].into_iter();
        let names = own_name.chain(Domain::ALL).map(Domain::name);
        let mut found = names.flat_map(|name| reply.lines.iter().filter_map(|line| Fields::of(line, name)));
        found.find_map(|fields| RegistrationStatus::read(fields)).ok_or(Unreadable)
    }
}

/// Whether a line is an answer, and no report of the same name.
fn is_status(line: &[u8]) -> bool {
    Domain::ALL
        .iter()
        .filter_map(|domain| Fields::of(line, domain.name()))
        .any(|it| RegistrationStatus::read(it).is_some())
}

/// `AT+CREG=…` and its like: which reports the module makes of the registration [27.007 §7.2].
///
/// ```
/// use mqtt_at::{Command, common::{Domain, RegistrationReports, SetRegistrationReports}};
///
/// let command = SetRegistrationReports(Domain::Eps, RegistrationReports::State);
/// assert_eq!(command.operation()?.to_string(), "AT+CEREG=1");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetRegistrationReports(pub Domain, pub RegistrationReports);

impl Command for SetRegistrationReports {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(answer::plain(CommandLine::write(self.0.name()).integer(self.1 as u8).finish()))
    }

    fn read(&self, _: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// To what a module registers. The set is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Domain {
    /// Calls and messages: `+CREG`.
    Circuit,
    /// Data in GSM and UMTS: `+CGREG`.
    Packet,
    /// LTE, LTE-M and NB-IoT: `+CEREG`.
    Eps,
}

impl Domain {
    /// The one that matters most for data first.
    pub const ALL: [Self; 3] = [Self::Eps, Self::Packet, Self::Circuit];

    fn name(self) -> &'static str {
        match self {
            Self::Circuit => "+CREG",
            Self::Packet => "+CGREG",
            Self::Eps => "+CEREG",
        }
    }
}

/// Which reports a module makes of its registration. The set is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum RegistrationReports {
    /// None.
    Off = 0,
    /// When the state changes.
    State = 1,
    /// When the state or the cell changes.
    Cell = 2,
}

/// The answer of [`Registration`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegistrationStatus {
    /// The state.
    pub state: RegistrationState,
    /// The number of the location or tracking area, where the module tells it.
    pub area: Option<u32>,
    /// The number of the cell, where the module tells it.
    pub cell: Option<u32>,
    /// The technology, where the module tells it.
    pub technology: Option<AccessTechnology>,
    /// Whether the module reports changes by itself.
    pub reported: bool,
}

impl RegistrationStatus {
    /// Reads `n,state[,"area","cell"[,technology]]`.
    ///
    /// A report of the same name is `state[,"area",…]`: it has one number, or a second field that is an area.
    fn read(mut fields: Fields<'_>) -> Option<Self> {
        let reports = fields.integer().filter(|reports| (0..=5).contains(reports))?;
        let state = fields.clone().text().filter(|text| text.len() <= 2).and_then(|_| fields.integer())?;
        let state = RegistrationState::from_number(state)?;
        let mut hex = || {
            let text = fields.text().and_then(|text| std::str::from_utf8(text).ok())?;
            u32::from_str_radix(text, 16).ok()
        };
        let (area, cell) = (hex(), hex());
        let technology = answer::number(&mut fields).map(AccessTechnology);
        Some(Self { state, area, cell, technology, reported: reports > 0 })
    }
}

/// The state of a registration [27.007 §7.2].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RegistrationState {
    /// Not registered, and not searching.
    NotSearching,
    /// Registered in the home network.
    Home,
    /// Searching.
    Searching,
    /// Refused.
    Denied,
    /// Unknown, for instance out of coverage.
    Unknown,
    /// Registered in a foreign network.
    Roaming,
    /// Registered for messages only.
    MessagesOnly,
    /// Attached for emergency calls only.
    EmergencyOnly,
    /// Attached for access to a restricted local service only.
    RestrictedOnly,
}

impl RegistrationState {
    /// The state that a number stands for. A preference for data over calls (9, 10) makes no difference here.
    fn from_number(number: i64) -> Option<Self> {
        Some(match number {
            0 => Self::NotSearching,
            1 | 9 => Self::Home,
            2 => Self::Searching,
            3 => Self::Denied,
            4 => Self::Unknown,
            5 | 10 => Self::Roaming,
            6 | 7 => Self::MessagesOnly,
            8 => Self::EmergencyOnly,
            11 => Self::RestrictedOnly,
            _ => return None,
        })
    }

    /// Whether data can be sent in this state.
    pub fn is_registered(self) -> bool {
        matches!(self, Self::Home | Self::Roaming)
    }

    /// The state in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotSearching => "not registered and not searching",
            Self::Home => "registered, home network",
            Self::Searching => "searching",
            Self::Denied => "denied",
            Self::Unknown => "unknown",
            Self::Roaming => "registered, roaming",
            Self::MessagesOnly => "registered for messages only",
            Self::EmergencyOnly => "emergency calls only",
            Self::RestrictedOnly => "restricted local service only",
        }
    }
}

impl fmt::Display for RegistrationState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `AT+CGATT?`: whether the module is attached to the data service [27.007 §10.1.9].
///
/// ```
/// use mqtt_at::{Command, common::Attached};
///
/// let command = Attached;
/// assert_eq!(command.operation()?.to_string(), "AT+CGATT?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attached;

impl Command for Attached {
    type Answer = bool;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(answer::named(CommandLine::read("+CGATT"), "+CGATT"))
    }

    fn read(&self, reply: &Reply) -> Result<bool, Unreadable> {
        match answer::fields(reply, "+CGATT")?.integer() {
            Some(0) => Ok(false),
            Some(1) => Ok(true),
            _ => Err(Unreadable),
        }
    }
}

/// `AT+CGATT=…`: attaches to the data service or leaves it, which may take minutes [27.007 §10.1.9].
///
/// ```
/// use mqtt_at::{Command, common::SetAttached};
///
/// let command = SetAttached(true);
/// assert_eq!(command.operation()?.to_string(), "AT+CGATT=1");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetAttached(pub bool);

impl Command for SetAttached {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let line = CommandLine::write("+CGATT").integer(u8::from(self.0)).finish();
        // The longest time that a vendor gives: 140 s at Quectel.
        Ok(Exchange::new(line).timeout(Duration::from_secs(140)).into())
    }

    fn read(&self, _: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bringup::script::ask;

    async fn state(domain: Domain, answer: &str) -> Result<RegistrationState, String> {
        ask(Registration(domain), answer).await.1.map(|status| status.state)
    }

    #[tokio::test(start_paused = true)]
    async fn states_in_every_domain() {
        use RegistrationState::*;
        for (domain, line, answer, expected) in [
            (Domain::Circuit, "AT+CREG?", "+CREG: 0,1\n\nOK", Home),
            (Domain::Circuit, "AT+CREG?", "+CREG: 1,1\nOK", Home),
            (Domain::Circuit, "AT+CREG?", "+CREG: 0, 5\nOK", Roaming),
            (Domain::Packet, "AT+CGREG?", "+CGREG: 0,2\nOK", Searching),
            (Domain::Packet, "AT+CGREG?", "+CGREG: 0,3\nOK", Denied),
            (Domain::Packet, "AT+CGREG?", "+CGREG: 0,0\nOK", NotSearching),
            (Domain::Eps, "AT+CEREG?", "+CEREG: 0,5\nOK", Roaming),
            (Domain::Eps, "AT+CEREG?", "+CEREG: 0,11\nOK", RestrictedOnly),
            (Domain::Eps, "AT+CEREG?", "+CEREG: 0,10\nOK", Roaming),
        ] {
            let (sent, status) = ask(Registration(domain), answer).await;
            assert_eq!((sent.as_str(), status.map(|it| it.state)), (line, Ok(expected)), "{answer}");
        }
        assert!(state(Domain::Eps, "+CEREG: 0,12\nOK").await.is_err());
        assert!(state(Domain::Eps, "OK").await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_report_between_is_no_answer() {
        assert_eq!(state(Domain::Eps, "+CEREG: 2\n+CEREG: 1,1\nOK").await, Ok(RegistrationState::Home));
        let answer = "+CREG: 5,\"0001\",\"0A2B\",7\n+CREG: 2,2\nOK";
        assert_eq!(state(Domain::Circuit, answer).await, Ok(RegistrationState::Searching));
        assert_eq!(
            state(Domain::Circuit, "+CREG: 5,0001,0A2B\n+CREG: 2,2\nOK").await,
            Ok(RegistrationState::Searching)
        );
        assert!(state(Domain::Circuit, "+CREG: 1\nOK").await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_under_another_name() {
        assert_eq!(state(Domain::Circuit, "+CEREG: 0,1\nOK").await, Ok(RegistrationState::Home));
        // Its own name goes first.
        let both = "+CEREG: 0,2\n+CREG: 0,1\nOK";
        assert_eq!(state(Domain::Circuit, both).await, Ok(RegistrationState::Home));
    }

    #[tokio::test(start_paused = true)]
    async fn the_cell_where_it_is_told() {
        let (_, status) = ask(Registration(Domain::Eps), "+CEREG: 2,1,\"1A2B\",\"01A2B3C4\",7\nOK").await;
        assert_eq!(
            status,
            Ok(RegistrationStatus {
                state: RegistrationState::Home,
                area: Some(0x1A2B),
                cell: Some(0x01A2_B3C4),
                technology: Some(AccessTechnology(7)),
                reported: true,
            })
        );
    }

    #[tokio::test(start_paused = true)]
    async fn reports_and_attachment() {
        let set = SetRegistrationReports(Domain::Packet, RegistrationReports::Cell);
        assert_eq!(ask(set, "OK").await, ("AT+CGREG=2".into(), Ok(())));
        assert_eq!(ask(Attached, "+CGATT: 1\nOK").await, ("AT+CGATT?".into(), Ok(true)));
        assert_eq!(ask(Attached, "+CGATT:0\nOK").await.1, Ok(false));
        assert!(ask(Attached, "+CGATT: 2\nOK").await.1.is_err());
        assert_eq!(ask(SetAttached(true), "OK").await, ("AT+CGATT=1".into(), Ok(())));
        assert_eq!(ask(SetAttached(false), "OK").await, ("AT+CGATT=0".into(), Ok(())));
    }

    #[test]
    fn every_state_has_words_of_its_own() {
        let states: Vec<_> = (0..=11).filter_map(RegistrationState::from_number).collect();
        assert_eq!(states.len(), 12);
        let mut words: Vec<_> = states.iter().map(|state| state.to_string()).collect();
        words.sort();
        words.dedup();
        assert_eq!(words.len(), 9);
        assert_eq!(states.iter().filter(|state| state.is_registered()).count(), 4);
    }
}
