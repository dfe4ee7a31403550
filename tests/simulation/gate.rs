//! I11: what may be written when, judged by nothing but the transcript.

use mqtt_at::at::TapEntry;

/// How far the transcript says that the link can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Trust {
    /// Nothing is known, or bytes could not be read: no command may go out.
    #[default]
    None,
    /// A probe is out.
    Probed,
    /// A probe was followed by an `OK`.
    Proven,
}

/// What the entries so far allow.
#[derive(Debug, Default)]
pub struct Gate {
    trust: Trust,
    /// Whether a command was written since the last probe.
    commanded: bool,
    prompted: bool,
}

impl Gate {
    /// A new port begins with nothing.
    pub fn close(&mut self) {
        *self = Self::default();
    }

    /// Takes an entry, and says what is wrong with it.
    pub fn pass(&mut self, entry: &TapEntry<'_>) -> Option<&'static str> {
        match entry {
            TapEntry::Command(_) if self.trust != Trust::Proven => {
                return Some("I11: a command is written while the link is in doubt");
            }
            TapEntry::Command(_) => (self.commanded, self.prompted) = (true, false),
            TapEntry::Probe(_) => *self = Self { trust: Trust::Probed, ..Self::default() },
            TapEntry::Data(_) | TapEntry::SecretData { .. } if !std::mem::take(&mut self.prompted) => {
                return Some("I11: data is written that was not asked for");
            }
            TapEntry::Prompt => self.prompted = true,
            TapEntry::Line(line) if line[..] == *b"OK" && self.trust == Trust::Probed => {
                self.trust = Trust::Proven
            }
            // While the link is being proven it is no news; the `OK` before it may have been an old one.
            TapEntry::Dropped { .. } if self.trust == Trust::Proven => {
                self.trust = if self.commanded { Trust::None } else { Trust::Probed };
            }
            _ => {}
        }
        None
    }
}
