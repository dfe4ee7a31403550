//! The cloud's family: `AT+CLOUDHDAUTH`, `AT+CLOUDCONN`, `AT+CLOUDSUB` [Neoway MQTT 1.2 §4].

use bytes::Bytes;

use super::arguments::{exactly, flag, keep_alive, text};
use super::settings::Login;
use super::{Flavour, Neoway, Obeyed, connection};
use crate::link::Dial;
use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;

/// The longest product key, device name and device secret; the manual gives no limit.
const LONGEST: usize = 128;

/// Where the cloud is: `<product key>` in front of this.
const DOMAIN: &str = "iot-as-mqtt.cn-shanghai.aliyuncs.com";
const PORT: u16 = 1883;

/// What `AT+CLOUDHDAUTH` has set.
#[derive(Debug, Clone)]
pub(super) struct CloudLogin {
    product_key: Bytes,
    device_name: Bytes,
    secret: Bytes,
}

impl Neoway {
    pub(super) fn cloud_login(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        let Form::Write = command.form else { return Err(Refusal::Error) };
        exactly(command, 3)?;
        self.cloud = Some(CloudLogin {
            product_key: text(command, 0, 1..=LONGEST)?,
            device_name: text(command, 1, 1..=LONGEST)?,
            secret: text(command, 2, 1..=LONGEST)?,
        });
        core.result(command.serial_no, "+CLOUDHDAUTH: OK");
        Ok(Answer::deferred())
    }

    /// `<keepalive>,<clean>,<version>`. What becomes of the login is its plain text, without the signature that a
    /// real module computes.
    pub(super) fn cloud_conn(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        let Form::Write = command.form else { return Err(Refusal::Error) };
        exactly(command, 3)?;
        let keep_alive = keep_alive(command, 0)?;
        let clean_session = flag(command, 1)?;
        command.int(2, 3..=4)?;
        let cloud = self.cloud.as_ref().ok_or(Refusal::Error)?;
        let login = Login {
            client_identifier: [&*cloud.product_key, b".", &*cloud.device_name].concat().into(),
            user: [&*cloud.device_name, b"&", &*cloud.product_key].concat().into(),
            password: cloud.secret.clone(),
        };
        let host = [&*cloud.product_key, b".", DOMAIN.as_bytes()].concat().into();
        let connect = connection::connect(&login, None, clean_session, keep_alive);
        self.set_up(core, command, Dial { host, port: PORT, tls: None }, connect)
    }

    pub(super) fn cloud_sub(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        let Form::Write = command.form else { return Err(Refusal::Error) };
        self.subscribe(core, command, Flavour::Cloud)
    }
}
