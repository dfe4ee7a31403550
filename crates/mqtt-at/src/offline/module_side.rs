//! What the module said: each frame gets its meaning.

use at_codec::{Frame, name_of};
use at_port::{ErrorCode, FinalResult, Refusal};
use bytes::Bytes;

use super::command::{Active, Form};
use super::entry::{Kind, Speaker};
use super::finding::Severity;
use super::{Analyser, finding, network};
use crate::dialect;
use crate::dialect::meaning::Tone;
use crate::event::Event;
use crate::link::Inbound;

impl Analyser {
    pub(super) fn frame(&mut self, frame: Frame) {
        match frame {
            Frame::Line(line) => self.line(line),
            Frame::Prompt => self.prompt(Bytes::from_static(b">")),
            Frame::Damaged(damage) => {
                // Both count what stands in front of the data, too.
                let what = match damage.need {
                    0 => format!("{} bytes that cannot be read", damage.got),
                    need => format!(
                        "{} bytes that cannot be read; line and data together should have {need}",
                        damage.got
                    ),
                };
                let entry = self.push(Speaker::Module, Kind::Damaged, damage.head.clone(), &what);
                // What the rules ask the module for cannot be asked any more.
                drop(self.codec.framing_mut().damaged(&damage));
                self.find(entry, &finding::DAMAGED, what, None);
                self.news.iter_mut().for_each(|(_, news)| while news.try_recv().is_ok() {});
            }
            Frame::Overrun(overrun) => {
                let what = format!("a line of more than {} bytes", overrun.skipped);
                let entry = self.push(Speaker::Module, Kind::Damaged, Bytes::new(), &what);
                self.find(entry, &finding::DAMAGED, what, None);
            }
        }
    }

    fn prompt(&mut self, bytes: Bytes) {
        let entry = self.push(Speaker::Module, Kind::Prompt, bytes, "the module asks for data");
        if let Some(active) = &mut self.active {
            active.prompted();
            let (command, client) = (active.entry, active.client);
            self.set_client(entry, client);
            self.set_answers(entry, command);
        }
    }

    /// Gives a line its meaning, in the order in which a live session does.
    fn line(&mut self, line: Bytes) {
        let is_report = self.codec.framing().is_unsolicited(&line);
        if !is_report && self.echo(&line) || self.result(&line) {
            return;
        }
        let is_open = self.active.as_ref().is_some_and(Active::is_open);
        let command = self.active.as_ref().filter(|_| is_open).map_or("", |active| active.name.as_str());
        let result =
            FinalResult::standard(&line).or_else(|| self.codec.framing().final_result(&line, command));
        if let Some(result) = result.filter(|_| is_open || !is_report) {
            return self.final_result(line, &result);
        }
        if is_open && line == "CONNECT" {
            return self.prompt(line);
        }
        if is_report {
            return self.report(line);
        }
        if let Some(whose) = self.overdue_answer(&line) {
            let meaning = format!("a late answer of AT{whose}");
            self.push(Speaker::Module, Kind::Information, line, &meaning);
            return;
        }
        let may_answer = |active: &Active| active.data.is_empty() || active.is_named(&line);
        if is_open && self.active.as_ref().is_some_and(may_answer) {
            return self.information(line);
        }
        if let Some((whose, command)) = self.accepted_as(&line) {
            let meaning = format!("what came of AT{whose}");
            let entry = self.push(Speaker::Module, Kind::Information, line, &meaning);
            return self.set_answers(entry, command);
        }
        let meaning = "a line that belongs to nothing";
        let entry = self.push(Speaker::Module, Kind::Unknown, line.clone(), meaning);
        if self.find_network_fault(entry, &line) {
            return;
        }
        self.find(entry, &finding::UNKNOWN, meaning.to_owned(), None);
    }

    /// The command that was given up and is answered by this line, unless the last one has the same name.
    fn overdue_answer(&self, line: &[u8]) -> Option<String> {
        let name = name_of(line)?;
        let is_current = self.active.as_ref().is_some_and(|active| active.is_named(line));
        self.overdue.iter().find(|overdue| !is_current && overdue.as_bytes() == name).cloned()
    }

