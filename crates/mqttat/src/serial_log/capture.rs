//! A capture without marks: who spoke is told by what was said.

use mqtt_at::offline::Analyser;
use virtual_modem::Direction::{HostToModule, ModuleToHost};

use super::{Builder, is_command, with_end};

/// Reads a capture line by line.
#[derive(Default)]
pub(super) struct Capture {
    /// The last command line, or what is missing of its echo, as long as nothing else has come behind it.
    command: Option<String>,
    /// Whether the last command can still be asked for data, and the length that it announced for them.
    asks: Option<Option<usize>>,
    /// The last command's name: a line that it heads is its result, and no data.
    name: String,
    /// How many bytes of data the module still waits for; of unknown number they are one line.
    data: Option<usize>,
    /// The data that were written since the last prompt.
    written: String,
}

impl Capture {
    pub(super) fn line(&mut self, text: &str, builder: &mut Builder) {
        if let Some(left) = self.data.filter(|_| !is_end(text) && !self.is_result(text)) {
            // What is longer than the data that are missing, and begins like them, is the module's echo.
            if text.len() <= left || !self.written.starts_with(text) {
                return self.take_data(text, builder);
            }
        }
        self.data = None;
        if self.take_echo(text, builder) {
            return;
        }
        if is_command(text) {
            self.command = Some(text.trim_start().to_owned());
            let name = text.trim().get(2..).unwrap_or_default();
            self.name = name.split(['=', '?', ' ']).next().unwrap_or_default().to_ascii_uppercase();
            self.asks = Some(Analyser::announced_length(text.as_bytes()));
            return builder.say(HostToModule, with_end(text.trim(), HostToModule));
        }
        let asked = self.asks.filter(|_| text.starts_with('>') || text.trim() == "CONNECT");
        if !text.trim().is_empty() {
            self.command = None;
        }
        let Some(declared) = asked else {
            return builder.say(ModuleToHost, with_end(text, ModuleToHost));
        };
        self.asks = None;
        self.written.clear();
        self.data = Some(declared.unwrap_or(1));
        let Some(behind) = text.strip_prefix('>') else {
            return builder.say(ModuleToHost, with_end(text, ModuleToHost));
        };
        builder.say(ModuleToHost, b"\r\n> ".to_vec());
        let behind = behind.strip_prefix(' ').unwrap_or(behind);
        if !behind.is_empty() {
            self.take_data(behind, builder);
        }
    }

    /// A program that shows what it sends shows the module's echo of it, too, perhaps in two reads.
    fn take_echo(&mut self, text: &str, builder: &mut Builder) -> bool {
        const HALF_A_LINE: usize = 12;
        let Some(left) = self.command.as_deref().and_then(|command| command.strip_prefix(text)) else {
            return false;
        };
        if !left.is_empty() && text.len() < HALF_A_LINE {
            return false;
        }
        let bytes = if left.is_empty() { with_end(text, ModuleToHost) } else { text.as_bytes().to_vec() };
        self.command = Some(left.to_owned()).filter(|left| !left.is_empty());
        builder.say(ModuleToHost, bytes);
        true
    }

    fn is_result(&self, text: &str) -> bool {
        let named = text.trim().split_once(": ").filter(|(name, _)| name.starts_with('+'));
        named.is_some_and(|(name, _)| name == self.name)
    }

    /// What the host wrote behind the prompt, up to the announced length.
    fn take_data(&mut self, text: &str, builder: &mut Builder) {
        let wanted = self.data.take().unwrap_or_default();
        let left = wanted.saturating_sub(text.len());
        let ends = if left >= 2 { "\r\n" } else { "" };
        self.written.extend([text, ends]);
        builder.say(HostToModule, [text, ends].concat().into_bytes());
        self.data = Some(left.saturating_sub(ends.len())).filter(|left| *left > 0);
    }
}

/// Whether the module has gone on, so that the data were not written down.
fn is_end(text: &str) -> bool {
    let text = text.trim();
    matches!(text, "OK" | "ERROR")
        || text.starts_with("+CME ERROR")
        || text.starts_with("+CMS ERROR")
        || is_command(text)
}
