//! TLS with certificates of both sides: `AT+AWSTLSCFG`, `AT+AWSAUTHPARAM`, `AT+AWSCONNPARAM`, `AT+AWSCONN`
//! [Neoway MQTT 1.2 §B.4].

use bytes::Bytes;

use super::arguments::{exactly, flag, keep_alive, server, text};
use super::settings::Login;
use super::{Neoway, Obeyed, connection};
use crate::link::{Dial, TlsSettings, TlsVersions};
use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;

/// The longest identifier, user name and password; the manual gives no limit.
const LONGEST: usize = 256;

/// What is set before `AT+AWSCONN`. Files are kept by name.
#[derive(Debug, Default)]
pub(super) struct Aws {
    login: Option<Login>,
    server: Option<(Bytes, u16)>,
    /// "1: Authorization Required, 0: optional."
    verify: bool,
    root: Option<String>,
    certificate: Option<String>,
    key: Option<String>,
}

impl Neoway {
    pub(super) fn aws_tls(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        let Form::Write = command.form else { return Err(Refusal::Error) };
        exactly(command, 2)?;
        let key = text(command, 0, 1..=16)?;
        if &*key == b"authmode" {
            self.aws.verify = flag(command, 1)?;
            return Ok(Answer::ok());
        }
        let name = String::from_utf8(text(command, 1, 1..=64)?.to_vec()).map_err(|_| Refusal::Parameter)?;
        if core.files.read(&name).is_none() {
            return Err(Refusal::Error);
        }
        let file = match &*key {
            b"rootca" => &mut self.aws.root,
            b"clientcert" => &mut self.aws.certificate,
            b"clientkey" => &mut self.aws.key,
            _ => return Err(Refusal::Parameter),
        };
        *file = Some(name);
        Ok(Answer::ok())
    }

    /// `<client identifier>[,<user>[,<password>]]`
    pub(super) fn aws_login(&mut self, command: &Command) -> Obeyed {
        let Form::Write = command.form else { return Err(Refusal::Error) };
        command.at_most(3)?;
        self.aws.login = Some(Login {
            client_identifier: text(command, 0, 1..=LONGEST)?,
            user: text(command, 1, 0..=LONGEST)?,
            password: text(command, 2, 0..=LONGEST)?,
        });
        Ok(Answer::ok())
    }

    /// `<url:port>,<flag>`. What the flag means is not said; it changes nothing here.
    pub(super) fn aws_server(&mut self, command: &Command) -> Obeyed {
        let Form::Write = command.form else { return Err(Refusal::Error) };
        exactly(command, 2)?;
        let server = server(command, 0)?;
        flag(command, 1)?;
        self.aws.server = Some(server);
        Ok(Answer::ok())
    }

    /// `<keepalive>,<clean>,<version>`
    pub(super) fn aws_conn(&mut self, core: &mut Core, command: &Command) -> Obeyed {
        let Form::Write = command.form else { return Err(Refusal::Error) };
        exactly(command, 3)?;
        let keep_alive = keep_alive(command, 0)?;
        let clean_session = flag(command, 1)?;
        command.int(2, 3..=4)?;
        let login = self.aws.login.as_ref().ok_or(Refusal::Error)?;
        let (host, port) = self.aws.server.clone().ok_or(Refusal::Error)?;
        let tls = Some(self.aws.tls_settings(core)?);
        let connect = connection::connect(login, self.will.clone(), clean_session, keep_alive);
        self.set_up(core, command, Dial { host, port, tls }, connect)
    }
}

impl Aws {
    fn tls_settings(&self, core: &Core) -> Result<TlsSettings, Refusal> {
        let file = |name: &Option<String>| name.as_ref().and_then(|name| core.files.read(name).cloned());
        let ca = if self.verify { Some(file(&self.root).ok_or(Refusal::Error)?) } else { None };
        Ok(TlsSettings {
            ca,
            identity: file(&self.certificate).zip(file(&self.key)),
            server_name_indication: true,
            ignore_time: false,
            versions: TlsVersions::All,
        })
    }
}
