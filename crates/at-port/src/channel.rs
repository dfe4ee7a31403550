//! Where reports go.

/// Where a report goes: to the receivers of one client, or to those of the modem as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Reports that concern the modem.
    Modem,
    /// Reports that concern the client with this number.
    Client(u8),
}
