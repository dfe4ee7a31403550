//! What the module reports by itself, and what is to be done about it.

use std::sync::Arc;

use at_codec::{Damage, Extent, Fields, Framing, name_of};
use at_port::{FinalResult, Probe, Reaction, Rules};
use bytes::Bytes;

use super::commands::{ConnectionState, MqttConn};
use super::facts;
use super::framing::{self, ReceiveFraming};
use crate::dialect::one_client::{OnlyClient, Session};
use crate::event::LossCause;
use crate::link::{Inbound, Links};

/// Reports that ask for something, or would if they were not late.
const REPORTS: &[&str] = &[facts::MESSAGE, facts::DISCONNECTED, facts::CONNECTED, facts::CONNECTION];

/// Reports that ask for nothing: the loss of Wi-Fi is followed by that of the connection, and a command that comes
/// while the module is busy is answered by its silence [ESP-AT AT Command Set, AT Messages].
const IGNORED: &[&[u8]] = &[
    b"busy p...",
    b"WIFI CONNECTED",
    b"WIFI GOT IP",
    b"WIFI GOT IPv6 LL",
    b"WIFI GOT IPv6 GL",
    b"WIFI DISCONNECT",
    b"+ETH_CONNECTED",
    b"+ETH_GOT_IP",
    b"+ETH_DISCONNECTED",
    b"Will force to restart!!!",
];

/// The module has started [ESP-AT AT Command Set, AT Messages].
const STARTED: &[u8] = b"ready";

/// The rules of a module with ESP-AT.
#[derive(Debug)]
pub(super) struct EspRules {
    framing: ReceiveFraming,
    client: OnlyClient,
}

impl EspRules {
    pub(super) fn new(links: &Arc<Links>, session: &Arc<Session>) -> Self {
        Self { framing: ReceiveFraming::new(Arc::clone(links)), client: OnlyClient::new(links, session) }
    }
}

impl Framing for EspRules {
    fn measure(&mut self, head: &[u8], resume: &mut usize) -> Extent {
        self.framing.measure(head, resume)
    }
}

impl Rules for EspRules {
    type Urc = Inbound;

    /// The result of `AT+MQTTPUBRAW`. The module is busy until it has come, so it is never that of an earlier command.
    fn final_result(&self, line: &Bytes, _command: &str) -> Option<FinalResult> {
        let success = line == facts::PUBLISHED;
        (success || line == facts::NOT_PUBLISHED).then(|| FinalResult::Vendor { line: line.clone(), success })
    }

    fn is_unsolicited(&self, line: &[u8]) -> bool {
        // A result that comes when no command is in flight is nobody's.
        let is_late = line == facts::PUBLISHED || line == facts::NOT_PUBLISHED;
        let is_report = name_of(line).is_some_and(|name| REPORTS.iter().any(|it| it.as_bytes() == name));
        is_late || is_report || line == STARTED || IGNORED.contains(&line)
    }

    fn unsolicited(&mut self, line: &Bytes) -> Reaction<Inbound> {
        let is_client = |mut fields: Fields<'_>| fields.integer() == Some(i64::from(facts::CLIENT));
        if Fields::of(line, facts::MESSAGE).is_some() {
            let message = framing::read(line, &self.client.links);
            message.map_or_else(Reaction::default, |message| self.client.received(line, message, None))
        } else if Fields::of(line, facts::DISCONNECTED).is_some_and(is_client)
            || ConnectionState::of(line).is_some_and(|state| !state.is_connected())
        {
            self.client.lost(LossCause::Unknown)
        } else if line == STARTED {
            self.client.rebooted()
        } else {
            Reaction::default()
        }
    }

    /// What was dropped may have held the report of a loss, so the module is asked; its answer comes as a report.
    fn damaged(&mut self, damage: &Damage) -> Reaction<Inbound> {
        if framing::is_message(&damage.head) {
            self.client.corrupt(damage.got, damage.need);
        }
        self.client.ask_after_damage(MqttConn::question)
    }

    fn probes(&self) -> &'static [Probe] {
        facts::PROBES
    }
}

#[cfg(test)]
mod tests;
