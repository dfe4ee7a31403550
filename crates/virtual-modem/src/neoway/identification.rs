//! `AT+CGMM` and `AT+CGSN` as an N706 answers them (quirk 4.14).

use crate::common::commands::obey;
use crate::machine::answer::Answer;
use crate::machine::command::Command;
use crate::machine::core::Core;
use crate::quirk::Quirk;

pub(super) fn prefixed(core: &mut Core, command: &Command) -> Option<Answer> {
    let mut answer = obey(core, command)?;
    if core.has(Quirk::PrefixedIdentity) {
        for line in &mut answer.info {
            *line = [command.name.as_bytes(), b": ", line].concat().into();
        }
    }
    Some(answer)
}
