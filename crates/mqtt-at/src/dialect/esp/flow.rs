//! The flows around connecting: cleaning up, the network, taking leave.

use std::time::Duration;

use at_port::{Lane, Operation};
use tokio::time::{Instant, sleep};

use super::commands::{CipSta, ConnectionState, MqttClean, MqttConn, SysLog};
use crate::dialect::one_client::Session;
use crate::dialect::{ModemPort, ask, if_possible};
use crate::error::{Error, NetworkError, Result};
use crate::options::ModemOptions;
use crate::vendor::Vendor;

/// How long a module that has just started may take to join the network that it knows.
const ADDRESS_PATIENCE: Duration = Duration::from_secs(15);

/// The time between two questions for the address.
const POLL: Duration = Duration::from_secs(1);

/// Makes refusals tell their reason.
pub(super) async fn explain_refusals(port: &ModemPort) -> Result<()> {
    if_possible(ask(port, Lane::COMMON, SysLog(true)).await).map(drop)
}

/// Frees the client that a former host left.
pub(super) async fn close_former(port: &ModemPort) -> Result<()> {
    if clean(port, Lane::COMMON).await? {
        tracing::info!("freed a client that a former host left");
    }
    Ok(())
}

/// Whether the client is connected; `None` if the module does not tell.
pub(super) async fn is_connected(port: &ModemPort) -> Result<Option<bool>> {
    let state = if_possible(ask(port, Lane::CONTROL, MqttConn::read()).await)?;
    Ok(state.map(ConnectionState::is_connected))
}

/// Frees the client if there is one. What the module refuses is no matter.
pub(super) async fn clean(port: &ModemPort, lane: Lane) -> Result<bool> {
    let state = if_possible(ask(port, lane, MqttConn::read()).await)?;
    if state == Some(ConnectionState::Uninitialised) {
        return Ok(false);
    }
    Ok(if_possible(ask(port, lane, MqttClean).await)?.is_some())
}

/// Makes sure that the module has an address. It joins no network: that is done once, with the module's own commands.
pub(super) async fn activate(port: &ModemPort, options: &ModemOptions) -> Result<()> {
    let is_cellular =
        options.sim_pin.is_some() || options.pdp.apn.is_some() || options.pdp.credentials.is_some();
    if is_cellular {
        return Err(Error::Unsupported {
            what: "an access point name or a PIN",
            vendor: Vendor::Espressif,
            reason: "it is on Wi-Fi, and has no SIM".into(),
        });
    }
    let deadline = Instant::now() + ADDRESS_PATIENCE;
    while ask(port, Lane::COMMON, CipSta).await?.address.is_none() {
        if Instant::now() >= deadline {
            return Err(NetworkError::NotJoined.into());
        }
        sleep(POLL).await;
    }
    Ok(())
}

/// Takes leave of the broker. A refusal is a failure only as long as there is a client.
pub(super) async fn disconnect(port: &ModemPort, session: &Session) -> Result<()> {
    // What is reported from now on is what was asked for.
    session.set_open(false);
    match ask(port, Lane::CONTROL, MqttClean).await {
        Err(refusal @ Error::Module(_)) => {
            match if_possible(ask(port, Lane::CONTROL, MqttConn::read()).await)? {
                Some(state) if !state.is_connected() => Ok(()),
                _ => Err(refusal),
            }
        }
        outcome => outcome,
    }
}

/// Frees the client, if there is one.
pub(super) async fn close(port: &ModemPort, session: &Session) {
    session.set_open(false);
    if let Err(error) = clean(port, Lane::CONTROL).await {
        tracing::debug!(%error, "the client was not closed");
    }
}

/// A farewell for whose result nobody waits.
pub(super) fn farewell(session: &Session) -> Operation {
    session.set_open(false);
    Operation::from(MqttClean::exchange()).lane(Lane::CONTROL)
}

#[cfg(test)]
mod tests;
