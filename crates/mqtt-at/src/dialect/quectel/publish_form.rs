//! By which command and in which form a module publishes.

use at_port::Lane;

use super::commands::{PublishForm, QmtPub, QmtPubEx};
use crate::dialect::{ModemPort, ask, if_possible};
use crate::error::Result;
use crate::quirk::{Quirk, Quirks};

/// Finds the form; `None` for the `AT+QMTPUBEX` of the manual, which takes a single question.
pub(super) async fn find(port: &ModemPort, quirks: &Quirks) -> Result<Option<PublishForm>> {
    if let Some(form) = form_in(&quirks.chosen) {
        return Ok(Some(form));
    }
    if let Some(told) = if_possible(ask(port, Lane::COMMON, QmtPubEx::test()).await)? {
        return Ok((form_told(&told) == Some(PublishForm::Inline)).then_some(PublishForm::InlineEx));
    }
    let told = if_possible(ask(port, Lane::COMMON, QmtPub::test()).await)?;
    let form = match (told.as_deref().and_then(form_told), form_in(&quirks.known)) {
        // No module tells whether it waits for Ctrl-Z as well.
        (None | Some(PublishForm::Length), Some(PublishForm::LengthAndCtrlZ)) => {
            Some(PublishForm::LengthAndCtrlZ)
        }
        // A command with a length is refused by modules that want none, and then nothing has been published.
        (None, None) => told.map(|_| PublishForm::Length),
        (form, known) => form.or(known),
    };
    tracing::debug!(?form, "how the module publishes");
    Ok(form)
}

fn form_in(quirks: &[Quirk]) -> Option<PublishForm> {
    quirks.first().map(|Quirk::QuectelPublish(form)| *form)
}

/// What the answer to the test command says, such as `(0-5),<msgid>,(0-2),(0,1),"topic","length"`.
fn form_told(answer: &[String]) -> Option<PublishForm> {
    let parameters = parameters(answer.first()?);
    let [_client, _packet, _qos, _retain, _topic, payload @ ..] = parameters.as_slice() else { return None };
    let Some(payload) = payload.first() else { return Some(PublishForm::CtrlZ) };
    let payload = payload.to_ascii_lowercase();
    let is_range =
        payload.contains(|c: char| c.is_ascii_digit()) && !payload.contains(|c: char| c.is_alphabetic());
    if is_range || payload.contains("len") {
        return Some(PublishForm::Length);
    }
    ["payload", "msg", "message"].iter().any(|name| payload.contains(name)).then_some(PublishForm::Inline)
}

/// The parameters between commas outside of parentheses.
fn parameters(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let is_end = |c: char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    };
    text.split(is_end).collect()
}

#[cfg(test)]
mod tests;
