//! The promises, as questions to the broker's ledger and to what the module understood.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use bytes::Bytes;
use mqtt_at::{Client, Message, QoS};
use virtual_modem::{Entry, Ledger, Record};

use crate::history::{Attempt, Told};
use crate::world::World;

/// I2: what is called delivered is at the broker (QoS 1 and 2; with QoS 0 the module has sent it, and that is all).
pub fn is_delivered(world: &World, number: usize) {
    let attempt = world.history.attempt_of(number);
    if attempt.qos == QoS::AtMostOnce {
        return;
    }
    let is_there = world.broker.inspect(|ledger| {
        ledger.accepted.iter().any(|it| it.topic == attempt.topic && it.payload == attempt.payload)
    });
    if !is_there {
        world.history.violate(format!("I2: publish {number} was called delivered and is not at the broker"));
    }
}

/// I7: no more is under way than there are calls, and no more of it is with the module than that takes.
pub fn is_bounded(world: &World, client: &Client) {
    let window = client.modem().limits().window;
    let (in_flight, pending) = (client.in_flight(), client.pending());
    if in_flight > window || pending > CALLS {
        world.history.violate(format!("I7: {in_flight} publishes are in flight, {pending} pending"));
    }
}

/// Two tasks of a client make up to four calls each, and one call looks whether everything works again.
const CALLS: usize = 9;

/// I5, inbound: a message is one that the broker sent to this client.
pub fn was_sent(world: &World, client: usize, message: &Message) {
    let name = format!("c{client}");
    let is_known = world.broker.inspect(|ledger| {
        let mut sent = ledger.delivered.iter().rev();
        sent.any(|it| it.to == name && it.topic == message.topic() && it.payload == message.payload())
    });
    if !is_known {
        let shown = message.payload().escape_ascii();
        world.history.violate(format!(
            "I5: client {client} received what nobody sent to it: {} {shown}",
            message.topic()
        ));
    }
}

/// Everything that can be seen when all is over.
pub fn at_the_end(world: &World) {
    if world.corrupts {
        return;
    }
    let attempts = world.history.attempts();
    world.broker.inspect(|ledger| {
        let problems = [only_what_was_meant(&attempts, ledger), in_order(&attempts, ledger)];
        problems.into_iter().flatten().for_each(|problem| world.history.violate(problem));
        for (number, attempt) in attempts.iter().enumerate() {
            if let Some(problem) = counts_are_right(attempt, ledger) {
                world.history.violate(format!("publish {number}: {problem}"));
            }
        }
    });
    if let Some(problem) = intent_is_parse(&world.history.written(), &world.module.log()) {
        world.history.violate(problem);
    }
}

/// I5: the broker has no topic with a payload that nobody published there.
fn only_what_was_meant(attempts: &[Attempt], ledger: &Ledger) -> Option<String> {
    let meant: HashMap<(&str, &[u8]), usize> = attempts
        .iter()
        .map(|attempt| ((attempt.topic.as_str(), &attempt.payload[..]), attempt.client))
        .collect();
    let strange = ledger.accepted.iter().filter(|it| it.from.is_some()).find(|it| {
        let is_meant = meant.contains_key(&(it.topic.as_str(), &it.payload[..]));
        !is_meant && !it.topic.starts_with("alive/") && !is_filled_up(attempts, &it.topic, &it.payload)
    })?;
    Some(format!("I5: nobody published {} {}", strange.topic, strange.payload.escape_ascii()))
}

/// Whether a payload was cut short on its way and filled up with line ends, for a module that waited for the rest.
fn is_filled_up(attempts: &[Attempt], topic: &str, payload: &[u8]) -> bool {
    let Some(start) = without_filler(payload) else { return false };
    attempts.iter().any(|attempt| attempt.topic == topic && attempt.payload.starts_with(start))
}

/// What stands before `?` and line ends, with which the library ends what a module may still be waiting for.
fn without_filler(bytes: &[u8]) -> Option<&[u8]> {
    let end = bytes.iter().rposition(|&byte| byte != b'\r').map_or(0, |at| at + 1);
    bytes[..end].strip_suffix(b"?")
}

