//! SIM, registration and data connection as causes of a failure.

use std::borrow::Cow;
use std::time::Duration;

/// What is missing before there can be a data connection.
///
/// ```
/// use mqtt_at::{Error, NetworkError};
///
/// let error = Error::from(NetworkError::PinRequired);
/// assert_eq!(error.to_string(), "the SIM asks for its PIN");
/// assert!(error.remedy().is_some_and(|remedy| remedy.contains("sim_pin")));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NetworkError {
    /// There is no SIM, or it cannot be read.
    #[error("the SIM is not usable: {reason}")]
    Sim {
        /// What the module said.
        reason: Cow<'static, str>,
    },
    /// The SIM asks for its PIN, and none was given.
    #[error("the SIM asks for its PIN")]
    PinRequired,
    /// The PIN was refused. It is not tried again: three failures lock the SIM.
    #[error("the SIM refused the PIN")]
    PinRefused,
    /// The SIM is locked.
    #[error("the SIM is locked and asks for its PUK")]
    PukRequired,
    /// The module is not registered.
    #[error("the module is not registered after {} s: {status}", .after.as_secs())]
    NotRegistered {
        /// The last status.
        status: &'static str,
        /// How long was waited.
        after: Duration,
    },
    /// The network refused the registration.
    #[error("the network denied the registration")]
    Denied,
    /// The module has no address in a local network.
    #[error("the module has joined no network")]
    NotJoined,
    /// The data connection could not be made.
    #[error("the data connection was refused: {reason}")]
    Pdp {
        /// What the module said.
        reason: Cow<'static, str>,
    },
}

impl NetworkError {
    pub(super) fn remedy(&self) -> &'static str {
        match self {
            Self::Sim { .. } => "check that a SIM is inserted the right way round",
            Self::PinRequired => "give the PIN with --sim-pin, or in ModemOptions::sim_pin",
            Self::PinRefused => "check the PIN before the next try: three failures lock the SIM",
            Self::PukRequired => "unlock the SIM in a telephone",
            Self::NotRegistered { .. } => "check antenna and coverage",
            Self::Denied => "check that the SIM is active and may use this network",
            Self::NotJoined => {
                "let the module join a network once, with its own commands: it joins it again by itself"
            }
            Self::Pdp { .. } => "check APN, user and password of the SIM's contract",
        }
    }
}
