//! Random faults: which are possible at all, how often each comes, and what each draws.

use std::time::Duration;

use super::{Action, Hook, Reboot};
use crate::random::Random;

/// Random faults, the same for the same seed.
///
/// First a rate is drawn for every action that can happen at a hook. Half of all actions get none, so that different
/// seeds suffer from different combinations; the others come once in 20 to 2000 occasions, and those that cost a
/// connection or more a good deal less often. Then every occasion is drawn for.
///
/// ```
/// use virtual_modem::{Action, FaultPlan, Hook, Swarm};
///
/// let swarm = Swarm::new(7).only(|_, action| !matches!(action, Action::Hang));
/// assert_eq!(swarm, Swarm::new(7).only(|_, action| !matches!(action, Action::Hang)));
/// let plan = FaultPlan::new().swarm(swarm);
/// # let _ = plan;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swarm {
    random: Random,
    rates: Vec<Rate>,
    mid_payload: usize,
    longest: Vec<(Hook, Duration)>,
}

/// How often an action strikes at a hook.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rate {
    hook: Hook,
    /// What it draws is still open.
    action: Action,
    per_million: u32,
}

const EVERYWHERE: [Hook; 9] = [
    Hook::BeforeEcho,
    Hook::AfterLine,
    Hook::BeforePrompt,
    Hook::AfterPrompt,
    Hook::MidPayload(0),
    Hook::BeforeFinal,
    Hook::BetweenFinalAndResult,
    Hook::AfterResult,
    Hook::Idle,
];

/// The actions that are told with words, and where each does something.
const SPOKEN: [(Action, &[Hook]); 5] = [
    (
        Action::Silence,
        &[
            Hook::BeforeEcho,
            Hook::AfterLine,
            Hook::BeforePrompt,
            Hook::BeforeFinal,
            Hook::BetweenFinalAndResult,
        ],
    ),
    (
        Action::Delay(Duration::ZERO),
        &[
            Hook::BeforeEcho,
            Hook::AfterLine,
            Hook::BeforePrompt,
            Hook::MidPayload(0),
            Hook::BeforeFinal,
            Hook::BetweenFinalAndResult,
        ],
    ),
    (Action::Duplicate, &[Hook::BeforePrompt, Hook::BeforeFinal, Hook::BetweenFinalAndResult]),
    (Action::Swap, &[Hook::BeforeFinal]),
    (Action::Error, &[Hook::AfterLine, Hook::BeforePrompt, Hook::BeforeFinal]),
];

/// What can happen at any time, from the harmless to the worst, and how much rarer than words it is.
const EVENTS: [(Action, u32); 10] = [
    (Action::Chatter, 1),
    (Action::Kick(0), 20),
    (Action::BlackHole(Duration::ZERO), 40),
    (Action::DropPdp, 40),
    (Action::RemoveSim(Duration::ZERO), 80),
    (Action::Reboot(Reboot::Loud), 40),
    (Action::Reboot(Reboot::Silent), 40),
    (Action::Reboot(Reboot::BrownOut(0)), 40),
    (Action::HangUp, 40),
    (Action::Hang, 80),
];

/// How many clients a module has at the most.
const CLIENTS: u64 = 6;

/// How much data may precede a fault in its middle.
const MID_PAYLOAD: u64 = 64;

