//! One command and its answer, over memory, TCP and a pseudo terminal.

mod contenders;
mod peer;
#[cfg(unix)]
mod pty;

use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite};

use self::contenders::{Actor, Atat, Ours, Raw};
use crate::report::{Kind, Report, row};
use crate::stopwatch::median;

/// Contenders in the order of the table.
const NAMES: [&str; 4] = ["raw async", "minimal actor", "mqtt-at's port", "atat Client, no pause"];

pub(crate) fn run(report: &mut Report) {
    report.heading("One exchange");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let rounds = report.choose(40, 2);
    let mut rows = vec![row(["transport", NAMES[0], NAMES[1], NAMES[2], NAMES[3]])];
    let mut goals = vec![Report::goal_head()];
    let mut take = |report: &mut Report, name: &str, goal: f64, times: [f64; 4]| {
        let mut cells = vec![name.to_owned(), format!("1.00× ({:.1} µs)", times[0] / 1000.0)];
        cells.extend(times[1..].iter().map(|time| format!("{:.2}×", time / times[0])));
        rows.push(cells);
        let ratio = times[2] / times[0];
        let (what, goal_text) = (format!("one exchange over {name}, p50"), format!("≤ {goal}× raw async"));
        goals.push(report.goal(Kind::Timed, what, goal_text, format!("{ratio:.2}×"), ratio <= goal));
    };
    let duplex = runtime.block_on(contest(rounds, async || {
        let (host, module) = tokio::io::duplex(64);
        tokio::spawn(peer::serve(module));
        host
    }));
    take(report, "duplex", 3.0, duplex);
    let tcp = runtime.block_on(contest(rounds, async || peer::over_tcp().await));
    take(report, "TCP", 1.3, tcp);
    #[cfg(unix)]
    {
        let pty = runtime.block_on(contest(rounds, async || pty::open()));
        take(report, "PTY", 2.0, pty);
    }
    report.table(&rows);
    report.table(&goals);
}

/// The time in the middle of one exchange of each contender, in nanoseconds. They take turns.
async fn contest<IO>(rounds: usize, open: impl AsyncFn() -> IO) -> [f64; 4]
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut raw = Raw::new(open().await);
    let actor = Actor::start(open().await);
    let ours = Ours::start(open().await).await;
    let mut atat = Atat::start(open().await);
    let mut times: [Vec<f64>; 4] = Default::default();
    for _ in 0..rounds {
        for _ in 0..EXCHANGES {
            times[0].push(timed(raw.exchange()).await);
        }
        for _ in 0..EXCHANGES {
            times[1].push(timed(actor.exchange()).await);
        }
        for _ in 0..EXCHANGES {
            times[2].push(timed(ours.exchange()).await);
        }
        for _ in 0..EXCHANGES {
            times[3].push(timed(atat.exchange()).await);
        }
    }
    times.map(median)
}

/// Exchanges of each contender in a row.
const EXCHANGES: usize = 250;

async fn timed(exchange: impl Future<Output = ()>) -> f64 {
    let start = Instant::now();
    exchange.await;
    start.elapsed().as_nanos() as f64
}