    /// The accepted command that has the line's name, and where it stands.
    fn accepted_as(&self, line: &[u8]) -> Option<(String, usize)> {
        let name = std::str::from_utf8(name_of(line)?).ok()?;
        self.accepted.get(name).map(|command| (name.to_owned(), *command))
    }

    fn echo(&mut self, line: &Bytes) -> bool {
        let Some(active) = &self.active else { return false };
        let of_command = active.is_open() && active.lines.is_empty() && active.is_echo(line);
        if !of_command && !active.is_echo_of_data(line) {
            return false;
        }
        let (command, client) = (active.entry, active.client);
        let is_news = of_command && self.echo_off && active.name != "E0";
        let entry =
            self.push(Speaker::Module, Kind::Echo, line.clone(), "the module repeats what it was told");
        self.set_client(entry, client);
        self.set_answers(entry, command);
        if is_news {
            self.echo_off = false;
            let what = "echo is back, though it had been switched off: the module has probably restarted";
            self.find(entry, &finding::ECHO_IS_BACK, what.to_owned(), None);
        }
        true
    }

    /// The result of an accepted command, or of the one in flight, ahead of its final result.
    fn result(&mut self, line: &Bytes) -> bool {
        let Some(meaning) = self.dialect.meaning(line) else { return false };
        let is_good = meaning.tone != Tone::Bad;
        let position = self.owed.iter().position(|owed| owed.is_told_by(line));
        let early = self.active.as_ref().filter(|active| active.is_open() && active.early.is_none());
        let early = early.filter(|active| {
            active.owed().is_told_by(line) || !is_good && active.acts() && active.is_named(line)
        });
        let command = match (position.and_then(|at| self.owed.get(at)), early) {
            (Some(owed), _) => owed.entry,
            (None, Some(active)) => active.entry,
            (None, None) => return false,
        };
        let entry =
            self.push(Speaker::Module, Kind::Result { success: is_good }, line.clone(), &meaning.text);
        self.set_client(entry, meaning.client);
        self.set_answers(entry, command);
        if meaning.tone == Tone::Interim {
            self.find(entry, &finding::SENT_AGAIN, meaning.text.into_owned(), None);
            return true;
        }
        match (position, &mut self.active) {
            (Some(at), _) => {
                let owed = self.owed.remove(at);
                let what = meaning.text.into_owned();
                match (is_good, owed.ends) {
                    (true, _) => {}
                    (false, true) => self.find(entry, &finding::NOTHING_TO_END, what, None),
                    (false, false) => self.find_refused(entry, what, meaning.remedy, Some(meaning.source)),
                }
            }
            (None, Some(active)) => active.early = Some((entry, is_good)),
            (None, None) => {}
        }
        true
    }

    fn final_result(&mut self, line: Bytes, result: &FinalResult) {
        let success = result.is_success();
        let Some(mut active) = self.active.take_if(|active| active.is_open()) else {
            let entry = self.push(Speaker::Module, Kind::Final { success }, line, "nobody waits for it");
            if success && self.active.as_ref().is_some_and(Active::may_be_accepted_twice) {
                let what = "a second final result of the same command".to_owned();
                return self.find(entry, &finding::ACCEPTED_TWICE, what, None);
            }
            let what = "a final result that no command is waiting for".to_owned();
            return self.find(entry, &finding::ORPHAN, what, None);
        };
        self.answered = true;
        self.starting = false;
        let meaning = if success { "accepted".to_owned() } else { result.to_string() };
        let entry = self.push(Speaker::Module, Kind::Final { success }, line, &meaning);
        self.set_client(entry, active.client);
        self.set_answers(entry, active.entry);
        if self.is_late(&active) {
            let whose = self.overdue.pop().unwrap_or_default();
            let what =
                format!("this answers AT{whose}, which had been given up, and not the command before it");
            self.find(entry, &finding::LATE_ANSWER, what, None);
            self.active = Some(active);
            return;
        }
        active.over();
        self.overdue.clear();
        if let Some((declared, written)) = active.wrong_length() {
            let what = format!("{declared} bytes were announced and {written} written");
            self.find(active.entry, &finding::WRONG_LENGTH, what, None);
        }
        if success {
            self.accepted(&active)
        } else {
            self.refused(entry, &active, result)
        }
        self.active = Some(active);
    }

