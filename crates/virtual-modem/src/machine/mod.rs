//! The module as a state machine: bytes, network events and time go in; bytes and network requests come out.
//!
//! Nothing here waits or knows a socket. [`Machine`] is stepped by [`VirtualModem`](crate::VirtualModem), which owns
//! the port, the clock and the links.

pub(crate) mod answer;
pub(crate) mod command;
pub(crate) mod core;
mod emit;
pub(crate) mod executor;
pub(crate) mod firmware;
mod input;
mod network;
mod power;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use self::core::{Core, Setup, Task};
use self::executor::Channel;
use self::firmware::Firmware;
use self::power::Power;
use crate::common::commands::insert_sim;
use crate::fault::Reboot;
use crate::link::{ConnectionNo, LinkEvent, LinkRequest};

/// The whole module.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) core: Core,
    firmware: Box<dyn Firmware>,
    channel: Channel,
    power: Power,
    turnaround: Duration,
    output: VecDeque<Piece>,
    hang_up: bool,
}

/// Bytes for the host, and how long the line stays quiet before them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) pause: Duration,
    pub(crate) bytes: Bytes,
}

/// How the module starts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    pub(crate) turnaround: Duration,
    pub(crate) banner: bool,
}

impl Machine {
    pub(crate) fn new(firmware: Box<dyn Firmware>, setup: Setup, start: Start, now: Instant) -> Self {
        let mut machine = Self {
            core: Core::new(setup, now),
            firmware,
            channel: Channel::default(),
            power: Power::Starting(Reboot::Silent),
            turnaround: start.turnaround,
            output: VecDeque::new(),
            hang_up: false,
        };
        machine.first_start(start.banner);
        machine.pump();
        machine
    }

    /// Bytes the host wrote.
    pub(crate) fn host_bytes(&mut self, now: Instant, bytes: &[u8]) {
        self.core.now = now;
        if self.power == Power::On {
            self.channel.backlog.extend(bytes);
            self.consume();
        }
        self.pump();
    }

    /// Something happened on a connection.
    pub(crate) fn link_event(&mut self, now: Instant, connection: ConnectionNo, event: LinkEvent) {
        self.core.now = now;
        self.homeward(connection, event);
        self.pump();
    }

    /// Does everything that is due.
    pub(crate) fn advance(&mut self, now: Instant) {
        while let Some((at, task)) = self.core.take_due(now) {
            self.core.now = at.max(self.core.now);
            self.run(task);
            self.pump();
        }
        self.core.now = now;
        for session in &mut self.core.sessions {
            session.tick(now);
        }
        self.pump();
    }

    /// When [`Machine::advance`] wants to be called.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let task = self.core.tasks.keys().next().map(|(at, _)| *at);
        self.core.sessions.iter().filter_map(|session| session.deadline()).chain(task).min()
    }

    /// A step from outside: runs `act` on the core and lets the machine react.
    pub(crate) fn disturb<T>(
        &mut self,
        now: Instant,
        act: impl FnOnce(&mut Core, &mut dyn Firmware) -> T,
    ) -> T {
        self.core.now = now;
        let outcome = act(&mut self.core, self.firmware.as_mut());
        self.pump();
        outcome
    }

    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        self.firmware.settings()
    }

    /// The next bytes for the host.
    pub(crate) fn take_output(&mut self) -> Option<Piece> {
        self.output.pop_front()
    }

    pub(crate) fn take_requests(&mut self) -> Vec<(ConnectionNo, LinkRequest)> {
        std::mem::take(&mut self.core.requests)
    }

    /// Whether a fault wants the port closed; asks once.
    pub(crate) fn take_hang_up(&mut self) -> bool {
        std::mem::take(&mut self.hang_up)
    }

    /// The host went away: half a line of it is forgotten, as nobody will finish it.
    pub(crate) fn host_left(&mut self) {
        self.output.clear();
    }

    fn run(&mut self, task: Task) {
        match task {
            Task::Command(step) => self.go_on(step),
            Task::Emit(emission) => self.route(emission),
            Task::Outward(connection, request) => self.core.requests.push((connection, request)),
            Task::Homeward(connection, event) => self.arrived(connection, event),
            Task::Started => self.started(),
            Task::Banner(line) => self.core.urc(line),
            Task::Firmware(number) => self.firmware.called_back(&mut self.core, number),
            Task::InsertSim => insert_sim(&mut self.core),
            Task::EndBlackHole => self.core.black_hole = false,
            Task::Restart(how) => self.restart(how),
            Task::PowerOff => self.power_off(),
        }
    }

    /// Carries out what firmware and sessions asked for, until nobody asks for anything more.
    fn pump(&mut self) {
        loop {
            let networked = self.pump_sessions();
            if let Some((serial_no, answer)) = self.core.finished.take() {
                self.finished(serial_no, answer);
            } else if std::mem::take(&mut self.core.registration_lost) {
                self.firmware.registration_lost(&mut self.core);
            } else if let Some(context) = self.core.lost_contexts.pop() {
                self.firmware.context_lost(&mut self.core, context);
            } else if let Some(emission) = self.core.emissions.pop_front() {
                self.route(emission);
            } else if !networked {
                return;
            }
        }
    }
}
