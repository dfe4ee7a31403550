//! What MQTT and the network did, in SIMCom's words [A7600 MQTT 1.00 §2.2].

use super::SimCom;
use super::client::is_connected;
use super::connection::dial_code;
use super::quirk::SimComQuirk;
use super::refused::Code;
use super::service::Service;
use super::{CLIENTS, has};
use crate::machine::core::Core;
use crate::mqtt::session::Event;

/// `<cause>` of `+CMQTTCONNLOST` [A7600 MQTT 1.00 §2.2.2.1].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    ClosedPassively = 1,
    Reset = 2,
    NetworkClosed = 3,
}

impl SimCom {
    pub(super) fn mqtt_event(&mut self, core: &mut Core, index: usize, event: Event) {
        match event {
            Event::Opened { serial_no } => self.opened(core, index, serial_no),
            Event::OpenFailed { why, .. } => {
                core.note(format!("client {index}: cannot open, {why:?}"));
                self.connected_or_not(core, index, dial_code(why));
            }
            Event::Connected { code, .. } => {
                self.connected_or_not(core, index, Code::of_connack(code));
            }
            Event::ConnectTimedOut { .. } => {
                self.connected_or_not(core, index, Code::REQUIRE_CONNECTION_FAILED);
            }
            Event::Lost { during_connect: Some(_) } => {
                self.connected_or_not(core, index, Code::CLOSED_BY_SERVER);
            }
            Event::Lost { during_connect: None } => self.lost(core, index, Cause::ClosedPassively),
            Event::SendingFailed => self.lost(core, index, Cause::Reset),
            Event::PingFailed if has(core, SimComQuirk::PingReport) => {
                self.forget(core, index);
                core.urc(format!("+CMQTTPING: {index},1"));
            }
            Event::PingFailed => self.lost(core, index, Cause::Reset),
            Event::Subscribed { codes, .. } => {
                let refused = codes.iter().any(|granted| *granted > 2);
                let code = if refused { Code::FAILED } else { Code::SUCCEEDED };
                if has(core, SimComQuirk::RetainedFirst) {
                    self.conclude_late(core, index, code);
                } else {
                    self.conclude(core, index, code);
                }
            }
            Event::Unsubscribed { .. } | Event::Published { .. } => {
                self.conclude(core, index, Code::SUCCEEDED);
            }
            // The connection broke before the acknowledgement came.
            Event::Failed { .. } => self.conclude(core, index, Code::RECEIVE_FAILED),
            // The session repeats nothing: the time limits are the operations' own.
            Event::Repeated { .. } => {}
            Event::Message(message) => self.message(core, index, &message),
        }
    }

    /// The data context went down, not by `AT+CMQTTSTOP`.
    pub(super) fn network_gone(&mut self, core: &mut Core) {
        if std::mem::take(&mut self.net_open) {
            core.urc("+CIPEVENT: NETWORK CLOSED UNEXPECTEDLY");
        }
        if self.service != Service::Started {
            return;
        }
        for index in 0..CLIENTS {
            let connected = is_connected(core, index);
            if let Some(session) = core.session(index) {
                session.close();
            }
            self.conclude(core, index, Code::SENDING_FAILED);
            self.forget(core, index);
            if connected && !has(core, SimComQuirk::NoNetOnly) {
                core.urc(connection_lost(index, Cause::NetworkClosed));
            }
        }
        self.service = Service::NoNetwork;
        if has(core, SimComQuirk::NoNetAfterLosses) || has(core, SimComQuirk::NoNetOnly) {
            core.urc("+CMQTTNONET");
            self.service = Service::Stopped;
            self.clients = Default::default();
        }
    }

    fn lost(&mut self, core: &mut Core, index: usize, cause: Cause) {
        self.forget(core, index);
        core.urc(connection_lost(index, cause));
    }

    /// The connection is no more; an operation that still goes on has failed.
    fn forget(&mut self, core: &mut Core, index: usize) {
        self.conclude(core, index, Code::RECEIVE_FAILED);
        if let Some(client) = self.clients.get_mut(index) {
            client.not_connected();
        }
    }
}

fn connection_lost(index: usize, cause: Cause) -> String {
    format!("+CMQTTCONNLOST: {index},{}", cause as u8)
}
