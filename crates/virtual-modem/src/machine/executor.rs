//! One command line at a time: obey, prompt, take data, answer.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::Machine;
use super::answer::{Answer, End, Prompt, Refusal, Until};
use super::command::Command;
use super::core::{Emission, Task};
use crate::common;
use crate::fault::{Action, Hook};
use crate::log::Entry;
use crate::quirk::Quirk;

/// The command channel: what was typed, what runs, what has to wait.
#[derive(Debug, Default)]
pub(super) struct Channel {
    /// Bytes that were received and not yet looked at.
    pub(super) backlog: VecDeque<u8>,
    pub(super) line: Vec<u8>,
    pub(super) overlong: bool,
    pub(super) echo: Vec<u8>,
    /// Set while the echo of the current line is suppressed by a fault.
    pub(super) mute_line: bool,
    /// Set when the line that begins now has been put off already.
    pub(super) line_was_struck: bool,
    /// Set while input is put off by a fault.
    pub(super) stalled: bool,
    pub(super) running: Option<Running>,
    pub(super) held: VecDeque<Emission>,
    /// Answers that are to be overtaken by the next one.
    pub(super) overtaken: Vec<u8>,
    pub(super) last_serial_no: u64,
    /// What the latest commands said, for the hooks of their deferred results.
    pub(super) recent: BTreeMap<u64, Bytes>,
    pub(super) answered_once: bool,
}

/// A command line that is being carried out.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) command: Command,
    /// The other commands of the same line.
    pub(super) rest: VecDeque<Command>,
    pub(super) info: Vec<Bytes>,
    pub(super) stage: Stage,
}

#[derive(Debug)]
pub(super) enum Stage {
    /// A task will go on.
    Waiting,
    /// As `Waiting`, and the data is complete: what else the host writes is in excess.
    DataTaken,
    /// The prompt is due.
    Prompting,
    Data {
        data: Vec<u8>,
        until: Until,
        echoes: bool,
        patience: Option<Duration>,
        deadline: Option<Instant>,
    },
    /// The firmware will finish.
    Firmware,
    /// The answer waits until the deferred result is out.
    AwaitingResult(Answer),
}

/// How a task goes on with the running command.
#[derive(Debug)]
pub(crate) enum Continue {
    Obey,
    Prompt(Prompt),
    Data { data: Bytes, complete: bool },
    Patience,
    Final(Answer),
    Print(Answer),
    Input,
}

/// What a hook did.
pub(super) enum Struck {
    Nothing,
    /// The module is no longer there to go on.
    Dead,
    Act(Action),
}

impl Machine {
    pub(super) fn go_on(&mut self, step: Continue) {
        match step {
            Continue::Input => {
                self.channel.stalled = false;
                self.channel.line_was_struck = self.channel.running.is_none();
                self.consume();
            }
            Continue::Obey => self.obey(),
            Continue::Prompt(prompt) => self.print_prompt(prompt),
            Continue::Data { data, complete } => {
                if let Some(running) = &self.channel.running {
                    let answer = self.firmware.data(&mut self.core, &running.command, data, complete);
                    self.conclude(answer);
                }
            }
            Continue::Patience => self.lose_patience(),
            Continue::Final(answer) => self.finalise(answer),
            Continue::Print(answer) => self.print_answer(&answer, true),
        }
    }

    /// Starts a line of commands.
    pub(super) fn begin(&mut self, mut commands: VecDeque<Command>) {
        let Some(command) = commands.pop_front() else { return };
        let text = command.text.clone();
        self.channel.running =
            Some(Running { command, rest: commands, info: Vec::new(), stage: Stage::Waiting });
        if self.core.has(Quirk::UrcBeforeAnswer) {
            let line = self.firmware.chatter();
            self.print_line(&line);
        }
        let mut wait = self.turnaround;
        let step = match self.strike(Hook::AfterLine, &text) {
            Struck::Dead => return,
            Struck::Act(Action::Silence) => {
                self.channel.running = None;
                return;
            }
            Struck::Act(Action::Error) => Continue::Final(Refusal::Error.into()),
            Struck::Act(Action::Code(code)) => {
                let Some(running) = &self.channel.running else { return };
                Continue::Final(self.firmware.failure(&mut self.core, &running.command, code))
            }
            Struck::Act(Action::Delay(delay)) => {
                wait += delay;
                Continue::Obey
            }
            _ => Continue::Obey,
        };
        self.core.later(wait, Task::Command(step));
    }

