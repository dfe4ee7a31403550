//! Faults on purpose: where they strike and what they do.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;

/// A moment in a conversation at which a fault can strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Hook {
    /// The first character of a line has arrived; nothing was echoed yet.
    BeforeEcho,
    /// The command line is complete and understood, not yet obeyed.
    AfterLine,
    /// The command was obeyed as far as its prompt, which is not yet printed.
    BeforePrompt,
    /// The prompt is out, no data has arrived.
    AfterPrompt,
    /// So many bytes of data have arrived.
    MidPayload(usize),
    /// The command was obeyed; its answer is not yet printed.
    BeforeFinal,
    /// The final result is out and the deferred result is due.
    BetweenFinalAndResult,
    /// The deferred result is out.
    AfterResult,
    /// The answer is out and no command is running.
    Idle,
}

/// What a fault does. Which actions make sense depends on the hook; the others do nothing there.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Says nothing: no echo; the command is neither obeyed nor answered (after the line); the prompt is not
    /// printed although data is awaited; the answer, or the deferred result, is lost.
    Silence,
    /// Waits first.
    Delay(Duration),
    /// Says it twice.
    Duplicate,
    /// Prints the deferred result before the final result (before the final result only).
    Swap,
    /// `ERROR` instead of obeying, of the prompt, or of the final result.
    Error,
    /// Fails with this number of the vendor's result codes, instead of obeying (after the line only). SIMCom's module
    /// prints it as the command's own failures; the others have `ERROR`.
    Code(u8),
    /// Prints these bytes first, as they are.
    Urc(Bytes),
    /// Restarts the module; a silent one prints no boot lines.
    Reboot(Reboot),
    /// Answers nothing any more until it is restarted.
    Hang,
    /// Closes the port.
    HangUp,
    /// Prints the answer only behind the next command's answer: this breaks "answers come in order".
    Overtaken,
}

/// How a restart shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reboot {
    /// With the boot lines of the vendor, `RDY` among them.
    Loud,
    /// Without a word: only the settings are gone.
    Silent,
}

/// One fault: a hook, which of its occasions, and the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    hook: Hook,
    command: Option<String>,
    occasion: Option<u32>,
    action: Action,
    seen: u32,
}

impl Fault {
    /// Does `action` at the first occasion of `hook`, with whatever command.
    #[must_use]
    pub fn new(hook: Hook, action: Action) -> Self {
        Self { hook, command: None, occasion: Some(1), action, seen: 0 }
    }

    /// Only commands whose text (without `AT`) begins so, in any case: `+QMTPUBEX`, `+QMTOPEN=0`.
    #[must_use]
    pub fn command(mut self, prefix: impl Into<String>) -> Self {
        self.command = Some(prefix.into().to_ascii_uppercase());
        self
    }

    /// Strikes at the `occasion`-th time that hook and command match, counted from 1.
    #[must_use]
    pub fn occasion(mut self, occasion: u32) -> Self {
        self.occasion = Some(occasion);
        self
    }

    /// Strikes every time.
    #[must_use]
    pub fn always(mut self) -> Self {
        self.occasion = None;
        self
    }

    fn strikes(&mut self, hook: Hook, command: &[u8]) -> bool {
        let wanted = self.command.as_ref().is_none_or(|prefix| {
            command.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix.as_bytes()))
        });
        if self.hook != hook || !wanted {
            return false;
        }
        self.seen = self.seen.saturating_add(1);
        self.occasion.is_none_or(|occasion| occasion == self.seen)
    }
}

/// The faults a module will suffer.
///
/// ```
/// use std::time::Duration;
/// use virtual_modem::{Action, Fault, FaultPlan, Hook};
///
/// let plan = FaultPlan::new()
///     .with(Fault::new(Hook::BeforeFinal, Action::Delay(Duration::from_secs(8))).command("+QMTPUBEX"))
///     .with(Fault::new(Hook::BetweenFinalAndResult, Action::Silence).command("+QMTPUBEX").occasion(3));
/// assert_eq!(plan, "before-final:+QMTPUBEX:1:delay=8000;result:+QMTPUBEX:3:silence".parse().unwrap());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FaultPlan {
    faults: Vec<Fault>,
}

