//! How the port is read before the vendor is known.

use std::sync::Arc;
use std::time::Duration;

use at_codec::{Extent, Framing};
use at_port::{Reaction, Rules};
use bytes::Bytes;

use crate::dialect::{self, Dialect};
use crate::link::{Inbound, Links};
use crate::vendor::Vendor;

/// How long a module of any vendor may keep waiting for a payload that a host left unfinished.
pub(crate) fn longest_payload_patience() -> Duration {
    dialects().map(|dialect| dialect.facts().payload_patience).max().unwrap_or_default()
}

/// Rules that frame the counted reports of every vendor, so that a message for a client that a former host left
/// open cannot forge an answer while the vendor is still being asked for.
pub(crate) fn rules(links: &Arc<Links>) -> Box<dyn Rules<Urc = Inbound>> {
    Box::new(Discovery { all: dialects().map(|dialect| dialect.rules(links)).collect(), taken_by: None })
}

fn dialects() -> impl Iterator<Item = Box<dyn Dialect>> {
    Vendor::ALL.iter().flat_map(|vendor| dialect::of(*vendor))
}

struct Discovery {
    all: Vec<Box<dyn Rules<Urc = Inbound>>>,
    /// Whose rules have taken up the element that is being measured.
    taken_by: Option<usize>,
}

impl Framing for Discovery {
    /// The names of the vendors' counted reports differ, so at most one of the rules takes an element up. From then
    /// on `resume` is its own, and means nothing to the others.
    fn measure(&mut self, head: &[u8], resume: &mut usize) -> Extent {
        if *resume > 0 {
            let owner = self.taken_by.and_then(|position| self.all.get_mut(position));
            return owner.map_or(Extent::Line, |rules| rules.measure(head, resume));
        }
        for (position, rules) in self.all.iter_mut().enumerate() {
            match rules.measure(head, resume) {
                Extent::Line => *resume = 0,
                extent => {
                    self.taken_by = Some(position);
                    return extent;
                }
            }
        }
        Extent::Line
    }
}

impl Rules for Discovery {
    type Urc = Inbound;

    fn is_unsolicited(&self, line: &[u8]) -> bool {
        self.all.iter().any(|rules| rules.is_unsolicited(line))
    }

    fn unsolicited(&mut self, line: &Bytes) -> Reaction<Inbound> {
        let claimed = self.all.iter_mut().find(|rules| rules.is_unsolicited(line));
        let reboot = claimed.is_some_and(|rules| rules.unsolicited(line).reboot);
        Reaction { reboot, ..Reaction::default() }
    }
}
