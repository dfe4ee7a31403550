//! The commands every module knows: V.250 and 3GPP 27.007.

use std::time::Duration;

use super::profile::Profile;
use super::{clock, contexts};
use crate::fault::Reboot;
use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;

/// Obeys or refuses a common command; `None` if it is none.
pub(crate) fn obey(core: &mut Core, command: &Command) -> Option<Answer> {
    let name = command.name.as_str();
    let answer = match name {
        "" => Ok(Answer::ok()),
        "E" | "V" | "Q" | "Z" | "&F" | "&W" => basic(core, command),
        "I" => Ok(Answer::line(core.identity.manufacturer.clone())
            .with(core.identity.model.clone())
            .with(format!("Revision: {}", core.identity.revision))),
        "+CGMI" | "+GMI" => identification(command, &core.identity.manufacturer),
        "+CGMM" | "+GMM" => identification(command, &core.identity.model),
        "+CGMR" | "+GMR" => identification(command, &core.identity.revision),
        "+CGSN" | "+GSN" => identification(command, &core.identity.imei),
        "+CIMI" => core.sim.require(core.now).and_then(|()| identification(command, &core.sim.imsi)),
        "+QCCID" | "+CCID" => ccid(core, command),
        "+CPIN" => pin(core, command),
        "+CMEE" => errors(core, command),
        "+CSQ" => signal(core, command),
        "+CREG" => registration(core, command, 0),
        "+CGREG" => registration(core, command, 1),
        "+CEREG" => registration(core, command, 2),
        "+COPS" => operator(core, command),
        "+CFUN" => functionality(core, command),
        "+CCLK" => clock::obey(core, command),
        "+IFC" => stored_pair(command, "+IFC: (0,2),(0,2)", "+IFC: 0,0", 0..=2),
        "+IPR" => baud_rate(command),
        "+CGATT" => contexts::attachment(core, command),
        "+CGDCONT" => contexts::definition(core, command),
        "+CGACT" => contexts::activation(core, command),
        "+CGPADDR" => contexts::addresses(core, command),
        _ => return None,
    };
    Some(answer.into())
}

type Obeyed = Result<Answer, Refusal>;

fn basic(core: &mut Core, command: &Command) -> Obeyed {
    let value = command.opt_int(0, 0..=1)?.unwrap_or(0);
    let profile = &mut core.profile;
    match command.name.as_str() {
        "E" => profile.echo = value == 1,
        "V" => profile.verbose = value == 1,
        "Q" => profile.quiet = value == 1,
        // Nothing is stored by `&W`, so that recalling a profile is the same as the factory settings.
        "Z" | "&F" => {
            *profile = Profile { blank_before_final: profile.blank_before_final, ..Profile::default() };
        }
        _ => {}
    }
    Ok(Answer::ok())
}

fn identification(command: &Command, text: &str) -> Obeyed {
    match command.form {
        Form::Execute => Ok(Answer::line(text.to_owned())),
        Form::Test => Ok(Answer::ok()),
        Form::Read | Form::Write => Err(Refusal::Cme(NOT_SUPPORTED)),
    }
}

fn ccid(core: &Core, command: &Command) -> Obeyed {
    core.sim.require(core.now)?;
    match command.form {
        Form::Execute | Form::Read => Ok(Answer::line(format!("{}: {}", command.name, core.sim.iccid))),
        Form::Test => Ok(Answer::ok()),
        Form::Write => Err(Refusal::Cme(NOT_SUPPORTED)),
    }
}

fn pin(core: &mut Core, command: &Command) -> Obeyed {
    match command.form {
        Form::Read => Ok(Answer::line(format!("+CPIN: {}", core.sim.state(core.now)?))),
        Form::Test => Ok(Answer::ok()),
        Form::Write => {
            command.at_most(1)?;
            let pin = command.word(0).ok_or(Refusal::Cme(INCORRECT_PARAMETERS))?;
            if !(4..=8).contains(&pin.len()) || !pin.iter().all(u8::is_ascii_digit) {
                return Err(Refusal::Cme(INCORRECT_PARAMETERS));
            }
            core.sim.unlock(pin, core.now)?;
            core.urc("+CPIN: READY");
            Ok(Answer::ok())
        }
        Form::Execute => Err(Refusal::Cme(NOT_SUPPORTED)),
    }
}

fn errors(core: &mut Core, command: &Command) -> Obeyed {
    match command.form {
        Form::Read => Ok(Answer::line(format!("+CMEE: {}", core.profile.errors))),
        Form::Test => Ok(Answer::line("+CMEE: (0-2)")),
        Form::Write => {
            command.at_most(1)?;
            core.profile.errors = small(command.int(0, 0..=2)?);
            Ok(Answer::ok())
        }
        Form::Execute => {
            core.profile.errors = 0;
            Ok(Answer::ok())
        }
    }
}

fn signal(core: &Core, command: &Command) -> Obeyed {
    match command.form {
        Form::Execute => Ok(Answer::line(format!("+CSQ: {},99", core.network.signal))),
        Form::Test => Ok(Answer::line("+CSQ: (0-31,99),(0-7,99)")),
        Form::Read | Form::Write => Err(Refusal::Cme(NOT_SUPPORTED)),
    }
}

