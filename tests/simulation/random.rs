//! The harness's own numbers: the same for the same seed, on every computer.

use std::time::Duration;

/// xorshift64*, stirred so that neighbouring seeds differ.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The numbers of one part of a seed: parts do not disturb each other.
    pub fn new(seed: u64, part: u64) -> Self {
        let stirred = (seed ^ part.wrapping_mul(0xA24B_AED4_963E_E407)).wrapping_mul(0x9FB2_1C65_1E98_DF25);
        let mut random = Self((stirred ^ (stirred >> 28)) | 1);
        random.number();
        random.number();
        random
    }

    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        (self.number() >> 11) % bound.max(1)
    }

    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap()
    }

    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.index(list.len())]
    }

    /// A time in milliseconds, shorter than `bound`.
    pub fn time(&mut self, bound: Duration) -> Duration {
        Duration::from_millis(self.below(u64::try_from(bound.as_millis()).unwrap()))
    }

    pub fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }
}
