//! Quality of service.

use crate::error::InputError;

/// How hard MQTT tries to deliver a message. This enumeration is complete.
///
/// ```
/// use mqtt_at::QoS;
///
/// assert_eq!(QoS::try_from(1)?, QoS::AtLeastOnce);
/// assert_eq!(QoS::ExactlyOnce.level(), 2);
/// assert_eq!(QoS::try_from(3).unwrap_err().to_string(), "QoS is 3, and must be 0 to 2");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum QoS {
    /// Sent once, and perhaps lost.
    #[default]
    AtMostOnce = 0,
    /// Sent until it is acknowledged, and perhaps delivered twice.
    AtLeastOnce = 1,
    /// Delivered once.
    ExactlyOnce = 2,
}

impl QoS {
    /// MQTT's number: 0, 1 or 2.
    pub const fn level(self) -> u8 {
        self as u8
    }
}

impl TryFrom<u8> for QoS {
    type Error = InputError;

    fn try_from(level: u8) -> Result<Self, InputError> {
        match level {
            0 => Ok(Self::AtMostOnce),
            1 => Ok(Self::AtLeastOnce),
            2 => Ok(Self::ExactlyOnce),
            other => Err(InputError::OutOfRange { field: "QoS", got: other.into(), min: 0, max: 2 }),
        }
    }
}
