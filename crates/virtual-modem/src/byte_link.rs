//! A byte stream that loses, alters and delays bytes, or breaks, where and when it is told to.

mod faults;
mod spec;
mod swarm;

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

pub use self::faults::{ByteAction, ByteFault, ByteFaults, Way};
pub use self::spec::BadByteFault;
pub use self::swarm::ByteSwarm;

/// A wrapper around one end of the line between host and module that makes it suffer [`ByteFaults`].
///
/// ```
/// use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// use virtual_modem::{ByteAction, ByteFault, ByteFaults, ByteLink, Vendor, VirtualModem, Way};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let modem = VirtualModem::builder(Vendor::Quectel).build()?;
/// let faults = ByteFaults::new().with(ByteFault::new(Way::ToHost, 5, ByteAction::Drop(1)));
/// let mut port = ByteLink::at_host(modem.duplex(), faults);
/// port.write_all(b"AT\r").await?;
/// let mut heard = [0; 8];
/// port.read_exact(&mut heard).await?;
/// assert_eq!(&heard, b"AT\r\r\nK\r\n", "the O is lost");
/// # Ok(()) }
/// ```
pub struct ByteLink<T> {
    io: T,
    faults: ByteFaults,
    reads: Side,
    writes: Side,
    broken: Option<Broken>,
}

/// What one direction is in the middle of.
struct Side {
    way: Way,
    /// Bytes that go before what comes next.
    extra: Vec<u8>,
    /// So many of the next bytes are lost.
    losing: usize,
    /// What happens to the next byte.
    twist: Option<Twist>,
    stall: Option<Pin<Box<Sleep>>>,
}

#[derive(Debug, Clone, Copy)]
enum Twist {
    Flip(u8),
    Duplicate,
}

/// How the line is broken for good.
#[derive(Debug, Clone, Copy)]
enum Broken {
    /// With this error of the operating system.
    Error(i32),
    /// Reading gives nothing for ever.
    End,
    /// Nobody is at the other end, and nothing says so.
    Mute,
}

/// EIO, the same on all systems that have it: what a write to an unplugged device gives.
const EIO: i32 = 5;
/// ENODEV, likewise.
const ENODEV: i32 = 19;

impl<T> ByteLink<T> {
    /// Wraps the host's end: what is read from it goes to the host.
    pub fn at_host(io: T, faults: ByteFaults) -> Self {
        Self { io, faults, reads: Side::new(Way::ToHost), writes: Side::new(Way::ToModule), broken: None }
    }

    /// Wraps the module's end: what is read from it goes to the module.
    pub fn at_module(io: T, faults: ByteFaults) -> Self {
        Self { io, faults, reads: Side::new(Way::ToModule), writes: Side::new(Way::ToHost), broken: None }
    }

    /// Carries out a fault that is due now.
    fn suffer(&mut self, way: Way) {
        let Some(action) = self.faults.take_due(way) else { return };
        let side = if self.reads.way == way { &mut self.reads } else { &mut self.writes };
        match action {
            // Reads and writes stop at every fault as it is.
            ByteAction::Split => {}
            ByteAction::Drop(count) => side.losing = count,
            ByteAction::Flip(bits) => side.twist = Some(Twist::Flip(bits)),
            ByteAction::Duplicate => side.twist = Some(Twist::Duplicate),
            ByteAction::Insert(bytes) => side.extra.extend_from_slice(&bytes),
            ByteAction::Stall(time) => side.stall = Some(Box::pin(sleep(time))),
            ByteAction::InputOutputError => self.broken = Some(Broken::Error(EIO)),
            ByteAction::NoSuchDevice => self.broken = Some(Broken::Error(ENODEV)),
            ByteAction::End => self.broken = Some(Broken::End),
            ByteAction::Mute => self.broken = Some(Broken::Mute),
        }
    }
}

impl Side {
    fn new(way: Way) -> Self {
        Self { way, extra: Vec::new(), losing: 0, twist: None, stall: None }
    }

    /// Waits until the line moves again.
    fn poll_stall(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(stall) = &mut self.stall {
            ready!(stall.as_mut().poll(cx));
            self.stall = None;
        }
        Poll::Ready(())
    }

