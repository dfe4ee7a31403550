//! Identification, boot lines, restart and power-down.

use std::time::Duration;

use bytes::Bytes;

use super::quirk::SimComQuirk;
use super::refused::Refused;
use super::{Obeyed, SimCom, has};
use crate::fault::Reboot;
use crate::machine::answer::Answer;
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;

/// Between the answer to a command that ends this life and the end.
const GRACE: Duration = Duration::from_millis(100);

/// `ATI` and `AT+SIMCOMATI`.
pub(super) fn identification(core: &Core, command: &Command) -> Obeyed {
    let Form::Execute = command.form else { return Err(Refused::ERROR) };
    let identity = &core.identity;
    Ok(Answer::line(format!("Manufacturer: {}", identity.manufacturer))
        .with(format!("Model: {}", identity.model))
        .with(format!("Revision: {}", identity.revision))
        .with(format!("IMEI: {}", identity.imei))
        .with("+GCAP: +CGSM"))
}

pub(super) fn iccid(core: &Core, command: &Command) -> Obeyed {
    core.sim.require(core.now)?;
    match command.form {
        Form::Execute | Form::Read => Ok(Answer::line(format!("+ICCID: {}", core.sim.iccid))),
        Form::Test => Ok(Answer::ok()),
        Form::Write => Err(Refused::ERROR),
    }
}

/// `OK`, and the call-back with this number in a moment.
pub(super) fn later(core: &mut Core, command: &Command, number: u32) -> Obeyed {
    match command.form {
        Form::Execute => core.call_back(GRACE, number),
        Form::Test => {}
        Form::Read | Form::Write => return Err(Refused::ERROR),
    }
    Ok(Answer::ok())
}

pub(super) fn power_down(core: &mut Core) {
    core.urc("NORMAL POWER DOWN");
    core.power_off_in(GRACE);
}

impl SimCom {
    /// `AT+CRESET`: the network goes first, which is seen, and then the module.
    pub(super) fn reset(&mut self, core: &mut Core) {
        self.network_gone(core);
        core.restart_in(GRACE, Reboot::Loud);
    }
}

pub(super) fn banner(core: &Core) -> Vec<(Duration, Bytes)> {
    let first = if has(core, SimComQuirk::BootsWithRdy) { "RDY" } else { "*ATREADY: 1" };
    let pin = match core.sim.state(core.now) {
        Ok(state) => format!("+CPIN: {state}"),
        Err(_) => "+CPIN: NOT INSERTED".to_owned(),
    };
    let mut lines = vec![(0, first.to_owned()), (400, pin)];
    if has(core, SimComQuirk::BootChatter) {
        for (after, line) in [
            (150, "*ISIMAID: \"A0000000871004FF49FF0589FFFFFFFF\""),
            (250, "+MSTK: 11, \"D00D8103010500820281829902090A\""),
            (600, "+MSTK: 14"),
            (900, "+CGEV: EPS PDN ACT 1"),
            (1200, "*COPN:0,\"Virtual Mobile\""),
        ] {
            lines.push((after, line.to_owned()));
        }
    } else {
        lines.push((1500, "SMS DONE".to_owned()));
    }
    lines.push((4000, "PB DONE".to_owned()));
    lines.into_iter().map(|(after, line)| (Duration::from_millis(after), Bytes::from(line))).collect()
}
