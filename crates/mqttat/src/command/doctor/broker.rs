//! The broker: its name, the way to it, the login.

use std::net::IpAddr;

use mqtt_at::{ConnectOptions, Error, LossCause, Step};

use super::Patient;
use super::checklist::{Check, Checklist};
use crate::failure::Failure;
use crate::interrupt::farewell;

const NAME: &str = "broker's name";
const WAY: &str = "broker";
const LOGIN: &str = "login";

/// What is looked at, in this order.
pub(super) const CHECKS: &[&str] = &[NAME, WAY, LOGIN];

/// Connects a client, and disconnects it.
pub(super) async fn examine(
    patient: &Patient,
    host: &str,
    options: ConnectOptions,
    list: &mut Checklist,
) -> Result<(), Failure> {
    let error = match patient.opened.modem.connect(options).await {
        Ok(client) => {
            check_name(host, list)?;
            list.note(&Check::ok(WAY, "reached"))?;
            list.note(&Check::ok(LOGIN, "accepted"))?;
            farewell(&client).await;
            return Ok(());
        }
        Err(error) => error,
    };
    // Some modules open the connection with a command of its own, and only they can tell it from the login.
    let came_to_login = patient.witness.seen().last == Some(Step::Connect);
    let failing =
        stage_of(&error, came_to_login && patient.opened.modem.vendor() == mqtt_at::Vendor::Quectel);
    let failure = Failure::from(error);
    match failing {
        NAME => {
            list.fail(NAME, &failure)?;
            list.skip(&[WAY, LOGIN], "the name has no address")
        }
        WAY => {
            list.skip(&[NAME], "the module does not tell it from what follows")?;
            list.fail(WAY, &failure)?;
            list.skip(&[LOGIN], "the broker was not reached")
        }
        _ => {
            check_name(host, list)?;
            list.note(&Check::ok(WAY, "reached"))?;
            list.fail(LOGIN, &failure)
        }
    }
}

fn check_name(host: &str, list: &mut Checklist) -> Result<(), Failure> {
    let is_address = host.parse::<IpAddr>().is_ok();
    let words = if is_address { "is an address" } else { "has an address" };
    list.note(&Check::ok(NAME, format!("{host} {words}")))
}

/// How far it came.
fn stage_of(error: &Error, was_open: bool) -> &'static str {
    match error {
        Error::Broker(_)
        | Error::ConnectionLost {
            cause: LossCause::ConnectNotSent | LossCause::ConnectNotAcknowledged,
            ..
        } => LOGIN,
        Error::Module(refusal) if refusal.meaning.contains("could not be resolved") => NAME,
        _ if was_open => LOGIN,
        _ => WAY,
    }
}
