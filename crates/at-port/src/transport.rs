//! Byte streams to put under a port: serial ports and TCP.
//!
//! Anything that is `AsyncRead + AsyncWrite` will do; this module opens the two that real modules hang on.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::str::FromStr;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

#[cfg(feature = "serial")]
mod holder;
#[cfg(feature = "serial")]
mod listing;
#[cfg(feature = "serial")]
mod serial;
mod usb;

#[cfg(feature = "serial")]
pub use listing::{Bus, ListedPort};
#[cfg(feature = "serial")]
pub use serial::SerialPort;
pub use usb::UsbId;

/// Where a module is to be found.
///
/// ```
/// use at_port::transport::Address;
///
/// assert_eq!("tcp://192.0.2.7:7000".parse::<Address>()?.to_string(), "tcp://192.0.2.7:7000");
/// assert!("tcp://192.0.2.7".parse::<Address>().is_err());
/// # Ok::<(), at_port::transport::OpenError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Address {
    /// A serial port: `/dev/ttyUSB2`, `COM5`. A link such as those in `/dev/serial/by-id` is followed at each opening.
    Serial(PathBuf),
    /// A serial port of a USB device, sought at each opening: `usb:2c7c:6005::2`.
    Usb(UsbId),
    /// A serial port behind a ser2net-like server: `tcp://host:port`.
    Tcp(String),
}

impl FromStr for Address {
    type Err = OpenError;

    fn from_str(text: &str) -> Result<Self, OpenError> {
        if text.starts_with("usb:") {
            return text.parse().map(Self::Usb);
        }
        let Some(target) = text.strip_prefix("tcp://") else {
            let path = PathBuf::from(text);
            let is_path = !text.is_empty() && !text.contains("://");
            return is_path.then_some(Self::Serial(path)).ok_or_else(|| Self::refused(text));
        };
        let port = target.rsplit_once(':').filter(|(host, _)| !host.is_empty());
        match port.map(|(_, port)| port.parse::<u16>()) {
            Some(Ok(port)) if port > 0 => Ok(Self::Tcp(target.to_owned())),
            _ => Err(Self::refused(text)),
        }
    }
}

impl Address {
    fn refused(text: &str) -> OpenError {
        OpenError::Address { address: text.to_owned() }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serial(path) => write!(f, "{}", path.display()),
            Self::Usb(id) => write!(f, "{id}"),
            Self::Tcp(target) => write!(f, "tcp://{target}"),
        }
    }
}

/// How a serial port is set: always 8 data bits, no parity, one stop bit.
///
/// [`open`] has an example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Line {
    /// Bits per second. Default: 115 200.
    pub baud: u32,
    /// RTS/CTS flow control. Default: off, because many boards leave the pins open.
    pub rts_cts: bool,
}

impl Line {
    /// A line at this speed without flow control.
    pub fn new(baud: u32) -> Self {
        Self { baud, rts_cts: false }
    }

    /// Uses RTS/CTS flow control, which the module must have been told, too (`AT+IFC=2,2`).
    #[must_use]
    pub fn rts_cts(mut self, on: bool) -> Self {
        self.rts_cts = on;
        self
    }
}

impl Default for Line {
    fn default() -> Self {
        Self::new(115_200)
    }
}

