//! Serial ports of USB devices, named by what the device is and not by the order in which it was plugged in.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::{Address, OpenError};

/// The port of a USB device: `usb:VID:PID[:SERIAL][:INTERFACE]`, the first two in hexadecimal, as in
/// `usb:2c7c:6005:0123:2`.
///
/// A module has several ports, told apart by the number of their interface. Where the serial number is left empty any
/// will do: `usb:2c7c:6005::2`. The port is sought anew each time it is opened, so that a module is found again that
/// comes back under another name.
///
/// [`Address`](super::Address) has an example.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct UsbId {
    /// The vendor's number.
    pub vid: u16,
    /// The product's number.
    pub pid: u16,
    /// The device's serial number; `None` is any.
    pub serial: Option<String>,
    /// The number of the interface; `None` is any.
    pub interface: Option<u8>,
}

impl UsbId {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("usb:")?.splitn(3, ':');
        let mut number = || parts.next().and_then(|digits| u16::from_str_radix(digits, 16).ok());
        let (vid, pid) = (number()?, number()?);
        // A serial number may have colons in it; the interface stands behind the last one.
        let (serial, interface) = match parts.next() {
            None => ("", ""),
            Some(rest) => rest.rsplit_once(':').unwrap_or((rest, "")),
        };
        let interface = if interface.is_empty() { None } else { Some(interface.parse().ok()?) };
        Some(Self { vid, pid, serial: Some(serial.to_owned()).filter(|it| !it.is_empty()), interface })
    }
}

impl FromStr for UsbId {
    type Err = OpenError;

    fn from_str(text: &str) -> Result<Self, OpenError> {
        Self::read(text).ok_or_else(|| Address::refused(text))
    }
}

impl fmt::Display for UsbId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "usb:{:04x}:{:04x}", self.vid, self.pid)?;
        let serial = self.serial.as_deref().unwrap_or_default();
        match self.interface {
            Some(interface) => write!(f, ":{serial}:{interface}"),
            // A serial number with a colon in it would be read as one with an interface.
            None if serial.contains(':') => write!(f, ":{serial}:"),
            None if serial.is_empty() => Ok(()),
            None => write!(f, ":{serial}"),
        }
    }
}

#[cfg(feature = "serial")]
mod finding {
    use serialport::{SerialPortInfo, SerialPortType, available_ports};

    use super::{OpenError, PathBuf, UsbId};

    impl UsbId {
        /// The path of the port as things are now.
        ///
        /// # Errors
        ///
        /// No port is that device's, or several are, or the system does not tell which ports there are.
        pub fn find(&self) -> Result<PathBuf, OpenError> {
            self.find_among(ports(self)?)
        }

        pub(super) fn find_among(&self, ports: Vec<SerialPortInfo>) -> Result<PathBuf, OpenError> {
            let mut found: Vec<_> = ports.into_iter().filter(|port| self.is_of(port)).collect();
            found.sort_by(|one, other| one.port_name.cmp(&other.port_name));
            match found.as_slice() {
                [] => Err(OpenError::NotFound { address: self.to_string() }),
                [port] => Ok(PathBuf::from(&port.port_name)),
                several => Err(OpenError::Ambiguous {
                    address: self.to_string(),
                    ports: several.iter().map(named).collect::<Vec<_>>().join(", "),
                }),
            }
        }

        fn is_of(&self, port: &SerialPortInfo) -> bool {
            let SerialPortType::UsbPort(usb) = &port.port_type else { return false };
            // macOS lists each port twice; this one waits for a carrier when it is opened.
            let is_double = port.port_name.starts_with("/dev/tty.");
            let fits = |wanted: &Option<_>, has: &Option<_>| wanted.is_none() || wanted == has;
            !is_double
                && (usb.vid, usb.pid) == (self.vid, self.pid)
                && (self.serial.is_none() || self.serial == usb.serial_number)
                && fits(&self.interface, &usb.interface)
        }
    }

    /// A port with what tells it from its like.
    fn named(port: &SerialPortInfo) -> String {
        let SerialPortType::UsbPort(usb) = &port.port_type else { return port.port_name.clone() };
        let serial =
            usb.serial_number.as_deref().map(|serial| format!(" serial {}", serial.escape_default()));
        let interface = usb.interface.map(|interface| format!(" interface {interface}"));
        [Some(port.port_name.clone()), serial, interface].into_iter().flatten().collect()
    }

