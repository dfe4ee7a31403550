//! Where reports go.

/// Where a report goes: to the receivers of one client, or to those of the modem as a whole, or to
/// those who want to see what nobody claims.
///
/// [`Rules`](crate::Rules) has an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Reports that concern the modem.
    Modem,
    /// Reports that concern the client with this number.
    Client(u8),
    /// Reports that concern nobody in particular, for those who watch.
    Unclaimed,
}
