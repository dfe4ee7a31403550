//! How a client connects: reports, will, identity, then network connection and CONNECT in one
//! [Fibocom MQTT 1.2.6 §3.1].

use std::sync::Arc;

use at_port::{Lane, Operation, OperationError};

use super::commands::{MqttOpen, MqttRead, MqttUser, MqttWill, Status, status};
use super::sessions::{Sessions, State};
use super::{facts, flow};
use crate::command::Command;
use crate::common::EchoOff;
use crate::connect::{ConnectOptions, ProtocolVersion, Will};
use crate::dialect::{Connecting, ask, if_possible, run};
use crate::error::{Error, InputError, NetworkError, Outcome, Result};
use crate::event::LossCause;
use crate::options::Step;
use crate::secret::Secret;
use crate::vendor::Vendor;

/// Checks everything that can be checked before a byte is sent: by building every command.
///
/// Both receive modes are the same here: the module stores messages and reports their lengths.
pub(super) fn check(options: &ConnectOptions) -> Result<()> {
    if options.tls.is_some() || options.require_tls {
        return Err(unsupported("TLS", "its manual has no command for it"));
    }
    if options.version != ProtocolVersion::V3_1_1 {
        let what = "the choice of the version of MQTT";
        return Err(unsupported(what, "AT+MQTTOPEN has no parameter for it"));
    }
    if options.host.is_empty() {
        return Err(InputError::Missing { field: "the host" }.into());
    }
    let index = options.client_index.filter(|index| facts::CLIENTS.contains(index));
    let index = index.unwrap_or(*facts::CLIENTS.start());
    user_command(index, options).operation()?;
    if let Some(will) = &options.will {
        will_command(index, will).operation()?;
    }
    open_command(index, options).operation()?;
    Ok(())
}

pub(super) fn unsupported(what: &'static str, reason: &'static str) -> Error {
    Error::Unsupported { what, vendor: Vendor::Fibocom, reason: reason.into() }
}

/// Connects a client of the module to its broker.
pub(super) async fn connect(context: &Connecting<'_>, sessions: &Arc<Sessions>) -> Result<()> {
    let Connecting { port, index, options, .. } = *context;
    sessions.set(index, State::Closed);
    if options.credentials.is_some() {
        tracing::warn!(client = index, "user name and password go over plain TCP, readable on the way");
    }
    // A module that has started anew echoes again, and its prompt then stands behind the echo, on the same line.
    if_possible(ask(port, Lane::client(index), EchoOff).await)?;
    flow::revive(port, Lane::client(index), sessions).await?;
    flow::count_messages(port, Lane::client(index), sessions).await?;
    match configure(context).await {
        // Nothing can be set while the client is in use, whoever left it so.
        Err(Error::Module(_)) => {
            flow::shut(port, index).await;
            configure(context).await?;
        }
        outcome => outcome?,
    }
    if sessions.counted() {
        drain(context).await?;
    }
    let outcome = open(context, sessions).await;
    match &outcome {
        Ok(()) => return outcome,
        // The module may be at it still.
        Err(Error::Timeout { .. }) => flow::shut(port, index).await,
        Err(_) => flow::close(port, index).await,
    }
    sessions.set(index, State::Closed);
    outcome
}

/// An empty identifier is left out, and the module uses its IMEI.
fn user_command(index: u8, options: &ConnectOptions) -> MqttUser {
    let (user, password) = match &options.credentials {
        Some((user, password)) => (user.as_str(), password.clone()),
        None => ("", Secret::new("")),
    };
    let command = MqttUser::new(index, user, password);
    match options.client_identifier.as_str() {
        "" => command,
        identifier => command.identifier(identifier),
    }
}

fn will_command(index: u8, will: &Will) -> MqttWill {
    MqttWill::new(index, will.topic.as_str(), will.payload.clone()).qos(will.qos).retain(will.retain)
}