    fn ports(id: &UsbId) -> Result<Vec<SerialPortInfo>, OpenError> {
        // The crate that lists the ports panics where a container has no such directory.
        if cfg!(target_os = "linux") && !std::path::Path::new("/sys/class/tty").is_dir() {
            return Err(OpenError::NotFound { address: id.to_string() });
        }
        available_ports().map_err(|error| OpenError::Io { address: id.to_string(), source: error.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_read_and_shown() {
        let id = |serial: Option<&str>, interface| UsbId {
            vid: 0x2c7c,
            pid: 0x6005,
            serial: serial.map(str::to_owned),
            interface,
        };
        for (text, expected) in [
            ("usb:2c7c:6005", id(None, None)),
            ("usb:2c7c:6005:0123", id(Some("0123"), None)),
            ("usb:2c7c:6005:0123:2", id(Some("0123"), Some(2))),
            ("usb:2c7c:6005::2", id(None, Some(2))),
            ("usb:2c7c:6005:a1:b2:c3:0", id(Some("a1:b2:c3"), Some(0))),
            ("usb:2c7c:6005:a1:b2:", id(Some("a1:b2"), None)),
        ] {
            assert_eq!(text.parse::<UsbId>().unwrap(), expected, "{text}");
            assert_eq!(expected.to_string(), text);
        }
        assert_eq!("usb:1:A".parse::<UsbId>().unwrap().to_string(), "usb:0001:000a");
        for text in ["usb:", "usb:2c7c", "usb:2c7c:", "usb:2c7c:xyz", "usb:2c7c:6005:0123:x", "usb:1:2:s:256"]
        {
            assert!(matches!(text.parse::<UsbId>(), Err(OpenError::Address { .. })), "{text}");
        }
    }

    #[cfg(feature = "serial")]
    mod finding {
        use serialport::{SerialPortInfo, SerialPortType, UsbPortInfo};

        use super::*;

        fn port(name: &str, pid: u16, serial: &str, interface: u8) -> SerialPortInfo {
            let usb = UsbPortInfo {
                vid: 0x2c7c,
                pid,
                serial_number: Some(serial.to_owned()).filter(|it| !it.is_empty()),
                manufacturer: None,
                product: None,
                interface: Some(interface),
            };
            SerialPortInfo { port_name: name.to_owned(), port_type: SerialPortType::UsbPort(usb) }
        }

        fn find(id: &str, ports: &[SerialPortInfo]) -> Result<PathBuf, OpenError> {
            id.parse::<UsbId>().unwrap().find_among(ports.to_vec())
        }

        #[test]
        fn f59_a_module_is_found_under_whatever_name_it_comes_back() {
            let before = [port("/dev/ttyUSB0", 0x6005, "a", 0), port("/dev/ttyUSB2", 0x6005, "a", 2)];
            // Its old names are now those of another module of the same make.
            let after = [
                port("/dev/ttyUSB0", 0x6005, "b", 0),
                port("/dev/ttyUSB2", 0x6005, "b", 2),
                port("/dev/ttyUSB5", 0x6005, "a", 0),
                port("/dev/ttyUSB7", 0x6005, "a", 2),
            ];
            assert_eq!(find("usb:2c7c:6005:a:2", &before).unwrap(), PathBuf::from("/dev/ttyUSB2"));
            assert_eq!(find("usb:2c7c:6005:a:2", &after).unwrap(), PathBuf::from("/dev/ttyUSB7"));
            assert_eq!(find("usb:2c7c:6005::2", &before).unwrap(), PathBuf::from("/dev/ttyUSB2"));
        }

        #[test]
        fn what_is_not_there_or_not_clear_is_told() {
            let other =
                SerialPortInfo { port_name: "/dev/ttyS0".to_owned(), port_type: SerialPortType::Unknown };
            let ports = [
                port("/dev/ttyUSB3", 0x6005, "", 3),
                port("/dev/ttyUSB2", 0x6005, "a\u{1b}", 2),
                port("/dev/tty.usb", 0x0900, "c", 2),
                other,
            ];
            for id in ["usb:2c7c:6005:b", "usb:2c7c:6005::7", "usb:2c7c:0125", "usb:2c7c:0900"] {
                let error = find(id, &ports).unwrap_err();
                assert_eq!(error.to_string(), format!("there is no port {id}"));
            }
            assert_eq!(
                find("usb:2c7c:6005", &ports).unwrap_err().to_string(),
                "usb:2c7c:6005 may be any of /dev/ttyUSB2 serial a\\u{1b} interface 2, /dev/ttyUSB3 interface 3"
            );
        }

        #[test]
        fn the_system_is_asked_without_a_panic() {
            let error = "usb:ffff:ffff".parse::<UsbId>().unwrap().find().unwrap_err();
            assert!(matches!(error, OpenError::NotFound { .. } | OpenError::Io { .. }), "{error}");
        }
    }
}
