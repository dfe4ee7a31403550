//! Serial ports of USB devices, named by what the device is and not by the order in which it was plugged in.

use std::fmt;
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
    use std::path::PathBuf;

    use super::{OpenError, UsbId};
    use crate::transport::{Bus, ListedPort};

    impl UsbId {
        /// The path of the port as things are now.
        ///
        /// # Errors
        ///
        /// No port is that device's, or several are, or the system does not tell which ports there are.
        pub fn find(&self) -> Result<PathBuf, OpenError> {
            self.find_among(&ListedPort::all()?)
        }

        pub(super) fn find_among(&self, ports: &[ListedPort]) -> Result<PathBuf, OpenError> {
            let found: Vec<_> = ports.iter().filter(|port| self.is_of(port)).collect();
            match found.as_slice() {
                [] => Err(OpenError::NotFound { address: self.to_string() }),
                [port] => Ok(port.path.clone()),
                several => Err(OpenError::Ambiguous {
                    address: self.to_string(),
                    ports: several.iter().map(|port| named(port)).collect::<Vec<_>>().join(", "),
                }),
            }
        }

        fn is_of(&self, port: &ListedPort) -> bool {
            let Bus::Usb { id, .. } = &port.bus else { return false };
            // macOS lists each port twice; this one waits for a carrier when it is opened.
            let is_double = port.path.to_string_lossy().starts_with("/dev/tty.");
            !is_double
                && (id.vid, id.pid) == (self.vid, self.pid)
                && (self.serial.is_none() || self.serial == id.serial)
                && (self.interface.is_none() || self.interface == id.interface)
        }
    }

    /// A port with what tells it from its like.
    fn named(port: &ListedPort) -> String {
        let mut name = port.path.display().to_string();
        if let Bus::Usb { id, .. } = &port.bus {
            if let Some(serial) = &id.serial {
                name.push_str(&format!(" serial {}", serial.escape_default()));
            }
            if let Some(interface) = id.interface {
                name.push_str(&format!(" interface {interface}"));
            }
        }
        name
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
        use std::path::PathBuf;

        use super::*;
        use crate::transport::{Bus, ListedPort};

        fn port(name: &str, pid: u16, serial: &str, interface: u8) -> ListedPort {
            let serial = Some(serial.to_owned()).filter(|it| !it.is_empty());
            let id = UsbId { vid: 0x2c7c, pid, serial, interface: Some(interface) };
            ListedPort { path: name.into(), bus: Bus::Usb { id, manufacturer: None, product: None } }
        }

        fn find(id: &str, ports: &[ListedPort]) -> Result<PathBuf, OpenError> {
            id.parse::<UsbId>().unwrap().find_among(ports)
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
            let other = ListedPort { path: "/dev/ttyS0".into(), bus: Bus::Unknown };
            let ports = [
                port("/dev/ttyUSB2", 0x6005, "a\u{1b}", 2),
                port("/dev/ttyUSB3", 0x6005, "", 3),
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
    }
}
