//! What the trace shows: one span for the port, one in it for each exchange, with fields.

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use at_codec::{Charset, CommandLine};
use at_port::{Answer, Exchange, PlainRules, Port, PortOptions, PromptForm};
use bytes::Bytes;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::common::{Module, ms};

/// The spans that were made, each with its fields and the name of the span that it was made in.
#[derive(Clone)]
struct Spans {
    level: Level,
    made: Arc<Mutex<Vec<String>>>,
    entered: Arc<Mutex<Vec<Id>>>,
}

struct Words<'a>(&'a mut String);

impl Visit for Words<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Spans {
    fn up_to(level: Level) -> Self {
        Self { level, made: Arc::default(), entered: Arc::default() }
    }
}

impl Subscriber for Spans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && *metadata.level() <= self.level
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut made = self.made.lock().unwrap();
        let inside = self.entered.lock().unwrap().last().map(|id| made[id.into_u64() as usize - 1].clone());
        let outer = inside.as_deref().and_then(|span| span.split(' ').next()).unwrap_or_default().to_owned();
        let mut words = format!("{outer}/{}", span.metadata().name());
        span.record(&mut Words(&mut words));
        made.push(words);
        Id::from_u64(made.len() as u64)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        values.record(&mut Words(&mut self.made.lock().unwrap()[id.into_u64() as usize - 1]));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, id: &Id) {
        self.entered.lock().unwrap().push(id.clone());
    }

    fn exit(&self, _: &Id) {
        self.entered.lock().unwrap().pop();
    }
}

/// One command with an answer, one with data, one that is refused.
async fn converse(spans: &Spans) -> Vec<String> {
    let _guard = tracing::subscriber::set_default(spans.clone());
    let (host, module) = tokio::io::duplex(4096);
    let mut options = PortOptions::default();
    options.name = "/dev/ttyUSB2".to_owned();
    let (port, driver) = Port::new(host, PlainRules::boxed(), options);
    tokio::spawn(driver);
    let mut module = Module::new(module);
    module.pass_fence().await;
    let asked = Exchange::new(CommandLine::execute("+CSQ")).answer(Answer::Named("+CSQ"));
    let (reply, ()) = tokio::join!(port.run(asked), async {
        module.expect("AT+CSQ\r").await;
        tokio::time::sleep(ms(20)).await;
        module.send("\r\n+CSQ: 24,99\r\n\r\nOK\r\n").await;
    });
    reply.unwrap();
    let line = CommandLine::write("+PUT")
        .secret("word", "password", Charset::ASCII, 20)
        .unwrap()
        .integer(5)
        .finish();
    let data = Exchange::new(line).data(PromptForm::Mark, Bytes::from_static(b"hello"), ms(1000));
    let (reply, ()) = tokio::join!(port.run(data), async {
        module.answer("AT+PUT=\"password\",5\r", "\r\n>").await;
        module.answer("hello", "\r\nOK\r\n").await;
    });
    reply.unwrap();
    let (reply, ()) = tokio::join!(
        port.run(Exchange::new(CommandLine::execute("+NO"))),
        module.answer("AT+NO\r", "\r\n+CME ERROR: 4\r\n")
    );
    reply.unwrap_err();
    spans.made.lock().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn a_span_for_the_port_and_in_it_one_for_each_exchange() {
    assert_eq!(
        converse(&Spans::up_to(Level::DEBUG)).await,
        [
            "/port name=\"/dev/ttyUSB2\"",
            "/port/exchange command=+CSQ step=0 lines=1 result=OK took_ms=20.0",
            "/port/exchange command=+PUT step=0 data=5 lines=0 result=OK took_ms=0.0",
            "/port/exchange command=+NO step=0 lines=0 result=+CME ERROR: 4 took_ms=0.0",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_not_wanted_is_not_made() {
    assert_eq!(converse(&Spans::up_to(Level::INFO)).await, ["/port name=\"/dev/ttyUSB2\""]);
    assert_eq!(converse(&Spans::up_to(Level::ERROR)).await, [""; 0]);
}
