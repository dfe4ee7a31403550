//! Who has a terminal open.

use std::io;
use std::path::Path;
use std::task::Context;

/// Counts the programs that have a terminal open. Where the system does not tell, somebody always has.
#[derive(Debug)]
pub(super) struct Watch {
    #[cfg(target_os = "linux")]
    events: tokio::io::unix::AsyncFd<std::os::fd::OwnedFd>,
    programs: usize,
}

#[cfg(target_os = "linux")]
impl Watch {
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};

        let events = init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
        add_watch(&events, path, WatchFlags::OPEN | WatchFlags::CLOSE_WRITE | WatchFlags::CLOSE_NOWRITE)?;
        Ok(Self { events: super::registered(events)?, programs: 0 })
    }

    /// How many programs have the terminal open now, and whether at some moment since the last call the last one
    /// left.
    pub(super) fn programs(&mut self) -> (usize, bool) {
        use rustix::fs::inotify::{ReadFlags, Reader};

        let mut buffer = [std::mem::MaybeUninit::uninit(); 1024];
        let mut reader = Reader::new(self.events.get_ref(), &mut buffer);
        let mut left = false;
        while let Ok(event) = reader.next() {
            if event.events().contains(ReadFlags::OPEN) {
                self.programs += 1;
            } else if event.events().intersects(ReadFlags::CLOSE_WRITE | ReadFlags::CLOSE_NOWRITE) {
                self.programs = self.programs.saturating_sub(1);
                left |= self.programs == 0;
            }
        }
        (self.programs, left)
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
}

#[cfg(not(target_os = "linux"))]
impl Watch {
    pub(super) fn new(_: &Path) -> io::Result<Self> {
        Ok(Self { programs: 1 })
    }

    pub(super) fn programs(&mut self) -> (usize, bool) {
        (self.programs, false)
    }

    pub(super) fn poll_changed(&self, _: &mut Context<'_>) -> bool {
        false
    }
}