    /// Whether the final result cannot be that of a question, because what was asked for is not there.
    fn is_late(&self, active: &Active) -> bool {
        active.form == Form::Read && active.lines.is_empty() && !self.overdue.is_empty()
    }

    fn accepted(&mut self, active: &Active) {
        self.accepted.insert(active.name.clone(), active.entry);
        match active.name.as_str() {
            "E0" => self.echo_off = true,
            "E1" | "E" | "Z" | "&F" => self.echo_off = false,
            _ => {}
        }
        match active.early {
            None if active.results().is_empty() => {}
            None => self.owed.push(active.owed()),
            Some((entry, true)) => {
                let what = "the result came ahead of the final result".to_owned();
                self.find(entry, &finding::EARLY_RESULT, what, None);
            }
            Some((entry, false)) => {
                let text = self.analysis.entries.get(entry).map_or(String::new(), |it| it.meaning.clone());
                if active.ends_something() {
                    return self.find(entry, &finding::NOTHING_TO_END, text, None);
                }
                let meaning = self.analysis.entries.get(entry).and_then(|it| self.dialect.meaning(&it.bytes));
                self.find_refused(
                    entry,
                    text,
                    meaning.as_ref().and_then(|it| it.remedy),
                    meaning.map(|it| it.source),
                );
            }
        }
    }

    /// The command was refused. What is behind that stands in the lines before the final result, if anywhere.
    fn refused(&mut self, entry: usize, active: &Active, result: &FinalResult) {
        let early = active.early.and_then(|(entry, _)| self.analysis.entries.get(entry));
        let lines = active.lines.iter().cloned().chain(early.map(|it| it.bytes.clone())).collect();
        let refusal = Refusal::of_command(format!("AT{}", active.name), result.clone(), lines);
        let (what, remedy) = match self.dialect.explain(&refusal) {
            Some(error) => (error.to_string(), error.remedy()),
            None => {
                let (code, meaning) = dialect::meaning_of(result);
                let code = code.map_or(String::new(), |code| format!(" ({code})"));
                (format!("AT{}: {meaning}{code}", active.name), None)
            }
        };
        if let Some(entry) = self.analysis.entries.get_mut(entry) {
            entry.meaning = format!("refused: {what}");
        }
        let rule = match active.name.as_str() {
            _ if active.form == Form::Test => &finding::NOT_KNOWN,
            _ if active.ends_something() => &finding::NOTHING_TO_END,
            "+CMQTTSTART" if active.early.is_some() => &finding::STARTED_ALREADY,
            "+QIACT" | "+MIPCALL" | "+XIIC" | "+CGACT" | "+NETOPEN" if !is_of_network(result) => {
                &finding::ALREADY_UP
            }
            // Not all firmware can list its files, and nothing depends on that.
            "+CCERTLIST" | "+QFLST" => &finding::NOT_KNOWN,
            "+CPIN" => &finding::SIM_BUSY,
            _ if active.sets_something() => &finding::OPTIONAL,
            _ if active.early.is_some() => &finding::RESULT_WITH_ERROR,
            _ => &finding::REFUSED,
        };
        let mut finding = rule.finding(entry, what, None);
        // The remedy of what is harmless is that nothing needs to be done.
        if finding.severity == Severity::Error {
            finding.remedy = remedy.or(finding.remedy);
        }
        self.analysis.findings.push(finding);
    }

    fn find_refused(
        &mut self,
        entry: usize,
        what: String,
        remedy: Option<&'static str>,
        see: Option<&'static str>,
    ) {
        let mut finding = finding::REFUSED.finding(entry, what, remedy);
        finding.see = see;
        self.analysis.findings.push(finding);
    }

    fn information(&mut self, line: Bytes) {
        let Some(active) = &mut self.active else { return };
        active.lines.push(line.clone());
        let (command, client) = (active.entry, active.client);
        let meaning = self.dialect.meaning(&line).filter(|_| !active.only_looks_like_a_result(&line));
        let meaning = meaning.map_or_else(|| "answer".to_owned(), |it| it.text.into_owned());
        let entry = self.push(Speaker::Module, Kind::Information, line.clone(), &meaning);
        self.set_client(entry, client);
        self.set_answers(entry, command);
        self.find_network_fault(entry, &line);
    }