fn registration(core: &mut Core, command: &Command, which: usize) -> Obeyed {
    let name = &command.name;
    match command.form {
        Form::Test => Ok(Answer::line(format!("{name}: (0-2)"))),
        Form::Read => {
            let reports = core.network.reports.get(which).copied().unwrap_or(0);
            let mut line = format!("{name}: {reports},{}", core.network.registration);
            if reports == 2 && core.network.is_registered() {
                line.push_str(LOCATION);
            }
            Ok(Answer::line(line))
        }
        Form::Write => {
            command.at_most(1)?;
            let value = small(command.int(0, 0..=2)?);
            if let Some(reports) = core.network.reports.get_mut(which) {
                *reports = value;
            }
            Ok(Answer::ok())
        }
        Form::Execute => Err(Refusal::Cme(NOT_SUPPORTED)),
    }
}

/// Takes the SIM out of its slot: registration and contexts are lost.
pub(crate) fn remove_sim(core: &mut Core) {
    core.sim.present = false;
    core.urc("+CPIN: NOT INSERTED");
    set_registration(core, 0);
    core.lose_contexts();
}

/// Puts the SIM back.
pub(crate) fn insert_sim(core: &mut Core) {
    core.sim.present = true;
    core.urc("+CPIN: READY");
    set_registration(core, 1);
}

/// Changes the registration and reports it as far as reports were asked for.
pub(crate) fn set_registration(core: &mut Core, status: u8) {
    if core.network.registration == status {
        return;
    }
    let lost = matches!(core.network.registration, 1 | 5) && !matches!(status, 1 | 5);
    core.network.registration = status;
    core.registration_lost |= lost;
    for (name, reports) in ["+CREG", "+CGREG", "+CEREG"].into_iter().zip(core.network.reports) {
        let place = if reports == 2 && core.network.is_registered() { LOCATION } else { "" };
        if reports > 0 {
            core.urc(format!("{name}: {status}{place}"));
        }
    }
}

fn operator(core: &Core, command: &Command) -> Obeyed {
    match command.form {
        Form::Read if core.network.is_registered() => {
            Ok(Answer::line(format!("+COPS: 0,0,\"{}\",7", core.network.operator)))
        }
        Form::Read => Ok(Answer::line("+COPS: 0")),
        Form::Test => Ok(Answer::line(format!(
            "+COPS: (2,\"{0}\",\"{0}\",\"00101\",7),,(0-4),(0-2)",
            core.network.operator
        ))),
        Form::Write => {
            command.int(0, 0..=4)?;
            Ok(Answer::ok())
        }
        Form::Execute => Err(Refusal::Cme(NOT_SUPPORTED)),
    }
}

fn functionality(core: &mut Core, command: &Command) -> Obeyed {
    match command.form {
        Form::Read => Ok(Answer::line(format!("+CFUN: {}", core.network.functionality))),
        Form::Test => Ok(Answer::line("+CFUN: (0,1,4),(0,1)")),
        Form::Write => {
            command.at_most(2)?;
            let value = small(command.int(0, 0..=4)?);
            if !matches!(value, 0 | 1 | 4) {
                return Err(Refusal::Cme(INCORRECT_PARAMETERS));
            }
            if command.opt_int(1, 0..=1)? == Some(1) {
                core.restart_in(RESTART_DELAY, Reboot::Loud);
                return Ok(Answer::ok());
            }
            core.network.functionality = value;
            if value == 1 {
                set_registration(core, 1);
            } else {
                set_registration(core, 0);
                core.lose_contexts();
            }
            Ok(Answer::ok())
        }
        Form::Execute => Err(Refusal::Cme(NOT_SUPPORTED)),
    }
}

/// A command whose two values are accepted and never change: flow control is not modelled.
fn stored_pair(
    command: &Command,
    test: &'static str,
    read: &'static str,
    range: std::ops::RangeInclusive<i64>,
) -> Obeyed {
    match command.form {
        Form::Test => Ok(Answer::line(test)),
        Form::Read => Ok(Answer::line(read)),
        Form::Write => {
            command.at_most(2)?;
            command.int(0, range.clone())?;
            command.opt_int(1, range)?;
            Ok(Answer::ok())
        }
        Form::Execute => Err(Refusal::Cme(NOT_SUPPORTED)),
    }
}

fn baud_rate(command: &Command) -> Obeyed {
    match command.form {
        Form::Test => Ok(Answer::line("+IPR: (0,9600,19200,38400,57600,115200,230400,460800,921600)")),
        Form::Read => Ok(Answer::line("+IPR: 115200")),
        Form::Write => {
            command.at_most(1)?;
            command.int(0, 0..=4_000_000)?;
            Ok(Answer::ok())
        }
        Form::Execute => Err(Refusal::Cme(NOT_SUPPORTED)),
    }
}

pub(super) fn small(value: i64) -> u8 {
    u8::try_from(value).unwrap_or(u8::MAX)
}

/// Location area, cell and access technology of the one cell there is.
const LOCATION: &str = ",\"1A2B\",\"03C4D5E6\",7";

pub(super) const NOT_SUPPORTED: u16 = 4;
pub(super) const INCORRECT_PARAMETERS: u16 = 50;

/// Between the answer to `AT+CFUN=1,1` and the restart.
const RESTART_DELAY: Duration = Duration::from_millis(50);
