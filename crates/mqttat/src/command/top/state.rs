//! What the dashboard knows.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use bytes::Bytes;
use mqtt_at::NetworkStatus;

/// How many measurements, reports and topics are kept.
const SIGNALS: usize = 200;
const REPORTS: usize = 100;
const TOPICS: usize = 500;
/// Rates are those of this time.
const RATE: Duration = Duration::from_secs(10);

/// Something new.
#[derive(Debug)]
pub(super) enum News {
    Network(NetworkStatus),
    /// What the modem is doing.
    Modem(String),
    /// What the connection is doing.
    Client(String),
    /// How many publishes wait, and how many of them the module has.
    Load {
        pending: usize,
        in_flight: usize,
    },
    Message {
        topic: String,
        payload: Bytes,
    },
    /// A publish that was asked for here has come to its end.
    Published(Result<Duration, String>),
    Subscribed(String),
    Unsubscribed(String),
    Report(Report),
}

/// A line of what was reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) kind: Kind,
    pub(super) text: String,
}

/// Who reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Module,
    Library,
    Failure,
}

/// All that is shown.
#[derive(Debug)]
pub(super) struct State {
    pub(super) start: Instant,
    pub(super) identity: String,
    pub(super) modem: String,
    /// The newest last; `None` where there was no signal.
    pub(super) signals: VecDeque<Option<i16>>,
    pub(super) network: NetworkStatus,
    /// Without a broker there is none.
    pub(super) client: Option<ClientRow>,
    pub(super) topics: BTreeMap<String, Topic>,
    /// The newest last, with the time since the beginning.
    pub(super) reports: VecDeque<(Duration, Report)>,
    pub(super) input: Option<Input>,
    pub(super) last_topic: String,
}

/// A client of the module.
#[derive(Debug)]
pub(super) struct ClientRow {
    pub(super) index: u8,
    pub(super) identifier: String,
    pub(super) status: String,
    pub(super) window: usize,
    pub(super) in_flight: usize,
    pub(super) pending: usize,
    pub(super) sent: Rate,
    pub(super) received: Rate,
    pub(super) filters: Vec<String>,
}

/// A topic on which something came.
#[derive(Debug)]
pub(super) struct Topic {
    pub(super) count: u64,
    pub(super) last: Bytes,
    pub(super) at: Instant,
}

/// How many there were, and when the last of them.
#[derive(Debug, Default)]
pub(super) struct Rate {
    pub(super) total: u64,
    recent: VecDeque<Instant>,
}

impl Rate {
    fn count(&mut self, now: Instant) {
        self.total += 1;
        self.recent.push_back(now);
        while self.recent.front().is_some_and(|at| now.duration_since(*at) > RATE) {
            self.recent.pop_front();
        }
    }

    /// How many a second there were of late.
    pub(super) fn per_second(&self, now: Instant) -> f64 {
        let recent = self.recent.iter().filter(|at| now.duration_since(**at) <= RATE).count();
        recent as f64 / RATE.as_secs_f64()
    }
}

/// What a person is typing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Input {
    /// The topic to publish to.
    Topic(String),
    /// The payload for this topic.
    Payload {
        topic: String,
        text: String,
    },
    Subscribe(String),
    Unsubscribe(String),
}

impl Input {
    /// What is asked for.
    pub(super) fn question(&self) -> String {
        match self {
            Self::Topic(_) => "publish to topic".to_owned(),
            Self::Payload { topic, .. } => format!("payload for {topic}"),
            Self::Subscribe(_) => "subscribe to".to_owned(),
            Self::Unsubscribe(_) => "unsubscribe from".to_owned(),
        }
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Self::Topic(text)
            | Self::Payload { text, .. }
            | Self::Subscribe(text)
            | Self::Unsubscribe(text) => text,
        }
    }

    pub(super) fn text_mut(&mut self) -> &mut String {
        match self {
            Self::Topic(text)
            | Self::Payload { text, .. }
            | Self::Subscribe(text)
            | Self::Unsubscribe(text) => text,
        }
    }
}

impl State {
    pub(super) fn new(identity: String, client: Option<ClientRow>) -> Self {
        Self {
            start: Instant::now(),
            identity,
            modem: "ready".to_owned(),
            signals: VecDeque::new(),
            network: NetworkStatus::default(),
            client,
            topics: BTreeMap::new(),
            reports: VecDeque::new(),
            input: None,
            last_topic: String::new(),
        }
    }

    pub(super) fn apply(&mut self, news: News, now: Instant) {
        match news {
            News::Network(network) => {
                self.signals.push_back(network.signal.and_then(|signal| signal.rssi_dbm));
                while self.signals.len() > SIGNALS {
                    self.signals.pop_front();
                }
                self.network = network;
            }
            News::Modem(state) => self.modem = state,
            News::Message { topic, payload } => self.receive(topic, payload, now),
            News::Published(Err(text)) => self.report(Report { kind: Kind::Failure, text }, now),
            News::Report(report) => self.report(report, now),
            of_client => self.apply_to_client(of_client, now),
        }
    }

    fn apply_to_client(&mut self, news: News, now: Instant) {
        let Some(client) = &mut self.client else { return };
        let library = |text: String| Report { kind: Kind::Library, text };
        let report = match news {
            News::Client(status) => {
                client.status = status;
                return;
            }
            News::Load { pending, in_flight } => {
                (client.pending, client.in_flight) = (pending, in_flight);
                return;
            }
            News::Published(Ok(after)) => {
                client.sent.count(now);
                library(format!("published, acknowledged after {} ms", after.as_millis()))
            }
            News::Subscribed(filter) => {
                client.filters.push(filter.clone());
                library(format!("subscribed to {filter}"))
            }
            News::Unsubscribed(filter) => {
                client.filters.retain(|known| *known != filter);
                library(format!("unsubscribed from {filter}"))
            }
            _ => return,
        };
        self.report(report, now);
    }

    fn receive(&mut self, topic: String, payload: Bytes, now: Instant) {
        if let Some(client) = &mut self.client {
            client.received.count(now);
        }
        // The topic that was silent for the longest time makes room.
        if self.topics.len() >= TOPICS && !self.topics.contains_key(&topic) {
            let oldest = self.topics.iter().min_by_key(|(_, topic)| topic.at).map(|(name, _)| name.clone());
            oldest.map(|name| self.topics.remove(&name));
        }
        let entry = self.topics.entry(topic).or_insert(Topic { count: 0, last: Bytes::new(), at: now });
        entry.count += 1;
        (entry.last, entry.at) = (payload, now);
    }

    pub(super) fn report(&mut self, report: Report, now: Instant) {
        self.reports.push_back((now.duration_since(self.start), report));
        while self.reports.len() > REPORTS {
            self.reports.pop_front();
        }
    }
}
