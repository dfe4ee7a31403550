//! A value that is watched from outside, and that tasks of the library wait for.

use tokio::sync::Notify;
use tokio::sync::futures::Notified;
use tokio::sync::watch;

/// A watch whose waiters inside of the library are woken in the order in which they came.
///
/// The receivers of Tokio's `watch` draw lots, so that what many callers do next would not be the same in two runs of a
/// test with one seed.
#[derive(Debug)]
pub(crate) struct Watched<T> {
    value: watch::Sender<T>,
    changed: Notify,
}

impl<T> Watched<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value: watch::Sender::new(value), changed: Notify::new() }
    }

    /// For those outside.
    pub(crate) fn subscribe(&self) -> watch::Receiver<T> {
        self.value.subscribe()
    }

    pub(crate) fn borrow(&self) -> watch::Ref<'_, T> {
        self.value.borrow()
    }

    pub(crate) fn replace(&self, value: T) {
        self.value.send_replace(value);
        self.changed.notify_waiters();
    }

    /// Puts in what `next` makes of the value, if anything; says whether it did.
    pub(crate) fn change(&self, next: impl FnOnce(&T) -> Option<T>) -> bool {
        let is_news = self.value.send_if_modified(|value| match next(value) {
            Some(new) => {
                *value = new;
                true
            }
            None => false,
        });
        if is_news {
            self.changed.notify_waiters();
        }
        is_news
    }

    /// Done with the next change from now on, even if it comes before the first poll.
    pub(crate) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Waits until the value is as wanted.
    pub(crate) async fn wait_for(&self, is_wanted: impl Fn(&T) -> bool) {
        loop {
            let changed = self.changed();
            if is_wanted(&self.borrow()) {
                return;
            }
            changed.await;
        }
    }
}
