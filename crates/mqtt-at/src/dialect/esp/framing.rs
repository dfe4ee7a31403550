//! Where a received message ends: `+MQTTSUBRECV:0,"topic",length,payload` [ESP-AT MQTT, MQTTSUB].
//!
//! The length counts the raw bytes of the payload, which has no quotes, and CR LF follows.

use std::sync::Arc;

use at_codec::Extent;

use super::facts;
use crate::dialect::counted::{self, Search};
use crate::dialect::one_client::{is_expected, quoted};
use crate::link::Links;

/// The framing of received messages. Everything else is a line.
#[derive(Debug)]
pub(super) struct ReceiveFraming {
    links: Arc<Links>,
    /// The search in the element that is being measured.
    search: Option<Search>,
}

impl ReceiveFraming {
    pub(super) fn new(links: Arc<Links>) -> Self {
        Self { links, search: None }
    }

    pub(super) fn measure(&mut self, head: &[u8], resume: &mut usize) -> Extent {
        if *resume == 0 {
            match header(head) {
                Header::Partial => return Extent::NeedMore(head.len() + 1),
                Header::Other => return Extent::Line,
                Header::Message => {
                    self.search = Some(Search::new(TOPIC, facts::RECEIVED_PAYLOAD, quoted));
                    *resume = TOPIC;
                }
            }
        }
        let Some(search) = &mut self.search else { return Extent::Line };
        search.run(head, resume, |topic| is_expected(&self.links, topic))
    }
}

/// The start of a message, up to its topic.
const START: &[u8] = b"+MQTTSUBRECV:0,\"";

/// Where the topic starts.
const TOPIC: usize = START.len();

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Header {
    Message,
    Other,
    /// More bytes are needed to tell.
    Partial,
}

fn header(head: &[u8]) -> Header {
    if head.starts_with(START) {
        Header::Message
    } else if START.starts_with(head) {
        Header::Partial
    } else {
        Header::Other
    }
}

/// Reads a line that starts like a message; inside, `None` if no length in the line leads to its end.
pub(super) fn read<'a>(line: &'a [u8], links: &Links) -> Option<Option<counted::Message<'a>>> {
    is_message(line).then(|| counted::read(line, TOPIC, quoted, |topic| is_expected(links, topic)))
}

/// Whether bytes of which only the start is known were those of a message.
pub(super) fn is_message(head: &[u8]) -> bool {
    header(head) == Header::Message
}

#[cfg(test)]
mod tests;
