//! `AT+CIPSTA?` and `AT+SYSLOG`: the module's address, and whether it tells reasons [ESP-AT TCP/IP, CIPSTA]
//! [ESP-AT Basic, SYSLOG].

use std::net::IpAddr;

use at_codec::{CommandLine, Fields};
use at_port::{Answer, Exchange, Operation, Reply};

use super::done;
use crate::command::{Command, Unreadable};
use crate::dialect::esp::facts::timeout;
use crate::error::InputError;

const STATION: &str = "+CIPSTA";

/// Asks for the address of the module in the Wi-Fi network that it has joined [ESP-AT TCP/IP, CIPSTA].
///
/// ```
/// use mqtt_at::{Command, esp::CipSta};
///
/// let command = CipSta;
/// assert_eq!(command.operation()?.to_string(), "AT+CIPSTA?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CipSta;

/// The answer of [`CipSta`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StationAddress {
    /// The address; `None` as long as the module has none.
    pub address: Option<IpAddr>,
}

impl Command for CipSta {
    type Answer = StationAddress;

    fn operation(&self) -> Result<Operation, InputError> {
        let exchange = Exchange::new(CommandLine::read(STATION)).answer(Answer::Named(STATION));
        Ok(exchange.timeout(timeout::COMMAND).into())
    }

    /// The line `+CIPSTA:ip:"address"`, among others for gateway, netmask and IPv6.
    fn read(&self, reply: &Reply) -> Result<StationAddress, Unreadable> {
        let found = reply.lines.iter().find_map(|line| {
            let address = Fields::of(line, STATION)?.rest().strip_prefix(b"ip:\"")?.strip_suffix(b"\"")?;
            std::str::from_utf8(address).ok()?.parse::<IpAddr>().ok()
        });
        let address = found.ok_or(Unreadable)?;
        Ok(StationAddress { address: Some(address).filter(|address| !address.is_unspecified()) })
    }
}

/// Switches on or off that refusals tell their reason, in a line `ERR CODE:0x…` [ESP-AT Basic, SYSLOG].
///
/// ```
/// use mqtt_at::{Command, esp::SysLog};
///
/// let command = SysLog(true);
/// assert_eq!(command.operation()?.to_string(), "AT+SYSLOG=1");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SysLog(pub bool);

impl Command for SysLog {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let line = CommandLine::write("+SYSLOG").integer(self.0).finish();
        Ok(Exchange::new(line).timeout(timeout::COMMAND).into())
    }

    fn read(&self, reply: &Reply) -> Result<(), Unreadable> {
        done(reply)
    }
}
