//! The makers whose dialects the module can speak.

use std::fmt;
use std::str::FromStr;

/// Whose module this is, and therefore which manual it follows. Complete: the four dialects of this workspace.
///
/// ```
/// assert_eq!("simcom".parse(), Ok(virtual_modem::Vendor::SimCom));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Vendor {
    /// Quectel EC200x, EC600S and EG912Y: `AT+QMT*`.
    Quectel,
    /// SIMCom A7600: `AT+CMQTT*`.
    SimCom,
    /// Fibocom NL668 and relatives: `AT+MQTT*`, clients 1 and 2.
    Fibocom,
    /// Neoway standard modules: `AT+MQTT*`, `AT+CLOUD*`, `AT+AWS*`.
    Neoway,
}

impl Vendor {
    /// All vendors, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::Quectel, Self::SimCom, Self::Fibocom, Self::Neoway];

    fn name(self) -> &'static str {
        match self {
            Self::Quectel => "quectel",
            Self::SimCom => "simcom",
            Self::Fibocom => "fibocom",
            Self::Neoway => "neoway",
        }
    }
}

impl fmt::Display for Vendor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text names no vendor.
///
/// No example: it is a text for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown vendor `{0}`: quectel, simcom, fibocom or neoway")]
pub struct UnknownVendor(String);

impl FromStr for Vendor {
    type Err = UnknownVendor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = text.to_ascii_lowercase();
        Self::ALL
            .into_iter()
            .find(|vendor| vendor.name() == wanted)
            .ok_or_else(|| UnknownVendor(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for vendor in Vendor::ALL {
            assert_eq!(vendor.to_string().parse(), Ok(vendor));
        }
        assert_eq!("SIMCom".parse(), Ok(Vendor::SimCom));
        assert!("nokia".parse::<Vendor>().is_err());
    }
}
