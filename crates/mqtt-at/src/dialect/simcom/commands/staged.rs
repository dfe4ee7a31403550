//! What is given to the module in advance: texts of stated length behind a prompt.

use std::ops::RangeInclusive;

use at_codec::{CommandLine, WriteLine};
use at_port::{Answer, Exchange, PromptForm};
use bytes::Bytes;

use crate::dialect::simcom::facts::{self, timeout};
use crate::error::InputError;

/// What a command with data is about: the command and its data, with the name and range of its length.
pub(super) struct Staged<'a> {
    pub(super) name: &'static str,
    pub(super) field: &'static str,
    pub(super) client: u8,
    pub(super) data: &'a Bytes,
    pub(super) range: RangeInclusive<usize>,
}

impl Staged<'_> {
    /// The exchange `AT+X=client,length…`; `add` appends the arguments behind the length.
    pub(super) fn exchange(&self, add: impl FnOnce(WriteLine) -> WriteLine) -> Result<Exchange, InputError> {
        let client = facts::client(self.client)?;
        let length = facts::length(self.field, self.data.len(), self.range.clone())?;
        let line = add(CommandLine::write(self.name).integer(client).integer(length)).finish();
        Ok(Exchange::new(line)
            .answer(Answer::Named(self.name))
            .data(PromptForm::Mark, self.data.clone(), facts::PAYLOAD_PATIENCE)
            .timeout(timeout::ACCEPTED))
    }
}
