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
//! | make it fail at random | [`FaultPlan::swarm`], [`Swarm`] |
//! | disturb the line itself | [`ByteLink`], [`Builder::byte_faults`], [`ByteFaults`], [`ByteSwarm`] |
//! | choose what is behind it | [`Broker`]: [`MemoryBroker`] with its [`Ledger`], a real broker over TCP or TLS, `EmbeddedBroker` (feature `embedded-broker`) |
//! | test without a module, against a script | [`ScriptedPort`], [`Transcript`] |
//!
//! Everything runs on tokio's clock, so that tests with a paused clock are exact and take no time. The same
//! conversation gives the same bytes on every run; what is random is seeded ([`Builder::seed`]).
//!
//! # What is served
//!
//! The common commands of V.250 and 3GPP 27.007 a host needs to bring a module up, and
//!
//! - [`Vendor::Quectel`]: every command of the EC200x MQTT note 1.0, TLS contexts, the file store, contexts;
//! - [`Vendor::SimCom`]: every command of the A7600 MQTT manual 1.00, TLS contexts and certificates, `AT+CGSOCKCONT`
//!   and the socket service around it, as far as hosts use them;
//! - [`Vendor::Fibocom`]: every command of the MQTT manual 1.2.6, the data call, no TLS, as the manual has none;
//! - [`Vendor::Neoway`]: every command of the MQTT guide 1.2, the cloud's family, certificates and TLS.
//!
//! # Where the manuals leave room
//!
//! - MQTT 3.1.1 is spoken on the wire whichever version (3 or 4) the module is set to.
//! - Certificates are judged by the time of this computer, not of the module's clock.
//!
//! ## Quectel
//!
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
//!
//! ## SIMCom
//!
//! - A malformed command is `ERROR` alone. Everything else that is refused has its code in a line before `ERROR`, if the
//!   command's manual has that form: 10 another client than 0 and 1, 12 a value out of range, 22 a length out of range,
//!   18 nothing handed over, 20 and 19 for clients that are not or already acquired, 11 without a connection, 13 a
//!   second connection, 14 while the client waits for the broker or, for `AT+CMQTTREL`, is connected.
//! - What fails behind `OK`: 25 unknown name, 3 refused connection, 17 time limits, 15 a login without an answer, 26 a
//!   connection that ends during the login, 27 to 31 the broker's return codes, 32 a failed handshake, 33 and 34 a
//!   certificate that is not set or not there, 6 a connection that ends before the acknowledgement, 16 a network that
//!   does, 1 a refused subscription, 7 a service without its context, 21 a service whose clients are still acquired.
//!   [`Action::Code`] makes any command fail with any code.
//! - A client waits for one acknowledgement at a time, `<pub_timeout>` or `optimeout` long, sends nothing twice, and keeps
//!   its connection when the time is over.
//! - `AT+CMQTTDISC` cuts short what waits for an acknowledgement. What was handed over outlives the connection and ends
//!   with its use or with `AT+CMQTTREL`; so does the will, which needs both its parts.
//! - A lost network ends the service until `AT+CMQTTSTART`; the clients stay acquired, unless a quirk says otherwise. The
//!   first context is up by itself after power-on, and `AT+CMQTTSTOP` leaves it so.
//! - Payloads and will messages may hold anything; [`SimComQuirk::PayloadsAreText`] checks them like topics.
//! - Received topics and payloads are split above 1500 bytes. What is longer than the manual's largest message is lost.
//!
//! ## Fibocom
//!
//! - `AT+MQTTOPEN` is answered within the second the manual allows. A refusal that is known by then is `ERROR: 700` to
//!   `704`; later, and for every other failure, it is `OK` and then `+MQTTOPEN: i,0`. [`Quirk::Refusal`] changes this.
//! - What the codes 700 to 704 do not name is plain `ERROR`: wrong arguments, wrong states, a SIM that is not ready.
//! - Opening needs `AT+MQTTUSER`, which the manual calls essential, and otherwise is refused; empty strings of it stand
//!   for no user name and no password. Without a data call the result is 0.
//! - `AT+MQTTCLOSE?` lists the clients that are open, 0 for none.
//! - A lost connection is reported as in the manual's example: `+MQTTBREAK: i,cause`, then `+MQTTCLOSE: i,1`. A client
//!   whose login is still under way has `+MQTTOPEN: i,0` instead.
//! - Ten messages wait for `AT+MQTTREAD` and the next one is lost, unless quirks say otherwise.
//! - A packet is sent three times, every 10 s; then its status is 0 and the connection is closed.
//!
//! ## Neoway
//!
//! - Answers have no empty line before `OK`, except the states': so it is printed in the guide.
//! - What the broker refuses or leaves unanswered for 25 s is `+CMD ERROR: -3` or `-1`, and then the connection is
//!   closed and reported as lost. A connection that does not come about is `ERROR`.
//! - `AT+MQTTDISCONN` releases login and will. A lost connection releases nothing.
//! - The first number of a received message is its packet identifier, 0 with QoS 0.
//! - `AT+MQTTWILLMSG` takes the arguments of `AT+MQTTWILLPARAM` with a length in place of the message.
//! - The cloud's commands are answered at once, and their acknowledgements follow; unsubscribing has one too. The login
//!   is in plain text, without the signature that a real module computes.
//! - A connection by `AT+AWSCONN` always has TLS, and is used with the standard commands.

mod broker;
mod builder;
mod byte_link;
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
mod random;
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
pub use byte_link::{BadByteFault, ByteAction, ByteFault, ByteFaults, ByteLink, ByteSwarm, Way};
pub use fault::{Action, BadFault, Fault, FaultPlan, Hook, Reboot, Swarm};
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
pub use transcript::{BadTranscript, Direction, Note, Transcript, Turn};
pub use vendor::{UnknownVendor, Vendor};
