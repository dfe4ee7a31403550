//! The flows around connecting: the MQTT service, cleaning up, the data connection, taking leave.

use std::time::Duration;

use at_port::{Lane, Operation, OperationError};

use super::commands::{
    CgAuth, CgSockCont, CmqttAccq, CmqttDisc, CmqttRel, CmqttStart, CmqttStop, ResultCode, result_of,
};
use super::facts;
use super::service::Service;
use crate::command::Command;
use crate::common::{ActivatePdp, DefinePdpContext, PdpAddress, PdpType};
use crate::dialect::{Connecting, ModemPort, ask, if_at_all, if_possible};
use crate::error::{Error, NetworkError, Outcome, Result};
use crate::options::{ModemOptions, Pdp};

/// The PDP context that the MQTT service uses [A7600 MQTT 1.00 §3].
const PDP_CONTEXT: u8 = 1;

/// Between stopping the service and starting it again; 0.8 to 2.2 s were seen to be enough.
const RESTART_PAUSE: Duration = Duration::from_millis(2500);

/// Disconnects and releases what a former host left, and stops the service, so that it starts anew on whatever data
/// connection there will be.
pub(super) async fn close_former(port: &ModemPort, service: &Service) -> Result<()> {
    let lane = Lane::CONTROL;
    // A module whose service is not started refuses all its queries.
    let Some(clients) = if_possible(ask(port, lane, CmqttDisc::read()).await)? else { return Ok(()) };
    for client in clients.iter().filter(|it| it.connected).map(|it| it.client) {
        tracing::info!(client, "disconnecting a client that a former host left connected");
        if_at_all(ask(port, lane, CmqttDisc::new(client)).await)?;
    }
    for client in facts::CLIENTS {
        if_at_all(release(port, client).await)?;
    }
    if_at_all(ask(port, lane, CmqttStop).await)?;
    service.set_running(false);
    Ok(())
}

