//! `AT+QMTCFG` [EC200x MQTT 1.0 §3.2.1].

use bytes::Bytes;

use super::{Obeyed, Quectel, client_index, medium, small};
use crate::machine::answer::{Answer, Prompt, Refusal, Until};
use crate::machine::command::{Arg, Command, Form};
use crate::machine::core::Core;
use crate::mqtt::packet::Will;
use crate::mqtt::session::Phase;

/// The keys, in the manual's order.
pub(super) const KEYS: [&str; 17] = [
    "version",
    "pdpcid",
    "ssl",
    "keepalive",
    "session",
    "timeout",
    "will",
    "willex",
    "recv/mode",
    "aliauth",
    "qmtping",
    "send/mode",
    "onenet",
    "hwauth",
    "hwprodid",
    "dataformat",
    "view/mode",
];

/// What `AT+QMTCFG=?` prints behind each key and the clients' range.
const RANGES: [&str; 17] = [
    "(3,4)",
    "(1-15)",
    "(0,1),(0-5)",
    "(0-3600)",
    "(0,1)",
    "(1-60),(0-10),(0,1)",
    "(0,1),(0-2),(0,1),\"willtopic\",\"willmessage\"",
    "(0,1),(0-2),(0,1),\"willtopic\",(0-256)",
    "(0,1),(0,1)",
    "\"productkey\",\"devicename\",\"devicesecret\"",
    "(5-60)",
    "(0,1)",
    "\"product id\",\"access key\"",
    "\"device id\",\"device secret\"",
    "\"product id\",\"product secret\",\"nodeid\"",
    "(0,1),(0,1)",
    "(0,1)",
];

/// The longest will topic and will message, in bytes.
const LONGEST_WILL: usize = 256;
/// The longest string of a platform setting; the manual gives no limit.
const LONGEST_SECRET: usize = 256;

impl Quectel {
    pub(super) fn cfg(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        match command.form {
            Form::Test => Ok(KEYS.iter().zip(RANGES).fold(Answer::ok(), |answer, (key, range)| {
                answer.with(format!("+QMTCFG: \"{key}\",(0-5),{range}"))
            })),
            Form::Write => {
                let key = command.key(0)?;
                let index = client_index(command, 1)?;
                if command.args.len() == 2 {
                    return self.query_cfg(&key, index);
                }
                // "If … the MQTT connection is not established", says the manual of every key.
                let established = core
                    .session(index)
                    .is_some_and(|session| matches!(session.phase(), Phase::Connecting | Phase::Connected));
                if established {
                    return Err(Refusal::Error);
                }
                self.set_cfg(core, &key, index, command)
            }
            Form::Execute | Form::Read => Err(Refusal::Error),
        }
    }

    fn query_cfg(&self, key: &str, index: usize) -> Obeyed {
        let client = self.clients.get(index).ok_or(Refusal::Parameter)?;
        let value = client.settings.query(key).ok_or(Refusal::Parameter)?;
        Ok(Answer::line(format!("+QMTCFG: \"{key}\",{value}")))
    }

