//! Between the sessions and the links: the round trip, and the black hole.

use std::time::Duration;

use super::Machine;
use super::core::Task;
use crate::link::{ConnectionNo, LinkEvent, LinkRequest};
use crate::mqtt::session::{Event, Output};

impl Machine {
    /// Carries out what the sessions want. Returns whether there was anything.
    pub(super) fn pump_sessions(&mut self) -> bool {
        let mut any = false;
        for client in 0..self.core.sessions.len() {
            while let Some(output) = self.core.sessions.get_mut(client).and_then(|session| session.poll()) {
                any = true;
                match output {
                    Output::Event(event) => self.mqtt_event(client, event),
                    Output::Dial(dial) => {
                        let connection = self.core.next_connection;
                        self.core.next_connection += 1;
                        self.set_connection(client, Some(connection));
                        // A TLS handshake costs one round trip more than opening the connection.
                        let extra = if dial.tls.is_some() { self.core.rtt } else { Duration::ZERO };
                        self.outward(connection, LinkRequest::Dial(dial), extra);
                    }
                    Output::Send(packet) => {
                        if let Some(connection) = self.connection(client) {
                            self.outward(connection, LinkRequest::Send(packet), Duration::ZERO);
                        }
                    }
                    Output::HangUp => {
                        if let Some(connection) = self.connection(client) {
                            self.set_connection(client, None);
                            self.outward(connection, LinkRequest::HangUp, Duration::ZERO);
                        }
                    }
                }
            }
        }
        any
    }

    /// An event starts on its way home.
    pub(super) fn homeward(&mut self, connection: ConnectionNo, event: LinkEvent) {
        if matches!(event, LinkEvent::Note(_)) || self.core.rtt.is_zero() {
            self.arrived(connection, event);
        } else {
            self.core.later(self.core.rtt / 2, Task::Homeward(connection, event));
        }
    }

    /// An event has arrived.
    pub(super) fn arrived(&mut self, connection: ConnectionNo, event: LinkEvent) {
        if let LinkEvent::Note(text) = event {
            self.core.note(text);
            return;
        }
        if self.core.black_hole {
            return;
        }
        let now = self.core.now;
        let owner = self.core.connections.iter().position(|owned| *owned == Some(connection));
        let Some(client) = owner else { return };
        if matches!(event, LinkEvent::Closed | LinkEvent::Dialled(Err(_))) {
            self.set_connection(client, None);
        }
        let Some(session) = self.core.sessions.get_mut(client) else { return };
        match event {
            LinkEvent::Dialled(result) => session.dialled(result),
            LinkEvent::Packet(packet) => session.receive(now, packet),
            LinkEvent::Closed => session.broken(),
            LinkEvent::Note(_) => {}
        }
    }

    fn outward(&mut self, connection: ConnectionNo, request: LinkRequest, extra: Duration) {
        // Closing is the module's own doing; everything else needs the network.
        if self.core.black_hole && request != LinkRequest::HangUp {
            return;
        }
        if self.core.rtt.is_zero() {
            self.core.requests.push((connection, request));
        } else {
            self.core.later(self.core.rtt / 2 + extra, Task::Outward(connection, request));
        }
    }

    fn mqtt_event(&mut self, client: usize, event: Event) {
        tracing::debug!(client, ?event, "mqtt");
        self.firmware.mqtt(&mut self.core, client, event);
    }

    fn connection(&self, client: usize) -> Option<ConnectionNo> {
        self.core.connections.get(client).copied().flatten()
    }

    fn set_connection(&mut self, client: usize, connection: Option<ConnectionNo>) {
        if let Some(slot) = self.core.connections.get_mut(client) {
            *slot = connection;
        }
        if connection.is_none() {
            self.core.forget_late_results();
        }
    }
}
