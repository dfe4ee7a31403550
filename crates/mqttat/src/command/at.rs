//! `mqttat at`

use std::io::Write;
use std::time::Duration;

use mqtt_at::Modem;
use mqtt_at::at::{Answer, CommandLine, Exchange, Reply};
use serde::Serialize;

use super::Context;
use crate::args::at::At;
use crate::device::Wishes;
use crate::failure::Failure;
use crate::{output, raw};

pub(super) async fn run(args: &At, context: &Context) -> Result<(), Failure> {
    // Nothing is sent unless everything may be sent.
    let lines = args.commands.iter().map(|text| {
        raw::check(text, args.force)?;
        let line = CommandLine::raw(text).map_err(mqtt_at::Error::from)?;
        Ok((text.as_str(), line))
    });
    let lines = lines.collect::<Result<Vec<_>, Failure>>()?;

    let opened = context.open(Wishes::hands_off()).await?;
    context.progress.done();
    let mut outcome = Ok(());
    for (text, line) in lines {
        outcome = send(&opened.modem, text, line, Duration::from_secs(args.wait), context.global.json).await;
        if outcome.is_err() {
            break;
        }
    }
    outcome.and(opened.close())
}

/// What `--json` prints of each command.
#[derive(Serialize)]
struct Answered {
    command: String,
    lines: Vec<String>,
    result: String,
}

async fn send(
    modem: &Modem,
    text: &str,
    line: CommandLine,
    wait: Duration,
    json: bool,
) -> Result<(), Failure> {
    let secret = raw::answers_with_secret(text);
    let mut exchange = Exchange::new(line).answer(Answer::Text).timeout(wait);
    if secret {
        exchange = exchange.secret_answer();
    }
    let reply: Reply = modem.run(exchange).await?;
    let shown = |line: &bytes::Bytes| match std::str::from_utf8(line) {
        _ if secret => raw::masked_answer(&String::from_utf8_lossy(line)).into_bytes(),
        Ok(text) if raw::has_secret(text) => raw::masked(text).into_bytes(),
        _ => line.to_vec(),
    };
    let lines: Vec<_> = reply.lines.iter().map(shown).collect();
    if json {
        let lines = lines.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect();
        let answered = Answered { command: raw::masked(text), lines, result: reply.result.to_string() };
        return output::print_json(&answered).map(drop);
    }
    output::print(|out| {
        lines.iter().try_for_each(|line| {
            out.write_all(line)?;
            out.write_all(b"\n")
        })
    })
    .map(drop)
}
