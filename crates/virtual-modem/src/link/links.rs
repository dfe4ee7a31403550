//! The connections of one module.

use std::collections::BTreeMap;

use tokio::sync::mpsc;

use super::{ConnectionNo, Dial, LinkEvent, LinkRequest};
use crate::broker::Broker;
use crate::broker::memory::MemoryBroker;

/// Carries the module's requests to whatever broker there is.
pub(crate) struct Links {
    broker: Broker,
    sink: mpsc::UnboundedSender<(ConnectionNo, LinkEvent)>,
    open: BTreeMap<ConnectionNo, Link>,
}

enum Link {
    Memory(MemoryBroker, u64),
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
                None => {}
            },
            LinkRequest::HangUp => {
                if let Some(Link::Memory(broker, key)) = self.open.remove(&connection) {
                    broker.hung_up(key);
                }
            }
        }
    }

    fn dial(&self, connection: ConnectionNo, dial: Dial) -> Option<Link> {
        match &self.broker {
            Broker::Memory(broker) => {
                let key = broker.dial(connection, &dial, self.sink.clone())?;
                Some(Link::Memory(broker.clone(), key))
            }
            other => {
                let note = format!("no way to {other:?}");
                let _ = self.sink.send((connection, LinkEvent::Note(note)));
                let _ = self.sink.send((connection, LinkEvent::Dialled(Err(super::DialFailure::Refused))));
                None
            }
        }
    }
}

impl Drop for Links {
    /// A module that is gone leaves no connection behind.
    fn drop(&mut self) {
        for link in std::mem::take(&mut self.open).into_values() {
            match link {
                Link::Memory(broker, key) => broker.hung_up(key),
            }
        }
    }
}
