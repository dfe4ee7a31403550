//! `AT+MQTTSUB` and `AT+MQTTUNSUB` [Fibocom MQTT 1.2.6 §1.5, §1.6].

use super::{Fibocom, Obeyed, client_index, exactly, small, test_only, topic};
use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;
use crate::mqtt::session::Session;

impl Fibocom {
    pub(super) fn sub(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        let Form::Write = command.form else { return test_only(command, "+MQTTSUB: (1,2),255,(0-2)") };
        exactly(command, 3)?;
        let filter = topic(command, 1)?;
        let qos = small(command.int(2, 0..=2)?);
        let (now, serial_no) = (core.now, command.serial_no);
        let session = connected(core, command)?;
        let id = session.next_id();
        session.subscribe(now, serial_no, id, vec![(filter, qos)]);
        Ok(Answer::deferred())
    }

    pub(super) fn unsub(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        let Form::Write = command.form else { return test_only(command, "+MQTTUNSUB: (1,2),255") };
        exactly(command, 2)?;
        let filter = topic(command, 1)?;
        let (now, serial_no) = (core.now, command.serial_no);
        let session = connected(core, command)?;
        let id = session.next_id();
        session.unsubscribe(now, serial_no, id, vec![filter]);
        Ok(Answer::deferred())
    }
}

/// The connected client that the command names.
pub(super) fn connected<'a>(core: &'a mut Core, command: &Command) -> Result<&'a mut Session, Refusal> {
    let index = client_index(command, 0)?;
    core.session(index).filter(|session| session.is_connected()).ok_or(Refusal::Error)
}
