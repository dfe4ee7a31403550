//! Reading a recorded conversation, without a module and without a port.
//!
//! [`Analyser`] takes what was said, turn by turn, and says what each line is: a command, its answer, a report, a
//! message. It frames with the same rules as a live connection does, so that what it shows is what the client saw.
//! What looks wrong becomes a [`Finding`], with the row of the known deviation or the section of the manual.
//!
//! ```
//! use std::time::Duration;
//!
//! use mqtt_at::Vendor;
//! use mqtt_at::offline::{Analyser, Kind};
//!
//! let mut analyser = Analyser::new(Vendor::Quectel);
//! let ms = |ms| Some(Duration::from_millis(ms));
//! analyser.host(ms(0), b"AT+QMTPUBEX=0,1,1,0,\"t\",5\r");
//! analyser.module(ms(4), b"\r\n> ");
//! analyser.host(ms(4), b"hello");
//! analyser.module(ms(9), b"\r\nOK\r\n\r\n+QMTSTAT: 0,1\r\n");
//! let analysis = analyser.finish();
//!
//! let kinds: Vec<_> = analysis.entries.iter().map(|entry| entry.kind.name()).collect();
//! assert_eq!(kinds, ["command", "prompt", "data", "final", "lost"]);
//! assert!(analysis.findings[0].what.starts_with("the connection of client 0 was lost: closed or reset by the broker"));
//! ```

mod command;
mod entry;
mod finding;
mod losses;
mod module_side;
mod network;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use at_codec::{AtCodec, Limits, PromptKind};
use at_port::Rules;
use bytes::{Bytes, BytesMut};
use tokio::sync::broadcast;

pub use self::entry::{Entry, Kind, Speaker};
pub use self::finding::{Finding, Severity};
pub use crate::dialect::known::KnownCommand;

use self::command::{Active, Owed};
use self::losses::Losses;
use crate::dialect::{self, Dialect};
use crate::event::{ClientStatus, Event};
use crate::link::{Inbound, Links};
use crate::vendor::Vendor;

/// Reads a conversation from its turns.
///
/// Times are those since the beginning of the recording, where they are known.
///
/// The [module's page](crate::offline) has an example.
pub struct Analyser {
    dialect: Box<dyn Dialect>,
    links: Arc<Links>,
    codec: AtCodec<Box<dyn Rules<Urc = Inbound>>>,
    buffer: BytesMut,
    now: Option<Duration>,
    analysis: Analysis,
    /// The command whose final result has not come, or the last one.
    active: Option<Active>,
    /// Accepted commands whose results come later.
    owed: Vec<Owed>,
    /// The last accepted command of each name: some of those that nothing else is known of have results, too.
    accepted: HashMap<String, usize>,
    /// Commands that were given up; their answers may still come.
    overdue: Vec<String>,
    /// Whether the module has answered anything.
    answered: bool,
    /// Whether the module was told to repeat nothing.
    echo_off: bool,
    /// Whether a restart was reported and no command was answered since.
    starting: bool,
    losses: Losses,
    news: Vec<(u8, broadcast::Receiver<Event>)>,
}

/// What was read.
///
/// The [module's page](crate::offline) has an example.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Analysis {
    /// Whose module it was taken for.
    pub vendor: Vendor,
    /// All that was said, in order.
    pub entries: Vec<Entry>,
    /// What looks wrong, by the entry that it concerns.
    pub findings: Vec<Finding>,
}

impl Analyser {
    /// Nothing has been read yet. All clients of the module are taken as connected, and as expecting every topic.
    pub fn new(vendor: Vendor) -> Self {
        let dialect = dialect::for_reading(vendor);
        let links = Arc::new(Links::default());
        let rules = dialect.rules(&links);
        let mut codec = AtCodec::new(rules, Limits::default());
        codec.reset();
        let analysis = Analysis { vendor, entries: Vec::new(), findings: Vec::new() };
        let mut analyser = Self {
            dialect,
            links,
            codec,
            buffer: BytesMut::new(),
            now: None,
            analysis,
            active: None,
            owed: Vec::new(),
            accepted: HashMap::new(),
            overdue: Vec::new(),
            answered: false,
            echo_off: false,
            starting: false,
            losses: Losses::default(),
            news: Vec::new(),
        };
        analyser.connect_all();
        analyser
    }

