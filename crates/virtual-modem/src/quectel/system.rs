//! `AT+QURCCFG` and `AT+QPOWD`.

use std::time::Duration;

use super::{Obeyed, Quectel};
use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;

const PORTS: [&str; 4] = ["usbat", "usbmodem", "uart1", "all"];

impl Quectel {
    /// `AT+QURCCFG="urcport"[,"uart1"]`: where unsolicited lines go (quirk 1.18).
    pub(super) fn urc_cfg(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => {
                Ok(Answer::line("+QURCCFG: \"urcport\",(\"usbat\",\"usbmodem\",\"uart1\",\"all\")"))
            }
            Form::Write => {
                command.at_most(2)?;
                if command.key(0)? != "urcport" {
                    return Err(Refusal::Parameter);
                }
                let Some(port) = command.opt_text(1, 1..=16)? else {
                    return Ok(Answer::line(format!("+QURCCFG: \"urcport\",\"{}\"", self.urc_port)));
                };
                let port =
                    PORTS.into_iter().find(|known| known.as_bytes() == port).ok_or(Refusal::Parameter)?;
                self.urc_port = port.to_owned();
                core.muted = false;
                Ok(Answer::ok())
            }
            Form::Execute | Form::Read => Err(Refusal::Error),
        }
    }
}

/// `AT+QPOWD[=0|1]`: `OK`, `POWERED DOWN`, and nothing more until power comes back.
pub(super) fn power_down(core: &mut Core, command: &Command) -> Obeyed {
    match command.form {
        Form::Test => return Ok(Answer::line("+QPOWD: (0,1)")),
        Form::Read => return Err(Refusal::Error),
        Form::Execute | Form::Write => {}
    }
    command.at_most(1)?;
    command.opt_int(0, 0..=1)?;
    core.power_off_in(Duration::from_millis(300));
    Ok(Answer::ok())
}