    /// Answers `ERROR` to a line that is no command.
    pub(super) fn refuse_line(&mut self, serial_no: u64, line: &[u8]) {
        let command = Command {
            serial_no,
            name: String::new(),
            form: super::command::Form::Execute,
            args: Vec::new(),
            text: Bytes::copy_from_slice(line),
            loose_quotes: false,
        };
        self.channel.running =
            Some(Running { command, rest: VecDeque::new(), info: Vec::new(), stage: Stage::Waiting });
        self.core.later(self.turnaround, Task::Command(Continue::Final(Refusal::Error.into())));
    }

    fn obey(&mut self) {
        let Some(running) = &self.channel.running else { return };
        if self.core.has(Quirk::FirstCommandFails) && !self.channel.answered_once {
            self.finalise(Refusal::Error.into());
            return;
        }
        let command = running.command.clone();
        let answer = self
            .firmware
            .command(&mut self.core, &command)
            .or_else(|| common::commands::obey(&mut self.core, &command))
            .unwrap_or_else(|| Refusal::Cme(UNKNOWN_COMMAND).into());
        self.conclude(answer);
    }

    /// The firmware has decided.
    fn conclude(&mut self, mut answer: Answer) {
        let Some(running) = &mut self.channel.running else { return };
        running.info.append(&mut answer.info);
        match answer.end {
            End::Ok { .. } => match running.rest.pop_front() {
                Some(next) => {
                    running.command = next;
                    running.stage = Stage::Waiting;
                    self.obey();
                }
                None => self.finalise(answer),
            },
            End::Refused(_) | End::Words(_) => self.finalise(answer),
            End::Silent => self.print_answer(&answer, false),
            End::Pending => {
                running.stage = Stage::Firmware;
                // What had to wait for the data need not wait for the network as well.
                self.release();
            }
            End::Prompt(prompt) => self.prompt(prompt),
        }
    }

    /// The firmware finished a command that was pending.
    pub(super) fn finished(&mut self, serial_no: u64, answer: Answer) {
        let waits = self.channel.running.as_ref().is_some_and(|running| {
            running.command.serial_no == serial_no && matches!(running.stage, Stage::Firmware)
        });
        if waits {
            self.conclude(answer);
        }
    }

    fn prompt(&mut self, prompt: Prompt) {
        let Some(running) = &mut self.channel.running else { return };
        running.stage = Stage::Prompting;
        let text = running.command.text.clone();
        if self.core.has(Quirk::UrcBeforePrompt) {
            let line = self.firmware.chatter();
            self.print_line(&line);
        }
        match self.strike(Hook::BeforePrompt, &text) {
            Struck::Dead => {}
            Struck::Act(Action::Silence) => self.take_data(&prompt),
            Struck::Act(Action::Error) => self.finalise(Refusal::Error.into()),
            Struck::Act(Action::Delay(delay)) => {
                self.core.later(delay, Task::Command(Continue::Prompt(prompt)))
            }
            Struck::Act(Action::Duplicate) => {
                self.say(prompt.text.clone());
                self.print_prompt(prompt);
            }
            _ => self.print_prompt(prompt),
        }
    }

    fn print_prompt(&mut self, prompt: Prompt) {
        let Some(running) = &self.channel.running else { return };
        let text = running.command.text.clone();
        self.say(prompt.text.clone());
        if !matches!(self.strike(Hook::AfterPrompt, &text), Struck::Dead) {
            self.take_data(&prompt);
        }
    }

    /// From here on the host's bytes are data.
    fn take_data(&mut self, prompt: &Prompt) {
        let patience = prompt.patience.or_else(|| {
            self.core.quirk(|quirk| match quirk {
                Quirk::PromptTimeout(limit) => Some(*limit),
                _ => None,
            })
        });
        let Some(running) = &mut self.channel.running else { return };
        let deadline = patience.map(|patience| self.core.now + self.core.scaled(patience));
        let (until, echoes) = (prompt.until, prompt.echoes);
        running.stage = Stage::Data { data: Vec::new(), until, echoes, patience, deadline };
        if let Some(patience) = patience {
            self.core.later(patience, Task::Command(Continue::Patience));
        }
        self.consume();
    }

    fn lose_patience(&mut self) {
        let now = self.core.now;
        let Some(running) = &mut self.channel.running else { return };
        let Stage::Data { data, deadline: Some(deadline), .. } = &mut running.stage else { return };
        if now < *deadline {
            let rest = deadline.saturating_duration_since(now);
            self.core.later_unscaled(rest, Task::Command(Continue::Patience));
            return;
        }
        let data = Bytes::from(std::mem::take(data));
        self.data_ended(data, false);
    }

    /// The data is complete or was cut short.
    pub(super) fn data_ended(&mut self, data: Bytes, complete: bool) {
        let Some(running) = &mut self.channel.running else { return };
        running.stage = Stage::DataTaken;
        let serial_no = running.command.serial_no;
        self.core.record(Entry::Data { serial_no, bytes: data.clone() });
        self.core.later(self.turnaround, Task::Command(Continue::Data { data, complete }));
    }

