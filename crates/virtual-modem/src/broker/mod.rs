//! The brokers a module can be given.

#[cfg(feature = "embedded-broker")]
pub(crate) mod embedded;
pub(crate) mod ledger;
pub(crate) mod memory;
mod sessions;

use std::net::SocketAddr;

pub use memory::MemoryBroker;

/// Where the module's MQTT connections end.
///
/// The [crate's page](crate) has an example.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Broker {
    /// In this process, in tokio's time and without sockets: the same run gives the same result.
    Memory(MemoryBroker),
    /// At this address, whatever host and port the command named. With TLS the named host is still the one whose
    /// certificate is asked for.
    Redirect(SocketAddr),
    /// At the host and port the command named, as a real module would.
    AsDialled,
}

impl Default for Broker {
    fn default() -> Self {
        Self::Memory(MemoryBroker::new())
    }
}
