//! Starting, restarting and hanging.

use std::time::Duration;

use super::Machine;
use super::core::Task;
use super::executor::Channel;
use crate::common::profile::Profile;
use crate::fault::Reboot;
use crate::link::LinkRequest;
use crate::log::Entry;
use crate::mqtt::session::Session;
use crate::quirk::Quirk;

/// Whether the module listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Power {
    On,
    /// The module will start after a while and print its banner, or not.
    Starting(Reboot),
    /// The module neither listens nor speaks until it is restarted.
    Hung,
}

/// From the end of the old life to the first answer of the new one, if no quirk says otherwise.
const BOOT_TIME: Duration = Duration::from_secs(3);

impl Machine {
    /// Power on, when the module is built. Without a banner the module has been up for a while.
    pub(super) fn first_start(&mut self, banner: bool) {
        let silence = self.boot_silence();
        self.power = Power::Starting(if banner { Reboot::Loud } else { Reboot::Silent });
        match silence {
            None if !banner => self.started(),
            silence => self.core.later(silence.unwrap_or(BOOT_TIME), Task::Started),
        }
    }

    /// Everything that is not stored is lost; connections break off without a word.
    pub(crate) fn restart(&mut self, how: Reboot) {
        self.core.record(Entry::Reboot);
        for connection in self.core.connections.iter_mut().filter_map(Option::take) {
            self.core.requests.push((connection, LinkRequest::HangUp));
        }
        self.forget();
        self.power = Power::Starting(how);
        match how {
            Reboot::Loud => {
                if let Some(line) = self.firmware.farewell() {
                    self.print_line(&line);
                }
            }
            Reboot::Silent => {}
            Reboot::BrownOut(count) => {
                // Not a line end among them, but anything else that a falling voltage may put on the wire.
                let garbage: Vec<u8> = (0..count).map(|_| self.garbage()).collect();
                self.say(garbage.into());
            }
        }
        self.core.later(self.boot_silence().unwrap_or(BOOT_TIME), Task::Started);
    }

    /// Says good-bye and is gone until it is restarted.
    pub(super) fn power_off(&mut self) {
        self.restart(Reboot::Loud);
        self.hang();
    }

    pub(super) fn started(&mut self) {
        let banner = !matches!(self.power, Power::Starting(Reboot::Silent));
        self.core.profile = Profile::default();
        self.core.network.power_on();
        self.core.sim.power_on();
        self.core.muted = self.core.has(Quirk::UrcPortElsewhere);
        let busy = self.core.quirk(|quirk| match quirk {
            Quirk::SimBusy(time) => Some(*time),
            _ => None,
        });
        self.core.sim.busy_until = busy.map(|time| self.core.now + self.core.scaled(time));
        self.firmware.power_on(&mut self.core);
        self.power = Power::On;
        if banner {
            for (after, line) in self.firmware.banner(&self.core) {
                self.core.later(after, Task::Banner(line));
            }
        }
    }

    pub(super) fn hang(&mut self) {
        self.power = Power::Hung;
        self.forget();
    }

    /// Drops everything that was going on. Connections that were being closed are closed.
    fn forget(&mut self) {
        for session in &mut self.core.sessions {
            *session = Session::default();
        }
        for (due, task) in std::mem::take(&mut self.core.tasks) {
            match task {
                Task::Outward(connection, LinkRequest::HangUp) => {
                    self.core.requests.push((connection, LinkRequest::HangUp));
                }
                // What happens outside of the module goes on.
                Task::InsertSim | Task::EndBlackHole => {
                    self.core.tasks.insert(due, task);
                }
                _ => {}
            }
        }
        self.core.emissions.clear();
        self.core.finished = None;
        let last_serial_no = self.channel.last_serial_no;
        self.channel = Channel { last_serial_no, ..Channel::default() };
    }

    fn garbage(&mut self) -> u8 {
        let byte = u8::try_from(self.core.random_below(256)).unwrap_or(0xFF);
        if matches!(byte, b'\r' | b'\n') { 0xFF } else { byte }
    }

    fn boot_silence(&self) -> Option<Duration> {
        self.core.quirk(|quirk| match quirk {
            Quirk::BootSilence(time) => Some(*time),
            _ => None,
        })
    }
}
