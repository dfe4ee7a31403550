//! The results of commands that send a packet to the broker.

use std::time::Duration;

use at_codec::Fields;
use at_port::{Deferred, Reply, Verdict};

use crate::command::Unreadable;

/// What became of a packet that the broker acknowledges [EC200x MQTT 1.0 §3.2.6 to §3.2.8].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Acknowledgement {
    /// The broker has it. For a subscription: the granted quality of service of each filter, 128 where refused.
    /// A publish with QoS 0 needs no answer of the broker; this then means that it was sent.
    Acknowledged {
        /// The values behind the result.
        granted: Vec<u8>,
    },
    /// It could not be sent, or was not acknowledged.
    Failed {
        /// The module's result: 2, unless it knows one that the manual does not.
        result: i64,
    },
}

/// The result `NAME: client,packet identifier,result[,values]`; a notice of retransmission is not the end.
pub(super) fn deferred(
    names: &'static [&'static str],
    client: i64,
    packet: u16,
    timeout: Duration,
) -> Deferred {
    Deferred::new(names, [client, i64::from(packet)], timeout).judge(|fields| match fields.integer() {
        Some(1) => Verdict::Interim,
        Some(_) => Verdict::Final,
        None => Verdict::NotThis,
    })
}

/// Reads the deferred result of a reply.
pub(in super::super) fn acknowledgement(reply: &Reply) -> Result<Acknowledgement, Unreadable> {
    let line = reply.deferred.as_deref().ok_or(Unreadable)?;
    let list = line.iter().position(|&byte| byte == b':').and_then(|colon| line.get(colon + 1..));
    let mut fields = Fields::after(list.ok_or(Unreadable)?);
    // The client and the packet identifier are what the result was recognised by.
    if !fields.skip() || !fields.skip() {
        return Err(Unreadable);
    }
    match fields.integer().ok_or(Unreadable)? {
        0 => {
            let mut granted = Vec::new();
            while let Some(value) = fields.integer() {
                granted.push(value.try_into().map_err(|_| Unreadable)?);
            }
            Ok(Acknowledgement::Acknowledged { granted })
        }
        result => Ok(Acknowledgement::Failed { result }),
    }
}
