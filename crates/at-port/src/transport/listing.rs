//! The serial ports that the system has.

use std::io;
use std::path::PathBuf;

use serialport::{SerialPortInfo, SerialPortType, available_ports};

use super::{OpenError, UsbId};

/// A serial port, as the system lists it.
///
/// ```no_run
/// use at_port::transport::{Bus, ListedPort};
///
/// for port in ListedPort::all()? {
///     if let Bus::Usb { id, .. } = port.bus {
///         println!("{} is {id}", port.path.display()); // /dev/ttyUSB2 is usb:2c7c:6005:0123:2
///     }
/// }
/// # Ok::<(), at_port::transport::OpenError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedPort {
    /// Its path or name, such as `/dev/ttyUSB2` or `COM5`.
    pub path: PathBuf,
    /// What it hangs on.
    pub bus: Bus,
}

/// What a serial port hangs on.
///
/// [`ListedPort`] has an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Bus {
    /// A USB device. A module has several ports that differ in their interface alone.
    Usb {
        /// The name under which the port is found again, whatever its path is then.
        id: UsbId,
        /// The device's words for its maker.
        manufacturer: Option<String>,
        /// The device's words for itself.
        product: Option<String>,
    },
    /// A card in the computer.
    Pci,
    /// A radio link.
    Bluetooth,
    /// The system does not say.
    Unknown,
}

impl ListedPort {
    /// All ports that the system lists, by their paths. Pseudo terminals and the ports of network cards (`/dev/wwan0at0`)
    /// are not among them, and can be opened all the same.
    ///
    /// # Errors
    ///
    /// [`OpenError::Unlisted`]: the system does not tell, as in some containers.
    pub fn all() -> Result<Vec<Self>, OpenError> {
        let unlisted = |source| OpenError::Unlisted { source };
        // The crate that lists the ports panics where a container has no such directory.
        if cfg!(target_os = "linux") && !std::path::Path::new("/sys/class/tty").is_dir() {
            return Err(unlisted(io::Error::new(io::ErrorKind::NotFound, "/sys/class/tty is missing")));
        }
        let listed = available_ports().map_err(|error| unlisted(error.into()))?;
        let mut ports: Vec<_> = listed.into_iter().map(Self::of).collect();
        ports.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(ports)
    }

    fn of(info: SerialPortInfo) -> Self {
        let bus = match info.port_type {
            SerialPortType::UsbPort(usb) => Bus::Usb {
                id: UsbId { vid: usb.vid, pid: usb.pid, serial: usb.serial_number, interface: usb.interface },
                manufacturer: usb.manufacturer,
                product: usb.product,
            },
            SerialPortType::PciPort => Bus::Pci,
            SerialPortType::BluetoothPort => Bus::Bluetooth,
            SerialPortType::Unknown => Bus::Unknown,
        };
        Self { path: info.port_name.into(), bus }
    }
}

#[cfg(test)]
mod tests {
    use serialport::UsbPortInfo;

    use super::*;

    #[test]
    fn a_usb_port_is_named_so_that_it_is_found_again() {
        let usb = UsbPortInfo {
            vid: 0x2c7c,
            pid: 0x0125,
            serial_number: Some("a1".to_owned()),
            manufacturer: Some("Quectel".to_owned()),
            product: None,
            interface: Some(2),
        };
        let info =
            SerialPortInfo { port_name: "/dev/ttyUSB2".to_owned(), port_type: SerialPortType::UsbPort(usb) };
        let port = ListedPort::of(info);
        let Bus::Usb { id, manufacturer, product } = port.bus else { panic!("{:?}", port.bus) };
        assert_eq!(id.to_string(), "usb:2c7c:0125:a1:2");
        assert_eq!((manufacturer.as_deref(), product), (Some("Quectel"), None));
    }

    #[test]
    fn the_system_is_asked_without_a_panic() {
        match ListedPort::all() {
            Ok(ports) => assert!(ports.is_sorted_by_key(|port| port.path.clone())),
            Err(error) => assert!(matches!(error, OpenError::Unlisted { .. }), "{error}"),
        }
    }
}
