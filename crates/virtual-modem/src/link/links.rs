//! The connections of one module.

use std::collections::BTreeMap;

use tokio::sync::mpsc;

use super::{ConnectionNo, Dial, LinkEvent, LinkRequest, socket};
use crate::broker::Broker;
use crate::broker::memory::MemoryBroker;
use crate::mqtt::packet::Packet;

/// Carries the module's requests to whatever broker there is.
pub(crate) struct Links {
    broker: Broker,
    sink: mpsc::UnboundedSender<(ConnectionNo, LinkEvent)>,
    open: BTreeMap<ConnectionNo, Link>,
}

enum Link {
    Memory(MemoryBroker, u64),
    /// The task behind it ends when this is dropped.
    Socket(mpsc::UnboundedSender<Packet>),
}

impl Links {
    pub(crate) fn new(broker: Broker, sink: mpsc::UnboundedSender<(ConnectionNo, LinkEvent)>) -> Self {
        Self { broker, sink, open: BTreeMap::new() }
    }

    pub(crate) fn carry_out(&mut self, connection: ConnectionNo, request: LinkRequest) {
        match request {
            LinkRequest::Dial(dial) => {
                if let Some(link) = self.dial(connection, dial) {
                    self.open.insert(connection, link);
                }
            }
            LinkRequest::Send(packet) => match self.open.get(&connection) {
                Some(Link::Memory(broker, key)) => broker.receive(*key, packet),
                Some(Link::Socket(packets)) => {
                    // A task that has ended has reported so already.
                    let _ = packets.send(packet);
                }
                None => {}
            },
            LinkRequest::HangUp => {
                if let Some(link) = self.open.remove(&connection) {
                    link.hang_up();
                }
            }
        }
    }

    fn dial(&self, connection: ConnectionNo, dial: Dial) -> Option<Link> {
        let instead = match &self.broker {
            Broker::Memory(broker) => {
                let key = broker.dial(connection, &dial, self.sink.clone())?;
                return Some(Link::Memory(broker.clone(), key));
            }
            Broker::Redirect(address) => Some(*address),
            Broker::AsDialled => None,
        };
        let (sender, receiver) = mpsc::unbounded_channel();
        tokio::spawn(socket::run(connection, dial, instead, receiver, self.sink.clone()));
        Some(Link::Socket(sender))
    }
}

impl Link {
    fn hang_up(self) {
        match self {
            Self::Memory(broker, key) => broker.hung_up(key),
            Self::Socket(packets) => drop(packets),
        }
    }
}

impl Drop for Links {
    /// A module that is gone leaves no connection behind.
    fn drop(&mut self) {
        for link in std::mem::take(&mut self.open).into_values() {
            link.hang_up();
        }
    }
}
