//! What the module reports by itself, and what is to be done about it.

use std::sync::Arc;

use at_codec::{Damage, Extent, Fields, Framing, name_of};
use at_port::{Channel, Lane, Lost, Reaction, Rules};
use bytes::Bytes;

use super::assembly::{Assembled, Assembly};
use super::facts;
use super::framing::{self, ReceiveFraming};
use super::service::Service;
use crate::event::{Event, LossCause};
use crate::link::{Inbound, Links};
use crate::message::Message;

/// Reports that ask for something.
const CONNLOST: &[u8] = facts::CONNLOST.as_bytes();
const NONET: &[u8] = b"+CMQTTNONET";
const PING: &[u8] = b"+CMQTTPING";
const STACK: &[u8] = b"+CIPEVENT";

/// Reports that are known and ask for nothing: results that came too late or twice, and news of the network that
/// bring-up asks for itself.
const IGNORED: &[&[u8]] = &[
    b"+CMQTTSTART",
    b"+CMQTTSTOP",
    b"+CMQTTACCQ",
    b"+CMQTTREL",
    b"+CMQTTSSLCFG",
    b"+CMQTTWILLTOPIC",
    b"+CMQTTWILLMSG",
    b"+CMQTTCONNECT",
    b"+CMQTTDISC",
    b"+CMQTTTOPIC",
    b"+CMQTTPAYLOAD",
    b"+CMQTTPUB",
    b"+CMQTTSUBTOPIC",
    b"+CMQTTSUB",
    b"+CMQTTUNSUBTOPIC",
    b"+CMQTTUNSUB",
    b"+CFUN",
    b"+CPIN",
    b"+CREG",
    b"+CGREG",
    b"+CEREG",
    b"+CGEV",
    b"+CTZV",
    b"+CTZE",
    b"+CMTI",
    b"+MSTK",
    b"*ISIMAID",
    b"*COPN",
];

/// What a module says some seconds after it has started, without a name: no news of a restart.
const LATE_WORDS: &[&[u8]] = &[b"SMS DONE", b"PB DONE"];

/// The module has started: SIM7600 and its kin.
const READY: &[u8] = b"RDY";
/// The module has started: A76xx.
const AT_READY: &[u8] = b"*ATREADY";
/// The module is going down.
const GOING_DOWN: &[&[u8]] = &[b"NORMAL POWER DOWN", b"UNDER-VOLTAGE POWER DOWN", b"OVER-VOLTAGE POWER DOWN"];

/// The rules of a SIMCom module.
#[derive(Debug)]
pub(super) struct SimComRules {
    framing: ReceiveFraming,
    assembly: Assembly,
    links: Arc<Links>,
    service: Arc<Service>,
    /// For which connection of each client a message is being received.
    connections: [u32; facts::CLIENT_COUNT],
    /// How the module has announced its last start, until it does so in another way.
    announced: Option<&'static [u8]>,
}

impl SimComRules {
    pub(super) fn new(links: &Arc<Links>, service: &Arc<Service>) -> Self {
        Self {
            framing: ReceiveFraming::new(Arc::clone(links)),
            assembly: Assembly::default(),
            links: Arc::clone(links),
            service: Arc::clone(service),
            connections: [0; facts::CLIENT_COUNT],
            announced: None,
        }
    }

    fn received(&mut self, line: &[u8]) -> Reaction<Inbound> {
        let Some(element) = framing::read(line, &self.links) else {
            if let Some(client) = framing::client_of(line) {
                tracing::warn!(client, bytes = line.len(), "dropped a message whose lengths cannot be read");
                self.spoil(client);
            }
            return Reaction::default();
        };
        if let Some(client) = framing::client_of(line) {
            self.begin_anew(client);
        }
        match self.assembly.take(&element) {
            Assembled::Message { client, topic, payload } => self.deliver(client, &topic, &payload),
            Assembled::Corrupt { client, got, need } => {
                self.report_corrupt(client, got, need);
                Reaction::default()
            }
            Assembled::Nothing => Reaction::default(),
        }
    }

    /// What a former connection of the client left unfinished belongs to no message of this one.
    fn begin_anew(&mut self, client: u8) {
        let present = self.service.connection(client);
        if let Some(known) = self.connections.get_mut(usize::from(client)).filter(|known| **known != present)
        {
            *known = present;
            self.assembly.give_up(client);
        }
    }

    fn deliver(&self, client: u8, topic: &[u8], payload: &[u8]) -> Reaction<Inbound> {
        let link = self.links.current(client).filter(|link| link.is_alive());
        if link.is_none() || !self.service.is_open(client) {
            tracing::debug!(client, bytes = payload.len(), "dropped a message for a client that is not ours");
            return Reaction::default();
        }
        let message = Message::new(topic, payload, None, None);
        Reaction::deliver(Channel::Client(client), Inbound::Message(message))
    }

