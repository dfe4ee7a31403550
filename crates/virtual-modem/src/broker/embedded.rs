//! A real broker in this process.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use mqtt5::broker::config::StorageBackend;
use mqtt5::broker::{BrokerConfig, BrokerShutdownHandle, MqttBroker};
use tokio::task::JoinHandle;

/// A broker that speaks real MQTT (3.1.1 and 5) on a socket, for demonstrations and for tests against something that
/// is not of our own making. Everybody may log in; nothing is stored on disk.
///
/// Dropping it stops it in its own time; [`stop`](Self::stop) waits for that.
///
/// ```no_run
/// use std::net::{Ipv4Addr, SocketAddr};
/// use virtual_modem::{Broker, EmbeddedBroker, Vendor, VirtualModem};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let broker = EmbeddedBroker::start(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
/// let modem = VirtualModem::builder(Vendor::SimCom).broker(Broker::Redirect(broker.local_addr())).build()?;
/// # Ok(()) }
/// ```
pub struct EmbeddedBroker {
    address: SocketAddr,
    shutdown: BrokerShutdownHandle,
    task: JoinHandle<mqtt5::Result<()>>,
}

impl EmbeddedBroker {
    /// Starts a broker on an address; port 0 takes a free one.
    ///
    /// # Errors
    /// The address cannot be bound.
    ///
    /// # Cancel safety
    /// Not cancel safe: a broker whose start was dropped may go on running.
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        let mut config = BrokerConfig::default().with_bind_address(address).with_sys_topics_enabled(false);
        // Without persistence there are no queues for clients that are away and no sessions to resume.
        config.storage_config.backend = StorageBackend::Memory;
        config.storage_config.enable_persistence = true;
        config.auth_config.allow_anonymous = true;
        let mut broker = MqttBroker::with_config(config).await.map_err(io::Error::other)?;
        let address = broker.local_addr().ok_or_else(|| io::Error::other("the broker listens nowhere"))?;
        let shutdown = broker.shutdown_handle();
        let mut ready = broker.ready_receiver();
        let task = tokio::spawn(async move { broker.run().await });
        // A shutdown that is asked for before this would be lost, and the broker would run for ever.
        ready.wait_for(|ready| *ready).await.map_err(io::Error::other)?;
        Ok(Self { address, shutdown, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Stops the broker; afterwards its port is free.
    ///
    /// # Errors
    /// The broker ended with an error of its own.
    ///
    /// # Cancel safety
    /// The broker stops also if the future is dropped after its first poll.
    pub async fn stop(mut self) -> io::Result<()> {
        self.shutdown.shutdown();
        match (&mut self.task).await {
            Ok(outcome) => outcome.map_err(io::Error::other),
            Err(error) => Err(io::Error::other(error)),
        }
    }
}

impl Drop for EmbeddedBroker {
    fn drop(&mut self) {
        self.shutdown.shutdown();
    }
}

impl fmt::Debug for EmbeddedBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedBroker").field("address", &self.address).finish_non_exhaustive()
    }
}
