//! What is going on, for a person who waits.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mqtt_at::Step;

/// A line on stderr that appears when something takes a while, and only on a terminal.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    spinner: Option<ProgressBar>,
}

/// What takes less is not worth a line.
const PATIENCE: Duration = Duration::from_secs(2);

impl Progress {
    /// `logging` says that stderr is in use for the log. Needs a runtime.
    pub(crate) fn start(logging: bool) -> Self {
        if logging || !std::io::stderr().is_terminal() {
            return Self { spinner: None };
        }
        let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{spinner} {msg} ({elapsed})");
        spinner.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        let shown = spinner.clone();
        tokio::spawn(async move {
            tokio::time::sleep(PATIENCE).await;
            if !shown.is_finished() {
                shown.set_draw_target(ProgressDrawTarget::stderr());
                shown.enable_steady_tick(Duration::from_millis(120));
            }
        });
        Self { spinner: Some(spinner) }
    }

    /// A step has begun.
    pub(crate) fn step(&self, step: &Step) {
        if let Some(spinner) = &self.spinner {
            spinner.set_message(words(step));
        }
    }

    /// Takes the line away while something else is printed.
    pub(crate) fn hide_for(&self, print: impl FnOnce()) {
        match &self.spinner {
            Some(spinner) => spinner.suspend(print),
            None => print(),
        }
    }

    /// Takes the line away for good, before anything else is printed.
    pub(crate) fn done(&self) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
    }
}

fn words(step: &Step) -> String {
    match step {
        Step::Synchronise => "waiting for the module to answer (up to 40 s after power-on)".to_owned(),
        Step::Identify => "asking the module who it is".to_owned(),
        Step::Sim => "waiting for the SIM".to_owned(),
        Step::Register(status) => format!("waiting for the registration: {status}"),
        Step::Activate => "activating the data connection".to_owned(),
        Step::CleanUp => "closing what an earlier program left open".to_owned(),
        Step::Upload { file, bytes } => format!("sending {file} to the module ({bytes} bytes)"),
        Step::OpenNetwork => "opening the connection to the broker".to_owned(),
        Step::Connect => "waiting for the broker to accept the client".to_owned(),
        _ => "working".to_owned(),
    }
}
