//! Lines that a person types, with history and completion.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use mqtt_at::Vendor;
use mqtt_at::offline::KnownCommand;
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter};
use rustyline::history::FileHistory;
use rustyline::{CompletionType, Config, Context, Editor, ExternalPrinter, Helper};
use tokio::sync::mpsc;

use super::screen::Above;
use crate::raw;

/// Where a person types. Its lines are read on a thread of its own, which ends with the program.
pub(super) struct Keyboard {
    editor: Editor<Assistant, FileHistory>,
    history: Option<PathBuf>,
    colours: bool,
}

const PROMPT: &str = "> ";

impl Keyboard {
    /// A keyboard that knows the vendor's commands, and remembers what was typed in a directory of state.
    pub(super) fn new(vendor: Vendor, state_dir: Option<&Path>, colours: bool) -> rustyline::Result<Self> {
        let config = Config::builder().completion_type(CompletionType::List).max_history_size(1000)?.build();
        let mut editor = Editor::with_config(config)?;
        editor.set_helper(Some(Assistant { commands: KnownCommand::of(vendor).collect(), colours }));
        let history = state_dir.map(|directory| directory.join("console-history"));
        if let Some(path) = &history {
            // The first time there is none.
            let _ = editor.load_history(path);
        }
        Ok(Self { editor, history, colours })
    }

    /// What prints above the typed line.
    pub(super) fn above(&mut self) -> rustyline::Result<Above> {
        let mut printer = self.editor.create_external_printer()?;
        Ok(Box::new(move |text| {
            // A terminal that is gone is noticed by the keyboard.
            let _ = printer.print(text);
        }))
    }

    /// Reads lines until Ctrl-D; they come out of the receiver, which then ends.
    pub(super) fn read(mut self) -> mpsc::Receiver<String> {
        let (lines, typed) = mpsc::channel(16);
        std::thread::spawn(move || {
            while let Some(line) = self.next() {
                if lines.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        typed
    }

    fn next(&mut self) -> Option<String> {
        let shown = if self.colours { format!("\x1b[1m{PROMPT}\x1b[0m") } else { PROMPT.to_owned() };
        loop {
            match self.editor.readline(&(PROMPT, shown.as_str())) {
                Ok(line) => {
                    self.remember(&line);
                    return Some(line);
                }
                // As in a shell: the line is thrown away.
                Err(ReadlineError::Interrupted) => {}
                Err(_) => return None,
            }
        }
    }

    /// What holds a secret is not remembered, not even for the arrow keys.
    fn remember(&mut self, line: &str) {
        if line.trim().is_empty() || raw::has_secret(line) {
            return;
        }
        let added = self.editor.add_history_entry(line).unwrap_or(false);
        let Some(path) = self.history.as_ref().filter(|_| added) else { return };
        let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        let saved = made.map_err(ReadlineError::from).and_then(|()| self.editor.append_history(path));
        if let Err(error) = saved {
            tracing::debug!(path = %path.display(), %error, "the history cannot be kept");
        }
    }
}

/// Completes commands, says what they are for, and stars secrets.
struct Assistant {
    commands: Vec<&'static KnownCommand>,
    colours: bool,
}

/// What was typed, as commands are named: without `AT`, in capitals.
fn named(typed: &str) -> String {
    let typed = typed.trim_start().to_ascii_uppercase();
    typed.strip_prefix("AT").map(str::to_owned).unwrap_or(typed)
}

/// The commands that begin like what was typed, with or without `AT`, in whatever case.
fn beginning_with(
    commands: &[&'static KnownCommand],
    typed: &str,
) -> impl Iterator<Item = &'static KnownCommand> {
    let typed = named(typed);
    commands.iter().copied().filter(move |command| command.name.to_ascii_uppercase().starts_with(&typed))
}

/// The command that is being given parameters.
fn being_written(commands: &[&'static KnownCommand], typed: &str) -> Option<&'static KnownCommand> {
    let typed = named(typed);
    let fits = |command: &&KnownCommand| {
        let name = command.name.to_ascii_uppercase();
        !name.is_empty()
            && typed.strip_prefix(&name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['=', ',']))
    };
    commands.iter().copied().filter(fits).max_by_key(|command| command.name.len())
}

impl Completer for Assistant {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let typed = line.get(..position).unwrap_or_default();
        let found: Vec<_> = beginning_with(&self.commands, typed).collect();
        let width = found.iter().map(|command| command.name.len() + 2).max().unwrap_or_default();
        let pair = |command: &&KnownCommand| {
            let name = format!("AT{}", command.name);
            Pair { display: format!("{name:<width$}  {}", explained(command)), replacement: name }
        };
        Ok((0, found.iter().map(pair).collect()))
    }
}

/// What a command is for, and whether it asks for data, which cannot be typed here.
pub(super) fn explained(command: &KnownCommand) -> Cow<'static, str> {
    match command.asks {
        true => format!("{}; asks for data", command.purpose).into(),
        false => command.purpose.into(),
    }
}

/// What a command is for, behind what was typed; it cannot be taken over.
struct Explanation(String);

impl Hint for Explanation {
    fn display(&self) -> &str {
        &self.0
    }

    fn completion(&self) -> Option<&str> {
        None
    }
}

impl Hinter for Assistant {
    type Hint = Explanation;

    fn hint(&self, line: &str, position: usize, _: &Context<'_>) -> Option<Explanation> {
        let command = being_written(&self.commands, line).filter(|_| position == line.len())?;
        Some(Explanation(format!("   {}  {}", command.parameters, explained(command))))
    }
}

impl Highlighter for Assistant {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if raw::has_secret(line) { Cow::Owned(raw::starred(line)) } else { Cow::Borrowed(line) }
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        if self.colours { Cow::Owned(format!("\x1b[2m{hint}\x1b[0m")) } else { Cow::Borrowed(hint) }
    }

    /// A character typed into a secret has to be drawn anew.
    fn highlight_char(&self, line: &str, _: usize, _: CmdKind) -> bool {
        raw::has_secret(line)
    }
}

impl rustyline::validate::Validator for Assistant {}

impl Helper for Assistant {}

#[cfg(test)]
mod tests {
    use super::*;

    fn commands() -> Vec<&'static KnownCommand> {
        KnownCommand::of(Vendor::Quectel).collect()
    }

    #[test]
    fn commands_are_found_with_and_without_at_in_any_case() {
        let names =
            |typed| beginning_with(&commands(), typed).map(|command| command.name).collect::<Vec<_>>();
        assert_eq!(names("AT+QMTO"), ["+QMTOPEN"]);
        assert_eq!(names("+qmto"), ["+QMTOPEN"]);
        assert_eq!(names("at+qmtcfg=\"ke"), ["+QMTCFG=\"keepalive\""]);
        assert!(names("+QMT").len() > 20 && names("+NOSUCH").is_empty());
    }

    #[test]
    fn the_command_that_is_being_written_is_known() {
        let name = |typed| being_written(&commands(), typed).map(|command| command.name);
        assert_eq!(name("AT+QMTPUB=0"), Some("+QMTPUB"));
        assert_eq!(name("at+qmtpubex=0,"), Some("+QMTPUBEX"));
        assert_eq!(name("+QMTCFG=\"ssl\",0"), Some("+QMTCFG=\"ssl\""));
        assert_eq!((name("+QMTP"), name("+CSQ?"), name(""), name("AT")), (None, None, None, None));
    }
}
