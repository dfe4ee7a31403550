//! `AT+QMTSUB` and `AT+QMTUNS` [EC200x MQTT 1.0 §3.2.6, §3.2.7].

use bytes::Bytes;

use super::{Obeyed, Quectel, client_index, medium, small};
use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;
use crate::mqtt::session::Session;

/// The longest topic filter; MQTT's own limit, as the manual gives none.
const LONGEST_TOPIC: usize = 65535;

impl Quectel {
    pub(super) fn sub(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => return Ok(Answer::line("+QMTSUB: (0-5), <msgid>,list of [\"topic\",qos]")),
            Form::Execute | Form::Read => return Err(Refusal::Error),
            Form::Write => {}
        }
        let count = command.args.len();
        if count < 4 || !count.is_multiple_of(2) {
            return Err(Refusal::Parameter);
        }
        let filters: Result<Vec<(Bytes, u8)>, Refusal> = (2..count)
            .step_by(2)
            .map(|at| Ok((command.text(at, 1..=LONGEST_TOPIC)?, small(command.int(at + 1, 0..=2)?))))
            .collect();
        let filters = filters?;
        let (now, serial_no) = (core.now, command.serial_no);
        let (session, id) = addressed(core, command)?;
        session.subscribe(now, serial_no, id, filters);
        Ok(Answer::deferred())
    }

    pub(super) fn uns(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => return Ok(Answer::line("+QMTUNS: (0-5),<msgid>,list of [\"topic\"]")),
            Form::Execute | Form::Read => return Err(Refusal::Error),
            Form::Write => {}
        }
        if command.args.len() < 3 {
            return Err(Refusal::Parameter);
        }
        let filters: Result<Vec<Bytes>, Refusal> =
            (2..command.args.len()).map(|at| command.text(at, 1..=LONGEST_TOPIC)).collect();
        let filters = filters?;
        let (now, serial_no) = (core.now, command.serial_no);
        let (session, id) = addressed(core, command)?;
        session.unsubscribe(now, serial_no, id, filters);
        Ok(Answer::deferred())
    }
}

/// The connected client and the free packet identifier that the command names. "It must be unique amongst the set of
/// in-flight messages" [EC200x MQTT 1.0 §3.2.6 note].
fn addressed<'a>(core: &'a mut Core, command: &Command) -> Result<(&'a mut Session, u16), Refusal> {
    let index = client_index(command, 0)?;
    let id = medium(command.int(1, 1..=65535)?);
    let session = core.session(index).filter(|session| session.is_connected()).ok_or(Refusal::Error)?;
    if session.in_flight(id) {
        return Err(Refusal::Error);
    }
    Ok((session, id))
}
