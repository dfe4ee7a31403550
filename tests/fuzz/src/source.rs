//! Choices, taken from the front of the fuzzer's bytes.

/// Gives out bytes one after the other, and zeros when there are no more.
pub struct Source<'a>(pub &'a [u8]);

impl<'a> Source<'a> {
    pub fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        }
    }

    /// A number below `bound`, which is at most 256.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::from(self.byte()) % bound.max(1)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A slice whose length comes first.
    pub fn slice(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte()).min(self.0.len());
        let (slice, rest) = self.0.split_at(length);
        self.0 = rest;
        slice
    }

    /// The same as text, with what is no UTF-8 replaced.
    pub fn text(&mut self) -> String {
        String::from_utf8_lossy(self.slice()).into_owned()
    }

    /// The rest, cut into pieces whose lengths come first: their number, then as many lengths.
    pub fn pieces(&mut self) -> Vec<&'a [u8]> {
        let count = self.below(16);
        let lengths: Vec<_> = (0..count).map(|_| usize::from(self.byte()) + 1).collect();
        let mut pieces = Vec::new();
        let mut rest = std::mem::take(&mut self.0);
        for length in lengths.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, behind) = rest.split_at((*length).min(rest.len()));
            pieces.push(piece);
            rest = behind;
        }
        if !rest.is_empty() {
            pieces.push(rest);
        }
        pieces
    }
}
