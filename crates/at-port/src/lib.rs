//! One task owns the AT port: exchanges, prompts, deferred results, the fence, URC routing.
//!
//! An AT port is a conversation with one line in flight at a time, answers that carry no name of the
//! command they belong to, and reports that come whenever they like. This crate makes it safe to share:
//! a cheap, `Clone` [`Port`] handle sends whole [`Operation`]s to a [`Driver`] future, the only owner of
//! the byte stream. Inside the driver a pure state machine ([`Session`]) decides; the loop around it only
//! moves bytes, messages and time.
//!
//! The crate knows V.250's final result codes and nothing else of any vocabulary: which lines are reports,
//! how counted bytes are framed, and which commands prove that the link is in step comes from the [`Rules`]
//! of the layer above.
//!
//! | Where | What |
//! |---|---|
//! | [`Exchange`], [`Operation`], [`Deferred`] | what is to be said, and what its answer looks like |
//! | [`Reply`], [`OperationError`], [`PortError`] | what came of it |
//! | [`Rules`], [`Reaction`] | what the layer above knows of the module |
//! | [`Port`], [`Driver`] | the handle and the task |
//! | [`Session`] | the state machine between them, for tests and for other runtimes |
//! | [`transport`] | serial ports and TCP |
//!
//! # Example
//!
//! ```
//! use at_codec::CommandLine;
//! use at_port::{Answer, Exchange, PlainRules, Port, PortOptions};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (host, mut module) = tokio::io::duplex(64);
//! let (port, driver) = Port::new(host, PlainRules::boxed(), PortOptions::default());
//! tokio::spawn(driver);
//! # tokio::spawn(async move {
//! #     use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! #     let mut line = [0; 9];
//! #     module.read_exact(&mut line).await.unwrap();
//! #     module.write_all(b"\r\n+CMEE: 0\r\n\r\nOK\r\n").await.unwrap();
//! #     module.read_exact(&mut line[..7]).await.unwrap();
//! #     module.write_all(b"\r\n+CSQ: 24,99\r\n\r\nOK\r\n").await.unwrap();
//! #     std::future::pending::<()>().await;
//! # });
//! let reply = port.run(Exchange::new(CommandLine::execute("+CSQ")).answer(Answer::Named("+CSQ"))).await?;
//! assert_eq!(reply.first_line(), Some(&b"+CSQ: 24,99"[..]));
//! # Ok(()) }
//! ```

mod channel;
mod clock;
mod deferred;
mod driver;
mod error;
mod event;
mod exchange;
mod hub;
mod listeners;
mod options;
mod port;
mod reply;
mod request;
mod rules;
mod session;
pub mod transport;

pub use channel::Channel;
pub use deferred::{Deferred, Verdict};
pub use driver::Driver;
pub use error::{OperationError, Phase, PortError, Progress, Refusal};
pub use event::{LinkState, Measurement, Meter, PortEvent, Tap, TapEntry};
pub use exchange::{Answer, Exchange, Lane, Operation, PromptForm};
pub use listeners::{Listeners, Restarts};
pub use options::{PayloadMark, PortOptions};
pub use port::Port;
pub use reply::{ErrorCode, FinalResult, Reply};
pub use rules::{Lost, PlainRules, Probe, Reaction, Rules};
pub use session::{Delivery, SentProbe, Session, SessionOptions, Ticket};