    /// What a line says of SIM and registration, if that explains a failure; whether it does.
    fn find_network_fault(&mut self, entry: usize, line: &[u8]) -> bool {
        let Some((what, remedy)) = network::fault(line) else { return false };
        if let Some(entry) = self.analysis.entries.get_mut(entry) {
            entry.meaning = what.to_owned();
        }
        self.find(entry, &finding::NETWORK, what.to_owned(), Some(remedy));
        true
    }

    fn report(&mut self, line: Bytes) {
        let reaction = self.codec.framing_mut().unsolicited(&line);
        let lost = self.lost_clients();
        let is_loss = !lost.is_empty();
        if let Some((_, Inbound::Message(message))) = &reaction.deliver {
            self.message(&line, message);
        } else if reaction.reboot {
            self.restarted(line);
        } else if self.active.as_ref().is_some_and(|it| it.is_answered_by(&line, is_loss)) {
            self.information(line);
        } else if !is_loss {
            self.plain_report(line);
        } else {
            let name = name_of(&line).map(String::from_utf8_lossy).unwrap_or_default();
            let news = self.losses.news(&name, lost);
            if news.is_empty() {
                let entry =
                    self.push(Speaker::Module, Kind::Report, line.clone(), "a loss that is known already");
                self.set_client(entry, self.client_named_in(&line));
            } else {
                self.lost(line, &news);
            }
        }
        self.hear_news();
        self.connect_all();
    }

    fn message(&mut self, line: &Bytes, message: &crate::message::Message) {
        let payload = Bytes::copy_from_slice(message.payload());
        let meaning = format!("a message of {} bytes on {}", payload.len(), message.topic());
        let kind = Kind::Message { topic: message.topic().to_owned(), payload };
        let entry = self.push(Speaker::Module, kind, line.clone(), &meaning);
        let client = self.client_named_in(line);
        self.losses.hear_of(client);
        self.set_client(entry, client);
        self.note_between(entry);
    }

    fn restarted(&mut self, line: Bytes) {
        let entry = self.push(Speaker::Module, Kind::Restarted, line, "the module starts, or goes down");
        let ordered = self.active.as_mut().filter(|active| active.restarts());
        let is_ordered = ordered.is_some();
        // It does not owe a final result any more.
        ordered.into_iter().for_each(Active::over);
        // What precedes the first command is no surprise, and one start is announced in several lines.
        if self.answered && !self.starting && !is_ordered {
            let what = "the module restarted in the middle of the session: settings and connections are gone";
            self.find(entry, &finding::RESTARTED, what.to_owned(), None);
        }
        self.starting = true;
        self.echo_off = false;
        self.owed.clear();
        self.accepted.clear();
        self.losses.restart();
    }

    fn lost(&mut self, line: Bytes, lost: &[(u8, crate::event::LossCause)]) {
        let meaning = self.dialect.meaning(&line).filter(|meaning| meaning.tone == Tone::Bad);
        let left = self.active.as_ref().is_some_and(Active::ends_something);
        let mut entry = None;
        for (client, cause) in lost {
            let open: Vec<_> =
                self.owed.iter().filter(|owed| owed.is_of(*client)).map(|owed| owed.entry).collect();
            self.owed.retain(|owed| !owed.is_of(*client));
            // The module may tell more than one cause of losses in general.
            let told = meaning.as_ref().map_or_else(|| cause.to_string(), |meaning| meaning.text.to_string());
            let mut what = format!("the connection of client {client} was lost: {told}");
            if !open.is_empty() && !left {
                let plural = if open.len() == 1 { "" } else { "s" };
                what.push_str(&format!("; {} result{plural} will not come", open.len()));
            }
            let entry =
                *entry.get_or_insert_with(|| self.push(Speaker::Module, Kind::Lost, line.clone(), &told));
            if lost.len() == 1 {
                self.set_client(entry, Some(*client));
            }
            let rule = if left { &finding::LEFT } else { &finding::LOST };
            let mut finding = rule.finding(entry, what, cause.remedy());
            let source = meaning.as_ref().map(|meaning| meaning.source);
            finding.see = finding.see.or(source).or(Some(loss_source(self.analysis.vendor)));
            self.analysis.findings.push(finding);
        }
    }

