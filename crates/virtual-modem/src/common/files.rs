//! The module's file store; it survives restarts.

use std::collections::BTreeMap;

use bytes::Bytes;

/// Files by name, of the flash and of the memory alike.
#[derive(Debug, Default)]
pub(crate) struct Files {
    files: BTreeMap<String, Bytes>,
}

/// Bytes the store holds altogether.
pub(crate) const CAPACITY: usize = 10 * 1024 * 1024;

impl Files {
    pub(crate) fn read(&self, name: &str) -> Option<&Bytes> {
        self.files.get(name)
    }

    pub(crate) fn write(&mut self, name: &str, content: Bytes) {
        self.files.insert(name.to_owned(), content);
    }

    pub(crate) fn remove(&mut self, name: &str) -> bool {
        self.files.remove(name).is_some()
    }

    /// Removes the files whose names satisfy `gone` and says how many there were.
    pub(crate) fn remove_all(&mut self, gone: impl Fn(&str) -> bool) -> usize {
        let before = self.files.len();
        self.files.retain(|name, _| !gone(name));
        before - self.files.len()
    }

    /// Names and sizes, by name.
    pub(crate) fn list(&self) -> impl Iterator<Item = (&str, usize)> {
        self.files.iter().map(|(name, content)| (name.as_str(), content.len()))
    }

    pub(crate) fn free(&self) -> usize {
        CAPACITY.saturating_sub(self.files.values().map(Bytes::len).sum())
    }
}
