//! `AT+MQTTPUB`, `AT+MQTTPUBS` and the same of the cloud's family [Neoway MQTT 1.2 §4, §5.6, §5.7, §B.2].

use bytes::Bytes;

use super::arguments::{counted_prompt, exactly, flag, quality, text, topic};
use super::{CLIENT, Flavour, Neoway, Obeyed};
use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;
use crate::mqtt::packet::Publish;

/// "1024 at most", inside the command.
const LONGEST_INLINE: usize = 1024;
/// "10240 bytes at most", behind the prompt.
const LONGEST_PAYLOAD: i64 = 10240;

/// What a publish says before its payload, and where its payload or length stands.
struct Header {
    flavour: Flavour,
    publish: Publish,
    last: usize,
}

impl Neoway {
    pub(super) fn publish(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        let Form::Write = command.form else { return Err(Refusal::Error) };
        let header = read_header(command)?;
        if matches!(command.name.as_str(), "+MQTTPUBS" | "+CLOUDPUBMSG") {
            let prompt = counted_prompt(core, command, header.last, LONGEST_PAYLOAD)?;
            self.require(core, header.flavour)?;
            return Ok(Answer::prompt(prompt));
        }
        let payload = text(command, header.last, 0..=LONGEST_INLINE)?;
        self.send(core, command, header, payload)
    }

    /// The payload is complete.
    pub(super) fn publish_data(&mut self, core: &mut Core, command: &Command, data: Bytes) -> Obeyed {
        self.send(core, command, read_header(command)?, data)
    }

    fn send(&mut self, core: &mut Core, command: &Command, header: Header, payload: Bytes) -> Obeyed {
        // The connection may have gone while the module waited for the payload.
        self.require(core, header.flavour)?;
        let (now, serial_no) = (core.now, command.serial_no);
        let session = core.session(CLIENT).ok_or(Refusal::Error)?;
        let id = if header.publish.qos > 0 { session.next_id() } else { 0 };
        session.publish(now, serial_no, Publish { id, payload, ..header.publish });
        Ok(header.flavour.answer())
    }
}

/// `<retained>,<qos>,<topic>,…` in the standard family, `<topic>,<qos>,…` in the cloud's.
fn read_header(command: &Command) -> Result<Header, Refusal> {
    let cloud = command.name.starts_with("+CLOUD");
    let (flavour, count) = if cloud { (Flavour::Cloud, 3) } else { (Flavour::Standard, 4) };
    exactly(command, count)?;
    let (retain, topic) = if cloud {
        (false, topic(command, 0, flavour)?)
    } else {
        (flag(command, 0)?, topic(command, 2, flavour)?)
    };
    let qos = quality(command, 1, 2)?;
    let publish = Publish { dup: false, qos, retain, id: 0, topic, payload: Bytes::new() };
    Ok(Header { flavour, publish, last: count - 1 })
}
