//! Typed commands: one for each row of the manual.

mod call;
mod close;
mod conf;
mod open;
mod publish;
mod read;
mod status;
mod subscribe;
mod user;
mod will;

use at_codec::{CommandLine, Fields};
use at_port::{Answer, Exchange, Operation};

pub use call::{DataCall, MipCall, ReadCall};
pub use close::{MqttClose, ReadClose};
pub use conf::{MqttConf, ReadConf, Reports};
pub use open::{MqttOpen, ReadOpen, TestOpen};
pub use publish::{MqttPub, MqttPubInline};
pub use read::{MqttRead, ReceivedMessage};
pub use status::Status;
pub use subscribe::{MqttSub, MqttUnsub};
pub use user::{MqttUser, ReadUser, StoredUser};
pub use will::{MqttWill, ReadWill, StoredWill};

pub(super) use call::data_call;
pub(super) use open::free_clients;
pub(super) use status::status;

use super::facts::timeout;

/// A setting, of which nothing but the final result is wanted.
fn setting(line: CommandLine) -> Operation {
    Exchange::new(line).timeout(timeout::SETTING).into()
}

/// A question for what is set.
fn question(name: &'static str) -> Exchange {
    Exchange::new(CommandLine::read(name)).answer(Answer::Named(name)).timeout(timeout::SETTING)
}

/// A text of the module; what is not UTF-8 is made readable.
fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).into_owned()
}

/// Reads `NAME: 1,2`, `NAME: 1`, `NAME: 2` or, for no client, `NAME: 0`. A result is told from it by its status, which
/// is 0 or 1 in the second place.
fn client_list(line: &[u8], name: &str) -> Option<Vec<u8>> {
    let mut fields = Fields::of(line, name)?;
    let list = match (fields.integer()?, fields.integer()) {
        (0, None) => vec![],
        (1, None) => vec![1],
        (2, None) => vec![2],
        (1, Some(2)) => vec![1, 2],
        _ => return None,
    };
    fields.is_empty().then_some(list)
}

#[cfg(test)]
mod tests;
