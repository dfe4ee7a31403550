//! The data call: `AT+MIPCALL` [Fibocom MQTT 1.2.6 §3.1].

use super::{CONTEXT, Fibocom, Obeyed};
use crate::common::network::Network;
use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;
use crate::quirk::{CallForm, Quirk};

/// The longest APN, user name and password, in bytes.
const LONGEST: usize = 100;

/// What a call reports as its address with [`CallForm::Ipv6`].
const IPV6: &str = "2001:DB8:0:1:0:0:0:2";

impl Fibocom {
    pub(super) fn call(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => Ok(Answer::line("+MIPCALL: (0,1)")),
            Form::Read if core.network.is_active(CONTEXT) => {
                Ok(Answer::line(format!("+MIPCALL: 1,{}", Network::address(CONTEXT))))
            }
            Form::Read => Ok(Answer::line("+MIPCALL: 0")),
            Form::Write => {
                command.at_most(4)?;
                if command.int(0, 0..=1)? == 1 { call(core, command) } else { self.hang_up(core, command) }
            }
            Form::Execute => Err(Refusal::Error),
        }
    }

    fn hang_up(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        command.at_most(1)?;
        core.network.deactivate(CONTEXT);
        core.result(command.serial_no, "+MIPCALL: 0");
        self.lose_network(core);
        Ok(Answer::deferred())
    }
}

/// `AT+MIPCALL=1[,"apn"[,"user"[,"password"]]]`. A call that is up already is an error (quirk 3.5).
fn call(core: &mut Core, command: &Command) -> Obeyed {
    let apn = command.opt_text(1, 0..=LONGEST)?;
    let user = command.opt_text(2, 0..=LONGEST)?;
    let password = command.opt_text(3, 0..=LONGEST)?;
    if core.network.is_active(CONTEXT) {
        return Err(Refusal::Error);
    }
    let context = core.network.context(CONTEXT);
    for (field, text) in
        [(&mut context.apn, apn), (&mut context.user, user), (&mut context.password, password)]
    {
        if let Some(text) = text {
            *field = text;
        }
    }
    if !core.network.activate(CONTEXT) {
        return Err(Refusal::Error);
    }
    let form = core.quirk(|quirk| match quirk {
        Quirk::Call(form) => Some(*form),
        _ => None,
    });
    let address = Network::address(CONTEXT);
    let line = match form {
        Some(CallForm::OkOnly) => return Ok(Answer::ok()),
        None => format!("+MIPCALL: {address}"),
        Some(CallForm::WithState) => format!("+MIPCALL: 1,{address}"),
        Some(CallForm::StateOnly) => "+MIPCALL:1".to_owned(),
        Some(CallForm::Ipv6) => format!("+MIPCALL: {IPV6}"),
    };
    core.result(command.serial_no, line);
    Ok(Answer::deferred())
}
