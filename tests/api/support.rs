//! A modem with a virtual module and an in-memory broker behind it.

use std::time::Duration;

use mqtt_at::{Client, ConnectOptions, Message, Modem, ModemOptions, Subscription, Supervision};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};
use virtual_modem::{Broker, Builder, MemoryBroker, Vendor, VirtualModem};

/// What the tests need to know of each vendor.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    pub vendor: Vendor,
    /// The longest payload, in bytes.
    pub longest: usize,
    /// How many clients run at once.
    pub clients: usize,
    /// Whether the module tells which quality of service was granted.
    pub tells_granted: bool,
    /// Whether the module tells why the broker refused a connection.
    pub tells_refusal: bool,
    /// The command that asks for the payload, as far as its name goes.
    pub payload: &'static str,
    /// The command whose answer tells that a message was published.
    pub publish: &'static str,
    /// How long its final result is waited for.
    pub final_result: Duration,
    /// How long the module may take to ask for the payload.
    pub prompt: Duration,
    /// How long the deferred result of a publish is waited for, where there is one.
    pub deferred_result: Option<Duration>,
    /// Results that may come this late, in seconds, by the manual: a command and what it takes.
    pub slow: &'static [(&'static str, u64)],
}

pub const KINDS: &[Kind] = &[
    Kind {
        vendor: Vendor::Quectel,
        longest: 1500,
        clients: 6,
        tells_granted: true,
        tells_refusal: true,
        payload: "+QMTPUBEX=",
        publish: "+QMTPUBEX=",
        final_result: Duration::from_secs(15),
        prompt: Duration::from_secs(35),
        deferred_result: Some(Duration::from_millis(27_500)),
        // [EC200x MQTT 1.0 §3.2.2, §3.2.4 to §3.2.8]
        slow: &[
            ("+QMTOPEN=", 119),
            ("+QMTCONN=", 14),
            ("+QMTSUB=", 14),
            ("+QMTPUBEX=", 14),
            ("+QMTDISC=", 29),
        ],
    },
    Kind {
        vendor: Vendor::SimCom,
        longest: 10_240,
        clients: 2,
        tells_granted: false,
        tells_refusal: true,
        payload: "+CMQTTPAYLOAD=",
        publish: "+CMQTTPUB=",
        final_result: Duration::from_secs(15),
        prompt: Duration::from_secs(35),
        deferred_result: Some(Duration::from_secs(95)),
        // [A7600 MQTT 1.00 §2.1.1, §2.1.9, §2.1.12]
        slow: &[("+CMQTTSTART", 119), ("+CMQTTCONNECT=", 59), ("+CMQTTPUB=", 59), ("+CMQTTDISC=", 59)],
    },
    Kind {
        vendor: Vendor::Fibocom,
        longest: 1024,
        clients: 2,
        tells_granted: false,
        tells_refusal: true,
        payload: "+MQTTPUB=",
        publish: "+MQTTPUB=",
        final_result: Duration::from_secs(15),
        prompt: Duration::from_secs(35),
        deferred_result: Some(Duration::from_secs(40)),
        slow: &[("+MQTTOPEN=", 40)],
    },
    Kind {
        vendor: Vendor::Neoway,
        longest: 10_240,
        clients: 1,
        tells_granted: false,
        tells_refusal: false,
        payload: "+MQTTPUBS=",
        publish: "+MQTTPUBS=",
        final_result: Duration::from_secs(60),
        prompt: Duration::from_secs(35),
        deferred_result: None,
        // [Neoway MQTT 1.2 §5.3 to §5.8]
        slow: &[("+MQTTCONN=", 59), ("+MQTTSUB=", 29), ("+MQTTPUBS=", 29), ("+MQTTDISCONN", 29)],
    },
];

/// Everything a test talks to.
pub struct Bench {
    pub modem: Modem,
    pub module: VirtualModem,
    pub broker: MemoryBroker,
}

impl Bench {
    pub async fn new(kind: &Kind) -> Self {
        Self::with(kind, |builder| builder, ModemOptions::new()).await
    }

    /// A modem that makes nothing again, so that what is lost can be seen.
    pub async fn with(kind: &Kind, change: impl FnOnce(Builder) -> Builder, options: ModemOptions) -> Self {
        Self::exactly(kind, change, options.supervision(Supervision::off())).await
    }

    /// A modem with just these options.
    pub async fn exactly(
        kind: &Kind,
        change: impl FnOnce(Builder) -> Builder,
        options: ModemOptions,
    ) -> Self {
        Self::over(kind, change, options, |line| line).await.expect("the module comes up")
    }

    /// The same, with a line of the test's own between host and module.
    pub async fn over<IO>(
        kind: &Kind,
        change: impl FnOnce(Builder) -> Builder,
        options: ModemOptions,
        line: impl FnOnce(DuplexStream) -> IO,
    ) -> mqtt_at::Result<Self>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let broker = MemoryBroker::new();
        let builder = VirtualModem::builder(kind.vendor).broker(Broker::Memory(broker.clone()));
        let module = change(builder).build().expect("the vendor is there");
        let (opening, driver) = Modem::over(line(module.duplex()), options);
        tokio::spawn(driver);
        Ok(Self { modem: opening.await?, module, broker })
    }

    /// A modem that comes back by itself, and whose port can be opened again.
    pub async fn supervised(kind: &Kind, supervision: Supervision) -> Self {
        Self::supervised_with(kind, |builder| builder, supervision).await
    }

    pub async fn supervised_with(
        kind: &Kind,
        change: impl FnOnce(Builder) -> Builder,
        supervision: Supervision,
    ) -> Self {
        let broker = MemoryBroker::new();
        let builder = VirtualModem::builder(kind.vendor).broker(Broker::Memory(broker.clone()));
        let module = change(builder).build().expect("the vendor is there");
        let port = module.clone();
        let connect = move || {
            let port = port.duplex();
            async move { Ok(port) }
        };
        let (opening, driver) = Modem::through(connect, ModemOptions::new().supervision(supervision));
        tokio::spawn(driver);
        let modem = opening.await.expect("the module comes up");
        Self { modem, module, broker }
    }

    pub async fn client(&self, name: &str) -> Client {
        self.modem.connect(options(name)).await.expect("the broker takes the client")
    }

    /// What the broker accepted on a topic, in order.
    pub fn accepted(&self, topic: &str) -> Vec<Vec<u8>> {
        let ledger = self.broker.ledger();
        ledger.accepted.iter().filter(|it| it.topic == topic).map(|it| it.payload.to_vec()).collect()
    }
}

pub fn options(name: &str) -> ConnectOptions {
    ConnectOptions::new(name, "broker.example.com", 1883)
}

/// The next message, which must come within a minute of virtual time.
pub async fn next(subscription: &mut Subscription) -> Message {
    let item = tokio::time::timeout(Duration::from_secs(60), subscription.next()).await;
    item.expect("a message comes").expect("the connection is there").expect("no message was lost")
}

/// `size` bytes in which every byte value comes as soon as there is room.
pub fn pattern(size: usize) -> Vec<u8> {
    (0..size).map(|position| u8::try_from((position * 167 + position / 256) % 256).unwrap()).collect()
}