/// I2 and I3: what is called not sent is not there; nothing is there more often than its level allows. What the module
/// sends again by itself, marked so, is its own affair.
fn counts_are_right(attempt: &Attempt, ledger: &Ledger) -> Option<String> {
    let there =
        || ledger.accepted.iter().filter(|it| it.topic == attempt.topic && it.payload == attempt.payload);
    let (all, first) = (there().count(), there().filter(|it| !it.dup).count());
    // The library gives a message to the module again only where a duplicate is allowed, and says so.
    let again = attempt.qos == QoS::AtLeastOnce
        && attempt.published.is_none_or(|published| published.maybe_duplicate)
        && attempt.outcome.is_some();
    if again {
        return None;
    }
    if attempt.outcome == Some(Told::NotSent) && all > 0 {
        return Some("I2: was called not sent and is at the broker".to_owned());
    }
    let most = if attempt.qos == QoS::AtLeastOnce { first } else { all };
    (most > 1).then(|| format!("I3: is at the broker {most} times, {:?}", attempt.qos))
}

/// I4: what a client published is in the order of the calls, where the first try succeeded.
fn in_order(attempts: &[Attempt], ledger: &Ledger) -> Option<String> {
    let numbers: HashMap<&[u8], usize> = attempts
        .iter()
        .enumerate()
        .filter(|(_, attempt)| attempt.published.is_some_and(|published| published.attempts == 1))
        .map(|(number, attempt)| (&attempt.payload[..], number))
        .collect();
    let mut last: BTreeMap<&str, usize> = BTreeMap::new();
    for it in ledger.accepted.iter().filter(|it| !it.dup) {
        let (Some(from), Some(&number)) = (it.from.as_deref(), numbers.get(&it.payload[..])) else {
            continue;
        };
        if let Some(before) = last.insert(from, number)
            && before > number
        {
            return Some(format!("I4: {from}'s publish {number} came behind {before}"));
        }
    }
    None
}

/// How long after a restart the rest of what was being written may still come.
const AFTER_RESTART: Duration = Duration::from_secs(10);

/// I6: what the module read as commands is what was written as commands, in this order; some may be lost.
fn intent_is_parse(written: &[Bytes], log: &[Record]) -> Option<String> {
    let meant: Vec<Bytes> = written.iter().flat_map(|line| commands(line)).collect();
    let mut rest = &meant[..];
    let mut restarted: Option<Duration> = None;
    for record in log {
        match &record.entry {
            Entry::Reboot => restarted = Some(record.at),
            Entry::Understood(command) => {
                if let Some(at) = rest.iter().position(|it| *it == command.text) {
                    rest = &rest[at + 1..];
                    continue;
                }
                // Half of `ATE0` and `AT` are ATE, ATA and ATT.
                let is_half = matches!(&command.text[..], b"E" | b"A" | b"T");
                if !is_half && !is_cut_off(&[b"AT", &command.text[..]].concat(), written) {
                    return Some(format!("I6: the module understood {command}, which nobody meant"));
                }
            }
            Entry::NotACommand(line) if is_cut_off(line, written) => {}
            Entry::NotACommand(line) => {
                let cut = restarted.is_some_and(|at| record.at.saturating_sub(at) < AFTER_RESTART);
                if !cut {
                    return Some(format!("I6: the module was told \"{}\"", line.escape_ascii()));
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether a line began when a port broke, as others before it may have, and ended with a later port's first probe:
/// nothing can take back the half of a line, and together they are nothing that a module would obey.
fn is_cut_off(text: &[u8], written: &[Bytes]) -> bool {
    let lines: Vec<Vec<u8>> = written.iter().map(|line| [b"AT", &line[..]].concat()).collect();
    let mut heads = lines.iter().filter_map(|probe| text.strip_suffix(&probe[..]));
    heads.any(|head| !head.is_empty() && are_halves(head, &lines))
        || without_filler(text).is_some_and(|head| are_halves(head, &lines))
}

/// Whether a text is made of nothing but the beginnings of lines.
fn are_halves(text: &[u8], lines: &[Vec<u8>]) -> bool {
    let begins = |half: &[u8]| lines.iter().any(|line| line.starts_with(half));
    let mut halves = (1..=text.len()).take_while(|&end| begins(&text[..end]));
    text.is_empty() || halves.any(|end| are_halves(&text[end..], lines))
}

/// The commands of a line, apart: they are joined by semicolons outside of quotes.
fn commands(line: &[u8]) -> Vec<Bytes> {
    let mut quoted = false;
    let parts = line.split(|&byte| {
        quoted ^= byte == b'"';
        byte == b';' && !quoted
    });
    parts.map(Bytes::copy_from_slice).collect()
}
