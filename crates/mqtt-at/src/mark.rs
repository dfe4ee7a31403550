//! The mark that outlives a host that dies while the module waits for a payload.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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

    /// How long the payload is to whose end the last host did not get.
    pub(crate) fn owed(&self) -> Option<usize> {
        let text = std::fs::read_to_string(&self.path).ok()?;
        // Whatever it holds, it is there.
        Some(text.split(' ').find_map(|word| word.parse().ok()).unwrap_or(LONGEST))
    }
}

/// The longest payload of all vendors, where nothing is known.
const LONGEST: usize = 10_240;

/// The same for the ports of one process, which come one after the other, and with it the file if there is one.
#[derive(Debug, Clone, Default)]
pub(crate) struct OwedMark {
    owed: Arc<AtomicUsize>,
}

impl OwedMark {
    /// How long the payload is to whose end the last port did not get.
    pub(crate) fn owed(&self) -> Option<usize> {
        Some(self.owed.load(Ordering::Relaxed)).filter(|owed| *owed > 0)
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
    fn set(&mut self, bytes: usize) {
        self.owed.owed.store(bytes, Ordering::Relaxed);
        if let Some(file) = &mut self.file {
            file.set(bytes);
        }
    }

    fn clear(&mut self) {
        self.owed.owed.store(0, Ordering::Relaxed);
        if let Some(file) = &mut self.file {
            file.clear();
        }
    }
}

impl PayloadMark for FileMark {
    fn set(&mut self, bytes: usize) {
        let made = self.path.parent().map_or(Ok(()), std::fs::create_dir_all);
        let text = format!("in a payload of {bytes} bytes\n");
        if let Err(error) = made.and_then(|()| std::fs::write(&self.path, text)) {
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
        assert_eq!(mark.owed(), None);
        mark.set(64);
        assert_eq!(FileMark::new(directory.path(), "/dev/ttyUSB2").owed(), Some(64));
        assert_eq!(FileMark::new(directory.path(), "/dev/ttyUSB3").owed(), None);
        std::fs::write(&mark.path, "").unwrap();
        assert_eq!(mark.owed(), Some(LONGEST));
        mark.clear();
        mark.clear();
        assert_eq!(mark.owed(), None);
    }
}
