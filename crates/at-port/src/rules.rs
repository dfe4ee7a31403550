//! What the layer above knows of the module, as the session asks for it.

use at_codec::{Damage, Extent, Framing};
use bytes::Bytes;

use crate::channel::Channel;
use crate::exchange::{Lane, Operation};
use crate::reply::FinalResult;

/// The vocabulary of one kind of module: how its bytes are framed, which lines are reports and what they ask for.
///
/// The session calls it synchronously; it may keep state (for reports of several lines) but must not block.
///
/// # Examples
///
/// ```
/// use at_codec::{Extent, Framing};
/// use at_port::{Channel, Reaction, Rules};
/// use bytes::Bytes;
///
/// /// A module that reports `RING` and nothing else.
/// struct Telephone;
///
/// impl Framing for Telephone {
///     fn measure(&mut self, _head: &[u8], _resume: &mut usize) -> Extent {
///         Extent::Line
///     }
/// }
///
/// impl Rules for Telephone {
///     type Urc = Bytes;
///
///     fn is_unsolicited(&self, line: &[u8]) -> bool {
///         line == b"RING"
///     }
///
///     fn unsolicited(&mut self, line: &Bytes) -> Reaction<Bytes> {
///         Reaction { deliver: Some((Channel::Modem, line.clone())), ..Reaction::default() }
///     }
/// }
/// ```
pub trait Rules: Framing {
    /// What a report becomes on its way to the users of the port.
    type Urc: Clone + Send + 'static;

    /// A final result code in a vendor's own form (`ERROR: 703`, `+CMD ERROR: -3`).
    ///
    /// Asked for each line, after V.250's forms, with the name of the command in flight (`+QMTPUB`), which is empty if
    /// there is none. A line that is a report, too, is one unless a command is in flight.
    fn final_result(&self, line: &Bytes, command: &str) -> Option<FinalResult> {
        let _ = (line, command);
        None
    }

    /// Whether another final result may follow this one, so that the link has to be proven before the next command.
    fn leaves_doubt(&self, result: &FinalResult) -> bool {
        let _ = result;
        false
    }

    /// Whether the line is a report, whoever is waiting for an answer.
    fn is_unsolicited(&self, line: &[u8]) -> bool;

    /// Takes a report. Asked only for lines that [`is_unsolicited`](Self::is_unsolicited) claims.
    fn unsolicited(&mut self, line: &Bytes) -> Reaction<Self::Urc>;

    /// Takes note of bytes that could not be read; a dialect can ask the module for the truth.
    fn damaged(&mut self, damage: &Damage) -> Reaction<Self::Urc> {
        let _ = damage;
        Reaction::default()
    }

    /// Commands that prove that the link is in step, the first choice first.
    ///
    /// No name is used twice in one fence; when these are used up, [`Probe::STANDARD`] supplies the rest.
    fn probes(&self) -> &'static [Probe] {
        Probe::STANDARD
    }
}

/// What a report asks for.
///
/// [`Rules`] has an example.
#[derive(Debug)]
pub struct Reaction<U> {
    /// Deliver this to the receivers of a channel.
    pub deliver: Option<(Channel, U)>,
    /// Run this operation next on its lane, for instance to fetch what the report announced. Such operations
    /// keep the order of their reports, and take turns with those of callers.
    pub follow_up: Option<Operation>,
    /// Deferred results that will not come any more.
    pub lost: Option<Lost>,
    /// The module has rebooted: nothing that was said to it before holds.
    pub reboot: bool,
}

impl<U> Default for Reaction<U> {
    fn default() -> Self {
        Self { deliver: None, follow_up: None, lost: None, reboot: false }
    }
}

impl<U> Reaction<U> {
    /// Delivers an item, and nothing else.
    pub fn deliver(channel: Channel, item: U) -> Self {
        Self { deliver: Some((channel, item)), ..Self::default() }
    }
}

/// Whose deferred results will not come any more.
///
/// No example: it is met in matches, and the [crate's page](crate) says where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// Those of one lane.
    Lane(Lane),
    /// All.
    All,
}

/// A command whose information response proves that the link is in step.
///
/// No example: it is met in matches, and the [crate's page](crate) says where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probe {
    /// The command line, with its end: CR, or CR LF for modules that take nothing less. As the line of the probe that
    /// proved the link ended, so do those of all commands after it.
    pub line: &'static [u8],
    /// The name of its information response.
    pub name: &'static str,
}

impl Probe {
    /// Commands that every module answers at once and whose answers no module sends by itself [3GPP TS 27.007].
    ///
    /// `+CPIN` and `+CREG` are not among them: those names are reports as well.
    pub const STANDARD: &'static [Self] = &[
        Self { line: b"AT+CMEE?\r", name: "+CMEE" },
        Self { line: b"AT+CGATT?\r", name: "+CGATT" },
        Self { line: b"AT+CCLK?\r", name: "+CCLK" },
        Self { line: b"AT+CSQ\r", name: "+CSQ" },
        Self { line: b"AT+CSCS?\r", name: "+CSCS" },
        Self { line: b"AT+IPR?\r", name: "+IPR" },
        Self { line: b"AT+CMGF?\r", name: "+CMGF" },
        Self { line: b"AT+CGACT?\r", name: "+CGACT" },
        // These are for a port that is opened again while answers to the others may still come.
        Self { line: b"AT+COPS?\r", name: "+COPS" },
        Self { line: b"AT+CNMI?\r", name: "+CNMI" },
        Self { line: b"AT+CGDCONT?\r", name: "+CGDCONT" },
        Self { line: b"AT+IFC?\r", name: "+IFC" },
        Self { line: b"AT+ICF?\r", name: "+ICF" },
    ];
}

/// Rules of a module of which nothing is known: lines only, boot reports, and every other report as bytes.
///
/// The [crate's page](crate) has an example.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlainRules;

impl PlainRules {
    /// These rules, ready for [`Port::new`](crate::Port::new).
    pub fn boxed() -> Box<dyn Rules<Urc = Bytes>> {
        Box::new(Self)
    }
}

impl Framing for PlainRules {
    fn measure(&mut self, _head: &[u8], _resume: &mut usize) -> Extent {
        Extent::Line
    }
}

impl Rules for PlainRules {
    type Urc = Bytes;

    fn is_unsolicited(&self, _line: &[u8]) -> bool {
        false
    }

    fn unsolicited(&mut self, line: &Bytes) -> Reaction<Bytes> {
        Reaction::deliver(Channel::Modem, line.clone())
    }
}
