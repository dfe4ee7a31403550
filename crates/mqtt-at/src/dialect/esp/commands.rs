//! The commands, typed: what is sent, and how the answer is read.

mod connection;
mod login;
mod network;
mod publish;
mod settings;
mod subscribe;

use at_codec::{CommandLine, WriteLine};
use at_port::{Answer, Exchange, FinalResult, Reply};

pub use connection::{ConnectionState, MqttClean, MqttConn, ReadConn};
pub use login::{MqttLongClientId, MqttLongPassword, MqttLongUsername, MqttUserCfg, Scheme};
pub use network::{CipSta, StationAddress, SysLog};
pub use publish::MqttPubRaw;
pub use settings::{MqttConnCfg, MqttSni};
pub use subscribe::{ModuleSubscription, MqttSub, MqttUnsub, ReadSub};

use super::facts::{self, timeout};
use crate::command::Unreadable;
use crate::error::InputError;

/// Starts a command for the module's only client.
fn client(name: &'static str) -> WriteLine {
    CommandLine::write(name).integer(facts::CLIENT)
}

/// A string in quotation marks, of at most `max` bytes, with an escape in front of what needs one
/// [ESP-AT AT Command Set, AT Command Types].
fn text(line: WriteLine, field: &'static str, value: &[u8], max: usize) -> Result<WriteLine, InputError> {
    let is_special = |byte: u8| matches!(byte, b'\\' | b',');
    if value.len() > max {
        return Err(at_codec::ArgumentError::TooLong { field, max, got: value.len() }.into());
    }
    let mut escaped = Vec::with_capacity(value.len());
    for &byte in value {
        if is_special(byte) {
            escaped.push(b'\\');
        }
        escaped.push(byte);
    }
    Ok(line.quoted(field, escaped, facts::TEXT, 2 * max)?)
}

/// A command line that is not longer than the module takes. Its refusals may tell their reason.
fn command(line: WriteLine) -> Result<Exchange, InputError> {
    let line = line.finish();
    let got = line.body().len() + "\r\n".len();
    if got > facts::LINE {
        let field = "the command line";
        return Err(at_codec::ArgumentError::TooLong { field, max: facts::LINE, got }.into());
    }
    Ok(Exchange::new(line).answer(Answer::Text).timeout(timeout::COMMAND))
}

/// `OK` ended the command, and not the result of a publish.
fn done(reply: &Reply) -> Result<(), Unreadable> {
    if reply.result == FinalResult::Ok { Ok(()) } else { Err(Unreadable) }
}

#[cfg(test)]
mod tests;
