//! The serial line between host and module.

use at_codec::CommandLine;
use at_port::{Operation, Reply};

use super::answer;
use crate::command::{Command, Unreadable};
use crate::error::InputError;

/// `AT+IFC?`: how host and module keep each other from sending too fast [V.250 §6.2.12].
///
/// ```
/// use mqtt_at::{Command, common::FlowControl};
///
/// let command = FlowControl;
/// assert_eq!(command.operation()?.to_string(), "AT+IFC?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowControl;

impl Command for FlowControl {
    type Answer = LineControls;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(answer::named(CommandLine::read("+IFC"), "+IFC"))
    }

    fn read(&self, reply: &Reply) -> Result<LineControls, Unreadable> {
        let mut fields = answer::fields(reply, "+IFC")?;
        let mut next = || match answer::number(&mut fields) {
            Some(0u8) => Ok(LineControl::None),
            Some(1) => Ok(LineControl::Characters),
            Some(2) => Ok(LineControl::Lines),
            _ => Err(Unreadable),
        };
        Ok(LineControls { by_host: next()?, by_module: next()? })
    }
}

/// `AT+IFC=…`: sets how host and module keep each other from sending too fast [V.250 §6.2.12].
///
/// XON and XOFF are characters of payloads, too, so only the RTS and CTS lines are of use for MQTT.
///
/// ```
/// use mqtt_at::{Command, common::{LineControls, SetFlowControl}};
///
/// let command = SetFlowControl(LineControls::RTS_CTS);
/// assert_eq!(command.operation()?.to_string(), "AT+IFC=2,2");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetFlowControl(pub LineControls);

impl Command for SetFlowControl {
    type Answer = ();

    fn operation(&self) -> Result<Operation, InputError> {
        let LineControls { by_host, by_module } = self.0;
        let line = CommandLine::write("+IFC").integer(by_host as u8).integer(by_module as u8).finish();
        Ok(answer::plain(line))
    }

    fn read(&self, _: &Reply) -> Result<(), Unreadable> {
        Ok(())
    }
}

/// The flow control of both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineControls {
    /// How the host holds the module off.
    pub by_host: LineControl,
    /// How the module holds the host off.
    pub by_module: LineControl,
}

impl LineControls {
    /// None in either direction.
    pub const NONE: Self = Self { by_host: LineControl::None, by_module: LineControl::None };
    /// RTS and CTS.
    pub const RTS_CTS: Self = Self { by_host: LineControl::Lines, by_module: LineControl::Lines };
}

/// How one side holds the other off. The set is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum LineControl {
    /// Not at all.
    None = 0,
    /// By the characters XON and XOFF.
    Characters = 1,
    /// By the lines RTS and CTS.
    Lines = 2,
}

/// `AT+IPR?`: the speed of the serial line in bits per second, 0 where the module finds it by itself [V.250 §6.2.10].
///
/// ```
/// use mqtt_at::{Command, common::BaudRate};
///
/// let command = BaudRate;
/// assert_eq!(command.operation()?.to_string(), "AT+IPR?");
/// # Ok::<(), mqtt_at::InputError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BaudRate;

impl Command for BaudRate {
    type Answer = u32;

    fn operation(&self) -> Result<Operation, InputError> {
        Ok(answer::named(CommandLine::read("+IPR"), "+IPR"))
    }

    fn read(&self, reply: &Reply) -> Result<u32, Unreadable> {
        answer::number(&mut answer::fields(reply, "+IPR")?).ok_or(Unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bringup::script::ask;

    #[tokio::test(start_paused = true)]
    async fn flow_control_is_read_and_set() {
        assert_eq!(ask(FlowControl, "+IFC: 2,2\nOK").await, ("AT+IFC?".into(), Ok(LineControls::RTS_CTS)));
        assert_eq!(ask(FlowControl, "+IFC: 0, 0\nOK").await.1, Ok(LineControls::NONE));
        assert!(ask(FlowControl, "+IFC: 2\nOK").await.1.is_err());
        assert!(ask(FlowControl, "+IFC: 3,0\nOK").await.1.is_err());
        assert_eq!(ask(SetFlowControl(LineControls::RTS_CTS), "OK").await, ("AT+IFC=2,2".into(), Ok(())));
        assert_eq!(ask(SetFlowControl(LineControls::NONE), "OK").await.0, "AT+IFC=0,0");
    }

    #[tokio::test(start_paused = true)]
    async fn the_speed_of_the_line() {
        assert_eq!(ask(BaudRate, "+IPR: 9600\nOK").await, ("AT+IPR?".into(), Ok(9600)));
        assert_eq!(ask(BaudRate, "+IPR: 115200\n\nOK").await.1, Ok(115_200));
        assert!(ask(BaudRate, "+IPR: fast\nOK").await.1.is_err());
    }
}
