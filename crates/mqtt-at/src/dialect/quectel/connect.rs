//! How a client connects: settings, network connection, CONNECT [EC200x MQTT 1.0 §2].

use std::sync::Arc;

use at_codec::Fields;
use at_port::{FinalResult, Lane, Operation, OperationError};

use super::commands::{ConnectResult, OpenResult, QmtCfg, QmtConn, QmtOpen, connect_result, open_result};
use super::flow;
use super::rules::Sessions;
use super::settings::settings;
use super::{facts, tls};
use crate::command::Command;
use crate::connect::{ConnectOptions, ReceiveMode, Will};
use crate::dialect::{Connecting, ask, if_possible, not_kept};
use crate::error::{BrokerError, Error, InputError, ModuleError, NetworkError, Outcome, Result};
use crate::event::LossCause;
use crate::options::Step;
use crate::tls::Tls;
use crate::vendor::Vendor;

/// Checks everything that can be checked before a byte is sent: by building every command.
pub(super) fn check(options: &ConnectOptions) -> Result<()> {
    let index = options.client_index.unwrap_or_default();
    if options.host.is_empty() {
        return Err(InputError::Missing { field: "the host" }.into());
    }
    match &options.tls {
        Some(tls) => tls::check(tls)?,
        None if options.require_tls => return Err(InputError::Missing { field: "TLS" }.into()),
        None => {}
    }
    settings(index, options)?;
    if let Some(will) = &options.will {
        will_operation(index, will)?;
    }
    open_command(index, options).operation()?;
    conn_command(index, options).operation()?;
    Ok(())
}

/// Connects a client of the module to its broker.
pub(super) async fn connect(context: &Connecting<'_>, sessions: &Arc<Sessions>) -> Result<()> {
    let Connecting { port, index, options, .. } = *context;
    sessions.begin(index, options.receive_mode == ReceiveMode::Pull);
    if options.credentials.is_some() && options.tls.is_none() {
        tracing::warn!(client = index, "user name and password go over plain TCP, readable on the way");
    }
    if let Some(tls) = &options.tls {
        tls::set_up(context, tls).await?;
    }
    match configure(context).await {
        // Nothing can be set while the client is in use, whoever left it so.
        Err(Error::Module(_)) => {
            flow::shut(port, index).await;
            configure(context).await?;
        }
        outcome => outcome?,
    }
    if options.tls.is_some() {
        // What cannot be read is no contradiction: the manual's answer may leave the context out.
        let kept = if_possible(ask(port, Lane::client(index), QmtCfg::ssl(index).read()).await)?;
        if kept.is_some_and(|kept| kept != Some(index)) {
            return Err(not_kept("AT+QMTCFG", "ssl"));
        }
    }
    let outcome = match open(context, sessions).await {
        Ok(()) => log_in(context).await,
        Err(error) => Err(error),
    };
    let outcome = outcome.map_err(|error| match &options.tls {
        Some(tls) => with_tls(error, tls),
        None => error,
    });
    match &outcome {
        Ok(()) => return outcome,
        // The module may be at it still.
        Err(Error::Timeout { .. }) => flow::shut(port, index).await,
        Err(_) => flow::close(port, index).await,
    }
    sessions.set_open(index, false);
    outcome
}

/// A message that is empty has nothing to follow a prompt.
fn will_operation(index: u8, will: &Will) -> Result<Operation, InputError> {
    if will.payload.is_empty() {
        return QmtCfg::will(index).set(Some(will.clone())).operation();
    }
    QmtCfg::will_ex(index).set(will.clone()).operation()
}

fn open_command(index: u8, options: &ConnectOptions) -> QmtOpen {
    QmtOpen::new(index, &options.host, options.port).timeout(options.connect_timeout)
}

fn conn_command(index: u8, options: &ConnectOptions) -> QmtConn {
    let command = QmtConn::new(index, &options.client_identifier).timeout(options.acknowledgement_timeout());
    match &options.credentials {
        Some((user, password)) => command.credentials(user, password.clone()),
        None => command,
    }
}

async fn configure(context: &Connecting<'_>) -> Result<()> {
    let Connecting { port, index, options, .. } = *context;
    let lane = Lane::client(index);
    for setting in settings(index, options)? {
        setting.send(context).await?;
    }
    set_will(context).await?;
    let tls_context = options.tls.is_some().then_some(index);
    let outcome = ask(port, lane, QmtCfg::ssl(index).set(tls_context)).await;
    if tls_context.is_some() {
        return outcome;
    }
    // Firmware without TLS knows no such setting.
    if_possible(outcome).map(drop)
}

async fn set_will(context: &Connecting<'_>) -> Result<()> {
    let Connecting { port, index, options, .. } = *context;
    let lane = Lane::client(index);
    let Some(will) = &options.will else {
        if_possible(ask(port, lane, QmtCfg::will(index).set(None)).await)?;
        return Ok(());
    };
    match port.run(will_operation(index, will)?.lane(lane)).await {
        Err(OperationError::Refused(_)) => {}
        outcome => {
            outcome?;
            return Ok(());
        }
    }
    // Older firmware takes the message only in quotes, where it cannot be any bytes.
    let quoted = QmtCfg::will(index).set(Some(will.clone()));
    if quoted.operation().is_err() {
        return Err(Error::Unsupported {
            what: "a will whose message holds quotes or control characters",
            vendor: Vendor::Quectel,
            reason: "its firmware does not know the parameter willex".into(),
        });
    }
    ask(port, lane, quoted).await
}

