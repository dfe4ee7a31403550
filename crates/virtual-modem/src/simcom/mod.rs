//! SIMCom A7600, after `A7600 Series_MQTT_AT Command Manual_V1.00`.

mod certificates;
mod client;
mod config;
mod connection;
mod events;
mod network;
mod publish;
pub(crate) mod quirk;
mod receive;
mod refused;
mod service;
mod ssl;
mod staging;
mod subscribe;
mod system;

use std::time::Duration;

use bytes::Bytes;

use self::client::Client;
use self::quirk::SimComQuirk;
use self::refused::{Code, Refused};
use self::service::Service;
use self::ssl::SslContext;
use crate::common;
use crate::common::identity::Identity;
use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::Command;
use crate::machine::core::Core;
use crate::machine::firmware::Firmware;
use crate::mqtt::session::Event;
use crate::quirk::Quirk;

/// `<client_index>` is 0 or 1 [A7600 MQTT 1.00 §2.1.3].
const CLIENTS: usize = 2;
/// `<ssl_ctx_index>` is 0 to 9 [A7600 MQTT 1.00 §2.1.5].
const SSL_CONTEXTS: usize = 10;
/// The data context of the MQTT service: "ensure the first PDP context get a IP address" [A7600 MQTT 1.00 §3].
const CONTEXT: u8 = 1;

/// The state of SIMCom's own commands. Nothing of it survives a restart.
#[derive(Debug, Default)]
pub(crate) struct SimCom {
    service: Service,
    clients: [Client; CLIENTS],
    ssl: [SslContext; SSL_CONTEXTS],
    /// `AT+NETOPEN` was obeyed: the socket service, which MQTT does not need.
    net_open: bool,
    /// Counts the operations of clients, for their timers.
    last_ticket: u32,
    /// The client whose part was printed last, while parts are interleaved.
    last_speaker: usize,
    /// The command whose `OK` comes behind its result.
    awaits_ok: Option<u64>,
}

type Obeyed = Result<Answer, Refused>;

/// What the machine calls back for. Numbers from [`FIRST_TICKET`] on are the time limits of operations.
mod call {
    pub(super) const PART: u32 = 0;
    pub(super) const LATE_OK: u32 = 1;
    pub(super) const RESET: u32 = 2;
    pub(super) const POWER_DOWN: u32 = 3;
    pub(super) const FIRST_TICKET: u32 = 16;
}

impl Firmware for SimCom {
    fn identity(&self) -> Identity {
        Identity {
            manufacturer: "SIMCOM INCORPORATED".to_owned(),
            model: "A7600E-H".to_owned(),
            revision: "A7600M6_V11.2".to_owned(),
            imei: "861234050012347".to_owned(),
        }
    }

    fn clients(&self) -> usize {
        CLIENTS
    }

    fn power_on(&mut self, core: &mut Core) {
        *self = Self::default();
        // Errors are words until the host wants numbers (2.19), and an LTE module has its first context by itself.
        core.profile.errors = 2;
        core.network.activate(CONTEXT);
    }

    fn command(&mut self, core: &mut Core, command: &Command) -> Option<Answer> {
        let answer = match self.obey(core, command) {
            Some(Ok(answer)) => answer,
            Some(Err(refused)) => refused.answer(command),
            // Unlike most, this module has nothing but `ERROR` for commands it does not know.
            None => common::commands::obey(core, command).unwrap_or_else(|| Refusal::Error.into()),
        };
        Some(answer)
    }

    fn data(&mut self, core: &mut Core, command: &Command, data: Bytes, complete: bool) -> Answer {
        let obeyed = if complete { self.take_data(core, command, data) } else { Err(Refused::ERROR) };
        obeyed.unwrap_or_else(|refused| refused.answer(command))
    }

    fn failure(&mut self, core: &mut Core, command: &Command, code: u8) -> Answer {
        self.fail(core, command, Code(code))
    }

    fn mqtt(&mut self, core: &mut Core, client: usize, event: Event) {
        self.mqtt_event(core, client, event);
    }

    fn context_lost(&mut self, core: &mut Core, context: u8) {
        if context == CONTEXT {
            self.network_gone(core);
        }
    }

