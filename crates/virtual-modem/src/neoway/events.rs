//! What MQTT did, in Neoway's words: final results, acknowledgements of the cloud's family, messages, losses
//! [Neoway MQTT 1.2 §4, §5.3–5.7, §B].

use std::time::Duration;

use super::{CHATTER, CLIENT, CONTEXT, Flavour, Neoway};
use crate::machine::answer::{Answer, Refusal};
use crate::machine::core::Core;
use crate::mqtt::packet::Publish;
use crate::mqtt::session::{Event, Kind, Phase};
use crate::quirk::Quirk;

/// `<code>` of `+CMD ERROR` when the broker does not answer. The manual leaves the codes to "the command set".
const NO_ANSWER: i8 = -1;
/// `<code>` of `+CMD ERROR` when the broker refuses: the one that was seen (quirk 4.10).
const REFUSED: i8 = -3;

/// Until a module that restores its connection by itself tries (again).
const RESTORING_PAUSE: Duration = Duration::from_secs(5);
/// The call-back for it.
pub(super) const RESTORE: u32 = 1;

impl Neoway {
    pub(super) fn mqtt_event(&mut self, core: &mut Core, event: Event) {
        match event {
            Event::Opened { .. } => self.log_in(core),
            Event::OpenFailed { why, .. } => {
                core.note(format!("cannot connect: {why:?}"));
                self.connected(core, false);
            }
            Event::Connected { code, .. } => {
                if code != 0 {
                    core.note(format!("the broker refuses the login with {code}"));
                }
                self.connected(core, code == 0);
            }
            Event::ConnectTimedOut { .. } => self.connected(core, false),
            Event::Lost { .. } if self.connecting.is_some() => self.connected(core, false),
            Event::Lost { .. } | Event::SendingFailed | Event::PingFailed => self.gone(core),
            Event::Subscribed { serial_no, codes, .. } if codes.iter().any(|code| *code > 2) => {
                self.failed(core, serial_no, REFUSED);
                core.break_connection(CLIENT);
            }
            Event::Subscribed { serial_no, .. } => self.done(core, serial_no, Kind::Subscribe),
            Event::Unsubscribed { serial_no, .. } => self.done(core, serial_no, Kind::Unsubscribe),
            Event::Published { serial_no, .. } => self.done(core, serial_no, Kind::Publish),
            Event::Failed { serial_no, .. } => self.failed(core, serial_no, NO_ANSWER),
            Event::Repeated { .. } => {}
            Event::Message(message) => self.message(core, &message),
        }
    }

    /// The connection is to be restored, if it still is to be.
    pub(super) fn restore(&mut self, core: &mut Core) {
        let closed = core.session(CLIENT).is_some_and(|session| session.phase() == Phase::Closed);
        let Some(connecting) = self.restoring.clone().filter(|_| closed) else { return };
        if core.network.is_active(CONTEXT) {
            self.start(core, connecting);
        } else {
            core.call_back(RESTORING_PAUSE, RESTORE);
        }
    }

    /// A connection came about, or did not.
    fn connected(&mut self, core: &mut Core, success: bool) {
        let Some(connecting) = self.connecting.take() else { return };
        if self.restoring.is_some() {
            if !success {
                core.call_back(RESTORING_PAUSE, RESTORE);
            }
            return;
        }
        if success && core.has(Quirk::ReconnectsByItself) {
            self.restoring = Some(connecting.clone());
        }
        let answer = if success { Answer::ok() } else { Refusal::Error.into() };
        core.finish(connecting.serial_no, answer);
    }

    fn done(&self, core: &mut Core, serial_no: u64, kind: Kind) {
        if self.flavour == Flavour::Standard {
            core.finish(serial_no, Answer::ok());
            return;
        }
        let name = match kind {
            Kind::Subscribe => "+CLOUDSUBACK",
            Kind::Unsubscribe if core.has(Quirk::CloudUnsubackMisspelt) => "+CLOUDNSUBACK",
            Kind::Unsubscribe => "+CLOUDUNSUBACK",
            Kind::Publish => "+CLOUDPUBACK",
        };
        core.result(serial_no, format!("{name}: <OK>"));
    }

    /// "`+CMD ERROR: <Code>` is returned, the MQTT connection is automatically closed" [Neoway MQTT 1.2 §B.1].
    fn failed(&self, core: &mut Core, serial_no: u64, code: i8) {
        let line = if core.has(Quirk::ErrorCodeInBrackets) {
            format!("+CMD ERROR: <{code}>")
        } else {
            format!("+CMD ERROR: {code}")
        };
        match self.flavour {
            Flavour::Standard => core.finish(serial_no, Answer::words(line)),
            Flavour::Cloud => core.result(serial_no, line),
        }
    }

    fn gone(&mut self, core: &mut Core) {
        let without = core.has(Quirk::DisconnectedWithoutReason);
        core.urc(if without { "+MQTTDISCONNED" } else { "+MQTTDISCONNED: Link Closed" });
        if self.restoring.is_some() {
            core.call_back(RESTORING_PAUSE, RESTORE);
        }
    }

    /// `+MQTTSUB:<id>,"topic",<len>,<payload>` or `+CLOUDPUBLISH:<packId>,<topic>,<len>,<payload>`.
    fn message(&mut self, core: &mut Core, message: &Publish) {
        self.messages += 1;
        let number = if core.has(Quirk::MessageCount) { self.messages } else { u64::from(message.id) };
        let length = message.payload.len();
        let (head, middle) = if self.flavour == Flavour::Cloud {
            let (colon, comma) = if core.has(Quirk::CloudSpaces) { (": ", ", ") } else { (":", ",") };
            (format!("+CLOUDPUBLISH{colon}{number}{comma}"), format!("{comma}{length}{comma}"))
        } else {
            let blank = if core.has(Quirk::MessageAfterSpace) { " " } else { "" };
            let session = if core.has(Quirk::MessageWithSession) { "0," } else { "" };
            (format!("+MQTTSUB:{blank}{session}{number},\""), format!("\",{length},"))
        };
        let header = [head.as_bytes(), &message.topic, middle.as_bytes()].concat();
        if core.interrupts_message() {
            let between = [b"\r\n", CHATTER, b"\r\n"].concat();
            core.raw([b"\r\n", &*header, &between, &message.payload, b"\r\n"].concat());
        } else {
            core.urc([&*header, &message.payload].concat());
        }
    }
}
