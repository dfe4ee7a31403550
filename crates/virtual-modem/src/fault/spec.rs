//! Faults as the command line writes them: `HOOK[:COMMAND[:OCCASION]]:ACTION`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;

use super::{Action, Fault, FaultPlan, Hook, Reboot, Swarm};

/// The text is no fault plan.
///
/// No example: it is a text for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("fault `{text}` is not HOOK[:COMMAND[:OCCASION]]:ACTION{problem}")]
pub struct BadFault {
    text: String,
    /// What is wrong with it, behind a colon, if that is known.
    problem: String,
}

impl BadFault {
    fn new(text: &str, problem: Option<String>) -> Self {
        let problem = problem.map_or_else(String::new, |problem| format!(": {problem}"));
        Self { text: text.to_owned(), problem }
    }
}

/// Faults for the command line: `HOOK[:COMMAND[:OCCASION]]:ACTION` or `swarm=SEED`, several separated by semicolons.
///
/// Hooks: `before-echo`, `after-line`, `before-prompt`, `after-prompt`, `mid-payload=N`, `before-final`, `result`,
/// `after-result`, `idle`, `inside-message`. Actions: `silence`, `delay=MS`, `duplicate`, `swap`, `error`, `code=N`,
/// `urc=TEXT`, `chatter`, `reboot`, `reboot-silent`, `brown-out=BYTES`, `hang`, `hang-up`, `overtaken`,
/// `kick=CLIENT`, `black-hole=MS`, `drop-pdp`, `remove-sim=MS`. The occasion is a number or `always`; without it 1.
impl FromStr for FaultPlan {
    type Err = BadFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut plan = Self::new();
        for spec in text.split(';').map(str::trim).filter(|spec| !spec.is_empty()) {
            match spec.strip_prefix("swarm=") {
                Some(seed) => {
                    let seed = seed.parse().map_err(|_| BadFault::new(spec, None))?;
                    plan = plan.swarm(Swarm::new(seed));
                }
                None => plan.add(spec.parse()?),
            }
        }
        Ok(plan)
    }
}

impl FromStr for Fault {
    type Err = BadFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = |problem| BadFault::new(text, problem);
        let (hook, rest) = text.trim().split_once(':').ok_or_else(|| bad(None))?;
        let hook = read_hook(hook).ok_or_else(|| bad(Some(format!("`{hook}` is no hook: use {HOOKS}"))))?;
        let action = |action: &str| {
            read_action(action).ok_or_else(|| bad(Some(format!("`{action}` is no action: use {ACTIONS}"))))
        };
        // The action is looked for from the left, because the text of a URC may hold colons.
        let parts: Vec<&str> = rest.splitn(3, ':').collect();
        Ok(match parts.as_slice() {
            [first, ..] if first.starts_with("urc=") => Self::new(hook, action(rest)?),
            [command, urc, tail] if urc.starts_with("urc=") => {
                Self::new(hook, action(&format!("{urc}:{tail}"))?).command(*command)
            }
            [command, "always", last] => Self::new(hook, action(last)?).command(*command).always(),
            [command, occasion, last] => {
                let number = occasion.parse().ok().filter(|number| *number > 0);
                let number = number.ok_or_else(|| {
                    bad(Some(format!("`{occasion}` is no occasion: use a number from 1 on, or always")))
                })?;
                Self::new(hook, action(last)?).command(*command).occasion(number)
            }
            [command, last] => Self::new(hook, action(last)?).command(*command),
            _ => Self::new(hook, action(rest)?),
        })
    }
}

const HOOKS: &str = "before-echo, after-line, before-prompt, after-prompt, mid-payload=BYTES, before-final, result, \
                     after-result, idle or inside-message";
const ACTIONS: &str = "silence, delay=MS, duplicate, swap, error, code=N, urc=TEXT, chatter, reboot, reboot-silent, \
                       brown-out=BYTES, hang, hang-up, overtaken, kick=CLIENT, black-hole=MS, drop-pdp or remove-sim=MS";

fn read_hook(text: &str) -> Option<Hook> {
    Some(match text {
        "before-echo" => Hook::BeforeEcho,
        "after-line" => Hook::AfterLine,
        "before-prompt" => Hook::BeforePrompt,
        "after-prompt" => Hook::AfterPrompt,
        "before-final" => Hook::BeforeFinal,
        "result" => Hook::BetweenFinalAndResult,
        "after-result" => Hook::AfterResult,
        "idle" => Hook::Idle,
        "inside-message" => Hook::InsideMessage,
        other => Hook::MidPayload(other.strip_prefix("mid-payload=")?.parse().ok()?),
    })
}

