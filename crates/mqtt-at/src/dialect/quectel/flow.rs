//! The flows around connecting: cleaning up, the data connection, taking leave.

use std::borrow::Cow;

use at_codec::CommandLine;
use at_port::{Exchange, Lane, Operation, OperationError};

use super::commands::{
    Authentication, CloseResult, ConnectionState, QiAct, QiCsgp, QiDeact, QiGetError, QmtClose, QmtConn,
    QmtDisc, QmtOpen, StackError,
};
use super::facts::{self, timeout};
use crate::command::Command;
use crate::common::{ActivatePdp, DefinePdpContext, PdpAddress, PdpType};
use crate::dialect::{ModemPort, ask, if_at_all, if_possible};
use crate::error::{Error, NetworkError, Result};
use crate::options::{ModemOptions, Pdp};

/// The PDP context that MQTT uses: the one that modules activate by themselves.
pub(super) const PDP_CONTEXT: u8 = 1;

/// Has reports come out of every port of the module: some send them to a single one, and on another no result of MQTT
/// would ever be heard. Firmware that does not know the command, or this value, is left as it is.
pub(super) async fn hear_reports(port: &ModemPort) -> Result<()> {
    let line = CommandLine::write("+QURCCFG").literal("urcport").literal("all").finish();
    let everywhere = Exchange::new(line).timeout(timeout::SETTING);
    if if_possible(port.run(everywhere).await.map_err(Error::from))?.is_none() {
        tracing::debug!("the firmware does not let reports come out of every port");
    }
    Ok(())
}

/// Closes what a former host left open.
pub(super) async fn close_former(port: &ModemPort) -> Result<()> {
    // Without a connection some firmware refuses these queries instead of answering with nothing.
    let connected = if_possible(ask(port, Lane::COMMON, QmtConn::read()).await)?.unwrap_or_default();
    for (client, _) in connected {
        tracing::info!(client, "disconnecting a client that a former host left connected");
        if_at_all(disconnect(port, client).await)?;
    }
    let open = if_possible(ask(port, Lane::COMMON, QmtOpen::read()).await)?.unwrap_or_default();
    for network in open {
        tracing::info!(client = network.client, "closing a client that a former host left open");
        if_at_all(ask(port, Lane::CONTROL, QmtClose::new(network.client)).await)?;
    }
    Ok(())
}

/// Whether a client is connected to its broker. One that is not listed has no connection at all.
pub(super) async fn is_connected(port: &ModemPort, index: u8) -> Result<Option<bool>> {
    let clients = if_possible(ask(port, Lane::CONTROL, QmtConn::read()).await)?;
    let is_this =
        |(client, state): &(u8, ConnectionState)| *client == index && *state == ConnectionState::Connected;
    Ok(clients.map(|clients| clients.iter().any(is_this)))
}

/// Deactivates the PDP context and activates it again.
pub(super) async fn renew(port: &ModemPort, options: &ModemOptions) -> Result<()> {
    if if_possible(ask(port, Lane::COMMON, QiDeact::new(PDP_CONTEXT)).await)?.is_none() {
        if_possible(ask(port, Lane::COMMON, ActivatePdp { cid: PDP_CONTEXT, active: false }).await)?;
    }
    activate(port, options).await
}

/// Makes sure that the PDP context is active and has an address.
pub(super) async fn activate(port: &ModemPort, options: &ModemOptions) -> Result<()> {
    // A refusal may mean that the context is active already; what counts is whether it has an address afterwards.
    let set_up = if_possible(set_access_point(port, &options.pdp).await)?;
    let Some(active) = has_address(port).await? else {
        return activate_by_standard(port, &options.pdp).await;
    };
    if active {
        return Ok(());
    }
    let refusal = match ask(port, Lane::COMMON, QiAct::new(PDP_CONTEXT)).await {
        Ok(()) => None,
        Err(Error::Module(refusal)) => Some(refusal),
        Err(error) => return Err(error),
    };
    // Activating what is active is refused, too.
    if has_address(port).await? == Some(true) {
        return Ok(());
    }
    let reason: Cow<'static, str> = match (if_possible(ask(port, Lane::COMMON, QiGetError).await)?, refusal) {
        (Some(StackError { code, text }), _) if code != 0 => format!("{text} (code {code})").into(),
        (_, Some(refusal)) => refusal.meaning.clone(),
        (_, None) if set_up.is_none() => "the module refused the access point name".into(),
        (_, None) => "the module got no address".into(),
    };
    Err(NetworkError::Pdp { reason }.into())
}

