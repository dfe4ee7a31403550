//! A cellular module one can run: MQTT over AT commands, for tests and for work without hardware.
//!
//! The module is written from the vendors' manuals and shares nothing with the libraries it is used to test. It is
//! strict, it has the power-on state of a real one (echo on, settings lost at every restart, files kept), and it
//! logs what it understood.
//!
//! ```
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! use virtual_modem::{Broker, MemoryBroker, Vendor, VirtualModem};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let broker = MemoryBroker::new();
//! let modem = VirtualModem::builder(Vendor::Quectel).broker(Broker::Memory(broker.clone())).build()?;
//! let mut port = modem.duplex();                        // what a serial port is to a program
//!
//! port.write_all(b"ATE0;+QMTOPEN=0,\"broker.example\",1883\r").await?;
//! let expected = "ATE0;+QMTOPEN=0,\"broker.example\",1883\r\r\nOK\r\n\r\n+QMTOPEN: 0,0\r\n";
//! let mut heard = vec![0; expected.len()];
//! port.read_exact(&mut heard).await?;
//! assert_eq!(heard, expected.as_bytes());
//! assert_eq!(modem.understood()[1].command.name, "+QMTOPEN");
//! # Ok(()) }
//! ```
//!
//! # Overview
//!
//! | to … | use |
//! |---|---|
//! | put a module together: baud rate, round trip, PIN, identity | [`VirtualModem::builder`], [`Builder`] |
//! | connect a host | [`VirtualModem::duplex`] in memory, [`PtyLink`] as a serial port with a path, [`TcpPort`], [`VirtualModem::serve`] on anything else |
//! | see what it understood, answered and suffered | [`VirtualModem::understood`], [`VirtualModem::log`] |
//! | disturb it: reboot, broken connections, lost network, SIM | the methods of [`VirtualModem`] |
//! | make it differ from its manual as real modules do | [`Builder::quirk`], [`Quirk`] |
//! | make it fail at a chosen moment | [`Builder::fault`], [`Fault`], [`Hook`], [`Action`] |
//! | choose what is behind it | [`Broker`]: [`MemoryBroker`] with its [`Ledger`], a real broker over TCP or TLS, `EmbeddedBroker` (feature `embedded-broker`) |
//! | test without a module, against a script | [`ScriptedPort`], [`Transcript`] |
//!
//! Everything runs on tokio's clock, so that tests with a paused clock are exact and take no time. The same
//! conversation gives the same bytes on every run; what is random is seeded ([`Builder::seed`]).
//!
//! # What is served
//!
//! [`Vendor::Quectel`]: every command of the EC200x MQTT note 1.0, TLS contexts, the file store, contexts, and the
//! common commands of V.250 and 3GPP 27.007 a host needs to bring a module up.
//!
//! # Where the manual leaves room
//!
//! - MQTT 3.1.1 is spoken on the wire whichever version (3 or 4) the module is set to.
//! - A packet is sent `<retry_times>` times in all, at least once, because the manual's longest response time is
//!   `<pkt_timeout>` × `<retry_times>`. After that the client closes the connection with `+QMTSTAT: i,6`.
//! - A connection that breaks reports the publishes under way as failed (result 2) before its `+QMTSTAT`.
//! - `AT+QMTOPEN` activates the context by itself if it can, otherwise its result is 3. A failed TLS handshake is the
//!   result -1; the reason is in the log, and `AT+QIGETERROR` says 566, as for every fault of a certificate.
//! - A length of 0 is a publish without payload; [`Quirk::NoEmptyPayload`] refuses it.
//! - With five messages stored the next one is lost, unless a quirk says otherwise.
//! - In hexadecimal receive format the length counts digits, unless a quirk says otherwise.
//! - The platform settings (`aliauth`, `onenet`, `hwauth`, `hwprodid`) become user name and password, without the
//!   signature that a real module computes from the secret.
//! - Certificates are judged by the time of this computer, not of the module's clock.

mod broker;
mod builder;
mod common;
mod fault;
mod fibocom;
mod front;
mod link;
mod log;
mod machine;
mod modem;
mod mqtt;
mod neoway;
mod pace;
mod quectel;
mod quirk;
mod scripted;
mod simcom;
mod transcript;
mod vendor;

#[cfg(feature = "embedded-broker")]
pub use broker::embedded::EmbeddedBroker;
pub use broker::ledger::{Accepted, ConnectSeen, Delivered, Ledger};
pub use broker::memory::Reachability;
pub use broker::{Broker, MemoryBroker};
pub use builder::{BuildError, Builder};
pub use fault::{Action, BadFault, Fault, FaultPlan, Hook, Reboot};
#[cfg(unix)]
pub use front::pty::PtyLink;
pub use front::tcp::TcpPort;
pub use log::{Entry, Record, Understood};
pub use machine::command::{Arg, Command, Form};
pub use modem::VirtualModem;
pub use quirk::{
    AddressForm, CallForm, LossReport, PromptForm, PublishGrammar, Quirk, ReceiveLayout, RefusalForm,
    UnknownQuirk,
};
pub use scripted::{ScriptedPort, Surprise, Verdict};
pub use simcom::quirk::SimComQuirk;
pub use transcript::{BadTranscript, Direction, Transcript, Turn};
pub use vendor::{UnknownVendor, Vendor};