fn open_command(index: u8, options: &ConnectOptions) -> MqttOpen {
    MqttOpen::new(index, &options.host, options.port)
        .clean_session(options.clean_session)
        .keep_alive(options.keep_alive)
        .timeout(options.connect_timeout)
}

async fn configure(context: &Connecting<'_>) -> Result<()> {
    let Connecting { port, index, options, .. } = *context;
    let lane = Lane::client(index);
    match &options.will {
        Some(will) => ask(port, lane, will_command(index, will)).await?,
        None => look_for_will(context).await?,
    }
    ask(port, lane, user_command(index, options)).await
}

/// A will of a former connection stays set, and the manual has no way to take it back.
async fn look_for_will(context: &Connecting<'_>) -> Result<()> {
    let Connecting { port, index, progress, .. } = *context;
    let wills = if_possible(ask(port, Lane::client(index), MqttWill::read()).await)?.unwrap_or_default();
    if wills.iter().any(|will| will.client == index) {
        tracing::warn!(
            client = index,
            "the module keeps the will of a former connection, and may have it published"
        );
        if let Some(progress) = progress {
            progress(&Step::FormerWill);
        }
    }
    Ok(())
}

/// Takes what waits from a former connection out of the module. A kept session gets it; for a clean one it is too late.
async fn drain(context: &Connecting<'_>) -> Result<()> {
    let Connecting { port, index, .. } = *context;
    let fetch = Operation::from(MqttRead::new(index).fetch()).lane(Lane::client(index));
    if_possible(run(port, fetch).await).map(drop)
}

/// Connects; a client that is in use is closed first.
async fn open(context: &Connecting<'_>, sessions: &Arc<Sessions>) -> Result<()> {
    let Connecting { port, index, progress, .. } = *context;
    if let Some(progress) = progress {
        progress(&Step::Connect);
    }
    let result = match open_once(context, sessions).await {
        Err(refusal @ Error::Module(_)) => {
            if flow::is_free(port, index).await? != Some(false) {
                return Err(refusal);
            }
            flow::shut(port, index).await;
            open_once(context, sessions).await?
        }
        outcome => outcome?,
    };
    match result {
        Status::Success => Ok(()),
        Status::Failure => Err(why_not(context).await?),
    }
}

/// The one reason that can be told from the others.
async fn why_not(context: &Connecting<'_>) -> Result<Error> {
    let Connecting { port, index, .. } = *context;
    let call = flow::data_call(port, Lane::client(index)).await?;
    Ok(match call {
        Some(call) if !call.active => {
            NetworkError::Pdp { reason: "there is no data connection".into() }.into()
        }
        _ => facts::failed("AT+MQTTOPEN").into(),
    })
}

async fn open_once(context: &Connecting<'_>, sessions: &Arc<Sessions>) -> Result<Status> {
    let Connecting { port, index, options, .. } = *context;
    let command = open_command(index, options);
    sessions.set(index, State::Opening);
    let sessions = Arc::clone(sessions);
    // Done on the port's task, so that a report right behind the result is taken as one of this connection.
    let operation = command.operation()?.lane(Lane::client(index)).on_conclusion(move |outcome| {
        let result = outcome.as_ref().ok().and_then(|reply| status(reply).ok());
        let is_open = result == Some(Status::Success);
        sessions.set(index, if is_open { State::Open } else { State::Closed });
    });
    match port.run(operation).await {
        Ok(reply) => status(&reply).map_err(|_| Error::Unreadable { command: "AT+MQTTOPEN".to_owned() }),
        Err(OperationError::Refused(refusal)) => {
            Err(command.explain(&refusal).unwrap_or_else(|| OperationError::Refused(refusal).into()))
        }
        // The reason came in the place of the result.
        Err(OperationError::Released { report, .. }) => {
            Err(match report.as_deref().and_then(facts::broker_error) {
                Some(error) => error.into(),
                None => Error::ConnectionLost { cause: LossCause::Unknown, outcome: Outcome::NotSent },
            })
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests;
