//! In which form payloads travel between host and module.

use at_codec::{Fields, WriteLine};

use crate::dialect::quectel::commands::setting::{Family, Setting, flag};
use crate::error::InputError;

/// How received messages come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiveForm {
    /// Whether the module stores them, to be fetched with [`QmtRecv`](crate::quectel::QmtRecv).
    pub stored: bool,
    /// Whether their length is told. Without it a payload can forge any report.
    pub length: bool,
}

/// `recv/mode` [EC200x MQTT 1.0 §3.2.1].
#[derive(Debug)]
pub struct RecvMode;

impl Setting for RecvMode {
    const FAMILY: Family = Family::Mqtt;
    const KEY: &'static str = "recv/mode";
    type Value = ReceiveForm;
    type State = ReceiveForm;

    fn write(value: &ReceiveForm, line: WriteLine) -> Result<WriteLine, InputError> {
        Ok(line.integer(value.stored).integer(value.length))
    }

    fn read(fields: &mut Fields<'_>) -> Option<ReceiveForm> {
        Some(ReceiveForm { stored: flag(fields)?, length: flag(fields)? })
    }
}

/// The form of payloads. The set is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DataForm {
    /// The bytes themselves.
    #[default]
    Text,
    /// Two hexadecimal digits for each byte.
    Hex,
}

/// `send/mode` [EC200x MQTT 1.0 §3.2.1].
#[derive(Debug)]
pub struct SendMode;

impl Setting for SendMode {
    const FAMILY: Family = Family::Mqtt;
    const KEY: &'static str = "send/mode";
    type Value = DataForm;
    type State = DataForm;

    fn write(value: &DataForm, line: WriteLine) -> Result<WriteLine, InputError> {
        Ok(line.integer(*value == DataForm::Hex))
    }

    fn read(fields: &mut Fields<'_>) -> Option<DataForm> {
        form(fields)
    }
}

/// The form of payloads, for each direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DataForms {
    /// Of payloads to publish.
    pub send: DataForm,
    /// Of received payloads. The manual does not say whether a length then counts bytes or digits.
    pub receive: DataForm,
}

/// `dataformat` [EC200x MQTT 1.0 §3.2.1].
#[derive(Debug)]
pub struct DataFormat;

impl Setting for DataFormat {
    const FAMILY: Family = Family::Mqtt;
    const KEY: &'static str = "dataformat";
    type Value = DataForms;
    type State = DataForms;

    fn write(value: &DataForms, line: WriteLine) -> Result<WriteLine, InputError> {
        Ok(line.integer(value.send == DataForm::Hex).integer(value.receive == DataForm::Hex))
    }

    fn read(fields: &mut Fields<'_>) -> Option<DataForms> {
        Some(DataForms { send: form(fields)?, receive: form(fields)? })
    }
}

/// `view/mode` [EC200x MQTT 1.0 §3.2.1]: whether data is shown in transparent mode.
#[derive(Debug)]
pub struct ViewMode;

impl Setting for ViewMode {
    const FAMILY: Family = Family::Mqtt;
    const KEY: &'static str = "view/mode";
    type Value = bool;
    type State = bool;

    fn write(value: &bool, line: WriteLine) -> Result<WriteLine, InputError> {
        Ok(line.integer(*value))
    }

    fn read(fields: &mut Fields<'_>) -> Option<bool> {
        flag(fields)
    }
}

fn form(fields: &mut Fields<'_>) -> Option<DataForm> {
    flag(fields).map(|hex| if hex { DataForm::Hex } else { DataForm::Text })
}
