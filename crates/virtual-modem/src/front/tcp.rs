//! The module behind a TCP port, as a terminal server would offer it.

use std::io;
use std::net::SocketAddr;

use tokio::net::{TcpListener, ToSocketAddrs};

use crate::modem::VirtualModem;

/// A TCP port with a module behind it. One host at a time; the next one waits until the first has gone.
///
/// ```no_run
/// use virtual_modem::{TcpPort, Vendor, VirtualModem};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let modem = VirtualModem::builder(Vendor::Neoway).build()?;
/// let port = TcpPort::bind("127.0.0.1:0").await?;
/// println!("tcp://{}", port.local_addr()?);
/// port.serve(&modem).await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct TcpPort {
    listener: TcpListener,
}

impl TcpPort {
    /// Listens on an address; port 0 takes a free one.
    ///
    /// # Errors
    /// The address cannot be bound.
    ///
    /// # Cancel safety
    /// Can be dropped at any time.
    pub async fn bind(address: impl ToSocketAddrs) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(address).await? })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The operating system does not say.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves one host after the other, and lets the module's time pass in between. Returns only on an error of the
    /// listener.
    ///
    /// # Errors
    /// Accepting a connection failed.
    ///
    /// # Cancel safety
    /// Can be dropped at any time; a host that is being served is cut off.
    pub async fn serve(&self, modem: &VirtualModem) -> io::Result<()> {
        loop {
            let (stream, _) = tokio::select! {
                biased;
                accepted = self.listener.accept() => accepted?,
                () = modem.run_unattended() => continue,
            };
            stream.set_nodelay(true)?;
            // A host that breaks off is the end of its session only.
            if let Err(error) = modem.serve(stream).await {
                tracing::debug!(%error, "host lost");
            }
        }
    }
}
