//! The sessions of the memory broker and the routes between them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;

use super::ledger::{Accepted, ConnectSeen, Delivered, Ledger};
use super::memory::EventSink;
use crate::link::{ConnectionNo, Dial, LinkEvent};
use crate::mqtt::packet::{Connect, Packet, Publish, Will};
use crate::mqtt::topic;

/// Connections, sessions and retained messages.
#[derive(Default)]
pub(super) struct Sessions {
    pub(super) policy: Policy,
    pub(super) ledger: Ledger,
    next_key: u64,
    connections: BTreeMap<u64, Connection>,
    sessions: BTreeMap<Bytes, Session>,
    retained: BTreeMap<Bytes, (Bytes, u8)>,
}

/// How the broker was told to behave.
#[derive(Default)]
pub(super) struct Policy {
    pub(super) credentials: Option<(String, String)>,
    pub(super) refusal: Option<u8>,
    pub(super) limits: BTreeMap<String, u8>,
    pub(super) withhold: bool,
}

struct Connection {
    no: ConnectionNo,
    sink: EventSink,
    dialled: (String, u16),
    tls: bool,
    client: Option<Bytes>,
    will: Option<Will>,
}

#[derive(Default)]
struct Session {
    connection: Option<u64>,
    clean: bool,
    subscriptions: BTreeMap<Bytes, u8>,
    waiting: VecDeque<Publish>,
    outgoing: BTreeMap<u16, Packet>,
    received: BTreeSet<u16>,
    last_id: u16,
}

impl Sessions {
    pub(super) fn attach(&mut self, no: ConnectionNo, dial: &Dial, sink: EventSink) -> u64 {
        self.next_key += 1;
        let connection = Connection {
            no,
            sink,
            dialled: (lossy(&dial.host), dial.port),
            tls: dial.tls.is_some(),
            client: None,
            will: None,
        };
        self.connections.insert(self.next_key, connection);
        self.next_key
    }

    /// The connection ended without DISCONNECT, or after it (then the will is gone already).
    pub(super) fn detach(&mut self, key: u64) {
        let Some(connection) = self.connections.remove(&key) else { return };
        let Some(client) = connection.client else { return };
        let clean = self.sessions.get_mut(&client).is_some_and(|session| {
            session.connection = None;
            session.clean
        });
        if clean {
            self.sessions.remove(&client);
        }
        if let Some(will) = connection.will {
            self.ledger.wills.push(lossy(&client));
            self.accept(None, &will.topic, will.payload, will.qos, will.retain, false, 0);
        }
    }

    pub(super) fn kick(&mut self, client: &[u8]) -> bool {
        let key = self.sessions.get(client).and_then(|session| session.connection);
        key.is_some_and(|key| self.drop_connection(key))
    }

    pub(super) fn restart(&mut self) {
        for connection in std::mem::take(&mut self.connections).into_values() {
            let _ = connection.sink.send((connection.no, LinkEvent::Closed));
        }
        self.sessions.clear();
        self.retained.clear();
    }

    pub(super) fn publish_from_outside(&mut self, topic: &str, qos: u8, retain: bool, payload: Bytes) {
        self.accept(None, topic.as_bytes(), payload, qos, retain, false, 0);
    }

    pub(super) fn retained(&self) -> Vec<(String, Bytes)> {
        self.retained.iter().map(|(topic, (payload, _))| (lossy(topic), payload.clone())).collect()
    }

    pub(super) fn connected(&self) -> Vec<String> {
        self.clients(|session| session.connection.is_some())
    }

    pub(super) fn kept(&self) -> Vec<String> {
        self.clients(|session| session.connection.is_none())
    }

    pub(super) fn receive(&mut self, key: u64, packet: Packet) {
        let client = match self.connections.get(&key) {
            Some(connection) => connection.client.clone(),
            None => return,
        };
        match (packet, client) {
            (Packet::Connect(connect), None) => self.connect(key, connect),
            // A second CONNECT, or anything else before the first one, is a violation [MQTT 3.1.1 §3.1].
            (Packet::Connect(_), Some(_)) | (_, None) => {
                self.drop_connection(key);
            }
            (Packet::Disconnect, Some(_)) => {
                if let Some(connection) = self.connections.get_mut(&key) {
                    connection.will = None;
                }
                self.drop_connection(key);
            }
            (Packet::PingReq, Some(_)) => self.send(key, Packet::PingResp),
            (Packet::Publish(publish), Some(client)) => self.publish(key, &client, publish),
            (Packet::PubRel(id), Some(client)) => {
                if let Some(session) = self.sessions.get_mut(&client) {
                    session.received.remove(&id);
                }
                if self.acknowledge(key, Packet::PubComp(id)) {
                    self.ledger.acknowledged.push((lossy(&client), id));
                }
            }
            (Packet::PubAck(id) | Packet::PubComp(id), Some(client)) => self.confirmed(&client, id),
            (Packet::PubRec(id), Some(client)) => {
                if let Some(session) = self.sessions.get_mut(&client) {
                    session.outgoing.insert(id, Packet::PubRel(id));
                }
                self.send(key, Packet::PubRel(id));
            }
            (Packet::Subscribe { id, filters }, Some(client)) => self.subscribe(key, &client, id, filters),
            (Packet::Unsubscribe { id, filters }, Some(client)) => {
                if let Some(session) = self.sessions.get_mut(&client) {
                    session.subscriptions.retain(|filter, _| !filters.contains(filter));
                }
                self.acknowledge(key, Packet::UnsubAck(id));
            }
            (_, Some(_)) => {
                self.drop_connection(key);
            }
        }
    }

