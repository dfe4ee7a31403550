//! The makers of modules.

use std::fmt;
use std::str::FromStr;

use crate::error::InputError;

/// A maker of modules, and with it the dialect that the module speaks.
///
/// ```
/// use mqtt_at::Vendor;
///
/// assert_eq!("simcom".parse::<Vendor>()?, Vendor::SimCom);
/// assert_eq!(Vendor::SimCom.to_string(), "SIMCom");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Vendor {
    /// Quectel: `AT+QMT…`.
    Quectel,
    /// SIMCom: `AT+CMQTT…`.
    SimCom,
    /// Fibocom: `AT+MQTT…` with client numbers.
    Fibocom,
    /// Neoway: `AT+MQTT…` for one client, `AT+CLOUD…`, `AT+AWS…`.
    Neoway,
    /// Espressif: `AT+MQTT…` of the ESP-AT firmware, on Wi-Fi.
    Espressif,
}

impl Vendor {
    /// The vendors that this version speaks to.
    pub const ALL: &'static [Self] =
        &[Self::Quectel, Self::SimCom, Self::Fibocom, Self::Neoway, Self::Espressif];
}

impl fmt::Display for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Quectel => "Quectel",
            Self::SimCom => "SIMCom",
            Self::Fibocom => "Fibocom",
            Self::Neoway => "Neoway",
            Self::Espressif => "Espressif",
        })
    }
}

impl FromStr for Vendor {
    type Err = InputError;

    fn from_str(text: &str) -> Result<Self, InputError> {
        let found = Self::ALL.iter().find(|vendor| vendor.to_string().eq_ignore_ascii_case(text));
        found.copied().ok_or_else(|| InputError::Malformed {
            field: "vendor",
            problem: format!("must be one of {}", list(Self::ALL)).into(),
        })
    }
}

fn list(vendors: &[Vendor]) -> String {
    vendors.iter().map(|vendor| vendor.to_string().to_lowercase()).collect::<Vec<_>>().join(", ")
}
