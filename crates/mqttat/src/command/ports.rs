//! `mqttat ports`

use std::error::Error as _;
use std::io::Write;
use std::time::Duration;

use mqtt_at::Fault;
use mqtt_at::at::{Bus, ListedPort, OpenError};
use serde::Serialize;

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
    /// What `--device` takes, so that the port is found again under another name.
    device: String,
    vid: String,
    pid: String,
    interface: Option<u8>,
    manufacturer: Option<String>,
    product: Option<String>,
    serial: Option<String>,
}

impl Port {
    fn of(listed: ListedPort) -> Self {
        let (kind, usb) = match listed.bus {
            Bus::Usb { id, manufacturer, product } => {
                let usb = Usb {
                    device: id.to_string(),
                    vid: format!("{:04x}", id.vid),
                    pid: format!("{:04x}", id.pid),
                    interface: id.interface,
                    manufacturer,
                    product,
                    serial: id.serial,
                };
                ("usb", Some(usb))
            }
            Bus::Pci => ("pci", None),
            Bus::Bluetooth => ("bluetooth", None),
            _ => ("unknown", None),
        };
        Self { port: listed.path.display().to_string(), kind, usb, behind: None }
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
        let name: Vec<_> =
            [&usb.manufacturer, &usb.product].into_iter().flatten().map(String::as_str).collect();
        let row = format!("{:<16} {:<28} {}", self.port, usb.device, name.join(" "));
        row.trim_end().chars().filter(|character| !character.is_control()).collect()
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
    // That no port was opened goes without saying here.
    let unlisted = |error: OpenError| {
        let cause = error.source().map_or_else(String::new, |cause| format!(": {cause}"));
        Failure::failed(format!("{error}{cause}"), Fault::Caller).remedy(error.remedy().unwrap_or_default())
    };
    Ok(ListedPort::all().map_err(unlisted)?.into_iter().map(Port::of).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_names_the_usb_device() {
        let usb = Usb {
            device: "usb:2c7c:0125::2".to_owned(),
            vid: "2c7c".to_owned(),
            pid: "0125".to_owned(),
            interface: Some(2),
            manufacturer: Some("Quectel".to_owned()),
            product: Some("EC25\x1b[2J".to_owned()),
            serial: None,
        };
        let port = Port { port: "/dev/ttyUSB2".to_owned(), kind: "usb", usb: Some(usb), behind: None };
        assert_eq!(port.row(), "/dev/ttyUSB2     usb:2c7c:0125::2             Quectel EC25[2J");
        let port = Port { port: "/dev/ttyS0".to_owned(), kind: "unknown", ..Port::default() };
        assert_eq!(port.row(), "/dev/ttyS0       unknown");
        assert_eq!(serde_json::to_string(&port).unwrap(), r#"{"port":"/dev/ttyS0","kind":"unknown"}"#);
    }
}
