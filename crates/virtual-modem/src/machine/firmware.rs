//! What a vendor has to supply.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use super::answer::{Answer, Refusal};
use super::command::Command;
use super::core::Core;
use crate::common::identity::Identity;
use crate::mqtt::session::Event;

/// The vendor's part of the module: its own commands, its words for what MQTT and the network do.
///
/// Methods never wait. What takes time is asked of the [`Core`]: `session(i)` opens, connects, publishes and reports
/// through [`Firmware::mqtt`]; `call_back` comes back through [`Firmware::called_back`].
///
/// How a command ends is a value ([`Answer`]), so that faults and quirks can be applied to every vendor alike:
/// - `OK` with information lines: `Answer::ok().with(line)`;
/// - `OK` now and a result line later: `Answer::deferred()`, and `core.result(serial_no, line)` once it is known
///   (the core holds it back until `OK` is out);
/// - an answer that waits for the broker: `Answer::pending()`, and `core.finish(serial_no, answer)` later;
/// - a result line in front of `ERROR`: `Answer::from(Refusal::Error).with(line)`;
/// - data behind a prompt: `Answer::prompt(…)`; the data comes with the same command through [`Firmware::data`].
pub(crate) trait Firmware: fmt::Debug + Send {
    /// Who the module says it is, unless the builder says otherwise.
    fn identity(&self) -> Identity;

    /// How many MQTT clients the module has.
    fn clients(&self) -> usize;

    /// Sets the layout of answers and forgets every setting that does not survive a restart.
    fn power_on(&mut self, core: &mut Core);

    /// Obeys or refuses a command of the vendor's own; `None` leaves it to the common ones.
    fn command(&mut self, core: &mut Core, command: &Command) -> Option<Answer>;

    /// Goes on with a command after the data it prompted for. With less data than announced (the prompt's patience
    /// ran out, or ESC aborted it) `complete` is false.
    fn data(&mut self, core: &mut Core, command: &Command, data: Bytes, complete: bool) -> Answer;

    /// Whether the patience of a prompt is for the data as a whole, counted from the prompt, and not for each byte.
    fn patience_is_for_all(&self) -> bool {
        false
    }

    /// Fails a command with this number of the vendor's, for a fault of the plan, without obeying it.
    fn failure(&mut self, _core: &mut Core, _command: &Command, _code: u8) -> Answer {
        Refusal::Error.into()
    }

    /// Reports what happened to an MQTT client.
    fn mqtt(&mut self, core: &mut Core, client: usize, event: Event);

    /// A context went down, not by a command.
    fn context_lost(&mut self, core: &mut Core, context: u8);

    /// The module is no longer registered. Contexts that go down with it are reported separately.
    fn registration_lost(&mut self, _core: &mut Core) {}

    /// The call-back that was asked for with this number.
    fn called_back(&mut self, core: &mut Core, number: u32);

    /// The lines a restart prints, each with the time since the module answers.
    fn banner(&self, core: &Core) -> Vec<(Duration, Bytes)>;

    /// The line a module prints on its way down, if any.
    fn farewell(&self) -> Option<Bytes>;

    /// A harmless unsolicited line, for quirks that put one into a bad place.
    fn chatter(&self) -> Bytes;

    /// Settings, by name, for assertions.
    fn settings(&self) -> Vec<(String, String)>;
}
