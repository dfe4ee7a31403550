//! The mark that outlives a host that dies while the module waits for a payload.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use at_port::PayloadMark;

/// A small file that exists while the module waits for data.
///
/// It is not synced to the disk: the page cache outlives the process, and a host that lost its power has most
/// often taken the module's with it.
#[derive(Debug)]
pub(crate) struct FileMark {
    path: PathBuf,
}

impl FileMark {
    /// The mark of a device in a directory of state.
    pub(crate) fn new(directory: &Path, device: &str) -> Self {
        let name: String = device.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        Self { path: directory.join(format!("{name}.in-payload")) }
    }

    /// Whether the last host did not get to the end of its payload.
    pub(crate) fn was_left(&self) -> bool {
        self.path.exists()
    }
}

/// The same for the ports of one process, which come one after the other, and with it the file if there is one.
#[derive(Debug, Clone, Default)]
pub(crate) struct OwedMark {
    owed: Arc<AtomicBool>,
}

impl OwedMark {
    /// Whether the last port did not get to the end of its payload.
    pub(crate) fn was_left(&self) -> bool {
        self.owed.load(Ordering::Relaxed)
    }

    pub(crate) fn and(&self, file: Option<FileMark>) -> impl PayloadMark + use<> {
        BothMarks { owed: self.clone(), file }
    }
}

struct BothMarks {
    owed: OwedMark,
    file: Option<FileMark>,
}

impl PayloadMark for BothMarks {
    fn set(&mut self) {
        self.owed.owed.store(true, Ordering::Relaxed);
        if let Some(file) = &mut self.file {
            file.set();
        }
    }

    fn clear(&mut self) {
        self.owed.owed.store(false, Ordering::Relaxed);
        if let Some(file) = &mut self.file {
            file.clear();
        }
    }
}

impl PayloadMark for FileMark {
    fn set(&mut self) {
        let made = self.path.parent().map_or(Ok(()), std::fs::create_dir_all);
        if let Err(error) = made.and_then(|()| std::fs::write(&self.path, b"in payload\n")) {
            tracing::warn!(path = %self.path.display(), %error, "the mark of a pending payload cannot be written");
        }
    }

    fn clear(&mut self) {
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(path = %self.path.display(), %error, "the mark of a pending payload cannot be removed");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_is_there_exactly_while_it_is_set() {
        let directory = tempfile::tempdir().unwrap();
        let mut mark = FileMark::new(directory.path(), "/dev/ttyUSB2");
        assert!(!mark.was_left());
        mark.set();
        assert!(FileMark::new(directory.path(), "/dev/ttyUSB2").was_left());
        assert!(!FileMark::new(directory.path(), "/dev/ttyUSB3").was_left());
        mark.clear();
        mark.clear();
        assert!(!mark.was_left());
    }
}
