//! `AT+QICSGP`, `AT+QIACT`, `AT+QIDEACT`, `AT+QIGETERROR`, after Quectel's TCP/IP application notes.

use super::{Obeyed, Quectel, small};
use crate::common::network::Network;
use crate::link::DialFailure;
use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;

/// Contexts these commands accept.
const CONTEXTS: i64 = 15;
/// The longest APN, user name and password, in bytes.
const LONGEST: usize = 127;

/// `<err_code>` of `+QMTSTAT` for clients whose context the host itself took down: the link is not alive
/// [EC200x MQTT 1.0 §4.1].
const LINK_NOT_ALIVE: u8 = 7;

const OPEN_CONTEXT_FAILED: u16 = 561;
pub(super) const SOCKET_CONNECT_FAILED: u16 = 566;
const NOT_ALLOWED: u16 = 572;

pub(super) fn settings(core: &mut Core, command: &Command) -> Obeyed {
    match command.form {
        Form::Test => Ok(Answer::line("+QICSGP: (1-15),(1-3),<APN>,<username>,<password>,(0-3)")),
        Form::Write => {
            command.at_most(6)?;
            let number = small(command.int(0, 1..=CONTEXTS)?);
            if command.args.len() == 1 {
                let context = core.network.contexts.get(&number).cloned().unwrap_or_default();
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                return Ok(Answer::line(format!(
                    "+QICSGP: {},\"{}\",\"{}\",\"{}\",{}",
                    match context.kind.as_str() {
                        "IPV6" => 2,
                        "IPV4V6" => 3,
                        _ => 1,
                    },
                    text(&context.apn),
                    text(&context.user),
                    text(&context.password),
                    context.authentication
                )));
            }
            let kind = match command.int(1, 1..=3)? {
                2 => "IPV6",
                3 => "IPV4V6",
                _ => "IP",
            };
            let apn = command.opt_text(2, 0..=LONGEST)?.unwrap_or_default();
            let user = command.opt_text(3, 0..=LONGEST)?.unwrap_or_default();
            let password = command.opt_text(4, 0..=LONGEST)?.unwrap_or_default();
            let authentication = small(command.opt_int(5, 0..=3)?.unwrap_or(0));
            let context = core.network.context(number);
            context.kind = kind.to_owned();
            (context.apn, context.user, context.password) = (apn, user, password);
            context.authentication = authentication;
            Ok(Answer::ok())
        }
        Form::Execute | Form::Read => Err(Refusal::Error),
    }
}

impl Quectel {
    pub(super) fn activate(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => Ok(Answer::line("+QIACT: (1-15)")),
            Form::Read => {
                let active = core.network.contexts.iter().filter(|(_, context)| context.active);
                Ok(active.fold(Answer::ok(), |answer, (number, _)| {
                    answer.with(format!("+QIACT: {number},1,1,\"{}\"", Network::address(*number)))
                }))
            }
            Form::Write => {
                command.at_most(1)?;
                let number = small(command.int(0, 1..=CONTEXTS)?);
                if core.network.is_active(number) {
                    self.last_error = NOT_ALLOWED;
                    return Err(Refusal::Error);
                }
                if !core.sim.is_ready(core.now) || !core.network.activate(number) {
                    self.last_error = OPEN_CONTEXT_FAILED;
                    return Err(Refusal::Error);
                }
                self.last_error = 0;
                Ok(Answer::ok())
            }
            Form::Execute => Err(Refusal::Error),
        }
    }

    pub(super) fn deactivate(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => Ok(Answer::line("+QIDEACT: (1-15)")),
            Form::Write => {
                command.at_most(1)?;
                let number = small(command.int(0, 1..=CONTEXTS)?);
                core.network.deactivate(number);
                self.close_clients_of(core, number, LINK_NOT_ALIVE);
                Ok(Answer::ok())
            }
            Form::Execute | Form::Read => Err(Refusal::Error),
        }
    }

    pub(super) fn get_error(&self, command: &Command) -> Obeyed {
        let Form::Execute = command.form else { return Err(Refusal::Error) };
        let text = match self.last_error {
            0 => "operate successfully",
            OPEN_CONTEXT_FAILED => "open PDP context failed",
            565 => "DNS parse failed",
            SOCKET_CONNECT_FAILED => "socket connect failed",
            569 => "operation timeout",
            NOT_ALLOWED => "operation not allowed",
            _ => "unknown error",
        };
        Ok(Answer::line(format!("+QIGETERROR: {},{text}", self.last_error)))
    }
}

/// The socket error behind a dial that failed. Every fault of a certificate is 566, as on real modules (quirk 1.19).
pub(super) fn dial_error(why: DialFailure) -> u16 {
    match why {
        DialFailure::NameUnknown => 565,
        DialFailure::TimedOut => 569,
        DialFailure::Refused | DialFailure::Handshake => SOCKET_CONNECT_FAILED,
    }
}
