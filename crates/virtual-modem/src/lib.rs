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
//! | connect a host | [`VirtualModem::duplex`] in memory, [`VirtualModem::serve`] on any port |
//! | see what it understood, answered and suffered | [`VirtualModem::understood`], [`VirtualModem::log`] |
//! | disturb it: reboot, broken connections, lost network, SIM | the methods of [`VirtualModem`] |
//! | make it differ from its manual as real modules do | [`Builder::quirk`], [`Quirk`] |
//! | make it fail at a chosen moment | [`Builder::fault`], [`Fault`], [`Hook`], [`Action`] |
//! | choose what is behind it | [`Broker`]; [`MemoryBroker`] with its [`Ledger`] |
//! | test without a module, against a script | [`ScriptedPort`], [`Transcript`] |
//!
//! Everything runs on tokio's clock, so that tests with a paused clock are exact and take no time. The same
//! conversation gives the same bytes on every run; what is random is seeded ([`Builder::seed`]).
//!
//! # What is served
//!
//! [`Vendor::Quectel`]: every command of the EC200x MQTT note 1.0, TLS contexts, the file store, contexts, and the
//! common commands of V.250 and 3GPP 27.007 a host needs to bring a module up. MQTT 3.1.1 is spoken on the wire
//! whichever version the module is set to.

mod broker;
mod builder;
mod common;
mod fault;
mod front;
mod link;
mod log;
mod machine;
mod modem;
mod mqtt;
mod pace;
mod quectel;
mod quirk;
mod scripted;
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
pub use quirk::{PromptForm, PublishGrammar, Quirk, ReceiveLayout, UnknownQuirk};
pub use scripted::{ScriptedPort, Surprise, Verdict};
pub use transcript::{BadTranscript, Direction, Transcript, Turn};
pub use vendor::{UnknownVendor, Vendor};
