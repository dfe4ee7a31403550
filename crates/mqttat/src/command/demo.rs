//! `mqttat demo`

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mqtt_at::at::{Tap, TapEntry};
use mqtt_at::{ConnectOptions, Fault, Message, QoS, Subscription};
use serde::Serialize;

use super::Context;
use crate::args::demo::Demo;
use crate::device::{Opened, Wishes};
use crate::failure::Failure;
use crate::output;
use crate::paint::Paint;
use crate::transcript::{Speaker, line_of};

/// What is published: words, and what a careless client would take for the module's own.
const MESSAGES: &[(QoS, &[u8])] = &[
    (QoS::AtMostOnce, b"hello"),
    (QoS::AtLeastOnce, b"21.5 \xC2\xB0C"),
    (QoS::ExactlyOnce, b"\"\r\nOK\r\n+QMTSTAT: 0,1\r\n> \x1a\x1b\x00\xff"),
];

const TOPIC: &str = "mqttat/demo";

/// A message on the loopback interface takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn run(args: &Demo, context: &Context) -> Result<(), Failure> {
    let show = Show { json: context.global.json, paint: Paint::stdout(), over: Arc::default() };
    let wishes = Wishes { tap: Some(Box::new(show.clone())), ..Wishes::default() };
    let opened = Opened::simulate(args.module, &context.global, &context.progress, wishes).await?;
    let broker = opened.broker().unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 1883)));
    // The password is there to be seen masked.
    let options = ConnectOptions::new("mqttat-demo", broker.ip().to_string(), broker.port())
        .credentials("demo", "a password that nobody sees");
    let client = opened.modem.connect(options).await?;
    let mut subscription = client.subscribe(TOPIC, QoS::ExactlyOnce).await?;
    for (qos, payload) in MESSAGES {
        client.publish(TOPIC, *qos, false, *payload).await?;
        let message = next(&mut subscription).await?;
        compare(&message, payload)?;
        show.received(&message, *qos)?;
    }
    client.disconnect().await?;
    show.done(opened.modem.identity(), broker)?;
    opened.close()
}

async fn next(subscription: &mut Subscription) -> Result<Message, Failure> {
    let wrong = |what: &str| {
        Failure::failed(what, Fault::Module).remedy("this is a fault of mqttat: please report it")
    };
    match tokio::time::timeout(PATIENCE, subscription.next()).await {
        Ok(Some(Ok(message))) => Ok(message),
        Ok(Some(Err(lagged))) => Err(wrong(&lagged.to_string())),
        Ok(None) => Err(wrong("the connection ended early")),
        Err(_) => Err(wrong("the message did not come back")),
    }
}

fn compare(message: &Message, sent: &[u8]) -> Result<(), Failure> {
    if message.topic() == TOPIC && message.payload() == sent {
        return Ok(());
    }
    Err(Failure::failed("the message came back changed", Fault::Module)
        .remedy("this is a fault of mqttat: please report it"))
}

/// Where the demonstration is shown: stdout.
#[derive(Debug, Clone)]
struct Show {
    json: bool,
    paint: Paint,
    /// Whether the last line is out. Held while a line is printed: what the module says after the farewell comes
    /// from another task, and must not follow the last line.
    over: Arc<Mutex<bool>>,
}

/// A line of `--json`.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
enum Event<'a> {
    At { from: &'a str, text: &'a str },
    Received { topic: &'a str, qos: u8, payloadlen: usize, identical: bool },
    Done { messages: usize },
}

impl Show {
    fn is_over(&self) -> MutexGuard<'_, bool> {
        self.over.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn received(&self, message: &Message, qos: QoS) -> Result<(), Failure> {
        let (topic, payload, qos) = (message.topic(), message.payload(), qos.level());
        if self.json {
            let event = Event::Received { topic, qos, payloadlen: payload.len(), identical: true };
            return output::print_json(&event).map(drop);
        }
        let good = self.paint.good(format!(
            "== QoS {qos}: {topic} came back byte for byte, {} bytes: {}",
            payload.len(),
            payload.escape_ascii()
        ));
        output::print(|out| writeln!(out, "{good}")).map(drop)
    }

    fn done(&self, identity: &mqtt_at::Identity, broker: SocketAddr) -> Result<(), Failure> {
        let messages = MESSAGES.len();
        let mut over = self.is_over();
        *over = true;
        if self.json {
            return output::print_json(&Event::Done { messages }).map(drop);
        }
        let good = self
            .paint
            .good(format!("== done: {messages} messages over a virtual {identity} and a broker on {broker}"));
        output::print(|out| writeln!(out, "{good}")).map(drop)
    }
}

impl Tap for Show {
    fn note(&mut self, entry: TapEntry<'_>) {
        let (speaker, text) = line_of(entry);
        let over = self.is_over();
        if *over {
            return;
        }
        // A reader that is gone is noticed by the command itself.
        let _ = match (self.json, speaker) {
            (true, Speaker::Host) => output::print_json(&Event::At { from: "host", text: &text }),
            (true, Speaker::Module) => output::print_json(&Event::At { from: "module", text: &text }),
            (true, Speaker::Note) => Ok(true),
            (false, Speaker::Host) => {
                output::print(|out| writeln!(out, "{}", self.paint.host(format_args!(">> {text}"))))
            }
            (false, _) => {
                let mark = speaker.mark();
                output::print(|out| writeln!(out, "{}", self.paint.module(format_args!("{mark} {text}"))))
            }
        };
    }
}
