//! Fibocom NL668, NL661 and M910, after `FIBOCOM AT Commands User Manual_MQTT V1.2.6`.

mod call;
mod connection;
mod events;
mod login;
mod publish;
mod receive;
mod subscribe;

use std::time::Duration;

use bytes::Bytes;

use self::connection::Opening;
use self::login::Login;
use self::receive::{Mode, Queue};
use crate::common::identity::Identity;
use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::Command;
use crate::machine::core::Core;
use crate::machine::firmware::Firmware;
use crate::mqtt::packet::Will;
use crate::mqtt::session::Event;
use crate::quirk::Quirk;

/// "Valid client id is 1, 2" [Fibocom MQTT 1.2.6 §1.2].
const CLIENTS: usize = 2;

/// The one data context.
const CONTEXT: u8 = 1;

/// The state of Fibocom's own commands. "Persistent: No" is said of all of them: nothing survives a restart.
#[derive(Debug, Default)]
pub(crate) struct Fibocom {
    clients: [Client; CLIENTS],
    mode: Mode,
}

/// One MQTT client.
#[derive(Debug, Default)]
struct Client {
    login: Option<Login>,
    will: Option<Will>,
    opening: Option<Opening>,
    queue: Queue,
}

type Obeyed = Result<Answer, Refusal>;

impl Firmware for Fibocom {
    fn identity(&self) -> Identity {
        Identity {
            manufacturer: "Fibocom".to_owned(),
            model: "NL668-CN-00".to_owned(),
            revision: "19006.1000.00.01.01.05".to_owned(),
            imei: "866873040012345".to_owned(),
        }
    }

    fn clients(&self) -> usize {
        CLIENTS
    }

    fn power_on(&mut self, core: &mut Core) {
        *self = Self::default();
        "CHN-UNICOM".clone_into(&mut core.network.operator);
        if core.has(Quirk::ContextAlreadyUp) {
            core.network.activate(CONTEXT);
        }
    }

    fn command(&mut self, core: &mut Core, command: &Command) -> Option<Answer> {
        let obey = match command.name.as_str() {
            "+MQTTUSER" => Self::user,
            "+MQTTWILL" => Self::will,
            "+MQTTOPEN" => Self::open,
            "+MQTTCLOSE" => Self::close,
            "+MQTTSUB" => Self::sub,
            "+MQTTUNSUB" => Self::unsub,
            "+MQTTPUB" => Self::publish,
            "+MQTTCONF" => Self::conf,
            "+MQTTREAD" => Self::read,
            "+MIPCALL" => Self::call,
            _ => return None,
        };
        // "Pin Restricted: Yes" is said of all of them.
        Some(core.sim.require(core.now).and_then(|()| obey(self, core, command)).into())
    }

    fn data(&mut self, core: &mut Core, command: &Command, data: Bytes, complete: bool) -> Answer {
        let answer = match command.name.as_str() {
            _ if !complete => Err(Refusal::Error),
            "+MQTTPUB" => self.publish_data(core, command, data),
            "+MQTTWILL" => self.will_data(command, data),
            _ => Err(Refusal::Error),
        };
        answer.into()
    }

    fn mqtt(&mut self, core: &mut Core, client: usize, event: Event) {
        self.mqtt_event(core, client, event);
    }

    fn context_lost(&mut self, core: &mut Core, context: u8) {
        if context == CONTEXT {
            let plus = if core.has(Quirk::CallLossWithoutPlus) { "" } else { "+" };
            core.urc(format!("{plus}MIPCALL: 0"));
            self.lose_network(core);
        }
    }

    fn registration_lost(&mut self, core: &mut Core) {
        // The data call goes with it, and what is reported then looks at the registration.
        core.lose_contexts();
    }

    fn called_back(&mut self, core: &mut Core, number: u32) {
        self.answer_slow_open(core, number);
    }

    fn banner(&self, core: &Core) -> Vec<(Duration, Bytes)> {
        let sim = if core.sim.present { "+SIM READY" } else { "+SIM DROP" };
        [(0, "AT READY"), (900, sim)]
            .into_iter()
            .map(|(after, line)| (Duration::from_millis(after), Bytes::from(line)))
            .collect()
    }

    fn farewell(&self) -> Option<Bytes> {
        None
    }

    fn chatter(&self) -> Bytes {
        Bytes::from_static(CHATTER)
    }

    fn settings(&self) -> Vec<(String, String)> {
        let clients = self.clients.iter().enumerate().flat_map(|(index, client)| client.dump(index));
        clients.chain([("conf".to_owned(), self.mode.number().to_string())]).collect()
    }
}

/// A line that may come at any time (quirk 3.6).
const CHATTER: &[u8] = b"+SIM READY";

/// The client that the command names at `position`, as an index from 0.
fn client_index(command: &Command, position: usize) -> Result<usize, Refusal> {
    let number = command.int(position, 1..=2)?;
    usize::try_from(number - 1).map_err(|_| Refusal::Parameter)
}

/// The number of a client as the commands count them.
fn number(index: usize) -> usize {
    index + 1
}

/// Topics are printable ASCII of 1 to 255 bytes [Fibocom MQTT 1.2.6 §1.5].
fn topic(command: &Command, position: usize) -> Result<Bytes, Refusal> {
    printable(command.text(position, 1..=255)?)
}

/// Inline payloads are printable ASCII of 0 to 1024 bytes [Fibocom MQTT 1.2.6 §1.7, §1.12].
fn inline_payload(command: &Command, position: usize) -> Result<Bytes, Refusal> {
    printable(command.text(position, 0..=LONGEST_PAYLOAD)?)
}

const LONGEST_PAYLOAD: usize = 1024;

fn printable(text: Bytes) -> Result<Bytes, Refusal> {
    if text.iter().all(|byte| matches!(byte, b' '..=b'~')) { Ok(text) } else { Err(Refusal::Parameter) }
}

fn exactly(command: &Command, count: usize) -> Result<(), Refusal> {
    if command.args.len() == count { Ok(()) } else { Err(Refusal::Parameter) }
}

/// For commands that know the write form and the test form only.
fn test_only(command: &Command, line: &'static str) -> Obeyed {
    match command.form {
        crate::machine::command::Form::Test => Ok(Answer::line(line)),
        _ => Err(Refusal::Error),
    }
}

fn small(value: i64) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}
