//! Ctrl-C and its relatives.

use std::time::Duration;

use mqtt_at::Client;

/// Supervisors often signal the process and its group: within this time that is one wish, not two.
const ONE_WISH: Duration = Duration::from_secs(1);

/// Hears when the user wants the program to end. From its beginning on Ctrl-C does nothing else.
#[derive(Debug)]
pub(crate) struct Interrupt {
    #[cfg(unix)]
    signals: Option<[tokio::signal::unix::Signal; 2]>,
}

impl Interrupt {
    /// Begins to listen. Needs a runtime.
    #[cfg(unix)]
    pub(crate) fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let signals =
            signal(SignalKind::interrupt()).and_then(|one| Ok([one, signal(SignalKind::terminate())?]));
        // Without signals the program ends as the system ends it.
        Self { signals: signals.ok() }
    }

    /// Begins to listen. Needs a runtime.
    #[cfg(not(unix))]
    pub(crate) fn listen() -> Self {
        Self {}
    }

    /// Returns when the program is to end.
    #[cfg(unix)]
    pub(crate) async fn wait(&mut self) {
        let Some([interrupt, terminate]) = &mut self.signals else { return std::future::pending().await };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    }

    /// Returns when the program is to end.
    #[cfg(not(unix))]
    pub(crate) async fn wait(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Disconnects, unless the user does not want to wait for that.
pub(crate) async fn farewell(client: &Client) {
    let enough = async {
        tokio::time::sleep(ONE_WISH).await;
        Interrupt::listen().wait().await;
    };
    tokio::select! {
        outcome = client.disconnect() => {
            if let Err(error) = outcome {
                tracing::warn!(%error, "the farewell failed");
            }
        }
        () = enough => {}
    }
}
