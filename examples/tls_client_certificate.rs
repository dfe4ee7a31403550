//! Encrypts the connection, verifies the broker, and shows it a certificate, as cloud platforms want it.
//!
//! ```sh
//! cargo run --example tls_client_certificate -- --device sim:quectel      # or sim:simcom
//! ```

#![allow(clippy::print_stdout, reason = "an example talks")]

use mqtt_at::{ConnectOptions, ModemOptions, QoS, Tls};
use virtual_modem::Broker;

mod support;
#[path = "support/tls_broker.rs"]
mod tls_broker;

const HOST: &str = "broker.example.com";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Stands for your broker and for the files that you have from its operator.
    let broker = tls_broker::start(HOST).await?;
    let modem =
        support::open_with(ModemOptions::new(), |module| module.broker(Broker::Redirect(broker.address)))
            .await?;

    let tls = Tls::with_ca(broker.ca.clone()).client_certificate(broker.certificate, broker.key);
    // Should the line with `tls` ever get lost, the connection fails instead of going out in clear.
    let options = ConnectOptions::new("gateway-7", HOST, 8883).tls(tls).require_tls(true);
    // The first time the files are written to the module; the next time they are found there.
    for attempt in 1..=2 {
        let client = modem.connect(options.clone()).await?;
        client.publish("example/tls", QoS::AtLeastOnce, false, format!("attempt {attempt}")).await?;
        println!("published over TLS, attempt {attempt}");
        client.disconnect().await?;
    }

    let without = ConnectOptions::new("stranger", HOST, 8883).tls(Tls::with_ca(broker.ca));
    match modem.connect(without).await {
        Ok(_) => Err("the broker let somebody in without a certificate".into()),
        Err(error) => {
            println!("without a certificate: {error}; {}", error.remedy().unwrap_or_default());
            Ok(())
        }
    }
}
