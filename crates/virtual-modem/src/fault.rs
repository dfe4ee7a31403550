//! Faults on purpose: where they strike and what they do.

mod plan;
mod spec;
mod swarm;

use std::time::Duration;

use bytes::Bytes;

pub use self::plan::FaultPlan;
pub use self::spec::BadFault;
pub use self::swarm::Swarm;

/// A moment in a conversation at which a fault can strike.
///
/// [`Builder`](crate::Builder) has an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Hook {
    /// The first character of a line has arrived; nothing was echoed yet.
    BeforeEcho,
    /// The command line is complete and understood, not yet obeyed.
    AfterLine,
    /// The command was obeyed as far as its prompt, which is not yet printed.
    BeforePrompt,
    /// The prompt is out, no data has arrived.
    AfterPrompt,
    /// So many bytes of data have arrived.
    MidPayload(usize),
    /// The command was obeyed; its answer is not yet printed.
    BeforeFinal,
    /// The final result is out and the deferred result is due.
    BetweenFinalAndResult,
    /// The deferred result is out.
    AfterResult,
    /// The answer is out and no command is running.
    Idle,
    /// The header of a received message is written, and the bytes that it counts are due. Only
    /// [`Action::Chatter`] does something here.
    InsideMessage,
}

/// What a fault does. Which actions make sense depends on the hook; the others do nothing there.
///
/// [`Builder`](crate::Builder) has an example.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Says nothing: no echo; the command is neither obeyed nor answered (after the line); the prompt is not
    /// printed although data is awaited; the answer, or the deferred result, is lost.
    Silence,
    /// Waits first.
    Delay(Duration),
    /// Says it twice.
    Duplicate,
    /// Prints the deferred result before the final result (before the final result only).
    Swap,
    /// `ERROR` instead of obeying, of the prompt, or of the final result. A publish that is refused after its line
    /// is what a full window looks like.
    Error,
    /// Fails with this number of the vendor's result codes, instead of obeying (after the line only). SIMCom's module
    /// prints it as the command's own failures; the others have `ERROR`.
    Code(u8),
    /// Prints these bytes first, as they are.
    Urc(Bytes),
    /// Prints a harmless unsolicited line of the vendor's first.
    Chatter,
    /// Restarts the module; a silent one prints no boot lines.
    Reboot(Reboot),
    /// Answers nothing any more until it is restarted.
    Hang,
    /// Closes the port.
    HangUp,
    /// Prints the answer only behind the next command's answer: this breaks "answers come in order".
    Overtaken,
    /// The broker closes the connection of this client, an index counted from 0.
    Kick(usize),
    /// The network swallows all packets in both directions for this time; connections stay open. With a time that is
    /// shorter than the module's own limits, packets are sent again, with the notices that the vendor has for that.
    BlackHole(Duration),
    /// The network takes all data contexts down.
    DropPdp,
    /// The SIM is out of its slot for this time.
    RemoveSim(Duration),
}

/// How a restart shows.
///
/// [`VirtualModem`](crate::VirtualModem) has an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reboot {
    /// With the boot lines of the vendor, `RDY` among them.
    Loud,
    /// Without a word: only the settings are gone.
    Silent,
    /// With so many bytes of garbage, and then the boot lines: the supply broke down.
    BrownOut(usize),
}

/// One fault: a hook, which of its occasions, and the action.
///
/// [`Builder`](crate::Builder) has an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    hook: Hook,
    command: Option<String>,
    occasion: Option<u32>,
    action: Action,
    seen: u32,
}

impl Fault {
    /// Does `action` at the first occasion of `hook`, with whatever command.
    #[must_use]
    pub fn new(hook: Hook, action: Action) -> Self {
        Self { hook, command: None, occasion: Some(1), action, seen: 0 }
    }

    /// Only commands whose text (without `AT`) begins so, in any case: `+QMTPUBEX`, `+QMTOPEN=0`.
    #[must_use]
    pub fn command(mut self, prefix: impl Into<String>) -> Self {
        self.command = Some(prefix.into().to_ascii_uppercase());
        self
    }

    /// Strikes at the `occasion`-th time that hook and command match, counted from 1.
    #[must_use]
    pub fn occasion(mut self, occasion: u32) -> Self {
        self.occasion = Some(occasion);
        self
    }

    /// Strikes every time.
    #[must_use]
    pub fn always(mut self) -> Self {
        self.occasion = None;
        self
    }

    fn strikes(&mut self, hook: Hook, command: &[u8]) -> bool {
        let wanted = self.command.as_ref().is_none_or(|prefix| {
            command.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix.as_bytes()))
        });
        if self.hook != hook || !wanted {
            return false;
        }
        self.seen = self.seen.saturating_add(1);
        self.occasion.is_none_or(|occasion| occasion == self.seen)
    }
}
