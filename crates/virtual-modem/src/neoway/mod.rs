//! Neoway's standard modules, after `Standard Modules MQTT Application Guide 1.2`.

mod arguments;
mod aws;
mod certificates;
mod cloud;
mod connection;
mod events;
mod identification;
mod network;
mod publish;
mod settings;
mod subscribe;

use std::time::Duration;

use bytes::Bytes;

use self::aws::Aws;
use self::cloud::CloudLogin;
use self::connection::Connecting;
use self::settings::Login;
use crate::common::identity::Identity;
use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::Command;
use crate::machine::core::Core;
use crate::machine::firmware::Firmware;
use crate::mqtt::packet::Will;
use crate::mqtt::session::Event;
use crate::quirk::Quirk;

/// The one MQTT client.
const CLIENT: usize = 0;

/// The one data context.
const CONTEXT: u8 = 1;

/// The state of Neoway's own commands. Nothing of it survives a restart; certificates do, as they are files.
#[derive(Debug, Default)]
pub(crate) struct Neoway {
    login: Option<Login>,
    will: Option<Will>,
    cloud: Option<CloudLogin>,
    aws: Aws,
    /// What `AT+MQTTCONN?` says.
    last_connection: Option<(Bytes, bool, u16)>,
    /// What `AT+MQTTSUB?` says.
    last_subscription: Option<(Bytes, u8)>,
    /// Who connected, or is about to.
    flavour: Flavour,
    connecting: Option<Connecting>,
    /// `AT+XIIC=1` was obeyed and the network has not answered yet.
    dialling: bool,
    /// How the connection that broke was set up, while the module restores it by itself (quirk 4.9).
    restoring: Option<Connecting>,
    /// Messages received since the start.
    messages: u64,
}

/// By which commands a connection was set up; each family has its own reports.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Flavour {
    /// `AT+MQTTCONN` and `AT+AWSCONN`.
    #[default]
    Standard,
    /// `AT+CLOUDCONN`
    Cloud,
}

type Obeyed = Result<Answer, Refusal>;

impl Firmware for Neoway {
    fn identity(&self) -> Identity {
        Identity {
            manufacturer: "NEOWAY".to_owned(),
            model: "N720".to_owned(),
            revision: "N720-STD-BZ-V003".to_owned(),
            imei: "860470040123456".to_owned(),
        }
    }

    fn clients(&self) -> usize {
        1
    }

    fn power_on(&mut self, core: &mut Core) {
        *self = Self::default();
        core.profile.blank_before_final = core.has(Quirk::BlankBeforeFinal);
        if core.has(Quirk::ContextAlreadyUp) {
            core.network.activate(CONTEXT);
        }
    }

    fn command(&mut self, core: &mut Core, command: &Command) -> Option<Answer> {
        let answer = match command.name.as_str() {
            "+XIIC" => self.call(core, command),
            "+CREG" => return network::registration(core, command),
            "+CSQ" => return network::signal(core, command),
            "+CGMM" | "+CGSN" => return identification::prefixed(core, command),
            "+MQTTCONNPARAM" => self.connection_parameters(core, command),
            "+MQTTWILLPARAM" => self.will_parameters(core, command),
            "+MQTTWILLMSG" => self.will_message(core, command),
            "+MQTTCONN" => self.conn(core, command),
            "+MQTTDISCONN" => self.disconn(core, command, Flavour::Standard),
            "+MQTTSTATE" => self.state(core, command, Flavour::Standard),
            "+MQTTSUB" => self.sub(core, command),
            "+MQTTUNSUB" => self.unsub(core, command, Flavour::Standard),
            "+MQTTPUB" | "+MQTTPUBS" | "+CLOUDPUB" | "+CLOUDPUBMSG" => self.publish(core, command),
            "+CLOUDHDAUTH" => self.cloud_login(core, command),
            "+CLOUDCONN" => self.cloud_conn(core, command),
            "+CLOUDSUB" => self.cloud_sub(core, command),
            "+CLOUDUNSUB" => self.unsub(core, command, Flavour::Cloud),
            "+CLOUDSTATE" => self.state(core, command, Flavour::Cloud),
            "+CLOUDDISCONN" => self.disconn(core, command, Flavour::Cloud),
            "+CERTADD" => certificates::add(core, command),
            "+AWSTLSCFG" => self.aws_tls(core, command),
            "+AWSAUTHPARAM" => self.aws_login(command),
            "+AWSCONNPARAM" => self.aws_server(command),
            "+AWSCONN" => self.aws_conn(core, command),
            _ => return None,
        };
        Some(answer.into())
    }

    fn data(&mut self, core: &mut Core, command: &Command, data: Bytes, complete: bool) -> Answer {
        if !complete {
            return timed_out(core, command);
        }
        let answer = match command.name.as_str() {
            "+MQTTWILLMSG" => self.will_data(command, data),
            "+CERTADD" => certificates::data(core, command, data),
            _ => self.publish_data(core, command, data),
        };
        answer.into()
    }

    fn patience_is_for_all(&self) -> bool {
        true
    }

    fn mqtt(&mut self, core: &mut Core, _: usize, event: Event) {
        self.mqtt_event(core, event);
    }

    fn context_lost(&mut self, core: &mut Core, context: u8) {
        if context == CONTEXT {
            // Breaking also ends the commands that wait for the broker.
            core.break_connection(CLIENT);
        }
    }

    fn registration_lost(&mut self, core: &mut Core) {
        core.lose_contexts();
    }

    fn called_back(&mut self, core: &mut Core, number: u32) {
        match number {
            network::ADDRESS_DUE => self.dialled(core),
            events::RESTORE => self.restore(core),
            _ => {}
        }
    }

    fn banner(&self, _: &Core) -> Vec<(Duration, Bytes)> {
        [(0, "MODEM:STARTUP"), (1000, "+PBREADY")]
            .into_iter()
            .map(|(after, line)| (Duration::from_millis(after), Bytes::from(line)))
            .collect()
    }

    fn farewell(&self) -> Option<Bytes> {
        None
    }

    fn chatter(&self) -> Bytes {
        Bytes::from_static(CHATTER)
    }

    fn settings(&self) -> Vec<(String, String)> {
        self.dump()
    }
}

/// A line that may come at any time.
const CHATTER: &[u8] = b"+PBREADY";

/// How long the data behind a prompt may take, all of it [Neoway MQTT 1.2 §5.7, §B.2].
const WRITING_TIME: Duration = Duration::from_secs(30);

/// `+MQTTPUBS: Timeout!`, and nothing behind it (ambiguity U9).
fn timed_out(core: &Core, command: &Command) -> Answer {
    if command.name == "+CERTADD" {
        return Refusal::Error.into();
    }
    let line = format!("{}: Timeout!", command.name);
    if core.has(Quirk::TimeoutThenError) {
        Answer::from(Refusal::Error).with(line)
    } else {
        Answer::words(line)
    }
}
