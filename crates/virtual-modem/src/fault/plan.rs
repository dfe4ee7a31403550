//! All faults of one module, scripted and random, and how often each has struck.

use std::collections::BTreeMap;

use super::{Action, Fault, Hook, Swarm};

/// The faults a module will suffer.
///
/// ```
/// use std::time::Duration;
/// use virtual_modem::{Action, Fault, FaultPlan, Hook};
///
/// let plan = FaultPlan::new()
///     .with(Fault::new(Hook::BeforeFinal, Action::Delay(Duration::from_secs(8))).command("+QMTPUBEX"))
///     .with(Fault::new(Hook::BetweenFinalAndResult, Action::Silence).command("+QMTPUBEX").occasion(3));
/// assert_eq!(plan, "before-final:+QMTPUBEX:1:delay=8000;result:+QMTPUBEX:3:silence".parse().unwrap());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FaultPlan {
    faults: Vec<Fault>,
    swarm: Option<Swarm>,
    struck: BTreeMap<(&'static str, &'static str), u64>,
}

impl FaultPlan {
    /// No faults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same plan with one more fault. Where several strike at once, the first one added wins.
    #[must_use]
    pub fn with(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// The same plan with random faults wherever no other strikes.
    #[must_use]
    pub fn swarm(mut self, swarm: Swarm) -> Self {
        self.swarm = Some(swarm);
        self
    }

    /// Adds a fault to a plan that is already being carried out.
    pub fn add(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Nothing strikes any more.
    pub(crate) fn clear(&mut self) {
        self.faults.clear();
        self.swarm = None;
    }

    /// How often each action has struck at each hook, by the names they have on the command line.
    pub(crate) fn struck(&self) -> &BTreeMap<(&'static str, &'static str), u64> {
        &self.struck
    }

    /// The action that is due at this hook, if any. Every fault counts the occasion, also those that come too late.
    pub(crate) fn due(&mut self, hook: Hook, command: &[u8]) -> Option<Action> {
        let mut due = None;
        for fault in &mut self.faults {
            if fault.strikes(hook, command) && due.is_none() {
                due = Some(fault.action.clone());
            }
        }
        let due = due.or_else(|| self.swarm.as_mut().and_then(|swarm| swarm.due(hook)));
        if let Some(action) = &due {
            *self.struck.entry((hook.name(), action.name())).or_default() += 1;
        }
        due
    }

    /// The smallest number of data bytes after which a fault wants to be asked, of those above `taken`.
    pub(crate) fn next_mid_payload(&mut self, taken: usize) -> Option<usize> {
        let counts = self.faults.iter().filter_map(|fault| match fault.hook {
            Hook::MidPayload(count) if count > taken => Some(count),
            _ => None,
        });
        let random = self.swarm.as_mut().and_then(|swarm| swarm.next_mid_payload(taken));
        counts.chain(random).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn occasions_are_counted_per_fault() {
        let mut plan = FaultPlan::new()
            .with(Fault::new(Hook::BeforeFinal, Action::Silence).command("+QMTPUBEX").occasion(2))
            .with(Fault::new(Hook::BeforeFinal, Action::Hang).occasion(3));
        assert_eq!(plan.due(Hook::BeforeFinal, b"+QMTPUBEX=0"), None);
        assert_eq!(plan.due(Hook::AfterLine, b"+QMTPUBEX=0"), None);
        assert_eq!(plan.due(Hook::BeforeFinal, b"+qmtpubex=0"), Some(Action::Silence));
        assert_eq!(plan.due(Hook::BeforeFinal, b""), Some(Action::Hang));
        assert_eq!(plan.due(Hook::BeforeFinal, b""), None);
        let struck: Vec<_> = plan.struck().iter().map(|(names, count)| (*names, *count)).collect();
        assert_eq!(struck, [(("before-final", "hang"), 1), (("before-final", "silence"), 1)]);
    }
}