    /// The end of the command is known; now the faults and quirks have their say.
    fn finalise(&mut self, answer: Answer) {
        let Some(running) = &mut self.channel.running else { return };
        if !matches!(running.stage, Stage::DataTaken) {
            running.stage = Stage::Waiting;
        }
        let deferred = matches!(answer.end, End::Ok { deferred: true });
        let text = running.command.text.clone();
        match self.strike(Hook::BeforeFinal, &text) {
            Struck::Dead => {}
            Struck::Act(Action::Silence) => self.print_answer(&answer, false),
            Struck::Act(Action::Delay(delay)) => {
                self.core.later(delay, Task::Command(Continue::Print(answer)))
            }
            Struck::Act(Action::Error) => self.print_answer(&Refusal::Error.into(), true),
            Struck::Act(Action::Duplicate) => {
                let bytes = self.answer_bytes(&answer);
                self.say(bytes);
                self.print_answer(&answer, true);
            }
            Struck::Act(Action::Swap) if deferred => self.await_result(answer),
            Struck::Act(Action::Overtaken) => {
                let bytes = self.answer_bytes(&answer);
                self.channel.overtaken.extend_from_slice(&bytes);
                self.print_answer(&answer, false);
            }
            _ if deferred && self.core.has(Quirk::ResultBeforeOk) => self.await_result(answer),
            _ => self.print_answer(&answer, true),
        }
    }

    fn await_result(&mut self, answer: Answer) {
        if let Some(running) = &mut self.channel.running {
            running.stage = Stage::AwaitingResult(answer);
        }
        self.release();
    }

    /// Prints the answer (or loses it) and becomes ready for the next line.
    pub(super) fn print_answer(&mut self, answer: &Answer, audible: bool) {
        let bytes = self.answer_bytes(answer);
        let Some(running) = self.channel.running.take() else { return };
        let serial_no = running.command.serial_no;
        self.channel.answered_once = true;
        if audible {
            self.say(bytes.clone());
            self.core.record(Entry::Answered { serial_no, bytes });
            let overtaken = std::mem::take(&mut self.channel.overtaken);
            if !overtaken.is_empty() {
                self.say(Bytes::from(overtaken));
            }
        }
        self.remember(serial_no, running.command.text.clone());
        let excess = matches!(running.stage, Stage::DataTaken) && self.core.has(Quirk::DiscardExcessData);
        if excess {
            self.channel.backlog.clear();
        }
        self.release();
        if !matches!(self.strike(Hook::Idle, &running.command.text), Struck::Dead) {
            self.consume();
        }
    }

    fn remember(&mut self, serial_no: u64, text: Bytes) {
        self.channel.recent.insert(serial_no, text);
        while self.channel.recent.len() > REMEMBERED {
            self.channel.recent.pop_first();
        }
    }

    /// Asks the plan, and does what it wants as far as that needs no knowledge of the moment.
    pub(super) fn strike(&mut self, hook: Hook, text: &[u8]) -> Struck {
        let Some(action) = self.core.faults.due(hook, text) else { return Struck::Nothing };
        self.core.record(Entry::Fault(format!("{action} at {hook:?} of AT{}", text.escape_ascii())));
        match action {
            Action::Urc(bytes) => {
                self.say(bytes);
                Struck::Nothing
            }
            Action::Reboot(how) => {
                self.restart(how);
                Struck::Dead
            }
            Action::Hang => {
                self.hang();
                Struck::Dead
            }
            Action::HangUp => {
                self.hang_up = true;
                Struck::Nothing
            }
            Action::Chatter => {
                let line = self.firmware.chatter();
                self.print_line(&line);
                Struck::Nothing
            }
            Action::Kick(client) => {
                self.core.break_connection(client);
                Struck::Nothing
            }
            Action::BlackHole(time) => {
                self.core.black_hole = true;
                self.core.later(time, Task::EndBlackHole);
                Struck::Nothing
            }
            Action::DropPdp => {
                self.core.lose_contexts();
                Struck::Nothing
            }
            Action::RemoveSim(time) => {
                common::commands::remove_sim(&mut self.core);
                self.core.later(time, Task::InsertSim);
                Struck::Nothing
            }
            other => Struck::Act(other),
        }
    }
}

/// The error of a command nobody knows [3GPP 27.007 §9.2: operation not supported].
const UNKNOWN_COMMAND: u16 = 4;

/// How many commands are remembered for the hooks of their results.
const REMEMBERED: usize = 256;
