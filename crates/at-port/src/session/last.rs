//! What has to be remembered of commands when they are over.

use std::collections::VecDeque;

use at_codec::{CommandKind, CommandLine};
use tokio::time::Instant;

use crate::exchange::Exchange;

/// What has to be remembered of the last command: its answer may still be on its way.
#[derive(Debug, Default)]
pub(super) struct LastCommand {
    /// Its name, or all of a line typed by a person, which can hold several commands.
    pub(super) names: String,
    /// When it was written.
    pub(super) asked: Option<Instant>,
    /// Whether neither an echo of it nor its answer may be shown.
    pub(super) has_secret: bool,
    /// The last lines with secrets. Their echo may come when nobody expects it any more.
    secrets: VecDeque<CommandLine>,
}

/// How many lines with secrets are remembered.
const SECRETS: usize = 4;

impl LastCommand {
    pub(super) fn remember(&mut self, step: &Exchange, now: Instant) {
        let line = &step.line;
        self.asked = Some(now);
        self.names.clear();
        if line.kind() == CommandKind::Raw {
            self.names.push_str(&String::from_utf8_lossy(line.body()).to_ascii_uppercase());
        } else {
            self.names.push_str(line.name());
        }
        let data = step.data.as_ref().is_some_and(|data| data.secret);
        self.has_secret = step.secret_answer || line.has_secret() || data;
        if line.has_secret() && !self.secrets.contains(line) {
            self.secrets.truncate(SECRETS - 1);
            self.secrets.push_front(line.clone());
        }
    }

    /// Whether a line holds a secret of an earlier one.
    pub(super) fn is_shown_by(&self, line: &[u8]) -> bool {
        self.secrets.iter().any(|it| it.has_secret_in(line))
    }
}
