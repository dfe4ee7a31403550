//! What a script did not expect.

use std::fmt;

use bytes::Bytes;

use crate::transcript::Turn;

/// The code under test did something else than the script expects.
///
/// [`ScriptedPort`](crate::ScriptedPort) has an example.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Surprise {
    pub(super) expected: Expected,
    pub(super) got: Bytes,
    pub(super) conversation: Vec<Turn>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Expected {
    Bytes(Bytes),
    Nothing,
    /// The script is not through.
    Rest(usize),
}

impl fmt::Display for Surprise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.expected {
            Expected::Bytes(bytes) => writeln!(f, "expected \"{}\"", bytes.escape_ascii())?,
            Expected::Nothing => writeln!(f, "expected nothing more")?,
            Expected::Rest(steps) => writeln!(f, "the script is not through, {steps} steps are left")?,
        }
        writeln!(f, "     got \"{}\"", self.got.escape_ascii())?;
        f.write_str("so far:")?;
        for turn in &self.conversation {
            write!(f, "\n  {turn}")?;
        }
        Ok(())
    }
}
