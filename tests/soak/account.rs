//! What was promised of each message, held against the broker's ledger.

use std::collections::BTreeMap;

use virtual_modem::{Ledger, Vendor};

use super::Outcome;
use crate::faults::Faults;

/// Messages whose fate is not settled yet, and the sums of those that are.
pub struct Account {
    vendor: Vendor,
    open: BTreeMap<u64, Entry>,
    /// Those below are settled.
    settled: u64,
    sums: Sums,
    /// Resident memory each time that the ledger was looked at, in KiB.
    memory: Vec<u64>,
}

#[derive(Default)]
struct Entry {
    accepted: u64,
    told: Option<Told>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Delivered { maybe_duplicate: bool },
    NotSent,
    Unknown,
}

#[derive(Debug, Default)]
struct Sums {
    delivered: u64,
    not_sent: u64,
    unknown: u64,
    duplicated: u64,
    connects: u64,
}

/// Settled messages are looked at no more; this many of the latest may still be sent again.
const RECENT: u64 = 600;

impl Account {
    pub fn new(vendor: Vendor) -> Self {
        let (open, sums) = (BTreeMap::new(), Sums::default());
        Self { vendor, open, settled: 0, sums, memory: Vec::new() }
    }

    /// A message is being published.
    pub fn begun(&mut self, number: u64) {
        self.open.entry(number).or_default();
    }

    /// What the library told of a message.
    pub fn concluded(&mut self, (number, outcome): Outcome) {
        let told = match outcome {
            Ok(published) => Told::Delivered { maybe_duplicate: published.maybe_duplicate },
            Err(error) if error.outcome() == mqtt_at::Outcome::NotSent => Told::NotSent,
            Err(_) => Told::Unknown,
        };
        self.open.entry(number).or_default().told = Some(told);
    }

    /// What the broker has accepted since the last time. Messages that are concluded for long are settled.
    pub fn close(&mut self, ledger: Ledger) {
        self.sums.connects += ledger.connects.len() as u64;
        for accepted in ledger.accepted.iter().filter(|it| it.topic == "from/it") {
            let number = std::str::from_utf8(&accepted.payload).ok().and_then(|text| text.parse().ok());
            let number: u64 = number.expect("nobody alters a payload");
            assert!(number >= self.settled, "{}: {number} came again long after it was settled", self.vendor);
            self.open.entry(number).or_default().accepted += 1;
        }
        let latest = self.open.last_key_value().map_or(0, |(number, _)| *number);
        while let Some(entry) = self.open.first_entry() {
            let Some(told) = entry.get().told.filter(|_| *entry.key() + RECENT <= latest) else { break };
            let (number, entry) = entry.remove_entry();
            self.settle(number, entry.accepted, told);
        }
        self.memory.push(resident());
    }

    fn settle(&mut self, number: u64, accepted: u64, told: Told) {
        let vendor = self.vendor;
        self.settled = number + 1;
        match told {
            Told::Delivered { maybe_duplicate } => {
                self.sums.delivered += 1;
                assert!(accepted > 0, "{vendor}: {number} was called delivered and is lost");
                assert!(
                    accepted == 1 || maybe_duplicate,
                    "{vendor}: {number} came {accepted} times unannounced"
                );
            }
            Told::NotSent => {
                self.sums.not_sent += 1;
                assert_eq!(accepted, 0, "{vendor}: {number} was called not sent and is there");
            }
            Told::Unknown => self.sums.unknown += 1,
        }
        self.sums.duplicated += accepted.saturating_sub(1);
    }

    /// Settles the rest and prints the sums.
    pub fn report(mut self, days: f64, received: u64, answers: u64, faults: &Faults) {
        for (number, entry) in std::mem::take(&mut self.open) {
            let told = entry.told.expect("every call has an end");
            self.settle(number, entry.accepted, told);
        }
        // In the first half all that is kept for reuse has been allocated, by all vendors, which run in one process.
        let half = self.memory.get(self.memory.len() / 2).copied().unwrap_or_default();
        let last = self.memory.last().copied().unwrap_or_default();
        println!(
            "{}: {days} days, {:?}, lost 0, misattributed 0 of {answers}, received {received}, resident {half} -> {last} KiB, {:?}",
            self.vendor, self.sums, faults.seen
        );
        assert!(self.sums.delivered > self.sums.not_sent + self.sums.unknown, "most arrive: {:?}", self.sums);
        assert!(last < half + 8 * 1024, "{}: memory grows from {half} to {last} KiB", self.vendor);
    }
}

/// The resident memory of this process in KiB, where the system tells.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
    pages.unwrap_or_default() * 4
}
