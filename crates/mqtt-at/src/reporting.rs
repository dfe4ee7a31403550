//! The rules of a dialect, and on top of them: reports for users of the modem, and the count of what comes in.

use std::sync::Arc;

use at_codec::{Damage, Extent, Framing, name_of};
use at_port::{Channel, FinalResult, Probe, Reaction, Rules};
use bytes::Bytes;

use crate::dialect::Dialect;
use crate::link::{Inbound, Links};
use crate::metrics::{Count, Meters};
use crate::urc::Urc;

/// What every module may report of itself and of no client [27.007 §6.11 to §10.1; 27.005 §3.4].
const REPORTS: &[&str] = &[
    "+CREG", "+CGREG", "+CEREG", "+C5GREG", "+CGEV", "+CPIN", "+CIEV", "+CTZV", "+CTZE", "+CTZEU", "+CMTI",
    "+CDSI", "+CUSD", "+CUSATP", "+CLIP", "+CCWA", "+CRING", "RING", "+CSSI", "+CSSU",
];

/// The rules by which a module of this dialect is read, with reports of these further names.
pub(crate) fn rules(
    dialect: &dyn Dialect,
    links: &Arc<Links>,
    names: &[String],
) -> Box<dyn Rules<Urc = Inbound>> {
    Box::new(Reporting {
        rules: dialect.rules(links),
        known: [REPORTS, dialect.facts().reports],
        named: names.iter().map(|name| name.clone().into_bytes()).collect(),
        meters: links.meters().clone(),
    })
}

struct Reporting {
    rules: Box<dyn Rules<Urc = Inbound>>,
    known: [&'static [&'static str]; 2],
    /// What the user of the modem asked for.
    named: Vec<Vec<u8>>,
    meters: Meters,
}

impl Reporting {
    /// Whether a line reports something of the modem as a whole.
    fn is_of_modem(&self, line: &[u8]) -> bool {
        let name = name_of(line).unwrap_or(line);
        self.known.iter().copied().flatten().any(|known| known.as_bytes() == name)
            || self.named.iter().any(|named| named == name)
    }
}

impl Framing for Reporting {
    fn measure(&mut self, head: &[u8], resume: &mut usize) -> Extent {
        self.rules.measure(head, resume)
    }
}

impl Rules for Reporting {
    type Urc = Inbound;

    fn final_result(&self, line: &Bytes, command: &str) -> Option<FinalResult> {
        self.rules.final_result(line, command)
    }

    fn leaves_doubt(&self, result: &FinalResult) -> bool {
        self.rules.leaves_doubt(result)
    }

    fn is_unsolicited(&self, line: &[u8]) -> bool {
        self.rules.is_unsolicited(line) || self.is_of_modem(line)
    }

    fn unsolicited(&mut self, line: &Bytes) -> Reaction<Inbound> {
        let is_dialects = self.rules.is_unsolicited(line);
        let mut reaction = if is_dialects { self.rules.unsolicited(line) } else { Reaction::default() };
        match &reaction.deliver {
            Some((_, Inbound::Message(message))) => {
                self.meters.count(Count::Received { bytes: message.payload().len() });
            }
            None if self.is_of_modem(line) => {
                reaction.deliver = Some((Channel::Unclaimed, Inbound::Urc(Urc::new(line.clone()))));
            }
            _ => {}
        }
        reaction
    }

    fn damaged(&mut self, damage: &Damage) -> Reaction<Inbound> {
        self.rules.damaged(damage)
    }

    fn probes(&self) -> &'static [Probe] {
        self.rules.probes()
    }
}
