//! What the host said, and what is owed to it.

use std::time::Duration;

use at_codec::name_of;
use bytes::Bytes;

use crate::dialect::Dialect;
use crate::dialect::known::KnownCommand;
use crate::dialect::meaning::integers;
use crate::vendor::Vendor;

/// The last command.
#[derive(Debug)]
pub(super) struct Active {
    /// Its entry.
    pub(super) entry: usize,
    pub(super) at: Option<Duration>,
    /// What stands before `=` or `?`: `+QMTOPEN`, `E0`.
    pub(super) name: String,
    pub(super) form: Form,
    pub(super) client: Option<u8>,
    pub(super) known: Option<&'static KnownCommand>,
    /// The line as it was written.
    pub(super) line: Bytes,
    arguments: Vec<String>,
    state: State,
    /// What was written behind the prompt.
    pub(super) data: Vec<u8>,
    /// Lines of its answer.
    pub(super) lines: Vec<Bytes>,
    /// The entry of the result that came ahead of the final one, and whether it was good.
    pub(super) early: Option<(usize, bool)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Execute,
    Read,
    Test,
    Write,
    /// No command at all.
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Asked,
    /// The module waits for data.
    Prompted,
    /// The final result has come.
    Over,
}

/// Commands that make a connection.
const CONNECTING: &[&str] =
    &["+QMTOPEN", "+QMTCONN", "+CMQTTCONNECT", "+MQTTOPEN", "+MQTTCONN", "+CLOUDCONN", "+AWSCONN"];

/// Commands behind which the module starts anew, or goes down.
const RESTARTING: &[&str] = &["+CRESET", "+RESET", "+QRST", "+RST", "+QPOWD", "+CPOF", "+CPWROFF"];

/// An accepted command whose result is still to come.
#[derive(Debug)]
pub(super) struct Owed {
    pub(super) entry: usize,
    pub(super) at: Option<Duration>,
    results: &'static [&'static str],
    client: Option<u8>,
    packet: Option<i64>,
    /// Whether it ends something.
    pub(super) ends: bool,
}

impl Active {
    pub(super) fn new(line: &[u8], dialect: &dyn Dialect, entry: usize, at: Option<Duration>) -> Self {
        let (name, form, arguments) = take_apart(line);
        let key = arguments.first().map(String::as_str);
        let known = KnownCommand::find(dialect.facts().vendor, &name, key);
        let mut active = Self {
            entry,
            at,
            name,
            form,
            client: None,
            known,
            line: Bytes::copy_from_slice(line),
            arguments,
            state: State::Asked,
            data: Vec::new(),
            lines: Vec::new(),
            early: None,
        };
        active.client = active.find_client(dialect);
        active
    }

    pub(super) fn is_command(&self) -> bool {
        self.form != Form::None
    }

    /// Whether its final result is still to come.
    pub(super) fn is_open(&self) -> bool {
        self.is_command() && self.state != State::Over
    }

    /// Whether a `>` can be meant for it. Some firmware says `OK` first.
    pub(super) fn may_be_asked_for_data(&self) -> bool {
        self.acts() && self.state != State::Prompted && self.data.is_empty()
    }

    /// Whether what the host says now is data.
    pub(super) fn wants_data(&self, bytes: &[u8]) -> bool {
        let is_complete = self.declared().is_some_and(|declared| self.data.len() >= declared)
            || !self.data.is_empty() && bytes.get(..2).is_some_and(|it| it.eq_ignore_ascii_case(b"AT"));
        self.state == State::Prompted && !is_complete
    }

    pub(super) fn prompted(&mut self) {
        self.state = State::Prompted;
    }

    pub(super) fn over(&mut self) {
        self.state = State::Over;
    }

    pub(super) fn take_data(&mut self, bytes: &[u8]) {
        self.data.extend_from_slice(bytes);
    }

    fn declared(&self) -> Option<usize> {
        announced(&self.name, self.arguments.iter().map(String::as_str))
    }

    /// Whether one of its arguments can be the length of data.
    pub(super) fn declared_data(&self) -> bool {
        self.form == Form::Write && self.declared().is_some() && self.known.is_some_and(|it| it.asks)
    }

    /// What was announced and what was written, if they differ.
    pub(super) fn wrong_length(&self) -> Option<(usize, usize)> {
        let ends_by_itself = self.data.last() == Some(&0x1A);
        let declared = self.declared().filter(|_| !self.data.is_empty() && !ends_by_itself)?;
        (declared != self.data.len()).then_some((declared, self.data.len()))
    }

    /// Whether a line repeats the command, perhaps with garbage in front of it.
    pub(super) fn is_echo(&self, line: &[u8]) -> bool {
        let (line, written) = (line.trim_ascii_end(), self.line.trim_ascii_end());
        line == written || written.len() > 4 && line.ends_with(written)
    }

