//! Registration, attachment and data contexts [3GPP 27.007 §7.2, §10.1].

use std::collections::BTreeMap;

use bytes::Bytes;

/// The cellular network as the module sees it.
#[derive(Debug)]
pub(crate) struct Network {
    /// 0 off, 1 on, 4 flight mode: `AT+CFUN`.
    pub(crate) functionality: u8,
    /// 0 not registered, 1 home, 2 searching, 3 denied, 5 roaming.
    pub(crate) registration: u8,
    /// How much is reported: `AT+CREG`, `AT+CGREG`, `AT+CEREG`.
    pub(crate) reports: [u8; 3],
    pub(crate) attached: bool,
    pub(crate) operator: String,
    pub(crate) signal: u8,
    pub(crate) contexts: BTreeMap<u8, Context>,
    /// Whether the network refuses to activate contexts.
    pub(crate) refuses_contexts: bool,
}

/// A data context.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Context {
    /// `IP`, `IPV6` or `IPV4V6`.
    pub(crate) kind: String,
    pub(crate) apn: Bytes,
    pub(crate) user: Bytes,
    pub(crate) password: Bytes,
    pub(crate) authentication: u8,
    pub(crate) active: bool,
}

/// The highest context number.
pub(crate) const CONTEXTS: u8 = 15;

impl Default for Network {
    fn default() -> Self {
        let standard = Context { kind: "IP".to_owned(), ..Context::default() };
        Self {
            functionality: 1,
            registration: 1,
            reports: [0; 3],
            attached: true,
            operator: "Virtual Mobile".to_owned(),
            signal: 24,
            contexts: BTreeMap::from([(1, standard)]),
            refuses_contexts: false,
        }
    }
}

impl Network {
    /// Everything that a restart sets back: reports, contexts, functionality.
    pub(crate) fn power_on(&mut self) {
        let kept = Self {
            registration: if self.registration == 0 { 0 } else { self.registration },
            operator: std::mem::take(&mut self.operator),
            signal: self.signal,
            refuses_contexts: self.refuses_contexts,
            ..Self::default()
        };
        *self = kept;
    }

    pub(crate) fn is_registered(&self) -> bool {
        self.functionality == 1 && matches!(self.registration, 1 | 5)
    }

    pub(crate) fn context(&mut self, number: u8) -> &mut Context {
        self.contexts.entry(number).or_insert_with(|| Context { kind: "IP".to_owned(), ..Context::default() })
    }

    pub(crate) fn is_active(&self, number: u8) -> bool {
        self.contexts.get(&number).is_some_and(|context| context.active)
    }

    /// Brings a context up; false if the network does not allow it.
    pub(crate) fn activate(&mut self, number: u8) -> bool {
        if !self.is_registered() || !self.attached || self.refuses_contexts {
            return false;
        }
        self.context(number).active = true;
        true
    }

    pub(crate) fn deactivate(&mut self, number: u8) {
        if let Some(context) = self.contexts.get_mut(&number) {
            context.active = false;
        }
    }

    /// The address of an active context.
    pub(crate) fn address(number: u8) -> String {
        format!("10.64.0.{}", u16::from(number) + 1)
    }
}