    /// A byte comes to its place.
    fn twist(&mut self, twist: Twist, byte: u8) {
        match twist {
            Twist::Flip(bits) => self.extra.push(byte ^ bits),
            Twist::Duplicate => self.extra.extend([byte, byte]),
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> ByteLink<T> {
    /// Reads at most `limit` bytes without a fault; the number of bytes read, 0 at the end.
    fn poll_some(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
        limit: usize,
    ) -> Poll<io::Result<usize>> {
        let mut part = ReadBuf::new(buf.initialize_unfilled_to(limit.min(buf.remaining())));
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut part))?;
        let count = part.filled().len();
        buf.advance(count);
        self.faults.pass(self.reads.way, count);
        Poll::Ready(Ok(count))
    }

    /// Writes what was put in; what the transport does not take yet waits for the next call.
    fn poll_extra(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.writes.extra.is_empty() {
            let count = ready!(Pin::new(&mut self.io).poll_write(cx, &self.writes.extra))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.writes.extra.drain(..count);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for ByteLink<T> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let link = self.get_mut();
        // An error of the other direction is told there.
        if !matches!(link.broken, Some(Broken::Mute)) {
            let _ = link.poll_extra(cx);
        }
        loop {
            match link.broken {
                Some(Broken::Error(code)) => return Poll::Ready(Err(io::Error::from_raw_os_error(code))),
                Some(Broken::End) => return Poll::Ready(Ok(())),
                Some(Broken::Mute) => return Poll::Pending,
                None => {}
            }
            if !link.reads.extra.is_empty() {
                let count = link.reads.extra.len().min(buf.remaining());
                buf.put_slice(&link.reads.extra.drain(..count).collect::<Vec<u8>>());
                return Poll::Ready(Ok(()));
            }
            ready!(link.reads.poll_stall(cx));
            if link.reads.losing > 0 || link.reads.twist.is_some() {
                let mut space = [0; 64];
                let mut lost = ReadBuf::new(&mut space);
                let limit = if link.reads.losing > 0 { link.reads.losing } else { 1 };
                let count = ready!(link.poll_some(cx, &mut lost, limit))?;
                if count == 0 {
                    return Poll::Ready(Ok(()));
                }
                if link.reads.losing > 0 {
                    link.reads.losing -= count;
                } else if let (Some(twist), [byte, ..]) = (link.reads.twist.take(), lost.filled()) {
                    link.reads.twist(twist, *byte);
                }
                continue;
            }
            match link.faults.gap(link.reads.way) {
                0 => link.suffer(link.reads.way),
                gap => return link.poll_some(cx, buf, gap).map_ok(drop),
            }
        }
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for ByteLink<T> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let link = self.get_mut();
        loop {
            match link.broken {
                Some(Broken::Error(code)) => return Poll::Ready(Err(io::Error::from_raw_os_error(code))),
                Some(Broken::End) => return Poll::Ready(Err(io::Error::from_raw_os_error(EIO))),
                Some(Broken::Mute) => return Poll::Ready(Ok(bytes.len())),
                None => {}
            }
            ready!(link.poll_extra(cx))?;
            ready!(link.writes.poll_stall(cx));
            let way = link.writes.way;
            if link.writes.losing > 0 {
                let count = link.writes.losing.min(bytes.len());
                link.writes.losing -= count;
                link.faults.pass(way, count);
                return Poll::Ready(Ok(count));
            }
            if let (Some(twist), [byte, ..]) = (link.writes.twist, bytes) {
                link.writes.twist = None;
                link.writes.twist(twist, *byte);
                link.faults.pass(way, 1);
                // What is not taken at once follows with the next write, flush or read.
                if let Poll::Ready(outcome) = link.poll_extra(cx) {
                    outcome?;
                }
                return Poll::Ready(Ok(1));
            }
            match link.faults.gap(way) {
                0 => link.suffer(way),
                gap => {
                    let part = bytes.get(..gap).unwrap_or(bytes);
                    let count = ready!(Pin::new(&mut link.io).poll_write(cx, part))?;
                    link.faults.pass(way, count);
                    return Poll::Ready(Ok(count));
                }
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let link = self.get_mut();
        if link.broken.is_some() {
            return Poll::Ready(Ok(()));
        }
        ready!(link.poll_extra(cx))?;
        Pin::new(&mut link.io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}

impl<T> fmt::Debug for ByteLink<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteLink").field("broken", &self.broken).finish_non_exhaustive()
    }
}
