//! How the client connects: parameters, will, CONNECT [Neoway MQTT 1.2 §3].

use std::sync::Arc;

use super::commands::{ConnectionState, MqttConn, MqttConnParam, MqttState, MqttWillParam};
use super::{facts, flow};
use crate::command::Command;
use crate::connect::{ConnectOptions, ProtocolVersion, ReceiveMode, Will};
use crate::dialect::one_client::{self, LANE, Session};
use crate::dialect::{Connecting, ask, if_possible};
use crate::error::{Error, InputError, NetworkError, Result};
use crate::options::Step;
use crate::vendor::Vendor;

/// Checks everything that can be checked before a byte is sent: by building every command.
pub(super) fn check(options: &ConnectOptions) -> Result<()> {
    if let Some(identity) = &options.sign_in {
        let reason = "its commands for that take no host, client identifier, will or retain flag: send CloudHdAuth and \
                      what follows it in mqtt_at::neoway, or compute user name and password, and give them as \
                      credentials";
        return Err(unsupported(identity.what(), reason));
    }
    if options.tls.is_some() || options.require_tls {
        let reason = "its manual encrypts connections to AWS only: see the commands AWS… in mqtt_at::neoway";
        return Err(unsupported("TLS", reason));
    }
    if options.version != ProtocolVersion::V3_1_1 {
        return Err(unsupported("the choice of the version of MQTT", "AT+MQTTCONN has no parameter for it"));
    }
    if options.receive_mode == ReceiveMode::Pull {
        return Err(unsupported("fetching messages", "it sends each message at once, with its length"));
    }
    if options.host.is_empty() {
        return Err(InputError::Missing { field: "the host" }.into());
    }
    parameters(options).operation()?;
    if let Some(will) = &options.will {
        will_command(will).operation()?;
    }
    conn_command(options).operation()?;
    Ok(())
}

fn unsupported(what: &'static str, reason: &'static str) -> Error {
    Error::Unsupported { what, vendor: Vendor::Neoway, reason: reason.into() }
}

/// Connects the client of the module to its broker.
pub(super) async fn connect(context: &Connecting<'_>, session: &Arc<Session>) -> Result<()> {
    let Connecting { port, options, .. } = *context;
    session.set_open(false);
    if options.credentials.is_some() {
        tracing::warn!("user name and password go over plain TCP, readable on the way");
    }
    flow::revive(port, LANE).await?;
    // Parameters cannot be set while there is a connection, whoever made it [Neoway MQTT 1.2 §5.2].
    let state = if_possible(ask(port, LANE, MqttState::read()).await)?;
    if state.is_some_and(|state| state != ConnectionState::Closed) {
        flow::close(port, session).await;
    }
    configure(context).await?;
    let outcome = sign_in(context, session).await;
    if outcome.is_err() {
        flow::close(port, session).await;
    }
    outcome
}

fn parameters(options: &ConnectOptions) -> MqttConnParam {
    let command = MqttConnParam::new(&options.client_identifier);
    match &options.credentials {
        Some((user, password)) => command.credentials(user, password.clone()),
        None => command,
    }
}

fn will_command(will: &Will) -> MqttWillParam {
    MqttWillParam::new(will.topic.as_str(), will.payload.clone()).qos(will.qos).retain(will.retain)
}

/// A module that works on this command takes no other, so it is waited for at least as long as it may take.
fn conn_command(options: &ConnectOptions) -> MqttConn {
    MqttConn::new(&options.host, options.port)
        .keep_alive(options.keep_alive)
        .clean_session(options.clean_session)
        .timeout(options.connect_timeout.max(facts::timeout::CONNECT))
}

async fn configure(context: &Connecting<'_>) -> Result<()> {
    let Connecting { port, options, .. } = *context;
    let parameters = parameters(options);
    match ask(port, LANE, parameters.clone()).await {
        Err(Error::Module(_)) if parameters.has_blanks() => {
            tracing::debug!("the module refused an empty user name or password; trying a space");
            ask(port, LANE, parameters.with_spaces()).await?;
        }
        outcome => outcome?,
    }
    match &options.will {
        Some(will) => ask(port, LANE, will_command(will)).await,
        None => forget_will(context).await,
    }
}

/// Takes back the will of a former connection: it stays until the module is switched off [Neoway MQTT 1.2 §5.2].
async fn forget_will(context: &Connecting<'_>) -> Result<()> {
    let Connecting { port, progress, .. } = *context;
    let stored = if_possible(ask(port, LANE, MqttWillParam::read()).await)?.flatten();
    if stored.is_none() {
        return Ok(());
    }
    if if_possible(ask(port, LANE, MqttWillParam::none()).await)?.is_none() {
        tracing::warn!("the module keeps the will of a former connection, and may have it published");
        if let Some(progress) = progress {
            progress(&Step::FormerWill);
        }
    }
    Ok(())
}

async fn sign_in(context: &Connecting<'_>, session: &Arc<Session>) -> Result<()> {
    let Connecting { port, options, .. } = *context;
    match one_client::sign_in(context, session, &conn_command(options)).await {
        // The one reason that can be told from the others [Neoway MQTT 1.2 §B.3].
        Err(Error::Module(_)) if flow::has_address(port, LANE).await? == Some(false) => {
            Err(NetworkError::Pdp { reason: "the data connection is gone".into() }.into())
        }
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests;
