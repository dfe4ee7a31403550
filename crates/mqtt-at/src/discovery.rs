//! How the port is read before the vendor is known.

use std::sync::Arc;
use std::time::Duration;

use at_codec::{Extent, Framing};
use at_port::{FinalResult, Probe, Reaction, Rules};
use bytes::Bytes;

use crate::dialect::{self, Dialect, esp};
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

/// Cellular modules take CR for the end of a line, and the first of these is for them. One that waits for CR LF has
/// what came before in its line as well: it refuses the third, and answers the fourth.
const PROBES: &[Probe] = {
    let ([first, second, ..], [third, fourth, ..]) = (Probe::STANDARD, esp::PROBES) else {
        panic!("there are probes for both");
    };
    &[*first, *second, *third, *fourth]
};

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

    fn probes(&self) -> &'static [Probe] {
        PROBES
    }

    /// A payload that a former program owed may have come to its end in a vendor's own words; no command here does.
    fn final_result(&self, line: &Bytes, command: &str) -> Option<FinalResult> {
        let of_former = || self.all.iter().find_map(|rules| rules.final_result(line, command));
        if command.is_empty() { of_former() } else { None }
    }

    fn is_unsolicited(&self, line: &[u8]) -> bool {
        self.all.iter().any(|rules| rules.is_unsolicited(line))
    }

    fn unsolicited(&mut self, line: &Bytes) -> Reaction<Inbound> {
        let claimed = self.all.iter_mut().find(|rules| rules.is_unsolicited(line));
        let reboot = claimed.is_some_and(|rules| rules.unsolicited(line).reboot);
        Reaction { reboot, ..Reaction::default() }
    }
}

#[cfg(test)]
mod tests {
    use at_codec::{AtCodec, Frame, Limits};
    use bytes::BytesMut;
    use tokio_util::codec::Decoder;

    use super::*;

    struct Measured(Box<dyn Rules<Urc = Inbound>>);

    impl Framing for Measured {
        fn measure(&mut self, head: &[u8], resume: &mut usize) -> Extent {
            self.0.measure(head, resume)
        }
    }

    /// The next program learns from it that the module waits for no payload any more.
    #[test]
    fn the_end_of_a_former_programs_payload_is_read_in_any_vendors_words() {
        let rules = rules(&Arc::default());
        let line = Bytes::from_static(b"+MQTTPUBS: Timeout!");
        assert!(rules.final_result(&line, "").is_some_and(|result| !result.is_success()));
        assert!(rules.final_result(&line, "+CGMI").is_none(), "it answers no question of ours");
    }

    #[test]
    fn counted_reports_of_every_vendor_are_read_whole_at_every_cut() {
        let reports: [&[u8]; 3] = [
            b"+QMTRECV: 0,1,\"t\",6,\"\r\nOK\r\n\"",
            b"+MQTTSUB:3,\"t\",6,\r\nOK\r\n",
            b"+CLOUDPUBLISH: 1,/a,6,\r\nOK\r\n",
        ];
        // Each comes after each, so that no vendor's rules are left with another's progress.
        let stream: Vec<&[u8]> = (0..9).flat_map(|at| [reports[at / 3], reports[at % 3]]).collect();
        let bytes = stream.join(&b"\r\n"[..]);
        for size in [1, 2, 3, 5, 7, 11, bytes.len()] {
            let mut codec = AtCodec::new(Measured(rules(&Arc::default())), Limits::default());
            let (mut buffer, mut frames) = (BytesMut::new(), Vec::new());
            for piece in bytes.chunks(size).chain([&b"\r\n"[..]]) {
                buffer.extend_from_slice(piece);
                while let Some(frame) = codec.decode(&mut buffer).unwrap() {
                    frames.push(frame);
                }
            }
            let expected: Vec<_> = stream.iter().map(|line| Frame::Line(line.to_vec().into())).collect();
            assert_eq!(frames, expected, "in pieces of {size}");
        }
    }
}