    fn plain_report(&mut self, line: Bytes) {
        let meaning = self.dialect.meaning(&line);
        let text = meaning.as_ref().map_or("a report", |meaning| &meaning.text);
        let entry = self.push(Speaker::Module, Kind::Report, line.clone(), text);
        let client = meaning.as_ref().and_then(|it| it.client);
        self.set_client(entry, client.or_else(|| self.client_named_in(&line)));
        self.note_between(entry);
        if let Some(meaning) = meaning.as_ref().filter(|meaning| meaning.tone == Tone::Good) {
            self.losses.hear_of(meaning.client);
        }
        // That all is gone while the module starts is known already.
        if let Some(meaning) = meaning.filter(|meaning| meaning.tone == Tone::Bad && !self.starting) {
            self.find_refused(entry, meaning.text.into_owned(), meaning.remedy, Some(meaning.source));
        } else {
            self.find_network_fault(entry, &line);
        }
    }

    /// A report between a command and its prompt is easily taken for an answer.
    fn note_between(&mut self, entry: usize) {
        let waits = |active: &Active| active.is_open() && active.declared_data() && active.data.is_empty();
        if self.active.as_ref().is_some_and(waits) {
            let what = "a report between a command and its prompt".to_owned();
            self.find(entry, &finding::BETWEEN, what, None);
        }
    }

    /// What the rules say about messages that they could not believe.
    fn hear_news(&mut self) {
        let mut corrupt = Vec::new();
        for (client, news) in &mut self.news {
            while let Ok(event) = news.try_recv() {
                if let Event::Corrupt { got, need } = event {
                    corrupt.push((*client, got, need));
                }
            }
        }
        let entry = self.analysis.entries.len().saturating_sub(1);
        for (client, got, need) in corrupt {
            let (rule, what) = match need {
                0 => (
                    &finding::UNCOUNTED,
                    format!("a message for client {client} without a length: its end cannot be known"),
                ),
                _ => (&finding::DAMAGED, format!("a message for client {client} has {got} bytes of {need}")),
            };
            self.find(entry, rule, what, None);
        }
    }

    fn client_named_in(&self, line: &[u8]) -> Option<u8> {
        let name = std::str::from_utf8(name_of(line)?).ok()?;
        let clients = self.dialect.facts().clients.clone();
        if clients.start() == clients.end() {
            return name.contains("MQTT").then_some(*clients.start());
        }
        let first = *dialect::meaning::integers(line, name)?.first()?;
        u8::try_from(first).ok().filter(|client| name.contains("MQT") && clients.contains(client))
    }
}

/// Whether it is the network that refuses, by its cause [3GPP TS 27.007 §9.2.2].
fn is_of_network(result: &FinalResult) -> bool {
    const CAUSES: &[u32] = &[30, 32, 33, 103, 106, 107, 108, 111, 112, 113, 132, 133, 134, 149];
    const WORDS: &[&str] =
        &["not subscribed", "no network", "authentication", "not allowed in this", "illegal"];
    let FinalResult::Cme(code) = result else { return false };
    match code {
        ErrorCode::Number(number) => CAUSES.contains(number),
        ErrorCode::Text(text) => {
            let text = text.to_ascii_lowercase();
            WORDS.iter().any(|words| text.contains(words))
                || CAUSES.iter().any(|number| text.ends_with(&format!("(#{number})")))
        }
        _ => false,
    }
}

/// Where the manual explains the loss of a connection.
fn loss_source(vendor: crate::vendor::Vendor) -> &'static str {
    match vendor {
        crate::vendor::Vendor::Quectel => "[EC200x MQTT 1.0 §4.1]",
        crate::vendor::Vendor::SimCom => "[A7600 MQTT 1.00 §2.2.2.1]",
        crate::vendor::Vendor::Fibocom => "[Fibocom MQTT 1.2.6 §1.4.4]",
        crate::vendor::Vendor::Neoway => "[Neoway MQTT 1.2 §5.3]",
        crate::vendor::Vendor::Espressif => "[ESP-AT MQTT, Notes]",
    }
}
