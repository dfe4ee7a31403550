//! What fuzz targets need of the dialects below the public API. It is no part of that API, and there only with the
//! feature `fuzzing`.

use std::sync::Arc;

use at_codec::{AtCodec, Frame, Limits};
use at_port::Rules;
use bytes::BytesMut;
use tokio_util::codec::Decoder;

use crate::dialect;
use crate::link::{Inbound, Links};
use crate::vendor::Vendor;

/// The ear of one vendor's dialect, with every client connected and every topic expected.
///
/// ```
/// use mqtt_at::{Vendor, fuzzing::Ear};
///
/// let mut ear = Ear::new(Vendor::Quectel).expect("it has a dialect");
/// assert!(ear.hear(b"\r\n+QMTRECV: 0,0,\"t\",5,\"he").is_empty());
/// assert_eq!(ear.hear(b"llo\"\r\n\r\nOK\r\n").len(), 2);
/// ```
pub struct Ear {
    codec: AtCodec<Box<dyn Rules<Urc = Inbound>>>,
    inbox: BytesMut,
}

impl Ear {
    /// The ear of this vendor; `None` if it has no dialect.
    pub fn new(vendor: Vendor) -> Option<Self> {
        let links = Arc::new(Links::default());
        let dialect = dialect::of(vendor).ok()?;
        for client in dialect.facts().clients.clone() {
            links.begin(client, true).connected();
        }
        Some(Self { codec: AtCodec::new(dialect.rules(&links), Limits::default()), inbox: BytesMut::new() })
    }

    /// Takes bytes of the module and tells what they come to: each frame, and what the dialect makes of it.
    pub fn hear(&mut self, bytes: &[u8]) -> Vec<String> {
        self.inbox.extend_from_slice(bytes);
        let mut told = Vec::new();
        // The decoder never fails: what cannot be read is a frame.
        while let Ok(Some(frame)) = self.codec.decode(&mut self.inbox) {
            told.push(self.take(&frame));
        }
        told
    }

    /// The line falls silent.
    pub fn silence(&mut self) -> Option<String> {
        let frame = self.codec.give_up(&mut self.inbox)?;
        Some(self.take(&frame))
    }

    /// How many bytes wait for more.
    pub fn waiting(&self) -> usize {
        self.inbox.len()
    }

    fn take(&mut self, frame: &Frame) -> String {
        let rules = self.codec.framing_mut();
        let reaction = match frame {
            Frame::Line(line) if rules.is_unsolicited(line) => Some(rules.unsolicited(line)),
            Frame::Line(line) => {
                let result = rules.final_result(line, "");
                return format!("{frame:?} {result:?}");
            }
            Frame::Damaged(damage) => Some(rules.damaged(damage)),
            _ => None,
        };
        format!("{frame:?} {reaction:?}")
    }
}

impl std::fmt::Debug for Ear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ear").field("waiting", &self.inbox.len()).finish_non_exhaustive()
    }
}
