//! Who has a terminal open.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::task::Context;

/// Knows whether a program has a terminal open. Where the system does not tell, somebody always has.
#[derive(Debug)]
pub(super) struct Watch {
    #[cfg(target_os = "linux")]
    events: tokio::io::unix::AsyncFd<OwnedFd>,
    device: PathBuf,
    /// The one descriptor of the terminal that is not a program's.
    spare: i32,
    open: bool,
}

/// What has changed since the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) open: bool,
    /// A program has closed the terminal, and now nobody has it open.
    pub(super) left: bool,
}

#[cfg(target_os = "linux")]
impl Watch {
    pub(super) fn new(device: &Path, spare: &OwnedFd) -> io::Result<Self> {
        use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};

        let events = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        add_watch(&events, device, WatchFlags::OPEN | WatchFlags::CLOSE_WRITE | WatchFlags::CLOSE_NOWRITE)?;
        let events = super::registered(events)?;
        Ok(Self { events, device: device.to_path_buf(), spare: spare.as_raw_fd(), open: false })
    }

    pub(super) fn look(&mut self) -> Look {
        use rustix::fs::inotify::{ReadFlags, Reader};

        let mut buffer = [std::mem::MaybeUninit::uninit(); 1024];
        let mut reader = Reader::new(self.events.get_ref(), &mut buffer);
        let mut closed = false;
        // Equal events in a row are merged by the kernel, so that counting them would go wrong.
        while let Ok(event) = reader.next() {
            self.open |= event.events().contains(ReadFlags::OPEN);
            closed |= event.events().intersects(ReadFlags::CLOSE_WRITE | ReadFlags::CLOSE_NOWRITE);
        }
        if closed {
            self.open = self.is_open();
        }
        Look { open: self.open, left: closed && !self.open }
    }

    /// Wakes the task when a program comes or goes. Returns whether one has.
    pub(super) fn poll_changed(&self, cx: &mut Context<'_>) -> bool {
        match self.events.poll_read_ready(cx) {
            std::task::Poll::Ready(Ok(mut guard)) => {
                guard.clear_ready();
                true
            }
            _ => false,
        }
    }

    /// Asks the kernel, process by process. Those of other users are not seen without privileges.
    fn is_open(&self) -> bool {
        let Ok(processes) = std::fs::read_dir("/proc") else { return true };
        processes.flatten().any(|process| {
            let Ok(descriptors) = std::fs::read_dir(process.path().join("fd")) else { return false };
            descriptors.flatten().any(|descriptor| {
                std::fs::read_link(descriptor.path()).is_ok_and(|target| target == self.device)
                    && !self.is_spare(&process.path(), &descriptor.file_name())
            })
        })
    }

    /// The spare descriptor is in this process, and for a moment in every process that this one starts.
    fn is_spare(&self, process: &Path, descriptor: &std::ffi::OsStr) -> bool {
        let program = |process: &Path| std::fs::read_link(process.join("exe")).ok();
        descriptor.to_str() == Some(self.spare.to_string().as_str())
            && program(process) == program(Path::new("/proc/self"))
    }
}

#[cfg(not(target_os = "linux"))]
impl Watch {
    pub(super) fn new(device: &Path, spare: &OwnedFd) -> io::Result<Self> {
        Ok(Self { device: device.to_path_buf(), spare: spare.as_raw_fd(), open: true })
    }

    pub(super) fn look(&mut self) -> Look {
        Look { open: self.open, left: false }
    }

    pub(super) fn poll_changed(&self, _: &mut Context<'_>) -> bool {
        false
    }
}
