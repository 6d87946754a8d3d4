//! A small deterministic generator, so that every engine, on every machine, sees the same trace.

/// 2⁶⁴ over the golden ratio, made odd.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// The generator `SplitMix64`.
#[derive(Clone, Debug)]
pub struct Random(u64);

/// Scrambles a number: equal in, equal out, and no pattern left.
pub const fn scrambled(number: u64) -> u64 {
    let once = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let twice = (once ^ (once >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    twice ^ (twice >> 31)
}

impl Random {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        scrambled(self.0)
    }

    /// Returns a number below `limit`.
    pub fn below(&mut self, limit: u32) -> u32 {
        (((self.next() >> 32) * u64::from(limit)) >> 32) as u32
    }

    /// Returns a number from `low` up to and without `high`.
    pub fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low)
    }
}