impl FaultPlan {
    /// No faults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same plan with one more fault. Where several strike at once, the first one added wins.
    #[must_use]
    pub fn with(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Adds a fault to a plan that is already being carried out.
    pub fn add(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// The action that is due at this hook, if any. Every fault counts the occasion, also those that come too late.
    pub(crate) fn due(&mut self, hook: Hook, command: &[u8]) -> Option<Action> {
        let mut due = None;
        for fault in &mut self.faults {
            if fault.strikes(hook, command) && due.is_none() {
                due = Some(fault.action.clone());
            }
        }
        due
    }

    /// The smallest number of data bytes after which a fault wants to be asked, of those above `taken`.
    pub(crate) fn next_mid_payload(&self, taken: usize) -> Option<usize> {
        let counts = self.faults.iter().filter_map(|fault| match fault.hook {
            Hook::MidPayload(count) if count > taken => Some(count),
            _ => None,
        });
        counts.min()
    }
}

/// The text is no fault plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("fault `{0}` is not HOOK[:COMMAND[:OCCASION]]:ACTION")]
pub struct BadFault(String);

/// Faults for the command line: `HOOK[:COMMAND[:OCCASION]]:ACTION`, several separated by semicolons.
///
/// Hooks: `before-echo`, `after-line`, `before-prompt`, `after-prompt`, `mid-payload=N`, `before-final`, `result`,
/// `after-result`, `idle`. Actions: `silence`, `delay=MS`, `duplicate`, `swap`, `error`, `code=N`, `urc=TEXT`,
/// `reboot`, `reboot-silent`, `hang`, `hang-up`, `overtaken`. The occasion is a number or `always`; without it 1.
impl FromStr for FaultPlan {
    type Err = BadFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut plan = Self::new();
        for spec in text.split(';').filter(|spec| !spec.trim().is_empty()) {
            plan.add(spec.parse()?);
        }
        Ok(plan)
    }
}

impl FromStr for Fault {
    type Err = BadFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || BadFault(text.to_owned());
        let (hook, rest) = text.trim().split_once(':').ok_or_else(bad)?;
        let hook = read_hook(hook).ok_or_else(bad)?;
        // The action is looked for from the left, because the text of a URC may hold colons.
        let parts: Vec<&str> = rest.splitn(3, ':').collect();
        match parts.as_slice() {
            [action] => Some(Self::new(hook, read_action(action).ok_or_else(bad)?)),
            [first, ..] if first.starts_with("urc=") => {
                Some(Self::new(hook, read_action(rest).ok_or_else(bad)?))
            }
            [command, action] => {
                Some(Self::new(hook, read_action(action).ok_or_else(bad)?).command(*command))
            }
            [command, urc, tail] if urc.starts_with("urc=") => Some(
                Self::new(hook, read_action(&format!("{urc}:{tail}")).ok_or_else(bad)?).command(*command),
            ),
            [command, occasion, action] => {
                let fault = Self::new(hook, read_action(action).ok_or_else(bad)?).command(*command);
                match *occasion {
                    "always" => Some(fault.always()),
                    number => Some(fault.occasion(number.parse().map_err(|_| bad())?)),
                }
            }
            _ => None,
        }
        .ok_or_else(bad)
    }
}

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
        other => Hook::MidPayload(other.strip_prefix("mid-payload=")?.parse().ok()?),
    })
}

fn read_action(text: &str) -> Option<Action> {
    Some(match text {
        "silence" => Action::Silence,
        "duplicate" => Action::Duplicate,
        "swap" => Action::Swap,
        "error" => Action::Error,
        "reboot" => Action::Reboot(Reboot::Loud),
        "reboot-silent" => Action::Reboot(Reboot::Silent),
        "hang" => Action::Hang,
        "hang-up" => Action::HangUp,
        "overtaken" => Action::Overtaken,
        other => match other.split_once('=')? {
            ("delay", millis) => Action::Delay(Duration::from_millis(millis.parse().ok()?)),
            ("code", number) => Action::Code(number.parse().ok()?),
            ("urc", line) => Action::Urc(Bytes::from(format!("\r\n{line}\r\n"))),
            _ => return None,
        },
    })
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delay(time) => write!(f, "delay of {time:?}"),
            Self::Urc(bytes) => write!(f, "urc {}", bytes.escape_ascii()),
            other => write!(f, "{other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn occasions_are_counted_per_fault() {
        let mut plan = FaultPlan::new()
            .with(Fault::new(Hook::BeforeFinal, Action::Silence).command("+QMTPUBEX").occasion(2))
            .with(Fault::new(Hook::BeforeFinal, Action::Hang).occasion(3));
        assert_eq!(plan.due(Hook::BeforeFinal, b"+QMTPUBEX=0"), None);
        assert_eq!(plan.due(Hook::AfterLine, b"+QMTPUBEX=0"), None);
        assert_eq!(plan.due(Hook::BeforeFinal, b"+qmtpubex=0"), Some(Action::Silence));
        assert_eq!(plan.due(Hook::BeforeFinal, b""), Some(Action::Hang));
        assert_eq!(plan.due(Hook::BeforeFinal, b""), None);
    }

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
        assert_eq!(plan.next_mid_payload(4), Some(5));
        assert_eq!(plan.next_mid_payload(5), None);
        for wrong in
            ["idle", "nowhere:hang", "idle:fly", "mid-payload:hang", "idle:+X:two:hang", "idle:delay=soon"]
        {
            assert!(wrong.parse::<FaultPlan>().is_err(), "{wrong}");
        }
    }
}
