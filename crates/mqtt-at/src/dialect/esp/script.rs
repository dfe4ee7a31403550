//! A host of a scripted module, with the rules of this dialect.

use std::sync::Arc;

use super::rules::EspRules;
use crate::dialect::one_client::Session;
use crate::dialect::one_client::script::{self, ClientRules};
use crate::link::Links;

pub(super) type Host = script::Host<EspRules>;

impl ClientRules for EspRules {
    fn of(links: &Arc<Links>, session: &Arc<Session>) -> Self {
        Self::new(links, session)
    }
}
