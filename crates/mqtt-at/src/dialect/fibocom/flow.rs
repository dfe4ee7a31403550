//! The flows around connecting: cleaning up, the data connection, taking leave.

use std::borrow::Cow;
use std::time::Duration;

use at_port::{Lane, Operation, OperationError};
use tokio::time::{Instant, sleep};

use super::commands::{DataCall, MipCall, MqttClose, MqttConf, MqttOpen, Reports, Status, status};
use super::facts;
use super::sessions::Sessions;
use crate::command::Command;
use crate::common::{DefinePdpContext, PdpAddress, PdpType};
use crate::dialect::{ModemPort, ask, attach_if_needed, if_possible};
use crate::error::{Error, NetworkError, Result};
use crate::options::{ModemOptions, Pdp};

/// The PDP context that MQTT uses: the one that modules activate by themselves.
const PDP_CONTEXT: u8 = 1;
/// The time between two questions for the address.
const POLL: Duration = Duration::from_secs(1);
/// How long a module that has dialled may take to get its address.
const ADDRESS_PATIENCE: Duration = Duration::from_secs(30);
/// The same after it refused to dial, which it does when it has a data connection.
const REFUSED_PATIENCE: Duration = Duration::from_secs(3);
/// How long a module that has dialled is believed when it says that there is no data connection.
const SETTLE: Duration = Duration::from_secs(5);

/// Closes what a former host left open.
pub(super) async fn close_former(port: &ModemPort) -> Result<()> {
    let free = if_possible(ask(port, Lane::COMMON, MqttOpen::read()).await)?;
    for client in facts::CLIENTS {
        if free.as_ref().is_some_and(|free| free.contains(&client)) {
            continue;
        }
        if free.is_some() {
            tracing::info!(client, "closing a client that a former host left open");
        }
        shut(port, client).await;
    }
    Ok(())
}

/// Has messages reported by their lengths. Firmware that cannot do that can still publish.
pub(super) async fn count_messages(port: &ModemPort, lane: Lane, sessions: &Sessions) -> Result<()> {
    let accepted = if_possible(ask(port, lane, MqttConf::new(Reports::Lengths)).await)?.is_some();
    if !accepted {
        tracing::warn!("the firmware cannot report messages by their lengths, so none can be received");
    }
    sessions.set_counted(accepted);
    Ok(())
}

/// Makes sure that there is a data connection with an address.
pub(super) async fn activate(port: &ModemPort, options: &ModemOptions, sessions: &Sessions) -> Result<()> {
    sessions.set_pdp(options.pdp.clone());
    let call = data_call(port, Lane::COMMON).await?;
    if call.is_some_and(|call| call.active) && has_address(port, Lane::COMMON, call).await? == Some(true) {
        return Ok(());
    }
    dial(port, Lane::COMMON, &options.pdp, sessions).await
}

/// Dials again if the data connection that was made here is known to be gone: a module that reboots loses it.
pub(super) async fn revive(port: &ModemPort, lane: Lane, sessions: &Sessions) -> Result<()> {
    let Some(pdp) = sessions.pdp() else { return Ok(()) };
    if data_call(port, lane).await?.is_none_or(|call| call.active) {
        return Ok(());
    }
    tracing::info!("the data connection is gone; dialling again");
    dial(port, lane, &pdp, sessions).await
}

/// Ends the data connection. What the module refuses is no matter.
pub(super) async fn hang_up(port: &ModemPort) -> Result<()> {
    if_possible(ask(port, Lane::COMMON, MipCall::hang_up()).await).map(drop)
}

/// Dials, and dials again if the module was not attached to the data service.
async fn dial(port: &ModemPort, lane: Lane, pdp: &Pdp, sessions: &Sessions) -> Result<()> {
    match dial_once(port, lane, pdp, sessions).await {
        Err(Error::Network(_)) if attach_if_needed(port, lane).await? => {
            dial_once(port, lane, pdp, sessions).await
        }
        outcome => outcome,
    }
}

