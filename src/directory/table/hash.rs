//! The default hash: small and fast, for ids that are not chosen with ill intent.

use core::hash::Hasher;

/// The default hasher of a [`Directory`](crate::directory::Directory).
///
/// It multiplies once for each eight bytes, and once to finish.
///
/// It holds no secret. Where users choose their own ids, use a keyed `BuildHasher` against hash flooding.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DefaultHasher(u64);

/// 2⁶⁴ over the golden ratio, made odd.
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

impl Hasher for DefaultHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            for (to, from) in word.iter_mut().zip(chunk) {
                *to = *from;
            }
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u8(&mut self, value: u8) {
        self.write_u64(value.into());
    }

    fn write_u16(&mut self, value: u16) {
        self.write_u64(value.into());
    }

    fn write_u32(&mut self, value: u32) {
        self.write_u64(value.into());
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0.rotate_left(26) ^ value).wrapping_mul(FACTOR);
    }

    fn write_u128(&mut self, value: u128) {
        self.write_u64(value as u64);
        self.write_u64((value >> 64) as u64);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    fn finish(&self) -> u64 {
        (self.0 ^ (self.0 >> 32)).wrapping_mul(FACTOR)
    }
}