    fn connect(&mut self, key: u64, connect: Connect) {
        let code = self.judge(&connect);
        if let Some(connection) = self.connections.get(&key) {
            self.ledger.connects.push(ConnectSeen {
                client_identifier: lossy(&connect.client_identifier),
                user: connect.user.as_deref().map(lossy),
                password: connect.password.as_deref().map(lossy),
                clean_session: connect.clean_session,
                keep_alive: connect.keep_alive,
                will: connect
                    .will
                    .as_ref()
                    .map(|will| (lossy(&will.topic), will.payload.clone(), will.qos, will.retain)),
                dialled: connection.dialled.clone(),
                tls: connection.tls,
                code,
            });
        }
        if code != 0 {
            self.send(key, Packet::ConnAck { session_present: false, code });
            self.drop_connection(key);
            return;
        }
        let mut client = connect.client_identifier;
        if client.is_empty() {
            client = Bytes::from(format!("anonymous-{key}"));
        }
        // The older connection of the same client goes first [EC200x MQTT 1.0 §3.2.4 note].
        self.kick(&client);
        if connect.clean_session {
            self.sessions.remove(&client);
        }
        let session_present = self.sessions.contains_key(&client);
        if let Some(connection) = self.connections.get_mut(&key) {
            connection.client = Some(client.clone());
            connection.will = connect.will;
        }
        let session = self.sessions.entry(client.clone()).or_default();
        session.connection = Some(key);
        session.clean = connect.clean_session;
        self.send(key, Packet::ConnAck { session_present, code: 0 });
        self.resume(key, &client);
    }

    fn judge(&self, connect: &Connect) -> u8 {
        if let Some(code) = self.policy.refusal {
            return code;
        }
        if connect.client_identifier.is_empty() && !connect.clean_session {
            return 2;
        }
        match &self.policy.credentials {
            Some((user, password))
                if connect.user.as_deref() != Some(user.as_bytes())
                    || connect.password.as_deref() != Some(password.as_bytes()) =>
            {
                4
            }
            _ => 0,
        }
    }

    /// Sends again what was not confirmed, then what waited [MQTT 3.1.1 §4.4].
    fn resume(&mut self, key: u64, client: &Bytes) {
        let Some(session) = self.sessions.get_mut(client) else { return };
        let unfinished: Vec<Packet> = session.outgoing.values().cloned().collect();
        let waiting = std::mem::take(&mut session.waiting);
        for mut packet in unfinished {
            if let Packet::Publish(publish) = &mut packet {
                publish.dup = true;
                self.ledger.delivered.push(delivered(client, publish));
            }
            self.send(key, packet);
        }
        for publish in waiting {
            self.deliver(client, publish);
        }
    }

