//! The network: `AT+XIIC`, `AT+CREG?`, `AT+CSQ` [Neoway MQTT 1.2 §2, §3].

use std::time::Duration;

use super::arguments::{exactly, flag};
use super::{CONTEXT, Neoway, Obeyed};
use crate::common::commands::obey;
use crate::common::network::Network;
use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;
use crate::quirk::{AddressForm, Quirk};

/// From `AT+XIIC=1` to the address.
const DIALLING_TIME: Duration = Duration::from_millis(800);

/// The call-back of an address that is due.
pub(super) const ADDRESS_DUE: u32 = 0;

/// The address in the second line with [`AddressForm::TwoLines`].
const IPV6: &str = "2001:DB8:0:1:0:0:0:2";

impl Neoway {
    /// `AT+XIIC=1` is obeyed at once; the address is to be asked for until it is there.
    pub(super) fn call(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        core.sim.require(core.now)?;
        match command.form {
            // The manual's table asks for the address with the test form, its examples with the read form.
            Form::Read | Form::Test => Ok(address(core)),
            Form::Write => {
                exactly(command, 1)?;
                self.dialling = flag(command, 0)?;
                if self.dialling {
                    core.call_back(DIALLING_TIME, ADDRESS_DUE);
                } else {
                    core.lose_context(CONTEXT);
                }
                Ok(Answer::ok())
            }
            Form::Execute => Err(Refusal::Error),
        }
    }

    /// The network answers the dialling, perhaps with no.
    pub(super) fn dialled(&mut self, core: &mut Core) {
        if std::mem::take(&mut self.dialling) && !core.network.activate(CONTEXT) {
            core.note("the network refuses the context");
        }
    }
}

fn address(core: &Core) -> Answer {
    let form = core.quirk(|quirk| match quirk {
        Quirk::Address(form) => Some(*form),
        _ => None,
    });
    let (state, address) = if core.network.is_active(CONTEXT) {
        (1, Network::address(CONTEXT))
    } else {
        (0, "0.0.0.0".to_owned())
    };
    match form {
        None => Answer::line(format!("+XIIC: {state},{address}")),
        Some(AddressForm::Padded) => Answer::line(format!("+XIIC:    {state},{address}")),
        Some(AddressForm::PaddedWithBlank) => Answer::line(format!("+XIIC:    {state}, {address}")),
        Some(AddressForm::TwoLines) if state == 1 => {
            Answer::line(format!("+XIIC: 1,{address}")).with(format!("+XIIC: 1,{IPV6}"))
        }
        Some(AddressForm::TwoLines) => Answer::line(format!("+XIIC: 0,{address}")),
    }
}

/// The manual's example answers `AT+CREG?` with `+CEREG:`.
pub(super) fn registration(core: &mut Core, command: &Command) -> Option<Answer> {
    let mut answer = obey(core, command)?;
    if command.form == Form::Read && !core.has(Quirk::CregUnderItsName) {
        for line in &mut answer.info {
            if let Some(rest) = line.strip_prefix(b"+CREG") {
                *line = [b"+CEREG", rest].concat().into();
            }
        }
    }
    Some(answer)
}

/// `+CSQ: 24, 99`, with a blank as in the manual's example.
pub(super) fn signal(core: &mut Core, command: &Command) -> Option<Answer> {
    let mut answer = obey(core, command)?;
    if command.form == Form::Execute {
        answer.info = vec![format!("+CSQ: {}, 99", core.network.signal).into()];
    }
    Some(answer)
}