    /// Whether a line repeats the data, or the beginning of it.
    pub(super) fn is_echo_of_data(&self, line: &[u8]) -> bool {
        !line.is_empty() && self.data.starts_with(line)
    }

    /// Whether a line is named after the command.
    pub(super) fn is_named(&self, line: &[u8]) -> bool {
        !self.name.is_empty() && name_of(line).is_some_and(|name| name == self.name.as_bytes())
    }

    /// The names that its result may have, which comes apart from the final one.
    pub(super) fn results(&self) -> &'static [&'static str] {
        self.known.filter(|_| self.acts()).map_or(&[], |known| known.results)
    }

    /// Whether a report is a line of its answer. One of a loss is, if the state of the connection was asked for.
    pub(super) fn is_answered_by(&self, line: &[u8], is_loss: bool) -> bool {
        self.is_open() && self.is_named(line) && !(is_loss && self.acts())
    }

    /// Whether it makes the module do something, and does not ask only.
    pub(super) fn acts(&self) -> bool {
        matches!(self.form, Form::Write | Form::Execute)
    }

    /// Whether a line of its answer has the name of a result and is none: `AT+QMTCONN?` is answered with a state.
    pub(super) fn only_looks_like_a_result(&self, line: &[u8]) -> bool {
        let results = self.known.map_or(&[][..], |known| known.results);
        !self.acts()
            && name_of(line).is_some_and(|name| results.iter().any(|result| result.as_bytes() == name))
    }

    pub(super) fn ends_something(&self) -> bool {
        self.known.is_some_and(|known| known.ends)
    }

    pub(super) fn sets_something(&self) -> bool {
        self.known.is_some_and(|known| known.sets)
    }

    /// Whether it makes a connection, so that there is one to lose again.
    pub(super) fn connects(&self) -> bool {
        self.acts() && CONNECTING.contains(&self.name.as_str())
    }

    /// Whether it tells the module to start anew, or to go down.
    pub(super) fn restarts(&self) -> bool {
        let argument = |at: usize| self.arguments.get(at).map_or("", String::as_str);
        match self.name.as_str() {
            "+CFUN" => argument(1) == "1" || matches!(argument(0), "15" | "16"),
            name => self.acts() && RESTARTING.contains(&name),
        }
    }

    /// Whether it subscribes or unsubscribes in one go, which some firmware accepts twice.
    pub(super) fn may_be_accepted_twice(&self) -> bool {
        self.acts() && matches!(self.name.as_str(), "+CMQTTSUB" | "+CMQTTUNSUB")
    }

    /// Whether it has been answered though no final result ends that, as some firmware does.
    pub(super) fn is_answered_without_end(&self) -> bool {
        self.name.ends_with("SIMCOMATI") && !self.lines.is_empty()
    }

    pub(super) fn owed(&self) -> Owed {
        let packet = self.arguments.get(1).and_then(|argument| argument.parse().ok());
        Owed {
            entry: self.entry,
            at: self.at,
            results: self.results(),
            client: self.client,
            packet,
            ends: self.ends_something(),
        }
    }

    pub(super) fn meaning(&self) -> String {
        let purpose = self.known.map_or("", |known| known.purpose);
        match self.form {
            Form::None => "bytes that are no command".to_owned(),
            _ if purpose.is_empty() => "a command".to_owned(),
            Form::Read => format!("ask: {purpose}"),
            Form::Test => format!("ask what is possible: {purpose}"),
            Form::Write | Form::Execute => purpose.to_owned(),
        }
    }

    /// The client that an MQTT command names, first or behind the key of a setting.
    fn find_client(&self, dialect: &dyn Dialect) -> Option<u8> {
        if !["+QMT", "+CMQTT", "+MQTT"].iter().any(|start| self.name.starts_with(start)) {
            return None;
        }
        if self.known.is_some_and(|known| known.parameters.starts_with("<mode>")) {
            return None;
        }
        let clients = dialect.facts().clients.clone();
        if clients.start() == clients.end() {
            return Some(*clients.start());
        }
        let numbers = self.arguments.iter().take(2).find_map(|argument| argument.parse().ok());
        numbers.filter(|number| clients.contains(number))
    }
}

impl Owed {
    /// Whether a line is its result, by name, client and packet identifier.
    pub(super) fn is_told_by(&self, line: &[u8]) -> bool {
        let name = name_of(line).and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default();
        if !self.results.contains(&name) {
            return false;
        }
        let numbers = integers(line, name).unwrap_or_default();
        let client = self.client.map(i64::from);
        let is_other = |wanted: Option<i64>, at: usize| matches!((wanted, numbers.get(at)), (Some(wanted), Some(got)) if wanted != *got);
        let has_packet = numbers.len() >= 3 && name != "+QMTCONN";
        // A result with one number names no client.
        !(numbers.len() >= 2 && is_other(client, 0) || has_packet && is_other(self.packet, 1))
    }

