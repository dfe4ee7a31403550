//! How the client connects: login, settings, CONNECT [ESP-AT MQTT, MQTTUSERCFG, MQTTCONNCFG, MQTTCONN].

use std::sync::Arc;

use bytes::Bytes;

use super::commands::{
    MqttConn, MqttConnCfg, MqttLongClientId, MqttLongPassword, MqttLongUsername, MqttSni, MqttUserCfg, Scheme,
};
use super::{facts, flow};
use crate::command::Command;
use crate::connect::{ConnectOptions, ProtocolVersion, ReceiveMode};
use crate::dialect::one_client::{self, LANE, Session};
use crate::dialect::{Connecting, ModemPort, ask, if_possible};
use crate::error::{Error, InputError, Result};
use crate::secret::Secret;
use crate::vendor::Vendor;

/// Checks everything that can be checked before a byte is sent: by building every command.
pub(super) fn check(options: &ConnectOptions) -> Result<()> {
    if let Some(tls) = &options.tls
        && (tls.verify_server || tls.client.is_some())
    {
        let reason = "its certificates are in flash partitions that the library does not write: write them with the \
                      vendor's tools, and send the commands of mqtt_at::esp";
        return Err(unsupported("TLS with certificates", reason));
    }
    if options.require_tls && options.tls.is_none() {
        return Err(InputError::Missing { field: "TLS, which is required," }.into());
    }
    if options.version != ProtocolVersion::V3_1_1 {
        return Err(unsupported("the choice of the version of MQTT", "no command has a parameter for it"));
    }
    if options.receive_mode == ReceiveMode::Pull {
        return Err(unsupported("fetching messages", "it sends each message at once, with its length"));
    }
    if options.client_identifier.is_empty() {
        return Err(InputError::Missing { field: "the client identifier" }.into());
    }
    Login::of(options).check()?;
    settings(options).operation()?;
    if options.tls.is_some() {
        MqttSni(options.host.clone()).operation()?;
    }
    conn_command(options).operation()?;
    Ok(())
}

fn unsupported(what: &'static str, reason: &'static str) -> Error {
    Error::Unsupported { what, vendor: Vendor::Espressif, reason: reason.into() }
}

/// Connects the client of the module to its broker.
pub(super) async fn connect(context: &Connecting<'_>, session: &Arc<Session>) -> Result<()> {
    let Connecting { port, options, .. } = *context;
    session.set_open(false);
    if options.credentials.is_some() && options.tls.is_none() {
        tracing::warn!("user name and password go over plain TCP, readable on the way");
    }
    // After a connection has ended, no other can be made before this [ESP-AT MQTT, MQTTCONN].
    flow::clean(port, LANE).await?;
    let outcome = async {
        Login::of(options).send(port).await?;
        ask(port, LANE, settings(options)).await?;
        if options.tls.as_ref().is_some_and(|tls| tls.server_name) {
            name_server(port, options).await?;
        }
        one_client::sign_in(context, session, &conn_command(options)).await
    };
    let outcome = outcome.await;
    if outcome.is_err() {
        flow::close(port, session).await;
    }
    outcome
}

/// Client identifier, user name and password: in one command line where they fit, or else behind prompts.
struct Login {
    settings: MqttUserCfg,
    identifier: Option<MqttLongClientId>,
    user: Option<MqttLongUsername>,
    password: Option<MqttLongPassword>,
}

impl Login {
    fn of(options: &ConnectOptions) -> Self {
        let scheme = if options.tls.is_some() { Scheme::Tls } else { Scheme::Tcp };
        let identifier = &options.client_identifier;
        // The module may take no empty identifier, so it gets one until it has the right one.
        let short = if is_short(identifier) { identifier } else { "mqtt-at" };
        let mut login = Self {
            settings: MqttUserCfg::new(scheme, short),
            identifier: (!is_short(identifier)).then(|| MqttLongClientId(identifier.clone())),
            user: None,
            password: None,
        };
        let Some((user, password)) = &options.credentials else { return login };
        let (mut short_user, mut short_password) = (user.as_str(), password.clone());
        if !is_short(user) {
            login.user = Some(MqttLongUsername(user.clone()));
            short_user = "";
        }
        if !is_short(password.expose()) {
            login.password = Some(MqttLongPassword(password.clone()));
            short_password = Secret::from("");
        }
        login.settings = login.settings.credentials(short_user, short_password);
        login
    }

    fn check(&self) -> Result<(), InputError> {
        self.settings.operation()?;
        self.identifier.as_ref().map(Command::operation).transpose()?;
        self.user.as_ref().map(Command::operation).transpose()?;
        self.password.as_ref().map(Command::operation).transpose()?;
        Ok(())
    }

    async fn send(self, port: &ModemPort) -> Result<()> {
        ask(port, LANE, self.settings).await?;
        if let Some(identifier) = self.identifier {
            ask(port, LANE, identifier).await?;
        }
        if let Some(user) = self.user {
            ask(port, LANE, user).await?;
        }
        if let Some(password) = self.password {
            ask(port, LANE, password).await?;
        }
        Ok(())
    }
}

/// Whether a text can stand in the command line as it is.
fn is_short(text: impl AsRef<[u8]>) -> bool {
    let text = text.as_ref();
    text.len() <= facts::INLINE && text.iter().all(|byte| facts::PLAIN.accepts(*byte))
}

fn settings(options: &ConnectOptions) -> MqttConnCfg {
    let command = MqttConnCfg::new().keep_alive(options.keep_alive).clean_session(options.clean_session);
    match &options.will {
        Some(will) => command.will(will.topic.as_str(), Bytes::clone(&will.payload), will.qos, will.retain),
        None => command,
    }
}

/// A module that works on this command takes no other, so it is waited for at least as long as it may take.
fn conn_command(options: &ConnectOptions) -> MqttConn {
    MqttConn::new(&options.host, options.port).timeout(options.connect_timeout.max(facts::timeout::CONNECT))
}

/// Older firmware does not know the command.
async fn name_server(port: &ModemPort, options: &ConnectOptions) -> Result<()> {
    if if_possible(ask(port, LANE, MqttSni(options.host.clone())).await)?.is_none() {
        tracing::warn!("the module took no server name for the TLS handshake");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
