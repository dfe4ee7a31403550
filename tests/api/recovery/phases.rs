//! A reboot in every phase of connecting, subscribing and publishing: nothing is lost, and soon all is as before.

use mqtt_at::Result;
use virtual_modem::Entry;

use super::*;

/// How long the virtual module takes to start.
const BOOT: Duration = Duration::from_secs(3);
/// How soon after that everything works, in 99 of 100 cases.
const BACK: Duration = Duration::from_secs(5);

/// Each command has some of these moments.
const MOMENTS: [Hook; 7] = [
    Hook::AfterLine,
    Hook::BeforePrompt,
    Hook::AfterPrompt,
    Hook::MidPayload(3),
    Hook::BeforeFinal,
    Hook::BetweenFinalAndResult,
    Hook::AfterResult,
];

/// A program that connects, subscribes and publishes until all of it has worked.
struct Host<'a> {
    bench: &'a Bench,
    client: Option<Client>,
    messages: Option<Subscription>,
    published: Vec<(String, Result<mqtt_at::Published>)>,
}

impl<'a> Host<'a> {
    fn new(bench: &'a Bench) -> Self {
        Self { bench, client: None, messages: None, published: Vec::new() }
    }

    async fn live(&mut self) {
        while let Err(error) = self.take_steps().await {
            assert!(self.published.len() < 100, "it never works again: {error}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Whatever is left to do.
    async fn take_steps(&mut self) -> Result<()> {
        let client = match &self.client {
            Some(client) => client.clone(),
            None => self.bench.modem.connect(options("one")).await?,
        };
        let client = self.client.insert(client);
        if self.messages.is_none() {
            self.messages = Some(client.subscribe("to/it", QoS::AtLeastOnce).await?);
        }
        let word = format!("number {}", self.published.len());
        let outcome = client.publish("from/it", QoS::AtLeastOnce, false, word.clone()).await;
        self.published.push((word, outcome.clone()));
        outcome.map(drop)
    }

    /// What was said of each publish is true.
    fn check(&self, case: &str) {
        for (word, outcome) in &self.published {
            let accepted = self.bench.accepted("from/it").iter().filter(|it| **it == word.as_bytes()).count();
            match outcome {
                Ok(published) => {
                    let is_fine = accepted == 1 || accepted > 1 && published.maybe_duplicate;
                    assert!(is_fine, "{case}: {word} was called delivered, and came {accepted} times");
                }
                Err(error) if error.outcome() == Outcome::NotSent => {
                    assert_eq!(accepted, 0, "{case}: {word} was called not sent: {error}");
                }
                Err(_) => {}
            }
        }
    }
}

/// Reboots at an occasion of a moment, and says how long it took until everything worked again; `None` if there is no
/// such occasion. A reboot without a word is counted from the first command that the module took afterwards, because
/// until then nobody could have known.
async fn recovery(
    kind: &Kind,
    moment: Hook,
    occasion: u32,
    how: Reboot,
    lives_already: bool,
) -> Option<Duration> {
    let case = format!("{kind:?}, {how:?}, {moment:?} number {occasion}, lives already: {lives_already}");
    let bench = bench(kind).await;
    let mut host = Host::new(&bench);
    if lives_already {
        host.live().await;
    }
    bench.module.inject_fault(Fault::new(moment, Action::Reboot(how)).occasion(occasion));
    if lives_already {
        bench.broker.kick("one");
        let mut status = host.client.as_ref().unwrap().status();
        status.wait_for(|it| *it != ClientStatus::Connected).await.unwrap();
    }
    timeout(PATIENCE, host.live()).await.unwrap_or_else(|_| panic!("{case}: it does not come back"));
    host.check(&case);

    let log = bench.module.log();
    let reboot = log.iter().rposition(|record| record.entry == Entry::Reboot)?;
    let mut since = log[reboot..].iter();
    let from = match how {
        Reboot::Silent => since.find(|record| matches!(record.entry, Entry::Understood(_))),
        _ => since.next(),
    };
    // What is still on its way from before the reboot is found out by the next command.
    host.live().await;
    works(&bench, host.client.as_ref().unwrap(), host.messages.as_mut().unwrap(), "after").await;
    let back = log.last().unwrap().at;
    Some(from.map_or(Duration::ZERO, |from| back - from.at))
}

async fn every_phase(how: Reboot) {
    for kind in KINDS {
        let mut all = Vec::new();
        for lives_already in [false, true] {
            for moment in MOMENTS {
                for occasion in 1.. {
                    let took = recovery(kind, moment, occasion, how, lives_already).await;
                    let Some(took) = took else { break };
                    all.push((took, moment, occasion, lives_already));
                }
            }
        }
        all.sort();
        assert!(all.len() > 30, "{kind:?}: only {} phases", all.len());
        let within = all[all.len() * 99 / 100 - 1];
        assert!(within.0 <= BOOT + BACK, "{kind:?}: {how:?}: {:?}", &all[all.len() * 9 / 10..]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_reboot_in_any_phase_loses_nothing_and_is_over_soon() {
    every_phase(Reboot::Loud).await;
}

#[tokio::test(start_paused = true)]
async fn a_reboot_without_a_word_in_any_phase_loses_nothing_and_is_over_soon() {
    every_phase(Reboot::Silent).await;
}
