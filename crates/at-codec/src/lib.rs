//! Bytes to frames and typed arguments to command lines, for ports that speak AT commands.
//!
//! This crate knows how text and counted bytes share a serial line, and nothing else: no command, no vendor,
//! no time and no input or output. [`AtCodec`] cuts what arrives into [`Frame`]s; the layer above supplies a
//! [`Framing`] rule that says which lines carry counted bytes. [`Fields`] reads the values of a line in place.
//! [`CommandLine`] is the only way to make a command, from typed arguments, so that no caller's string can add
//! a command or alter one.
//!
//! Three promises hold for every input:
//!
//! - the same bytes give the same frames, however they are cut into reads;
//! - time is linear in the bytes, also at one byte per read, and memory is bounded by [`Limits`];
//! - what cannot be read is a frame ([`Frame::Damaged`], [`Frame::Overrun`]), never an error that ends the stream.
//!
//! # Examples
//!
//! ```
//! use at_codec::{AtCodec, Fields, Frame, Limits, LinesOnly};
//! use bytes::BytesMut;
//! use tokio_util::codec::Decoder;
//!
//! let mut codec = AtCodec::new(LinesOnly, Limits::default());
//! let mut buffer = BytesMut::from(&b"\r\n+CSQ: 21,99\r\n\r\nOK\r\n"[..]);
//!
//! let Some(Frame::Line(line)) = codec.decode(&mut buffer)? else { panic!("a whole line is there") };
//! let mut fields = Fields::of(&line, "+CSQ").ok_or("another line")?;
//! assert_eq!(fields.integer(), Some(21));
//! assert_eq!(fields.integer(), Some(99));
//!
//! assert_eq!(codec.decode(&mut buffer)?, Some(Frame::Line("OK".into())));
//! assert_eq!(codec.decode(&mut buffer)?, None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod argument;
mod codec;
mod command;
mod data_echo;
mod escaped;
mod fields;
mod frame;
mod framing;
mod limits;
mod line_text;
mod skip;
mod write_line;

pub use argument::{ArgumentError, Charset};
pub use codec::{AtCodec, Pending, PromptKind};
pub use command::{CommandKind, CommandLine};
pub use escaped::Escaped;
pub use fields::{Fields, name_of};
pub use frame::{Damage, DamageKind, Frame, Overrun};
pub use framing::{Extent, Framing, LinesOnly};
pub use limits::Limits;
pub use write_line::WriteLine;
