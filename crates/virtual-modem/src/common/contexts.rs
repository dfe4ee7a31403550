//! Attachment and data contexts by the standard's commands [3GPP 27.007 §10.1].

use super::commands::{INCORRECT_PARAMETERS, NOT_SUPPORTED, small};
use super::network::{CONTEXTS, Network};
use crate::machine::answer::{Answer, Refusal};
use crate::machine::command::{Command, Form};
use crate::machine::core::Core;

type Obeyed = Result<Answer, Refusal>;

pub(super) fn attachment(core: &mut Core, command: &Command) -> Obeyed {
    match command.form {
        Form::Read => Ok(Answer::line(format!("+CGATT: {}", u8::from(core.network.attached)))),
        Form::Test => Ok(Answer::line("+CGATT: (0,1)")),
        Form::Write => {
            command.at_most(1)?;
            let attach = command.int(0, 0..=1)? == 1;
            if attach && !core.network.is_registered() {
                return Err(Refusal::Cme(30));
            }
            core.network.attached = attach;
            if !attach {
                core.lose_contexts();
            }
            Ok(Answer::ok())
        }
        Form::Execute => Err(Refusal::Cme(NOT_SUPPORTED)),
    }
}

pub(super) fn definition(core: &mut Core, command: &Command) -> Obeyed {
    match command.form {
        Form::Test => Ok(Answer::line(format!("+CGDCONT: (1-{CONTEXTS}),\"IP\",,,(0-2),(0-4)"))),
        Form::Read => Ok(core.network.contexts.iter().fold(Answer::ok(), |answer, (number, context)| {
            let apn = String::from_utf8_lossy(&context.apn);
            answer.with(format!("+CGDCONT: {number},\"{}\",\"{apn}\",\"\",0,0", context.kind))
        })),
        Form::Write => {
            let number = small(command.int(0, 1..=i64::from(CONTEXTS))?);
            let Some(kind) = command.opt_text(1, 2..=8)? else {
                core.network.contexts.remove(&number);
                return Ok(Answer::ok());
            };
            let kind = String::from_utf8_lossy(&kind).to_ascii_uppercase();
            if !matches!(kind.as_str(), "IP" | "IPV6" | "IPV4V6") {
                return Err(Refusal::Cme(INCORRECT_PARAMETERS));
            }
            let apn = command.opt_text(2, 0..=100)?.unwrap_or_default();
            let context = core.network.context(number);
            context.kind = kind;
            context.apn = apn;
            Ok(Answer::ok())
        }
        Form::Execute => Err(Refusal::Cme(NOT_SUPPORTED)),
    }
}

pub(super) fn activation(core: &mut Core, command: &Command) -> Obeyed {
    match command.form {
        Form::Test => Ok(Answer::line("+CGACT: (0,1)")),
        Form::Read => Ok(core.network.contexts.iter().fold(Answer::ok(), |answer, (number, context)| {
            answer.with(format!("+CGACT: {number},{}", u8::from(context.active)))
        })),
        Form::Write => {
            command.at_most(2)?;
            let activate = command.int(0, 0..=1)? == 1;
            let number = small(command.opt_int(1, 1..=i64::from(CONTEXTS))?.unwrap_or(1));
            if !activate {
                core.lose_context(number);
            } else if !core.network.activate(number) {
                return Err(Refusal::Cme(100));
            }
            Ok(Answer::ok())
        }
        Form::Execute => Err(Refusal::Cme(NOT_SUPPORTED)),
    }
}

pub(super) fn addresses(core: &Core, command: &Command) -> Obeyed {
    let wanted = match command.form {
        Form::Test => return Ok(Answer::line("+CGPADDR: (1)")),
        Form::Write => command.opt_int(0, 1..=i64::from(CONTEXTS))?.map(small),
        Form::Execute => None,
        Form::Read => return Err(Refusal::Cme(NOT_SUPPORTED)),
    };
    let contexts =
        core.network.contexts.iter().filter(|(number, _)| wanted.is_none_or(|wanted| wanted == **number));
    Ok(contexts.fold(Answer::ok(), |answer, (number, context)| {
        let address = if context.active { Network::address(*number) } else { "0.0.0.0".to_owned() };
        answer.with(format!("+CGPADDR: {number},\"{address}\""))
    }))
}
