//! One MQTT client of the module: its connection, its packets in flight, its keep-alive.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::packet::{Connect, Packet, Publish};
use crate::link::{Dial, DialFailure};

/// The client's side of MQTT, without input or output: calls and packets go in, [`Output`]s come out.
#[derive(Debug, Default)]
pub(crate) struct Session {
    phase: Phase,
    /// The serial number of the command that is being carried out on the connection as a whole.
    serial_no: u64,
    timing: Timing,
    transactions: BTreeMap<u16, Transaction>,
    /// Packet identifiers of QoS 2 messages that were received and not yet released.
    received: BTreeSet<u16>,
    /// When to give up opening or connecting.
    give_up: Option<Instant>,
    next_ping: Option<Instant>,
    unanswered_pings: u32,
    last_id: u16,
    hold_acknowledgements: bool,
    /// Packets are neither repeated nor given up.
    no_time_limits: bool,
    output: VecDeque<Output>,
}

/// How far a client has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Phase {
    #[default]
    Closed,
    Opening,
    Open,
    Connecting,
    Connected,
}

/// The times a client keeps, already scaled.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Timing {
    /// How long opening the network may take.
    pub(crate) open: Duration,
    /// How long an acknowledgement may take.
    pub(crate) packet: Duration,
    /// How often a packet is sent before the client gives up, at least once.
    pub(crate) attempts: u32,
    /// Silence after which a PINGREQ is due; `None` sends none.
    pub(crate) keep_alive: Option<Duration>,
    /// How long an unanswered PINGREQ waits before it is repeated, three times at most.
    pub(crate) ping: Duration,
}

/// What the session wants done, and what it has to say.
#[derive(Debug)]
pub(crate) enum Output {
    Dial(Dial),
    Send(Packet),
    HangUp,
    Event(Event),
}

/// What happened to a client. `serial_no` is the number of the command that asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Opened {
        serial_no: u64,
    },
    OpenFailed {
        serial_no: u64,
        why: DialFailure,
    },
    /// CONNACK came. With a code other than 0 the connection is closed.
    Connected {
        serial_no: u64,
        code: u8,
        session_present: bool,
    },
    ConnectTimedOut {
        serial_no: u64,
    },
    Subscribed {
        serial_no: u64,
        id: u16,
        codes: Vec<u8>,
    },
    Unsubscribed {
        serial_no: u64,
        id: u16,
    },
    /// Sent (QoS 0) or acknowledged (QoS 1 and 2).
    Published {
        serial_no: u64,
        id: u16,
    },
    /// Sent again because no acknowledgement came.
    Repeated {
        serial_no: u64,
        id: u16,
        kind: Kind,
        times: u32,
    },
    /// No acknowledgement, for good.
    Failed {
        serial_no: u64,
        id: u16,
        kind: Kind,
    },
    /// All attempts for a packet were in vain: the client closed the connection.
    SendingFailed,
    Message(Publish),
    PingFailed,
    /// The connection broke.
    Lost {
        during_connect: Option<u64>,
    },
}

/// What a packet identifier is in use for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Subscribe,
    Unsubscribe,
    Publish,
}

#[derive(Debug)]
struct Transaction {
    serial_no: u64,
    kind: Kind,
    packet: Packet,
    attempts: u32,
    deadline: Instant,
}

/// Unanswered PINGREQs after which the link counts as dead.
const PINGS: u32 = 3;