    fn publish(&mut self, key: u64, client: &Bytes, publish: Publish) {
        if !topic::is_name(&publish.topic) || publish.qos > 2 {
            self.drop_connection(key);
            return;
        }
        let Publish { dup, qos, retain, id, topic, payload } = publish;
        let fresh = match self.sessions.get_mut(client) {
            Some(session) if qos == 2 => session.received.insert(id),
            _ => true,
        };
        // The acknowledgement leaves before the message comes back to its own sender, as it does on real brokers.
        match qos {
            1 if self.acknowledge(key, Packet::PubAck(id)) => {
                self.ledger.acknowledged.push((lossy(client), id))
            }
            2 => {
                self.acknowledge(key, Packet::PubRec(id));
            }
            _ => {}
        }
        if fresh {
            self.accept(Some(client), &topic, payload, qos, retain, dup, id);
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of one PUBLISH")]
    fn accept(
        &mut self,
        from: Option<&Bytes>,
        topic: &[u8],
        payload: Bytes,
        qos: u8,
        retain: bool,
        dup: bool,
        id: u16,
    ) {
        let from = from.map(lossy);
        self.ledger.accepted.push(Accepted {
            from,
            topic: lossy(topic),
            payload: payload.clone(),
            qos,
            retain,
            dup,
            id,
        });
        let topic = Bytes::copy_from_slice(topic);
        if retain && payload.is_empty() {
            self.retained.remove(&topic);
        } else if retain {
            self.retained.insert(topic.clone(), (payload.clone(), qos));
        }
        let receivers: Vec<(Bytes, u8)> = self
            .sessions
            .iter()
            .filter_map(|(client, session)| {
                let selecting =
                    session.subscriptions.iter().filter(|(filter, _)| topic::matches(filter, &topic));
                selecting.map(|(_, granted)| *granted).max().map(|granted| (client.clone(), granted.min(qos)))
            })
            .collect();
        for (client, qos) in receivers {
            let message = Publish {
                dup: false,
                qos,
                retain: false,
                id: 0,
                topic: topic.clone(),
                payload: payload.clone(),
            };
            self.deliver(&client, message);
        }
    }

    fn deliver(&mut self, client: &Bytes, mut publish: Publish) {
        let Some(session) = self.sessions.get_mut(client) else { return };
        let Some(key) = session.connection else {
            if publish.qos > 0 {
                session.waiting.push_back(publish);
            }
            return;
        };
        if publish.qos > 0 {
            publish.id = session.next_id();
            session.outgoing.insert(publish.id, Packet::Publish(publish.clone()));
        }
        self.ledger.delivered.push(delivered(client, &publish));
        self.send(key, Packet::Publish(publish));
    }

    fn subscribe(&mut self, key: u64, client: &Bytes, id: u16, filters: Vec<(Bytes, u8)>) {
        let mut codes = Vec::new();
        let mut retained = Vec::new();
        for (filter, asked) in filters {
            let limit = self.policy.limits.get(&lossy(&filter)).copied().unwrap_or(2);
            let code =
                if limit > 2 || asked > 2 || !topic::is_filter(&filter) { 128 } else { asked.min(limit) };
            self.ledger.subscriptions.push((lossy(client), lossy(&filter), asked, code));
            codes.push(code);
            if code == 128 {
                continue;
            }
            for (topic, (payload, qos)) in
                self.retained.iter().filter(|(topic, _)| topic::matches(&filter, topic))
            {
                retained.push(Publish {
                    dup: false,
                    qos: code.min(*qos),
                    retain: true,
                    id: 0,
                    topic: topic.clone(),
                    payload: payload.clone(),
                });
            }
            if let Some(session) = self.sessions.get_mut(client) {
                session.subscriptions.insert(filter, code);
            }
        }
        self.acknowledge(key, Packet::SubAck { id, codes });
        for publish in retained {
            self.deliver(client, publish);
        }
    }

    fn confirmed(&mut self, client: &Bytes, id: u16) {
        let Some(session) = self.sessions.get_mut(client) else { return };
        if session.outgoing.remove(&id).is_some() {
            self.ledger.confirmed.push((lossy(client), id));
        }
    }

    fn clients(&self, wanted: impl Fn(&Session) -> bool) -> Vec<String> {
        self.sessions.iter().filter(|(_, session)| wanted(session)).map(|(client, _)| lossy(client)).collect()
    }

    /// Closes a connection from the broker's side.
    fn drop_connection(&mut self, key: u64) -> bool {
        let Some(connection) = self.connections.get(&key) else { return false };
        let _ = connection.sink.send((connection.no, LinkEvent::Closed));
        self.detach(key);
        true
    }

    fn acknowledge(&self, key: u64, packet: Packet) -> bool {
        if !self.policy.withhold {
            self.send(key, packet);
        }
        !self.policy.withhold
    }

    fn send(&self, key: u64, packet: Packet) {
        if let Some(connection) = self.connections.get(&key) {
            // The module may be gone; its connection then ends with it.
            let _ = connection.sink.send((connection.no, LinkEvent::Packet(packet)));
        }
    }
}

impl Session {
    fn next_id(&mut self) -> u16 {
        loop {
            self.last_id = self.last_id.checked_add(1).unwrap_or(1);
            if !self.outgoing.contains_key(&self.last_id) {
                return self.last_id;
            }
        }
    }
}

fn delivered(client: &Bytes, publish: &Publish) -> Delivered {
    Delivered {
        to: lossy(client),
        topic: lossy(&publish.topic),
        payload: publish.payload.clone(),
        qos: publish.qos,
        retain: publish.retain,
        dup: publish.dup,
        id: publish.id,
    }
}

fn lossy(bytes: impl AsRef<[u8]>) -> String {
    String::from_utf8_lossy(bytes.as_ref()).into_owned()
}
