//! Data that the module repeats while it takes it.

use bytes::{Buf, Bytes};

/// The data that answered a prompt, and may come back.
#[derive(Debug, Clone)]
pub(crate) struct DataEcho {
    data: Bytes,
    /// Whether the module is known to repeat what it reads.
    certain: bool,
}

/// What the received bytes are, compared with the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compared {
    /// All of the data, and perhaps more.
    Echo(usize),
    /// The beginning of the data, or nothing yet.
    Beginning,
    /// Something else.
    Other,
}

impl DataEcho {
    pub(crate) fn new(mut data: Bytes, certain: bool) -> Option<Self> {
        // An answer begins with a line end. Where the data does so, too, only a module that is known to repeat what
        // it reads can be believed to do it; its first line ends are blank lines like any other then.
        let line_ends = data.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        if certain {
            data.advance(line_ends);
        }
        (!data.is_empty() && (certain || line_ends == 0)).then_some(Self { data, certain })
    }

    /// Whether it is looked for at later line starts, too, because a report may come first.
    pub(crate) fn is_certain(&self) -> bool {
        self.certain
    }

    pub(crate) fn compare(&self, received: &[u8]) -> Compared {
        if received.starts_with(&self.data) {
            Compared::Echo(self.data.len())
        } else if self.data.starts_with(received) {
            Compared::Beginning
        } else {
            Compared::Other
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.data.len()
    }
}
