//! A module that publishes in another way than its manual says, and that this version does not know: one rule tells it.
//!
//! ```sh
//! cargo run --example custom_quirk
//! ```

#![allow(clippy::print_stdout, reason = "an example talks")]

use mqtt_at::at::{Tap, TapEntry};
use mqtt_at::quectel::PublishForm;
use mqtt_at::{ConnectOptions, ModemOptions, QoS, Quirk, QuirkRule, Vendor};
use virtual_modem::{PublishGrammar, Quirk as Deviation};

mod support;

/// Prints how the module is asked to publish.
struct Watch;

impl Tap for Watch {
    fn note(&mut self, entry: TapEntry<'_>) {
        if let TapEntry::Command(line) = entry
            && line.name().starts_with("+QMTPUB")
        {
            println!("{line}");
        }
    }
}

#[tokio::main]
async fn main() -> mqtt_at::Result<()> {
    // The manual has AT+QMTPUBEX. This module wants AT+QMTPUB with a length, and Ctrl-Z behind the payload.
    let options = ModemOptions::new().tap(Watch).quirk(QuirkRule {
        vendor: Vendor::Quectel,
        model: "BC9##".into(), // `#` is a digit
        firmware: "*".into(),
        quirk: Quirk::QuectelPublish(PublishForm::LengthAndCtrlZ),
    });
    let modem = support::open_with(options, |module| {
        module.model("BC999").quirk(Deviation::Publish(PublishGrammar::LengthAndCtrlZ))
    })
    .await?;
    println!("{} module: {}", modem.vendor(), modem.identity());

    let client = modem.connect(ConnectOptions::new("example", "broker.example.com", 1883)).await?;
    client.publish("example/greeting", QoS::AtLeastOnce, false, "hello").await?;
    println!("delivered");
    client.disconnect().await
}
