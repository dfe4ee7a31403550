//! T8: a credential appears in no log, error, `Debug` output or transcript, at any level.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use mqtt_at::at::{Tap, TapEntry};
use mqtt_at::{ModemOptions, QoS, Secret, Tls};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use virtual_modem::Vendor;

use crate::support::{Bench, KINDS, options};

const CANARY: &str = "canary-7d1f";

/// Everything that was traced or shown, as text.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<String>>);

impl Heard {
    fn add(&self, text: &dyn std::fmt::Debug) {
        writeln!(self.0.lock().unwrap(), "{text:?}").unwrap();
    }

    fn text(&self) -> String {
        self.0.lock().unwrap().clone()
    }
}

impl Visit for Heard {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.add(&format_args!("{field}={value:?}"));
    }
}

impl Subscriber for Heard {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut self.clone());
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl Tap for Heard {
    fn note(&mut self, entry: TapEntry<'_>) {
        self.add(&entry);
        if let TapEntry::Command(line) | TapEntry::Echo(line) = entry {
            self.add(&line.to_string());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_credential_is_seen_nowhere() {
    let heard = Heard::default();
    let _guard = tracing::subscriber::set_default(heard.clone());
    for kind in KINDS {
        let mut modem_options = ModemOptions::new().tap(heard.clone()).apn("internet").sim_pin("4711");
        if kind.vendor != Vendor::Neoway {
            modem_options = modem_options.pdp_credentials("user", format!("{CANARY}-pdp"));
        }
        heard.add(&modem_options);
        let bench = Bench::with(kind, |it| it.sim_pin("4711"), modem_options).await;
        heard.add(&bench.modem);
        let wrong = options("one").credentials("gateway", format!("{CANARY}-wrong"));
        let right = options("one").credentials("gateway", format!("{CANARY}-right"));
        heard.add(&(&wrong, &right));
        bench.broker.require_credentials("gateway", format!("{CANARY}-right"));
        let error = bench.modem.connect(wrong).await.unwrap_err();
        heard.add(&error);
        heard.add(&error.to_string());
        let client = bench.modem.connect(right).await.unwrap();
        heard.add(&client);
        client.publish("a", QoS::AtLeastOnce, false, "x").await.unwrap();
        // A refused character names its place, never the value.
        let error =
            bench.modem.connect(options("two").credentials("user", format!("{CANARY}\r"))).await.unwrap_err();
        heard.add(&error);
        heard.add(&error.to_string());
    }
    heard.add(&Tls::with_ca("ca").client_certificate("certificate", format!("{CANARY}-key")));
    heard.add(&Secret::new(CANARY));
    let text = heard.text();
    assert!(text.contains("***"), "the conversation was seen, masked");
    let leak = text.lines().find(|line| line.contains(CANARY) || line.contains("4711"));
    assert_eq!(leak, None);
}
