//! `mqttat pub`

use std::io;
use std::path::Path;

use bytes::Bytes;
use futures::stream::{self, BoxStream, SplitSink, SplitStream};
use futures::{FutureExt, SinkExt, StreamExt, try_join};
use mqtt_at::at::Tap;
use mqtt_at::{Client, Concluded, Error, Fault, Outcome, Outgoing, Publisher, TopicName};
use serde::Serialize;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};

use super::Context;
use crate::args::publish::Publish;
use crate::device::{Wishes, default_host};
use crate::failure::Failure;
use crate::interrupt::{Interrupt, farewell};
use crate::mishaps::{Filler, Mishaps};
use crate::output;

/// No module takes more; what is longer is not even read to its end.
const LONGEST: u64 = 1024 * 1024;

pub(super) async fn run(args: &Publish, context: &Context) -> Result<(), Failure> {
    // What can be told to be wrong without the module is told before it is opened.
    TopicName::new(&args.topic)?;
    let options = args.connection.options(default_host(&context.global))?;
    let whole = whole(args).await?;
    let payloads = match whole.clone() {
        Some(payload) => repeated(payload, args.repeat),
        None => lines(BufReader::new(tokio::io::stdin())).boxed(),
    };

    // One message waits for nothing; a row of them should not end with a connection.
    let supervised = (args.lines || args.repeat > 1) && !args.connection.no_reconnect;
    let tap: Box<dyn Tap> = Box::new(Filler(context.progress.clone()));
    let opened = context.open(Wishes { supervised, tap: Some(tap), ..Wishes::default() }).await?;
    opened.modem.limits().check(&args.topic, whole.as_deref())?;
    let client = opened.modem.connect(options).await?;
    context.progress.done();
    let job = Job { client: &client, args, json: context.global.json };
    let window = opened.modem.limits().window.max(1);
    let mut interrupt = Interrupt::listen();
    let mut mishaps = Mishaps::of(&client);
    let outcome = tokio::select! {
        outcome = job.publish_all(payloads, window) => outcome,
        () = interrupt.wait() => Err(Failure::interrupted("ended before everything was published")),
        never = mishaps.tell() => never,
    };
    mishaps.tell_rest();
    farewell(&client).await;
    outcome.and(opened.close())
}

/// Messages to publish, as they become known.
type Payloads = BoxStream<'static, Result<Bytes, Failure>>;

/// The payload that is known before anything is published; `None` where each line is one.
async fn whole(args: &Publish) -> Result<Option<Bytes>, Failure> {
    Ok(Some(if args.lines {
        return Ok(None);
    } else if let Some(text) = &args.message {
        Bytes::from(text.clone().into_encoded_bytes())
    } else if let Some(path) = &args.file {
        read_file(path).await?
    } else if args.stdin {
        read_all(tokio::io::stdin()).await.map_err(|error| unreadable("stdin", &error))?
    } else {
        Bytes::new()
    }))
}

fn repeated(payload: Bytes, times: u32) -> Payloads {
    let times = usize::try_from(times).unwrap_or(usize::MAX);
    stream::iter(std::iter::repeat_n(payload, times).map(Ok)).boxed()
}

async fn read_file(path: &Path) -> Result<Bytes, Failure> {
    let read = async { read_all(tokio::fs::File::open(path).await?).await };
    read.await.map_err(|error| unreadable(&format!("-f {}", path.display()), &error))
}

async fn read_all(source: impl AsyncRead + Unpin) -> io::Result<Bytes> {
    let mut bytes = Vec::new();
    source.take(LONGEST + 1).read_to_end(&mut bytes).await?;
    check_length(bytes)
}

/// The lines of a source, without their line feeds, empty ones included.
fn lines(
    source: impl AsyncBufReadExt + Unpin + Send + 'static,
) -> impl stream::Stream<Item = Result<Bytes, Failure>> + Send {
    stream::try_unfold(source, |mut source| async move {
        let mut line = Vec::new();
        let read = (&mut source).take(LONGEST + 1).read_until(b'\n', &mut line).await;
        let line = match read {
            Ok(0) => return Ok(None),
            Ok(_) => {
                line.pop_if(|last| *last == b'\n');
                check_length(line)
            }
            Err(error) => Err(error),
        };
        line.map(|line| Some((line, source))).map_err(|error| unreadable("stdin", &error))
    })
}