impl Session {
    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.phase == Phase::Connected
    }

    /// Opens the network. The caller has made sure that the session is closed.
    pub(crate) fn open(&mut self, now: Instant, serial_no: u64, dial: Dial, timing: Timing) {
        self.forget();
        self.phase = Phase::Opening;
        self.serial_no = serial_no;
        self.timing = timing;
        self.give_up = Some(now + timing.open);
        self.output.push_back(Output::Dial(dial));
    }

    /// Sends CONNECT. The caller has made sure that the network is open.
    pub(crate) fn connect(&mut self, now: Instant, serial_no: u64, connect: Connect, timing: Timing) {
        self.phase = Phase::Connecting;
        self.serial_no = serial_no;
        self.timing = timing;
        self.give_up = Some(now + timing.packet);
        self.send(now, Packet::Connect(connect));
    }

    pub(crate) fn subscribe(&mut self, now: Instant, serial_no: u64, id: u16, filters: Vec<(Bytes, u8)>) {
        self.transact(now, serial_no, id, Kind::Subscribe, Packet::Subscribe { id, filters });
    }

    pub(crate) fn unsubscribe(&mut self, now: Instant, serial_no: u64, id: u16, filters: Vec<Bytes>) {
        self.transact(now, serial_no, id, Kind::Unsubscribe, Packet::Unsubscribe { id, filters });
    }

    /// Publishes. With QoS 0 the identifier is only reported back, never sent.
    pub(crate) fn publish(&mut self, now: Instant, serial_no: u64, publish: Publish) {
        let id = publish.id;
        if publish.qos == 0 {
            self.send(now, Packet::Publish(Publish { id: 0, ..publish }));
            self.event(Event::Published { serial_no, id });
        } else {
            self.transact(now, serial_no, id, Kind::Publish, Packet::Publish(publish));
        }
    }

    /// Says good-bye and closes.
    pub(crate) fn disconnect(&mut self, now: Instant) {
        if self.phase == Phase::Connected {
            self.send(now, Packet::Disconnect);
        }
        self.close();
    }

    /// Closes the socket without a word.
    pub(crate) fn close(&mut self) {
        if self.phase != Phase::Closed {
            self.output.push_back(Output::HangUp);
        }
        self.forget();
    }

    /// Whether the identifier is free, and how many publishes are under way.
    pub(crate) fn in_flight(&self, id: u16) -> bool {
        self.transactions.contains_key(&id)
    }

    pub(crate) fn publishes_in_flight(&self) -> usize {
        self.transactions.values().filter(|transaction| transaction.kind == Kind::Publish).count()
    }

    /// A free packet identifier, for vendors whose commands carry none.
    pub(crate) fn next_id(&mut self) -> u16 {
        loop {
            self.last_id = self.last_id.checked_add(1).unwrap_or(1);
            if !self.in_flight(self.last_id) {
                return self.last_id;
            }
        }
    }

    /// Leaves acknowledging received messages to [`Session::acknowledge`].
    pub(crate) fn hold_acknowledgements(&mut self) {
        self.hold_acknowledgements = true;
    }

    /// Leaves it to the firmware to give up on packets, until the connection ends.
    pub(crate) fn leave_time_limits(&mut self) {
        self.no_time_limits = true;
    }

    /// No longer waits for the acknowledgement of a packet.
    pub(crate) fn abandon(&mut self, id: u16) {
        self.transactions.remove(&id);
    }

    pub(crate) fn acknowledge(&mut self, now: Instant, message: &Publish) {
        match message.qos {
            1 => self.send(now, Packet::PubAck(message.id)),
            2 => {
                self.received.insert(message.id);
                self.send(now, Packet::PubRec(message.id));
            }
            _ => {}
        }
    }

    /// The dial succeeded or failed.
    pub(crate) fn dialled(&mut self, result: Result<(), DialFailure>) {
        if self.phase != Phase::Opening {
            return;
        }
        let serial_no = self.serial_no;
        self.give_up = None;
        match result {
            Ok(()) => {
                self.phase = Phase::Open;
                self.event(Event::Opened { serial_no });
            }
            Err(why) => {
                self.forget();
                self.event(Event::OpenFailed { serial_no, why });
            }
        }
    }

    /// The connection is gone, not by our doing.
    pub(crate) fn broken(&mut self) {
        if self.phase == Phase::Closed {
            return;
        }
        let during_connect = (self.phase == Phase::Connecting).then_some(self.serial_no);
        self.fail_transactions();
        self.forget();
        self.event(Event::Lost { during_connect });
    }

    pub(crate) fn receive(&mut self, now: Instant, packet: Packet) {
        if matches!(self.phase, Phase::Closed | Phase::Opening) {
            return;
        }
        match packet {
            Packet::ConnAck { session_present, code } if self.phase == Phase::Connecting => {
                self.connack(now, session_present, code);
            }
            Packet::Publish(message) => self.message(now, message),
            Packet::PubAck(id) | Packet::PubComp(id) => {
                if let Some(done) = self.finish(id, Kind::Publish) {
                    self.event(Event::Published { serial_no: done.serial_no, id });
                }
            }
            Packet::PubRec(id) => self.released(now, id),
            Packet::PubRel(id) => {
                self.received.remove(&id);
                self.send(now, Packet::PubComp(id));
            }
            Packet::SubAck { id, codes } => {
                if let Some(done) = self.finish(id, Kind::Subscribe) {
                    self.event(Event::Subscribed { serial_no: done.serial_no, id, codes });
                }
            }
            Packet::UnsubAck(id) => {
                if let Some(done) = self.finish(id, Kind::Unsubscribe) {
                    self.event(Event::Unsubscribed { serial_no: done.serial_no, id });
                }
            }
            Packet::PingResp => {
                self.unanswered_pings = 0;
                self.next_ping = self.timing.keep_alive.map(|interval| now + interval);
            }
            _ => {}
        }
    }

    /// When [`Session::tick`] wants to be called.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let transactions = self.transactions.values().filter(|_| !self.no_time_limits);
        transactions.map(|transaction| transaction.deadline).chain(self.give_up).chain(self.next_ping).min()
    }

    /// Does what is due.
    pub(crate) fn tick(&mut self, now: Instant) {
        if self.give_up.is_some_and(|deadline| deadline <= now) {
            self.give_up = None;
            let (phase, serial_no) = (self.phase, self.serial_no);
            self.close();
            match phase {
                Phase::Opening => self.event(Event::OpenFailed { serial_no, why: DialFailure::TimedOut }),
                _ => self.event(Event::ConnectTimedOut { serial_no }),
            }
        }
        if self.next_ping.is_some_and(|deadline| deadline <= now) {
            self.ping(now);
        }
        let due: Vec<u16> = self
            .transactions
            .iter()
            .filter(|(_, transaction)| !self.no_time_limits && transaction.deadline <= now)
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            self.repeat(now, id);
        }
    }

    pub(crate) fn poll(&mut self) -> Option<Output> {
        self.output.pop_front()
    }

    fn connack(&mut self, now: Instant, session_present: bool, code: u8) {
        let serial_no = self.serial_no;
        self.give_up = None;
        if code == 0 {
            self.phase = Phase::Connected;
            self.next_ping = self.timing.keep_alive.map(|interval| now + interval);
        } else {
            self.close();
        }
        self.event(Event::Connected { serial_no, code, session_present });
    }

    fn message(&mut self, now: Instant, message: Publish) {
        // A QoS 2 message that comes again before its PUBREL is the same message [MQTT 3.1.1 §4.3.3].
        if message.qos == 2 && self.received.contains(&message.id) {
            self.send(now, Packet::PubRec(message.id));
            return;
        }
        if !self.hold_acknowledgements {
            self.acknowledge(now, &message);
        }
        self.event(Event::Message(message));
    }

    /// PUBREC: from here on the PUBREL is what gets repeated.
    fn released(&mut self, now: Instant, id: u16) {
        let packet = self.timing.packet;
        if let Some(transaction) = self.transactions.get_mut(&id) {
            transaction.packet = Packet::PubRel(id);
            transaction.deadline = now + packet;
        }
        self.send(now, Packet::PubRel(id));
    }

    fn repeat(&mut self, now: Instant, id: u16) {
        let Some(transaction) = self.transactions.get_mut(&id) else { return };
        let (serial_no, kind) = (transaction.serial_no, transaction.kind);
        if transaction.attempts >= self.timing.attempts.max(1) {
            self.transactions.remove(&id);
            self.event(Event::Failed { serial_no, id, kind });
            self.fail_transactions();
            self.close();
            self.event(Event::SendingFailed);
            return;
        }
        let times = transaction.attempts;
        transaction.attempts += 1;
        transaction.deadline = now + self.timing.packet;
        if let Packet::Publish(publish) = &mut transaction.packet {
            publish.dup = true;
        }
        let packet = transaction.packet.clone();
        self.send(now, packet);
        self.event(Event::Repeated { serial_no, id, kind, times });
    }

    fn ping(&mut self, now: Instant) {
        if self.unanswered_pings >= PINGS {
            self.fail_transactions();
            self.close();
            self.event(Event::PingFailed);
            return;
        }
        self.unanswered_pings += 1;
        self.output.push_back(Output::Send(Packet::PingReq));
        self.next_ping = Some(now + self.timing.ping);
    }

    fn transact(&mut self, now: Instant, serial_no: u64, id: u16, kind: Kind, packet: Packet) {
        let deadline = now + self.timing.packet;
        self.transactions
            .insert(id, Transaction { serial_no, kind, packet: packet.clone(), attempts: 1, deadline });
        self.send(now, packet);
    }

    fn finish(&mut self, id: u16, kind: Kind) -> Option<Transaction> {
        if self.transactions.get(&id)?.kind == kind { self.transactions.remove(&id) } else { None }
    }

    fn fail_transactions(&mut self) {
        for (id, transaction) in std::mem::take(&mut self.transactions) {
            self.event(Event::Failed { serial_no: transaction.serial_no, id, kind: transaction.kind });
        }
    }

    /// Every packet that is sent puts off the next PINGREQ, unless one is unanswered [MQTT 3.1.1 §3.1.2.10].
    fn send(&mut self, now: Instant, packet: Packet) {
        if self.phase == Phase::Connected && self.unanswered_pings == 0 {
            self.next_ping = self.timing.keep_alive.map(|interval| now + interval);
        }
        self.output.push_back(Output::Send(packet));
    }

    fn event(&mut self, event: Event) {
        self.output.push_back(Output::Event(event));
    }

    fn forget(&mut self) {
        self.phase = Phase::Closed;
        self.transactions.clear();
        self.received.clear();
        self.give_up = None;
        self.next_ping = None;
        self.unanswered_pings = 0;
        self.hold_acknowledgements = false;
        self.no_time_limits = false;
    }
}