    fn set_cfg(&mut self, core: &Core, key: &str, index: usize, command: &Command) -> Obeyed {
        let settings = &mut self.clients.get_mut(index).ok_or(Refusal::Parameter)?.settings;
        match key {
            "version" => {
                exactly(command, 3)?;
                settings.version = small(command.int(2, 3..=4)?);
            }
            "pdpcid" => {
                exactly(command, 3)?;
                settings.context = small(command.int(2, 1..=15)?);
            }
            "ssl" => {
                command.at_most(4)?;
                let enable = command.int(2, 0..=1)? == 1;
                let context = command.opt_int(3, 0..=5)?;
                // With TLS the context must be specified [EC200x MQTT 1.0 §3.2.1 note 3].
                settings.ssl = if enable { Some(small(context.ok_or(Refusal::Parameter)?)) } else { None };
            }
            "keepalive" => {
                exactly(command, 3)?;
                settings.keep_alive = medium(command.int(2, 0..=3600)?);
            }
            "session" => {
                exactly(command, 3)?;
                settings.clean_session = command.int(2, 0..=1)? == 1;
            }
            "timeout" => {
                exactly(command, 5)?;
                let (timeout, retries) = (command.int(2, 1..=60)?, command.int(3, 0..=10)?);
                settings.timeout_notice = command.int(4, 0..=1)? == 1;
                (settings.packet_timeout, settings.retries) = (small(timeout), small(retries));
            }
            "will" => {
                settings.will = read_will(command)?
                    .map(|will| Ok(Will { payload: command.text(6, 0..=LONGEST_WILL)?, ..will }))
                    .transpose()?;
            }
            "willex" => {
                let Some(_) = read_will(command)? else {
                    settings.will = None;
                    return Ok(Answer::ok());
                };
                let until = Until::Count(will_length(command)?);
                let text = super::publish::prompt_text(core);
                return Ok(Answer::prompt(Prompt { text, until, patience: None, echoes: true }));
            }
            "recv/mode" => {
                command.at_most(4)?;
                let buffered = command.int(2, 0..=1)? == 1;
                if let Some(with_length) = command.opt_int(3, 0..=1)? {
                    settings.with_length = with_length == 1;
                }
                settings.buffered = buffered;
            }
            "aliauth" => settings.alibaba = Some(texts(command)?),
            "qmtping" => {
                exactly(command, 3)?;
                settings.ping_interval = small(command.int(2, 5..=60)?);
            }
            "send/mode" => {
                exactly(command, 3)?;
                settings.send_mode = small(command.int(2, 0..=1)?);
            }
            "onenet" => settings.onenet = Some(texts(command)?),
            "hwauth" => settings.huawei = Some(timed_texts(command)?),
            "hwprodid" => settings.huawei_product = Some(timed_texts(command)?),
            "dataformat" => {
                exactly(command, 4)?;
                let send = command.int(2, 0..=1)? == 1;
                settings.hex_receive = command.int(3, 0..=1)? == 1;
                settings.hex_send = send;
            }
            "view/mode" => {
                exactly(command, 3)?;
                settings.view_mode = small(command.int(2, 0..=1)?);
            }
            _ => return Err(Refusal::Parameter),
        }
        Ok(Answer::ok())
    }

    /// The message of `AT+QMTCFG="willex"` is complete.
    pub(super) fn will_data(&mut self, command: &Command, data: Bytes, complete: bool) -> Obeyed {
        if !complete {
            return Err(Refusal::Error);
        }
        let index = client_index(command, 1)?;
        let client = self.clients.get_mut(index).ok_or(Refusal::Parameter)?;
        client.settings.will = read_will(command)?.map(|will| Will { payload: data, ..will });
        Ok(Answer::ok())
    }
}

/// The will of `"will"` and `"willex"` without its message. The flag 0 stands alone
/// [EC200x MQTT 1.0 §3.2.1 note 1].
fn read_will(command: &Command) -> Result<Option<Will>, Refusal> {
    if command.int(2, 0..=1)? == 0 {
        exactly(command, 3)?;
        return Ok(None);
    }
    exactly(command, 7)?;
    Ok(Some(Will {
        qos: small(command.int(3, 0..=2)?),
        retain: command.int(4, 0..=1)? == 1,
        topic: command.text(5, 1..=LONGEST_WILL)?,
        payload: Bytes::new(),
    }))
}

fn will_length(command: &Command) -> Result<usize, Refusal> {
    usize::try_from(command.int(6, 0..=256)?).map_err(|_| Refusal::Parameter)
}

fn exactly(command: &Command, count: usize) -> Result<(), Refusal> {
    if command.args.len() == count { Ok(()) } else { Err(Refusal::Parameter) }
}

/// The strings from the third argument on; there must be `N` of them.
fn texts<const N: usize>(command: &Command) -> Result<[Bytes; N], Refusal> {
    exactly(command, N + 2)?;
    first_texts(command)
}

/// As [`texts`], and perhaps the flag for checking timestamps, which the manual prints in the answer to the query.
fn timed_texts<const N: usize>(command: &Command) -> Result<([Bytes; N], Option<u8>), Refusal> {
    command.at_most(N + 3)?;
    let time = match command.args.get(N + 2) {
        None | Some(Arg::Omitted) => None,
        Some(_) => Some(small(command.int(N + 2, 0..=1)?)),
    };
    Ok((first_texts(command)?, time))
}

fn first_texts<const N: usize>(command: &Command) -> Result<[Bytes; N], Refusal> {
    let list: Result<Vec<Bytes>, Refusal> =
        (2..N + 2).map(|at| command.text(at, 1..=LONGEST_SECRET)).collect();
    <[Bytes; N]>::try_from(list?).map_err(|_| Refusal::Parameter)
}
