//! How a client connects: TLS, service, client, settings, will, CONNECT [A7600 MQTT 1.00 §1.2].

use std::time::Duration;

use at_codec::Fields;
use at_port::{Lane, Operation, OperationError};
use bytes::Bytes;

use super::commands::{
    CmqttAccq, CmqttCfg, CmqttConnect, CmqttSslCfg, CmqttWillMsg, CmqttWillTopic, ServerType, result_of,
};
use super::service::Service;
use super::{facts, flow, tls};
use crate::command::Command;
use crate::connect::{ConnectOptions, ProtocolVersion, ReceiveMode, Will};
use crate::dialect::{Connecting, ask};
use crate::error::{Error, InputError, Outcome, Result};
use crate::event::LossCause;
use crate::options::Step;
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
    if options.version != ProtocolVersion::V3_1_1 {
        return Err(unsupported("a choice of the protocol version", "its manual has no command for it"));
    }
    if options.receive_mode != ReceiveMode::Push {
        let reason = "it hands each message on at once, with its length; use ReceiveMode::Push";
        return Err(unsupported("fetching messages from the module", reason));
    }
    if let Some(will) = &options.will {
        check_will(index, will)?;
    }
    let total = options.packet_timeout.saturating_mul(u32::from(options.retries.max(1)));
    let (got, max) = (total.as_secs(), *facts::PUBLISH_TIMEOUT.end());
    if total > Duration::from_secs(max) {
        let field = "the packet timeout times the retries";
        return Err(InputError::OutOfRange { field, got: got.max(1), min: 1, max }.into());
    }
    accq_command(index, options).operation()?;
    settings(index, options)?;
    connect_command(index, options).operation()?;
    Ok(())
}

fn check_will(index: u8, will: &Will) -> Result<()> {
    if will.retain {
        return Err(unsupported(
            "a retained will",
            "its command for the message of a will has no flag for it",
        ));
    }
    if will.payload.is_empty() {
        let reason = "its command for the message of a will takes at least one byte";
        return Err(unsupported("a will without a message", reason));
    }
    let (topic, message) = will_commands(index, will);
    topic.operation()?;
    message.operation()?;
    Ok(())
}

fn unsupported(what: &'static str, reason: &'static str) -> Error {
    Error::Unsupported { what, vendor: Vendor::SimCom, reason: reason.into() }
}

/// How long the module waits for the broker's answer to a packet: packet timeout times retries, and at least the
/// module's smallest time [A7600 MQTT 1.00 §2.1.12]. It decides by itself how often it sends a packet.
pub(super) fn packet_limit(options: &ConnectOptions) -> Duration {
    let total = options.packet_timeout.saturating_mul(u32::from(options.retries.max(1)));
    let seconds = total.as_secs() + u64::from(total.subsec_nanos() > 0);
    Duration::from_secs(seconds.clamp(*facts::PUBLISH_TIMEOUT.start(), *facts::PUBLISH_TIMEOUT.end()))
}

/// How long sending or receiving any packet may take, for which the module has another range
/// [A7600 MQTT 1.00 §2.1.17].
pub(super) fn operation_limit(options: &ConnectOptions) -> Duration {
    packet_limit(options).min(Duration::from_secs(*facts::OPERATION_TIMEOUT.end()))
}

/// Connects a client of the module to its broker.
pub(super) async fn connect(context: &Connecting<'_>, service: &Service) -> Result<()> {
    let Connecting { port, index, options, .. } = *context;
    service.begin(index);
    if options.credentials.is_some() && options.tls.is_none() {
        tracing::warn!(client = index, "user name and password go over plain TCP, readable on the way");
    }
    if let Some(tls) = &options.tls {
        tls::set_up(context, tls).await?;
    }
    acquire(context, service).await?;
    let outcome = match configure(context).await {
        Ok(()) => sign_in(context, service).await,
        Err(error) => Err(error),
    };
    if outcome.is_err() {
        service.set_open(index, false);
        flow::close(port, index).await;
    }
    outcome
}

/// Makes the client ours, whoever had it, and whether or not the service was running as it should have been.
async fn acquire(context: &Connecting<'_>, service: &Service) -> Result<()> {
    let Connecting { port, index, options, .. } = *context;
    let lane = Lane::client(index);
    flow::start(context, service).await?;
    let refusal = match port.run(accq_command(index, options).operation()?.lane(lane)).await {
        Ok(_) => return Ok(()),
        Err(OperationError::Refused(refusal)) => refusal,
        Err(error) => return Err(error.into()),
    };
    tracing::debug!(client = index, result = %refusal.result, "the client was not acquired; releasing it first");
    flow::close(port, index).await;
    if facts::code_of(&refusal) != Some(IN_USE) {
        service.set_running(false);
        flow::start(context, service).await?;
    }
    ask(port, lane, accq_command(index, options)).await
}

