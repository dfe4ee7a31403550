//! What MQTT did, in Fibocom's words: `+MQTTxxx: <client>,<status>`, `ERROR: <err>` and `+MQTTBREAK`
//! [Fibocom MQTT 1.2.6 §1.4, §2].

use super::connection::refusal_form;
use super::{CLIENTS, Fibocom, number};
use crate::machine::answer::{Answer, Refusal};
use crate::machine::core::Core;
use crate::mqtt::session::{Event, Kind, Phase};
use crate::quirk::{LossReport, Quirk, RefusalForm};

/// "The server initiative to disconnect the current connection or … the ping request no responding."
const BY_ACCIDENT: u8 = 1;
/// "The valid IP address disappeared owing to the network failure."
const LINK_LOST: u8 = 2;
/// "GPRS network not registered."
const NOT_REGISTERED: u8 = 3;

impl Fibocom {
    pub(super) fn mqtt_event(&mut self, core: &mut Core, index: usize, event: Event) {
        match event {
            Event::Opened { serial_no } => self.log_in(core, index, serial_no),
            Event::OpenFailed { why, .. } => {
                core.note(format!("client {}: cannot open, {why:?}", number(index)));
                self.opened(core, index, Err(None));
            }
            Event::Connected { code: 0, .. } => self.opened(core, index, Ok(())),
            Event::Connected { code, .. } => self.opened(core, index, Err(Some(code))),
            Event::ConnectTimedOut { .. } => self.opened(core, index, Err(None)),
            Event::Lost { .. } if self.is_opening(index) => self.opened(core, index, Err(None)),
            Event::Lost { .. } | Event::SendingFailed | Event::PingFailed => gone(core, index, BY_ACCIDENT),
            Event::Subscribed { serial_no, codes, .. } => {
                let granted = codes.iter().all(|code| *code <= 2);
                status(core, serial_no, Kind::Subscribe, index, granted);
            }
            Event::Unsubscribed { serial_no, .. } => status(core, serial_no, Kind::Unsubscribe, index, true),
            Event::Published { serial_no, .. } => status(core, serial_no, Kind::Publish, index, true),
            Event::Failed { serial_no, kind, .. } => status(core, serial_no, kind, index, false),
            Event::Repeated { .. } => {}
            Event::Message(message) => self.message(core, index, message),
        }
    }

    /// The login is over, if one was under way. A refusal comes with the broker's code.
    pub(super) fn opened(&mut self, core: &mut Core, index: usize, outcome: Result<(), Option<u8>>) {
        let Some(opening) = self.clients.get_mut(index).and_then(|client| client.opening.take()) else {
            return;
        };
        let serial_no = opening.serial_no;
        let refusal = outcome.err().flatten().filter(|code| (1..=5).contains(code));
        if let Some(code) = refusal {
            core.note(format!("client {}: the broker refuses the login with {code}", number(index)));
        }
        match refusal {
            Some(code) if !opening.answered => {
                core.finish(serial_no, refused(core, code).into());
                return;
            }
            Some(code) if refusal_form(core) == Some(RefusalForm::CodeAfterOk) => {
                core.result(serial_no, format!("ERROR: {}", error_number(code)));
                return;
            }
            _ if !opening.answered => core.finish(serial_no, Answer::deferred()),
            _ => {}
        }
        core.result(serial_no, format!("+MQTTOPEN: {},{}", number(index), u8::from(outcome.is_ok())));
    }

    /// The network under the clients is gone.
    pub(super) fn lose_network(&mut self, core: &mut Core) {
        let cause = if core.network.is_registered() { LINK_LOST } else { NOT_REGISTERED };
        for index in 0..CLIENTS {
            let Some(session) = core.session(index).filter(|session| session.phase() != Phase::Closed) else {
                continue;
            };
            session.close();
            if self.is_opening(index) {
                self.opened(core, index, Err(None));
            } else {
                gone(core, index, cause);
            }
        }
    }

    fn is_opening(&self, index: usize) -> bool {
        self.clients.get(index).is_some_and(|client| client.opening.is_some())
    }

    fn log_in(&mut self, core: &mut Core, index: usize, serial_no: u64) {
        let Some(opening) = self.clients.get(index).and_then(|client| client.opening.as_ref()) else {
            return;
        };
        let (connect, timing, now) = (opening.connect.clone(), opening.timing, core.now);
        if let Some(session) = core.session(index) {
            session.connect(now, serial_no, connect, timing);
        }
    }
}

/// `<err>`: the return codes 1 to 5 of CONNACK are 700 to 704 [Fibocom MQTT 1.2.6 §2].
fn error_number(code: u8) -> i32 {
    699 + i32::from(code)
}

fn refused(core: &Core, code: u8) -> Refusal {
    let number = error_number(code);
    match refusal_form(core) {
        Some(RefusalForm::Bare) => Refusal::Error,
        Some(RefusalForm::Cme) => Refusal::Vendor("+CME ERROR: ", number),
        _ => Refusal::Vendor("ERROR: ", number),
    }
}

fn status(core: &mut Core, serial_no: u64, kind: Kind, index: usize, success: bool) {
    let name = match kind {
        Kind::Subscribe => "+MQTTSUB",
        Kind::Unsubscribe => "+MQTTUNSUB",
        Kind::Publish => "+MQTTPUB",
    };
    core.result(serial_no, format!("{name}: {},{}", number(index), u8::from(success)));
}

/// The connection broke. The manual's example has both lines [Fibocom MQTT 1.2.6 §3.3].
fn gone(core: &mut Core, index: usize, cause: u8) {
    let form = core.quirk(|quirk| match quirk {
        Quirk::Loss(form) => Some(*form),
        _ => None,
    });
    let client = number(index);
    if matches!(form, None | Some(LossReport::BreakOnly)) {
        core.urc(format!("+MQTTBREAK: {client},{cause}"));
    }
    if matches!(form, None | Some(LossReport::CloseOnly)) {
        core.urc(format!("+MQTTCLOSE: {client},1"));
    }
    if form == Some(LossReport::Lose) {
        core.urc(format!("+MQTTLOSE: {client}, 1"));
    }
}
