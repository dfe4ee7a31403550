//! Many busy ports on one core, against the leanest actor that does the same.

use at_codec::CommandLine;
use at_port::{Exchange, LinkState, PlainRules, Port, PortOptions};
use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::{mpsc, oneshot};

use crate::heap::Mark;
use crate::instant_io::answer_to;
use crate::report::{Kind, Report, row};
use crate::stopwatch::{best, time};

const GOAL: f64 = 0.6;

pub(crate) fn run(report: &mut Report) {
    report.heading("Busy fleet");
    let mut rows = vec![row(["modems", "lean actor", "mqtt-at's port", ""])];
    let mut at_1000 = f64::NAN;
    for modems in report.choose(&[1, 100, 1000, 10_000][..], &[1, 1000]) {
        let exchanges = (report.choose(50_000, 4_000) / modems).max(2);
        let mut times: [Vec<f64>; 2] = Default::default();
        for _ in 0..report.choose(15, 1) {
            times[0].push(fleet(*modems, exchanges, async |line| LeanActor::start(line)));
            times[1].push(fleet(*modems, exchanges, async |line| Ours::start(line).await));
        }
        let rate = |times: Vec<f64>| (modems * exchanges) as f64 / best(times);
        let [lean, ours] = times.map(rate);
        if *modems == 1000 {
            at_1000 = ours / lean;
        }
        rows.push(vec![
            modems.to_string(),
            format!("{:.0} k/s", lean / 1000.0),
            format!("{:.0} k/s", ours / 1000.0),
            format!("{:.2}×", ours / lean),
        ]);
    }
    report.table(&rows);
    let result = format!("{at_1000:.2}×");
    let what = "exchanges/s at 1 000 modems on one core, against the lean actor";
    let rate = report.goal(Kind::Timed, what, "≥ 0.6×", result, at_1000 >= GOAL);
    let lean = allocations(async |line| LeanActor::start(line));
    let ours = allocations(async |line| Ours::start(line).await);
    let (goal, result) = (format!("{lean:.1}, the lean actor's"), format!("{ours:.1}"));
    let heap = report.goal(Kind::Counted, "allocations per exchange", goal, result, ours <= lean + 0.05);
    report.table(&[Report::goal_head(), rate, heap]);
}

/// How often one exchange asks for memory.
fn allocations<A: Asks>(start: impl AsyncFn(DuplexStream) -> A) -> f64 {
    const EXCHANGES: usize = 640;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let (host, module) = tokio::io::duplex(64);
        tokio::spawn(answer(module));
        let asking = start(host).await;
        // The first few make what the others use again.
        for _ in 0..EXCHANGES {
            asking.exchange().await;
        }
        let mark = Mark::set();
        for _ in 0..EXCHANGES {
            asking.exchange().await;
        }
        mark.since().allocations as f64 / EXCHANGES as f64
    })
}

/// Somebody who can ask a module.
trait Asks: Send + 'static {
    fn exchange(&self) -> impl Future<Output = ()> + Send;
}

/// How long all take to do their exchanges, in seconds.
fn fleet<A: Asks>(modems: usize, exchanges: usize, start: impl AsyncFn(DuplexStream) -> A) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let asking = runtime.block_on(async {
        let mut asking = Vec::new();
        for _ in 0..modems {
            let (host, module) = tokio::io::duplex(64);
            tokio::spawn(answer(module));
            asking.push(start(host).await);
        }
        asking
    });
    let run = async {
        let tasks = asking.into_iter().map(|it| {
            tokio::spawn(async move {
                for _ in 0..exchanges {
                    it.exchange().await;
                }
                // Kept, so that ending the ports is not measured.
                it
            })
        });
        let tasks: Vec<_> = tasks.collect();
        let mut done = Vec::new();
        for task in tasks {
            done.push(task.await.expect("no task fails"));
        }
        done
    };
    let (done, took) = time(|| runtime.block_on(run));
    drop(done);
    took.as_secs_f64()
}

async fn answer(mut line: DuplexStream) {
    let mut buffer = [0; 64];
    let mut length = 0;
    while let Ok(count @ 1..) = line.read(&mut buffer[length..]).await {
        length += count;
        let answer = answer_to(&buffer[..length]);
        if !answer.is_empty() {
            length = 0;
            if line.write_all(answer).await.is_err() {
                return;
            }
        }
    }
}

struct Question {
    command: &'static [u8],
    answer: oneshot::Sender<Bytes>,
}

/// Boxed requests, no buffer while nothing is read, no channel for reports.
struct LeanActor {
    questions: mpsc::UnboundedSender<Box<Question>>,
}

impl LeanActor {
    fn start(mut line: DuplexStream) -> Self {
        let (questions, mut inbox) = mpsc::unbounded_channel::<Box<Question>>();
        tokio::spawn(async move {
            while let Some(question) = inbox.recv().await {
                line.write_all(question.command).await.expect("the module is there");
                let mut buffer = [0; 64];
                let mut length = 0;
                while !buffer[..length].ends_with(b"OK\r\n") {
                    length += line.read(&mut buffer[length..]).await.expect("the module is there");
                }
                let _ = question.answer.send(Bytes::copy_from_slice(&buffer[..length]));
            }
        });
        Self { questions }
    }
}

impl Asks for LeanActor {
    async fn exchange(&self) {
        let (answer, reply) = oneshot::channel();
        let question = Box::new(Question { command: b"AT\r", answer });
        self.questions.send(question).expect("the actor is there");
        reply.await.expect("the actor answers");
    }
}

struct Ours {
    port: Port<Bytes>,
}

impl Ours {
    async fn start(line: DuplexStream) -> Self {
        let mut options = PortOptions::default();
        // Thousands are started one after the other.
        options.session.quiet = std::time::Duration::ZERO;
        let (port, driver) = Port::new(line, PlainRules::boxed(), options);
        tokio::spawn(driver);
        let mut link = port.link();
        link.wait_for(|link| *link == LinkState::Synced).await.expect("the link is proven");
        Self { port }
    }
}

impl Asks for Ours {
    async fn exchange(&self) {
        self.port.run(Exchange::new(CommandLine::execute(""))).await.expect("the module answers");
    }
}
