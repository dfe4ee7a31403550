//! Joins a broker in the local network to one far away: readings go out through the module, commands come in.
//!
//! ```sh
//! cargo run --example bridge_to_lan -- --device sim:quectel
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example talks")]

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use mqtt_at::{Client, ConnectOptions, QoS};
use mqtt5::MqttClient;
use tokio::sync::mpsc;
use virtual_modem::EmbeddedBroker;

mod support;

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Result {
    // Stands for the broker in your network.
    let broker = EmbeddedBroker::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    let address = format!("mqtt://{}", broker.local_addr());
    let modem = support::open_device().await?;
    let far = modem.connect(ConnectOptions::new("bridge-7", "broker.example.com", 1883)).await?;
    let mut commands = far.subscribe("site/7/cmd/#", QoS::AtLeastOnce).await?;

    // The local side comes back by itself after a restart of its broker, and subscribes again.
    let near = MqttClient::with_options(
        mqtt5::ConnectOptions::new("bridge")
            .with_automatic_reconnect(true)
            .with_reconnect_delay(Duration::from_secs(1), Duration::from_secs(60)),
    );
    near.connect(&address).await?;
    let (sender, mut readings) = mpsc::channel(100);
    // The callback must not wait: what comes faster than the module sends is dropped, and that is said.
    let queue = move |message: mqtt5::Message| {
        if sender.try_send((message.topic, message.payload)).is_err() {
            eprintln!("the module is slower than the sensors: a reading was dropped");
        }
    };
    near.subscribe("sensor/#", queue).await?;

    let mut device = tokio::spawn(device_and_headquarters(address, far.clone()));
    loop {
        tokio::select! {
            Some((topic, payload)) = readings.recv() => {
                println!("out: {topic}");
                far.publish(format!("site/7/{topic}"), QoS::AtLeastOnce, false, payload.to_vec()).await?;
            }
            Some(Ok(command)) = commands.next() => {
                println!("in: {}", command.topic());
                near.publish_qos1(command.topic().replace("site/7/", ""), command.payload().to_vec()).await?;
            }
            done = &mut device => break done??, // yours goes on until Ctrl-C
        }
    }
    far.disconnect().await?;
    Ok(())
}

/// A sensor that reports, somebody far away who answers, and the device that gets the command.
async fn device_and_headquarters(address: String, far: Client) -> Result {
    let (sender, mut got) = mpsc::channel(1);
    let device = MqttClient::new("device");
    device.connect(&address).await?;
    device.subscribe("cmd/valve", move |_| _ = sender.try_send(())).await?;
    let mut reports = far.subscribe("site/7/sensor/#", QoS::AtLeastOnce).await?;
    device.publish_qos1("sensor/level", b"97 %".to_vec()).await?;
    reports.next().await;
    far.publish("site/7/cmd/valve", QoS::AtLeastOnce, false, "close").await?;
    got.recv().await.ok_or("the command did not come")?;
    Ok(())
}