/// Dials, and waits for the address.
async fn dial_once(port: &ModemPort, lane: Lane, pdp: &Pdp, sessions: &Sessions) -> Result<()> {
    sessions.set_dialled(false);
    let refusal = match ask_for_call(port, lane, pdp).await {
        Ok(()) => None,
        Err(Error::Module(refusal)) => Some(refusal),
        Err(error) => return Err(error),
    };
    let start = Instant::now();
    let patience = if refusal.is_some() { REFUSED_PATIENCE } else { ADDRESS_PATIENCE };
    loop {
        let call = data_call(port, lane).await?;
        // The context may have an address from the registration, while the module is still dialling.
        let is_dialling =
            refusal.is_none() && call.is_some_and(|call| !call.active) && start.elapsed() < SETTLE;
        if sessions.dialled() {
            return Ok(());
        }
        let has_address = if is_dialling { Some(false) } else { has_address(port, lane, call).await? };
        if has_address == Some(true) {
            return Ok(());
        }
        if start.elapsed() >= patience {
            if has_address.is_none() {
                // A module that has a data connection refuses to dial, too: connecting will show whether there is one.
                tracing::warn!("the module tells nothing of its data connection");
                return Ok(());
            }
            let reason =
                refusal.map_or(Cow::Borrowed("the module got no address"), |refusal| refusal.meaning);
            return Err(NetworkError::Pdp { reason }.into());
        }
        sleep(POLL).await;
    }
}

async fn ask_for_call(port: &ModemPort, lane: Lane, pdp: &Pdp) -> Result<()> {
    let Some(apn) = &pdp.apn else { return ask(port, lane, MipCall::dial()).await };
    // Some modules dial with the name in the command, others with the one of the context.
    if_possible(ask(port, lane, DefinePdpContext::new(PDP_CONTEXT, PdpType::Ipv4, apn)).await)?;
    let mut command = MipCall::dial_to(apn);
    if let Some((user, password)) = &pdp.credentials {
        command = command.credentials(user, password.clone());
    }
    ask(port, lane, command).await
}

/// The data connection as the module sees it; `None` if it does not tell.
pub(super) async fn data_call(port: &ModemPort, lane: Lane) -> Result<Option<DataCall>> {
    if_possible(ask(port, lane, MipCall::read()).await)
}

/// Whether there is an address, here or in the PDP context. A module that tells none may still say that there is a data
/// connection; `None` if it says nothing at all.
async fn has_address(port: &ModemPort, lane: Lane, call: Option<DataCall>) -> Result<Option<bool>> {
    if call.is_some_and(|call| call.address.is_some()) {
        return Ok(Some(true));
    }
    let contexts = if_possible(ask(port, lane, PdpAddress::of(PDP_CONTEXT)).await)?;
    let has_one = contexts.map(|all| all.iter().any(|it| it.cid == PDP_CONTEXT && !it.addresses.is_empty()));
    Ok(has_one.or_else(|| call.map(|call| call.active)))
}

/// Says farewell to the broker. A refusal is a failure only as long as there is a connection.
pub(super) async fn disconnect(port: &ModemPort, index: u8) -> Result<()> {
    let command = MqttClose::new(index);
    let error = match port.run(command.operation()?.lane(Lane::CONTROL)).await {
        // The connection ended while the result was awaited.
        Err(OperationError::Released { .. }) => return Ok(()),
        Err(OperationError::Refused(refusal)) => {
            command.explain(&refusal).unwrap_or_else(|| OperationError::Refused(refusal).into())
        }
        Err(error) => return Err(error.into()),
        Ok(reply) => match status(&reply) {
            Ok(Status::Success) => return Ok(()),
            Ok(Status::Failure) => facts::failed("AT+MQTTCLOSE").into(),
            Err(_) => Error::Unreadable { command: "AT+MQTTCLOSE".to_owned() },
        },
    };
    if is_free(port, index).await? == Some(true) { Ok(()) } else { Err(error) }
}

/// Whether a client has no connection; `None` if the module does not tell.
pub(super) async fn is_free(port: &ModemPort, index: u8) -> Result<Option<bool>> {
    let free = if_possible(ask(port, Lane::CONTROL, MqttOpen::read()).await)?;
    Ok(free.map(|free| free.contains(&index)))
}

/// Closes the connection of a client, if it has one. What the module refuses is no matter.
pub(super) async fn close(port: &ModemPort, index: u8) {
    match is_free(port, index).await {
        Ok(Some(true)) | Err(_) => {}
        Ok(_) => shut(port, index).await,
    }
}

/// Closes a client that is in use although it may be listed as free, such as one that is still connecting.
pub(super) async fn shut(port: &ModemPort, index: u8) {
    if let Err(error) = ask(port, Lane::CONTROL, MqttClose::new(index)).await {
        tracing::debug!(client = index, %error, "the client was not closed");
    }
}

/// A farewell for whose result nobody waits.
pub(super) fn farewell(index: u8) -> Operation {
    Operation::from(MqttClose::new(index).exchange()).lane(Lane::CONTROL)
}

#[cfg(test)]
mod tests;
