//! Who the module says it is.

/// What the identification commands answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) manufacturer: String,
    pub(crate) model: String,
    pub(crate) revision: String,
    pub(crate) imei: String,
}
