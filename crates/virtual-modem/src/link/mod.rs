//! The way from the module to a broker, whichever broker it is.

pub(crate) mod links;
mod socket;
mod tls;
mod wire;

use bytes::Bytes;

use crate::mqtt::packet::Packet;

/// Where to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dial {
    pub(crate) host: Bytes,
    pub(crate) port: u16,
    pub(crate) tls: Option<TlsSettings>,
}

/// How to secure the connection; the files are contents, not names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TlsSettings {
    /// Certificates to trust, PEM; `None` trusts everybody.
    pub(crate) ca: Option<Bytes>,
    /// The module's own certificate and key, PEM.
    pub(crate) identity: Option<(Bytes, Bytes)>,
    pub(crate) server_name_indication: bool,
    /// Whether certificates may be out of date.
    pub(crate) ignore_time: bool,
    pub(crate) versions: TlsVersions,
}

/// Protocol versions a context allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TlsVersions {
    /// Only versions below 1.2, which no present-day library speaks: the handshake fails.
    Obsolete,
    Tls12,
    All,
}

/// Why no connection came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DialFailure {
    NameUnknown,
    Refused,
    TimedOut,
    Handshake,
}

/// What a connection reports back to the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LinkEvent {
    Dialled(Result<(), DialFailure>),
    Packet(Packet),
    Closed,
    /// For the log only.
    Note(String),
}

/// What the module asks of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum LinkRequest {
    Dial(Dial),
    Send(Packet),
    HangUp,
}

/// The number of a connection, never used twice by one module.
pub(crate) type ConnectionNo = u64;
