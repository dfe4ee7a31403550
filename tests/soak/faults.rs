//! What happens to a gateway in the field, and how often.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;
use virtual_modem::{Action, Fault, Hook, MemoryBroker, Reachability, Reboot, VirtualModem};

/// The kinds of trouble, each with how many times a month it comes.
const KINDS: &[(&str, f64)] = &[
    ("broker closes the connection", 120.0),
    ("broker restarts", 15.0),
    ("broker away for five minutes", 30.0),
    ("network drops every packet for a minute", 30.0),
    ("data connection lost", 60.0),
    ("reboot", 20.0),
    ("reboot without a word", 10.0),
    ("port gone", 15.0),
    ("a result is lost", 30.0),
    ("a final result is late", 30.0),
];

/// An hour has at least this part of a month's troubles.
const DENSEST: f64 = 1.0 / 12.0;

/// The troubles of one run.
pub struct Faults {
    chance: u64,
    /// How much more often than in the field.
    density: f64,
    pub seen: BTreeMap<&'static str, u64>,
    broker_back: Option<Instant>,
    network_back: Option<Instant>,
}

impl Faults {
    pub fn new(seed: u64, days: f64) -> Self {
        let density = (DENSEST * 30.0 / days).max(1.0);
        let seed = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        Self { chance: seed, density, seen: BTreeMap::new(), broker_back: None, network_back: None }
    }

    /// Called once a second.
    pub fn strike(&mut self, module: &VirtualModem, broker: &MemoryBroker) {
        let now = Instant::now();
        if self.broker_back.take_if(|back| *back <= now).is_some() {
            broker.set_reachability(Reachability::Reachable);
        }
        if self.network_back.take_if(|back| *back <= now).is_some() {
            module.black_hole(false);
        }
        for (kind, monthly) in KINDS {
            if self.drawn() < monthly * self.density / (30.0 * 86_400.0) {
                *self.seen.entry(kind).or_default() += 1;
                self.happen(kind, module, broker, now);
            }
        }
    }

    fn happen(&mut self, kind: &str, module: &VirtualModem, broker: &MemoryBroker, now: Instant) {
        match kind {
            "broker closes the connection" => drop(broker.kick("soak")),
            "broker restarts" => broker.restart(),
            "broker away for five minutes" => {
                broker.set_reachability(Reachability::Refused);
                broker.kick("soak");
                self.broker_back = Some(now + Duration::from_secs(300));
            }
            "network drops every packet for a minute" => {
                module.black_hole(true);
                self.network_back = Some(now + Duration::from_secs(60));
            }
            "data connection lost" => module.drop_pdp(),
            "reboot" => module.reboot(Reboot::Loud),
            "reboot without a word" => module.reboot(Reboot::Silent),
            "port gone" => module.inject_fault(Fault::new(Hook::AfterLine, Action::HangUp)),
            "a result is lost" => {
                module.inject_fault(Fault::new(Hook::BetweenFinalAndResult, Action::Silence))
            }
            "a final result is late" => {
                module.inject_fault(Fault::new(Hook::BeforeFinal, Action::Delay(Duration::from_secs(20))));
            }
            other => panic!("nobody knows how {other} happens"),
        }
    }

    /// No more faults.
    pub fn end(&mut self, module: &VirtualModem, broker: &MemoryBroker) {
        broker.set_reachability(Reachability::Reachable);
        module.black_hole(false);
    }

    /// From 0 to 1.
    #[allow(clippy::cast_precision_loss, reason = "it is chance")]
    fn drawn(&mut self) -> f64 {
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 7;
        self.chance ^= self.chance << 17;
        (self.chance >> 11) as f64 / (1_u64 << 53) as f64
    }
}
