//! What the host types: the line reader and its echo, and the data behind a prompt.

use bytes::Bytes;

use super::Machine;
use super::answer::Until;
use super::command::{Reading, read_line};
use super::core::Task;
use super::executor::{Continue, Stage, Struck};
use crate::fault::{Action, Hook};
use crate::log::Entry;
use crate::quirk::Quirk;

/// The longest command line, in bytes.
const LONGEST_LINE: usize = 4096;

const CTRL_Z: u8 = 0x1A;
const ESCAPE: u8 = 0x1B;
const BACKSPACE: u8 = 0x08;

impl Machine {
    /// Looks at the received bytes as far as the running command allows.
    pub(super) fn consume(&mut self) {
        while !self.channel.stalled {
            match &self.channel.running {
                None => match self.channel.backlog.pop_front() {
                    Some(byte) => self.typed(byte),
                    None => break,
                },
                Some(running) => match running.stage {
                    Stage::Data { .. } => {
                        if !self.take_some_data() {
                            break;
                        }
                    }
                    _ => break,
                },
            }
        }
        self.flush_echo();
    }

    /// One byte of a command line [V.250 §5.2].
    fn typed(&mut self, byte: u8) {
        if self.channel.line.is_empty() && !matches!(byte, b'\r' | b'\n' | b' ') && !self.start_line(byte) {
            return;
        }
        if self.core.profile.echo && !self.channel.mute_line {
            self.channel.echo.push(byte);
        }
        match byte {
            b'\r' => self.line_complete(),
            // A line feed before a command belongs to nothing: many hosts end their lines with both.
            b'\n' | b' ' if self.channel.line.is_empty() => {}
            BACKSPACE => {
                self.channel.line.pop();
            }
            _ if self.channel.line.len() >= LONGEST_LINE => self.channel.overlong = true,
            _ => self.channel.line.push(byte),
        }
    }

    /// The first character of a line has come. Returns whether to go on with it now.
    fn start_line(&mut self, first: u8) -> bool {
        self.channel.mute_line = false;
        if std::mem::take(&mut self.channel.line_was_struck) {
            return true;
        }
        match self.strike(Hook::BeforeEcho, b"") {
            Struck::Dead => return false,
            Struck::Act(Action::Silence) => self.channel.mute_line = true,
            Struck::Act(Action::Delay(delay)) => {
                self.channel.backlog.push_front(first);
                self.channel.stalled = true;
                self.core.later(delay, Task::Command(Continue::Input));
                return false;
            }
            _ => {}
        }
        true
    }

    fn line_complete(&mut self) {
        let line = std::mem::take(&mut self.channel.line);
        let overlong = std::mem::take(&mut self.channel.overlong);
        self.flush_echo();
        if line.trim_ascii().is_empty() {
            // Emissions wait for the end of a line that was being typed, even of an empty one.
            self.release();
            return;
        }
        let serial_no = self.channel.last_serial_no + 1;
        let reading = Reading {
            loose_quotes: self.core.has(Quirk::LooseQuotes),
            escapes: self.core.has(Quirk::BackslashEscapes),
        };
        match read_line(&line, serial_no, reading) {
            Ok(commands) if !overlong => {
                self.channel.last_serial_no += commands.len() as u64;
                for command in &commands {
                    self.core.record(Entry::Understood(command.clone()));
                }
                self.begin(commands.into());
            }
            _ => {
                self.channel.last_serial_no = serial_no;
                self.core.record(Entry::NotACommand(Bytes::copy_from_slice(&line)));
                self.refuse_line(serial_no, &line);
            }
        }
    }

    /// Takes data as far as the next hook. Returns whether anything was taken or ended.
    fn take_some_data(&mut self) -> bool {
        let echo = self.core.profile.echo || self.core.has(Quirk::EchoesData);
        let control = self.core.has(Quirk::ControlBytesInData);
        let now = self.core.now;
        let for_all = self.firmware.patience_is_for_all();
        let Some(running) = &mut self.channel.running else { return false };
        let text = running.command.text.clone();
        let Stage::Data { data, until, echoes, patience, deadline } = &mut running.stage else {
            return false;
        };
        let limit = self.core.faults.next_mid_payload(data.len()).unwrap_or(usize::MAX);
        let mut ending = ended(data, *until, None, control);
        while ending.is_none() && data.len() < limit {
            let Some(byte) = self.channel.backlog.pop_front() else { break };
            ending = ended(data, *until, Some(byte), control);
            if ending.is_none() {
                data.push(byte);
                if echo && *echoes {
                    self.channel.echo.push(byte);
                }
                ending = ended(data, *until, None, control);
            }
            if !for_all {
                *deadline = patience.map(|patience| now + self.core.scaled(patience));
            }
        }
        let taken = data.len();
        let at_hook = taken == limit;
        match ending {
            Some(complete) => {
                let data = Bytes::from(std::mem::take(data));
                if at_hook && matches!(self.strike(Hook::MidPayload(taken), &text), Struck::Dead) {
                    return false;
                }
                self.flush_echo();
                self.data_ended(data, complete);
                true
            }
            None if at_hook => {
                match self.strike(Hook::MidPayload(taken), &text) {
                    Struck::Dead => return false,
                    Struck::Act(Action::Delay(delay)) => {
                        self.channel.stalled = true;
                        self.core.later(delay, Task::Command(Continue::Input));
                    }
                    _ => {}
                }
                true
            }
            None => false,
        }
    }

    pub(super) fn flush_echo(&mut self) {
        if self.channel.echo.is_empty() {
            return;
        }
        if self.core.has(Quirk::EchoFramed) && self.channel.running.is_none() {
            // The framed echo is printed whole, at the end of the line.
            if self.channel.echo.last() != Some(&b'\r') {
                return;
            }
            let echo = std::mem::take(&mut self.channel.echo);
            let line = echo.strip_suffix(b"\r").unwrap_or(&echo);
            if !line.trim_ascii().is_empty() {
                self.push_output([b"\r\n".as_slice(), line.trim_ascii(), b"\r\n"].concat().into());
            }
            return;
        }
        let mut echo = Bytes::from(std::mem::take(&mut self.channel.echo));
        if self.core.has(Quirk::EchoInTwoWrites) && echo.len() > 1 {
            let head = echo.split_to(echo.len() / 2);
            self.push_output(head);
            self.push_late_output(echo);
        } else {
            self.push_output(echo);
        }
    }
}

/// Whether the data ends before `next` (or now), and whether it is complete then.
fn ended(data: &[u8], until: Until, next: Option<u8>, control: bool) -> Option<bool> {
    match (until, next) {
        (Until::Count(count), None) => (data.len() >= count).then_some(true),
        (Until::Count(_), Some(CTRL_Z)) if control => Some(true),
        (Until::Count(_), Some(ESCAPE)) if control => Some(false),
        (Until::CtrlZ { .. }, Some(CTRL_Z)) => Some(true),
        (Until::CtrlZ { .. }, Some(ESCAPE)) => Some(false),
        (Until::CtrlZ { most }, None) => (data.len() > most).then_some(false),
        (Until::CountAndCtrlZ(count), Some(CTRL_Z)) if data.len() >= count => Some(true),
        _ => None,
    }
}
