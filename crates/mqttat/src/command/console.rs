//! `mqttat console`

use std::io::{self, IsTerminal};
use std::time::Duration;

use mqtt_at::at::{Answer, CommandLine, Exchange, LinkState};
use mqtt_at::offline::KnownCommand;
use mqtt_at::{Error, Fault, Modem, Vendor};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::sync::{mpsc, watch};

use super::Context;
use crate::args::console::Console;
use crate::device::{self, Wishes};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::{paint, raw};

mod keyboard;
mod screen;
mod terminal;

use keyboard::{Keyboard, explained};
use screen::Screen;
use terminal::Terminal;

pub(super) async fn run(args: &Console, context: &Context) -> Result<(), Failure> {
    let screen = Screen::new(context.global.json);
    let wishes = Wishes { tap: Some(Box::new(screen.clone())), ..Wishes::hands_off() };
    let opened = context.open(wishes).await?;
    context.progress.done();
    let _terminal = Terminal::quiet();
    let lines = lines(&opened.modem, context, &screen)?;
    let outcome = converse(&opened.modem, args, lines, &screen).await;
    outcome.and(opened.close())
}

/// Where lines come from: a person at a terminal, or whatever writes to stdin.
fn lines(modem: &Modem, context: &Context, screen: &Screen) -> Result<mpsc::Receiver<String>, Failure> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() || context.global.json {
        screen.open(None);
        return Ok(piped());
    }
    let state_dir = device::state_dir(&context.global);
    let opened =
        Keyboard::new(modem.vendor(), state_dir.as_deref(), paint::wanted(true)).and_then(|mut keyboard| {
            let above = keyboard.above()?;
            Ok((keyboard, above))
        });
    let (keyboard, above) = opened
        .map_err(|error| Failure::failed(format!("the terminal cannot be used: {error}"), Fault::Caller))?;
    screen.open(Some(above));
    screen.print(&format!("{}. Tab completes, ? lists commands, Ctrl-D ends it.", modem.identity()));
    Ok(keyboard.read())
}

/// Reads lines of stdin on a task; what is no text is made readable.
fn piped() -> mpsc::Receiver<String> {
    let (lines, read) = mpsc::channel(16);
    tokio::spawn(async move {
        let mut stdin = BufReader::new(tokio::io::stdin());
        let mut line = Vec::new();
        while let Ok(1..) = stdin.read_until(b'\n', &mut line).await {
            let text = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
            if lines.send(text).await.is_err() {
                return;
            }
            line.clear();
        }
    });
    read
}

/// Sends line after line, until there are no more or the port is gone.
async fn converse(
    modem: &Modem,
    args: &Console,
    mut lines: mpsc::Receiver<String>,
    screen: &Screen,
) -> Result<(), Failure> {
    let mut interrupt = Interrupt::listen();
    let mut link = modem.link();
    loop {
        let line = tokio::select! {
            line = lines.recv() => line,
            () = interrupt.wait() => return Ok(()),
            () = dead(&mut link) => return Err(gone(modem).await),
        };
        let Some(line) = line else { return Ok(()) };
        match line.trim() {
            "" => {}
            "exit" | "quit" => return Ok(()),
            "?" | "help" => list(modem.vendor(), "", screen),
            asked if asked.starts_with("? ") => {
                list(modem.vendor(), asked.get(2..).unwrap_or_default(), screen)
            }
            command => tokio::select! {
                outcome = send(modem, args, command, screen) => outcome?,
                () = interrupt.wait() => return Ok(()),
            },
        }
    }
}

/// Done when the port is gone. What `wait_for` gives is a lock on the state, which the port's task must be able to
/// change while the reason is asked for: it ends here.
async fn dead(link: &mut watch::Receiver<LinkState>) {
    let _ = link.wait_for(|state| *state == LinkState::Dead).await;
}

/// Why the port is no longer there.
async fn gone(modem: &Modem) -> Failure {
    match modem.run(Exchange::new(CommandLine::execute(""))).await {
        Err(error) => error.into(),
        Ok(_) => {
            Failure::failed("the port was gone for a moment", Fault::Link).remedy("start the console again")
        }
    }
}

/// Sends one command. What is refused is said, and is not the end; that the port is gone is.
async fn send(modem: &Modem, args: &Console, text: &str, screen: &Screen) -> Result<(), Failure> {
    let line = raw::check(text, args.force)
        .and_then(|()| CommandLine::raw(text).map_err(|error| Error::from(error).into()));
    let line = match line {
        Ok(line) => line,
        Err(failure) => {
            screen.complain(&failure);
            return Ok(());
        }
    };
    let mut exchange = Exchange::new(line).answer(Answer::Text).timeout(Duration::from_secs(args.wait));
    if raw::answers_with_secret(text) {
        exchange = exchange.secret_answer();
    }
    screen.set_busy(true);
    let outcome = modem.run(exchange).await;
    screen.set_busy(false);
    match outcome {
        // The module's own words are on the screen.
        Ok(_) | Err(Error::Module(_)) => Ok(()),
        Err(error @ Error::Port { .. }) => Err(error.into()),
        Err(error) => {
            screen.complain(&error.into());
            Ok(())
        }
    }
}

/// The commands that hold a text, each with its parameters and what it is for.
fn list(vendor: Vendor, wanted: &str, screen: &Screen) {
    let wanted = wanted.trim().to_ascii_uppercase();
    let holds = |text: &str| text.to_ascii_uppercase().contains(&wanted);
    let all = KnownCommand::of(vendor).map(|command| (format!("AT{}", command.name), command));
    for (name, command) in all.filter(|(name, command)| holds(name) || holds(command.purpose)) {
        screen.print(&format!("{name:<28} {}", explained(command)));
        if !command.parameters.is_empty() {
            screen.print(&format!("{:<28} {}", "", command.parameters));
        }
    }
}
