//! A host of a scripted module, with the rules of this dialect.

use std::sync::Arc;

use super::rules::FibocomRules;
use super::sessions::{Sessions, State};
use crate::dialect::{ModemPort, script};
use crate::link::{Link, Links};
use crate::topic::TopicFilter;

/// What is known of the connections, as a modem would hold it.
#[derive(Debug, Default)]
pub(super) struct Host {
    pub(super) links: Arc<Links>,
    pub(super) sessions: Arc<Sessions>,
}

impl Host {
    /// A host whose client 1 is connected and subscribed to these filters.
    pub(super) fn connected(filters: &[&str]) -> (Self, Arc<Link>) {
        let host = Self::default();
        let link = host.links.begin(1, false);
        link.expect(filters.iter().map(|filter| TopicFilter::new(*filter).unwrap()));
        link.connected();
        host.sessions.set(1, State::Open);
        host.sessions.set_counted(true);
        (host, link)
    }

    pub(super) fn rules(&self) -> FibocomRules {
        FibocomRules::new(&self.links, &self.sessions)
    }

    /// See [`script::converse`].
    pub(super) async fn converse<T>(&self, script: &str, host: impl AsyncFnOnce(ModemPort) -> T) -> T {
        script::converse(Box::new(self.rules()), script, host).await
    }
}
