//! A place for something that comes and goes, and that tasks wait for.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Wakes its waiters in the order in which they came; Tokio's `watch` draws lots.
pub struct Slot<T> {
    value: Mutex<Option<T>>,
    changed: Notify,
}

impl<T: Clone> Slot<T> {
    pub fn new() -> Self {
        Self { value: Mutex::new(None), changed: Notify::new() }
    }

    pub fn set(&self, value: Option<T>) {
        *self.lock() = value;
        self.changed.notify_waiters();
    }

    pub fn now(&self) -> Option<T> {
        self.lock().clone()
    }

    /// What is there, as soon as something is.
    pub async fn there(&self) -> T {
        loop {
            let changed = self.changed.notified();
            if let Some(value) = self.now() {
                return value;
            }
            changed.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<T>> {
        self.value.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
