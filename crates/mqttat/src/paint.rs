//! Colours, on terminals only.

use std::fmt;
use std::io::IsTerminal;

/// Whether a stream is to be coloured: <https://no-color.org>, and no terminal that calls itself dumb.
pub(crate) fn wanted(is_terminal: bool) -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    is_terminal && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Colours for one stream.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint(bool);

impl Paint {
    /// For stdout.
    pub(crate) fn stdout() -> Self {
        Self(wanted(std::io::stdout().is_terminal()))
    }

    /// What goes to the module.
    pub(crate) fn host<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.paint("36", text)
    }

    /// What comes from the module.
    pub(crate) fn module<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.paint("2", text)
    }

    /// What was achieved.
    pub(crate) fn good<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.paint("1;32", text)
    }

    /// What may become a problem.
    pub(crate) fn warning<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.paint("33", text)
    }

    /// What is wrong.
    pub(crate) fn bad<T: fmt::Display>(self, text: T) -> Painted<T> {
        self.paint("1;31", text)
    }

    fn paint<T>(self, code: &'static str, text: T) -> Painted<T> {
        Painted { code: self.0.then_some(code), text }
    }
}

/// A text in its colour, if there is to be one.
#[derive(Debug)]
pub(crate) struct Painted<T> {
    code: Option<&'static str>,
    text: T,
}

impl<T: fmt::Display> fmt::Display for Painted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "\x1b[{code}m{}\x1b[0m", self.text),
            None => self.text.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colours_the_text_is_left_alone() {
        assert_eq!(Paint(false).good("done").to_string(), "done");
        assert_eq!(Paint(true).good("done").to_string(), "\x1b[1;32mdone\x1b[0m");
    }
}