    /// Whether it ends with a client's connection.
    pub(super) fn is_of(&self, client: u8) -> bool {
        self.client == Some(client)
    }
}

/// Name, form and arguments of a command line; of several commands in one line those of the first.
fn take_apart(line: &[u8]) -> (String, Form, Vec<String>) {
    let text = String::from_utf8_lossy(line);
    let Some(body) = text.get(2..).filter(|_| text.get(..2).is_some_and(|it| it.eq_ignore_ascii_case("AT")))
    else {
        return (String::new(), Form::None, Vec::new());
    };
    let body = split(body.trim(), ';').next().unwrap_or_default();
    let end = body.find(['=', '?', ' ']).unwrap_or(body.len());
    let (name, rest) = body.split_at(end);
    let name = name.to_ascii_uppercase();
    // Behind a blank there may be a remark of whoever wrote it down.
    let rest = rest.trim_start();
    match rest.strip_prefix('=').map(str::trim) {
        Some("?") => (name, Form::Test, Vec::new()),
        Some(rest) => (name, Form::Write, split(rest, ',').map(|it| it.trim().to_owned()).collect()),
        None if rest.starts_with('?') => (name, Form::Read, Vec::new()),
        None => (name, Form::Execute, Vec::new()),
    }
}

/// Cuts at a separator outside of quotation marks.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |character| {
        quoted ^= character == '"';
        character == separator && !quoted
    })
}

/// The length that a command line announces for data.
pub(super) fn announced_length(line: &[u8]) -> Option<usize> {
    let (name, _, arguments) = take_apart(line);
    announced(&name, arguments.iter().map(String::as_str))
}

/// Commands whose data's length is not the last argument, and which it is, counted from 0.
const LENGTH_AT: &[(&str, usize)] = &[
    ("+QFUPL", 1),
    ("+QFWRITE", 1),
    ("+QSECWRITE", 1),
    ("+CFTRANRX", 1),
    ("+CMQTTWILLMSG", 1),
    ("+CMQTTSUBTOPIC", 1),
    ("+CMQTTSUB", 1),
    ("+CMQTTUNSUBTOPIC", 1),
    ("+CMQTTUNSUB", 1),
    // Of the form that has the topic among its arguments: the other one asks for no data.
    ("+CMQTTPUB", 3),
    ("+MQTTPUBRAW", 2),
];

fn announced<'a>(name: &str, mut arguments: impl DoubleEndedIterator<Item = &'a str>) -> Option<usize> {
    let length = match LENGTH_AT.iter().find(|(known, _)| *known == name) {
        Some((_, at)) => arguments.nth(*at),
        None => arguments.next_back(),
    };
    length?.parse().ok()
}

/// How names begin that are one vendor's alone: of reports, and of commands that are not known by their name.
const FAMILIES: &[(&str, Vendor)] = &[
    ("+QMT", Vendor::Quectel),
    ("+QSSL", Vendor::Quectel),
    ("+CMQTT", Vendor::SimCom),
    ("+CCERT", Vendor::SimCom),
    ("+CLOUD", Vendor::Neoway),
    ("+AWS", Vendor::Neoway),
    ("+MQTTMSG", Vendor::Fibocom),
    ("+MQTTBREAK", Vendor::Fibocom),
];

/// Whose command or report it is, if it is one vendor's alone.
pub(super) fn vendor_of(line: &[u8]) -> Option<Vendor> {
    let name = bare_name(line);
    let family = || FAMILIES.iter().find(|(start, _)| name.starts_with(start)).map(|(_, vendor)| *vendor);
    KnownCommand::vendor_of(&name).or_else(family).or_else(|| vendor_of_form(line))
}

/// Some names are those of several vendors, but Neoway alone numbers no clients.
fn vendor_of_form(line: &[u8]) -> Option<Vendor> {
    let (name, _, arguments) = take_apart(line);
    let topic = match name.as_str() {
        "+MQTTSUB" | "+MQTTUNSUB" | "+MQTTCONN" => 0,
        "+MQTTPUB" => 2,
        _ => return None,
    };
    let numbers = arguments.iter().take(topic).all(|argument| argument.parse::<u8>().is_ok());
    (numbers && arguments.get(topic)?.starts_with('"')).then_some(Vendor::Neoway)
}

/// Whether a command or report is about MQTT.
pub(super) fn is_mqtt(line: &[u8]) -> bool {
    let name = bare_name(line);
    ["+QMT", "+CMQTT", "+MQTT"].iter().any(|start| name.starts_with(start))
}

/// The name of a command or report, in capitals.
fn bare_name(line: &[u8]) -> String {
    let line = line.trim_ascii();
    let body = line.strip_prefix(b"AT").or_else(|| line.strip_prefix(b"at")).unwrap_or(line);
    let name = body.split(|byte| b"=?: ".contains(byte)).next().unwrap_or_default();
    String::from_utf8_lossy(name).to_ascii_uppercase()
}