fn read_action(text: &str) -> Option<Action> {
    Some(match text {
        "silence" => Action::Silence,
        "duplicate" => Action::Duplicate,
        "swap" => Action::Swap,
        "error" => Action::Error,
        "chatter" => Action::Chatter,
        "reboot" => Action::Reboot(Reboot::Loud),
        "reboot-silent" => Action::Reboot(Reboot::Silent),
        "hang" => Action::Hang,
        "hang-up" => Action::HangUp,
        "overtaken" => Action::Overtaken,
        "drop-pdp" => Action::DropPdp,
        other => {
            let (name, value) = other.split_once('=')?;
            let millis = || Some(Duration::from_millis(value.parse().ok()?));
            match name {
                "delay" => Action::Delay(millis()?),
                "code" => Action::Code(value.parse().ok()?),
                "urc" => Action::Urc(Bytes::from(format!("\r\n{value}\r\n"))),
                "brown-out" => Action::Reboot(Reboot::BrownOut(value.parse().ok()?)),
                "kick" => Action::Kick(value.parse().ok()?),
                "black-hole" => Action::BlackHole(millis()?),
                "remove-sim" => Action::RemoveSim(millis()?),
                _ => return None,
            }
        }
    })
}

impl Hook {
    /// What it is called on the command line, without its number.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::BeforeEcho => "before-echo",
            Self::AfterLine => "after-line",
            Self::BeforePrompt => "before-prompt",
            Self::AfterPrompt => "after-prompt",
            Self::MidPayload(_) => "mid-payload",
            Self::BeforeFinal => "before-final",
            Self::BetweenFinalAndResult => "result",
            Self::AfterResult => "after-result",
            Self::Idle => "idle",
            Self::InsideMessage => "inside-message",
        }
    }
}

impl Action {
    /// What it is called on the command line, without its value.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Silence => "silence",
            Self::Delay(_) => "delay",
            Self::Duplicate => "duplicate",
            Self::Swap => "swap",
            Self::Error => "error",
            Self::Code(_) => "code",
            Self::Urc(_) => "urc",
            Self::Chatter => "chatter",
            Self::Reboot(Reboot::Loud) => "reboot",
            Self::Reboot(Reboot::Silent) => "reboot-silent",
            Self::Reboot(Reboot::BrownOut(_)) => "brown-out",
            Self::Hang => "hang",
            Self::HangUp => "hang-up",
            Self::Overtaken => "overtaken",
            Self::Kick(_) => "kick",
            Self::BlackHole(_) => "black-hole",
            Self::DropPdp => "drop-pdp",
            Self::RemoveSim(_) => "remove-sim",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delay(time) | Self::BlackHole(time) | Self::RemoveSim(time) => {
                write!(f, "{} of {time:?}", self.name())
            }
            Self::Urc(bytes) => write!(f, "urc {}", bytes.escape_ascii()),
            Self::Code(number) => write!(f, "code {number}"),
            Self::Kick(client) => write!(f, "kick of client {client}"),
            Self::Reboot(Reboot::BrownOut(bytes)) => write!(f, "brown-out with {bytes} bytes"),
            other => f.write_str(other.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs_of_the_command_line() {
        let plan: FaultPlan =
            "idle:urc=+QMTSTAT: 0,1; mid-payload=5:+QMTPUBEX:always:reboot".parse().unwrap();
        let expected = FaultPlan::new()
            .with(Fault::new(Hook::Idle, Action::Urc(Bytes::from_static(b"\r\n+QMTSTAT: 0,1\r\n"))))
            .with(
                Fault::new(Hook::MidPayload(5), Action::Reboot(Reboot::Loud)).command("+QMTPUBEX").always(),
            );
        assert_eq!(plan, expected);
        let mut plan = plan;
        assert_eq!(plan.next_mid_payload(4), Some(5));
        assert_eq!(plan.next_mid_payload(5), None);
        assert_eq!("swarm=9".parse(), Ok(FaultPlan::new().swarm(Swarm::new(9))));
        for wrong in [
            "idle",
            "nowhere:hang",
            "idle:fly",
            "mid-payload:hang",
            "idle:+X:two:hang",
            "idle:delay=soon",
            "idle:kick",
            "swarm",
        ] {
            assert!(wrong.parse::<FaultPlan>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (spec, problem) in [
            ("nowhere:hang", "`nowhere` is no hook: use before-echo, "),
            ("idle:+X:1:fly", "`fly` is no action: use silence, "),
            ("idle:+X:0:hang", "`0` is no occasion: use a number from 1 on, or always"),
        ] {
            let error = spec.parse::<Fault>().unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("fault `{spec}` is not HOOK")) && error.contains(problem),
                "{error}"
            );
        }
    }

    #[test]
    fn every_action_has_the_name_it_is_read_by() {
        let values = ["silence", "delay=5", "duplicate", "swap", "error", "code=7", "urc=X", "chatter"]
            .into_iter()
            .chain(["reboot", "reboot-silent", "brown-out=9", "hang", "hang-up", "overtaken", "kick=1"])
            .chain(["black-hole=5", "drop-pdp", "remove-sim=5"]);
        for text in values {
            let action = read_action(text).unwrap();
            assert_eq!(action.name(), text.split('=').next().unwrap());
            assert!(!action.to_string().is_empty());
        }
    }

    #[test]
    fn every_hook_has_the_name_it_is_read_by() {
        for text in "before-echo after-line before-prompt after-prompt mid-payload=3 before-final result \
                     after-result idle inside-message"
            .split_whitespace()
        {
            assert_eq!(read_hook(text).unwrap().name(), text.split('=').next().unwrap());
        }
    }
}
