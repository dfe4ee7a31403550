//! The flows around connecting: cleaning up, the data connection, taking leave.

use std::borrow::Cow;
use std::time::Duration;

use at_port::{Lane, Operation};
use tokio::time::{Instant, sleep};

use super::commands::{
    CloudDisconn, CloudState, ConnectionState, DataLink, MqttDisconn, MqttState, XgAuth, Xiic,
};
use super::facts::PDP_CONTEXT;
use crate::common::{DefinePdpContext, Iccid, PdpType};
use crate::dialect::one_client::Session;
use crate::dialect::{ModemPort, Presence, ask, attach_if_needed, if_possible};
use crate::error::{Error, NetworkError, Result};
use crate::options::ModemOptions;

/// How long the address may take after `AT+XIIC=1`.
const ADDRESS_PATIENCE: Duration = Duration::from_secs(60);

/// The same where the module refused to dial, perhaps because it is dialling already.
const REFUSED_PATIENCE: Duration = Duration::from_secs(5);

/// The time between two questions for the address.
const POLL: Duration = Duration::from_secs(1);

/// Closes the connection that a former host left open; the module has only one, whether to a broker or to a cloud.
pub(super) async fn close_former(port: &ModemPort) -> Result<()> {
    let state = if_possible(ask(port, Lane::COMMON, MqttState::read()).await)?;
    if state.is_some_and(|state| state != ConnectionState::Closed) {
        tracing::info!("disconnecting a client that a former host left connected");
        if_possible(ask(port, Lane::COMMON, MqttDisconn).await)?;
    }
    // Many modules have no commands for this cloud, and refuse them.
    let state = if_possible(ask(port, Lane::COMMON, CloudState).await)?;
    if state.is_some_and(|state| state != ConnectionState::Closed) {
        tracing::info!("disconnecting a cloud that a former host left connected");
        if_possible(ask(port, Lane::COMMON, CloudDisconn).await)?;
    }
    Ok(())
}

/// Whether there is a connection.
pub(super) async fn presence(port: &ModemPort) -> Result<Presence> {
    let state = if_possible(ask(port, Lane::CONTROL, MqttState::read()).await)?;
    Ok(match state {
        Some(ConnectionState::Established) => Presence::Connected,
        Some(ConnectionState::Closed) => Presence::Gone,
        Some(ConnectionState::Reconnecting(_)) => Presence::Returning,
        None => Presence::Untold,
    })
}

/// Makes sure that the data connection has an address. One that has is used as it is.
pub(super) async fn activate(port: &ModemPort, options: &ModemOptions) -> Result<()> {
    // The manual begins with it [Neoway MQTT 1.2 §2]; that the SIM is ready is known already.
    if let Err(error @ (Error::Port { .. } | Error::Rebooted { .. })) =
        ask(port, Lane::COMMON, Iccid::CCID).await
    {
        return Err(error);
    }
    if has_address(port, Lane::COMMON).await? == Some(true) {
        return Ok(());
    }
    if let Some(apn) = &options.pdp.apn {
        let context = DefinePdpContext::new(PDP_CONTEXT, PdpType::Ipv4, apn);
        ask(port, Lane::COMMON, context).await.map_err(not_attached)?;
        if let Some((user, password)) = &options.pdp.credentials {
            let access = XgAuth::new(user, password.clone());
            if if_possible(ask(port, Lane::COMMON, access).await)?.is_none() {
                // Many networks take anybody; if this one does not, there will be no address.
                tracing::warn!("the module refused user name and password of the access point");
            }
        }
    }
    dial(port, Lane::COMMON).await
}

/// Dials again if the data connection is known to be gone: modules lose it without a word.
pub(super) async fn revive(port: &ModemPort, lane: Lane) -> Result<()> {
    if has_address(port, lane).await? != Some(false) {
        return Ok(());
    }
    tracing::info!("the data connection is gone; dialling again");
    dial(port, lane).await
}

/// Dials, and dials again if the module was not attached to the data service, which the manual wants to see before
/// [Neoway MQTT 1.2 §2, §3].
async fn dial(port: &ModemPort, lane: Lane) -> Result<()> {
    match dial_once(port, lane).await {
        Err(Error::Network(_)) if attach_if_needed(port, lane).await? => dial_once(port, lane).await,
        outcome => outcome,
    }
}

/// Dials, and waits for the address.
async fn dial_once(port: &ModemPort, lane: Lane) -> Result<()> {
    let refusal = match ask(port, lane, Xiic).await {
        Ok(()) => None,
        Err(Error::Module(refusal)) => Some(refusal),
        Err(error) => return Err(error),
    };
    let patience = if refusal.is_some() { REFUSED_PATIENCE } else { ADDRESS_PATIENCE };
    let deadline = Instant::now() + patience;
    loop {
        if has_address(port, lane).await? == Some(true) {
            return Ok(());
        }
        if Instant::now() >= deadline {
            let reason =
                refusal.map_or(Cow::Borrowed("the module got no address"), |refusal| refusal.meaning);
            return Err(NetworkError::Pdp { reason }.into());
        }
        sleep(POLL).await;
    }
}

/// Whether the data connection has an address; `None` if the module does not tell.
pub(super) async fn has_address(port: &ModemPort, lane: Lane) -> Result<Option<bool>> {
    let link = if_possible(ask(port, lane, Xiic::read()).await)?;
    Ok(link.map(|link: DataLink| link.active && link.address.is_some()))
}

fn not_attached(error: Error) -> Error {
    match error {
        Error::Module(refusal) => NetworkError::Pdp { reason: refusal.meaning }.into(),
        error => error,
    }
}

/// Says farewell to the broker. A refusal is a failure only as long as there is a connection.
pub(super) async fn disconnect(port: &ModemPort, session: &Session) -> Result<()> {
    // What is reported from now on is what was asked for.
    session.set_open(false);
    match ask(port, Lane::CONTROL, MqttDisconn).await {
        Err(refusal @ Error::Module(_)) => {
            match if_possible(ask(port, Lane::CONTROL, MqttState::read()).await)? {
                Some(ConnectionState::Closed) => Ok(()),
                _ => Err(refusal),
            }
        }
        outcome => outcome,
    }
}

/// Closes the connection, if there is one. What the module refuses is no matter.
pub(super) async fn close(port: &ModemPort, session: &Session) {
    session.set_open(false);
    match ask(port, Lane::CONTROL, MqttState::read()).await {
        Ok(ConnectionState::Closed) => return,
        Ok(_) | Err(Error::Module(_) | Error::Unreadable { .. }) => {}
        Err(_) => return,
    }
    if let Err(error) = ask(port, Lane::CONTROL, MqttDisconn).await {
        tracing::debug!(%error, "the client was not closed");
    }
}

/// A farewell for whose result nobody waits.
pub(super) fn farewell(session: &Session) -> Operation {
    session.set_open(false);
    Operation::from(MqttDisconn::exchange()).lane(Lane::CONTROL)
}

#[cfg(test)]
mod tests;
