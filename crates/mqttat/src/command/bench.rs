//! `mqttat bench`

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mqtt_at::{Client, InputError, Limits, Modem, QoS, Subscription};

use super::Context;
use crate::args::Device;
use crate::args::bench::Bench;
use crate::args::connection::random_identifier;
use crate::device::{Behaviour, Wishes, default_host};
use crate::failure::Failure;
use crate::interrupt::{Interrupt, farewell};

mod figures;
mod ledger;
mod load;
mod payload;
mod soak;

use figures::Figures;
use load::{End, Load};
use soak::Soak;

/// More messages than are published for one line of the result.
const LINE: u64 = 1_000_000_000;

pub(super) async fn run(args: &Bench, context: &Context) -> Result<(), Failure> {
    if (args.round_trip || args.soak.is_some())
        && let Some(short) = args.sizes.iter().find(|bytes| (**bytes as usize) < payload::SHORTEST)
    {
        let least = payload::SHORTEST;
        return Err(Failure::usage(format!(
            "--round-trip and --soak need payloads of at least {least} bytes, not {short}"
        )));
    }
    let is_virtual = matches!(context.global.device, Some(Device::Simulated(_)));
    if !is_virtual && (!args.faults.is_empty() || args.rtt > 0) {
        return Err(Failure::usage("--fault and --rtt are for virtual modules: --device sim:VENDOR"));
    }
    let bench = Setup::new(args, context)?;
    let behaviour =
        Behaviour { rtt: Duration::from_millis(args.rtt), faults: args.faults.clone(), seed: args.seed };
    let wishes = Wishes { behaviour, supervised: args.soak.is_some(), ..Wishes::default() };
    let opened = context.open(wishes).await?;
    check_limits(args, &opened.modem.limits())?;
    if let Some(duration) = args.soak {
        let outcome = bench.soak(&opened.modem, duration, context).await;
        return outcome.and(opened.close());
    }
    let clients = bench.connect(&opened.modem).await?;
    context.progress.done();
    let mut interrupt = Interrupt::listen();
    let (mut lines, mut failure) = (Vec::new(), None);
    {
        let measuring = bench.measure(&clients, context, &mut lines);
        tokio::select! {
            outcome = measuring => failure = outcome?,
            // What has been measured so far is shown.
            () = interrupt.wait() => {}
        }
    }
    figures::print(&lines, context.global.json)?;
    for client in &clients {
        farewell(client).await;
    }
    let closed = opened.close();
    match failure {
        Some(error) => Err(Failure::from(error).about("the first publish that failed")),
        None => closed,
    }
}

/// What cannot be is told before anything is measured.
fn check_limits(args: &Bench, limits: &Limits) -> Result<(), Failure> {
    if let Some(&bytes) = args.sizes.iter().find(|bytes| **bytes as usize > limits.payload) {
        return Err(InputError::PayloadTooLarge { got: bytes as usize, max: limits.payload }.into());
    }
    let clients = limits.clients.clone().count();
    if usize::from(args.clients) > clients {
        let what = format!("--clients is {}, and the module has {clients}", args.clients);
        return Err(Failure::caller(what).remedy("give a smaller number"));
    }
    Ok(())
}

/// How it is measured.
struct Setup<'a> {
    args: &'a Bench,
    host: Option<&'static str>,
    id: String,
    topic: String,
}

impl<'a> Setup<'a> {
    fn new(args: &'a Bench, context: &Context) -> Result<Self, Failure> {
        let host = default_host(&context.global);
        let id = args.connection.id.clone().unwrap_or_else(random_identifier);
        let topic = args.topic.clone().unwrap_or_else(|| format!("mqttat/bench/{id}"));
        mqtt_at::TopicName::new(&topic)?;
        let setup = Self { args, host, id, topic };
        // What is wrong with the options is told before the module is opened.
        setup.options(0)?;
        Ok(setup)
    }

    /// Brokers tell clients apart by their identifiers.
    fn options(&self, client: u8) -> Result<mqtt_at::ConnectOptions, Failure> {
        let mut connection = self.args.connection.clone();
        connection.id = Some(if client == 0 { self.id.clone() } else { format!("{}-{client}", self.id) });
        connection.options(self.host)
    }

    async fn connect(&self, modem: &Modem) -> Result<Vec<Client>, Failure> {
        let mut clients = Vec::new();
        for client in 0..self.args.clients {
            clients.push(modem.connect(self.options(client)?).await?);
        }
        Ok(clients)
    }

    /// The broker keeps the session, so that nothing that was delivered is lost on its way back.
    async fn soak(&self, modem: &Modem, duration: Duration, context: &Context) -> Result<(), Failure> {
        let qos = self.args.qos.last().copied().unwrap_or(QoS::AtLeastOnce);
        let bytes = self.args.sizes.first().map_or(payload::SHORTEST, |bytes| *bytes as usize);
        let soak = Soak { topic: self.topic.clone(), qos, bytes, duration, interval: self.args.interval };
        let client = modem.connect(self.options(0)?.clean_session(false)).await?;
        context.progress.done();
        soak.run(&client, context).await
    }

    /// Measures line by line. The first publish that fails ends it.
    async fn measure(
        &self,
        clients: &[Client],
        context: &Context,
        lines: &mut Vec<Figures>,
    ) -> Result<Option<mqtt_at::Error>, Failure> {
        let Some(first) = clients.first() else { return Ok(None) };
        let window = first.modem().limits().window.max(1);
        let in_flight = self.args.in_flight.map_or(window, usize::from);
        let mut echo = match self.args.round_trip {
            true => Some(self.subscribe(first).await?),
            false => None,
        };
        for &qos in &self.args.qos {
            for &bytes in &self.args.sizes {
                let end = self.args.duration.map_or(End::Count(self.args.count), End::After);
                let topic = self.topic.clone();
                let first = lines.len() as u64 * LINE;
                let load = Load { topic, qos, bytes: bytes as usize, in_flight, end, first };
                let bar = bar(&load, context);
                let (figures, failure) = load.run(clients, echo.as_mut(), &bar).await;
                bar.finish_and_clear();
                lines.push(figures);
                if failure.is_some() {
                    return Ok(failure);
                }
            }
        }
        Ok(None)
    }

    async fn subscribe(&self, client: &Client) -> Result<Subscription, Failure> {
        let highest = self.args.qos.iter().copied().max().unwrap_or_default();
        Ok(client.subscribe(&self.topic, highest).await?)
    }
}

/// On a terminal only.
fn bar(load: &Load, context: &Context) -> ProgressBar {
    let shown = std::io::stderr().is_terminal() && !context.is_logging;
    let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let (length, template) = match load.end {
        End::Count(count) => (count, "{msg} [{bar:30}] {pos}/{len} {per_sec}, {eta} left"),
        End::After(duration) => {
            (duration.as_millis().try_into().unwrap_or(u64::MAX), "{msg} [{bar:30}] {percent} %")
        }
    };
    let bar = ProgressBar::with_draw_target(Some(length), target);
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(format!("QoS {}, {} bytes", load.qos.level(), load.bytes));
    bar
}
