//! What came of all seeds.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use crate::history::Counts;
use crate::plan::Plan;
use crate::recovery::quantile;
use crate::run::Outcome;

/// After so many failures nothing new is learned.
const ENOUGH: usize = 20;

pub struct Report {
    started: Instant,
    seeds: u64,
    virtual_time: Duration,
    counts: Counts,
    struck: BTreeMap<String, u64>,
    after_reboots: Vec<Duration>,
    after_faults: Vec<Duration>,
    failures: Vec<String>,
}

impl Report {
    pub fn new() -> Self {
        Self {
            started: Instant::now(),
            seeds: 0,
            virtual_time: Duration::ZERO,
            counts: Counts::default(),
            struck: BTreeMap::new(),
            after_reboots: Vec::new(),
            after_faults: Vec::new(),
            failures: Vec::new(),
        }
    }

    /// Adds a seed; `again` is the hash of a second run of it.
    pub fn add(&mut self, plan: &Plan, outcome: Outcome, again: Option<u64>) {
        self.seeds += 1;
        self.virtual_time += outcome.virtual_time;
        self.counts.add(&outcome.counts);
        self.after_reboots.extend(outcome.after_reboots);
        self.after_faults.extend(outcome.after_faults);
        for (name, count) in outcome.struck {
            *self.struck.entry(name).or_default() += count;
        }
        let differs = again.filter(|hash| *hash != outcome.hash);
        let problem =
            outcome.violation.or_else(|| differs.map(|_| "the seed does not repeat itself".to_owned()));
        if let Some(problem) = problem {
            let vendor =
                if plan.vendor_was_chosen { format!("SIM_VENDOR={} ", plan.vendor) } else { String::new() };
            self.failures.push(format!(
                "{}\nseed {} ({}): {problem}\nreplay: {vendor}SIM_SEED={} cargo test --test simulation\n",
                outcome.events.join("\n"),
                plan.seed,
                plan.vendor,
                plan.seed
            ));
        }
    }

    pub fn is_clean(&self) -> bool {
        self.failures.is_empty() && self.seeds > 0
    }

    pub fn is_enough(&self) -> bool {
        self.failures.len() >= ENOUGH
    }

    pub fn failures(&self) -> String {
        self.failures.join("\n")
    }
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.delivered += other.delivered;
        self.not_sent += other.not_sent;
        self.unknown += other.unknown;
        self.cancelled += other.cancelled;
        self.received += other.received;
        self.connections += other.connections;
        self.openings += other.openings;
        self.probes += other.probes;
        self.queries += other.queries;
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let took = self.started.elapsed().as_secs_f64();
        writeln!(
            f,
            "{} seeds in {took:.1} s, {:.1} seeds/s, {:.0} virtual hours, {} failures",
            self.seeds,
            self.seeds as f64 / took,
            self.virtual_time.as_secs_f64() / 3600.0,
            self.failures.len()
        )?;
        writeln!(f, "{:?}", self.counts)?;
        show_times(f, "a reboot to the next sign-in", &self.after_reboots)?;
        show_times(f, "the last fault until everything works", &self.after_faults)?;
        for (name, count) in &self.struck {
            writeln!(f, "{count:>10} {name}")?;
        }
        Ok(())
    }
}

fn show_times(f: &mut fmt::Formatter<'_>, what: &str, times: &[Duration]) -> fmt::Result {
    let mut times = times.to_vec();
    let [half, most, all] = [500, 990, 1000].map(|share| quantile(&mut times, share).as_secs_f64());
    writeln!(f, "from {what}: {} times, p50 {half:.1} s, p99 {most:.1} s, longest {all:.1} s", times.len())
}
