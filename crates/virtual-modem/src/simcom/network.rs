//! Contexts and the socket service around MQTT, as far as hosts use them [A7600 MQTT 1.00 §3].

use bytes::Bytes;

use super::quirk::SimComQuirk;
use super::refused::Refused;
use super::{CONTEXT, Obeyed, SimCom, has, small};
use crate::common;
use crate::common::network::{CONTEXTS, Network};
use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;

/// `AT+CGSOCKCONT` defines the same contexts as `AT+CGDCONT`.
pub(super) fn socket_contexts(core: &mut Core, command: &Command) -> Obeyed {
    let alias = Command { name: "+CGDCONT".to_owned(), ..command.clone() };
    let mut answer = common::commands::obey(core, &alias).ok_or(Refused::ERROR)?;
    for line in &mut answer.info {
        if let Some(rest) = line.strip_prefix(b"+CGDCONT") {
            *line = Bytes::from([b"+CGSOCKCONT", rest].concat());
        }
    }
    Ok(answer)
}

/// `AT+CGPADDR[=cid]`: addresses stand without quotes.
pub(super) fn addresses(core: &Core, command: &Command) -> Obeyed {
    let wanted = match command.form {
        Form::Test => return Ok(Answer::line("+CGPADDR: (1)")),
        Form::Write => Some(small(command.int(0, 1..=i64::from(CONTEXTS))?)),
        Form::Execute => None,
        Form::Read => return Err(Refused::ERROR),
    };
    let contexts = core.network.contexts.iter();
    let contexts = contexts.filter(|(number, _)| wanted.is_none_or(|wanted| wanted == **number));
    Ok(contexts.fold(Answer::ok(), |answer, (number, context)| {
        let address = if context.active { Network::address(*number) } else { "0.0.0.0".to_owned() };
        answer.with(format!("+CGPADDR: {number},{address}"))
    }))
}

/// `AT+CPSI?`: the cell the module is in.
pub(super) fn system_information(core: &Core, command: &Command) -> Obeyed {
    match command.form {
        Form::Read if core.network.is_registered() => Ok(Answer::line(
            "+CPSI: LTE,Online,001-01,0x1A2B,65299942,237,EUTRAN-BAND1,100,5,5,-84,-822,-549,13",
        )),
        Form::Read => Ok(Answer::line("+CPSI: NO SERVICE,Online")),
        Form::Test => Ok(Answer::ok()),
        Form::Execute | Form::Write => Err(Refused::ERROR),
    }
}

impl SimCom {
    pub(super) fn net_open(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => Ok(Answer::ok()),
            Form::Read => Ok(Answer::line(format!("+NETOPEN: {}", u8::from(self.net_open)))),
            Form::Execute => {
                if self.net_open {
                    let line = "+IP ERROR: Network is already opened";
                    return Ok(Answer::from(Refusal::Error).with(line));
                }
                let up = core.network.is_active(CONTEXT) || core.network.activate(CONTEXT);
                self.net_open = up || has(core, SimComQuirk::NetopenAlwaysSucceeds);
                core.result(command.serial_no, format!("+NETOPEN: {}", u8::from(!self.net_open)));
                Ok(Answer::deferred())
            }
            Form::Write => Err(Refused::ERROR),
        }
    }

    pub(super) fn net_close(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => Ok(Answer::ok()),
            Form::Execute if !self.net_open => Ok(Answer::from(Refusal::Error).with("+NETCLOSE: 2")),
            Form::Execute => {
                self.net_open = false;
                core.result(command.serial_no, "+NETCLOSE: 0");
                Ok(Answer::deferred())
            }
            Form::Read | Form::Write => Err(Refused::ERROR),
        }
    }

    pub(super) fn ip_address(&self, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => Ok(Answer::ok()),
            Form::Execute if !self.net_open => {
                Ok(Answer::from(Refusal::Error).with("+IP ERROR: Network not opened"))
            }
            Form::Execute => Ok(Answer::line(format!("+IPADDR: {}", Network::address(CONTEXT)))),
            Form::Read | Form::Write => Err(Refused::ERROR),
        }
    }
}