    fn spoil(&mut self, client: u8) {
        if let Assembled::Corrupt { client, got, need } = self.assembly.spoil(client) {
            self.report_corrupt(client, got, need);
        }
    }

    fn report_corrupt(&self, client: u8, got: usize, need: usize) {
        if let Some(link) = self.links.current(client) {
            link.report(Event::Corrupt { got, need });
        }
    }

    /// The connection of a client has ended. A report about a connection that is not there is a late one.
    fn lost(&mut self, client: u8, cause: LossCause) -> Reaction<Inbound> {
        if !self.service.is_open(client) {
            tracing::debug!(client, %cause, "a connection that is gone already was reported as lost");
            return Reaction::default();
        }
        self.close(client, cause);
        Reaction { lost: Some(Lost::Lane(Lane::client(client))), ..Reaction::default() }
    }

    /// The network is gone, and with it the service and the connections of all clients.
    fn lost_all(&mut self) -> Reaction<Inbound> {
        let open: Vec<u8> = facts::CLIENTS.filter(|client| self.service.is_open(*client)).collect();
        self.service.set_running(false);
        for client in &open {
            self.close(*client, LossCause::NetworkDown);
        }
        let lost = match open.as_slice() {
            [] => None,
            [client] => Some(Lost::Lane(Lane::client(*client))),
            _ => Some(Lost::All),
        };
        Reaction { lost, ..Reaction::default() }
    }

    fn close(&mut self, client: u8, cause: LossCause) {
        self.service.set_open(client, false);
        if let Assembled::Corrupt { client, got, need } = self.assembly.give_up(client) {
            self.report_corrupt(client, got, need);
        }
        if let Some(link) = self.links.current(client) {
            link.lose(cause);
        }
    }

    fn rebooted(&mut self) -> Reaction<Inbound> {
        self.service.end();
        for client in facts::CLIENTS {
            self.assembly.give_up(client);
        }
        self.links.lose_all(&LossCause::Rebooted);
        Reaction { reboot: true, ..Reaction::default() }
    }

    /// Takes note of a start. Some modules announce one start in two ways, in either order.
    fn started(&mut self, word: &'static [u8]) -> Reaction<Inbound> {
        match self.announced {
            Some(other) if other != word => {
                self.announced = None;
                Reaction::default()
            }
            _ => {
                self.announced = Some(word);
                self.rebooted()
            }
        }
    }
}

impl Framing for SimComRules {
    fn measure(&mut self, head: &[u8], resume: &mut usize) -> Extent {
        self.framing.measure(head, resume)
    }
}

impl Rules for SimComRules {
    type Urc = Inbound;

    fn is_unsolicited(&self, line: &[u8]) -> bool {
        match name_of(line) {
            Some(CONNLOST | NONET | PING | STACK | AT_READY) => true,
            Some(name) => framing::is_received(name) || IGNORED.contains(&name),
            None => line == READY || GOING_DOWN.contains(&line) || LATE_WORDS.contains(&line),
        }
    }

    fn unsolicited(&mut self, line: &Bytes) -> Reaction<Inbound> {
        match name_of(line) {
            Some(CONNLOST) => match client_and_code(line, facts::CONNLOST) {
                Some((client, cause)) => self.lost(client, facts::loss_cause(cause)),
                None => Reaction::default(),
            },
            Some(PING) => match client_and_code(line, "+CMQTTPING") {
                Some((client, _)) => self.lost(client, LossCause::KeepAlive),
                None => Reaction::default(),
            },
            Some(NONET) => self.lost_all(),
            Some(STACK) => {
                tracing::warn!(report = %at_codec::Escaped(line), "news of the data connection");
                Reaction::default()
            }
            Some(AT_READY) => self.started(AT_READY),
            Some(name) if framing::is_received(name) => self.received(line),
            Some(_) => Reaction::default(),
            None if line == READY => self.started(READY),
            None if GOING_DOWN.contains(&&line[..]) => {
                self.announced = None;
                self.rebooted()
            }
            None => Reaction::default(),
        }
    }

    fn damaged(&mut self, damage: &Damage) -> Reaction<Inbound> {
        if let Some(client) = framing::client_of(&damage.head) {
            self.spoil(client);
        }
        Reaction::default()
    }
}

fn client_and_code(line: &[u8], name: &str) -> Option<(u8, i64)> {
    let mut fields = Fields::of(line, name)?;
    Some((fields.integer()?.try_into().ok()?, fields.integer()?))
}

#[cfg(test)]
mod tests;
