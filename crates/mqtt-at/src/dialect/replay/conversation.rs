//! A log as commands and what the module said to them, cut at CR LF and nothing else.

pub(super) const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/transcripts/real");

/// A command of the host and everything the module said until the next one.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    /// Without line end and spaces around it; empty before the first command.
    pub(super) command: String,
    /// What the module said, up to the prompt if there is one.
    pub(super) answer: Vec<u8>,
    /// Whether that ends in a prompt.
    pub(super) prompt: bool,
    /// What the host said to the prompt.
    pub(super) data: Vec<u8>,
    /// What the module said behind it.
    pub(super) after_data: Vec<u8>,
}

/// What the naive reading of a log sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Element {
    Line(Vec<u8>),
    Prompt,
}

impl Exchange {
    /// The name that answers begin with: `+QMTOPEN` of `AT+QMTOPEN=0`.
    pub(super) fn name(&self) -> &str {
        let name = self.command.get(2..).unwrap_or_default();
        name.split(['=', '?']).next().unwrap_or_default()
    }

    pub(super) fn is_named(&self, line: &[u8]) -> bool {
        !self.name().is_empty() && line.starts_with(format!("{}:", self.name()).as_bytes())
    }

    pub(super) fn is_echo(&self, line: &[u8]) -> bool {
        !self.command.is_empty() && line.trim_ascii() == self.command.as_bytes()
    }

    /// Whether the module said anything.
    pub(super) fn is_answered(&self) -> bool {
        !self.answer.is_empty()
    }

    pub(super) fn elements(&self) -> Vec<Element> {
        let mut elements = cut(&self.answer);
        if self.prompt {
            elements.pop();
            elements.push(Element::Prompt);
        }
        elements.extend(cut(&self.after_data));
        elements
    }

    pub(super) fn lines(&self) -> Vec<Vec<u8>> {
        let elements = self.elements().into_iter();
        elements
            .filter_map(|element| match element {
                Element::Line(line) => Some(line),
                Element::Prompt => None,
            })
            .collect()
    }
}

/// Reads a log. The first exchange is what the module said before the first command.
pub(super) fn read(name: &str) -> Vec<Exchange> {
    let text = std::fs::read_to_string(format!("{DIRECTORY}/{name}.at")).unwrap();
    for header in ["# module: ", "# source: ", "# bytes: "] {
        assert!(text.lines().any(|line| line.starts_with(header)), "{name} has no {header}");
    }
    let mut exchanges = vec![Exchange::default()];
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let timed = line.strip_prefix('@').and_then(|timed| timed.split_once(' '));
        let (mark, text) = timed.map_or(line, |(_, turn)| turn).split_at(3);
        let current = exchanges.last_mut().unwrap();
        match mark {
            "<< " if current.data.is_empty() => {
                current.answer.extend(bytes_of(text, "\r\n"));
                let asks =
                    |end: &Element| [&b">"[..], b"> "].iter().any(|it| *end == Element::Line(it.to_vec()));
                current.prompt = cut(&current.answer).last().is_some_and(asks);
            }
            "<< " => current.after_data.extend(bytes_of(text, "\r\n")),
            ">> " if current.prompt && current.data.is_empty() => current.data = bytes_of(text, "\r"),
            ">> " => {
                let command = String::from_utf8(bytes_of(text, "\r")).unwrap().trim().to_owned();
                exchanges.push(Exchange { command, ..Exchange::default() });
            }
            _ => panic!("{name}: {line:?} is no turn"),
        }
    }
    exchanges
}

/// The bytes of a turn: `\r`, `\n` and `\xHH` are escapes, and a `\` at its end stands for no line end.
pub(crate) fn bytes_of(text: &str, line_end: &str) -> Vec<u8> {
    let text = text.strip_suffix('\\').map_or_else(|| format!("{text}{line_end}"), str::to_owned);
    let text = text.replace("\\r", "\r").replace("\\n", "\n");
    let mut parts = text.split("\\x");
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(digits, 16).unwrap());
        bytes.extend_from_slice(rest.as_bytes());
    }
    bytes
}

/// What stands between CR LFs, without the CRs at its end.
pub(super) fn cut(bytes: &[u8]) -> Vec<Element> {
    let mut lines = Vec::new();
    let mut line = Vec::new();
    for &byte in bytes {
        if byte == b'\n' && line.last() == Some(&b'\r') {
            lines.push(std::mem::take(&mut line));
        } else {
            line.push(byte);
        }
    }
    lines.push(line);
    for line in &mut lines {
        while line.last() == Some(&b'\r') {
            line.pop();
        }
    }
    lines.into_iter().filter(|line| !line.is_empty()).map(Element::Line).collect()
}
