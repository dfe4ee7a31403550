//! What the module says: answers, deferred results, unsolicited lines, and when each may go out.

use std::time::Duration;

use bytes::Bytes;

use super::answer::{Answer, End, Refusal, cme_text};
use super::core::{Emission, Task};
use super::executor::{Stage, Struck};
use super::power::Power;
use super::{Machine, Piece};
use crate::fault::{Action, Hook};
use crate::log::Entry;
use crate::quirk::Quirk;

impl Machine {
    /// Says something unsolicited now, or keeps it until it splits nothing.
    pub(super) fn route(&mut self, emission: Emission) {
        if self.power != Power::On {
            return;
        }
        if self.core.muted {
            self.core.note(format!("not seen on this port: {emission:?}"));
        } else if !self.channel.held.is_empty() || self.must_wait(&emission) {
            self.channel.held.push_back(emission);
        } else {
            self.emit(emission);
        }
    }

    /// Says what had to wait and may go out now.
    pub(super) fn release(&mut self) {
        while let Some(emission) = self.channel.held.front() {
            if self.must_wait(emission) {
                return;
            }
            if let Some(emission) = self.channel.held.pop_front() {
                self.emit(emission);
            }
        }
    }

    fn must_wait(&self, emission: &Emission) -> bool {
        match &self.channel.running {
            // With echo on a line that is being typed is on the wire in both directions.
            None => self.core.profile.echo && !self.channel.line.is_empty(),
            Some(running) => match (&running.stage, emission) {
                (Stage::Prompting | Stage::Data { .. } | Stage::DataTaken, _) => true,
                (Stage::AwaitingResult(_), _) => false,
                (_, Emission::Result { serial_no, .. }) => *serial_no >= running.command.serial_no,
                _ => false,
            },
        }
    }

    fn emit(&mut self, emission: Emission) {
        match emission {
            Emission::Urc(line) => {
                self.print_line(&line);
                self.core.record(Entry::Urc(line));
            }
            Emission::Raw(bytes) => {
                self.say(bytes.clone());
                self.core.record(Entry::Urc(bytes));
            }
            Emission::Late { serial_no, line } => self.print_result(serial_no, line),
            Emission::Result { serial_no, line } => self.emit_result(serial_no, line),
        }
    }

    fn emit_result(&mut self, serial_no: u64, line: Bytes) {
        let awaited = match &mut self.channel.running {
            Some(running) if running.command.serial_no == serial_no => match &running.stage {
                Stage::AwaitingResult(answer) => Some((answer.clone(), running.command.text.clone())),
                _ => None,
            },
            _ => None,
        };
        let text = match &awaited {
            Some((_, text)) => text.clone(),
            None => self.channel.recent.get(&serial_no).cloned().unwrap_or_default(),
        };
        match self.strike(Hook::BetweenFinalAndResult, &text) {
            Struck::Dead => return,
            Struck::Act(Action::Silence) => {}
            Struck::Act(Action::Delay(delay)) => {
                self.core.later(delay, Task::Emit(Emission::Late { serial_no, line }));
            }
            Struck::Act(Action::Duplicate) => {
                self.print_result(serial_no, line.clone());
                self.print_result(serial_no, line);
            }
            _ => self.print_result(serial_no, line),
        }
        if let Some((answer, _)) = awaited {
            self.print_answer(&answer, true);
        }
    }

    fn print_result(&mut self, serial_no: u64, line: Bytes) {
        self.print_line(&line);
        self.core.record(Entry::Result { serial_no, line });
        let text = self.channel.recent.get(&serial_no).cloned().unwrap_or_default();
        self.strike(Hook::AfterResult, &text);
    }

    /// Prints a line between line ends.
    pub(super) fn print_line(&mut self, line: &[u8]) {
        let extra = self.extra_blank_lines();
        self.say([extra.as_slice(), b"\r\n", line, b"\r\n", extra.as_slice()].concat().into());
    }

    /// An answer as it goes over the wire.
    pub(super) fn answer_bytes(&self, answer: &Answer) -> Bytes {
        let profile = self.core.profile;
        let collected =
            self.channel.running.as_ref().map(|running| running.info.as_slice()).unwrap_or_default();
        let info: Vec<&Bytes> = collected.iter().chain(&answer.info).collect();
        let extra = self.extra_blank_lines();
        let mut bytes = extra.clone();
        if !info.is_empty() {
            bytes.extend_from_slice(b"\r\n");
            for line in &info {
                bytes.extend_from_slice(line);
                bytes.extend_from_slice(b"\r\n");
            }
        }
        if profile.quiet {
            return bytes.into();
        }
        if !profile.verbose && !matches!(answer.end, End::Words(_)) {
            bytes.extend_from_slice(if matches!(answer.end, End::Ok { .. }) { b"0\r" } else { b"4\r" });
            return bytes.into();
        }
        if info.is_empty() || profile.blank_before_final {
            bytes.extend_from_slice(b"\r\n");
        }
        match &answer.end {
            End::Words(line) => bytes.extend_from_slice(line),
            end => bytes.extend_from_slice(self.final_text(end).as_bytes()),
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&extra);
        bytes.into()
    }

    fn final_text(&self, end: &End) -> String {
        match end {
            End::Refused(Refusal::Cme(number)) => match self.core.profile.errors {
                0 => "ERROR".to_owned(),
                1 => format!("+CME ERROR: {number}"),
                _ => format!("+CME ERROR: {}", cme_text(*number)),
            },
            End::Refused(Refusal::Vendor(prefix, number)) => format!("{prefix}{number}"),
            End::Refused(Refusal::Parameter | Refusal::Error) => "ERROR".to_owned(),
            End::Ok { .. } | End::Silent | End::Pending | End::Prompt(_) | End::Words(_) => "OK".to_owned(),
        }
    }

    fn extra_blank_lines(&self) -> Vec<u8> {
        let count = self.core.quirk(|quirk| match quirk {
            Quirk::ExtraBlankLines(count) => Some(*count),
            _ => None,
        });
        b"\r\n".repeat(count.unwrap_or(0) as usize)
    }

    /// Writes to the host, behind what was echoed.
    pub(super) fn say(&mut self, bytes: Bytes) {
        self.flush_echo();
        let one_in = self.core.quirk(|quirk| match quirk {
            Quirk::DropCharacters(one_in) => Some(u64::from(*one_in)),
            _ => None,
        });
        let bytes = match one_in {
            Some(one_in) => bytes.into_iter().filter(|_| self.core.random_below(one_in) != 0).collect(),
            None => bytes,
        };
        self.push_output(bytes);
    }

    pub(super) fn push_output(&mut self, bytes: Bytes) {
        if !bytes.is_empty() && !self.hang_up {
            self.output.push_back(Piece { pause: Duration::ZERO, bytes });
        }
    }

    /// Writes after a short silence, so that it arrives in another read.
    pub(super) fn push_late_output(&mut self, bytes: Bytes) {
        let pause = self.core.scaled(Duration::from_millis(4));
        self.output.push_back(Piece { pause, bytes });
    }
}
