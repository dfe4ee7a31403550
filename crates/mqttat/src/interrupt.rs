//! Ctrl-C and its relatives.

use mqtt_at::Client;

/// Returns when the user wants the program to end. From the first call on Ctrl-C does nothing else.
pub(crate) async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        // Without signals the program ends as the system ends it.
        std::future::pending::<()>().await;
    }
}

/// Disconnects, unless the user does not want to wait for that.
pub(crate) async fn farewell(client: &Client) {
    tokio::select! {
        outcome = client.disconnect() => {
            if let Err(error) = outcome {
                tracing::warn!(%error, "the farewell failed");
            }
        }
        () = interrupted() => {}
    }
}
