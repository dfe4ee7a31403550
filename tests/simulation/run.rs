//! One seed from its beginning to its end.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::checks;
use crate::history::{Counts, History};
use crate::plan::Plan;
use crate::random::Random;
use crate::recovery;
use crate::workload;
use crate::world::World;

/// How long faults may strike; whatever is not published by then stays unpublished.
const SAFETY_PHASE: Duration = Duration::from_secs(3600);

/// What came of a seed.
pub struct Outcome {
    pub violation: Option<String>,
    /// The last events, or all.
    pub events: Vec<String>,
    pub hash: u64,
    pub counts: Counts,
    /// Which faults struck how often.
    pub struck: Vec<(String, u64)>,
    pub virtual_time: Duration,
    /// How long it took to come back from reboots, where the library does it.
    pub after_reboots: Vec<Duration>,
    /// From the end of all faults until everything worked.
    pub after_faults: Option<Duration>,
}

/// Runs a seed; `keeps_all` is for a person who wants to see everything.
pub fn seed(plan: &Plan, keeps_all: bool) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(run(plan, keeps_all))
}

async fn run(plan: &Plan, keeps_all: bool) -> Outcome {
    let history = History::new(keeps_all);
    let world = Arc::new(World::new(plan, history.clone()));
    let mut keepers = keepers(plan, &world);
    let mut publishers = publishers(plan, &world);
    let safety = async {
        while let Some(ended) = publishers.join_next().await {
            if let Err(error) = ended {
                history.violate(format!("a publisher panicked: {error}"));
            }
        }
    };
    if timeout(SAFETY_PHASE, safety).await.is_err() {
        publishers.abort_all();
        while publishers.join_next().await.is_some() {}
    }
    history.note("calm", "");
    world.calm();
    let after_faults = world.recover().await;
    // What is under way comes to its end.
    tokio::time::sleep(Duration::from_secs(120)).await;
    checks::at_the_end(&world);
    keepers.abort_all();
    while let Some(ended) = keepers.join_next().await {
        if let Err(error) = ended.map_err(tokio::task::JoinError::try_into_panic)
            && error.is_ok()
        {
            history.violate("a task panicked");
        }
    }
    finish(world, &history, after_faults).await
}

/// The tasks that go on until they are told to stop.
fn keepers(plan: &Plan, world: &Arc<World>) -> JoinSet<()> {
    let mut keepers = JoinSet::new();
    let it = Arc::clone(world);
    keepers.spawn(async move { it.keep_open().await });
    for number in 0..plan.clients {
        let it = Arc::clone(world);
        keepers.spawn(async move {
            let mut streams = JoinSet::new();
            let listener = Arc::clone(&it);
            let subscribed = move |subscription| {
                let listener = Arc::clone(&listener);
                streams.spawn(async move { workload::receive(&listener, number, subscription).await });
            };
            it.keep_connected(number, subscribed).await;
        });
    }
    let it = Arc::clone(world);
    let random = Random::new(plan.seed, 2);
    keepers.spawn(async move { workload::ask(&it, random).await });
    let (broker, clients, random) = (world.broker.clone(), plan.clients, Random::new(plan.seed, 3));
    let tail = world.tail();
    keepers.spawn(async move { workload::outside(&broker, clients, tail, random).await });
    keepers
}

/// Two tasks for each client.
fn publishers(plan: &Plan, world: &Arc<World>) -> JoinSet<()> {
    let mut publishers = JoinSet::new();
    let tasks = plan.clients * 2;
    for task in 0..tasks {
        let it = Arc::clone(world);
        let count = plan.publishes / tasks + usize::from(task < plan.publishes % tasks);
        let random = Random::new(plan.seed, 10 + task as u64);
        let manner = plan.manner;
        publishers.spawn(async move { workload::publish(&it, task / 2, count, manner, random).await });
    }
    publishers
}

/// Lets everything go, and looks whether it goes.
async fn finish(world: Arc<World>, history: &History, after_faults: Option<Duration>) -> Outcome {
    let mut struck = world.module.struck();
    struck.extend(world.line.struck());
    let log = world.module.log();
    let after_reboots = if world.supervised { recovery::after_reboots(&log) } else { Vec::new() };
    drop(world);
    // Drivers say farewell for clients that were dropped, and end.
    tokio::time::sleep(Duration::from_secs(300)).await;
    let left = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    if left > 0 {
        history.violate(format!("I9: {left} tasks are left behind"));
    }
    let violation = history.violation();
    let mut events = Vec::new();
    if violation.is_some() || history.keeps_all() {
        let module =
            log.iter().map(|record| (record.at, format!("        | {}", record.to_string().trim_start())));
        let mut all: Vec<_> = history.events();
        let from = all.first().map_or(Duration::ZERO, |(at, _)| *at);
        all.extend(module.filter(|(at, _)| *at >= from));
        all.sort_by_key(|(at, _)| *at);
        events = all.into_iter().map(|(at, text)| format!("{:>10.3} {text}", at.as_secs_f64())).collect();
    }
    Outcome {
        violation,
        events,
        hash: history.hash(),
        counts: history.counts(),
        struck,
        virtual_time: history.elapsed(),
        after_reboots,
        after_faults,
    }
}
