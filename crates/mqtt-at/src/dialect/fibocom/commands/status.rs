//! The result behind the `OK` of commands that work with the broker.

use std::time::Duration;

use at_codec::Fields;
use at_port::{Deferred, Reply, Verdict};

use crate::command::Unreadable;

/// The result of a command that works with the broker [Fibocom MQTT 1.2.6 §1.2.4 to §1.7.4]. The set is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// 1: it succeeded. With the other vendors, 0 says so.
    Success,
    /// 0: it failed. The module gives no reason.
    Failure,
}

/// The result `NAME: client,status`.
pub(super) fn deferred(names: &'static [&'static str], client: i64, timeout: Duration) -> Deferred {
    // `+MQTTOPEN: 1,2` is no result, but an answer that lists clients.
    let judge = |fields: &mut Fields<'_>| match fields.integer() {
        Some(0 | 1) => Verdict::Final,
        _ => Verdict::NotThis,
    };
    Deferred::new(names, [client], timeout).judge(judge)
}

/// Reads the deferred result of a reply.
pub(in super::super) fn status(reply: &Reply) -> Result<Status, Unreadable> {
    let line = reply.deferred.as_deref().ok_or(Unreadable)?;
    let list = line.iter().position(|&byte| byte == b':').and_then(|colon| line.get(colon + 1..));
    let mut fields = Fields::after(list.ok_or(Unreadable)?);
    // The client is what the result was recognised by.
    match (fields.integer(), fields.integer()) {
        (Some(_), Some(1)) => Ok(Status::Success),
        (Some(_), Some(_)) => Ok(Status::Failure),
        _ => Err(Unreadable),
    }
}
