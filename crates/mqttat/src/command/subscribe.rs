//! `mqttat sub`

use std::io::Write;
use std::pin::pin;
use std::time::Duration;

use mqtt_at::{Client, ClientStatus, Error, LossCause, Message, Outcome, QoS, Subscription, TopicFilter};
use tokio::time::{Instant, sleep_until};

use super::Context;
use crate::args::subscribe::Subscribe;
use crate::arrival::Arrival;
use crate::device::{Wishes, default_host};
use crate::failure::Failure;
use crate::interrupt::{Interrupt, farewell};
use crate::mishaps::{Filler, Mishaps};
use crate::output;

/// Brokers send retained messages right behind the acknowledgement of the subscription.
const RETAINED_FOR: Duration = Duration::from_secs(1);

pub(super) async fn run(args: &Subscribe, context: &Context) -> Result<(), Failure> {
    for filter in &args.filters {
        TopicFilter::new(filter)?;
    }
    let options = args.connection.options(default_host(&context.global))?;

    let wishes = Wishes {
        supervised: !args.connection.no_reconnect,
        tap: Some(Box::new(Filler(context.progress.clone()))),
        ..Wishes::default()
    };
    let opened = context.open(wishes).await?;
    for filter in &args.filters {
        opened.modem.check_filter(filter)?;
    }
    // As with mosquitto_sub the time begins with connecting: a broker that does not answer must not take all of it.
    let deadline = args.wait.map(|wait| Instant::now() + wait.min(Duration::from_secs(u32::MAX.into())));
    let client = tokio::select! {
        client = opened.modem.connect(options) => client?,
        () = over(deadline) => return Err(too_late(args, "the connection was not there yet")),
    };
    let mut mishaps = Mishaps::of(&client);
    let outcome = tokio::select! {
        outcome = receive(args, context, &client, deadline) => outcome,
        never = mishaps.tell() => never,
    };
    mishaps.tell_rest();
    context.progress.done();
    farewell(&client).await;
    outcome.and(opened.close())
}

/// Done when the time of `-W` is over.
async fn over(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

fn too_late(args: &Subscribe, how_far: &str) -> Failure {
    Failure::timed_out(format!(
        "the {} s of -W are over, {how_far}",
        args.wait.unwrap_or_default().as_secs_f64()
    ))
}

async fn receive(
    args: &Subscribe,
    context: &Context,
    client: &Client,
    deadline: Option<Instant>,
) -> Result<(), Failure> {
    let mut interrupt = Interrupt::listen();
    let mut timer = pin!(over(deadline));
    let filters = args.filters.iter().map(|filter| (filter.as_str(), args.qos));
    let mut subscription = tokio::select! {
        subscription = client.subscribe_all(filters) => subscription?,
        () = interrupt.wait() => return Ok(()),
        () = &mut timer => return Err(too_late(args, "the subscription was not made yet")),
    };
    context.progress.done();
    let mut printer = Printer::new(args, context, client, &subscription);
    let start = Instant::now();
    loop {
        let item = tokio::select! {
            // What has arrived counts, even if the time is over.
            biased;
            item = subscription.next() => item,
            () = interrupt.wait() => return Ok(()),
            () = &mut timer => return Err(printer.timed_out()),
        };
        match item {
            Some(Ok(_)) if args.no_retained && start.elapsed() < RETAINED_FOR => {}
            Some(Ok(message)) => {
                if !printer.print(&message)? || printer.is_done() {
                    return Ok(());
                }
            }
            Some(Err(lagged)) => report(&lagged),
            None => return Err(loss(client).await),
        }
    }
}

/// A gap is said, and is not the end.
fn report(lagged: &mqtt_at::Lagged) {
    // Without stderr nobody wants to know.
    let _ = writeln!(std::io::stderr(), "mqttat: {lagged}");
}

/// Why there are no more messages.
async fn loss(client: &Client) -> Failure {
    let mut status = client.status();
    let is_over = |status: &ClientStatus| matches!(status, ClientStatus::Lost(_) | ClientStatus::Closed);
    // The messages may end a moment before the reason is known.
    // If not, the state that it has by then is all there is to say.
    let _ = tokio::time::timeout(Duration::from_secs(1), status.wait_for(is_over)).await;
    let last = status.borrow().clone();
    match last {
        ClientStatus::Lost(cause) => Error::ConnectionLost { cause, outcome: Outcome::Unknown }.into(),
        ClientStatus::Closed => Error::Disconnected.into(),
        _ => Error::ConnectionLost { cause: LossCause::Unknown, outcome: Outcome::Unknown }.into(),
    }
}

/// Prints messages as the options say.
struct Printer<'a> {
    args: &'a Subscribe,
    json: bool,
    vendor: mqtt_at::Vendor,
    granted: QoS,
    printed: u64,
}

impl<'a> Printer<'a> {
    fn new(args: &'a Subscribe, context: &Context, client: &Client, subscription: &Subscription) -> Self {
        let granted = subscription.granted().iter().copied().max().unwrap_or_default();
        Self { args, json: context.global.json, vendor: client.modem().vendor(), granted, printed: 0 }
    }

    /// Prints a message; `false` says that nobody reads any more.
    fn print(&mut self, message: &Message) -> Result<bool, Failure> {
        self.printed += 1;
        let arrival = Arrival::of(message, self.vendor, self.granted);
        output::print(|out| self.write(out, &arrival))
    }

    fn write(&self, out: &mut impl Write, arrival: &Arrival<'_>) -> std::io::Result<()> {
        let end: &[u8] = if self.args.no_line_feed { b"" } else { b"\n" };
        if self.json {
            arrival.write_json(out, std::time::SystemTime::now())?;
            return out.write_all(b"\n");
        }
        if let Some(format) = &self.args.format {
            format.write(out, arrival)?;
            return out.write_all(end);
        }
        // As mosquitto_sub: an empty message is shown only with its topic.
        match (self.args.verbose, arrival.payload) {
            (false, b"") => return Ok(()),
            (true, b"") => write!(out, "{} (null)", arrival.topic)?,
            (true, _) => write!(out, "{} ", arrival.topic)?,
            (false, _) => {}
        }
        out.write_all(arrival.payload)?;
        out.write_all(end)
    }

    fn is_done(&self) -> bool {
        self.args.count.is_some_and(|count| self.printed >= count)
    }

    fn timed_out(&self) -> Failure {
        let seconds = self.args.wait.unwrap_or_default().as_secs_f64();
        match self.args.count {
            Some(count) => {
                Failure::timed_out(format!("{} of {count} messages came within {seconds} s", self.printed))
            }
            None => too_late(self.args, &format!("{} messages came", self.printed)),
        }
    }
}
