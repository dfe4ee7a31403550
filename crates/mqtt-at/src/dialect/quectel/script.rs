//! A host of a scripted module, with the rules of this dialect.

use std::sync::Arc;

use at_port::Rules;

use super::rules::{QuectelRules, Sessions};
use crate::dialect::{ModemPort, script};
use crate::link::{Inbound, Links};

/// What is known of the connections, as a modem would hold it.
#[derive(Debug, Default)]
pub(super) struct Host {
    pub(super) links: Arc<Links>,
    pub(super) sessions: Arc<Sessions>,
}

impl Host {
    /// See [`script::converse`].
    pub(super) async fn converse<T>(&self, script: &str, host: impl AsyncFnOnce(ModemPort) -> T) -> T {
        script::converse(self.rules(), script, host).await
    }

    pub(super) fn rules(&self) -> Box<dyn Rules<Urc = Inbound>> {
        Box::new(QuectelRules::new(&self.links, &self.sessions))
    }
}