/// The client that is to be acquired is in use.
const IN_USE: i64 = 19;

fn accq_command(index: u8, options: &ConnectOptions) -> CmqttAccq {
    let server = if options.tls.is_some() { ServerType::Tls } else { ServerType::Tcp };
    CmqttAccq::new(index, &options.client_identifier).server(server)
}

/// Settings that make sense on firmware that knows them: payloads of any bytes, a known time to wait, and received
/// messages in counted parts.
fn settings(index: u8, options: &ConnectOptions) -> Result<[Operation; 3], InputError> {
    Ok([
        CmqttCfg::check_utf8(index, false).operation()?,
        CmqttCfg::operation_timeout(index, operation_limit(options)).operation()?,
        CmqttCfg::topics_as_arguments(index, false).operation()?,
    ])
}

fn will_commands(index: u8, will: &Will) -> (CmqttWillTopic, CmqttWillMsg) {
    let topic = CmqttWillTopic::new(index, Bytes::copy_from_slice(will.topic.as_str().as_bytes()));
    (topic, CmqttWillMsg::new(index, will.payload.clone(), will.qos))
}

fn connect_command(index: u8, options: &ConnectOptions) -> CmqttConnect {
    // Name resolution, TLS handshake and CONNECT are one command here.
    let timeout = options.connect_timeout + options.acknowledgement_timeout();
    let command = CmqttConnect::new(index, &options.host, options.port)
        .keep_alive(options.keep_alive)
        .clean_session(options.clean_session)
        .timeout(timeout);
    match &options.credentials {
        Some((user, password)) => command.credentials(user, password.clone()),
        None => command,
    }
}

async fn configure(context: &Connecting<'_>) -> Result<()> {
    let Connecting { port, index, options, .. } = *context;
    let lane = Lane::client(index);
    for setting in settings(index, options)? {
        match port.run(setting.lane(lane)).await {
            Err(OperationError::Refused(refusal)) => {
                tracing::debug!(client = index, command = %refusal.command, "the firmware does not know a setting");
            }
            outcome => drop(outcome?),
        }
    }
    if options.tls.is_some() {
        // The module forgets it whenever connecting fails, and with the end of each connection. It then uses the
        // context with the number of the client; as that is the one that is set up, there is no other to fall
        // back to.
        ask(port, lane, CmqttSslCfg::new(index, tls::context_of(index))).await?;
    }
    if let Some(will) = &options.will {
        let (topic, message) = will_commands(index, will);
        ask(port, lane, topic).await?;
        ask(port, lane, message).await?;
    }
    Ok(())
}

/// Opens the network connection and signs in at the broker.
async fn sign_in(context: &Connecting<'_>, service: &Service) -> Result<()> {
    let Connecting { port, index, options, progress } = *context;
    if let Some(progress) = progress {
        progress(&Step::Connect);
    }
    let operation = connect_command(index, options).operation()?.lane(Lane::client(index));
    // From here on a report of a loss is about this connection.
    service.set_open(index, true);
    let code = match port.run(operation).await {
        Ok(reply) => match result_of(&reply) {
            Ok(code) => code.number(),
            Err(_) => return Err(Error::Unreadable { command: "AT+CMQTTCONNECT".to_owned() }),
        },
        Err(OperationError::Released { report, .. }) => {
            let cause = report.as_deref().and_then(reported_cause).unwrap_or(LossCause::Unknown);
            return Err(Error::ConnectionLost { cause, outcome: Outcome::NotSent });
        }
        // The result that precedes an `ERROR` is the reason.
        Err(OperationError::Refused(refusal)) => match facts::code_of(&refusal) {
            Some(code) => code,
            None => return Err(OperationError::Refused(refusal).into()),
        },
        Err(error) => return Err(error.into()),
    };
    match code {
        0 => return Ok(()),
        // The service has lost its data connection.
        7..=9 => service.set_running(false),
        _ => {}
    }
    Err(facts::not_connected(code))
}

/// Why the connection ended, in a report that said so.
fn reported_cause(line: &[u8]) -> Option<LossCause> {
    let mut fields = Fields::of(line, facts::CONNLOST)?;
    fields.integer()?;
    fields.integer().map(facts::loss_cause)
}

#[cfg(test)]
mod tests;