impl Swarm {
    /// Draws the rates. [`Action::Overtaken`], [`Action::Code`] and [`Action::Urc`] are never among them.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut rates = Vec::new();
        for (action, hooks) in SPOKEN {
            draw_rates(&mut random, &mut rates, &action, hooks, 1);
        }
        draw_rates(&mut random, &mut rates, &Action::Chatter, &[Hook::InsideMessage], 1);
        for (action, rarity) in EVENTS {
            draw_rates(&mut random, &mut rates, &action, &EVERYWHERE, rarity);
        }
        Self { random, rates, mid_payload: 0, longest: Vec::new() }
    }

    /// The same swarm without what is not wanted. Numbers and times of the actions are zero here.
    #[must_use]
    pub fn only(mut self, wanted: impl Fn(Hook, &Action) -> bool) -> Self {
        self.rates.retain(|rate| wanted(rate.hook, &rate.action));
        self
    }

    /// Bounds the delays at a hook. Default: 150 s.
    #[must_use]
    pub fn longest_delay(mut self, hook: Hook, longest: Duration) -> Self {
        self.longest.push((hook, longest));
        self
    }

    pub(super) fn due(&mut self, hook: Hook) -> Option<Action> {
        let kind = match hook {
            Hook::MidPayload(_) => Hook::MidPayload(0),
            other => other,
        };
        let Self { random, rates, .. } = self;
        let mut rates = rates.iter().filter(|rate| rate.hook == kind);
        let action = rates.find(|rate| random.happens(rate.per_million))?.action.clone();
        let action = self.fill_in(action);
        let bound = self.longest.iter().find(|(bounded, _)| *bounded == kind);
        Some(match (action, bound) {
            (Action::Delay(delay), Some((_, longest))) => Action::Delay(delay.min(*longest)),
            (action, _) => action,
        })
    }

    /// After how many bytes of data it wants to be asked: once for each data.
    pub(super) fn next_mid_payload(&mut self, taken: usize) -> Option<usize> {
        if taken == 0 {
            self.mid_payload = usize::try_from(1 + self.random.below(MID_PAYLOAD)).unwrap_or(1);
        }
        Some(self.mid_payload).filter(|&count| count > taken)
    }

    /// Draws the times and numbers of an action.
    fn fill_in(&mut self, action: Action) -> Action {
        let random = &mut self.random;
        match action {
            Action::Delay(_) => Action::Delay(Duration::from_millis(random.scaled(1, 150_000))),
            Action::BlackHole(_) => Action::BlackHole(Duration::from_millis(random.scaled(500, 300_000))),
            Action::RemoveSim(_) => Action::RemoveSim(Duration::from_millis(random.scaled(500, 120_000))),
            Action::Kick(_) => Action::Kick(usize::try_from(random.below(CLIENTS)).unwrap_or(0)),
            Action::Reboot(Reboot::BrownOut(_)) => {
                Action::Reboot(Reboot::BrownOut(usize::try_from(random.scaled(1, 300)).unwrap_or(1)))
            }
            other => other,
        }
    }
}

fn draw_rates(random: &mut Random, rates: &mut Vec<Rate>, action: &Action, hooks: &[Hook], rarity: u32) {
    for &hook in hooks {
        if random.below(2) == 0 {
            let per_million = u32::try_from(random.scaled(500, 50_000)).unwrap_or(500) / rarity;
            rates.push(Rate { hook, action: action.clone(), per_million: per_million.max(1) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_possible_fault_strikes_under_some_seed() {
        let mut seen = std::collections::BTreeMap::new();
        for seed in 0..400 {
            let mut swarm = Swarm::new(seed);
            for _ in 0..300 {
                for hook in EVERYWHERE.into_iter().chain([Hook::InsideMessage]) {
                    if let Some(action) = swarm.due(hook) {
                        *seen.entry((hook, action.name())).or_insert(0) += 1;
                    }
                }
            }
        }
        let spoken: usize = SPOKEN.iter().map(|(_, hooks)| hooks.len()).sum();
        // The three kinds of reboot have three names.
        assert_eq!(seen.len(), spoken + EVENTS.len() * EVERYWHERE.len() + 1, "{seen:?}");
    }

    #[test]
    fn the_place_in_the_data_is_drawn_once() {
        let mut swarm = Swarm::new(1);
        let place = swarm.next_mid_payload(0).unwrap();
        assert!((1..=64).contains(&place));
        assert_eq!(
            swarm.next_mid_payload(place - 1).filter(|_| place > 1),
            Some(place).filter(|_| place > 1)
        );
        assert_eq!(swarm.next_mid_payload(place), None);
    }
}
