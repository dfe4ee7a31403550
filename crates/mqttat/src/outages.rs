//! Outages that pass, told on stderr to the person who waits.

use std::io::Write;

use mqtt_at::{Client, Event};
use tokio::sync::broadcast::error::RecvError;

use crate::failure::Failure;

/// Tells of each loss and of each return. Never done while the connection is made again; without that the loss is told
/// by whatever fails for it.
pub(crate) async fn tell(client: &Client) -> Result<(), Failure> {
    let mut events = client.events();
    let mut is_lost = false;
    loop {
        let line = match events.recv().await {
            Ok(Event::Reconnecting { attempt: 1, .. }) => {
                is_lost = true;
                "the connection is lost; connecting again".to_owned()
            }
            Ok(Event::ReconnectFailed { reason }) => format!("not connected yet: {reason}"),
            Ok(Event::Connected) if is_lost => {
                is_lost = false;
                "connected again".to_owned()
            }
            Ok(event @ Event::SubscriptionChanged { granted: None, .. }) => event.to_string(),
            Ok(_) | Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => std::future::pending().await,
        };
        // Without stderr nobody wants to know.
        let _ = writeln!(std::io::stderr(), "mqttat: {line}");
    }
}
