//! Marks that say who spoke.

use std::time::Duration;

use virtual_modem::Direction;

use super::{is_command, stamp};

/// A pair of marks, that of the host first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Family(&'static str, &'static str);

/// Which pairs are known. Of two that fit a log equally well the first is taken.
const FAMILIES: [Family; 16] = [
    Family("-->", "<--"),
    Family(">>>", "<<<"),
    Family(">>", "<<"),
    Family("->", "<-"),
    Family("=>", "<="),
    Family("→", "←"),
    Family(">", "<"),
    Family("TX", "RX"),
    Family("SENT", "RECV"),
    Family("SEND", "RECV"),
    Family("SENT", "RECEIVED"),
    Family("SENT", "RCVD"),
    Family("SEND", "RECEIVE"),
    Family("OUT", "IN"),
    Family("WRITE", "READ"),
    Family("HOST", "MODEM"),
];

/// A line of a log, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) stamp: Option<Duration>,
    pub(super) mark: Option<Direction>,
    pub(super) text: &'a str,
}

impl Family {
    /// The marks of a log: those with which the most lines begin, if both ends are there and one of them sends commands,
    /// or if only the module is there, with its reports.
    pub(super) fn of(lines: &[String]) -> Option<Self> {
        let fits = |family: &Self| {
            let lines: Vec<_> = lines.iter().map(|line| family.split(line)).collect();
            let of = |direction| lines.iter().filter(move |line| line.mark == Some(direction));
            let host = of(Direction::HostToModule).count();
            let commands = of(Direction::HostToModule).filter(|line| is_command(line.text)).count();
            let answers = of(Direction::ModuleToHost).count();
            let reports = of(Direction::ModuleToHost).filter(|line| line.text.starts_with('+')).count();
            match (commands, host) {
                (0, 0) if reports > 0 => answers,
                (0, _) => 0,
                _ if answers == 0 => 0,
                _ => commands + answers,
            }
        };
        let scored = FAMILIES.iter().map(|family| (fits(family), family));
        let best = scored.rev().max_by_key(|(score, _)| *score);
        best.filter(|(score, _)| *score > 0).map(|(_, family)| *family)
    }

    /// Takes time and mark from a line, whatever else stands in front of them in brackets.
    pub(super) fn split<'a>(&self, line: &'a str) -> Line<'a> {
        let (mut at, mut rest) = stamp::split(line);
        loop {
            if let Some((direction, after)) = self.mark(rest) {
                let (since, text) = time_of_mark(after);
                return Line { stamp: at.or(since), mark: Some(direction), text: unquoted(text) };
            }
            let Some(behind) = behind_brackets(rest) else { break };
            let (stamp, text) = stamp::split(behind);
            at = at.or(stamp);
            rest = text;
        }
        // A long arrow is a mark anywhere: a daemon has much to say in front of it.
        if self.0.len() == 3
            && let Some((direction, text)) = self.long_arrow(line)
        {
            return Line { stamp: at, mark: Some(direction), text: unquoted(text) };
        }
        let (stamp, text) = stamp::split(line);
        Line { stamp: stamp.or(at), mark: None, text }
    }

    fn mark<'a>(&self, text: &'a str) -> Option<(Direction, &'a str)> {
        let text = text.trim_start();
        let behind = |mark: &str| {
            let (start, rest) = text.split_at_checked(mark.len())?;
            let is_word = mark.starts_with(|it: char| it.is_ascii_alphabetic());
            let ends = match rest.chars().next() {
                None => !is_word,
                Some(next) => next.is_whitespace() || is_word && ":@]>=-".contains(next),
            };
            (start.eq_ignore_ascii_case(mark) && ends).then_some(rest)
        };
        let host = behind(self.0).map(|rest| (Direction::HostToModule, rest));
        host.or_else(|| behind(self.1).map(|rest| (Direction::ModuleToHost, rest)))
    }

    fn long_arrow<'a>(&self, line: &'a str) -> Option<(Direction, &'a str)> {
        let find = |mark: &str| line.split_once(&format!(" {mark} ")).map(|(_, text)| text);
        let host = find(self.0).map(|text| (Direction::HostToModule, text));
        host.or_else(|| find(self.1).map(|text| (Direction::ModuleToHost, text)))
    }
}

/// What joins a mark to the text: `]`, `:`, or a time in milliseconds as in `SENT@4254 AT`. One blank goes with it.
fn time_of_mark(text: &str) -> (Option<Duration>, &str) {
    let (since, rest) = match text.strip_prefix('@') {
        Some(timed) => {
            let end = timed.find(|it: char| !it.is_ascii_digit()).unwrap_or(timed.len());
            let (millis, rest) = timed.split_at(end);
            (millis.parse().ok().map(Duration::from_millis), rest)
        }
        None => (None, text.trim_start_matches([':', ']', '>', '=', '-'])),
    };
    (since, rest.strip_prefix([' ', '\t']).unwrap_or(rest))
}

/// What stands behind `[…]`, `(…)` or `<…>` at the beginning, or behind a word that ends in a colon.
fn behind_brackets(text: &str) -> Option<&str> {
    let text = text.trim_start();
    // `[TX]` is a mark, and the bracket only its dress.
    let close = match text.chars().next()? {
        '[' => ']',
        '(' => ')',
        '<' => '>',
        _ => {
            let (word, rest) = text.split_once(": ")?;
            let is_word = !word.is_empty()
                && word.chars().all(|it| it.is_ascii_alphanumeric() || "_/.-[]".contains(it));
            return (is_word && !word.starts_with("AT")).then_some(rest);
        }
    };
    let inner = text.get(1..)?;
    let is_mark = |mark: &str| {
        inner.split_at_checked(mark.len()).is_some_and(|(start, _)| start.eq_ignore_ascii_case(mark))
    };
    let words = FAMILIES.iter().filter(|family| family.0.starts_with(|it: char| it.is_ascii_alphabetic()));
    if words.clone().any(|family| [family.0, family.1].iter().any(|mark| is_mark(&format!("{mark}{close}"))))
    {
        return Some(inner);
    }
    inner.split_once(close).map(|(_, rest)| rest)
}

/// Without quotes around it.
fn unquoted(text: &str) -> &str {
    let inner = text.strip_prefix('\'').and_then(|it| it.strip_suffix('\''));
    inner.or_else(|| text.strip_prefix('"').and_then(|it| it.strip_suffix('"'))).unwrap_or(text)
}
