//! What went wrong and is not the end, told on stderr to the person who waits.

use std::io::Write;

use mqtt_at::at::{Tap, TapEntry};
use mqtt_at::{Client, Event, Step};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use crate::failure::Failure;
use crate::progress::Progress;

/// Tells of each outage that passes, and of each message that was lost on the way.
pub(crate) struct Mishaps {
    events: broadcast::Receiver<Event>,
    is_lost: bool,
}

impl Mishaps {
    /// Of this client, from now on.
    pub(crate) fn of(client: &Client) -> Self {
        Self { events: client.events(), is_lost: false }
    }

    /// Never done while the connection is made again; without that the loss is told by whatever fails for it.
    pub(crate) async fn tell(&mut self) -> Result<(), Failure> {
        loop {
            match self.events.recv().await {
                Ok(event) => self.take(&event),
                Err(RecvError::Lagged(count)) => missed(count),
                Err(RecvError::Closed) => std::future::pending().await,
            }
        }
    }

    /// Tells what has happened and was not told yet.
    pub(crate) fn tell_rest(mut self) {
        loop {
            match self.events.try_recv() {
                Ok(event) => self.take(&event),
                Err(TryRecvError::Lagged(count)) => missed(count),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    fn take(&mut self, event: &Event) {
        match event {
            Event::Reconnecting { attempt: 1, .. } => {
                self.is_lost = true;
                say("the connection is lost; connecting again");
            }
            Event::ReconnectFailed { reason } => say(&format!("not connected yet: {reason}")),
            Event::Connected if self.is_lost => {
                self.is_lost = false;
                say("connected again");
            }
            Event::SubscriptionChanged { granted: None, .. } | Event::Corrupt { .. } => {
                say(&event.to_string());
            }
            _ => {}
        }
    }
}

/// A witness of the conversation that tells when the module was given something in the place of a payload: it may be
/// published, though nobody meant it.
pub(crate) struct Filler(pub(crate) Progress);

impl Tap for Filler {
    fn note(&mut self, entry: TapEntry<'_>) {
        if let TapEntry::Filler { bytes } = entry {
            self.0.hide_for(|| {
                say(&format!(
                    "the module may have waited for the rest of a payload, and got {bytes} bytes that mean nothing in \
                     its place; it may have published them"
                ));
            });
        }
    }
}

/// Tells what is noteworthy about a step of opening or connecting.
pub(crate) fn tell_step(step: &Step, progress: &Progress) {
    if *step == Step::FormerWill {
        progress.hide_for(|| {
            say("the module keeps the will of an earlier connection, which cannot be taken back: the broker may publish it \
                 if this connection is lost");
        });
    }
}

fn missed(count: u64) {
    say(&format!("{count} events of the connection came too fast to be told"));
}

fn say(line: &str) {
    // Without stderr nobody wants to know.
    let _ = writeln!(std::io::stderr(), "mqttat: {line}");
}