    fn called_back(&mut self, core: &mut Core, number: u32) {
        match number {
            call::PART => self.print_part(core),
            call::LATE_OK => {
                if let Some(serial_no) = self.awaits_ok.take() {
                    core.finish(serial_no, Answer::ok());
                }
            }
            call::RESET => self.reset(core),
            call::POWER_DOWN => system::power_down(core),
            ticket => self.time_is_up(core, ticket),
        }
    }

    fn banner(&self, core: &Core) -> Vec<(Duration, Bytes)> {
        system::banner(core)
    }

    fn farewell(&self) -> Option<Bytes> {
        None
    }

    fn chatter(&self) -> Bytes {
        Bytes::from_static(b"SMS DONE")
    }

    fn settings(&self) -> Vec<(String, String)> {
        let clients = self.clients.iter().enumerate().flat_map(|(index, client)| client.dump(index));
        let contexts = self.ssl.iter().enumerate().flat_map(|(index, context)| context.dump(index));
        clients.chain(contexts).collect()
    }
}

impl SimCom {
    /// `None` if the command is not one of SIMCom's.
    fn obey(&mut self, core: &mut Core, command: &Command) -> Option<Obeyed> {
        Some(match command.name.as_str() {
            "+CMQTTSTART" => self.start(core, command),
            "+CMQTTSTOP" => self.stop(core, command),
            "+CMQTTACCQ" => self.acquire(core, command),
            "+CMQTTREL" => self.release(core, command),
            "+CMQTTSSLCFG" => self.ssl_choice(command),
            "+CMQTTCFG" => self.cfg(core, command),
            "+CMQTTWILLTOPIC" | "+CMQTTWILLMSG" | "+CMQTTTOPIC" | "+CMQTTPAYLOAD" | "+CMQTTSUBTOPIC"
            | "+CMQTTUNSUBTOPIC" => self.stage(core, command),
            "+CMQTTCONNECT" => self.connect(core, command),
            "+CMQTTDISC" => self.disconnect(core, command),
            "+CMQTTPUB" => self.publish(core, command),
            "+CMQTTSUB" | "+CMQTTUNSUB" => self.subscribe(core, command),
            "+CSSLCFG" => self.ssl_cfg(command),
            "+CCERTDOWN" => certificates::download(core, command),
            "+CCERTLIST" => certificates::list(core, command),
            "+CCERTDELE" => certificates::delete(core, command),
            "+CGSOCKCONT" => network::socket_contexts(core, command),
            "+CGPADDR" => network::addresses(core, command),
            "+NETOPEN" => self.net_open(core, command),
            "+NETCLOSE" => self.net_close(core, command),
            "+IPADDR" => self.ip_address(command),
            "+CPSI" => network::system_information(core, command),
            "+CICCID" => system::iccid(core, command),
            "I" | "+SIMCOMATI" => system::identification(core, command),
            "+CRESET" => system::later(core, command, call::RESET),
            "+CPOF" => system::later(core, command, call::POWER_DOWN),
            _ => return None,
        })
    }

    /// Goes on with a command whose data is complete.
    fn take_data(&mut self, core: &mut Core, command: &Command, data: Bytes) -> Obeyed {
        match command.name.as_str() {
            "+CMQTTPUB" => self.publish_inline_topic(core, command, Some(data)),
            "+CMQTTSUB" | "+CMQTTUNSUB" => self.subscribe_one(core, command, data),
            "+CCERTDOWN" => certificates::store(core, command, data),
            _ => self.staged(core, command, data),
        }
    }
}

fn has(core: &Core, quirk: SimComQuirk) -> bool {
    core.has(Quirk::SimCom(quirk))
}

/// The first value that `pick` finds among SIMCom's quirks.
fn quirk<T>(core: &Core, pick: impl Fn(&SimComQuirk) -> Option<T>) -> Option<T> {
    core.quirk(|quirk| match quirk {
        Quirk::SimCom(quirk) => pick(quirk),
        _ => None,
    })
}

fn small(value: i64) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

fn medium(value: i64) -> u16 {
    u16::try_from(value).unwrap_or(u16::MAX)
}
