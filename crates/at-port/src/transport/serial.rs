//! Serial ports.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_serial::{ErrorKind, FlowControl, SerialPortBuilderExt, SerialStream};

use super::{Line, OpenError, holder};

/// A serial port, opened for this process alone.
///
/// `flush` does nothing: the stream below implements it as `tcdrain`, which blocks the thread of the runtime
/// until the last bit is on the wire, and for ever while the module holds CTS off. Written bytes leave by themselves.
///
/// [`open`](super::open) has an example.
#[derive(Debug)]
pub struct SerialPort {
    stream: SerialStream,
}

impl SerialPort {
    /// Opens a port and drops what the system had received for an earlier owner.
    ///
    /// Must be called on a Tokio runtime.
    ///
    /// # Errors
    ///
    /// There is no such port, somebody else has it, the user may not open it, or it is no serial port.
    pub fn open(path: &Path, line: Line) -> Result<Self, OpenError> {
        let name = path.to_string_lossy();
        let flow = if line.rts_cts { FlowControl::Hardware } else { FlowControl::None };
        let opened = tokio_serial::new(name.as_ref(), line.baud).flow_control(flow).open_native_async();
        let stream = opened.map_err(|error| explain(path, error))?;
        // Where clearing is not possible the fence drops the old bytes.
        let _ = tokio_serial::SerialPort::clear(&stream, tokio_serial::ClearBuffer::All);
        Ok(Self { stream })
    }
}

/// Says why a port could not be opened; the library below gives the same kind for several causes.
///
/// The port is not opened again to find out: without the library's flags that could block, or take the terminal.
fn explain(path: &Path, error: tokio_serial::Error) -> OpenError {
    let address = path.display().to_string();
    let text = error.to_string();
    match error.kind() {
        ErrorKind::Io(io::ErrorKind::NotFound) => OpenError::NotFound { address },
        ErrorKind::Io(io::ErrorKind::PermissionDenied) => OpenError::Permission { address },
        _ if path.is_file() || path.is_dir() => OpenError::NotSerial { address },
        _ if ["exclusive lock", "busy", "denied"].iter().any(|word| text.contains(word)) => {
            OpenError::Busy { holder: holder::name_of(path), address }
        }
        _ if ["typewriter", "ioctl"].iter().any(|word| text.contains(word)) => {
            OpenError::NotSerial { address }
        }
        _ if !path.exists() && cfg!(unix) => OpenError::NotFound { address },
        _ => OpenError::Io { address, source: error.into() },
    }
}

impl AsyncRead for SerialPort {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for SerialPort {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