    /// Whose module speaks like this, as far as command lines or reports tell. Those of MQTT weigh more than others.
    pub fn vendor_of<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Option<Vendor> {
        let told = lines.into_iter().filter_map(|line| Some((command::vendor_of(line)?, line)));
        let told: Vec<_> = told.collect();
        let by_mqtt = told.iter().find(|(_, line)| command::is_mqtt(line));
        by_mqtt.or(told.first()).map(|(vendor, _)| *vendor)
    }

    /// How many bytes of data a command line announces, for those that ask for data behind a prompt.
    pub fn announced_length(line: &[u8]) -> Option<usize> {
        command::announced_length(line)
    }

    /// The host wrote this.
    pub fn host(&mut self, at: Option<Duration>, bytes: &[u8]) {
        self.now = at.or(self.now);
        if self.active.as_ref().is_some_and(|active| active.wants_data(bytes)) {
            return self.data(bytes);
        }
        for line in bytes.split(|byte| *byte == b'\r' || *byte == b'\n').filter(|line| !line.is_empty()) {
            self.command(line);
        }
    }

    /// The module wrote this.
    pub fn module(&mut self, at: Option<Duration>, bytes: &[u8]) {
        self.now = at.or(self.now);
        self.buffer.extend_from_slice(bytes);
        loop {
            let may_ask = self.active.as_ref().is_some_and(Active::may_be_asked_for_data);
            self.codec.arm_prompt(may_ask.then_some(PromptKind::Data));
            // The codec has no errors of its own.
            let Ok(Some(frame)) = tokio_util::codec::Decoder::decode(&mut self.codec, &mut self.buffer)
            else {
                break;
            };
            self.frame(frame);
        }
    }

    /// Whoever recorded the conversation remarks this.
    pub fn note(&mut self, at: Option<Duration>, text: &str) {
        self.now = at.or(self.now);
        self.push(Speaker::Recorder, Kind::Note, Bytes::copy_from_slice(text.as_bytes()), text);
    }

    /// Whoever recorded the conversation could not read so many bytes of the module.
    pub fn dropped(&mut self, at: Option<Duration>, bytes: usize) {
        self.now = at.or(self.now);
        let text = format!("{bytes} bytes that could not be read were dropped");
        let entry = self.push(Speaker::Recorder, Kind::Damaged, Bytes::new(), &text);
        self.find(entry, &finding::DAMAGED, text, None);
    }

    /// There is no more.
    pub fn finish(mut self) -> Analysis {
        if let Some(frame) = self.codec.give_up(&mut self.buffer) {
            self.frame(frame);
        }
        self.find_unanswered();
        self.analysis.findings.sort_by_key(|finding| finding.entry);
        self.analysis
    }

    fn command(&mut self, line: &[u8]) {
        self.give_up_active();
        let active = Active::new(line, self.dialect.as_ref(), self.analysis.entries.len(), self.now);
        let meaning = active.meaning();
        let client = active.client;
        self.losses.hear_command(&active);
        let kind = if active.is_command() { Kind::Command } else { Kind::Data };
        let entry = self.push(Speaker::Host, kind, Bytes::copy_from_slice(line), &meaning);
        self.set_client(entry, client);
        self.active = Some(active);
    }

    fn data(&mut self, bytes: &[u8]) {
        let Some(active) = &mut self.active else { return };
        active.take_data(bytes);
        let (entry, client) = (active.entry, active.client);
        let meaning = format!("{} bytes of data", bytes.len());
        let number = self.push(Speaker::Host, Kind::Data, Bytes::copy_from_slice(bytes), &meaning);
        self.set_client(number, client);
        self.set_answers(number, entry);
    }

