//! MQTT over the AT commands of cellular modules.
//!
//! Cellular modules carry their own MQTT stack and offer it on a serial port, each vendor in its own words. This
//! library is one API over them: an outcome of each publish that can be trusted, replies that are never given to
//! the wrong command, any bytes in the payload, several clients of one module at once.
//!
//! ```no_run
//! use mqtt_at::{ConnectOptions, Modem, QoS};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> mqtt_at::Result<()> {
//! let modem = Modem::open("/dev/ttyUSB2").await?; // finds the vendor, attaches to the network
//! let client = modem.connect(ConnectOptions::new("gateway-7", "broker.example.com", 1883)).await?;
//! let mut messages = client.subscribe("site/7/cmd/#", QoS::AtLeastOnce).await?;
//! client.publish("site/7/up", QoS::AtLeastOnce, false, "hello").await?;
//! while let Some(item) = messages.next().await {
//!     match item {
//!         Ok(message) => println!("{}: {} bytes", message.topic(), message.payload().len()),
//!         Err(lagged) => eprintln!("{lagged}"), // a gap is an item, not the end
//!     }
//! }
//! # Ok(()) }
//! ```
//!
//! # Contents
//!
//! | to … | use |
//! |---|---|
//! | open a port, find out who is behind it, attach it to the network | [`Modem`], [`ModemOptions`] |
//! | connect to a broker, with TLS, credentials, a will | [`Modem::connect`], [`ConnectOptions`], [`Tls`], [`Will`] |
//! | sign in to a cloud platform | [`SignIn`] |
//! | publish one message, or many | [`Client::publish`], [`Client::publisher`] |
//! | receive | [`Client::subscribe`], [`Subscription`], [`Message`] |
//! | know what came of it | [`Published`], [`Error`], [`Outcome`] |
//! | choose what is done by itself after a loss, and watch it | [`Supervision`], [`ModemState`], [`Event`] |
//! | send a command of the module, typed | [`Modem::send`], [`common`], [`quectel`], [`simcom`], [`fibocom`], [`neoway`], [`esp`] |
//! | send one of your own | [`Command`], [`Modem::run`], [`at`] |
//! | hear what the module reports besides | [`Modem::urcs`] |
//! | teach the library a model | [`QuirkRule`] |
//!
//! Examples stand with the types; what a method does without one of its own is shown there. Each typed command shows
//! its line.
//!
//! # What is done by itself
//!
//! After a loss connection, subscriptions, data connection and port are made anew, from the smallest step on, and
//! publishes that are still awaited wait for it; [`Supervision`] says how, and switches it off.
//!
//! # What an error tells
//!
//! [`Error::fault`] says whose fault a failure is, [`Error::outcome`] whether a message may have been sent all the
//! same, [`Error::remedy`] what can be done. Limits are checked before a byte is sent.
//!
//! # Without hardware
//!
//! The crate `virtual-modem` is a module that runs in the same process, with a broker behind it; see its
//! documentation and `examples/`.

mod backoff;
mod bringup;
mod bulk;
mod client;
mod command;
pub mod common;
mod connect;
mod detect;
mod dialect;
mod discovery;
mod error;
mod event;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod identity;
mod limits;
mod link;
mod mark;
mod message;
mod metrics;
mod modem;
mod network_watch;
pub mod offline;
mod options;
mod packet_ids;
mod probe;
mod qos;
mod quirk;
mod reporting;
mod secret;
mod sign_in;
mod subscription;
mod supervision;
mod tls;
mod topic;
mod urc;
mod vendor;
mod watched;

pub use bringup::NetworkStatus;
pub use bulk::{Concluded, Outgoing, Publisher};
pub use client::{Client, Published};
pub use command::{Command, TestForm, Unreadable};
pub use connect::{ConnectOptions, ProtocolVersion, ReceiveMode, Redelivery, Will};
pub use dialect::{esp, fibocom, neoway, quectel, simcom};
pub use error::{BrokerError, Error, Fault, InputError, ModuleError, NetworkError, Outcome, Result};
pub use event::{ClientStatus, Event, Lagged, LossCause};
pub use identity::Identity;
pub use limits::Limits;
pub use message::Message;
pub use modem::{Modem, ModemDriver};
pub use network_watch::{Coverage, NetworkWatch};
pub use options::{ModemOptions, Step};
pub use qos::QoS;
pub use quirk::{Quirk, QuirkRule};
pub use secret::Secret;
pub use sign_in::SignIn;
pub use subscription::Subscription;
pub use supervision::{ModemState, Recovery, ResetHook, Supervision};
pub use tls::Tls;
pub use topic::{TopicFilter, TopicName};
pub use urc::{Urc, Urcs};
pub use vendor::Vendor;

/// The layers below, for own commands and for tests: what an exchange is made of, and what the port reports.
pub mod at {
    pub use at_codec::{ArgumentError, Charset, CommandLine, Escaped, Fields};
    pub use at_port::transport::OpenError;
    #[cfg(feature = "serial")]
    pub use at_port::transport::{Bus, ListedPort, UsbId};
    pub use at_port::{
        Answer, Deferred, Exchange, FinalResult, LinkState, Operation, OperationError, Phase, PortError,
        PortEvent, PromptForm, Refusal, Reply, SessionOptions, Tap, TapEntry, Verdict,
    };
}

/// The code of the documents is compiled, and run where it needs no module.
#[cfg(doctest)]
mod documents {
    #[doc = include_str!("../../../README.md")]
    struct Readme;
    #[doc = include_str!("../../../docs/guides/quectel.md")]
    struct Quectel;
    #[doc = include_str!("../../../docs/guides/simcom.md")]
    struct SimCom;
    #[doc = include_str!("../../../docs/guides/fibocom.md")]
    struct Fibocom;
    #[doc = include_str!("../../../docs/guides/neoway.md")]
    struct Neoway;
}
