//! Asking ports who is behind them.

use std::error::Error as _;
use std::io::IsTerminal;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mqtt_at::at::PortError;
use mqtt_at::{Error, Identity, Modem};
use serde::Serialize;

use super::Port;
use crate::command::Context;
use crate::device;

/// Who is behind a port, or why that is not known.
#[derive(Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Finding {
    Module {
        vendor: Option<String>,
        manufacturer: Option<String>,
        model: Option<String>,
        revision: Option<String>,
        imei: Option<String>,
    },
    Problem(String),
}

/// Asks all of them at the same time: they are lines of their own.
pub(super) async fn all(ports: &mut [Port], wait: Duration, context: &Context) {
    let bar = bar(ports.len(), context);
    let mut answers: FuturesUnordered<_> = ports
        .iter_mut()
        .map(|port| async {
            let options = device::line_options(&context.global, wait);
            let answer = Modem::probe(&port.port, options).await;
            port.behind = Some(match answer {
                Ok(identity) => Finding::of(&identity),
                Err(error) => Finding::Problem(problem(&error)),
            });
        })
        .collect();
    while answers.next().await.is_some() {
        bar.inc(1);
    }
    bar.finish_and_clear();
}

/// The reason alone: which port it is, and that it was to be opened, stands above it.
fn problem(error: &Error) -> String {
    match error {
        Error::Port { error: PortError::Unresponsive { heard_anything: true, .. }, .. } => {
            "something answers, but not to AT commands".to_owned()
        }
        Error::Port { error: PortError::Unresponsive { .. }, .. } => "does not answer".to_owned(),
        other => other.source().map_or_else(|| other.to_string(), ToString::to_string),
    }
}

fn bar(ports: usize, context: &Context) -> ProgressBar {
    let shown = std::io::stderr().is_terminal() && !context.is_logging;
    let target = if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(ports as u64), target);
    let style = ProgressStyle::with_template("asking {len} ports [{bar:30}] {pos} have answered or given up");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.tick();
    bar
}

impl Finding {
    fn of(identity: &Identity) -> Self {
        Self::Module {
            vendor: identity.vendor().map(|vendor| vendor.to_string()),
            manufacturer: identity.manufacturer.clone(),
            model: identity.model.clone(),
            revision: identity.revision.clone(),
            imei: identity.imei.map(|imei| imei.to_string()),
        }
    }

    /// For people.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Module { vendor, manufacturer, model, revision, .. } => {
                let vendor = vendor.as_deref().unwrap_or("an unknown vendor");
                let said = [manufacturer, model, revision].into_iter().flatten().map(String::as_str);
                format!("{vendor}: {}", said.collect::<Vec<_>>().join(" "))
            }
            Self::Problem(problem) => format!("- {problem}"),
        }
    }
}
