//! The will: what the broker publishes when the connection ends without a farewell.

use at_codec::{Fields, WriteLine};
use bytes::Bytes;

use crate::connect;
use crate::dialect::quectel::commands::setting::{Family, Setting, flag, text};
use crate::dialect::quectel::facts;
use crate::error::InputError;
use crate::qos::QoS;

/// `will` [EC200x MQTT 1.0 §3.2.1]: the message is quoted in the command, without any escapes.
#[derive(Debug)]
pub struct Will;

impl Setting for Will {
    const FAMILY: Family = Family::Mqtt;
    const KEY: &'static str = "will";
    type Value = Option<connect::Will>;
    type State = Option<StoredWill>;

    fn write(value: &Option<connect::Will>, line: WriteLine) -> Result<WriteLine, InputError> {
        let Some(will) = value else { return Ok(line.integer(0)) };
        let line = head(will, line)?;
        Ok(line.quoted("the message of the will", &will.payload, facts::TEXT, facts::WILL_MESSAGE)?)
    }

    fn read(fields: &mut Fields<'_>) -> Option<Option<StoredWill>> {
        stored(fields, |fields, will| {
            will.message = Some(Bytes::copy_from_slice(fields.text()?));
            Some(())
        })
    }
}

/// `willex` [EC200x MQTT 1.0 §3.2.1]: the message follows a prompt, and may be any bytes.
#[derive(Debug)]
pub struct WillEx;

impl Setting for WillEx {
    const FAMILY: Family = Family::Mqtt;
    const KEY: &'static str = "willex";
    type Value = connect::Will;
    type State = Option<StoredWill>;

    fn write(will: &connect::Will, line: WriteLine) -> Result<WriteLine, InputError> {
        let (got, max) = (will.payload.len(), facts::WILL_MESSAGE);
        if got > max {
            return Err(InputError::OutOfRange {
                field: "the length of the will's message",
                got: got as u64,
                min: 0,
                max: max as u64,
            });
        }
        Ok(head(will, line)?.integer(got as i64))
    }

    fn read(fields: &mut Fields<'_>) -> Option<Option<StoredWill>> {
        stored(fields, |fields, will| {
            will.length = fields.integer()?.try_into().ok()?;
            Some(())
        })
    }

    fn data(will: &connect::Will) -> Option<Bytes> {
        Some(will.payload.clone())
    }
}

/// A will that the module has stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredWill {
    /// The quality of service.
    pub qos: QoS,
    /// Whether the broker keeps it for later subscribers.
    pub retain: bool,
    /// The topic.
    pub topic: String,
    /// The length of the message in bytes.
    pub length: usize,
    /// The message, where the query tells it: that of `willex` gives the length only.
    pub message: Option<Bytes>,
}

/// Flag, quality of service, retain flag and topic.
fn head(will: &connect::Will, line: WriteLine) -> Result<WriteLine, InputError> {
    let line = line.integer(1).integer(will.qos.level()).integer(will.retain);
    Ok(line.quoted("the topic of the will", will.topic.as_str(), facts::TEXT, facts::WILL_TOPIC)?)
}

fn stored(
    fields: &mut Fields<'_>,
    read_message: impl Fn(&mut Fields<'_>, &mut StoredWill) -> Option<()>,
) -> Option<Option<StoredWill>> {
    if !flag(fields)? {
        return Some(None);
    }
    let qos = u8::try_from(fields.integer()?).ok().and_then(|level| level.try_into().ok())?;
    let retain = flag(fields)?;
    let mut will = StoredWill { qos, retain, topic: text(fields)?, length: 0, message: None };
    read_message(fields, &mut will)?;
    if let Some(message) = &will.message {
        will.length = message.len();
    }
    Some(Some(will))
}
