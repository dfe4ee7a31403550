//! `mqttat ports`

use std::io::Write;
use std::time::Duration;

use mqtt_at::Fault;
use serde::Serialize;
use serialport::{SerialPortInfo, SerialPortType};

use super::Context;
use crate::args::ports::Ports;
use crate::failure::Failure;
use crate::output;

mod probe;

pub(super) async fn run(args: &Ports, context: &Context) -> Result<(), Failure> {
    let mut ports = list(&args.ports)?;
    if ports.is_empty() {
        context.remark("no serial ports are there");
    }
    if args.probe {
        probe::all(&mut ports, Duration::from_secs(args.wait), context).await;
    }
    if context.global.json {
        for port in &ports {
            output::print_json(port)?;
        }
        return Ok(());
    }
    output::print(|out| ports.iter().try_for_each(|port| port.write(out))).map(drop)
}

/// A serial port, as far as the system knows it.
#[derive(Debug, Default, Serialize)]
struct Port {
    port: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    usb: Option<Usb>,
    /// Who is behind it, if that was asked.
    #[serde(flatten)]
    behind: Option<probe::Finding>,
}

/// The USB device behind a port. A module has several ports, told apart by their interface.
#[derive(Debug, Serialize)]
struct Usb {
    vid: String,
    pid: String,
    interface: Option<u8>,
    manufacturer: Option<String>,
    product: Option<String>,
    serial: Option<String>,
}

impl Port {
    fn of(info: SerialPortInfo) -> Self {
        let (kind, usb) = match info.port_type {
            SerialPortType::UsbPort(usb) => {
                let usb = Usb {
                    vid: format!("{:04x}", usb.vid),
                    pid: format!("{:04x}", usb.pid),
                    interface: usb.interface,
                    manufacturer: usb.manufacturer,
                    product: usb.product,
                    serial: usb.serial_number,
                };
                ("usb", Some(usb))
            }
            SerialPortType::PciPort => ("pci", None),
            SerialPortType::BluetoothPort => ("bluetooth", None),
            SerialPortType::Unknown => ("unknown", None),
        };
        Self { port: info.port_name, kind, usb, behind: None }
    }

    /// A port that the system does not list.
    fn named(path: &str) -> Self {
        Self { port: path.to_owned(), kind: "named", ..Self::default() }
    }

    fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        writeln!(out, "{}", self.row())?;
        match &self.behind {
            Some(finding) => {
                let words: String = finding.words().chars().filter(|it| !it.is_control()).collect();
                writeln!(out, "    {words}")
            }
            None => Ok(()),
        }
    }

    fn row(&self) -> String {
        let Some(usb) = &self.usb else { return format!("{:<16} {}", self.port, self.kind) };
        let interface = usb.interface.map_or_else(|| "  -".to_owned(), |number| format!("{number:>3}"));
        let name = [&usb.manufacturer, &usb.product, &usb.serial];
        let name = name.into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ");
        let name: String = name.chars().filter(|character| !character.is_control()).collect();
        format!("{:<16} {} {}:{} {interface} {name}", self.port, self.kind, usb.vid, usb.pid)
            .trim_end()
            .to_owned()
    }
}

/// The ports that are named, or else all that the system lists.
fn list(named: &[String]) -> Result<Vec<Port>, Failure> {
    let listed = listed();
    if named.is_empty() {
        return listed;
    }
    // What the system knows of a port that was named is shown; that it knows nothing is no failure.
    let mut listed = listed.unwrap_or_default();
    let find = |path: &String| {
        let position = listed.iter().position(|port| port.port == *path);
        position.map_or_else(|| Port::named(path), |position| listed.swap_remove(position))
    };
    Ok(named.iter().map(find).collect())
}

fn listed() -> Result<Vec<Port>, Failure> {
    // The crate that lists the ports panics where a container has no such directory.
    if cfg!(target_os = "linux") && !std::path::Path::new("/sys/class/tty").is_dir() {
        return Err(Failure::failed(
            "the system does not list its ports: /sys/class/tty is missing",
            Fault::Caller,
        )
        .remedy("give the port's path with --device"));
    }
    let ports = serialport::available_ports().map_err(|error| {
        Failure::failed(format!("the system does not list its ports: {error}"), Fault::Caller)
            .remedy("give the port's path with --device")
    })?;
    let mut ports: Vec<_> = ports.into_iter().map(Port::of).collect();
    ports.sort_by(|one, other| one.port.cmp(&other.port));
    Ok(ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_names_the_usb_device() {
        let usb = Usb {
            vid: "2c7c".to_owned(),
            pid: "0125".to_owned(),
            interface: Some(2),
            manufacturer: Some("Quectel".to_owned()),
            product: Some("EC25\x1b[2J".to_owned()),
            serial: None,
        };
        let port = Port { port: "/dev/ttyUSB2".to_owned(), kind: "usb", usb: Some(usb), behind: None };
        assert_eq!(port.row(), "/dev/ttyUSB2     usb 2c7c:0125   2 Quectel EC25[2J");
        let port = Port { port: "/dev/ttyS0".to_owned(), kind: "unknown", ..Port::default() };
        assert_eq!(port.row(), "/dev/ttyS0       unknown");
        assert_eq!(serde_json::to_string(&port).unwrap(), r#"{"port":"/dev/ttyS0","kind":"unknown"}"#);
    }
}