/// Opens the network connection; a client that is in use is closed first.
async fn open(context: &Connecting<'_>, sessions: &Arc<Sessions>) -> Result<()> {
    if let Some(progress) = context.progress {
        progress(&Step::OpenNetwork);
    }
    let mut result = open_once(context, sessions).await?;
    if result == OpenResult::OCCUPIED {
        flow::shut(context.port, context.index).await;
        result = open_once(context, sessions).await?;
    }
    match result {
        OpenResult::Opened => Ok(()),
        OpenResult::Failed(code) => {
            let error = facts::refused("AT+QMTOPEN", facts::OPEN_RESULTS, code);
            Err(match code {
                3 => NetworkError::Pdp { reason: error.meaning }.into(),
                _ => error.into(),
            })
        }
    }
}

async fn open_once(context: &Connecting<'_>, sessions: &Arc<Sessions>) -> Result<OpenResult> {
    let Connecting { port, index, options, .. } = *context;
    let command = open_command(index, options);
    let sessions = Arc::clone(sessions);
    // Done on the port's task, so that a report right behind the result is taken as one of this connection.
    let operation = command.operation()?.lane(Lane::client(index)).on_conclusion(move |outcome| {
        let line = outcome.as_ref().ok().and_then(|reply| reply.deferred.as_deref());
        if line.and_then(open_result) == Some(OpenResult::Opened) {
            sessions.set_open(index, true);
        }
    });
    match port.run(operation).await {
        Ok(reply) => command.read(&reply).map_err(|_| Error::Unreadable { command: "AT+QMTOPEN".to_owned() }),
        // The result that precedes an `ERROR` is the reason.
        Err(OperationError::Refused(refusal)) => match refusal.deferred.as_deref().and_then(open_result) {
            Some(failed @ OpenResult::Failed(_)) => Ok(failed),
            _ => Err(OperationError::Refused(refusal).into()),
        },
        Err(error) => Err(error.into()),
    }
}

/// Sends CONNECT. It follows at once, because brokers close connections that stay silent.
async fn log_in(context: &Connecting<'_>) -> Result<()> {
    let Connecting { port, index, options, progress } = *context;
    if let Some(progress) = progress {
        progress(&Step::Connect);
    }
    let operation = conn_command(index, options).operation()?.lane(Lane::client(index));
    let result = match port.run(operation).await {
        Ok(reply) => reply.deferred.as_deref().and_then(connect_result),
        Err(OperationError::Released { report, .. }) => {
            let cause = report.as_deref().and_then(stat_cause).unwrap_or(LossCause::Unknown);
            return Err(Error::ConnectionLost { cause, outcome: Outcome::NotSent });
        }
        Err(OperationError::Refused(refusal)) => match refusal.deferred.as_deref().and_then(connect_result) {
            None if refusal.result == FinalResult::Error => return Err(not_open().into()),
            None => return Err(OperationError::Refused(refusal).into()),
            result => result,
        },
        Err(error) => return Err(error.into()),
    };
    match result {
        Some(ConnectResult::Accepted) => Ok(()),
        Some(ConnectResult::Refused(code)) => Err(BrokerError::connack(code).into()),
        Some(ConnectResult::Failed(code)) => Err(not_connected(code).into()),
        None => Err(Error::Unreadable { command: "AT+QMTCONN".to_owned() }),
    }
}

/// A failure that may as well be one of TLS: of the handshake, or of the broker that ends the connection behind it.
fn with_tls(error: Error, tls: &Tls) -> Error {
    match error {
        // A client in use and a name that cannot be resolved have nothing to do with it.
        Error::Module(mut error) if error.command == "AT+QMTCONN" || !is_before_tls(&error) => {
            error.remedy = Some(tls::remedy(tls));
            Error::Module(error)
        }
        Error::ConnectionLost { cause, outcome } => ModuleError {
            command: "AT+QMTCONN".to_owned(),
            code: None,
            meaning: format!("the connection ended before the broker answered: {cause}").into(),
            remedy: Some(tls::remedy(tls)),
            outcome,
        }
        .into(),
        error => error,
    }
}

fn is_before_tls(error: &ModuleError) -> bool {
    matches!(error.code.as_deref(), Some("1" | "2" | "4"))
}

/// A refusal without a reason: the connection that was just opened is not there any more.
fn not_open() -> ModuleError {
    ModuleError {
        command: "AT+QMTCONN".to_owned(),
        code: None,
        meaning: "the module refused, probably because the connection has ended already".into(),
        remedy: Some(
            "look into the broker's log whether it closes the connection, or update the module's firmware",
        ),
        outcome: Outcome::NotSent,
    }
}

fn not_connected(code: i64) -> ModuleError {
    facts::refused("AT+QMTCONN", facts::PACKET_RESULTS, code)
}

/// Why the connection ended, in a report that said so.
fn stat_cause(line: &[u8]) -> Option<LossCause> {
    let mut fields = Fields::of(line, facts::QMTSTAT)?;
    fields.integer()?;
    fields.integer().map(facts::loss_cause)
}

#[cfg(test)]
mod tests;
