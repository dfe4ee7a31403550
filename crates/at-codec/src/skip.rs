//! Line ends, and skipping to the next one.

use bytes::{Buf, BytesMut};
use memchr::memchr_iter;

pub(crate) const CR: u8 = b'\r';
pub(crate) const LF: u8 = b'\n';

/// Where the first line end in `bytes` stops (the offset behind its LF), looking from offset `from` on.
///
/// `after_cr` says whether the byte before `bytes` was a CR.
pub(crate) fn line_end(bytes: &[u8], from: usize, after_cr: bool, lone_line_feed: bool) -> Option<usize> {
    let cr_before = |at: usize| match at.checked_sub(1) {
        Some(previous) => bytes.get(previous) == Some(&CR),
        None => after_cr,
    };
    memchr_iter(LF, bytes.get(from..)?)
        .map(|at| from + at)
        .find(|&at| lone_line_feed || cr_before(at))
        .map(|at| at + 1)
}

/// The state of skipping: first a number of bytes that nobody looks at, then everything up to a line end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Skip {
    unseen: usize,
    after_cr: bool,
    skipped: usize,
    report_at: usize,
}

/// How far [`Skip::run`] came.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Skipped {
    /// The line end is consumed: a line starts.
    Ended,
    /// This many bytes are skipped, and no end is in sight.
    Report(usize),
    /// The buffer is used up.
    Starved,
}

impl Skip {
    /// Bytes between two reports.
    const REPORT: usize = 64 * 1024;

    /// Skips `unseen` bytes without a look, then to the line end.
    pub(crate) const fn unseen(unseen: usize) -> Self {
        Self { unseen, after_cr: false, skipped: 0, report_at: Self::REPORT }
    }

    /// Skips to the line end, after `dropped` was taken away and `reported` bytes of it were reported as skipped.
    pub(crate) fn behind(dropped: &[u8], reported: usize) -> Self {
        Self {
            unseen: 0,
            after_cr: dropped.last() == Some(&CR),
            skipped: reported,
            report_at: reported.saturating_add(Self::REPORT),
        }
    }

    /// Stops trusting the count: what comes next is skipped to the line end.
    pub(crate) const fn forget_count(&mut self) {
        self.unseen = 0;
    }

    /// Consumes from `src` what is to be skipped.
    ///
    /// It looks at most up to the next report at a time, so that reports depend on positions only.
    pub(crate) fn run(&mut self, src: &mut BytesMut, lone_line_feed: bool) -> Skipped {
        let room = self.report_at - self.skipped;
        let window = src.get(..room).unwrap_or(src);
        let (unseen, text) = window.split_at(self.unseen.min(window.len()));
        let end = line_end(text, 0, self.after_cr, lone_line_feed);
        let taken = unseen.len() + end.unwrap_or(text.len());
        if let Some(&last) = text.last() {
            self.after_cr = last == CR;
        }
        self.unseen -= unseen.len();
        self.skipped += taken;
        src.advance(taken);
        if end.is_some() {
            Skipped::Ended
        } else if self.skipped == self.report_at {
            self.report_at = self.skipped.saturating_add(Self::REPORT);
            Skipped::Report(self.skipped)
        } else {
            Skipped::Starved
        }
    }
}