/// Why a port could not be opened.
///
/// [`open`] has an example.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Not a port.
    #[error(
        "{address:?} is no address of a port: use a path, COMn, usb:VID:PID[:SERIAL][:INTERFACE] \
         or tcp://host:port with a port of 1 to 65535"
    )]
    Address {
        /// What was given.
        address: String,
    },
    /// There is no such port.
    #[error("there is no port {address}")]
    NotFound {
        /// The port.
        address: String,
    },
    /// The system does not tell which ports there are.
    #[error("the system does not list its serial ports")]
    Unlisted {
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Several ports fit.
    #[error("{address} may be any of {ports}")]
    Ambiguous {
        /// What was sought.
        address: String,
        /// What was found.
        ports: String,
    },
    /// The user may not open it.
    #[error("no permission to open {address}")]
    Permission {
        /// The port.
        address: String,
    },
    /// Another process has it.
    #[error("{address} is in use by {holder}")]
    Busy {
        /// The port.
        address: String,
        /// Who has it open, as far as that can be found out.
        holder: String,
    },
    /// The path is no serial port.
    #[error("{address} is no serial port")]
    NotSerial {
        /// The path.
        address: String,
    },
    /// The server did not answer in time.
    #[error("{address} did not answer within {after:?}")]
    Timeout {
        /// The server.
        address: String,
        /// How long was waited.
        after: Duration,
    },
    /// Anything else.
    #[error("{address} cannot be opened")]
    Io {
        /// The port.
        address: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// This build has no serial ports.
    #[error("{address} is a serial port, and this build has none: switch on the feature `serial`")]
    NoSerial {
        /// The port.
        address: String,
    },
}

impl OpenError {
    /// What can be done about it, in one sentence.
    pub fn remedy(&self) -> Option<&'static str> {
        Some(match self {
            Self::Busy { holder, .. } if holder.contains("ModemManager") => {
                "stop ModemManager, or have it leave this device alone with the udev property ID_MM_DEVICE_IGNORE=1"
            }
            Self::Busy { holder, .. } if holder == "this process" => {
                "use the modem that is open already, or close it first"
            }
            Self::Busy { .. } => "end that program; `sudo fuser -v` on the port shows it",
            Self::Ambiguous { .. } => "add the serial number or the number of the interface",
            Self::Permission { .. } => {
                "add the user to the group that owns it (often dialout), and log in again"
            }
            Self::Unlisted { .. } => "name the port by its path",
            Self::NotSerial { .. } => "name a serial port, or a server of one as tcp://host:port",
            Self::Io { address, .. } if address.starts_with("tcp://") => {
                "check host and port, and that the server there runs"
            }
            Self::Timeout { .. } => "check that this is the server's address, and that it runs",
            _ => return None,
        })
    }
}

/// How long a TCP server may take to accept.
const TCP_TIMEOUT: Duration = Duration::from_secs(10);

/// Opens a port.
///
/// # Errors
///
/// There is no such port, somebody else has it, the user may not open it, or it is something else.
///
/// # Cancel safety
///
/// Dropping the future closes what was opened.
///
/// # Examples
///
/// ```no_run
/// use at_port::transport::{self, Line};
///
/// # async fn example() -> Result<(), at_port::transport::OpenError> {
/// let port = transport::open(&"/dev/ttyUSB2".parse()?, Line::new(921_600).rts_cts(true)).await?;
/// # Ok(()) }
/// ```
pub async fn open(address: &Address, line: Line) -> Result<Connection, OpenError> {
    match address {
        #[cfg(feature = "serial")]
        Address::Serial(path) => SerialPort::open(path, line).map(Connection::Serial),
        #[cfg(feature = "serial")]
        Address::Usb(id) => SerialPort::open(&id.find()?, line).map(Connection::Serial),
        #[cfg(not(feature = "serial"))]
        Address::Serial(_) | Address::Usb(_) => {
            let _ = line;
            Err(OpenError::NoSerial { address: address.to_string() })
        }
        Address::Tcp(target) => {
            let late = || OpenError::Timeout { address: address.to_string(), after: TCP_TIMEOUT };
            let dialled = tokio::time::timeout(TCP_TIMEOUT, TcpStream::connect(target)).await;
            let failed = |source| OpenError::Io { address: address.to_string(), source };
            let stream = dialled.map_err(|_| late())?.map_err(failed)?;
            // Commands are short and wait for an answer: a delay would cost every one of them.
            stream.set_nodelay(true).map_err(failed)?;
            Ok(Connection::Tcp(stream))
        }
    }
}

/// An open port.
///
/// [`open`] has an example.
#[derive(Debug)]
#[non_exhaustive]
pub enum Connection {
    /// A serial port.
    #[cfg(feature = "serial")]
    Serial(SerialPort),
    /// A TCP connection.
    Tcp(TcpStream),
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            #[cfg(feature = "serial")]
            Self::Serial(port) => Pin::new(port).poll_read(cx, buf),
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            #[cfg(feature = "serial")]
            Self::Serial(port) => Pin::new(port).poll_write(cx, buf),
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            #[cfg(feature = "serial")]
            Self::Serial(port) => Pin::new(port).poll_flush(cx),
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            #[cfg(feature = "serial")]
            Self::Serial(port) => Pin::new(port).poll_shutdown(cx),
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
