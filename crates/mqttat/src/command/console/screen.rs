//! What the console shows: all that the module says, as it comes.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use mqtt_at::at::{Tap, TapEntry};
use serde::Serialize;

use crate::failure::Failure;
use crate::output;
use crate::paint::Paint;
use crate::transcript::{Speaker, line_of};

/// Prints a text above the line that is being typed.
pub(super) type Above = Box<dyn FnMut(String) + Send>;

/// Where the conversation is shown. Clones show it in the same place.
#[derive(Clone)]
pub(super) struct Screen {
    json: bool,
    paint: Paint,
    shared: Arc<Shared>,
}

struct Shared {
    /// Until then the conversation is the program's own.
    open: AtomicBool,
    /// Whether a command is waiting for its answer: other lines are reports.
    busy: AtomicBool,
    above: Mutex<Option<Above>>,
}

/// A line of `--json`.
#[derive(Serialize)]
struct Said<'a> {
    from: &'static str,
    text: &'a str,
}

impl Screen {
    pub(super) fn new(json: bool) -> Self {
        let shared =
            Shared { open: AtomicBool::new(false), busy: AtomicBool::new(false), above: Mutex::new(None) };
        Self { json, paint: Paint::stdout(), shared: Arc::new(shared) }
    }

    /// Begins to show the conversation, above the typed line if there is one.
    pub(super) fn open(&self, above: Option<Above>) {
        *self.shared.above.lock().unwrap_or_else(PoisonError::into_inner) = above;
        self.shared.open.store(true, Ordering::Relaxed);
    }

    /// A command has been sent, or has got its answer.
    pub(super) fn set_busy(&self, busy: bool) {
        self.shared.busy.store(busy, Ordering::Relaxed);
    }

    /// A failure that does not end the console: on stderr, or above the typed line.
    pub(super) fn complain(&self, failure: &Failure) {
        let line = format!("mqttat: {failure}");
        let mut above = self.shared.above.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *above {
            Some(above) => above(format!("{}\n", self.paint.bad(line))),
            None => {
                // Without stderr nobody wants to know.
                let _ = writeln!(std::io::stderr(), "{line}");
            }
        }
    }

    /// A line for people.
    pub(super) fn print(&self, line: &str) {
        let mut above = self.shared.above.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *above {
            Some(above) => above(format!("{line}\n")),
            None => {
                // A reader that is gone is noticed when it stops writing.
                let _ = output::print(|out| writeln!(out, "{line}"));
            }
        }
    }

    fn show(&self, speaker: Speaker, text: &str) {
        if self.json {
            let from = match speaker {
                Speaker::Host => "host",
                Speaker::Module => "module",
                Speaker::Note => "note",
            };
            // Objects of two strings can be written.
            return self.print(&serde_json::to_string(&Said { from, text }).unwrap_or_default());
        }
        match speaker {
            // It stands there, typed.
            Speaker::Host => {}
            Speaker::Module if self.shared.busy.load(Ordering::Relaxed) => self.print(text),
            Speaker::Module => self.print(&self.paint.host(text).to_string()),
            Speaker::Note => self.print(&self.paint.module(format_args!("# {text}")).to_string()),
        }
    }
}

impl Tap for Screen {
    fn note(&mut self, entry: TapEntry<'_>) {
        if !self.shared.open.load(Ordering::Relaxed) || matches!(entry, TapEntry::Echo(_)) {
            return;
        }
        let (speaker, text) = line_of(entry);
        match entry {
            // Not typed by anybody: the link is being proven.
            TapEntry::Probe(_) => self.show(Speaker::Note, &format!("a late answer: asking {text}")),
            _ => self.show(speaker, &text),
        }
    }
}
