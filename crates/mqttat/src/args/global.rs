//! Options of all commands.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{ArgAction, ValueEnum};
use mqtt_at::{InputError, Secret, Vendor};
use virtual_modem::UnknownVendor;

/// Options that may stand before the command or after it.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The module's AT port: /dev/ttyUSB2, COM5, usb:VID:PID (or usb:VID:PID:SERIAL:INTERFACE), tcp://host:port,
    /// sim:VENDOR for a virtual one, or play:FILE for the module's side of a transcript
    #[arg(long, value_name = "DEV", env = "MQTTAT_DEVICE", global = true)]
    pub(crate) device: Option<Device>,

    /// Bits per second of the serial port [default: 115200]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(50..), global = true)]
    pub(crate) baud: Option<u32>,

    /// Whose module it is: auto, or the vendor's name
    #[arg(long, value_name = "VENDOR", default_value = "auto", global = true)]
    pub(crate) vendor: VendorChoice,

    /// Flow control of the serial port; rtscts is switched on in the module, too
    #[arg(long, value_name = "FLOW", value_enum, default_value = "none", global = true)]
    pub(crate) flow: Flow,

    /// Where it is noted that the module waits for a payload, for the next run [default: the user's state directory]
    #[arg(long, value_name = "DIR", global = true)]
    pub(crate) state_dir: Option<PathBuf>,

    /// Access point name of the data connection
    #[arg(long, value_name = "APN", global = true)]
    pub(crate) apn: Option<String>,

    /// User name for the access point
    #[arg(long, value_name = "USER", requires = "apn", global = true)]
    pub(crate) pdp_user: Option<String>,

    /// Password for the access point
    #[arg(long, value_name = "PASSWORD", requires = "pdp_user", allow_hyphen_values = true, global = true)]
    pub(crate) pdp_password: Option<Secret>,

    /// PIN of the SIM; it is tried once
    #[arg(long, value_name = "PIN", env = "MQTTAT_SIM_PIN", hide_env_values = true, global = true)]
    pub(crate) sim_pin: Option<Secret>,

    /// Leave SIM, registration and data connection as they are
    #[arg(long, global = true)]
    pub(crate) no_attach: bool,

    /// How long to wait for the module's first answer
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 40,
        value_parser = clap::value_parser!(u64).range(1..=600),
        global = true
    )]
    pub(crate) sync_timeout: u64,

    /// Write the AT conversation to this file, secrets masked
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) record: Option<PathBuf>,

    /// Print one JSON object per line
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(crate) struct Verbosity {
    /// Log to stderr: -v what happens, -vv more, -vvv the AT conversation
    #[arg(short = 'v', action = ArgAction::Count, help_heading = "Global options", display_order = 899)]
    pub(crate) verbose: u8,
}

/// Where the module is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Device {
    /// A virtual module in this process.
    Simulated(virtual_modem::Vendor),
    /// The module's side of a transcript.
    Played(PathBuf),
    /// A port, in the library's words.
    Port(String),
}

impl FromStr for Device {
    type Err = UnknownVendor;

    fn from_str(text: &str) -> Result<Self, UnknownVendor> {
        if let Some(file) = text.strip_prefix("play:") {
            return Ok(Self::Played(file.into()));
        }
        match text.strip_prefix("sim:") {
            Some(vendor) => vendor.parse().map(Self::Simulated),
            None => Ok(Self::Port(text.to_owned())),
        }
    }
}

/// Whose module it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VendorChoice {
    /// The module is asked.
    Auto,
    /// The caller knows.
    Named(Vendor),
}

impl FromStr for VendorChoice {
    type Err = InputError;

    fn from_str(text: &str) -> Result<Self, InputError> {
        if text.eq_ignore_ascii_case("auto") {
            return Ok(Self::Auto);
        }
        text.parse().map(Self::Named)
    }
}

/// Flow control of a serial port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Flow {
    /// No flow control: many boards leave the pins open
    None,
    /// By the RTS and CTS pins
    #[value(name = "rtscts")]
    RtsCts,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_told_apart() {
        assert_eq!("sim:quectel".parse(), Ok(Device::Simulated(virtual_modem::Vendor::Quectel)));
        assert_eq!("play:a.at".parse(), Ok(Device::Played("a.at".into())));
        assert_eq!("/dev/ttyUSB2".parse(), Ok(Device::Port("/dev/ttyUSB2".to_owned())));
        assert_eq!("tcp://h:1".parse(), Ok(Device::Port("tcp://h:1".to_owned())));
        assert!("sim:".parse::<Device>().is_err() && "sim:nokia".parse::<Device>().is_err());
    }

    #[test]
    fn vendors_are_named_or_asked_for() {
        assert_eq!("auto".parse(), Ok(VendorChoice::Auto));
        assert_eq!("Quectel".parse(), Ok(VendorChoice::Named(Vendor::Quectel)));
        assert!("nokia".parse::<VendorChoice>().is_err());
    }
}