fn check_length(bytes: Vec<u8>) -> io::Result<Bytes> {
    if bytes.len() as u64 > LONGEST {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "longer than 1 MiB, which no module takes"));
    }
    Ok(bytes.into())
}

fn unreadable(source: &str, error: &io::Error) -> Failure {
    Failure::failed(format!("{source}: {error}"), Fault::Caller).remedy("name something that can be read")
}

/// How to publish.
struct Job<'a> {
    client: &'a Client,
    args: &'a Publish,
    json: bool,
}

/// What `--json` prints of each message.
#[derive(Serialize)]
struct Published<'a> {
    topic: &'a str,
    qos: u8,
    retain: bool,
    payloadlen: usize,
    /// From the call to the broker's acknowledgement, or with QoS 0 to the module's.
    milliseconds: u128,
}

impl Job<'_> {
    /// Publishes overlap, and are begun in order. The first that fails ends it all.
    async fn publish_all(&self, payloads: Payloads, window: usize) -> Result<(), Failure> {
        // Twice the window: when a message is concluded, the next one is there already.
        let in_flight = if self.args.repeat_delay.is_some() { 1 } else { window * 2 };
        let (messages, outcomes) = self.client.publisher(in_flight).split();
        // What was handed over before a payload could not be read is published all the same.
        let (handed_over, ()) =
            try_join!(async { Ok(self.hand_over(payloads, messages).await) }, self.report(outcomes))?;
        handed_over
    }

    async fn hand_over(
        &self,
        payloads: Payloads,
        mut messages: SplitSink<Publisher, Outgoing>,
    ) -> Result<(), Failure> {
        let handed_over = self.feed(payloads, &mut messages).await;
        messages.close().await?;
        handed_over
    }

    async fn feed(
        &self,
        mut payloads: Payloads,
        messages: &mut SplitSink<Publisher, Outgoing>,
    ) -> Result<(), Failure> {
        let mut is_first = true;
        while let Some(payload) = payloads.next().await {
            if let Some(delay) = self.args.repeat_delay.filter(|_| !is_first) {
                messages.flush().await?;
                tokio::time::sleep(delay).await;
            }
            is_first = false;
            let message = Outgoing::new(&self.args.topic, self.args.qos, payload?).retain(self.args.retain);
            messages.feed(message).await?;
            // Half of a split sink keeps the last message to itself until it is asked for more. The next line may be
            // a day away.
            if let Some(outcome) = messages.flush().now_or_never() {
                outcome?;
            }
        }
        Ok(())
    }

    async fn report(&self, mut outcomes: SplitStream<Publisher>) -> Result<(), Failure> {
        while let Some(Concluded { number, message, result, after, .. }) = outcomes.next().await {
            result.map_err(|error| {
                let failure = unpublished(error);
                // The only message needs no number.
                let is_one_of_several = self.args.lines || self.args.repeat > 1;
                if is_one_of_several {
                    failure.about(format_args!("message {}", number + 1))
                } else {
                    failure
                }
            })?;
            if self.json {
                output::print_json(&Published {
                    topic: &message.topic,
                    qos: message.qos.level(),
                    retain: message.retain,
                    payloadlen: message.payload.len(),
                    milliseconds: after.as_millis(),
                })?;
            }
        }
        Ok(())
    }
}

/// Says besides the failure whether the message may be sent again without making a duplicate.
fn unpublished(error: Error) -> Failure {
    let fate = match error.outcome() {
        // That what was given cannot be sent goes without saying.
        Outcome::NotSent if error.fault() == Fault::Caller => None,
        Outcome::NotSent => Some("the message was not sent"),
        _ => Some("the message may have been sent"),
    };
    let failure = Failure::from(error);
    match fate {
        Some(fate) => failure.with(fate),
        None => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn split(text: &'static [u8]) -> Vec<Bytes> {
        lines(text).map(Result::unwrap).collect().await
    }

    #[tokio::test]
    async fn each_line_is_a_message() {
        assert_eq!(split(b"").await, [""; 0]);
        assert_eq!(split(b"a\n\nb\r\nlast").await, ["a", "", "b\r", "last"]);
        assert_eq!(split(b"\n").await, [""]);
    }

    #[tokio::test]
    async fn what_is_longer_than_any_module_takes_is_refused() {
        let long = vec![b'x'; 1024 * 1024 + 1];
        assert_eq!(read_all(&long[1..]).await.unwrap().len(), 1024 * 1024);
        assert!(read_all(&long[..]).await.is_err());
    }
}
