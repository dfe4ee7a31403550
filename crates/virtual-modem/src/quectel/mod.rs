//! Quectel EC200x, EC600S and EG912Y, after `EC200x&EC600S&EG912Y MQTT Application Note 1.0`.

mod cfg;
mod cfg_store;
mod connection;
mod contexts;
mod events;
mod files;
mod publish;
mod receive;
mod ssl;
mod subscribe;
mod system;

use std::time::Duration;

use bytes::Bytes;

use self::cfg_store::Settings;
use self::receive::Slots;
use self::ssl::SslContext;
use crate::common::identity::Identity;
use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::Command;
use crate::machine::core::Core;
use crate::machine::firmware::Firmware;
use crate::mqtt::session::Event;
use crate::quirk::Quirk;

/// `<client_idx>` is 0 to 5 [EC200x MQTT 1.0 §3.2.1].
const CLIENTS: usize = 6;

/// The state of Quectel's own commands. Nothing of it survives a restart [EC200x MQTT 1.0 §3.2.1].
#[derive(Debug, Default)]
pub(crate) struct Quectel {
    clients: [Client; CLIENTS],
    ssl: [SslContext; SSL_CONTEXTS],
    /// What `AT+QIGETERROR` says.
    last_error: u16,
    urc_port: String,
    tls_opens: u32,
    closed_after_open: bool,
    missed_upload: bool,
}

const SSL_CONTEXTS: usize = 6;

/// One MQTT client.
#[derive(Debug, Default)]
struct Client {
    settings: Settings,
    /// What `AT+QMTOPEN?` says, as long as the network is open.
    dialled: Option<(Bytes, u16)>,
    /// `AT+QMTDISC` was obeyed and nothing was opened since.
    disconnected: bool,
    slots: Slots,
}

type Obeyed = Result<Answer, Refusal>;

impl Firmware for Quectel {
    fn identity(&self) -> Identity {
        Identity {
            manufacturer: "Quectel".to_owned(),
            model: "EC200T".to_owned(),
            revision: "EC200TCNHAR02A09M16".to_owned(),
            imei: "867567041234560".to_owned(),
        }
    }

    fn clients(&self) -> usize {
        CLIENTS
    }

    fn power_on(&mut self, core: &mut Core) {
        core.files.remove_all(|name| name.starts_with(files::MEMORY));
        *self = Self { urc_port: "usbat".to_owned(), ..Self::default() };
        if core.has(Quirk::ContextAlreadyUp) {
            core.network.activate(1);
        }
    }

    fn command(&mut self, core: &mut Core, command: &Command) -> Option<Answer> {
        let answer = match command.name.as_str() {
            "+QMTCFG" => self.cfg(core, command),
            "+QMTOPEN" => self.open(core, command),
            "+QMTCLOSE" => self.close(core, command),
            "+QMTCONN" => self.conn(core, command),
            "+QMTDISC" => self.disc(core, command),
            "+QMTSUB" => self.sub(core, command),
            "+QMTUNS" => self.uns(core, command),
            "+QMTPUBEX" | "+QMTPUB" => return self.publish(core, command),
            "+QMTRECV" => self.recv(core, command),
            "+QSSLCFG" => self.ssl_cfg(core, command),
            "+QICSGP" => contexts::settings(core, command),
            "+QIACT" => self.activate(core, command),
            "+QIDEACT" => self.deactivate(core, command),
            "+QIGETERROR" => self.get_error(command),
            "+QURCCFG" => self.urc_cfg(core, command),
            "+QPOWD" => system::power_down(core, command),
            "+QFUPL" => files::upload(core, command),
            "+QFLST" => files::list(core, command),
            "+QFDEL" => files::delete(core, command),
            "+QFDWL" => files::download(core, command),
            "+QFLDS" => files::space(core, command),
            _ => return None,
        };
        Some(answer.into())
    }

    fn data(&mut self, core: &mut Core, command: &Command, data: Bytes, complete: bool) -> Answer {
        let answer = match command.name.as_str() {
            "+QMTPUBEX" | "+QMTPUB" => self.publish_data(core, command, data, complete),
            "+QMTCFG" => self.will_data(command, data, complete),
            "+QFUPL" => self.upload_data(core, command, data),
            _ => Err(Refusal::Error),
        };
        answer.into()
    }

    fn mqtt(&mut self, core: &mut Core, client: usize, event: Event) {
        self.mqtt_event(core, client, event);
    }

    fn context_lost(&mut self, core: &mut Core, context: u8) {
        core.urc(format!("+QIURC: \"pdpdeact\",{context}"));
        self.close_clients_of(core, context, CONTEXT_LOST);
    }

    fn called_back(&mut self, core: &mut Core, number: u32) {
        if let Some(client) = usize::try_from(number).ok().filter(|client| *client < CLIENTS) {
            self.close_right_after_open(core, client);
        }
    }

    fn banner(&self, core: &Core) -> Vec<(Duration, Bytes)> {
        let ready = if core.has(Quirk::AppReady) { "APP RDY" } else { "RDY" };
        let pin = match core.sim.state(core.now) {
            Ok(state) => format!("+CPIN: {state}"),
            Err(_) => "+CPIN: NOT INSERTED".to_owned(),
        };
        [
            (0, ready.to_owned()),
            (50, "+CFUN: 1".to_owned()),
            (300, pin),
            (320, "+QUSIM: 1".to_owned()),
            (1800, "+QIND: SMS DONE".to_owned()),
            (2400, "+QIND: PB DONE".to_owned()),
        ]
        .into_iter()
        .map(|(after, line)| (Duration::from_millis(after), Bytes::from(line)))
        .collect()
    }

    fn farewell(&self) -> Option<Bytes> {
        Some(Bytes::from_static(b"POWERED DOWN"))
    }

    fn chatter(&self) -> Bytes {
        Bytes::from_static(b"+QIND: SMS DONE")
    }

    fn settings(&self) -> Vec<(String, String)> {
        let clients = self.clients.iter().enumerate().flat_map(|(index, client)| client.settings.dump(index));
        let contexts = self.ssl.iter().enumerate().flat_map(|(index, context)| context.dump(index));
        clients.chain(contexts).collect()
    }
}

/// `<err_code>` of `+QMTSTAT` when the network under a client went away: "deactivate PDP first, and then active PDP
/// and reopen" is the reaction the manual names for 2 [EC200x MQTT 1.0 §4.1].
const CONTEXT_LOST: u8 = 2;

/// The index in front of every `AT+QMT…` command.
fn client_index(command: &Command, position: usize) -> Result<usize, Refusal> {
    let index = command.int(position, 0..=5)?;
    usize::try_from(index).map_err(|_| Refusal::Parameter)
}

fn small(value: i64) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

fn medium(value: i64) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}
