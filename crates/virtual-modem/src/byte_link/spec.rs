//! Faults of a line as the command line writes them: `WAY@POSITION:ACTION`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;

use super::{ByteAction, ByteFault, Way};

/// The text is no fault of a line.
///
/// No example: it is a text for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("fault `{0}` is not to-host@POSITION:ACTION or to-module@POSITION:ACTION")]
pub struct BadByteFault(String);

/// A fault for the command line: `to-host@120:drop=3`.
///
/// The position is the number of a byte in that direction, counted from 0. Actions: `drop` or `drop=COUNT`,
/// `flip=BITS` (0 to 255), `duplicate`, `insert=TEXT`, `split`, `stall=MS`, `eio`, `enodev`, `eof`, `mute`.
impl FromStr for ByteFault {
    type Err = BadByteFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        read(text.trim()).ok_or_else(|| BadByteFault(text.to_owned()))
    }
}

fn read(text: &str) -> Option<ByteFault> {
    let (place, action) = text.split_once(':')?;
    let (way, position) = place.split_once('@')?;
    let way = [Way::ToHost, Way::ToModule].into_iter().find(|known| known.name() == way)?;
    Some(ByteFault::new(way, position.parse().ok()?, read_action(action)?))
}

fn read_action(text: &str) -> Option<ByteAction> {
    Some(match text {
        "drop" => ByteAction::Drop(1),
        "duplicate" => ByteAction::Duplicate,
        "split" => ByteAction::Split,
        "eio" => ByteAction::InputOutputError,
        "enodev" => ByteAction::NoSuchDevice,
        "eof" => ByteAction::End,
        "mute" => ByteAction::Mute,
        other => match other.split_once('=')? {
            ("drop", count) => ByteAction::Drop(count.parse().ok()?),
            ("flip", bits) => ByteAction::Flip(bits.parse().ok()?),
            ("insert", text) => ByteAction::Insert(Bytes::from(text.to_owned())),
            ("stall", millis) => ByteAction::Stall(Duration::from_millis(millis.parse().ok()?)),
            _ => return None,
        },
    })
}

impl Way {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ToHost => "to-host",
            Self::ToModule => "to-module",
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl ByteAction {
    /// What it is called on the command line, without its value.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Drop(_) => "drop",
            Self::Flip(_) => "flip",
            Self::Duplicate => "duplicate",
            Self::Insert(_) => "insert",
            Self::Split => "split",
            Self::Stall(_) => "stall",
            Self::InputOutputError => "eio",
            Self::NoSuchDevice => "enodev",
            Self::End => "eof",
            Self::Mute => "mute",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_the_name_it_is_read_by() {
        for action in
            "drop drop=5 flip=128 duplicate insert=x:y split stall=20 eio enodev eof mute".split(' ')
        {
            let fault: ByteFault = format!("to-host@7:{action}").parse().unwrap();
            assert_eq!((fault.way, fault.position), (Way::ToHost, 7));
            assert_eq!(fault.action.name(), action.split('=').next().unwrap());
        }
        let expected = ByteFault::new(Way::ToModule, 0, ByteAction::Drop(1));
        assert_eq!("to-module@0:drop".parse(), Ok(expected));
        for wrong in ["", "drop", "to-host:drop", "to-host@x:drop", "there@1:drop", "to-host@1:flip=256"] {
            assert!(wrong.parse::<ByteFault>().is_err(), "{wrong}");
        }
    }
}
