//! A host of a scripted module, with the rules of this dialect.

use std::sync::Arc;

use super::rules::SimComRules;
use super::service::Service;
use crate::dialect::{ModemPort, script};
use crate::link::{Link, Links};
use crate::topic::TopicFilter;

/// What is known of the connections, as a modem would hold it.
#[derive(Debug, Default)]
pub(super) struct Host {
    pub(super) links: Arc<Links>,
    pub(super) service: Arc<Service>,
}

impl Host {
    /// A host whose service runs and whose client is connected and subscribed to everything.
    pub(super) fn connected(client: u8) -> (Self, Arc<Link>) {
        let host = Self::default();
        host.service.set_running(true);
        let link = host.connect(client);
        (host, link)
    }

    /// Connects another client.
    pub(super) fn connect(&self, client: u8) -> Arc<Link> {
        let link = self.links.begin(client, false);
        link.expect([TopicFilter::new("#").unwrap()]);
        link.connected();
        self.service.begin(client);
        self.service.set_open(client, true);
        link
    }

    pub(super) fn rules(&self) -> SimComRules {
        SimComRules::new(&self.links, &self.service)
    }

    /// See [`script::converse`].
    pub(super) async fn converse<T>(&self, script: &str, host: impl AsyncFnOnce(ModemPort) -> T) -> T {
        script::converse(Box::new(self.rules()), script, host).await
    }
}