    /// The host goes on though the last command has no final result.
    fn give_up_active(&mut self) {
        let Some(active) = self.active.take().filter(|active| active.is_open()) else { return };
        let waited = self.since(active.at);
        let within = waited.map_or(String::new(), |it| format!(" within {} ms", it.as_millis()));
        let (rule, what) = if active.is_answered_without_end() {
            (&finding::NO_END, "the answer came without a final result".to_owned())
        } else if !active.lines.is_empty() {
            (&finding::UNFINISHED, "only the final result of the answer is missing".to_owned())
        } else if self.answered && !self.starting {
            (&finding::NO_ANSWER, format!("no final result came{within}, and the host went on"))
        } else {
            (&finding::SILENT_START, format!("the module did not answer{within}"))
        };
        self.find(active.entry, rule, what, None);
        self.overdue.push(active.name);
    }

    fn find_unanswered(&mut self) {
        let open = |active: &Active| active.is_open() && !active.is_answered_without_end();
        if let Some(active) = self.active.take().filter(open) {
            let what = "the recording ends before the final result".to_owned();
            self.find(active.entry, &finding::ENDS_EARLY, what, None);
        }
        for owed in std::mem::take(&mut self.owed) {
            let waited = self.since(owed.at);
            let is_short = waited.is_some_and(|waited| waited < Duration::from_secs(5));
            let rule = match (is_short, owed.ends) {
                (true, _) => &finding::ENDS_EARLY,
                (false, true) => &finding::NO_FAREWELL,
                (false, false) => &finding::NO_RESULT,
            };
            let what = match waited {
                Some(waited) => format!("its result did not come within {} ms", waited.as_millis()),
                None => "its result did not come".to_owned(),
            };
            self.find(owed.entry, rule, what, None);
        }
    }

    /// Takes every client as connected, as before the first report of a loss.
    fn connect_all(&mut self) {
        self.dialect.read_as_connected();
        for client in self.dialect.facts().clients.clone() {
            if self.links.current(client).is_some_and(|link| link.is_alive()) {
                continue;
            }
            let link = self.links.begin(client, true);
            self.news.retain(|(known, _)| *known != client);
            self.news.push((client, link.events()));
            link.connected();
        }
    }

    /// The clients whose connection the rules took as lost, with the cause.
    fn lost_clients(&self) -> Vec<(u8, crate::event::LossCause)> {
        let clients = self.dialect.facts().clients.clone();
        let lost = clients.filter_map(|client| match &*self.links.current(client)?.status().borrow() {
            ClientStatus::Lost(cause) => Some((client, cause.clone())),
            _ => None,
        });
        lost.collect()
    }

    fn since(&self, at: Option<Duration>) -> Option<Duration> {
        self.now?.checked_sub(at?)
    }

    fn push(&mut self, speaker: Speaker, kind: Kind, bytes: Bytes, meaning: &str) -> usize {
        let number = self.analysis.entries.len();
        let meaning = meaning.to_owned();
        let entry = Entry {
            number,
            at: self.now,
            speaker,
            kind,
            client: None,
            bytes,
            meaning,
            answers: None,
            after: None,
        };
        self.analysis.entries.push(entry);
        number
    }

    fn set_client(&mut self, entry: usize, client: Option<u8>) {
        if let Some(entry) = self.analysis.entries.get_mut(entry) {
            entry.client = client.or(entry.client);
        }
    }

    /// Notes which command an entry belongs to, and how long after it it came.
    fn set_answers(&mut self, entry: usize, command: usize) {
        let asked = self.analysis.entries.get(command).and_then(|command| command.at);
        let after = self.since(asked);
        if let Some(entry) = self.analysis.entries.get_mut(entry) {
            entry.answers = Some(command);
            entry.after = after;
        }
    }

    fn find(&mut self, entry: usize, rule: &finding::Rule, what: String, remedy: Option<&'static str>) {
        self.analysis.findings.push(rule.finding(entry, what, remedy));
    }
}

impl std::fmt::Debug for Analyser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Analyser").field("vendor", &self.analysis.vendor).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
