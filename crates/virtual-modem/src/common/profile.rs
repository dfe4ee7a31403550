//! Settings of the command channel [V.250 §6.2].

/// Echo, result codes and error reports; back to these values at every restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Profile {
    /// `ATE`
    pub(crate) echo: bool,
    /// `ATV`: words instead of numbers.
    pub(crate) verbose: bool,
    /// `ATQ`: no result codes at all.
    pub(crate) quiet: bool,
    /// `AT+CMEE`: 0 `ERROR`, 1 numbers, 2 words.
    pub(crate) errors: u8,
    /// Whether an empty line stands between the last information line and the final result.
    pub(crate) blank_before_final: bool,
}

impl Default for Profile {
    fn default() -> Self {
        Self { echo: true, verbose: true, quiet: false, errors: 0, blank_before_final: true }
    }
}
