//! The module behind a pseudo terminal: to a program it is a serial port with a path.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use rustix::fs::{Mode, OFlags, fcntl_setfl, open};
use rustix::io::{read, write};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, QueueSelector, ioctl_tiocnxcl, tcflush, tcgetattr, tcsetattr};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::watch::Watch;
use crate::modem::VirtualModem;

/// A pseudo terminal with a module behind it.
///
/// As on real hardware the module does not notice whether a program has opened the port, and what it says while
/// nobody has is lost. A program may open, close and open again; an exclusive lock that a killed program left behind
/// is taken away.
///
/// ```no_run
/// use virtual_modem::{PtyLink, Vendor, VirtualModem};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let modem = VirtualModem::builder(Vendor::Fibocom).build()?;
/// let port = PtyLink::open(None)?;
/// println!("open {} as a serial port", port.path().display());
/// port.serve(&modem).await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct PtyLink {
    master: AsyncFd<OwnedFd>,
    /// Keeps the terminal alive between two programs: without an open slave the master reads errors.
    spare: OwnedFd,
    watch: Mutex<Watch>,
    device: PathBuf,
    link: Option<PathBuf>,
}

impl PtyLink {
    /// Opens a pseudo terminal, and makes `link` a symbolic link to it if a path is given. A symbolic link that is
    /// already there is replaced.
    ///
    /// # Errors
    /// No pseudo terminal is available, or the link cannot be made: something that is no symbolic link is there.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn open(link: Option<&Path>) -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        // Raw before anybody knows the path: otherwise early output is echoed back and its line ends are changed.
        let mut mode = tcgetattr(&master)?;
        mode.make_raw();
        tcsetattr(&master, OptionalActions::Now, &mode)?;
        let name = ptsname(&master, Vec::new())?;
        let device = PathBuf::from(name.to_string_lossy().into_owned());
        let spare = open(&device, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
        fcntl_setfl(&master, OFlags::RDWR | OFlags::NONBLOCK)?;
        let watch = Mutex::new(Watch::new(&device, &spare)?);
        if let Some(link) = link {
            publish(&device, link)?;
        }
        Ok(Self {
            master: super::registered(master)?,
            spare,
            watch,
            device,
            link: link.map(Path::to_path_buf),
        })
    }

    /// The path a program opens: the link if there is one, the device otherwise.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.link.as_deref().unwrap_or(&self.device)
    }

    /// Runs the module behind the terminal, whoever has it open. Returns only when a fault closes the port or the
    /// terminal fails.
    ///
    /// # Errors
    /// Errors of the terminal.
    ///
    /// # Cancel safety
    /// As [`VirtualModem::serve`].
    pub async fn serve(&self, modem: &VirtualModem) -> io::Result<()> {
        modem.serve(Master { pty: self }).await
    }

    /// Whether a program has the port open. When the last one has gone, what it left behind is cleared away.
    fn is_open(&self) -> bool {
        let look = self.watch().look();
        if look.left {
            // Errors would mean that the terminal is gone, which reading it says as well.
            let _ = tcflush(&self.spare, QueueSelector::IFlush);
            let _ = ioctl_tiocnxcl(&self.spare);
        }
        look.open
    }

    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PtyLink {
    /// Takes the link away, if it is still this terminal's.
    fn drop(&mut self) {
        if let Some(link) = &self.link
            && fs::read_link(link).is_ok_and(|target| target == self.device)
        {
            let _ = fs::remove_file(link);
        }
    }
}

/// Replaces the link in one step, so that a program never finds it missing.
fn publish(device: &Path, link: &Path) -> io::Result<()> {
    match fs::symlink_metadata(link) {
        Ok(there) if there.file_type().is_symlink() => {}
        Ok(there) => {
            let kind = if there.file_type().is_char_device() { "a device" } else { "a file" };
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                format!("{} is {kind}, not a link", link.display()),
            ));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut fresh = link.as_os_str().to_owned();
    fresh.push(format!(".{}", std::process::id()));
    let fresh = PathBuf::from(fresh);
    symlink(device, &fresh)?;
    fs::rename(&fresh, link)
}

/// The module's side of the terminal as a byte stream.
struct Master<'a> {
    pty: &'a PtyLink,
}

impl AsyncRead for Master<'_> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // The watch is polled here too, so that a program that goes without a word is noticed at once.
        while self.pty.watch().poll_changed(cx) {
            self.pty.is_open();
        }
        loop {
            let mut guard = ready!(self.pty.master.poll_read_ready(cx))?;
            let result = guard.try_io(|master| Ok(read(master.get_ref(), buf.initialize_unfilled())?));
            if let Ok(result) = result {
                buf.advance(result?);
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl AsyncWrite for Master<'_> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if !self.pty.is_open() {
            return Poll::Ready(Ok(bytes.len()));
        }
        loop {
            let mut guard = ready!(self.pty.master.poll_write_ready(cx))?;
            if let Ok(result) = guard.try_io(|master| Ok(write(master.get_ref(), bytes)?)) {
                return Poll::Ready(result);
            }
        }
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