/// Whether a client is connected to its broker; `None` if the answer does not tell, because its line was lost. A module
/// whose service does not run refuses the question.
pub(super) async fn is_connected(port: &ModemPort, index: u8, service: &Service) -> Result<Option<bool>> {
    match ask(port, Lane::CONTROL, CmqttDisc::read()).await {
        Ok(clients) => Ok(clients.iter().find(|it| it.client == index).map(|it| it.connected)),
        Err(Error::Module(_)) => {
            service.set_running(false);
            Ok(Some(false))
        }
        Err(Error::Unreadable { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Stops the service, deactivates the PDP context and activates it again.
pub(super) async fn renew(port: &ModemPort, options: &ModemOptions, service: &Service) -> Result<()> {
    close_former(port, service).await?;
    if_at_all(ask(port, Lane::COMMON, ActivatePdp { cid: PDP_CONTEXT, active: false }).await)?;
    activate(port, options).await
}

/// Makes sure that the PDP context has an address. One that has is used as it is.
pub(super) async fn activate(port: &ModemPort, options: &ModemOptions) -> Result<()> {
    let refused = set_access_point(port, &options.pdp).await?;
    // Where the firmware does not tell, the MQTT service will.
    if has_address(port).await? != Some(false) {
        return Ok(());
    }
    let activation = ask(port, Lane::COMMON, ActivatePdp { cid: PDP_CONTEXT, active: true }).await;
    let activation = match activation {
        Ok(()) => None,
        Err(Error::Module(refusal)) => Some(refusal.meaning),
        Err(error) => return Err(error),
    };
    // Activating what is active may be refused, too.
    if has_address(port).await? == Some(true) {
        return Ok(());
    }
    let reason = activation.or(refused.map(Into::into)).unwrap_or("the module got no address".into());
    Err(NetworkError::Pdp { reason }.into())
}

/// Gives the module the access point name in both of its commands: models differ in which one counts. Says what the
/// module did not take.
async fn set_access_point(port: &ModemPort, pdp: &Pdp) -> Result<Option<&'static str>> {
    let Some(apn) = &pdp.apn else { return Ok(None) };
    let lane = Lane::COMMON;
    let context = DefinePdpContext::new(PDP_CONTEXT, PdpType::Ipv4, apn);
    let defined = if_possible(ask(port, lane, context).await)?;
    let socket = CgSockCont::new(PDP_CONTEXT, PdpType::Ipv4, apn);
    let defined = defined.or(if_possible(ask(port, lane, socket).await)?);
    if defined.is_none() {
        return Ok(Some("the module refused the access point name"));
    }
    let Some((user, password)) = &pdp.credentials else { return Ok(None) };
    let taken = if_possible(ask(port, lane, CgAuth::new(PDP_CONTEXT, user, password.clone())).await)?;
    Ok(taken.is_none().then_some("the module refused the user name and password of the access point"))
}

/// Whether the context has an address; `None` if the firmware does not tell.
async fn has_address(port: &ModemPort) -> Result<Option<bool>> {
    let contexts = if_possible(ask(port, Lane::COMMON, PdpAddress::all()).await)?;
    let is_usable = |it: &crate::common::PdpAddresses| it.cid == PDP_CONTEXT && !it.addresses.is_empty();
    Ok(contexts.map(|contexts| contexts.iter().any(is_usable)))
}

/// Starts the MQTT service, unless it is running.
pub(super) async fn start(context: &Connecting<'_>, service: &Service) -> Result<()> {
    let lane = Lane::client(context.index);
    let _turn = service.turn().await;
    if service.is_running() {
        return Ok(());
    }
    if let Err(failure) = start_once(context).await? {
        tracing::info!(%failure, "the MQTT service did not start; stopping it before the next try");
        for client in facts::CLIENTS {
            if_at_all(ask(context.port, lane, CmqttRel::new(client)).await)?;
        }
        if_at_all(ask(context.port, lane, CmqttStop).await)?;
        tokio::time::sleep(RESTART_PAUSE).await;
        start_once(context).await??;
    }
    service.set_running(true);
    Ok(())
}

/// The inner result says whether the service runs now.
async fn start_once(context: &Connecting<'_>) -> Result<Result<()>> {
    let lane = Lane::client(context.index);
    let code = match context.port.run(CmqttStart.operation()?.lane(lane)).await {
        Ok(reply) => match result_of(&reply) {
            Ok(code) => code,
            Err(_) => return Err(Error::Unreadable { command: "AT+CMQTTSTART".to_owned() }),
        },
        Err(OperationError::Refused(refusal)) => match facts::code_of(&refusal) {
            Some(code) => ResultCode::new(code),
            // The manual's way to say that it runs already; but modules that cannot start it refuse in the same way.
            None if is_running(context).await? => return Ok(Ok(())),
            None => return Ok(Err(OperationError::Refused(refusal).into())),
        },
        Err(error) => return Err(error.into()),
    };
    if code.is_success() || code == ResultCode::STARTED_ALREADY {
        return Ok(Ok(()));
    }
    let refused = facts::refused("AT+CMQTTSTART", code.number(), Outcome::NotSent);
    Ok(Err(match code.number() {
        7 => NetworkError::Pdp { reason: refused.meaning }.into(),
        _ => refused.into(),
    }))
}

/// Whether the service runs: queries are refused unless it does [A7600 MQTT 1.00 §2.1.1].
async fn is_running(context: &Connecting<'_>) -> Result<bool> {
    match ask(context.port, Lane::client(context.index), CmqttAccq::read()).await {
        Ok(_) | Err(Error::Unreadable { .. }) => Ok(true),
        Err(Error::Module(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Says farewell to the broker and releases the client.
pub(super) async fn disconnect(port: &ModemPort, index: u8) -> Result<()> {
    let command = CmqttDisc::new(index);
    let code = match port.run(command.operation()?.lane(Lane::CONTROL)).await {
        // The connection ended while the result was awaited.
        Err(OperationError::Released { .. }) => Ok(0),
        Ok(reply) => match result_of(&reply) {
            Ok(code) => Ok(code.number()),
            Err(_) => Err(Error::Unreadable { command: "AT+CMQTTDISC".to_owned() }),
        },
        Err(OperationError::Refused(refusal)) => {
            facts::code_of(&refusal).ok_or_else(|| OperationError::Refused(refusal).into())
        }
        Err(error) => Err(error.into()),
    };
    close(port, index).await;
    match code? {
        // It is not connected any more.
        0 | 11 => Ok(()),
        code => Err(facts::refused("AT+CMQTTDISC", code, Outcome::NotSent).into()),
    }
}

/// Releases a client, which is disconnected first if the module will not have it otherwise. What the module refuses
/// is no matter.
pub(super) async fn close(port: &ModemPort, index: u8) {
    if let Err(error) = release(port, index).await {
        tracing::debug!(client = index, %error, "the client was not released");
    }
}

async fn release(port: &ModemPort, index: u8) -> Result<()> {
    let lane = Lane::CONTROL;
    match port.run(CmqttRel::new(index).operation()?.lane(lane)).await {
        Ok(_) => return Ok(()),
        Err(OperationError::Refused(refusal)) if facts::code_of(&refusal) == Some(NOT_ACQUIRED) => {
            return Ok(());
        }
        Err(OperationError::Refused(_)) => {}
        Err(error) => return Err(error.into()),
    }
    if_at_all(ask(port, lane, CmqttDisc::new(index)).await)?;
    ask(port, lane, CmqttRel::new(index)).await
}

/// The client that is to be released is free already.
const NOT_ACQUIRED: i64 = 20;

/// A farewell for whose result nobody waits. The client is released before its next use.
pub(super) fn farewell(index: u8) -> Operation {
    let steps = CmqttDisc::new(index).exchange().ok();
    Operation::sequence(steps).lane(Lane::CONTROL)
}

#[cfg(test)]
mod tests;