async fn set_access_point(port: &ModemPort, pdp: &Pdp) -> Result<()> {
    let Some(apn) = &pdp.apn else { return Ok(()) };
    let mut command = QiCsgp::new(PDP_CONTEXT, apn);
    if let Some((user, password)) = &pdp.credentials {
        command = command.credentials(user, password.clone(), Authentication::Pap);
    }
    ask(port, Lane::COMMON, command).await
}

/// Whether the context is active; `None` if the firmware does not know the query.
async fn has_address(port: &ModemPort) -> Result<Option<bool>> {
    let contexts = if_possible(ask(port, Lane::COMMON, QiAct::read()).await)?;
    let is_usable = |contexts: Vec<super::commands::PdpAddress>| {
        contexts.iter().any(|it| it.context == PDP_CONTEXT && it.active && it.address.is_some())
    };
    Ok(contexts.map(is_usable))
}

/// The same with the commands of 3GPP TS 27.007, for firmware without `AT+QIACT`.
async fn activate_by_standard(port: &ModemPort, pdp: &Pdp) -> Result<()> {
    if let Some(apn) = &pdp.apn {
        if_possible(ask(port, Lane::COMMON, DefinePdpContext::new(PDP_CONTEXT, PdpType::Ipv4, apn)).await)?;
    }
    if_possible(ask(port, Lane::COMMON, ActivatePdp { cid: PDP_CONTEXT, active: true }).await)?;
    let Some(addresses) = if_possible(ask(port, Lane::COMMON, PdpAddress::of(PDP_CONTEXT)).await)? else {
        // It activates the context by itself, and then tells if it cannot [EC200x MQTT 1.0 §3.2.2].
        tracing::warn!("the firmware does not tell whether there is a data connection; connecting will");
        return Ok(());
    };
    if addresses.iter().any(|it| it.cid == PDP_CONTEXT && !it.addresses.is_empty()) {
        return Ok(());
    }
    Err(NetworkError::Pdp { reason: "the module got no address".into() }.into())
}

/// Says farewell to the broker. The network connection is closed with it: a `AT+QMTCLOSE` after it may stay without
/// its result for ever, so it is sent only when the farewell fails.
pub(super) async fn disconnect(port: &ModemPort, index: u8) -> Result<()> {
    let command = QmtDisc::new(index);
    let error = match port.run(command.operation()?.lane(Lane::CONTROL)).await {
        // The connection ended while the result was awaited.
        Err(OperationError::Released { .. }) => return Ok(()),
        Err(error) => error.into(),
        Ok(reply) => match command.read(&reply) {
            Ok(CloseResult::Closed) => return Ok(()),
            Ok(CloseResult::Failed(code)) => facts::refused("AT+QMTDISC", facts::CLOSE_RESULTS, code).into(),
            Err(_) => Error::Unreadable { command: "AT+QMTDISC".to_owned() },
        },
    };
    close(port, index).await;
    Err(error)
}

/// Closes the network connection of a client, if it has one. What the module refuses is no matter.
pub(super) async fn close(port: &ModemPort, index: u8) {
    match ask(port, Lane::CONTROL, QmtOpen::read()).await {
        Ok(open) if open.iter().any(|network| network.client == index) => shut(port, index).await,
        Err(Error::Module(_) | Error::Unreadable { .. }) => shut(port, index).await,
        _ => {}
    }
}

/// Closes a client that is in use although it may not be listed as open, such as one that is still connecting.
pub(super) async fn shut(port: &ModemPort, index: u8) {
    if let Err(error) = ask(port, Lane::CONTROL, QmtClose::new(index)).await {
        tracing::debug!(client = index, %error, "the client was not closed");
    }
}

/// A farewell for whose result nobody waits.
pub(super) fn farewell(index: u8) -> Operation {
    let line = CommandLine::write("+QMTDISC").integer(index).finish();
    Operation::from(Exchange::new(line).timeout(timeout::ACCEPTED)).lane(Lane::CONTROL)
}

#[cfg(test)]
mod tests;
