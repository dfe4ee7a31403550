//! What MQTT did, in Quectel's words: deferred results and `+QMTSTAT` [EC200x MQTT 1.0 §3.2, §4].

use super::connection::open_result;
use super::publish::result_name;
use super::{CLIENTS, Quectel};
use crate::machine::answer::{Answer, Refusal};
use crate::machine::core::Core;
use crate::mqtt::session::{Event, Kind};
use crate::quirk::Quirk;

impl Quectel {
    pub(super) fn mqtt_event(&mut self, core: &mut Core, index: usize, event: Event) {
        match event {
            Event::Opened { serial_no } => self.opened(core, index, serial_no, 0),
            Event::OpenFailed { serial_no, why } => {
                self.forget(index);
                self.last_error = super::contexts::dial_error(why);
                core.note(format!("client {index}: cannot open, {why:?}, error {}", self.last_error));
                self.opened(core, index, serial_no, open_result(why));
            }
            Event::Connected { serial_no, code: 0, .. } => {
                core.result(serial_no, format!("+QMTCONN: {index},0,0"))
            }
            Event::Connected { serial_no, code, .. } => {
                let line = if core.has(Quirk::ConnectResultWithoutCode) {
                    format!("+QMTCONN: {index},0")
                } else {
                    format!("+QMTCONN: {index},0,{code}")
                };
                self.not_connected(core, index, serial_no, line, 4);
            }
            Event::ConnectTimedOut { serial_no } => {
                self.not_connected(core, index, serial_no, format!("+QMTCONN: {index},2"), 4);
            }
            Event::Lost { during_connect: Some(serial_no) } => {
                self.not_connected(core, index, serial_no, format!("+QMTCONN: {index},2"), 3);
            }
            Event::Lost { during_connect: None } => self.gone(core, index, 1),
            Event::SendingFailed => self.gone(core, index, 6),
            Event::PingFailed => {
                core.urc(format!("+QMTPING: {index},1"));
                self.gone(core, index, 2);
            }
            Event::Subscribed { serial_no, id, codes } => {
                let granted: Vec<String> = codes.iter().map(u8::to_string).collect();
                core.result(serial_no, format!("+QMTSUB: {index},{id},0,{}", granted.join(",")));
            }
            Event::Unsubscribed { serial_no, id } => {
                core.result(serial_no, format!("+QMTUNS: {index},{id},0"))
            }
            Event::Published { serial_no, id } => {
                core.result(serial_no, format!("{}: {index},{id},0", result_name(core)));
            }
            Event::Repeated { serial_no, id, kind, times } => {
                if self.clients.get(index).is_some_and(|client| client.settings.timeout_notice) {
                    core.result(serial_no, format!("{}: {index},{id},1,{times}", name(core, kind)));
                }
            }
            Event::Failed { serial_no, id, kind } => {
                core.result(serial_no, format!("{}: {index},{id},2", name(core, kind)));
            }
            Event::Message(message) => self.message(core, index, message),
        }
    }

    /// `+QMTSTAT: <client_idx>,<err_code>`
    pub(super) fn stat(&self, core: &mut Core, index: usize, code: u8) {
        let blank = if core.has(Quirk::NoSpaceInStat) { "" } else { " " };
        core.urc(format!("+QMTSTAT:{blank}{index},{code}"));
    }

    /// Closes the clients whose network was this context.
    pub(super) fn close_clients_of(&mut self, core: &mut Core, context: u8, code: u8) {
        for index in 0..CLIENTS {
            let concerned = self
                .clients
                .get(index)
                .is_some_and(|client| client.settings.context == context && client.dialled.is_some());
            if concerned {
                if let Some(session) = core.session(index) {
                    session.close();
                }
                self.gone(core, index, code);
            }
        }
    }

    /// A firmware bug: the socket that was just opened closes (quirk 1.21).
    pub(super) fn close_right_after_open(&mut self, core: &mut Core, index: usize) {
        if let Some(session) = core.session(index) {
            session.close();
        }
        self.gone(core, index, 1);
    }

    fn opened(&mut self, core: &mut Core, index: usize, serial_no: u64, result: i8) {
        let line = format!("+QMTOPEN: {index},{result}");
        if core.has(Quirk::OpenFailureIsError) {
            if result != 0 {
                core.finish(serial_no, Answer::from(Refusal::Error).with(line));
                return;
            }
            core.finish(serial_no, Answer::deferred());
        }
        core.result(serial_no, line);
        if result == 0
            && core.has(Quirk::ClosesAfterOpen)
            && !std::mem::replace(&mut self.closed_after_open, true)
        {
            core.call_back(std::time::Duration::from_millis(20), u32::try_from(index).unwrap_or(0));
        }
    }

    /// A login that failed: its result, and then the state of the link (quirk 1.11).
    fn not_connected(&mut self, core: &mut Core, index: usize, serial_no: u64, line: String, code: u8) {
        if !core.has(Quirk::ConnectFailureOnlyInStat) {
            core.result(serial_no, line);
        }
        self.gone(core, index, code);
    }

    fn gone(&mut self, core: &mut Core, index: usize, code: u8) {
        self.forget(index);
        self.stat(core, index, code);
    }

    fn forget(&mut self, index: usize) {
        if let Some(client) = self.clients.get_mut(index) {
            client.dialled = None;
            client.disconnected = false;
        }
    }
}

fn name(core: &Core, kind: Kind) -> &'static str {
    match kind {
        Kind::Subscribe => "+QMTSUB",
        Kind::Unsubscribe => "+QMTUNS",
        Kind::Publish => result_name(core),
    }
}
