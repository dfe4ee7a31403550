//! Which losses of connections are news.

use std::collections::{BTreeMap, BTreeSet};

use super::command::Active;
use crate::event::LossCause;

/// What is known of the clients' connections.
#[derive(Debug, Default)]
pub(super) struct Losses {
    /// Clients that the host has used.
    used: BTreeSet<u8>,
    /// Whose connection was lost and not made again, with the name of the report that said so.
    gone: BTreeMap<u8, String>,
}

impl Losses {
    pub(super) fn hear_command(&mut self, active: &Active) {
        match active.client {
            Some(client) if active.acts() => {
                self.used.insert(client);
                if active.connects() {
                    self.gone.remove(&client);
                }
            }
            None if active.connects() => self.gone.clear(),
            _ => {}
        }
    }

    /// A client's connection must be there, whatever was said before.
    pub(super) fn hear_of(&mut self, client: Option<u8>) {
        if let Some(client) = client {
            self.gone.remove(&client);
        }
    }

    /// The module has started anew.
    pub(super) fn restart(&mut self) {
        self.gone.clear();
    }

    /// What of a report is news: a loss of all clients concerns those that the host has used, and the same loss may be
    /// reported twice. Where the host's words are missing it may have connected again, and the same report is another
    /// loss.
    pub(super) fn news(&mut self, name: &str, lost: Vec<(u8, LossCause)>) -> Vec<(u8, LossCause)> {
        let is_known = lost.iter().any(|(client, _)| self.used.contains(client));
        let concerns = |client: &u8| match (self.used.contains(client), self.gone.get(client)) {
            (true, before) => before.is_none(),
            (false, before) => !is_known && before.is_none_or(|before| before == name),
        };
        let news: Vec<_> = lost.into_iter().filter(|(client, _)| concerns(client)).collect();
        self.gone.extend(news.iter().map(|(client, _)| (*client, name.to_owned())));
        news
    }
}
