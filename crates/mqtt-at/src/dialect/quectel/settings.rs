//! What is set before a client connects, will and TLS aside [EC200x MQTT 1.0 §3.2.1].

use at_port::{FinalResult, Lane, Operation, OperationError};

use super::commands::{
    AliCredentials, DataForm, DataForms, HuaweiCredentials, HuaweiProduct, OneNetCredentials, PacketTimeout,
    QmtCfg, ReceiveForm, SetParameter, Setting,
};
use super::flow;
use crate::command::Command;
use crate::connect::{ConnectOptions, ReceiveMode};
use crate::dialect::Connecting;
use crate::error::{Error, InputError, ModuleError, Outcome, Result};
use crate::sign_in::SignIn;

/// All settings but will and TLS. They outlive a connection, so each is set, whatever its default.
pub(super) fn settings(index: u8, options: &ConnectOptions) -> Result<Vec<Set>, InputError> {
    let timeout = PacketTimeout { timeout: options.packet_timeout, retries: options.retries, notice: true };
    // Whatever the mode, the length of each message is told: without it a payload can forge any report.
    let receive = ReceiveForm { stored: options.receive_mode == ReceiveMode::Pull, length: true };
    [
        Set::required(QmtCfg::version(index).set(options.version)),
        Set::optional(QmtCfg::pdp_context(index).set(flow::PDP_CONTEXT)),
        Set::required(QmtCfg::keep_alive(index).set(options.keep_alive)),
        Set::required(QmtCfg::session(index).set(options.clean_session)),
        Set::required(QmtCfg::timeout(index).set(timeout)),
        Set::required(QmtCfg::recv_mode(index).set(receive)),
        Set::optional(QmtCfg::data_format(index).set(DataForms::default())),
        Set::optional(QmtCfg::send_mode(index).set(DataForm::Text)),
        Set::optional(QmtCfg::view_mode(index).set(false)),
    ]
    .into_iter()
    .chain(options.sign_in.as_ref().and_then(|it| identity(index, it)))
    .collect()
}

/// The setting that gives a client an identity; `None` for a platform that the module does not know.
pub(super) fn identity(index: u8, identity: &SignIn) -> Option<Result<Set, InputError>> {
    Some(match identity.clone() {
        SignIn::Alibaba { product_key, device_name, device_secret } => {
            let identity = AliCredentials { product_key, device_name, device_secret };
            Set::required(QmtCfg::ali_auth(index).set(identity))
        }
        SignIn::OneNet { product_id, access_key } => {
            Set::required(QmtCfg::one_net(index).set(OneNetCredentials { product_id, access_key }))
        }
        SignIn::Huawei { device_id, device_secret } => {
            let identity = HuaweiCredentials { product_id: device_id, access_key: device_secret };
            Set::required(QmtCfg::hw_auth(index).set(identity))
        }
        SignIn::HuaweiProduct { product_id, product_secret, node } => {
            let identity = HuaweiProduct { product_id, product_secret, node };
            Set::required(QmtCfg::hw_prod_id(index).set(identity))
        }
    })
}

/// A setting, and whether connecting makes sense without it.
pub(super) struct Set {
    key: &'static str,
    operation: Operation,
    required: bool,
}

impl Set {
    /// A setting without which there is no connecting.
    fn required<S: Setting>(command: SetParameter<S>) -> Result<Self, InputError> {
        Ok(Self { key: S::KEY, operation: command.operation()?, required: true })
    }

    /// A setting that the firmware need not know.
    fn optional<S: Setting>(command: SetParameter<S>) -> Result<Self, InputError> {
        Ok(Self { required: false, ..Self::required(command)? })
    }

    pub(super) async fn send(self, context: &Connecting<'_>) -> Result<()> {
        let Self { key, operation, required } = self;
        match context.port.run(operation.lane(Lane::client(context.index))).await {
            Err(OperationError::Refused(_)) if !required => {
                tracing::debug!(client = context.index, key, "the firmware does not know a setting");
                Ok(())
            }
            Err(OperationError::Refused(refusal)) if refusal.result == FinalResult::Error => {
                Err(refused_setting(&refusal.command, key).into())
            }
            outcome => outcome.map(drop).map_err(Error::from),
        }
    }
}

/// The manual names two reasons for an `ERROR`: the client is connected, or a value is not one of the firmware's.
fn refused_setting(command: &str, key: &str) -> ModuleError {
    ModuleError {
        command: command.to_owned(),
        code: None,
        meaning: format!("the module refused the setting {key}").into(),
        remedy: Some("leave that option out, choose another value, or update the firmware"),
        outcome: Outcome::NotSent,
    }
}
